"""What a benchmark ran on."""

import contextlib
import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

__all__ = ["code_revision", "describe_machine", "used_versions"]

_FLAGS = ("avx2", "avx512f", "avx512_bf16", "amx_bf16")
_THREAD_VARIABLES = (
    "OMP_NUM_THREADS",
    "MKL_NUM_THREADS",
    "OPENBLAS_NUM_THREADS",
    "TF_NUM_INTRAOP_THREADS",
    "TF_NUM_INTEROP_THREADS",
)
_PACKAGES = (
    "skmnist",
    "numpy",
    "scikit-learn",
    "keras",
    "onnxruntime",
    "tensorflow",
    "scikeras",
    "skorch",
    "torch",
)


def describe_machine():
    """Return CPU, cores and thread settings of this machine.

    Returns
    -------
    dict
        Ready for JSON.
    """
    processor, flags = _processor()
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "processor": processor,
        "flags": {flag: flag in flags for flag in _FLAGS},
        "n_cores": os.cpu_count(),
        "n_usable_cores": len(affinity(0)) if affinity else os.cpu_count(),
        "thread_variables": {
            name: os.environ[name] for name in _THREAD_VARIABLES if name in os.environ
        },
        "platform": f"{platform.system()} {platform.machine()}",
    }


def used_versions():
    """Return the versions of Python and of all packages that take part."""
    found = {"python": platform.python_version()}
    for package in _PACKAGES:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            found[package] = "not installed"
    return found


def code_revision(folder=Path(__file__).parent):
    """Return the revision of the code that is measured.

    Parameters
    ----------
    folder : Path, default=that of the benchmarks
        A folder of a checkout.

    Returns
    -------
    str or None
        Abbreviated commit of git, and whether files differ from it; None without git
        or outside of a checkout.
    """
    command = ["git", "-C", str(folder), "describe", "--always", "--exclude=*"]
    try:
        return subprocess.run(
            [*command, "--dirty= with changes"],
            capture_output=True,
            text=True,
            check=True,
            timeout=10,
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):
        return None


def _processor():
    """Return name and flags of the CPU, as far as the system tells."""
    name, flags = platform.processor() or "unknown", set()
    with contextlib.suppress(OSError), open("/proc/cpuinfo") as file:
        for line in file:
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
                break
    return name, flags
