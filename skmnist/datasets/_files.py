"""Files as a whole: opened packed or not, replaced in one step, refused with reason."""

import gzip
import os
import secrets
import zlib
from contextlib import contextmanager
from pathlib import Path

_GZIP_MAGIC = b"\x1f\x8b"
_CHUNK = 1 << 24

# A few megabytes of gzip can unpack to terabytes. 2 GiB is four times the
# largest published relative of MNIST (EMNIST by class).
MAX_UNPACKED = 1 << 31


class DataFormatError(ValueError):
    """A data file does not hold what its format or its companions promise.

    The message names the file, what was found and what was expected.
    """


class DataNotFoundError(FileNotFoundError):
    """A data set, or one of its files, is not where it was looked for.

    The message names the places, the files and how to get them.
    """


@contextmanager
def open_data(path):
    """Open a file for reading bytes; gzip is recognised by content.

    The name promises it, though: a file in ``.gz`` that is something else is refused,
    as it is more often a download gone wrong than one that was unpacked on its way.
    """
    with open(path, "rb") as stored:
        start = stored.peek(4)[:4]
        if start[:2] != _GZIP_MAGIC:
            if _is_named_gzip(path):
                raise DataFormatError(
                    f"{path}: not a gzip file, as .gz in its name says: "
                    + (f"it begins with {start.hex(' ')}" if start else "it is empty")
                    + ", expected 1f 8b. If it is meant to be plain, take the .gz off."
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


def check_unpacked_size(path, stream, n_bytes):
    """Refuse to unpack more than a sensible amount of a compressed file."""
    if isinstance(stream, gzip.GzipFile) and n_bytes > MAX_UNPACKED:
        raise DataFormatError(
            f"{path}: this gzip file unpacks to more than {MAX_UNPACKED:,} bytes; "
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


@contextmanager
def replacing(path):
    """Give a binary file that takes the place of `path` when it is complete.

    Nothing is left behind, and nothing that was there is touched, if the block
    raises or the process is interrupted.
    """
    target = Path(os.path.realpath(path))
    if target.is_dir():
        raise IsADirectoryError(f"{path} is a folder; a file name is needed")
    temporary = target.with_name(f".skmnist-{os.getpid()}-{secrets.token_hex(6)}.part")
    try:
        file = open(temporary, "xb")  # noqa: SIM115 (closed below, before the rename)
    except FileNotFoundError:
        raise FileNotFoundError(
            f"cannot write {path}: there is no folder {target.parent}"
        ) from None
    try:
        with file:
            yield file
        os.replace(temporary, target)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


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
