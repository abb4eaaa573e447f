"""Compiled loops of earlier fits, limited in number and memory."""

import threading

import numpy as np

__all__ = ["clear_programs", "idle_loops"]

# Memory that TensorFlow keeps per variable of a training step: 1.6 MB were measured for
# an MLP, which has 14 with those of Adam, and 4.7 MB for six layers, which have 44.
_TRACED_BYTES = 2**17


class LoopPool:
    """Loops that no fit uses at present, by key; the oldest are dropped first."""

    def __init__(self, max_loops, max_bytes):
        self.max_loops = max_loops
        self.max_bytes = max_bytes
        self._entries = []  # (key, loop, n_bytes), the most recently used last
        self._lock = threading.Lock()

    def __len__(self):
        return len(self._entries)

    def take(self, key):
        """Remove and return the newest loop with a key, None if there is none."""
        with self._lock:
            for index, (found, loop, _) in reversed([*enumerate(self._entries)]):
                if found == key:
                    del self._entries[index]
                    return loop
        return None

    def put(self, key, loop):
        """Keep a loop; several may have the same key."""
        # Estimated: TensorFlow does not say what it keeps.
        n_bytes = sum(
            int(np.prod(v.shape)) * np.dtype(v.dtype).itemsize + _TRACED_BYTES
            for v in (*loop.model.variables, *loop.model.optimizer.variables)
        )
        if n_bytes > self.max_bytes:  # else it would displace all others, then itself
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
