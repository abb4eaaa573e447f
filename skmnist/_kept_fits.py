"""Finished fits as files, so that none is made twice.

joblib.Memory would let two processes make the same fit side by side, and has no
checksums.
"""

import contextlib
import hashlib
import io
import os
import tempfile
from pathlib import Path

import joblib

from skmnist._fingerprints import fingerprint
from skmnist._warnings import warn_caller
from skmnist.datasets._files import replacing

__all__ = ["FitFolder", "check_callbacks", "file_lock", "make_folder"]

_PATIENCE = 5  # seconds of waiting in silence


class FitFolder:
    """A folder with the results of fits, each under the fingerprint of its facts.

    A file appears under its name only when it is complete, and begins with a checksum
    of its name and content. A result that another process is just making is waited for.

    Parameters
    ----------
    folder : str or path-like
        Made when the first result is kept.
    """

    def __init__(self, folder):
        if not os.fspath(folder):
            raise ValueError(
                "The folder of finished fits must have a name; got ''. The current "
                "folder is '.'."
            )
        self.folder = Path(folder)

    def check(self):
        """Make the folder; raise ValueError if files cannot be written to it."""
        make_folder(self.folder, "Fits", parents=True)

    def path(self, facts):
        """Return the path of a result."""
        return self.folder / f"{fingerprint(facts)}.fit"

    def get(self, facts, make, *, is_complete=lambda result: True):
        """Return the result that depends on facts: the kept one, or what is made now.

        Only a complete one is kept. A file that is damaged is replaced, and one that
        cannot be read stays as it is, with a warning. If nothing can be written to the
        folder, a ValueError is raised before anything is made.
        """
        path = self.path(facts)
        missing = FileNotFoundError, NotADirectoryError
        try:
            with contextlib.suppress(*missing, _DamagedError):
                return _read(path)
        except OSError as error:
            warn_caller(f"This fit is made again, as {path} cannot be read: {error}")
            return make()
        self.check()
        with _only_one(path):
            try:
                return _read(path)  # of the process that was waited for
            except missing:
                pass
            except _DamagedError as error:
                warn_caller(f"{path} is damaged and will be replaced ({error})")
            result = make()
            if is_complete(result):
                _write(path, result)
            return result


def make_folder(folder, what, parents=False):
    """Make a folder to keep something; raise ValueError if files cannot be written."""
    try:
        folder.mkdir(parents=parents, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        why = "it is a file" if folder.is_file() else error.strerror
        raise ValueError(
            f"{what} cannot be kept in the folder {folder}: {why}."
        ) from error


def file_lock(path, **options):
    """Return the lock of a file that is to be made; it ends with its process."""
    from filelock import FileLock  # slow, as it loads asyncio

    # The mark of a killed process would lock a file system without locks for ever.
    # Versions without this option ignore it.
    return FileLock(path.with_suffix(".lock"), fallback_to_soft=False, **options)


@contextlib.contextmanager
def _only_one(path):
    """Let one process at a time make a result."""
    lock = file_lock(path)
    try:
        try:
            lock.acquire(timeout=_PATIENCE)
        except TimeoutError:
            warn_caller(
                "Waiting for another process, which makes a fit that is to be kept in "
                f"{path.parent}, too."
            )
            lock.acquire()
    except (NotImplementedError, OSError):  # a file system without locks
        yield
        return
    try:
        yield
    finally:
        # Whoever waits finds the result; or makes it, if this one failed.
        with contextlib.suppress(OSError):
            Path(lock.lock_file).unlink()
        lock.release()


class _DamagedError(Exception):
    """A file is not as it was written."""


def _read(path):
    content = path.read_bytes()
    try:
        if _checksum(path, content[32:]) != content[:32]:
            raise ValueError("its content is not that of its checksum and name")
        return joblib.load(io.BytesIO(content[32:]))
    except MemoryError:
        raise
    except Exception as error:  # unpickling raises a dozen kinds
        raise _DamagedError(error) from error


def _checksum(path, content):
    """Return the checksum of a result and of its name: another fit's file is none."""
    return hashlib.sha256(path.stem.encode() + content).digest()


def _write(path, result):
    """Write a result; one that cannot be written is not worth losing it."""
    try:
        stream = io.BytesIO()
        joblib.dump(result, stream)
        content = stream.getvalue()
        with replacing(path) as file:
            file.write(_checksum(path, content) + content)
    except Exception as error:  # of the disk, or whatever pickling raises
        warn_caller(f"This fit is not kept, as {path} cannot be written: {error}")


def check_callbacks(callbacks):
    """Refuse callbacks with a memory, unless they only show the progress."""
    each = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
    for callback in each:
        module = getattr(callback, "__module__", None) or ""
        if callback is not None and not module.startswith("skmnist."):
            raise ValueError(
                "memory does not go with callbacks, which are not called for a fit "
                "that is found there. Leave one of them out."
            )
