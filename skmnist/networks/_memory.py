"""The memory that the weights of a network need, computed before it is built."""

import contextlib
import os
from math import prod
from pathlib import Path
from reprlib import repr as short_repr

from ._graphs import is_planned, network_layers
from ._plans import weight_shapes

__all__ = ["check_memory"]

_CGROUP_LIMIT = Path("/sys/fs/cgroup/memory.max")  # of a container, on Linux
_UNKNOWN_MEMORY = 1 << 40  # no less than any machine that does not tell


def check_memory(spec):
    """Refuse a network of this package whose training cannot fit into memory.

    Parameters
    ----------
    spec : NetworkSpec
        The network; one of another builder passes.

    Raises
    ------
    ValueError
        If weights and gradients alone take more than the machine has.
    """
    if not is_planned(spec):
        return
    n_weights = sum(map(prod, weight_shapes(*network_layers(spec))))
    size = 8 if spec.parameters.get("dtype") == "float64" else 4
    needed, available = 2 * size * n_weights, _memory_of_machine()
    if needed > available:
        names = {"units", "filters", "kernel_size"} & spec.parameters.keys()
        values = ", ".join(
            f"{n}={short_repr(spec.parameters[n])}" for n in sorted(names)
        )
        raise ValueError(
            f"The network is too large for this machine: {n_weights:,} weights and as "
            f"many gradients take {needed:,} bytes, and there are {available:,}. Got "
            f"{values}."
        )


def _memory_of_machine():
    """Return the memory that this process may have at most, in bytes."""
    memory = _UNKNOWN_MEMORY
    with contextlib.suppress(AttributeError, ValueError, OSError):
        memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    with contextlib.suppress(ValueError, OSError):  # "max" where there is no limit
        memory = min(memory, int(_CGROUP_LIMIT.read_text()))
    return memory
