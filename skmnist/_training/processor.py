"""What TensorFlow makes of the processor: its numerical library and its units.

Importing this module imports nothing slow.
"""

import contextlib
import os
from functools import cache

__all__ = ["bfloat16_is_quick", "has_avx2", "uses_onednn"]

# TensorFlow leaves its work to oneDNN by default on processors with one of these.
_FOR_NEURAL_NETWORKS = frozenset(
    {"avx512_vnni", "avx512_bf16", "avx_vnni", "amx_tile", "amx_int8", "amx_bf16"}
)
# What may keep oneDNN from the units of a processor; the second is the older name.
_LIMITS = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
_SWITCH = {"0": False, "false": False, "1": True, "true": True}


@cache
def uses_onednn():
    """Return whether TensorFlow computes with oneDNN, on x86 processors under Linux.

    What ``TF_ENABLE_ONEDNN_OPTS`` says; if it says nothing, whether the processor has
    units for neural networks. TensorFlow reads the variable once in a process.
    """
    default = not _FOR_NEURAL_NETWORKS.isdisjoint(_read_features())
    variable = os.environ.get("TF_ENABLE_ONEDNN_OPTS", "")
    return _SWITCH.get(variable.lower(), default)  # other words are passed over


@cache
def has_avx2():
    """Return whether an x86 processor under Linux has the units oneDNN is made for."""
    return "avx2" in _read_features()


@cache
def bfloat16_is_quick():
    """Return whether TensorFlow trains in bfloat16 at least as fast as in float32.

    It does with the matrix units of Intel, and with the vector units of AMD. With the
    vector units of Intel alone, a convolutional network took 490 µs an image in place
    of 350. Without oneDNN, bfloat16 is emulated, and where ``ONEDNN_MAX_CPU_ISA`` or
    ``DNNL_MAX_CPU_ISA`` limits it, that may be so.
    """
    limit = next(filter(None, map(os.environ.get, _LIMITS)), "ALL")
    features = _read_features()
    has_units = "amx_bf16" in features or {"AuthenticAMD", "avx512_bf16"} <= features
    return uses_onednn() and has_units and limit.upper() in ("ALL", "DEFAULT")


def _read_features(path="/proc/cpuinfo"):
    """Return the maker of the processor and the names of its features."""
    features = set()
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
        for line in file:
            name, _, value = line.partition(":")
            if name.strip() in ("vendor_id", "flags"):
                features.update(value.split())
            if name.strip() == "flags":
                break
    return features
