"""Image sets in folders: which are there, which one is meant, and their arrays."""

import itertools
import re
from pathlib import Path
from typing import NamedTuple

from skmnist._numbers import by, counted
from skmnist.datasets._arrays import as_labels, as_pixels
from skmnist.datasets._families import FAMILIES, UNPREFIXED, Family, upright
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
# The relatives of MNIST put their own name in front: emnist-letters-train-images-…
# K49 has numpy archives of one array: k49-train-imgs.npz.
_FILE_NAME = re.compile(
    r"(?:(?P<name>.+?)[-_])?(?P<split>train|t10k|test)-(?P<kind>images|imgs|labels)"
    r"(?:[-.]idx\d-(?:ubyte|byte|short|int)(?:\.gz)?|\.npz)",
    re.IGNORECASE,
)
NPZ_NAME = "mnist.npz"
_MAX_SHOWN = 5
_MAX_FOLDERS = 200


class FoundSet(NamedTuple):
    """The files of one set in a folder, and what is known of it.

    `files` maps (split, kind) to path and is empty if the set is in ``mnist.npz``.
    `name` precedes the names of the files. `family` is None unless that
    name, or the one that was asked for, is of a published set.
    """

    folder: Path
    name: str
    files: dict
    family: Family | None

    @property
    def splits(self):
        """The parts of which something is there."""
        if self.files:
            return {split for split, _ in self.files}
        arrays = read_npz(self.folder / NPZ_NAME)
        return {name.partition("_")[2] for name in arrays} & {"train", "test"}

    def read(self, splits):
        """Read images and labels of some parts."""
        return read_files(self.folder, self.files, splits, of=self)


def find_sets(folder):
    """Map the sets in a folder, by what precedes their names, to files.

    What has MNIST's own names is the set ``""``.
    """
    if folder.is_file():
        raise NotADirectoryError(
            f"{folder} is a file; a folder with files in the naming of MNIST is needed"
        )
    if not folder.is_dir():
        return {}
    sets = {}
    # Packed files first, so that an unpacked one replaces it.
    paths = sorted(
        folder.iterdir(),
        key=lambda path: (path.suffix not in (".gz", ".npz"), path.name),
    )
    for path in paths:
        match = _FILE_NAME.fullmatch(path.name)
        if match and path.is_file():
            split = "train" if match["split"].lower() == "train" else "test"
            kind = match["kind"].lower().replace("imgs", "images")
            sets.setdefault((match["name"] or "").lower(), {})[split, kind] = path
    if (folder / NPZ_NAME).is_file():
        sets.setdefault("", {})
    return sets


def find_files(folder):
    """Map what is in a folder in the naming of MNIST: (split, kind) to path."""
    return find_sets(folder).get("", {})


def set_names(folder):
    """Return the names by which `choose_set` finds the sets in a folder."""
    sets = find_sets(folder)
    known = UNPREFIXED if "" in sets else ()
    return {*sets, *known} - {""}


def choose_set(folder, name, splits):
    """Return the one set in a folder, or the one of a name.

    Raises
    ------
    DataNotFoundError
        If there is none, or none of this name.
    ValueError
        If there are several and no name is given, or the name is no text.
    """
    sets = find_sets(folder)
    if name is None:
        if len(sets) > 1:
            raise ValueError(_several(folder, sets))
        if not sets:
            raise DataNotFoundError(
                f"{folder}: {absence(folder)}; expected {wanted_files(splits)}, "
                f"plain or with .gz, or {NPZ_NAME}{_contents(folder)}"
            )
        (key,) = sets
        return FoundSet(folder, key, sets[key], FAMILIES.get(key))
    if not isinstance(name, str):
        raise ValueError(f"name must be a str or None, got {name!r}")
    if name.lower() not in set_names(folder):
        choices = f"; it holds {_listed(sets)}" if sets else _contents(folder)
        raise DataNotFoundError(f"{folder} holds no set {name!r}{choices}")
    key = name.lower() if name.lower() in sets else ""
    return FoundSet(folder, key, sets[key], FAMILIES.get(name.lower()))


def _several(folder, sets):
    """Say which sets a folder holds, and how to choose."""
    example = next(key for key in sorted(sets) if key)
    text = (
        f"{folder} holds several sets: {_listed(sets)}. Choose one, for example by "
        f"name={example!r} (on the command line: {folder / example})"
    )
    if "" in sets:
        known = " or ".join(map(repr, UNPREFIXED))
        text += f"; for the files in MNIST's naming, say what they are: {known}"
    return text


def _listed(sets):
    names = [repr(key) for key in sorted(sets) if key]
    return ", ".join(["files in MNIST's naming"] * ("" in sets) + names)


def absence(folder):
    """Say why nothing was found in a folder."""
    return "no such folder" if not folder.is_dir() else "none of the files is there"


def _contents(folder):
    """Say what a folder holds that has no set; begins with a separator."""
    if not folder.is_dir():
        return ""
    below = [str(path) for path in _subfolders(folder) if _holds_set(path)]
    if below:
        return f". These folders hold sets: {_shortened(below)}"
    names = sorted(path.name for path in folder.iterdir())
    return f". It holds {_shortened(names)}" if names else ". The folder is empty"


def _shortened(names):
    n_more = len(names) - _MAX_SHOWN
    more = f" and {n_more:,} more" if n_more > 0 else ""
    return ", ".join(names[:_MAX_SHOWN]) + more


def _subfolders(folder):
    """Yield the folders in a folder and in those, as unpacked archives have them."""
    pattern = itertools.chain(folder.glob("*/"), folder.glob("*/*/"))
    yield from sorted(itertools.islice(pattern, _MAX_FOLDERS))


def _holds_set(folder):
    try:
        return bool(find_sets(folder))
    except OSError:  # it cannot be listed, or is no folder
        return False


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


def read_files(folder, found, splits, named=None, of=None):
    """Read the parts of a set from the files found, or return None without any.

    An error for files that the parts `splits` lack names those that the parts `named`
    lack, by default the same. `of` is the `FoundSet`, if the files are not MNIST's.
    """
    if found:
        if missing_files(found, splits):
            missing = missing_files(found, named or splits)
            if of is not None and of.name:
                missing = [_relatives_name(of, stem) for stem in missing]
            names = ", ".join(sorted(path.name for path in found.values()))
            raise DataNotFoundError(
                f"{folder} is incomplete: it holds {names}, but lacks "
                f"{', '.join(missing)} (plain or with .gz)"
            )
        family = None if of is None else of.family
        return [_read_part(found, split, family) for split in splits]
    if (folder / NPZ_NAME).is_file():
        return read_archive(folder / NPZ_NAME, splits)
    return None


def _relatives_name(of, stem):
    """Give a file of MNIST the name that it has in a set with a name of its own."""
    stem = f"{of.name}-{stem}".replace("t10k", "test")
    if any(path.suffix.lower() == ".npz" for path in of.files.values()):
        stem = re.sub(r"-idx.*", ".npz", stem.replace("-images-", "-imgs-"))
    return stem


def _read_part(found, split, family):
    """Read images and labels of one part from a pair of files."""
    paths = found[split, "images"], found[split, "labels"]
    images, labels = map(_read_values, paths)
    columns = 1 if family is None else family.label_columns
    if columns > 1 and labels.ndim == 2 and labels.shape[1] == columns:
        labels = labels[:, 0]
    images, labels = _checked(images, labels, *paths)
    if family is not None and family.transposed:
        images = upright(images)
    return images, labels


def _read_values(path):
    """Read an IDX file, or the one array of a numpy archive."""
    if path.suffix.lower() != ".npz":
        return read_idx(path)
    arrays = read_npz(path)
    if len(arrays) > 1:
        raise DataFormatError(
            f"{path}: expected one array, found {counted(len(arrays), 'array')}: "
            f"{', '.join(map(repr, arrays))}"
        )
    (array,) = arrays.values()
    return array


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
