"""Compressed files as joblib writes them, read strictly: whole, and nothing after it.

joblib's own readers of zlib and gzip never return if anything follows the compressed
data, and those of bz2 and xz do not mind what follows, nor always a missing end.
"""

import bz2
import contextlib
import io
import lzma
import zlib
from collections.abc import Callable
from typing import NamedTuple

__all__ = ["CompressedDataError", "compressed", "compression_of", "decompress"]

_CHUNK = 1 << 13  # what bz2 unpacks this much to, at most, is 200 MB
# A few kilobytes can unpack to gigabytes. What models hold hardly ever packs to a
# hundredth; much less memory than this is worth no refusal.
_MUCH = 1 << 28
_MAX_RATIO = 200


class CompressedDataError(ValueError):
    """Error for compressed data that are damaged, truncated, extended or a bomb."""


def _lz4_decompressor():
    from lz4.frame import LZ4FrameDecompressor  # only where joblib writes it

    return LZ4FrameDecompressor()


class _Kind(NamedTuple):
    """A way to compress data; where it is joinable, several streams may follow."""

    prefix: bytes
    decompressor: Callable
    compressor: Callable | None  # takes a level
    is_joinable: bool


# zlib writes gzip without name and time: the same data always give the same file.
_KINDS = {
    "zlib": _Kind(b"\x78", zlib.decompressobj, zlib.compressobj, False),
    "gzip": _Kind(
        b"\x1f\x8b",
        lambda: zlib.decompressobj(31),
        lambda level: zlib.compressobj(level, wbits=31),
        True,
    ),
    "bz2": _Kind(b"BZ", bz2.BZ2Decompressor, bz2.BZ2Compressor, True),
    "xz": _Kind(
        b"\xfd7zXZ",
        lzma.LZMADecompressor,
        lambda level: lzma.LZMACompressor(preset=level),
        True,
    ),
    "lzma": _Kind(
        b"\x5d\x00",
        lzma.LZMADecompressor,
        lambda level: lzma.LZMACompressor(lzma.FORMAT_ALONE, preset=level),
        False,
    ),
    "lz4": _Kind(b"\x04\x22\x4d\x18", _lz4_decompressor, None, True),
}


def compression_of(start):
    """Return joblib's name for the compression that data begin with, else None."""
    return next((n for n, k in _KINDS.items() if start.startswith(k.prefix)), None)


def decompress(file, compression):
    """Return what a compressed file holds from where it stands, as a file.

    Raises CompressedDataError for data that are damaged, cut short, followed by
    something, or unpack to an unlikely amount.
    """
    kind, unpacked = _KINDS[compression], io.BytesIO()
    stream, n_packed = kind.decompressor(), 0
    while packed := file.read(_CHUNK):
        n_packed += len(packed)
        while packed:
            if stream.eof:
                prefix = kind.prefix[: len(packed)]
                if not (kind.is_joinable and packed.startswith(prefix)):
                    raise CompressedDataError(
                        f"something follows the {compression}-compressed data"
                    )
                stream = kind.decompressor()
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


class _Writer:
    """Compresses what is written to it."""

    def __init__(self, file, compressor):
        self._file = file
        self._compressor = compressor

    def write(self, data):
        self._file.write(self._compressor.compress(data))
        return memoryview(data).nbytes

    def finish(self):
        self._file.write(self._compressor.flush())


@contextlib.contextmanager
def compressed(file, compress):
    """Yield a file whose content is compressed into another one, which stays open.

    `compress` is as :func:`joblib.dump` takes it; ValueError if it is not.
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
    elif method == "lz4":
        from lz4.frame import LZ4FrameFile

        with LZ4FrameFile(file, "wb", compression_level=level) as writer:
            yield writer
    else:
        writer = _Writer(file, _KINDS[method].compressor(int(level)))
        yield writer
        writer.finish()
