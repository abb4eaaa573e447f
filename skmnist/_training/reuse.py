"""Compiled programs that are kept for later use, within bounds of number and memory.

Tracing and compiling a network takes far longer than running a small one. The
engine keeps the loops that training has compiled and the networks that it began with,
the prediction path its forward programs; both keep them here.
"""

import os
import threading
import weakref

import numpy as np

__all__ = [
    "ForkSafeLock",
    "ProgramCache",
    "ProgramHandle",
    "clear_programs",
    "memory_of_program",
]


class ForkSafeLock:
    """A lock that is free in a forked process, whichever thread held it before.

    That thread is not there to release it.
    """

    def __init__(self):
        self.renew()
        _locks.add(self)

    def renew(self):
        """Be free."""
        self._lock = threading.RLock()

    def __enter__(self):
        self._lock.acquire()

    def __exit__(self, *error):
        self._lock.release()


_locks = weakref.WeakSet()


def _renew_locks():
    for lock in _locks:
        lock.renew()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_renew_locks)


class ProgramHandle:
    """A program that all who hold this have together.

    Attributes
    ----------
    program : object or None
        None before it is made, and after it was dropped to free its memory.
    """

    def __init__(self):
        self.program = None
        self._lock = ForkSafeLock()

    def get(self, make):
        """Return the program; make it if it is not there.

        Parameters
        ----------
        make : callable
            ``make()`` makes it. Others who want this program wait for it.

        Returns
        -------
        object
            The program.
        """
        with self._lock:
            program = self.program
            if program is None:
                program = self.program = make()
            return program


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
        self._handles = weakref.WeakValueDictionary()  # all that anybody holds, by key
        self._lock = ForkSafeLock()
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

    def share(self, key, n_bytes):
        """Return the handle of a program that any number of callers may use.

        It is the same one for all as long as it is kept or anybody holds it.

        Parameters
        ----------
        key : hashable
            What it is kept under.
        n_bytes : int
            Memory of the program.

        Returns
        -------
        ProgramHandle
            Where the program is, or is to be.
        """
        with self._lock:
            handle = self._handles.get(key)
            if handle is None:
                handle = self._handles[key] = ProgramHandle()
            self.take(key, lambda program: program is handle)
            self.put(key, handle, n_bytes)
            return handle

    def clear(self):
        """Drop all programs, those too that are held."""
        with self._lock:
            self._entries.clear()
            for handle in self._handles.values():
                handle.program = None


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

    Fits of the same network share what TensorFlow has compiled for it, and so do
    predictions; some of it stays in memory, within bounds, when the classifiers are
    gone. A classifier that is there holds what it predicts with, beyond these bounds
    too; that is freed as well. Classifiers go on working: what they need is compiled
    again.

    Examples
    --------
    >>> import skmnist
    >>> skmnist.clear_programs()
    """
    for cache in _caches:
        cache.clear()
