"""MNIST as it was published: its files, their checksums, its label counts."""

import hashlib
from typing import NamedTuple

import numpy as np

from skmnist.datasets._idx import idx_parts


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

# SHA-256 of the unpacked files. There is a copy of the training images in which the
# pixel value 1 reads 0, which is 0.05 % of the pixels, and all else is as published.
IMAGE_CHECKSUMS = {
    "train": (
        "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        "b61ffb6f513fd9ff8d89824731f6b4ed7863c759c33056d701efb8412469fb04",
    ),
    "test": ("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",),
}
LABEL_CHECKSUMS = {
    "train": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    "test": "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
}


def holds_mnist(images, labels, split):
    """Return whether images and labels are those of a part of MNIST, in their order.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width)
        Of type uint8, as published.
    labels : ndarray of shape (n_images,)
        Of any type of number.
    split : {"train", "test"}
        The part.

    Returns
    -------
    bool
        Decided by checksums of all values.
    """
    return (
        has_published_counts(labels, split)
        and unpacked_checksum(labels.astype(np.uint8)) == LABEL_CHECKSUMS[split]
        and unpacked_checksum(images) in IMAGE_CHECKSUMS[split]
    )


def unpacked_checksum(array):
    """Return the SHA-256 of the IDX file that holds an array."""
    digest = hashlib.sha256()
    for part in idx_parts(array):
        digest.update(part)
    return digest.hexdigest()


def has_published_counts(labels, split):
    """Return whether labels are as many of each digit as in the published part."""
    values, counts = np.unique(labels, return_counts=True)
    found = dict(zip(values.tolist(), counts.tolist(), strict=True))
    return found == dict(enumerate(LABEL_COUNTS[split]))


def is_published(path):
    """Return whether a file is, byte for byte, the published one of its name."""
    expected = FILES.get(path.name)
    if expected is None or not path.is_file():
        return False
    if path.stat().st_size != expected.size:
        return False
    with open(path, "rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest() == expected.sha256
