"""Files as a whole: open compressed files, replace files atomically, refuse others."""

import contextlib
import errno
import gzip
import os
import secrets
import zlib
from contextlib import contextmanager
from pathlib import Path

from skmnist.datasets._content import N_BYTES, kind_of

try:
    import fcntl
except ImportError:  # Windows, which does not remove files that are open
    fcntl = None

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 24

# A few megabytes of gzip can unpack to gigabytes. 1 GiB is twice the largest
# published relative of MNIST (EMNIST by class, 547 MB, packed 10:1). Images that
# people draw pack 4:1 to 20:1; only small files of little variety pack far better.
MAX_UNPACKED = 1 << 30
_MAX_RATIO = 100
_NEVER_SUSPICIOUS = 1 << 26
# Beyond this size packed data are unpacked once without keeping them, so that a
# damaged file is refused before memory is set aside for it. Only the two largest parts
# of EMNIST are so large, and take twice the time.
_LARGE = 200_000_000

_OUT_OF_SPACE = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class DataFormatError(ValueError):
    """Error for data files that are damaged or not in the expected format.

    The message names the file, what was found and what was expected.
    """


class DataNotFoundError(FileNotFoundError):
    """Error for data sets or files that were not found.

    The message lists the places searched, the missing files and how to get them.
    """


def refuse_pipe(path):
    """Raise for a pipe or device where a file is read twice; opening one may block."""
    path = Path(path)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise DataFormatError(
            f"{path} is a pipe or a device, which cannot be read twice; save what "
            "comes from it to a file."
        )


@contextmanager
def open_data(path):
    """Open a file for reading bytes; gzip is detected by content.

    The name promises it, though: a file in ``.gz`` that is something else is refused,
    as it is more often a download gone wrong than one that was unpacked on its way.
    """
    with open(path, "rb") as stored:
        start = stored.peek(N_BYTES)[:N_BYTES]
        if start[:2] != _GZIP_MAGIC:
            if _is_named_gzip(path):
                raise DataFormatError(
                    f"{path}: not a gzip file, as .gz in its name says, but "
                    f"{_unpacked_kind(start)}"
                )
            yield stored
            return
        try:
            with gzip.GzipFile(fileobj=stored) as unpacked:
                yield unpacked
        except (EOFError, zlib.error, gzip.BadGzipFile) as err:
            raise DataFormatError(
                f"{path}: this gzip file is damaged or cut short ({err})"
            ) from err


def _is_named_gzip(path):
    return str(path).lower().endswith(".gz")


def _unpacked_kind(start):
    """Say what is in the place of a gzip file, and what to do about it."""
    if not start:
        return "empty"
    kind = kind_of(start) or "data of an unknown kind"
    if kind.startswith(("a gzip", "an IDX", "text", "data")):
        return (
            f"{kind}: it begins with {start[:4].hex(' ')}, expected 1f 8b. If it is "
            "meant to be plain, take the .gz off."
        )
    return kind


def check_unpacked_size(path, stream, n_bytes):
    """Refuse to unpack more than a sensible amount of a compressed file."""
    if isinstance(stream, gzip.GzipFile):
        n_packed = os.fstat(stream.fileno()).st_size
        refuse_bomb(f"{path}: this gzip file", n_packed, n_bytes)


def refuse_bomb(name, n_packed, n_bytes):
    """Raise if so few bytes are unlikely to unpack to so many images."""
    limit = min(MAX_UNPACKED, max(_NEVER_SUSPICIOUS, _MAX_RATIO * n_packed))
    if n_bytes > max(n_packed, limit):
        raise DataFormatError(
            f"{name} of {n_packed:,} bytes would unpack to more than {limit:,} bytes; "
            "if that is meant to be so, unpack it first"
        )


def read_up_to(stream, n_bytes):
    """Read at most `n_bytes`, never setting aside more memory than there is data."""
    data = bytearray()
    while len(data) < n_bytes:
        chunk = stream.read(min(_CHUNK, n_bytes - len(data)))
        if not chunk:
            break
        data += chunk
    return data


def count_up_to(stream, n_bytes):
    """Return how many bytes can be read, `n_bytes` at most, without keeping them."""
    count = 0
    while count < n_bytes:
        chunk = stream.read(min(1 << 20, n_bytes - count))
        if not chunk:
            break
        count += len(chunk)
    return count


def is_large(n_bytes):
    """Return whether so much packed data is unpacked once before it is kept."""
    return n_bytes > _LARGE


@contextmanager
def replacing(path):
    """Give a binary file that takes the place of `path` when it is complete.

    Nothing is left behind, and nothing that was there is touched, if the block
    raises or the process is interrupted. What a process left that was killed is
    cleared by the next that writes to the folder.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a file name is needed")
    if not target.parent.exists():
        raise FileNotFoundError(
            f"cannot write {path}: there is no folder {target.parent}"
        )
    temporary = None
    try:
        temporary, file = _create_temporary(target)
        with file:
            yield file
            file.flush()
            # Before the rename: after a power cut a name without data would be worse
            # than no name.
            os.fsync(file.fileno())
            # Windows renames no file that is open; the lock is not needed there.
            if fcntl is not None:
                os.replace(temporary, target)
        if fcntl is None:
            os.replace(temporary, target)
        _sync_folder(target.parent)
    except BaseException as err:
        if temporary is not None:
            temporary.unlink(missing_ok=True)
        if isinstance(err, OSError):
            _name_target(err, path)
        raise


def _create_temporary(target):
    """Create and lock the file that is to become `target`; return path and file."""
    _clear_abandoned(target.parent)
    while True:
        name = f".skmnist-{os.getpid()}-{secrets.token_hex(6)}.part"
        temporary = target.with_name(name)
        file = open(temporary, "xb")  # noqa: SIM115 (closed by the caller)
        if fcntl is None:
            return temporary, file
        with contextlib.suppress(OSError):  # file systems without locks
            fcntl.flock(file, fcntl.LOCK_EX)
        # Another process may have taken it for abandoned before it was locked.
        if temporary.exists():
            return temporary, file
        file.close()


def _clear_abandoned(folder):
    """Remove the temporary files in a folder that no process is writing any more.

    The kernel gives up the lock of a process that ends, however it ends. Numbers of
    processes would not tell: another host or container may write to the folder.
    """
    abandoned = []
    with contextlib.suppress(OSError):  # a folder that cannot be listed
        abandoned = list(folder.glob(".skmnist-*.part"))
    for path in abandoned:
        with contextlib.suppress(OSError):
            if fcntl is None:
                path.unlink()
                continue
            with open(path, "r+b") as file:  # NFS locks only what may be written
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _sync_folder(folder):
    """Make a rename last through a power cut, where folders can be synced."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


def _name_target(err, path):
    """Let an error name the file that was asked for, not the temporary one."""
    names = str(err.filename), str(err.filename2)
    if any(".skmnist-" in name for name in names) or err.errno in _OUT_OF_SPACE:
        err.filename = str(path)
        del err.filename2  # of None, the message would show a second name


@contextmanager
def replacing_data(path):
    """Like `replacing`, but what is written is gzipped if the name ends in ``.gz``."""
    with replacing(path) as stored:
        if not _is_named_gzip(path):
            yield stored
            return
        # Without name and time the same data always give the same file. Level 9
        # takes ten times as long as level 6 to save 2 % on images like these.
        with gzip.GzipFile("", "wb", 6, stored, mtime=0) as packed:
            yield packed
