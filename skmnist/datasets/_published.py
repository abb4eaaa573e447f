"""MNIST as it was published: its files, their checksums, its label counts."""

import hashlib
from typing import NamedTuple

import numpy as np


class PublishedFile(NamedTuple):
    """Size in bytes and SHA-256 of one of the four files."""

    size: int
    sha256: str


FILES = {
    "train-images-idx3-ubyte.gz": PublishedFile(
        9_912_422, "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609"
    ),
    "train-labels-idx1-ubyte.gz": PublishedFile(
        28_881, "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c"
    ),
    "t10k-images-idx3-ubyte.gz": PublishedFile(
        1_648_877, "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6"
    ),
    "t10k-labels-idx1-ubyte.gz": PublishedFile(
        4_542, "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6"
    ),
}

IMAGE_SHAPE = (28, 28)

LABEL_COUNTS = {
    "train": (5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949),
    "test": (980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009),
}


def has_published_counts(labels, split):
    """Tell whether labels are as many of each digit as in the published part."""
    values, counts = np.unique(labels, return_counts=True)
    found = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return found == dict(enumerate(LABEL_COUNTS[split]))


def is_published(path):
    """Tell whether a file is, byte for byte, the published one of its name."""
    expected = FILES.get(path.name)
    if expected is None or not path.is_file():
        return False
    if path.stat().st_size != expected.size:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == expected.sha256
