"""Claims on work that several processes could do, which end with their process."""

import contextlib
import hashlib
import os

_TAKEN = (BlockingIOError, PermissionError)


@contextlib.contextmanager
def claim(path, name):
    """Claim a piece of work, unless another process has it.

    Parameters
    ----------
    path : path-like
        A file that holds nothing; all claims of one kind go by locks on its bytes. It
        is made, and stays. Where the file system knows no locks, nothing is ever
        taken.
    name : str
        What is claimed, in words that all processes use.

    Yields
    ------
    bool
        Whether the claim is ours, until the block or the process ends.
    """
    digest = hashlib.sha256(name.encode()).digest()
    position = (
        int.from_bytes(digest[:4], "big") >> 2
    )  # within what all systems can lock
    with open(path, "ab") as file:
        try:
            _lock(file, position)
        except _TAKEN:
            yield False
            return
        except OSError:
            yield True
            return
        try:
            yield True
        finally:
            _unlock(file, position)


if os.name == "nt":
    import msvcrt

    def _lock(file, position):
        file.seek(position)
        msvcrt.locking(file.fileno(), msvcrt.LK_NBLCK, 1)

    def _unlock(file, position):
        file.seek(position)
        msvcrt.locking(file.fileno(), msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _lock(file, position):
        fcntl.lockf(file, fcntl.LOCK_EX | fcntl.LOCK_NB, 1, position)

    def _unlock(file, position):
        fcntl.lockf(file, fcntl.LOCK_UN, 1, position)
