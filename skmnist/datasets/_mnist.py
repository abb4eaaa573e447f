"""MNIST: found on this machine, or downloaded."""

from __future__ import annotations

import os
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Literal, overload

from skmnist.datasets import _caches, _download
from skmnist.datasets._files import DataFormatError, DataNotFoundError
from skmnist.datasets._folders import (
    NPZ_NAME,
    absence,
    find_files,
    missing_files,
    read_files,
)
from skmnist.datasets._loaders import join_parts, known_family, subset_splits
from skmnist.datasets._published import (
    IMAGE_SHAPE,
    LABEL_COUNTS,
    has_published_counts,
    is_published,
)

if TYPE_CHECKING:
    import numpy as np
    from sklearn.utils import Bunch

_ENVIRONMENT = "SKMNIST_DATA"
_SPLITS = subset_splits("all")

_DESCR = """\
MNIST, handwritten digits, 28x28
================================

:Number of images: 70,000: 60,000 for training, 10,000 for testing
:Classes: the digits 0 to 9, 6,313 to 7,877 images each
:Image: 28x28 pixels, uint8, 0 (paper) to 255 (full ink)
:Missing values: none

Digits from two collections of the National Institute of Standards and
Technology, SD-3 (written by employees of the Census Bureau) and SD-1 (by
high-school students), half and half in either part. The training part
holds the hands of about 250 people, none of whom wrote in the test part, so
that tells how well a model reads a hand that it has not seen.

The black-and-white originals were scaled to fit 20x20 pixels, which gave them
grey levels, and placed so that the centre of mass of the ink lies in the centre
of 28x28 pixels. Over the training part pixels have the mean 33.32 and the
standard deviation 78.57; 81 % of them are 0.

Images per digit, training part:
{train}
Images per digit, test part:
{test}

Not all labels are right: people who looked again found at least 15 of the test
part to be wrong (Northcutt et al.), so that differences beyond an accuracy of
99.85 % mean nothing.

References
----------
Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998). Gradient-based learning
applied to document recognition. Proceedings of the IEEE 86 (11), 2278-2324.
https://doi.org/10.1109/5.726791

C. G. Northcutt, A. Athalye and J. Mueller (2021). Pervasive label errors in
test sets destabilize machine learning benchmarks. https://arxiv.org/abs/2103.14749

Y. LeCun, C. Cortes and C. J. C. Burges: The MNIST database of handwritten
digits (CC BY-SA 3.0).
"""


@overload
def fetch_mnist(
    subset: str = "train",
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: Literal[False] = False,
) -> Bunch: ...
@overload
def fetch_mnist(
    subset: str = "train",
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: Literal[True],
) -> tuple[np.ndarray, np.ndarray]: ...
def fetch_mnist(
    subset: str = "train",
    *,
    data_home: str | os.PathLike | None = None,
    download_if_missing: bool = True,
    return_X_y: bool = False,
) -> Bunch | tuple[np.ndarray, np.ndarray]:
    """Load MNIST, and download it if necessary.

    MNIST has 70,000 handwritten digits of 28x28 pixels, 60,000 for training and 10,000
    for testing. They are loaded from the first of these places that has the files:

    1. the folder `data_home`;
    2. the folder in the environment variable ``SKMNIST_DATA``;
    3. the download folder, ``skmnist`` in the user's cache directory
       (``~/.cache/skmnist`` on Linux);
    4. the cache of Keras (``datasets/mnist.npz`` in ``KERAS_HOME``, by default
       ``~/.keras``);
    5. the cache of scikit-learn (``mnist_784`` of `fetch_openml` in
       ``SCIKIT_LEARN_DATA``, by default ``~/scikit_learn_data``), which takes a few
       seconds to read.

    Otherwise the published files that `subset` needs (11.6 MB for all) are downloaded
    to `data_home`, or else ``SKMNIST_DATA``, or else the download folder.

    Parameters
    ----------
    subset : {"train", "test", "all"}, default="train"
        The part to load; ``"all"`` is the training part followed by the test
        part.
    data_home : str or path-like, default=None
        Folder with the four IDX files of MNIST, gzipped or not, or with ``mnist.npz``,
        as in `load_idx`. They may contain images of another size and other labels. If
        the folder has no such files, or does not exist, MNIST is downloaded to it.
    download_if_missing : bool, default=True
        Whether to download missing files. If False, raise an error instead.
    return_X_y : bool, default=False
        Whether to return ``(data, target)`` instead of a Bunch.

    Returns
    -------
    Bunch or tuple of (ndarray, ndarray)
        A dictionary with attribute access:

        data : ndarray of shape (n_images, 784), dtype uint8
            One image per row, in row-major order.
        images : ndarray of shape (n_images, 28, 28), dtype uint8
            The same pixels as images (a view of `data`).
        target : ndarray of shape (n_images,), dtype int64
            The digit that each image shows.
        image_shape : tuple of int
            Height and width, ``(28, 28)``.
        target_names : ndarray of shape (10,), dtype str
            Names of the classes, sorted by label.
        DESCR : str
            Description of the data and their origin.
        source : str
            The folder or cache that the data were read from.

    Raises
    ------
    DataNotFoundError
        An `OSError`: if the files are not found and cannot or must not be downloaded.
        The message lists the places searched and what to do. Also if the folder
        `data_home` or ``SKMNIST_DATA`` has some files of a set but not all that
        `subset` needs. (If they are published files of an interrupted download, the
        missing ones are downloaded instead.)
    DataFormatError
        A `ValueError`: if a file in a given folder is damaged, or the numbers of images
        and labels differ. Damaged caches of Keras and scikit-learn are skipped with a
        warning.
    ValueError
        If `subset` is invalid.

    Warns
    -----
    UserWarning
        If a folder was given by `data_home` or ``SKMNIST_DATA`` but the images were
        found elsewhere; or if the files are those of Fashion-MNIST or KMNIST, which
        have the same names.

    See Also
    --------
    load_idx : Load any other set in the same format.
    load_digits : Load a smaller set that needs no download.

    Notes
    -----
    Checksums are verified for downloads, not for existing files. A download never
    replaces a file that differs from the published one. Several processes may download
    at the same time. Progress is shown on standard error if it is a terminal.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio and P. Haffner (1998). Gradient-based learning
    applied to document recognition. Proceedings of the IEEE 86 (11), 2278-2324.
    https://doi.org/10.1109/5.726791

    Examples
    --------
    >>> from skmnist.datasets import fetch_mnist
    >>> X, y = fetch_mnist("test", return_X_y=True)  # doctest: +SKIP
    >>> X.shape, X.dtype, y[:5]  # doctest: +SKIP
    ((10000, 784), dtype('uint8'), array([7, 2, 1, 0, 4]))
    """
    splits = subset_splits(subset)
    looked, given = [], _given_folders(data_home)
    target, parts, source = _search(given, splits, looked)
    if parts is None:
        if not download_if_missing:
            raise _not_found(target, looked)
        try:
            _download.download(target, splits)
        except OSError as err:
            raise _not_found(target, looked, failure=str(err)) from None
        parts, source = read_files(target, find_files(target), splits), str(target)
    if given and source != str(given[0][1]):
        warnings.warn(
            f"MNIST is read from {source}, as it is not in the folder that was named: "
            f"{looked[0]}",
            UserWarning,
            stacklevel=2,
        )
    family = known_family(parts)
    if family is not None and family.title != "MNIST":
        warnings.warn(
            f"{source} holds {family.title}, not MNIST; load_idx loads it without "
            "this warning",
            UserWarning,
            stacklevel=2,
        )
    return join_parts(parts, _description(parts, splits), source, return_X_y, family)


def _given_folders(data_home):
    """List the folders that the user named, with how, the first to count most."""
    given = []
    if data_home is not None:
        given.append(("data_home", Path(data_home).expanduser()))
    if os.environ.get(_ENVIRONMENT):
        given.append((f"${_ENVIRONMENT}", Path(os.environ[_ENVIRONMENT]).expanduser()))
    return given


def _search(given, splits, looked):
    """Look in all places; return where a download would go, the parts, their place."""
    target = None  # the first place where a download was begun
    for name, folder in given:
        # Listed once, so that another process's download cannot come in between.
        found = find_files(folder)
        if _broken_off(found, splits):
            looked.append(f"{name} {folder} (incomplete)")
            target = target or folder
            continue
        parts = read_files(folder, found, splits, _SPLITS)
        if parts is not None:
            return folder, parts, str(folder)
        looked.append(f"{name} {folder} ({absence(folder)})")

    default = _download.default_folder()
    target = target or (given[0][1] if given else default)
    found = find_files(default)
    if _broken_off(found, splits):
        looked.append(f"{default} (incomplete)")
    else:
        parts = read_files(default, found, splits, _SPLITS)
        if parts is not None:
            return target, parts, str(default)
        looked.append(f"{default} ({absence(default)})")

    for name, place, read in (
        ("Keras", _caches.keras_cache(), _caches.read_keras_cache),
        ("scikit-learn", _caches.sklearn_cache(), _caches.read_sklearn_cache),
    ):
        try:
            parts = read(splits)
        except (DataFormatError, OSError) as err:
            warnings.warn(
                f"the MNIST in the cache of {name} is passed over: {err}",
                UserWarning,
                stacklevel=3,
            )
            looked.append(f"the cache of {name}, {place} (damaged)")
            continue
        if parts is not None:
            return target, parts, str(place)
        looked.append(f"the cache of {name}, {place} (not there)")
    return target, None, None


def _broken_off(found, splits):
    """Return whether the files found are the first of a download that did not end."""
    return bool(
        found
        and missing_files(found, splits)
        and all(is_published(path) for path in found.values())
    )


def _not_found(target, looked, failure=None):
    """Compose the one error that says what is missing and how to get it.

    It names the files of both parts, whichever was asked for: who has to fetch them
    from another machine goes there once.
    """
    missing = missing_files(find_files(target), _SPLITS)
    ways = [
        f"put {', '.join(f'{stem}.gz' for stem in missing)} from "
        f"{_download.MIRRORS[0]} into {target}",
        f"put Keras' {NPZ_NAME} there",
        f"name the folder that has them by data_home or the variable {_ENVIRONMENT}",
    ]
    sections = {"MNIST was not found. Looked in": looked}
    if failure is None:
        ways.insert(0, "leave out download_if_missing=False and have it downloaded")
    else:
        sections["Downloading failed"] = failure.splitlines()
    sections["Do one of these"] = ways
    return DataNotFoundError(
        "\n".join(
            "\n- ".join([f"{heading}:", *items]) for heading, items in sections.items()
        )
    )


def _description(parts, splits):
    """Give the description of MNIST if that is what was read, else None."""
    for (images, target), split in zip(parts, splits, strict=True):
        if images.shape[1:] != IMAGE_SHAPE or not has_published_counts(target, split):
            return None
    counts = {
        split: "\n".join(f"    {digit}: {n:,}" for digit, n in enumerate(counts))
        for split, counts in LABEL_COUNTS.items()
    }
    return _DESCR.format(**counts)
