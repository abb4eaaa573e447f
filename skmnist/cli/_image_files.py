"""Files of images to recognise: NumPy arrays, IDX, CSV and pictures."""

from math import prod
from pathlib import Path

import numpy as np

from skmnist._numbers import by
from skmnist.cli._errors import BadInput, bad_input
from skmnist.cli._messages import note

_PICTURE_FORMATS = ("PNG", "BMP", "GIF", "JPEG", "TIFF", "PPM")
_PICTURE_SUFFIXES = (".png", ".bmp", ".gif", ".jpg", ".jpeg", ".tif", ".tiff", ".pgm")
# A byte order mark may stand in front of a CSV file; quotes and words in its header.
_TEXT = {*b"\xef\xbb\xbf\t\r\n", *range(32, 127)}


def read_images(paths, model_file, *, invert=False):
    """Read the images of several files for a model.

    The kind of a file is told by its content: a NumPy array (``.npy``), IDX or CSV
    (gzipped or not), or a picture.

    Parameters
    ----------
    paths : list of str or path-like
        The files.
    model_file : ModelFile
        Says the size that images must have.
    invert : bool, default=False
        Whether pictures show dark ink on light paper, the contrary of MNIST.

    Returns
    -------
    X : ndarray of shape (n_images, n_pixels)
        One image a row, those of the first file first.
    counts : list of int
        Number of images of each file.

    Raises
    ------
    BadInput
        If a file is of another kind, or holds images of another size.
    """
    parts = []
    light = []
    for path in paths:
        with bad_input():
            rows, is_picture = _read_file(path, model_file)
        if is_picture and invert:
            rows = 255 - rows
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


def _read_file(path, model_file):
    """Return the rows of a file, and whether it is a picture."""
    from skmnist.datasets import read_idx
    from skmnist.datasets._files import open_data

    if Path(path).is_dir():
        raise BadInput(f"{path} is a folder; give the files in it.")
    with open_data(path) as file:
        start = file.read(8)
    is_picture = str(path).lower().endswith(_PICTURE_SUFFIXES)
    if not start:
        raise BadInput(f"{path} holds no images: the file is empty.")
    if start.startswith(b"\x89PNG") or is_picture:
        return _read_picture(path, model_file), True
    if start.startswith(b"\x93NUMPY"):
        array = _read_npy(path)
    elif start.startswith(b"\0\0"):
        array = read_idx(path)
    elif start.startswith(b"PK"):
        raise BadInput(f"{path} is a zip archive; give its arrays as .npy files.")
    elif set(start) - _TEXT:
        raise BadInput(
            f"{path} holds no images: .npy, IDX, CSV and pictures (.png and others) "
            "can be read."
        )
    else:
        array = _read_csv(path, model_file)
    return _as_rows(array, path, model_file), False


def _read_npy(path):
    """Read a NumPy array; one that holds pickled objects is refused."""
    with open(path, "rb") as file:
        if file.read(1) == b"\x1f":
            raise BadInput(f"{path}: unpack this array first.")
    try:
        # Mapped, so that a header that promises too much costs no memory.
        return np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        if "Python objects" in str(error):
            raise BadInput(
                f"{path} holds pickled objects (dtype object), which are refused "
                "because loading them can run code; save the pixels as numbers."
            ) from error
        reason = str(error).rstrip(".")
        raise BadInput(f"{path} is no array that can be read: {reason}.") from error


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
            f"{path}: image {wrong.argmax() + 1} has pixels that are NaN or infinite."
        )
    return rows


def _read_csv(path, model_file):
    """Read rows of pixels, with a label in front or without."""
    from skmnist.datasets._csv import read_unlabelled_csv

    X = read_unlabelled_csv(path, model_file.n_pixels)
    if X.shape[1] != model_file.n_pixels:
        raise BadInput(
            f"{path} has {X.shape[1] + 1} columns; the model takes images of "
            f"{model_file.size}, with a label in front or without."
        )
    return X


def _read_picture(path, model_file):
    """Read a picture as one row of pixels."""
    from PIL import Image, UnidentifiedImageError

    shape = model_file.image_shape
    if shape is None:
        raise BadInput(
            f"{path}: the model takes {model_file.n_pixels} pixels, and does not tell "
            "the height and width of its images."
        )
    try:
        with Image.open(path, formats=_PICTURE_FORMATS) as picture:
            if picture.size != (shape[1], shape[0]):
                width, height = picture.size
                raise BadInput(
                    f"{path} is {height}×{width} pixels; the model takes images of "
                    f"{model_file.size}."
                )
            if picture.mode not in ("1", "L", "LA", "P", "RGB", "RGBA"):
                raise BadInput(
                    f"{path} has pixels of the kind {picture.mode}; save it with 8 "
                    "bits, grey or in colours."
                )
            # What is transparent shows the paper behind it, as a viewer does.
            opaque = Image.new("RGBA", picture.size, "white")
            opaque.alpha_composite(picture.convert("RGBA"))
            pixels = opaque.convert("L" if prod(shape[2:]) == 1 else "RGB")
    except UnidentifiedImageError:
        raise BadInput(f"{path} is not a picture that can be read.") from None
    except (Image.DecompressionBombError, SyntaxError, OSError) as error:
        if isinstance(error, OSError) and error.errno is not None:
            raise  # it cannot be opened
        raise BadInput(f"{path} is damaged: {error}.") from error
    return np.asarray(pixels, dtype=np.uint8).reshape(1, -1)
