"""Image sets as Bunches: the bundled digits, relatives of MNIST, your own sets."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

import numpy as np

from skmnist._numbers import by, pixels
from skmnist.datasets._families import FAMILIES, known_by_labels
from skmnist.datasets._files import DataFormatError
from skmnist.datasets._folders import choose_set

if TYPE_CHECKING:
    from os import PathLike

    from sklearn.utils import Bunch

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


def make_bunch(images, target, descr, source, return_X_y, target_names=None):
    """Put checked images and labels into the form that all loaders return."""
    data = np.ascontiguousarray(images).reshape(len(images), -1)
    if return_X_y:
        return data, target
    from sklearn.utils import Bunch

    if target_names is None:
        target_names = np.unique(target).astype(str)
    return Bunch(
        data=data,
        images=data.reshape(images.shape),
        target=target,
        image_shape=images.shape[1:],
        target_names=target_names,
        DESCR=descr,
        source=source,
    )


@overload
def load_digits(*, return_X_y: Literal[False] = False) -> Bunch: ...
@overload
def load_digits(*, return_X_y: Literal[True]) -> tuple[np.ndarray, np.ndarray]: ...
def load_digits(*, return_X_y: bool = False) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load the 1,797 handwritten 8x8 digits that come with scikit-learn.

    No download is needed. The pixel values 0 to 16 of scikit-learn (the number of dark
    dots in a 4x4 block) are multiplied by 255/16 and rounded to the nearest whole
    number (8 becomes 128), so that they span 0 to 255 like those of MNIST.
    ``np.rint(data / 15.9375)`` restores them.

    Parameters
    ----------
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        A dictionary with attribute access:

        data : ndarray of shape (1797, 64), dtype uint8
            One image per row, in row-major order.
        images : ndarray of shape (1797, 8, 8), dtype uint8
            The same pixels as images (a view of `data`).
        target : ndarray of shape (1797,), dtype int64
            The digit that each image shows.
        image_shape : tuple of int
            Height and width, ``(8, 8)``.
        target_names : ndarray of shape (10,), dtype str
            Names of the classes, sorted by label.
        DESCR : str
            Description of the data, their origin and preprocessing.
        source : str
            Where the data were read from.

    See Also
    --------
    fetch_mnist : Load the 70,000 digits of 28x28 pixels.

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


@overload
def load_idx(
    folder: str | PathLike,
    subset: str = "train",
    *,
    name: str | None = None,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def load_idx(
    folder: str | PathLike,
    subset: str = "train",
    *,
    name: str | None = None,
    return_X_y: Literal[True],
) -> tuple[np.ndarray, np.ndarray]: ...
def load_idx(
    folder: str | PathLike,
    subset: str = "train",
    *,
    name: str | None = None,
    return_X_y: bool = False,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load MNIST, a relative of it, or your own data set from a folder.

    The published files of MNIST, Fashion-MNIST, KMNIST, Kuzushiji-49, QMNIST and all
    parts of EMNIST load without conversion: images are upright, and labels have names.
    To load your own images, of any size and with any number of labels, write such files
    with `write_idx`.

    Parameters
    ----------
    folder : str or path-like
        Folder with the files ``train-images-idx3-ubyte``, ``train-labels-idx1-ubyte``,
        ``t10k-images-idx3-ubyte`` and ``t10k-labels-idx1-ubyte``, or those of them that
        `subset` needs. Each may be gzipped (``.gz``). ``test`` may replace ``t10k``,
        and ``.idx3`` may replace ``-idx3``. Names may have a prefix, as in
        ``emnist-letters-train-images-idx3-ubyte``. A NumPy archive of one array may
        replace an IDX file, as in ``k49-train-imgs.npz``. If a file exists both ways,
        the uncompressed one is read. A folder without these files may contain
        ``mnist.npz`` with the arrays ``x_train``, ``y_train``, ``x_test`` and
        ``y_test``.
    subset : {"train", "test", "all"}, default="train"
        The part to load; ``"all"`` is the training part followed by the test
        part.
    name : str, default=None
        The set to load if the folder has several: the prefix of its file names, such as
        ``"emnist-letters"``, ``"qmnist"`` or ``"k49"``. For files named as those of
        MNIST, it says which set they are: ``"mnist"``, ``"fashion-mnist"`` or
        ``"kmnist"``. This is needed only for excerpts, as complete sets are identified
        by their labels.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        A dictionary with attribute access:

        data : ndarray of shape (n_images, height * width), dtype uint8
            One image per row, in row-major order.
        images : ndarray of shape (n_images, height, width), dtype uint8
            The same pixels as images (a view of `data`). Images of EMNIST, which are
            transposed in its files, are upright.
        target : ndarray of shape (n_images,), dtype int64
            The labels as published, such as 1 to 26 for ``emnist-letters``. For QMNIST,
            the first of its eight columns, the class.
        image_shape : tuple of int
            Height and width.
        target_names : ndarray of str
            Names of the labels that occur, sorted by label: letters, articles of
            clothing or hiragana, if known, otherwise the labels themselves.
        DESCR : str
            Description of the data.
        source : str
            The folder.

    Raises
    ------
    DataNotFoundError
        If the folder does not exist, lacks one of the files, or has no set called
        `name`.
    DataFormatError
        If a file is damaged or not in the format of its name, if the numbers of labels
        and images differ, if images are not whole numbers from 0 to 255 in three
        dimensions, if labels are not whole numbers from 0, if the images of both parts
        differ in size, or if files named as those of MNIST contain another set than
        `name`.
    ValueError
        If `subset` is invalid, or the folder has several sets and `name` is not given.

    See Also
    --------
    read_idx : Read an array from an IDX file.
    fetch_mnist : Find or download MNIST.

    Notes
    -----
    In ``emnist-bymerge`` and ``emnist-balanced``, letters that look alike in both cases
    are named by the capital, as are all letters of ``emnist-letters``.

    References
    ----------
    G. Cohen, S. Afshar, J. Tapson and A. van Schaik (2017). EMNIST: an extension
    of MNIST to handwritten letters. https://arxiv.org/abs/1702.05373

    C. Yadav and L. Bottou (2019). Cold case: the lost MNIST digits.
    https://arxiv.org/abs/1905.10498

    T. Clanuwat et al. (2018). Deep learning for classical Japanese literature.
    https://arxiv.org/abs/1812.01718

    H. Xiao, K. Rasul and R. Vollgraf (2017). Fashion-MNIST: a novel image dataset
    for benchmarking machine learning algorithms. https://arxiv.org/abs/1708.07747

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
    found = choose_set(Path(folder).expanduser(), name, splits)
    parts = found.read(splits)
    family = found.family
    if not found.name:  # MNIST's own file names, which others have as well
        family = _known_family(parts, family, name, found.folder)
    return join_parts(parts, None, str(found.folder), return_X_y, family)


def _known_family(parts, family, name, source):
    """Tell by its labels which set it is, and whether that is the one asked for."""
    known = known_family(parts)
    if family is None or known is family:
        return known
    if known is not None:
        raise DataFormatError(f"{source}: this is {known.title}, not {family.title}")
    unknown = np.setdiff1d([target.max() for _, target in parts], list(family.names))
    if len(unknown):
        raise DataFormatError(
            f"{source}: label {unknown[0]} is none of {family.title}, "
            f"which has {min(family.names)} to {max(family.names)}; got name={name!r}"
        )
    return family


def known_family(parts):
    """Return the published set that has exactly the labels of some parts, or None."""
    names = {known_by_labels(target) for _, target in parts}
    return FAMILIES.get(names.pop()) if len(names) == 1 else None


def join_parts(parts, descr, source, return_X_y, family=None):
    """Put the parts of a set one after another into a Bunch."""
    sizes = {images.shape[1:] for images, _ in parts}
    if len(sizes) > 1:
        raise DataFormatError(
            f"{source}: training images are of {by(parts[0][0].shape[1:])} pixels, "
            f"test images of {by(parts[1][0].shape[1:])} (height × width)"
        )
    if len(parts) == 1:
        images, target = parts[0]
    else:
        images, target = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    labels = np.unique(target)
    if descr is None:
        title = f"{family.title}: " if family else ""
        descr = (
            f"{title}{len(images):,} images of {pixels(images.shape[1:])}, uint8, 0 to "
            f"255, with {len(labels)} different labels, from {source}.\n"
        )
    names = family.names if family and set(labels) <= set(family.names) else {}
    target_names = np.array([names.get(label, str(label)) for label in labels])
    return make_bunch(images, target, descr, source, return_X_y, target_names)
