"""Image sets written to files in other formats."""

import os
import shutil
import tempfile
from pathlib import Path

from skmnist.cli._errors import BadInput, Failure, describe
from skmnist.cli._result_files import check_folder

_IDX_PARTS = {"train": "train", "test": "t10k"}


def parts_of(image_set):
    """List name, images and labels of the parts that are there."""
    parts = [
        ("train", image_set.X, image_set.y),
        ("test", image_set.X_test, image_set.y_test),
    ]
    return [part for part in parts if part[1] is not None]


def file_names(image_set, file_format):
    """Return the usual names of the files of a set in a format, without a folder."""
    from skmnist.datasets._csv_sets import stem_of

    parts = [part for part, _, _ in parts_of(image_set)]
    if file_format == "npz":
        return ["mnist.npz"]
    if file_format == "csv":
        stem = stem_of(Path(image_set.name).resolve())
        if len(parts) == 1:
            return [f"{stem}.csv"]
        return [f"{stem}_{part}.csv" for part in parts]
    return [
        f"{_IDX_PARTS[part]}-{kind}-ubyte.gz"
        for part in parts
        for kind in ("images-idx3", "labels-idx1")
    ]


def check_export(image_set, file_format, folder, *, force):
    """Refuse files that exist, and a folder that cannot be written to."""
    if file_format == "npz" and image_set.X is None:
        raise BadInput(f"{image_set.name} has no training part, which npz needs.")
    folder = Path(folder)
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"--out {folder} is a file; give a folder.")
    existing = folder
    while not existing.exists():
        existing = existing.parent
    check_folder(existing)
    for name in file_names(image_set, file_format):
        if (folder / name).exists() and not force:
            raise BadInput(f"{folder / name} exists; --force replaces it.")


def export(image_set, file_format, folder):
    """Write a set to a folder, all files or none; return their paths.

    The folder is made if it does not exist. Raises Failure if writing fails.
    """
    folder = Path(folder)
    names = file_names(image_set, file_format)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=".skmnist-", dir=folder))
        try:
            _write(image_set, file_format, [partial / name for name in names])
            for name in names:
                os.replace(partial / name, folder / name)
        finally:
            shutil.rmtree(partial, ignore_errors=True)
    except OSError as error:
        raise Failure(f"Cannot write to {folder}: {describe(error)}") from error
    return [folder / name for name in names]


def _write(image_set, file_format, paths):
    from skmnist.datasets import write_csv, write_idx, write_npz

    parts = [
        (X.reshape(-1, *image_set.image_shape), y) for _, X, y in parts_of(image_set)
    ]
    arrays = [array for part in parts for array in part]
    if file_format == "npz":
        write_npz(paths[0], *arrays)
    elif file_format == "csv":
        for path, part in zip(paths, parts, strict=True):
            write_csv(path, *part)
    else:
        for path, array in zip(paths, arrays, strict=True):
            write_idx(path, array)
