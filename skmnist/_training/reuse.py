"""Compiled programs that are kept for later use, within bounds of number and memory.

Tracing and compiling a network takes far longer than training a small one. The engine
keeps here the loops that training has compiled and the networks that it began with.
"""

import threading

import numpy as np

__all__ = [
    "ProgramCache",
    "clear_programs",
    "memory_of_program",
]


class ProgramCache:
    """A few programs by key; the least recently used ones make room for others.

    Parameters
    ----------
    max_programs : int
        Number of programs that are kept.
    max_bytes : int
        Memory that they may take, in bytes.
    """

    def __init__(self, max_programs, max_bytes):
        self.max_programs = max_programs
        self.max_bytes = max_bytes
        self._entries = []  # (key, program, n_bytes), the most recently used last
        self._lock = threading.Lock()
        _caches.append(self)

    def __len__(self):
        return len(self._entries)

    def keys(self):
        """List the keys of what is kept, the most recently used last."""
        with self._lock:
            return [key for key, _, _ in self._entries]

    def take(self, key):
        """Take a program out, so that nobody else uses it; None if there is none."""
        with self._lock:
            for index in reversed(range(len(self._entries))):
                found, program, _ = self._entries[index]
                if found == key:
                    del self._entries[index]
                    return program
        return None

    def put(self, key, program, n_bytes):
        """Keep a program; several may have the same key.

        One that is larger than all that may be kept is not: it would drive out all
        others, and then go itself.
        """
        if n_bytes > self.max_bytes:
            return
        with self._lock:
            self._entries.append((key, program, n_bytes))
            while (
                len(self._entries) > self.max_programs
                or sum(size for _, _, size in self._entries) > self.max_bytes
            ):
                del self._entries[0]

    def clear(self):
        """Drop all programs."""
        with self._lock:
            self._entries.clear()


_caches = []


def memory_of_program(arrays, traced_bytes):
    """Estimate the memory that a program takes.

    Parameters
    ----------
    arrays : iterable of ndarray or keras.Variable
        What it computes with.
    traced_bytes : int
        What the backend keeps of the operations that were traced, for each array.

    Returns
    -------
    int
        Bytes.
    """
    return sum(
        int(np.prod(array.shape)) * np.dtype(array.dtype).itemsize + traced_bytes
        for array in arrays
    )


def clear_programs():
    """Free the memory of compiled networks that are kept for later fits.

    Fits of the same network share what TensorFlow has compiled for it. Some of it
    stays in memory, within bounds, when the classifiers are gone. The next fit compiles
    what it needs again. What a classifier predicts with is its own, and goes with it.

    Examples
    --------
    >>> import skmnist
    >>> skmnist.clear_programs()
    """
    for cache in _caches:
        cache.clear()
