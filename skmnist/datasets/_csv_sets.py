"""Image sets in CSV files: one file, or a folder with a training and a test part."""

import re
from math import isqrt
from pathlib import Path

from skmnist.datasets._csv import read_table
from skmnist.datasets._files import DataFormatError
from skmnist.datasets._loaders import make_bunch

_NAME = re.compile(r"(?:.*[-_. ])?(train|test)\.csv(?:\.gz)?", re.IGNORECASE)
_SUFFIX = re.compile(r"\.(csv|tsv|txt)(\.gz)?$", re.IGNORECASE)


def is_table(path):
    """Whether the name of a file is one of a table."""
    return bool(_SUFFIX.search(str(path)))


def stem_of(path):
    """Return the name of a file or folder without the suffix of a table."""
    return _SUFFIX.sub("", Path(path).name)


def find_tables(folder):
    """Map what CSV files a folder has: "train" and "test" to path.

    Their names are or end in ``train.csv`` and ``test.csv``. A folder that has just
    one CSV file, of another name, has a training part.
    """
    tables = [
        path
        for path in sorted(folder.iterdir())
        if path.is_file() and re.search(r"\.csv(\.gz)?$", path.name, re.IGNORECASE)
    ]
    # Of a packed and an unpacked file of one name the unpacked one is read.
    tables = [p for p in tables if p.suffix != ".gz" or p.with_suffix("") not in tables]
    found = {}
    for path in tables:
        match = _NAME.fullmatch(path.name)
        if match:
            found.setdefault(match.group(1).lower(), []).append(path)
    if not found and len(tables) == 1:
        return {"train": tables[0]}
    for paths in found.values() if found else [tables]:
        if len(paths) > 1:
            names = ", ".join(path.name for path in paths)
            raise DataFormatError(
                f"{folder} holds {names}: which of them is meant is ambiguous; give "
                "one file, or a folder with one train.csv and one test.csv"
            )
    return {part: paths[0] for part, paths in found.items()}


def read_tables(found):
    """Read the parts of a set.

    Parameters
    ----------
    found : dict of {"train", "test"} to path
        As `find_tables` makes it.

    Returns
    -------
    parts : dict of {"train", "test"} to Bunch
        As `load_idx` makes them; without those that have no labels.
    unlabelled : list of path
        The files that have no labels.

    Raises
    ------
    DataFormatError
        If a file cannot be read, if the images of both differ in size, or if their
        height and width are unknown.
    """
    parts, unlabelled, n_pixels = {}, [], None
    for part in ("train", "test"):
        if part not in found:
            continue
        path = found[part]
        table = read_table(path, n_pixels=n_pixels)
        n_pixels = table.pixels.shape[1]
        if table.labels is None:
            unlabelled.append(path)
            continue
        shape = table.shape or _square(path, n_pixels)
        images = table.pixels.reshape(-1, *shape)
        parts[part] = make_bunch(
            images, table.labels, f"Images from {path}.\n", str(path), False
        )
    return parts, unlabelled


def _square(path, n_pixels):
    side = isqrt(n_pixels)
    if side * side != n_pixels:
        raise DataFormatError(
            f"{path}: images of {n_pixels} pixels are not square, and the names of the "
            "columns do not tell height and width, as 1x1, 1x2, … (row × column) do"
        )
    return side, side
