"""The kind of a file, detected from its first bytes, for error messages."""

import re

N_BYTES = 512  # enough for the magic number of tar, and for a web page after XML

_MAGIC_NUMBERS = (
    (b"\x1f\x8b", "a gzip file"),
    (b"PK\x03\x04", "a zip archive, as .npz and .keras files are"),
    (b"PK\x05\x06", "an empty zip archive"),
    (b"\x93NUMPY", "a NumPy array (.npy)"),
    (b"\x89PNG", "a PNG picture"),
    (b"\xff\xd8\xff", "a JPEG picture"),
    (b"GIF8", "a GIF picture"),
    (b"II*\0", "a TIFF picture"),
    (b"MM\0*", "a TIFF picture"),
    (b"\0\0\0\x0cjP  ", "a JPEG 2000 picture"),
    (b"\0\0\1\0", "an ICO picture"),
    (b"\x01\xda", "an SGI picture"),
    (b"\0\0\0\x0cJXL ", "a JPEG XL picture"),
    (b"\xff\x0a", "a JPEG XL picture"),
    (b"%!PS", "a PostScript picture"),
    (b"\xc5\xd0\xd3\xc6", "a PostScript picture"),
    (b"%PDF", "a PDF document"),
    (b"\xfd7zXZ\0", "an xz file"),
    (b"\x28\xb5\x2f\xfd", "a Zstandard file"),
    (b"7z\xbc\xaf\x27\x1c", "a 7-Zip archive"),
    (b"Rar!\x1a\x07", "a RAR archive"),
    (b"\x89HDF", "an HDF5 file"),
    (b"MATLAB 5.0", "a MATLAB file (.mat)"),
    (b"PAR1\x15", "a Parquet file"),
    (b"ZF0x", "a file of joblib 0.9 or older"),
    (
        b"version https://git-lfs.github.com",
        "a Git LFS pointer in place of the file itself, which 'git lfs pull' fetches",
    ),
)
_HEIC = "a HEIC picture"
_MEDIA = {
    **dict.fromkeys((b"heic", b"heix", b"heim", b"hevc", b"hevx"), _HEIC),
    **dict.fromkeys((b"mif1", b"msf1"), _HEIC),
    **dict.fromkeys((b"avif", b"avis"), "an AVIF picture"),
}
_BZIP2 = re.compile(rb"BZh[1-9]1AY&SY")
# The version of its format as the first field, and another known field after it.
_ONNX = re.compile(rb"\x08[\x01-\x20][\x12\x1a\x22\x28\x32\x3a\x42]")
_PICKLE = re.compile(rb"\x80[\x02-\x05][\x00-\x7f\x80-\x98]")
_ANNEX = re.compile(rb"[./]*(\.git)?/annex/objects/")
_WEB_PAGE = re.compile(rb"<(!doctype\s+html|html|head|body)\b", re.IGNORECASE)
_DRAWING = re.compile(rb"<svg\b", re.IGNORECASE)
_MARKUP = re.compile(rb"<[?!a-z]", re.IGNORECASE)
# What GitHub sends is "404: Not Found"; others put the line of HTTP in front.
_ANSWER = re.compile(rb"(HTTP/\S+ )?[1-5]\d\d:? [A-Za-z' -]+")
_IDX_TYPES = range(0x08, 0x0F)


def kind_of(start):
    """Return the kind of a file from its first bytes `start`; None if unknown."""
    for magic, kind in _MAGIC_NUMBERS:
        if start.startswith(magic):
            return kind
    if start[:4] == b"RIFF" and start[8:12] == b"WEBP":
        return "a WebP picture"
    if start[4:8] == b"ftyp":
        return _MEDIA.get(start[8:12], "a film or a picture of an unknown kind")
    if start[:2] == b"BM" and start[6:10] == bytes(4):
        return "a BMP picture"
    if re.match(rb"P[1-6]\s", start):
        return "a PNM picture"
    if _BZIP2.match(start):
        return "a bzip2 file"
    if start[257:262] == b"ustar":
        return "a tar archive"
    if start[:2] == b"\0\0" and start[2:3] and start[2] in _IDX_TYPES:
        return "an IDX file"
    if _ONNX.match(start):
        return "an ONNX model"
    if _PICKLE.match(start):
        return "a pickle, which can run code when it is loaded"
    return _kind_of_text(start)


def _kind_of_text(start):
    """Say what a text is that begins with `start`; None if it is no text."""
    text = start.removeprefix(b"\xef\xbb\xbf").strip()
    if _WEB_PAGE.match(text) or (text[:1] == b"<" and _WEB_PAGE.search(text)):
        return "a web page"
    if text[:1] == b"<" and _DRAWING.search(text):
        return "an SVG picture"
    if _MARKUP.match(text):
        return "an XML document, as servers send for an error"
    if _ANNEX.match(text):
        return "a git-annex pointer in place of the file itself"
    if _ANSWER.fullmatch(text):
        return f'the answer "{text.decode()}" of a server in place of the file'
    if not text or any(byte < 32 and byte not in b"\t\r\n" for byte in text):
        return None
    try:
        shown = text[:24].decode()
    except UnicodeDecodeError:
        return None
    if re.match(r'\{\s*("|$)|\[\s*[\["{\d]', shown):
        return "JSON"
    return f"text that begins with {shown.splitlines()[0]!r}"
