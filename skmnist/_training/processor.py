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
_FOR_BFLOAT16 = frozenset({"avx512_bf16", "amx_bf16"})
# What ONEDNN_MAX_CPU_ISA may keep oneDNN to: those without units for bfloat16.
_BEFORE_BFLOAT16 = frozenset(
    {"SSE41", "AVX", "AVX2", "AVX2_VNNI", "AVX2_VNNI_2"}
    | {"AVX512_CORE", "AVX512_CORE_VNNI"}
)
_SWITCH = {"0": False, "false": False, "1": True, "true": True}


@cache
def uses_onednn():
    """Tell whether TensorFlow computes with oneDNN, on x86 processors under Linux.

    Elsewhere False, unless ``TF_ENABLE_ONEDNN_OPTS`` says that it does. The answer
    stays the same for the life of the process, as TensorFlow reads the variable once.

    Returns
    -------
    bool
        What ``TF_ENABLE_ONEDNN_OPTS`` says; if it says nothing, whether the
        processor has units for neural networks.
    """
    return _onednn_is_on(_read_flags(), os.environ.get("TF_ENABLE_ONEDNN_OPTS", ""))


@cache
def has_avx2():
    """Tell whether the processor has the units that oneDNN is made for.

    Returns
    -------
    bool
        Known of x86 processors under Linux only; else False.
    """
    return "avx2" in _read_flags()


@cache
def bfloat16_is_quick():
    """Tell whether the processor has units for bfloat16 and TensorFlow uses them.

    Without oneDNN it emulates them, which is slower than float32; so does oneDNN where
    ``ONEDNN_MAX_CPU_ISA`` or, as it was called, ``DNNL_MAX_CPU_ISA`` forbids them.

    Returns
    -------
    bool
        Known of x86 processors under Linux only; else False.
    """
    names = ("ONEDNN_MAX_CPU_ISA", "DNNL_MAX_CPU_ISA")
    limit = next(filter(None, map(os.environ.get, names)), "")
    return (
        uses_onednn()
        and limit.upper() not in _BEFORE_BFLOAT16
        and not _FOR_BFLOAT16.isdisjoint(_read_flags())
    )


def _onednn_is_on(flags, variable):
    default = not _FOR_NEURAL_NETWORKS.isdisjoint(flags)
    return _SWITCH.get(variable.lower(), default)  # other words are passed over


def _read_flags(path="/proc/cpuinfo"):
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()
