"""The published relatives of MNIST: their storage and the meaning of their labels.

EMNIST keeps its images column by column, as MATLAB does, so that each lies transposed;
the digits and letters of the other sets stand upright. Fashion-MNIST and KMNIST use
MNIST's own file names, so they are known by their labels, which no other set has in
that order.
"""

import string
from typing import NamedTuple

import numpy as np

from skmnist.datasets._published import LABEL_CHECKSUMS, unpacked_checksum


class Family(NamedTuple):
    """A published set: its title, what each label shows, how its files are stored."""

    title: str
    names: dict
    transposed: bool = False
    label_columns: int = 1  # the first is the class


def _numbered(names, first=0):
    return dict(enumerate(names, first))


_DIGITS = string.digits
_UPPER = string.ascii_uppercase
# Lower-case letters whose form differs from the capital's; the others are merged.
_DISTINCT_LOWER = "abdefghnqrt"
_CLOTHING = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)
_HIRAGANA = (
    "あいうえおかきくけこさしすせそたちつてとなにぬねのはひふへほ"
    "まみむめもやゆよらりるれろわゐゑをんゝ"
)
_EMNIST = {
    "byclass": _numbered(_DIGITS + _UPPER + string.ascii_lowercase),
    "bymerge": _numbered(_DIGITS + _UPPER + _DISTINCT_LOWER),
    "balanced": _numbered(_DIGITS + _UPPER + _DISTINCT_LOWER),
    "letters": _numbered(_UPPER, first=1),
    "digits": _numbered(_DIGITS),
    "mnist": _numbered(_DIGITS),
}

# By the beginning of the names of their files.
FAMILIES = {
    "mnist": Family("MNIST", _numbered(_DIGITS)),
    "fashion-mnist": Family("Fashion-MNIST", _numbered(_CLOTHING)),
    "kmnist": Family("KMNIST", _numbered("おきすつなはまやれを")),
    "k49": Family("Kuzushiji-49", _numbered(_HIRAGANA)),
    "qmnist": Family("QMNIST", _numbered(_DIGITS), label_columns=8),
} | {
    f"emnist-{split}": Family(f"EMNIST {split}", names, transposed=True)
    for split, names in _EMNIST.items()
}

# Those that are published under MNIST's names, with nothing in front.
UNPREFIXED = ("mnist", "fashion-mnist", "kmnist")

# SHA-256 of the unpacked files of labels.
_LABELS = {
    LABEL_CHECKSUMS["train"]: "mnist",
    LABEL_CHECKSUMS["test"]: "mnist",
    "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9": "fashion-mnist",
    "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34": "fashion-mnist",
    "2a16eeae62da984b8bd24fa32e31d47291f01dac3fe84d5594f304f71e7d374b": "kmnist",
    "a11dc742be8e781a40a92f53d6a4957e7b7d36df2faa097659131ebfd8fd60c6": "kmnist",
}
_SIZES = (60_000, 10_000)


def known_by_labels(labels):
    """Name the set whose training or test part has exactly these labels, or None."""
    if len(labels) not in _SIZES or labels.max() > 255:
        return None
    return _LABELS.get(unpacked_checksum(labels.astype(np.uint8)))


def upright(images):
    """Transpose each image; square ones in place, a block at a time.

    The largest of these sets takes half a gigabyte, which should not be there twice.
    """
    if images.shape[1] != images.shape[2]:
        return np.ascontiguousarray(images.transpose(0, 2, 1))
    for start in range(0, len(images), 10_000):
        block = images[start : start + 10_000]
        block[:] = block.transpose(0, 2, 1).copy()
    return images
