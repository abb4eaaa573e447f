"""Files of images to classify: NumPy arrays, IDX, CSV and pictures."""

from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import NamedTuple

import numpy as np

from skmnist._numbers import by, pixels
from skmnist.cli._errors import BadInput, bad_input
from skmnist.cli._messages import note

_PICTURE_SUFFIXES = (
    *(".png", ".bmp", ".gif", ".jpg", ".jpeg", ".tif", ".tiff", ".pgm", ".webp"),
    *(".heic", ".heif", ".avif", ".jp2", ".tga", ".pcx", ".pdf"),
)
# The longer side, in pixels, to which large pictures are reduced at most, by whole
# factors and while they are read: for memory. DigitExtractor makes them still smaller,
# by any factor, for speed.
LONGEST = 1600
# No text holds these; it may begin with letters of any alphabet, in a header.
_CONTROL = {*range(32), 127} - {*b"\t\r\n"}
_BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\0\0\xfe\xff")


class Page(NamedTuple):
    """The digits found on a page, with boxes in the page reduced by a factor."""

    number: int
    factor: float
    digits: object


@dataclass(frozen=True, eq=False)
class ImageFile:
    """The images of one file, one per row of `X`.

    `pages` are those that were searched for the images; it is empty if the file holds
    the images themselves.
    """

    path: object
    X: np.ndarray
    pages: tuple = ()

    @property
    def columns(self):
        """What there is to know of each image but its label, as columns."""
        columns = {
            "file": [str(self.path)] * len(self.X),
            "image": list(range(len(self.X))),
        }
        if self.pages:
            for name, values in {
                "page": [np.full(len(p.digits), p.number) for p in self.pages],
                "row": [p.digits.rows for p in self.pages],
                "box": [(p.factor * p.digits.boxes).round(1) for p in self.pages],
                "digit_confidence": [p.digits.confidences for p in self.pages],
            }.items():
                columns[name] = np.concatenate(values).tolist()
        return columns

    def join(self, answers, separator):
        """Arrange answers as the digits stand in the pictures: a text per row."""
        lines, start = [], 0
        for page in self.pages:
            stop = start + len(page.digits)
            words = [separator + answer for answer in answers[start:stop]]
            lines += [row.removeprefix(separator) for row in page.digits.join(words)]
            start = stop
        return lines


def read_images(paths, model_file, *, invert=False):
    """Read the images of several files for a model.

    A file is a NumPy array (``.npy``), IDX or CSV (gzipped or not), or a picture, which
    is seen from its content. Pictures of another size than the model takes are searched
    for digits. `invert` is for dark ink on light paper, in any of them. Returns an
    :class:`ImageFile` for each; a file of another kind, or with arrays of another size,
    is named on standard error and left out. Raises BadInput if none is left.
    """
    files = []
    light = []
    errors = []
    for path in paths:
        try:
            with bad_input():
                file, is_picture = _read_file(path, model_file, invert)
        except BadInput as error:
            errors.append(error)
            continue
        if is_picture:
            # Where digits are searched for, the ink is told from the paper.
            may_be_dark = not (invert or file.pages or model_file.finds_digits)
            if may_be_dark and file.X.mean() > np.mean(model_file.pixel_range):
                light.append(path)
        elif invert:
            file = ImageFile(path, _inverted(file.X, model_file))
        files.append(file)
    last = None if files else errors.pop()
    for error in errors:
        note(f"Error: {error.format_message()}")
    if last is not None:
        raise last
    if light:
        note(
            f"Warning: {light[0]}"
            + (f" and {len(light) - 1} more are" if light[1:] else " is")
            + " mostly light. If the ink is dark and the paper light, give --invert."
        )
    return files


def _inverted(rows, model_file):
    """Swap dark and light, which are 0 and 255 in bytes and 0 and 1 in fractions."""
    if rows.dtype.kind == "b":
        return ~rows
    if rows.dtype == np.uint8:
        return 255 - rows
    low, high = model_file.pixel_range
    if rows.dtype.kind == "f" and rows.min() >= 0 and rows.max() <= 1:
        low, high = 0, 1
    return low + high - rows.astype(np.float64)  # integers may not hold the result


def _read_file(path, model_file, invert):
    """Return the images of a file, and whether it is a picture."""
    from skmnist.datasets import read_idx
    from skmnist.datasets._content import N_BYTES, kind_of
    from skmnist.datasets._csv import read_unlabelled_csv
    from skmnist.datasets._files import open_data, refuse_pipe

    if Path(path).is_dir():
        raise BadInput(f"{path} is a folder; give the files in it.")
    refuse_pipe(path)
    with open_data(path) as file:
        start = file.read(N_BYTES)
    if not start:
        raise BadInput(f"{path} holds no images: the file is empty.")
    kind = kind_of(start) or ""
    is_picture = kind.endswith("picture")
    if is_picture or str(path).lower().endswith(_PICTURE_SUFFIXES):
        return _read_picture(path, model_file, invert), True
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
    return ImageFile(path, _as_rows(array, path, model_file)), False


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


def _read_picture(path, model_file, invert):
    """Read a picture: one image per page, or all digits in it."""
    from skmnist.datasets._pictures import picture_pages

    shape = model_file.image_shape
    if shape is None:
        raise BadInput(
            f"{path}: the model takes {model_file.n_pixels} pixels, and does not tell "
            "the height and width of its images."
        )
    colors = prod(shape[2:])
    images, pages = [], []
    for number, (picture, factor) in enumerate(picture_pages(path, longest=LONGEST)):
        if picture.size == (shape[1], shape[0]):
            images.append(np.asarray(picture.convert("L" if colors == 1 else "RGB")))
        elif colors == 1:
            pages.append(Page(number, factor, _extracted(picture, model_file, invert)))
        else:
            found = pixels(picture.size[::-1])
            raise BadInput(
                f"{path} is of {found}; the model takes images of {model_file.size}. "
                "Pictures of other sizes are searched for digits only if the model "
                "takes grey images."
            )
        if images and pages:
            raise BadInput(f"{path} has pages of different kinds; give each by itself.")
    X = np.array(images) if images else np.concatenate([p.digits.images for p in pages])
    if images and invert:
        X = 255 - X
    if not len(X):
        raise BadInput(
            f"{path} shows no digit: nothing stands out from the paper like a stroke "
            "of a pen."
        )
    X = X.reshape(len(X), -1)
    low, high = model_file.pixel_range
    if (low, high) != (0, 255):
        X = low + X / 255 * (high - low)
    return ImageFile(path, X, tuple(pages))


def _extracted(picture, model_file, invert):
    """Find the digits on a page."""
    from skmnist.preprocessing import DigitExtractor
    from skmnist.preprocessing.normalization import usual_digit_size

    extractor = DigitExtractor(
        output_shape=model_file.image_shape[:2],
        digit_size=usual_digit_size(model_file.image_shape),
        ink="dark" if invert else "auto",
    )
    return extractor.extract(np.asarray(picture))
