"""How TensorFlow uses the CPU; importing this module imports nothing slow."""

import contextlib
import os
from functools import cache

__all__ = ["bfloat16_is_quick", "has_avx2", "uses_onednn"]

# TensorFlow uses oneDNN by default on CPUs with one of these.
_FOR_NEURAL_NETWORKS = frozenset(
    {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}
)
# What may keep oneDNN from using instructions; the second is the older name.
_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_SWITCH = {"0": False, "false": False, "1": True, "true": True}


@cache
def uses_onednn():
    """Return whether TensorFlow computes with oneDNN, on x86 CPUs under Linux."""
    default = not _FOR_NEURAL_NETWORKS.isdisjoint(_read_features())
    variable = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "")  # is read once per process
    return _SWITCH.get(variable.lower(), default)  # other words are ignored


@cache
def has_avx2():
    """Return whether an x86 CPU under Linux has the instructions oneDNN is made for."""
    return "avx2" in _read_features()


@cache
def bfloat16_is_quick():
    """Return whether TensorFlow trains in bfloat16 at least as fast as in float32."""
    features = _read_features()
    # With Intel's AVX512-BF16, a convolutional network took 490 µs per image instead
    # of 350. Without oneDNN, or if that is limited, bfloat16 may be emulated.
    limit = next(filter(None, map(os.environ.get, _LIMITS)), "ALL")
    has_units = "amx_bf16" in features or {"AuthenticAMD", "avx512_bf16"} <= features
    return uses_onednn() and has_units and limit.upper() in ("ALL", "DEFAULT")


def _read_features(path="/proc/cpuinfo"):
    """Return the vendor of the CPU and the names of its features."""
    features = set()
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() in ("vendor_id", "flags"):
                features.update(value.split())
            if name.strip() == "flags":
                break
    return features
