"""Pictures from files, as a viewer shows them."""

import itertools
import math
import os
import warnings
from numbers import Integral

import numpy as np
from PIL import ExifTags, Image, UnidentifiedImageError

from skmnist._numbers import counted, pixels
from skmnist.datasets._content import N_BYTES, kind_of
from skmnist.datasets._files import DataFormatError, refuse_pipe

# Formats of pixels. Others that Pillow knows run programs, or hold drawings.
_FORMATS = (
    "PNG",
    "JPEG",
    "WEBP",
    "GIF",
    "TIFF",
    "BMP",
    "PPM",
    "AVIF",
    "JPEG2000",
    "ICO",
    "PCX",
    "SGI",
)
_UNREADABLE = {
    "a HEIC picture",
    "a JPEG XL picture",
    "a PostScript picture",
    "an SVG picture",
    "a TGA picture",
    "a PDF document",
}
# The other images in these are previews, depth and brightness of the first.
_SINGLE = ("JPEG", "MPO", "ICO")
_MAX_PAGES = 50
# Unpacked pictures take at most so much memory, in bytes. A JPEG is reduced while it
# is unpacked.
_MAX_BYTES = 110_000_000
_MAX_JPEG_PIXELS = 70_000_000
_MAX_PROGRESSIVE_PIXELS = 30_000_000  # of which all coefficients are kept
_BYTES = {"1": 2, "L": 1, "I;16": 7, "I": 9, "F": 9, "LA": 3, "RGB": 3, "RGBA": 5}
# Decoders with copies of their own take so much for each pixel, and together with the
# picture at most so much.
_DECODER_BYTES = {"WEBP": 19, "AVIF": 13, "JPEG2000": 27}
_MAX_DECODER_BYTES = 190_000_000
_NEARLY_OPAQUE = 0.95
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}


def read_picture(path: str | os.PathLike, *, page: int = 0) -> np.ndarray:
    """Read a picture from a file, as a viewer shows it.

    The format is detected by content: PNG, JPEG, WebP, GIF, TIFF, BMP, PNM, AVIF and
    others that Pillow reads. Photos are turned as their EXIF orientation says.
    Transparent parts are white, or black if what is drawn on them is light.

    Parameters
    ----------
    path : str or path-like
        The file.
    page : int, default=0
        Which page of a TIFF file, or frame of an animation, counted from 0.

    Returns
    -------
    ndarray of uint8 of shape (height, width) or (height, width, 3)
        Grey pixels or colours, from 0 to 255.

    Raises
    ------
    DataFormatError
        If the file is not a picture, damaged or too large, or has no such page.
    ValueError
        If `page` is not an integer of at least 0.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> from PIL import Image
    >>> from skmnist.datasets import read_picture
    >>> with TemporaryDirectory() as folder:
    ...     path = Path(folder, "small.png")
    ...     Image.new("1", (4, 3)).save(path)
    ...     read_picture(path).shape
    (3, 4)
    """
    if not isinstance(page, Integral) or isinstance(page, bool) or page < 0:
        raise ValueError(f"page must be an int of at least 0; got {page!r}.")
    picture, _ = next(picture_pages(path, first=page))
    return np.array(picture)


def picture_pages(path, *, longest=None, first=0):
    """Yield the pages of a picture and how much each was reduced.

    Parameters
    ----------
    path : str or path-like
        The file.
    longest : int, default=None
        Reduce larger pictures by whole factors, but not below this length of their
        longer side.
    first : int, default=0
        The first page to return; those before are not unpacked.

    Yields
    ------
    picture : PIL.Image.Image
        In mode L or RGB.
    factor : float
        Sides of the picture in the file by sides of what is returned.
    """
    path = os.fspath(path)
    refuse_pipe(path)
    start = b""
    try:
        with warnings.catch_warnings(), open(path, "rb") as file:
            warnings.simplefilter("ignore")  # about damaged metadata, and size
            start = file.read(N_BYTES)
            file.seek(0)
            Image.init()
            # Some come with later versions of Pillow, or with libraries.
            known = [name for name in _FORMATS if name in Image.OPEN]
            with Image.open(file, formats=known) as picture:
                yield from _pages(path, picture, longest, first)
    except UnidentifiedImageError:
        raise DataFormatError(_refusal(path, start)) from None
    except Image.DecompressionBombError:
        raise DataFormatError(f"{path} is far too large for a picture.") from None
    except GeneratorExit:
        raise
    except Exception as error:
        # Decoders raise a dozen kinds of error for damaged bytes. Only what the
        # system says of the file itself has its name.
        if isinstance(error, DataFormatError) or getattr(error, "filename", None):
            raise
        words = " ".join(str(error).split()).rstrip(".") or type(error).__name__
        raise DataFormatError(f"{path} is damaged: {words}.") from error


def _refusal(path, start):
    """Say why a file that begins with `start` is not read."""
    kind = kind_of(start)
    # TGA has no magic number, and begins like IDX.
    if kind in (None, "an IDX file") and path.lower().endswith(".tga"):
        kind = "a TGA picture"
    if kind in _UNREADABLE:
        hint = ""
        if kind == "a HEIC picture":
            hint = (
                " Phones export photos as JPEG when they are shared or in their "
                "settings."
            )
        return f"{path} is {kind}, which cannot be read; save it as JPEG or PNG.{hint}"
    if kind and not kind.endswith("picture"):
        return f"{path} is not a picture but {kind}."
    if kind:
        return f"{path} is {kind} that is damaged or of an unknown kind."
    return f"{path} is not a picture that can be read."


def _pages(path, picture, longest, first):
    for number in itertools.count():
        _refuse_large(path, picture)  # frames are unpacked to get to the next
        try:
            if number and picture.format in _SINGLE:
                raise EOFError
            picture.seek(number)
        except EOFError:
            if number <= first:
                raise DataFormatError(
                    f"{path} has {counted(number, 'page')}; got page={first}."
                ) from None
            return
        if number - first == _MAX_PAGES:
            raise DataFormatError(
                f"{path} has more than {_MAX_PAGES} pages; save those that you need."
            )
        if number >= first:
            yield _page(path, picture, longest)


def _page(path, picture, longest):
    """Return a page as it is shown, and by how much it was reduced."""
    _refuse_large(path, picture)
    width = picture.width
    is_jpeg = picture.format in ("JPEG", "MPO")
    if is_jpeg and longest:
        share = min(1, longest / max(picture.size))
        picture.draft(None, tuple(math.ceil(share * side) for side in picture.size))
    picture.load()
    if not is_jpeg:
        width = picture.width  # TIFF is turned when it is loaded
    image = _in_plain_mode(picture)
    if longest and max(image.size) >= 2 * longest:
        image = image.reduce(max(image.size) // longest)
    factor = width / image.width
    image = _opaque(image)
    turn = _TURNS.get(_orientation(picture))
    return (image if turn is None else image.transpose(turn)), factor


def _refuse_large(path, picture):
    """Refuse a picture that would take too much memory, before it is unpacked."""
    n_pixels = picture.width * picture.height
    is_jpeg = picture.format in ("JPEG", "MPO")
    if is_jpeg:
        is_progressive = "progressive" in picture.info
        most = _MAX_PROGRESSIVE_PIXELS if is_progressive else _MAX_JPEG_PIXELS
        is_large = n_pixels > most
    elif picture.format in _DECODER_BYTES:
        is_large = n_pixels * _DECODER_BYTES[picture.format] > _MAX_DECODER_BYTES
    else:
        is_large = n_pixels * _BYTES.get(picture.mode, 5) > _MAX_BYTES
    if is_large:
        found = pixels((picture.height, picture.width))
        hint = "" if is_jpeg else " Save it smaller, or as JPEG."
        raise DataFormatError(
            f"{path} is too large for a picture of digits: {found}.{hint}"
        )


def _in_plain_mode(picture):
    """Return a picture in mode L, RGB, LA or RGBA."""
    mode = picture.mode
    if mode in ("L", "RGB", "LA", "RGBA") and "transparency" not in picture.info:
        return picture
    if mode.startswith("I") or mode == "F":
        return Image.fromarray(_in_bytes(np.asarray(picture)))
    if picture.has_transparency_data:
        return picture.convert("RGBA")
    return picture.convert("L" if mode == "1" else "RGB")


def _in_bytes(values):
    """Scale what may have 16 or more bits to 8."""
    values = np.array(values, dtype=np.float32)  # changed in place: it may be large
    np.nan_to_num(values, copy=False, posinf=0, neginf=0)
    low, high = float(values.min()), float(values.max())
    top = next((top for top in (1.0, 255.0, 65535.0) if high <= top), high)
    bottom = min(low, 0.0)
    values -= bottom
    values *= 255 / (top - bottom)
    return np.rint(values, out=values).astype(np.uint8)


def _opaque(image):
    """Lay a picture on white, or on black if what is drawn on it is light."""
    if image.mode in ("L", "RGB"):
        return image
    opacity = image.getchannel("A")
    drawn = np.asarray(opacity) / 255
    shade = (np.asarray(image.convert("L")) * drawn).sum() / max(drawn.sum(), 1)
    is_clear = drawn.mean() < _NEARLY_OPAQUE
    sheet = Image.new(
        "RGB", image.size, "black" if is_clear and shade > 127 else "white"
    )
    sheet.paste(image.convert("RGB"), mask=opacity)
    return sheet


def _orientation(picture):
    try:
        return picture.getexif().get(ExifTags.Base.Orientation)
    except Exception:  # viewers show pictures with damaged metadata, too
        return None
