"""Compiled programs that are kept for later use, within bounds of number and memory.

Tracing and compiling a network takes far longer than running a small one. The
engine keeps the loops that training has compiled, the prediction path its forward
programs; both keep them here.
"""

import threading

__all__ = ["ProgramCache", "clear_programs"]


class ProgramCache:
    """A few programs by key; the least recently used ones make room for others.

    Parameters
    ----------
    max_programs : int
        Number of programs that are kept.
    max_bytes : int
        Memory that their variables may take, in bytes.
    """

    def __init__(self, max_programs, max_bytes):
        self.max_programs = max_programs
        self.max_bytes = max_bytes
        self._entries = []  # (key, program, n_bytes), the most recently used last
        self._lock = threading.RLock()
        _caches.append(self)

    def __len__(self):
        return len(self._entries)

    def keys(self):
        """List the keys of what is kept, the most recently used last."""
        with self._lock:
            return [key for key, _, _ in self._entries]

    def take(self, key, suits):
        """Take a program out, so that nobody else uses it.

        Parameters
        ----------
        key : hashable
            What it was put in under.
        suits : callable
            ``suits(program)`` tells whether it will do.

        Returns
        -------
        object or None
            The program, if there is one.
        """
        with self._lock:
            for index in reversed(range(len(self._entries))):
                found, program, _ = self._entries[index]
                if found == key and suits(program):
                    del self._entries[index]
                    return program
        return None

    def put(self, key, program, n_bytes):
        """Keep a program; several may have the same key."""
        with self._lock:
            self._entries.append((key, program, n_bytes))
            while (
                len(self._entries) > self.max_programs
                or sum(size for _, _, size in self._entries) > self.max_bytes
            ):
                del self._entries[0]

    def share(self, key, make, n_bytes):
        """Return the program of a key, which any number of callers may use.

        Parameters
        ----------
        key : hashable
            What it is kept under.
        make : callable
            ``make()`` makes it, if it is not there.
        n_bytes : int
            Memory of its variables.

        Returns
        -------
        object
            The program.
        """
        with self._lock:
            program = self.take(key, lambda program: True)
            if program is None:
                program = make()
            self.put(key, program, n_bytes)
            return program

    def clear(self):
        """Drop all programs."""
        with self._lock:
            self._entries.clear()


_caches = []


def clear_programs():
    """Free the memory of compiled networks that are kept for later fits.

    Fits of the same network share what TensorFlow has compiled for it, and so do
    predictions; some of it stays in memory, within bounds, when the classifiers are
    gone. Classifiers go on working: what they need is compiled again.

    Examples
    --------
    >>> import skmnist
    >>> skmnist.clear_programs()
    """
    for cache in _caches:
        cache.clear()
