"""Finished fits as files, so that none is made twice.

joblib.Memory would let two processes make the same fit side by side, and has no
checksums.
"""

import contextlib
import hashlib
import io
from pathlib import Path

import joblib

from skmnist._warnings import warn_caller
from skmnist.datasets._files import replacing

__all__ = ["FitFolder", "are_reports"]


class FitFolder:
    """A folder with the results of fits, each under a hash of what it depends on.

    A file appears under its name only when it is complete, and begins with a checksum.
    A result that another process is just making is waited for.

    Parameters
    ----------
    folder : str or path-like
        Made when the first result is kept.
    """

    def __init__(self, folder):
        self.folder = Path(folder)

    def path(self, facts):
        """Return the path of a result."""
        return self.folder / f"{joblib.hash(facts)}.fit"

    def get(self, facts, make, *, is_complete=lambda result: True):
        """Return the result that depends on facts: the kept one, or what is made now.

        Only a complete one is kept. A file that is damaged is replaced, with a warning.
        """
        path = self.path(facts)
        self.folder.mkdir(parents=True, exist_ok=True)
        with _only_one(path):
            if path.exists():
                try:
                    return _read(path)
                except Exception as error:  # unpickling raises a dozen kinds
                    warn_caller(f"{path} is damaged and will be replaced ({error})")
            result = make()
            if is_complete(result):
                stream = io.BytesIO()
                joblib.dump(result, stream)
                content = stream.getvalue()
                with replacing(path) as file:
                    file.write(hashlib.sha256(content).digest() + content)
            return result


@contextlib.contextmanager
def _only_one(path):
    """Let one process at a time make a result."""
    from filelock import FileLock  # slow, as it loads asyncio

    lock = FileLock(path.with_suffix(".lock"))
    try:
        lock.acquire()
    except (NotImplementedError, OSError):  # a file system without locks
        yield
        return
    try:
        yield
    finally:
        if path.exists():  # nobody needs the lock again
            with contextlib.suppress(OSError):
                Path(lock.lock_file).unlink()
        lock.release()


def _read(path):
    content = path.read_bytes()
    if hashlib.sha256(content[32:]).digest() != content[:32]:
        raise ValueError("its content is not that of its checksum")
    return joblib.load(io.BytesIO(content[32:]))


def are_reports(callbacks):
    """Return whether callbacks only show the progress, so that no result needs them."""
    if callbacks is None:
        return True
    each = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    return all(
        (getattr(callback, "__module__", None) or "").startswith("skmnist.")
        for callback in each
    )
