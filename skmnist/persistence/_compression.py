"""Compressed files as joblib writes them, read strictly: whole, and nothing after it.

joblib's own readers of zlib and gzip never return if anything follows the compressed
data, and those of bz2 and xz do not mind what follows, nor always a missing end.
"""

import bz2
import contextlib
import gzip
import io
import lzma
import zlib

__all__ = ["CompressedDataError", "compressed", "compression_of", "decompress"]

_CHUNK = 1 << 13  # what bz2 unpacks this much to, at most, is 200 MB
# A few kilobytes can unpack to gigabytes. What models hold hardly ever packs to a
# hundredth; much less memory than this is worth no refusal.
_MUCH = 1 << 28
_MAX_RATIO = 200


class CompressedDataError(ValueError):
    """Compressed data are damaged, cut short, followed by something, or a bomb."""


def _lz4_decompressor():
    from lz4.frame import LZ4FrameDecompressor  # only where joblib writes it

    return LZ4FrameDecompressor()


# By name: what the data begin with, how they are read, and whether the format allows
# that several streams follow one another, which together are the data.
_KINDS = {
    "zlib": (b"\x78", zlib.decompressobj, False),
    "gzip": (b"\x1f\x8b", lambda: zlib.decompressobj(31), True),
    "bz2": (b"BZ", bz2.BZ2Decompressor, True),
    "xz": (b"\xfd7zXZ", lzma.LZMADecompressor, True),
    "lzma": (b"\x5d\x00", lzma.LZMADecompressor, False),
    "lz4": (b"\x04\x22\x4d\x18", _lz4_decompressor, True),
}


def compression_of(start):
    """Return the name of the compression that data begin with, else None.

    Parameters
    ----------
    start : bytes
        The first 5 bytes, or more.

    Returns
    -------
    str or None
        As joblib calls it.
    """
    for name, (prefix, _, _) in _KINDS.items():
        if start.startswith(prefix):
            return name
    return None


def decompress(file, compression):
    """Decompress a file from where it stands to its end.

    Parameters
    ----------
    file : binary file
        The compressed data.
    compression : str
        As :func:`compression_of` names it.

    Returns
    -------
    io.BytesIO
        The data, read from their beginning.

    Raises
    ------
    CompressedDataError
        If the data are damaged or cut short, if anything follows them, or if they
        unpack to an unlikely amount.
    ImportError
        If a package that reads them is missing.
    """
    prefix, make, is_joinable = _KINDS[compression]
    unpacked = io.BytesIO()
    stream, n_packed = make(), 0
    while packed := file.read(_CHUNK):
        n_packed += len(packed)
        while packed:
            if stream.eof:
                if not (is_joinable and packed.startswith(prefix[: len(packed)])):
                    raise CompressedDataError(
                        f"something follows the {compression}-compressed data"
                    )
                stream = make()
            try:
                unpacked.write(stream.decompress(packed))
            # Each library raises an error of its own, and some of them plain ones.
            except (zlib.error, lzma.LZMAError, OSError, EOFError, RuntimeError) as err:
                raise CompressedDataError(
                    f"its {compression}-compressed data are damaged ({err})"
                ) from err
            packed = (stream.unused_data or b"") if stream.eof else b""
        if unpacked.tell() > max(_MUCH, _MAX_RATIO * n_packed):
            raise CompressedDataError(
                f"{n_packed:,} bytes of it unpack to {unpacked.tell():,}, which no "
                "model does"
            )
    if not stream.eof:
        raise CompressedDataError(f"its {compression}-compressed data are cut short")
    unpacked.seek(0)
    return unpacked


class _ZlibWriter(io.RawIOBase):
    """Compresses what is written to it, as joblib does by default."""

    def __init__(self, file, level):
        self._file = file
        self._compressor = zlib.compressobj(level)

    def writable(self):
        return True

    def write(self, data):
        self._file.write(self._compressor.compress(data))
        return memoryview(data).nbytes

    def close(self):
        if not self.closed:
            self._file.write(self._compressor.flush())
        super().close()


def _writer(file, method, level):
    if method == "gzip":
        # Without name and time, the same data always give the same file.
        return gzip.GzipFile("", "wb", level, file, mtime=0)
    if method == "bz2":
        return bz2.BZ2File(file, "wb", compresslevel=level)
    if method in ("lzma", "xz"):
        kind = lzma.FORMAT_XZ if method == "xz" else lzma.FORMAT_ALONE
        return lzma.LZMAFile(file, "wb", format=kind, preset=level)
    if method == "lz4":
        from lz4.frame import LZ4FrameFile

        return LZ4FrameFile(file, "wb", compression_level=level)
    return _ZlibWriter(file, level)


@contextlib.contextmanager
def compressed(file, compress):
    """Give a file whose content is compressed into another one.

    Parameters
    ----------
    file : binary file
        Where the compressed data go; it stays open.
    compress : int, bool, str or tuple of (str, int)
        As :func:`joblib.dump` takes it: a degree from 0, for none, to 9; or the name
        of a method, or both.

    Yields
    ------
    binary file
        To write to.

    Raises
    ------
    ValueError
        If there is no such degree or method.
    """
    method, level = (
        compress if isinstance(compress, tuple | list) else ("zlib", compress)
    )
    if isinstance(compress, str):
        method, level = compress, 3
    level = 3 if level is True else level
    if method not in _KINDS or level not in range(10):
        raise ValueError(
            "compress must be a whole number from 0 (none) to 9, one of "
            f"{', '.join(map(repr, _KINDS))}, or a pair of both, such as ('xz', 3); "
            f"got {compress!r}."
        )
    if level == 0:
        yield file
        return
    with _writer(file, method, int(level)) as writer:
        yield writer
