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

    Without oneDNN it emulates them, which is slower than float32.

    Returns
    -------
    bool
        Known of x86 processors under Linux only; else False.
    """
    return uses_onednn() and not _FOR_BFLOAT16.isdisjoint(_read_flags())


def _onednn_is_on(flags, variable):
    default = not _FOR_NEURAL_NETWORKS.isdisjoint(flags)
    return _SWITCH.get(variable.lower(), default)  # other words are passed over


def _read_flags(path="/proc/cpuinfo"):
    with contextlib.suppress(OSError), open(path, encoding="utf-8") as file:
        for line in file:
            if line.startswith("flags"):
                return frozenset(line.partition(":")[2].split())
    return frozenset()
