"""Labelled images with a training and a test part, by one name."""

import os
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from skmnist._numbers import by, pixels
from skmnist._suggestions import suggestion
from skmnist._warnings import warn_caller
from skmnist.datasets._csv_sets import find_tables, is_table, read_tables
from skmnist.datasets._folders import choose_set, find_sets, set_names
from skmnist.datasets._loaders import load_digits, load_idx
from skmnist.datasets._mnist import fetch_mnist

__all__ = ["ImageSet", "load_image_set"]

HELD_OUT = 0.25

_NAMES = ("digits", "mnist")


@dataclass(frozen=True, eq=False)
class ImageSet:
    """Labelled images, with a training part, a test part, or both.

    Parameters
    ----------
    name : str
        "digits", "mnist", or the path of a folder or a file.
    source : str
        Where the images were read.
    image_shape : tuple of int
        Height and width.
    X, y : ndarray or None
        Training images as rows of pixels, and their labels.
    X_test, y_test : ndarray or None
        Test images and labels.
    target_names : dict of int to str
        What each label stands for, where it is more than the label itself.
    """

    name: str
    source: str
    image_shape: tuple
    X: np.ndarray | None
    y: np.ndarray | None
    X_test: np.ndarray | None = None
    y_test: np.ndarray | None = None
    target_names: dict = field(default_factory=dict)

    @property
    def address(self):
        """The name, as it is understood in any working directory."""
        if self.name in _NAMES:
            return self.name
        return str(Path(self.name).expanduser().resolve())

    @property
    def has_test(self):
        """Whether there is a test part."""
        return self.X_test is not None

    @property
    def tested(self):
        """Images and labels of the test part, and the shape of an image."""
        return self.X_test, self.y_test, self.image_shape

    @property
    def size(self):
        """Height and width as text."""
        return pixels(self.image_shape)

    @property
    def labels(self):
        """All labels that occur, in order."""
        parts = [part for part in (self.y, self.y_test) if part is not None]
        return np.unique(np.concatenate(parts))

    def require(self, part):
        """Refuse a set that lacks its "train" or "test" part, or cannot be learned."""
        if (self.X if part == "train" else self.X_test) is None:
            raise ValueError(f"{self.name} has no {part} part.")
        if part == "train" and (self.y == self.y[0]).all():
            raise ValueError(
                f"{self.name} has training images of one label only, {self.y[0]}; at "
                "least 2 labels are needed."
            )

    def require_known_labels(self):
        """Refuse a test part with labels that no model can learn from the other."""
        unknown = np.setdiff1d(self.y_test, self.y)
        if len(unknown):
            raise ValueError(
                f"{self.name} has test images of labels that no training image has: "
                f"{', '.join(map(str, unknown))}."
            )

    def with_test(self, seed):
        """Return the set with a test part.

        A set without one sets a quarter of its images aside, stratified by label;
        the seed decides which.
        """
        if self.has_test:
            return self
        from sklearn.model_selection import train_test_split

        self._check_divisible()
        X, X_test, y, y_test = train_test_split(
            self.X, self.y, test_size=HELD_OUT, stratify=self.y, random_state=seed
        )
        return replace(self, X=X, y=y, X_test=X_test, y_test=y_test)

    def _check_divisible(self):
        """Refuse to keep back images where a label would be missing from a part."""
        labels, counts = np.unique(self.y, return_counts=True)
        start = f"{self.name} has no test part, and too few images to keep some back"
        if counts.min() < 2:
            raise ValueError(
                f"{start}: at least 2 of each label are needed, and there is 1 of "
                f"label {labels[counts.argmin()]}."
            )
        if len(self.y) * HELD_OUT < len(labels):
            raise ValueError(
                f"{start}: at least {len(labels) / HELD_OUT:.0f} are needed for "
                f"{len(labels)} labels, and there are {len(self.y)}."
            )

    def part(self, subset, seed):
        """Return images and labels of the "train" or "test" part, or "all"."""
        split = self.with_test(seed) if self.X is not None else self
        parts = {
            "train": [(split.X, split.y)],
            "test": [(split.X_test, split.y_test)],
        }
        parts["all"] = [
            (X, y) for X, y in parts["train"] + parts["test"] if X is not None
        ]
        images, labels = zip(*parts[subset], strict=True)
        if images[0] is None:
            raise ValueError(f"{self.name} has no {subset} part.")
        return np.concatenate(images), np.concatenate(labels)


def load_image_set(name):
    """Load an image set by its name or path.

    Parameters
    ----------
    name : str or path-like
        "digits" for the embedded digits, "mnist", the path of a folder of IDX files,
        with ``mnist.npz`` or with CSV files, or the path of a CSV file. Where a folder
        holds several sets, the name of one follows, as in ``gzip/emnist-letters``.

    Returns
    -------
    ImageSet
        With the parts that are there; the embedded digits have no test part.

    Raises
    ------
    ValueError, OSError
        If there is no such set, or its files are damaged.
    """
    if not isinstance(name, str):  # a path, even where it reads like a name
        name = os.path.join(os.curdir, name)
    if name == "digits":
        parts = [load_digits(), None]
    elif name == "mnist":
        parts = [fetch_mnist(subset) for subset in ("train", "test")]
    else:
        parts = _load_folder(name)
    return _image_set(name, parts)


def _image_set(name, parts):
    train, test = parts
    some = train if train is not None else test
    if train is not None and test is not None and train.image_shape != test.image_shape:
        raise ValueError(
            f"{name}: training images are of {by(train.image_shape)} pixels, test "
            f"images of {by(test.image_shape)} (height × width)."
        )
    return ImageSet(
        name,
        some.source,
        tuple(map(int, some.image_shape)),
        *((None, None) if train is None else (train.data, train.target)),
        *((None, None) if test is None else (test.data, test.target)),
        _names([part for part in parts if part is not None]),
    )


def _names(parts):
    """Map labels to what they stand for; nothing if that is the labels themselves."""
    names = {
        int(label): str(name)
        for part in parts
        for label, name in zip(np.unique(part.target), part.target_names, strict=True)
    }
    return {} if all(str(label) == name for label, name in names.items()) else names


def _load_folder(name):
    """Load the parts of a set that a path has; None for those that it lacks."""
    folder, set_name = Path(name).expanduser(), None
    if not folder.exists():
        # One of several sets in a folder goes by the path that its files begin with.
        near = set_names(folder.parent)
        if folder.name.lower() not in near:
            choices = [*_NAMES, *(str(folder.parent / other) for other in near)]
            raise ValueError(
                f"There is no data set {name!r}: give 'digits', 'mnist', a folder of "
                f"IDX or CSV files, or a CSV file.{suggestion(name, choices)}"
            )
        folder, set_name = folder.parent, folder.name
    if folder.is_file() and is_table(folder):
        return _load_tables({"train": folder})
    if folder.is_dir() and not find_sets(folder) and (found := find_tables(folder)):
        return _load_tables(found)
    present = choose_set(folder, set_name, ("train", "test")).splits
    if not present:
        load_idx(folder, name=set_name)  # says what was expected
    return [
        load_idx(folder, subset, name=set_name) if subset in present else None
        for subset in ("train", "test")
    ]


def _load_tables(found):
    """Load the parts of a set from CSV files; a test part without labels is none."""
    parts, unlabelled = read_tables(found)
    if found.get("train", unlabelled) in unlabelled or not parts:
        raise ValueError(
            f"{unlabelled[0]} has no labels, which a data set needs; 'skmnist predict' "
            "reads such a file."
        )
    for path in unlabelled:
        warn_caller(f"{path} has no labels, and is left out.")
    return [parts.get("train"), parts.get("test")]
