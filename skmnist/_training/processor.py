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
# What ONEDNN_MAX_CPU_ISA may keep oneDNN to: those without units for bfloat16, and
# those without AMX.
_BEFORE_BFLOAT16 = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"}
    | {"AVX512_CORE", "AVX512_CORE_VNNI"}
)
_BEFORE_AMX = _BEFORE_BFLOAT16 | {"AVX512_CORE_BF16", "AVX512_CORE_FP16", "AVX10_1_512"}
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
    of 350. Without oneDNN, or where ``ONEDNN_MAX_CPU_ISA`` or its older name
    ``DNNL_MAX_CPU_ISA`` forbids the units, bfloat16 is emulated.
    """
    names = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
    limit = next(filter(None, map(os.environ.get, names)), "").upper()
    features = _read_features()
    has_matrix_units = "amx_bf16" in features and limit not in _BEFORE_AMX
    has_vector_units = {
        "AuthenticAMD",
        "avx512_bf16",
    } <= features and limit not in _BEFORE_BFLOAT16
    return uses_onednn() and (has_matrix_units or has_vector_units)


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
