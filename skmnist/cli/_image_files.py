"""Files of images to classify: NumPy arrays, IDX, CSV and pictures."""

import warnings
from math import prod
from pathlib import Path

import numpy as np

from skmnist._numbers import by, pixels
from skmnist.cli._errors import BadInput, bad_input, one_line
from skmnist.cli._messages import note

_PICTURE_FORMATS = ("PNG", "BMP", "GIF", "JPEG", "TIFF", "PPM")
_PICTURE_SUFFIXES = (".png", ".bmp", ".gif", ".jpg", ".jpeg", ".tif", ".tiff", ".pgm")
# No text holds these; it may begin with letters of any alphabet, in a header.
_CONTROL = {*range(32), 127} - {*b"\t\r\n"}
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


def read_images(paths, model_file, *, invert=False):
    """Read the images of several files for a model.

    A file is a NumPy array (``.npy``), IDX or CSV (gzipped or not), or a picture, which
    is seen from its content. `invert` is for dark ink on light paper, in any of them.
    Returns one image per row, those of the first file first, and the number of images
    of each file. Raises BadInput if a file is of another kind, or holds images of
    another size.
    """
    parts = []
    light = []
    for path in paths:
        with bad_input():
            rows, is_picture = _read_file(path, model_file)
        if invert:
            rows = _inverted(rows, model_file)
        elif is_picture and rows.mean() > 127:
            light.append(path)
        parts.append(rows)
    if light:
        note(
            f"Warning: {light[0]}"
            + (f" and {len(light) - 1} more are" if light[1:] else " is")
            + " mostly light. If the ink is dark and the paper light, give --invert."
        )
    return np.concatenate(parts), [len(rows) for rows in parts]


def _inverted(rows, model_file):
    """Swap dark and light, which are 0 and 255 in bytes and 0 and 1 in fractions."""
    if rows.dtype.kind == "b":
        return ~rows
    low, high = model_file.pixel_range
    if rows.dtype == np.uint8:
        low, high = 0, 255
    elif rows.dtype.kind == "f" and rows.min() >= 0 and rows.max() <= 1:
        low, high = 0, 1
    return (low + high - rows.astype(np.float64)).astype(rows.dtype)


def _read_file(path, model_file):
    """Return the rows of a file, and whether it is a picture."""
    from skmnist.datasets import read_idx
    from skmnist.datasets._content import N_BYTES, kind_of
    from skmnist.datasets._csv import read_unlabelled_csv
    from skmnist.datasets._files import open_data

    if Path(path).is_dir():
        raise BadInput(f"{path} is a folder; give the files in it.")
    with open_data(path) as file:
        start = file.read(N_BYTES)
    if not start:
        raise BadInput(f"{path} holds no images: the file is empty.")
    kind = kind_of(start) or ""
    is_picture = kind.endswith("picture")
    if is_picture or str(path).lower().endswith(_PICTURE_SUFFIXES):
        return _read_picture(path, kind, model_file), True
    if start.startswith(b"\x93NUMPY"):
        array = _read_npy(path)
    elif start.startswith(b"\0\0") and not start.startswith(_BYTE_ORDER_MARKS):
        array = read_idx(path)
    elif start.startswith(b"PK"):
        raise BadInput(
            f"{path} is a zip archive; unpack it (an .npz file: to .npy files)."
        )
    elif kind and not kind.startswith("text"):
        raise BadInput(f"{path} holds no images: it is {kind}.")
    elif not start.startswith(_BYTE_ORDER_MARKS) and _CONTROL & set(start[:8]):
        raise BadInput(
            f"{path} holds no images: .npy, IDX, CSV and pictures (.png and others) "
            "can be read."
        )
    else:
        array = read_unlabelled_csv(path, model_file.n_pixels)
    return _as_rows(array, path, model_file), False


def _read_npy(path):
    """Read a NumPy array; one that holds pickled objects is refused."""
    from skmnist.datasets._npy import read_npy

    with open(path, "rb") as file:
        if file.read(1) == b"\x1f":
            raise BadInput(f"{path}: unpack this array first.")
    return read_npy(path)


def _as_rows(array, path, model_file):
    """Return an array as rows of pixels, if that is what it can be."""
    n_pixels, shape = model_file.n_pixels, model_file.image_shape
    if array.dtype.kind not in "buif":
        raise BadInput(
            f"{path} holds values of type {array.dtype}; pixels are whole numbers or "
            "floats."
        )
    if not array.size:
        raise BadInput(
            f"{path} holds no images: it is an empty array ({by(array.shape)})."
        )
    known = {(n_pixels,)}
    if shape is not None:
        known |= {tuple(shape), (*shape, 1), (1, *shape)}
    if array.shape[1:] in known:
        rows = np.array(array).reshape(len(array), -1)
    elif array.shape in known:
        rows = np.array(array).reshape(1, -1)
    else:
        found = f"an array of {by(array.shape)}" if array.ndim else "a single number"
        hint = ""
        if array.ndim == 2 and array.shape[1] == n_pixels + 1:
            hint = " Is its first column the labels? Leave it out."
        raise BadInput(
            f"{path} holds {found}; the model takes images of {model_file.size}.{hint}"
        )
    wrong = ~np.isfinite(rows).all(axis=1)
    if wrong.any():
        raise BadInput(
            f"{path}: image {wrong.argmax()} has pixels that are NaN or infinite (the "
            "first image is 0)."
        )
    return rows


def _read_picture(path, kind, model_file):
    """Read a picture as one row of pixels."""
    from PIL import Image, UnidentifiedImageError

    shape = model_file.image_shape
    if shape is None:
        raise BadInput(
            f"{path}: the model takes {model_file.n_pixels} pixels, and does not tell "
            "the height and width of its images."
        )
    wanted = f"the model takes images of {model_file.size}"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)
            picture = Image.open(path, formats=_PICTURE_FORMATS)
        with picture:
            if picture.size != (shape[1], shape[0]):
                found = pixels(picture.size[::-1])
                raise BadInput(f"{path} is of {found}; {wanted}.")
            if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                raise BadInput(
                    f"{path} has pixels of the kind {picture.mode}; save it with 8 "
                    "bits, grey or in colours."
                )
            # What is transparent shows the paper behind it, as a viewer does.
            opaque = Image.new("RGBA", picture.size, "white")
            opaque.alpha_composite(picture.convert("RGBA"))
            final = opaque.convert("L" if prod(shape[2:]) == 1 else "RGB")
    except UnidentifiedImageError:
        other = kind and not kind.endswith("picture")
        what = f"but {kind}" if other else "that can be read"
        raise BadInput(f"{path} is not a picture {what}.") from None
    except Image.DecompressionBombError:
        raise BadInput(f"{path} is far too large; {wanted}.") from None
    except Exception as error:
        # Decoders raise a dozen kinds of error for damaged bytes. Only what the
        # system says of the file itself has its name.
        if isinstance(error, BadInput) or getattr(error, "filename", None) is not None:
            raise
        raise BadInput(f"{path} is damaged: {one_line(error).rstrip('.')}.") from error
    return np.asarray(final, dtype=np.uint8).reshape(1, -1)
