"""Compiled loops of earlier fits, kept within bounds of number and memory."""

import threading

import numpy as np

__all__ = ["clear_programs", "idle_loops"]

# What TensorFlow keeps for a training step: 1.6 MB were measured for an MLP, which has
# 14 variables with those of Adam, and 4.7 MB for one of six layers, which has 44.
_TRACED_BYTES = 2**17  # for each variable


class LoopPool:
    """Loops that no fit uses at the moment, by key; the oldest make room for others."""

    def __init__(self, max_loops, max_bytes):
        self.max_loops = max_loops
        self.max_bytes = max_bytes
        self._entries = []  # (key, loop, n_bytes), the most recently used last
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._entries)

    def take(self, key):
        """Take a loop out, so that nobody else uses it; None if there is none."""
        with self._lock:
            for index, (found, loop, _) in reversed([*enumerate(self._entries)]):
                if found == key:
                    del self._entries[index]
                    return loop
        return None

    def put(self, key, loop):
        """Keep a loop; several may have the same key.

        One that is larger than all that may be kept is not: it would drive out all
        others, and then go itself.
        """
        n_bytes = _memory_of(loop)
        if n_bytes > self.max_bytes:
            return
        with self._lock:
            self._entries.append((key, loop, n_bytes))
            while (
                len(self._entries) > self.max_loops
                or sum(size for _, _, size in self._entries) > self.max_bytes
            ):
                del self._entries[0]

    def clear(self):
        """Drop all loops."""
        with self._lock:
            self._entries.clear()


def _memory_of(loop):
    """Estimate the bytes that a loop takes."""
    return sum(
        int(np.prod(v.shape)) * np.dtype(v.dtype).itemsize + _TRACED_BYTES
        for v in (*loop.model.variables, *loop.model.optimizer.variables)
    )


idle_loops = LoopPool(max_loops=48, max_bytes=256 * 2**20)


def clear_programs() -> None:
    """Free the memory of compiled networks that are kept for later fits.

    Fits of the same network share the code that TensorFlow compiled for it. A limited
    amount of it stays in memory after the classifiers are deleted. This function frees
    it; later fits compile what they need again. Predictions do not use it: their memory
    is freed with the classifier.

    Examples
    --------
    >>> import skmnist
    >>> skmnist.clear_programs()
    """
    idle_loops.clear()
