"""MNIST in the caches of Keras and scikit-learn."""

import json
import math
import os
from pathlib import Path
from urllib.parse import urlsplit

from skmnist._numbers import by
from skmnist.datasets._csv import read_arff
from skmnist.datasets._files import (
    DataFormatError,
    check_unpacked_size,
    open_data,
    read_up_to,
)
from skmnist.datasets._folders import NPZ_NAME, read_archive
from skmnist.datasets._published import (
    IMAGE_SHAPE,
    LABEL_COUNTS,
    has_published_counts,
)

# OpenML's number for version 1 of mnist_784, the only active one.
_OPENML_ID = 554


def keras_cache():
    """Return the path of the file of ``keras.datasets.mnist.load_data``."""
    home = os.environ.get("KERAS_HOME") or os.path.join("~", ".keras")
    return Path(os.path.expanduser(home)) / "datasets" / NPZ_NAME


def read_keras_cache(splits):
    """Read MNIST from the cache of Keras; None if there is none."""
    path = keras_cache()
    return read_archive(path, splits) if path.is_file() else None


def sklearn_cache():
    """Name the folder where ``sklearn.datasets.fetch_openml`` keeps its files.

    Not asked of scikit-learn, whose `get_data_home` creates the folder.
    """
    home = os.environ.get("SCIKIT_LEARN_DATA", os.path.join("~", "scikit_learn_data"))
    return Path(os.path.expanduser(home)) / "openml" / "openml.org"


def read_sklearn_cache(splits):
    """Read ``mnist_784`` from the cache of scikit-learn; None if there is none.

    `fetch_openml` itself would ask the network for whatever is missing, and would
    delete what it cannot read, so its files are read here. Each lies under the path
    of the address it came from, with ``.gz`` added: the description of the data
    set, and the data in ARFF format at the address that the description gives.
    """
    root = sklearn_cache()
    description = root / "api" / "v1" / "json" / "data" / f"{_OPENML_ID}.gz"
    if not description.is_file():
        return None
    path = root / (_data_address(description).lstrip("/") + ".gz")
    if not path.is_file():
        return None
    pixels, labels = read_arff(path)
    n_train, n_test = sum(LABEL_COUNTS["train"]), sum(LABEL_COUNTS["test"])
    expected = (n_train + n_test, math.prod(IMAGE_SHAPE))
    if pixels.shape != expected:
        raise DataFormatError(
            f"{path}: expected {by(expected)} pixels, found {by(pixels.shape)}"
        )
    # OpenML does not mark the test part. It is known by its place, so make sure
    # that the order is the published one.
    parts = {}
    for split, rows in ("train", slice(n_train)), ("test", slice(n_train, None)):
        if not has_published_counts(labels[rows], split):
            raise DataFormatError(f"{path}: the images are not in their usual order")
        parts[split] = pixels[rows].reshape(-1, *IMAGE_SHAPE), labels[rows]
    return [parts[split] for split in splits]


def _data_address(description):
    """Read the path part of the data's address from a description of OpenML."""
    with open_data(description) as stream:
        text = read_up_to(stream, 1 << 24)
        check_unpacked_size(description, stream, len(text))
    try:
        return urlsplit(json.loads(text)["data_set_description"]["url"]).path
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        raise DataFormatError(
            f"{description}: not the description of a data set of OpenML ({err!r})"
        ) from err
