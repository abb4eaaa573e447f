"""Image sets as Bunches: the embedded digits, and any folder in the naming of MNIST."""

import re
from pathlib import Path

import numpy as np

from skmnist._numbers import by
from skmnist.datasets._arrays import as_labels, as_pixels
from skmnist.datasets._files import DataFormatError, DataNotFoundError
from skmnist.datasets._idx import read_idx
from skmnist.datasets._npz import read_npz

# MNIST calls its test part t10k, after its 10,000 images.
FILE_STEMS = {
    ("train", "images"): "train-images-idx3-ubyte",
    ("train", "labels"): "train-labels-idx1-ubyte",
    ("test", "images"): "t10k-images-idx3-ubyte",
    ("test", "labels"): "t10k-labels-idx1-ubyte",
}
_IDX_NAME = re.compile(
    r"(train|t10k|test)-(images|labels)[-.]idx\d-ubyte(\.gz)?", re.IGNORECASE
)
NPZ_NAME = "mnist.npz"

_DIGITS_DESCR = """\
Handwritten digits, 8x8
=======================

:Number of images: 1,797
:Classes: the digits 0 to 9, 174 to 183 images each
:Image: 8x8 pixels, uint8, 0 (paper) to 255 (full ink)
:Missing values: none

These images come with scikit-learn, which holds the test part of the
"Optical Recognition of Handwritten Digits" data of the UCI repository: digits
of 13 people, none of whom wrote in its training part. Bitmaps of 32x32 were
divided into blocks of 4x4, and the pixels set in each block counted, which
gives 8x8 numbers from 0 to 16.

Here these counts have been multiplied by 255/16 and rounded to the nearest
whole number (a count of 8, exactly 127.5, became 128), so that the images span
the same range as MNIST's. The 17 levels stay apart: ``np.rint(data / 15.9375)``
gives each count back.

References
----------
E. Alpaydin and C. Kaynak (1998). Optical Recognition of Handwritten Digits.
UCI Machine Learning Repository. https://doi.org/10.24432/C50P49 (CC BY 4.0)
"""


def subset_splits(subset):
    """Name the parts that a subset is made of."""
    splits = {"train": ("train",), "test": ("test",), "all": ("train", "test")}
    if not isinstance(subset, str) or subset not in splits:
        raise ValueError(f"subset must be 'train', 'test' or 'all', got {subset!r}")
    return splits[subset]


def make_bunch(images, target, descr, source, return_X_y):
    """Put checked images and labels into the form that all loaders return."""
    data = np.ascontiguousarray(images).reshape(len(images), -1)
    if return_X_y:
        return data, target
    from sklearn.utils import Bunch

    return Bunch(
        data=data,
        images=data.reshape(images.shape),
        target=target,
        image_shape=images.shape[1:],
        target_names=np.unique(target).astype(str),
        DESCR=descr,
        source=source,
    )


def load_digits(*, return_X_y=False):
    """Load the 1,797 handwritten digits of 8x8 pixels that come with scikit-learn.

    No file or network is needed. scikit-learn's pixel values 0 to 16 (the number
    of dark dots in a block of 4x4) are multiplied by 255/16 and rounded to the
    nearest whole number, 8 to 128, so that they span 0 to 255 as MNIST's do;
    ``np.rint(data / 15.9375)`` gives them back.

    Parameters
    ----------
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        A dictionary with attribute access:

        data : ndarray of shape (1797, 64), dtype uint8
            One image a row, pixel rows one after another.
        images : ndarray of shape (1797, 8, 8), dtype uint8
            The same pixels as pictures (a view of `data`).
        target : ndarray of shape (1797,), dtype int64
            The digit that each image shows.
        image_shape : tuple of int
            Height and width, ``(8, 8)``.
        target_names : ndarray of shape (10,), dtype str
            Names of the classes, in ascending order of the label.
        DESCR : str
            Where the data come from, and what was done to them.
        source : str
            Where they were read.

    See Also
    --------
    fetch_mnist : The 70,000 digits of 28x28 pixels.

    Examples
    --------
    >>> from skmnist.datasets import load_digits
    >>> digits = load_digits()
    >>> digits.data.shape, digits.data.dtype, int(digits.data.max())
    ((1797, 64), dtype('uint8'), 255)
    >>> X, y = load_digits(return_X_y=True)
    >>> y[:3]
    array([0, 1, 2])
    """
    from sklearn.datasets import load_digits as load_counts

    counts, target = load_counts(return_X_y=True)
    pixels = np.rint(counts * (255 / 16)).astype(np.uint8)
    return make_bunch(
        pixels.reshape(-1, 8, 8),
        target.astype(np.int64),
        _DIGITS_DESCR,
        "scikit-learn",
        return_X_y,
    )


def load_idx(folder, subset="train", *, return_X_y=False):
    """Load images and labels from a folder in the file naming of MNIST.

    Fashion-MNIST, KMNIST and other sets come in this form, and `write_idx`
    makes it of one's own images. Any size of image and any number of labels
    will do.

    Parameters
    ----------
    folder : str or path-like
        Folder with the files ``train-images-idx3-ubyte``,
        ``train-labels-idx1-ubyte``, ``t10k-images-idx3-ubyte`` and
        ``t10k-labels-idx1-ubyte``, or those of them that `subset` needs. Each
        may be gzipped (``.gz``); ``test`` may stand for ``t10k``, and
        ``.idx3`` for ``-idx3``. Where a file is there twice, the unpacked one is
        read. A folder without any of these may hold ``mnist.npz``, with the
        arrays ``x_train``, ``y_train``, ``x_test`` and ``y_test``, instead.
    subset : {"train", "test", "all"}, default="train"
        The part to load; ``"all"`` is the training part followed by the test
        part.
    return_X_y : bool, default=False
        Return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        A dictionary with attribute access:

        data : ndarray of shape (n_images, height * width), dtype uint8
            One image a row, pixel rows one after another.
        images : ndarray of shape (n_images, height, width), dtype uint8
            The same pixels as pictures (a view of `data`).
        target : ndarray of shape (n_images,), dtype int64
            The labels.
        image_shape : tuple of int
            Height and width.
        target_names : ndarray of str
            Names of the labels that occur, in ascending order of the label.
        DESCR : str
            What was found.
        source : str
            The folder.

    Raises
    ------
    DataNotFoundError
        If the folder does not exist or lacks one of the files.
    DataFormatError
        If a file is damaged or not in IDX format, if there are not as many
        labels as images, if images are not whole numbers from 0 to 255 in three
        dimensions, if labels are not whole numbers from 0, or if the images of
        both parts differ in size.
    ValueError
        If `subset` is none of the three.

    See Also
    --------
    read_idx : One such file.
    fetch_mnist : MNIST itself, found or downloaded.

    Examples
    --------
    >>> import pathlib, tempfile
    >>> import numpy as np
    >>> from skmnist.datasets import load_idx, write_idx
    >>> with tempfile.TemporaryDirectory() as name:
    ...     folder = pathlib.Path(name)
    ...     write_idx(folder / "train-images-idx3-ubyte.gz", np.ones((3, 5, 4), int))
    ...     write_idx(folder / "train-labels-idx1-ubyte.gz", [12, 7, 12])
    ...     letters = load_idx(folder)
    >>> letters.data.shape, letters.image_shape, letters.target_names.tolist()
    ((3, 20), (5, 4), ['7', '12'])
    """
    splits = subset_splits(subset)
    folder = Path(folder).expanduser()
    parts = read_files(folder, find_files(folder), splits)
    if parts is None:
        raise DataNotFoundError(
            f"{folder}: {absence(folder)}; expected {wanted_files(splits)}, "
            f"plain or with .gz, or {NPZ_NAME}"
        )
    return join_parts(parts, None, str(folder), return_X_y)


def find_files(folder):
    """Map what is in a folder in the naming of MNIST: (split, kind) to path."""
    if folder.is_file():
        raise NotADirectoryError(
            f"{folder} is a file; a folder with files in the naming of MNIST is needed"
        )
    if not folder.is_dir():
        return {}
    found = {}
    # Packed files first, so that an unpacked one replaces it.
    paths = sorted(folder.iterdir(), key=lambda path: (path.suffix != ".gz", path.name))
    for path in paths:
        match = _IDX_NAME.fullmatch(path.name)
        if match and path.is_file():
            split, kind = match.group(1).lower(), match.group(2).lower()
            found["train" if split == "train" else "test", kind] = path
    return found


def missing_files(found, splits):
    """Name the files that a subset needs and that were not found."""
    return [
        stem
        for (split, kind), stem in FILE_STEMS.items()
        if split in splits and (split, kind) not in found
    ]


def wanted_files(splits):
    """Name the files that a subset needs, for a message."""
    return ", ".join(missing_files({}, splits))


def absence(folder):
    """Say why nothing was found in a folder."""
    return "no such folder" if not folder.is_dir() else "none of the files is there"


def read_files(folder, found, splits, named=None):
    """Read the parts of a set from the files found, or return None without any.

    An error for files that the parts `splits` lack names those that the parts `named`
    lack, by default the same.
    """
    if found:
        if missing_files(found, splits):
            missing = missing_files(found, named or splits)
            names = ", ".join(sorted(path.name for path in found.values()))
            raise DataNotFoundError(
                f"{folder} is incomplete: it holds {names}, but lacks "
                f"{', '.join(missing)} (plain or with .gz)"
            )
        return [_read_part(found, split) for split in splits]
    if (folder / NPZ_NAME).is_file():
        return read_archive(folder / NPZ_NAME, splits)
    return None


def _read_part(found, split):
    """Read images and labels of one part from a pair of IDX files."""
    images, labels = found[split, "images"], found[split, "labels"]
    return _checked(read_idx(images), read_idx(labels), images, labels)


def read_archive(path, splits):
    """Read the parts of a set from an archive in the layout of Keras."""
    arrays = read_npz(path)
    names = [(f"x_{split}", f"y_{split}") for split in splits]
    missing = [name for pair in names for name in pair if name not in arrays]
    if missing:
        raise DataFormatError(
            f"{path} lacks {', '.join(missing)}; "
            f"it holds {', '.join(map(repr, arrays))}"
        )
    return [
        _checked(arrays[x], arrays[y], f"{path}, {x}", f"{path}, {y}") for x, y in names
    ]


def _checked(images, labels, images_name, labels_name):
    """Return images and labels in their types, or say what is wrong with them."""
    if images.ndim != 3:
        raise DataFormatError(
            f"{images_name}: expected images in three dimensions (number, height, "
            f"width), found {images.ndim} ({by(images.shape)})"
        )
    images = as_pixels(images, images_name, DataFormatError)
    return images, as_labels(labels, len(images), labels_name, DataFormatError)


def join_parts(parts, descr, source, return_X_y):
    """Put the parts of a set one after another into a Bunch."""
    sizes = {images.shape[1:] for images, _ in parts}
    if len(sizes) > 1:
        raise DataFormatError(
            f"{source}: training images are of {by(parts[0][0].shape[1:])} pixels, "
            f"test images of {by(parts[1][0].shape[1:])}"
        )
    if len(parts) == 1:
        images, target = parts[0]
    else:
        images, target = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    if descr is None:
        descr = (
            f"{len(images):,} images of {by(images.shape[1:])} pixels (uint8, 0 to "
            f"255) with {len(np.unique(target))} different labels, from {source}.\n"
        )
    return make_bunch(images, target, descr, source, return_X_y)
