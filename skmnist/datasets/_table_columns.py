"""Which columns of a table of images are pixels, labels or an index."""

import re
from collections import Counter
from dataclasses import dataclass
from math import isqrt

import numpy as np

from skmnist.datasets._files import DataFormatError
from skmnist.datasets._text_tables import is_index_name, is_label_name

_MAX_CLASSES = 100
_FEW_ROWS = 5  # fewer look alike, whatever they hold
_ADVICE = (
    "Name the columns in a first line (label,pixel0,pixel1,…; id for an index), or "
    "pass label= to read_csv: 'first', 'last', the number of the column, or None if "
    "there are no labels"
)


@dataclass(frozen=True)
class Columns:
    """What the columns of a table hold.

    Parameters
    ----------
    pixels : list of int
        The columns of pixels, in the order of the image.
    label : int or None
        The column of labels.
    index : tuple of int
        Columns that are left out. If there are no labels, their values must differ.
    shape : tuple of int or None
        Height and width, if names of columns such as 1x1, 1x2 say so.
    sides : tuple of {"first", "last", None}
        If not empty, values decide what the ends of `pixels` are: an index in front
        or not, and labels at one of these sides.
    """

    pixels: list
    label: int | None
    index: tuple = ()
    shape: tuple | None = None
    sides: tuple = ()


def choose_columns(table, label="auto", n_pixels=None):
    """Find out by names and numbers of columns what they hold, as far as that goes.

    Parameters
    ----------
    table : TextTable
        The table.
    label : str, int or None, default="auto"
        As `read_csv` takes it.
    n_pixels : int, default=None
        Number of pixels of an image, if it is known.

    Returns
    -------
    Columns
        With `sides` if values have to decide.

    Raises
    ------
    DataFormatError
        If a column is neither pixel nor label nor index, or may be both.
    """
    if table.names is None:
        columns = _numbered(table, label, n_pixels)
    else:
        columns = _named(table, label)
    if columns.sides and label == "auto":
        if len(columns.pixels) == n_pixels:
            columns = Columns(columns.pixels, None, columns.index, columns.shape)
        elif table.names is None and n_pixels is None and table.n_columns < 4:
            # Too narrow for an image; what was always read so stays so.
            first, *pixels = columns.pixels
            columns = Columns(pixels, first, columns.index)
    if n_pixels is not None:
        n_more = len(columns.pixels) - n_pixels
        if n_more and not (columns.sides and n_more in (1, 2)):
            raise DataFormatError(
                f"{table.path} has {table.n_columns:,} columns; images of {n_pixels} "
                "pixels are needed, with a label in front or without"
            )
    if not columns.pixels:
        raise DataFormatError(f"{table.path} has no columns of pixels")
    return columns


def _numbered(table, label, n_pixels):
    """Return the columns of a table without names."""
    every = list(range(table.n_columns))
    if isinstance(label, int):
        column = _numbered_label(table, label)
        return Columns([c for c in every if c != column], column, sides=(None,))
    if label == "auto":
        return Columns(every, None, sides=(None, "first", "last"))
    if label in (None, "first", "last"):
        return Columns(every, None, sides=(label,))
    raise DataFormatError(
        f"{table.path} has no names of columns, and so no column label={label!r}"
    )


def _numbered_label(table, label):
    """Return the column that a number means, from the end if it is negative."""
    n_columns = table.n_columns
    if not -n_columns <= label < n_columns:
        raise DataFormatError(
            f"{table.path} has {n_columns:,} columns, and so no column label={label}"
        )
    return label % n_columns


def _named(table, label):
    """Return the columns of a table with names."""
    names = table.names
    column = _find_label(table, label)
    index = tuple(
        c
        for c, name in enumerate(names)
        if c != column and is_index_name(name) and (name or c == 0)
    )
    rest = [c for c in range(len(names)) if c != column and c not in index]
    if column is None and label in ("first", "last") and rest:
        column = rest.pop(0 if label == "first" else -1)
    pixels, shape, family = _in_order(table, rest)
    if column is not None or label is None or _names_pixels(family, shape):
        return Columns(pixels, column, index, shape)
    if family is None:
        raise DataFormatError(
            f"{table.path}: which column is the label cannot be determined from the "
            f"names {_listed(names)}. {_ADVICE}"
        )
    return Columns(pixels, None, index, shape, sides=(None, "first", "last"))


def _find_label(table, label):
    """Return the column of labels that names or the caller say, or None."""
    names = table.names
    if isinstance(label, int):
        return _numbered_label(table, label)
    if label == "auto":
        found = [c for c, name in enumerate(names) if is_label_name(name)]
    elif label in (None, "first", "last"):
        return None
    else:
        found = [c for c, name in enumerate(names) if name == label]
        if not found:
            raise DataFormatError(
                f"{table.path} has no column {label!r}; its columns are "
                f"{_listed(names)}"
            )
    if len(found) > 1:
        raise DataFormatError(
            f"{table.path}: {' and '.join(table.name_column(c) for c in found)} may "
            "both hold the labels. Pass the number of one as label= to read_csv, and "
            "remove the other"
        )
    return found[0] if found else None


def _in_order(table, columns):
    """Put columns in the order that the numbers in their names say.

    Returns the columns, height and width if the names have two numbers, and what the
    names have in common, with # for each number.
    """
    names = [table.names[c].strip().lower() for c in columns]
    families = [re.sub(r"\d+", "#", name) for name in names]
    counts = Counter(family for family in families if "#" in family)
    if not counts:
        return columns, None, None
    family = counts.most_common(1)[0][0]
    for column, other in zip(columns, families, strict=True):
        if other != family:
            pixel = names[families.index(family)]
            raise DataFormatError(
                f"{table.path}: {table.name_column(column)} is neither a pixel, as "
                f"{pixel!r} is, nor an index, nor named as labels are. Remove it, or "
                "pass its name as label= to read_csv if it holds the labels"
            )
    places = [tuple(map(int, re.findall(r"\d+", name))) for name in names]
    by_place = sorted(range(len(places)), key=places.__getitem__)
    low, high = np.min(places, axis=0), np.max(places, axis=0)
    sizes = tuple((high - low + 1).tolist())
    is_complete = len(set(places)) == len(places) == np.prod(sizes, dtype=float)
    shape = sizes if is_complete and len(sizes) == 2 else None
    if _names_pixels(family, shape) and len(sizes) == 1 and not is_complete:
        _refuse_gap(table, names, [place for (place,) in places])
    if by_place == list(range(len(places))) and len(set(places)) == len(places):
        return columns, shape, family
    # Of two numbers the first is the row, unless the file counts the other way.
    if is_complete and (len(sizes) == 1 or (shape and names == sorted(names))):
        return [columns[i] for i in by_place], shape, family
    raise DataFormatError(
        f"{table.path}: the numbers in the names of columns ({_listed(names)}) are not "
        "in order, and do not say in which order the pixels are; put the columns in "
        "the order of the image, row after row"
    )


def _refuse_gap(table, names, places):
    """Refuse pixels with numbers of which some are missing, if they are distinct."""
    present = {*places}
    missing = next((n + 1 for n in sorted(places)[:-1] if n + 1 not in present), None)
    if missing is not None:
        name = re.sub(r"\d+", str(missing), names[0])
        raise DataFormatError(
            f"{table.path}: the columns of pixels go from {names[0]!r} to "
            f"{names[-1]!r}, but there is no {name!r}"
        )


def _names_pixels(family, shape):
    """Whether names such as pixel#, p# or #x# say that there is no label."""
    return family is not None and (
        shape is not None or bool(re.match(r"pix|px|p[\W_]?#", family))
    )


def _listed(names):
    shown = ", ".join(repr(name[:20]) for name in names[:3])
    return f"{shown}, …, {names[-1][:20]!r}" if len(names) > 3 else shown


def decide_by_values(path, columns, ends, n_pixels=None, *, labels_matter=True):
    """Find out by values what the columns at the ends of a table hold.

    Parameters
    ----------
    path : str or path-like
        The file, for messages.
    columns : Columns
        With the `sides` that labels may be at.
    ends : dict of int to ndarray of shape (n_images,)
        Whole numbers from 0 in the first six and the last five of
        ``columns.pixels``, by position there.
    n_pixels : int, default=None
        Number of pixels of an image, if it is known.
    labels_matter : bool, default=True
        Whether it makes a difference if a column holds labels or an index.

    Returns
    -------
    Columns
        Without `sides`.

    Raises
    ------
    DataFormatError
        If there is more than one way to read the table, or none.
    """
    places = columns.pixels
    n_columns = len(places)
    counts = _counts(ends[0])
    is_short = len(ends[0]) < _FEW_ROWS
    is_part = len(columns.sides) > 1 and not counts and _may_number_a_part(ends[0])
    readings = []
    for n_index in (0, 1) if counts or is_part else (0,):
        for side in columns.sides:
            start = n_index + (side == "first")
            stop = n_columns - (side == "last")
            if stop > start and _holds_pixels(ends, start, stop):
                label = {"first": n_index, "last": stop}.get(side)
                readings.append((start, stop, label, n_index))
    fitting = [
        (start, *rest)
        for start, *rest in readings
        if (rest[0] - start == n_pixels if n_pixels else _is_square(rest[0] - start))
    ]
    if len(columns.sides) == 1:  # the caller has said where the labels are
        readings = (fitting or readings)[:1]
    elif n_pixels or any(map(_is_square, range(n_columns - 2, n_columns + 1))):
        readings = fitting
        # One that looks right does not exclude the others.
        is_vague = is_short or is_part or _may_be_label_0(ends, n_columns, int(counts))
        if len(_distinct(fitting, labels_matter)) == 1 or not is_vague:
            readings = [r for r in fitting if _is_borne_out(r, ends, n_columns)]
    elif is_short:
        readings = []
    else:  # no squares: only the form of write_csv without a header
        readings = [r for r in readings if r[2:] == (0, 0) and not (counts or is_part)]
        readings = [r for r in readings if _is_borne_out(r, ends, n_columns)]
    if len(_distinct(readings, labels_matter)) != 1:
        raise DataFormatError(_undecided(path, readings, places, len(ends[0])))
    start, stop, label, n_index = readings[0]
    return Columns(
        places[start:stop],
        columns.label if label is None else places[label],
        (*columns.index, *places[:n_index]),
        columns.shape,
    )


def _distinct(readings, labels_matter):
    """Return the readings that differ, in their pixels or in labels as well."""
    return {reading if labels_matter else reading[:2] for reading in readings}


def _is_square(size):
    """Whether so many pixels are a square image; 36 may be 5×7 and a label, too."""
    return size >= 49 and isqrt(size) ** 2 == size


def _counts(values):
    """Whether values number the rows from 0 or 1, in whatever order."""
    least = values.min()
    expected = np.arange(least, least + len(values))
    return least < 2 and np.array_equal(np.sort(values), expected)


def _may_number_a_part(values):
    """Whether values may be the index of rows from anywhere in a table."""
    if len(np.unique(values)) < len(values):
        return False
    return len(values) < _FEW_ROWS or values.max() > 255 or (np.diff(values) > 0).all()


def _may_be_label_0(ends, n_columns, first):
    """Whether one end of less than 20 rows may be their label: 0, if sorted by label.

    It is rather background if more of it lies beside it, and the other end looks
    like labels: not mostly 0, and not black and white.
    """
    last = n_columns - 1
    if len(ends[0]) >= 20:
        return False
    for place, inward, other in ((first, 1, last), (last, -1, first)):
        beside = [ends[place + inward * n] for n in range(1, 5)]
        is_blank = not any(values.any() for values in beside)
        others = ends[other]
        is_ink = len(np.unique(others)) == 2 or np.mean(others > 0) <= 0.5
        if not ends[place].any() and (is_ink or not is_blank):
            return True
    return False


def _holds_pixels(ends, start, stop):
    """Whether the ends of a range of columns can be pixels."""
    held = [values for place, values in ends.items() if start <= place < stop]
    if any(values.max() > 255 for values in held):
        return False
    return start > 0 or len(ends[0]) < _FEW_ROWS or not _counts(ends[0])


def _is_borne_out(reading, ends, n_columns):
    """Whether the columns at both ends look like what a reading takes them for."""
    _, _, label, n_index = reading
    is_last = label == n_columns - 1
    if _look(ends, n_columns - 1, -1) != ("labels" if is_last else "pixels"):
        return False
    is_first = label == n_index
    n_rows = len(ends[0])
    counts = _counts(ends[0])
    # One image of each label in order, or an index; a few rows show neither.
    if n_rows < _FEW_ROWS and (n_index or (is_first and counts)):
        return False
    if n_index and not counts:
        return False
    if is_first and not n_index and counts:
        return n_rows <= _MAX_CLASSES and _look(ends, 1, 1) == "pixels"
    return _look(ends, n_index, 1) == ("labels" if is_first else "pixels")


def _look(ends, place, inward):
    """Say whether a column looks like labels or pixels; None if it may be either.

    Labels are few numbers that lie close together, and are distributed in another way
    than the pixels beside them. At the edge of an image lies background: it is 0, or
    alike in neighbouring pixels.
    """
    values = ends[place]
    n_inner = 4 if len(values) < _FEW_ROWS else 2
    inner = [place + inward * n for n in range(1, n_inner + 1)]
    inner = [ends[p] for p in inner if p in ends]
    most = values.max()
    n_values = len(np.unique(values))
    if most > 255:
        return "labels"
    # A few rows do not show all labels.
    limit = 2 * n_values + 10 if len(values) >= 20 else 62
    if n_values > _MAX_CLASSES or most >= limit or not inner or not most:
        return "pixels"
    if not any(neighbour.any() for neighbour in inner):
        return "labels" if np.mean(values > 0) >= 0.25 else None
    if np.mean(values != inner[0]) < 0.02:
        return "pixels"
    counts = [np.bincount(v, minlength=256) / len(v) for v in (values, inner[0])]
    distance = np.abs(counts[0] - counts[1]).sum() / 2
    # Two samples of one distribution differ by chance.
    n_kinds = np.count_nonzero(counts[0] + counts[1])
    by_chance = 0.6 * np.sqrt(n_kinds / len(values))
    return "labels" if distance >= 0.3 + by_chance else None


def _undecided(path, readings, places, n_rows):
    """Say why the meaning of columns is ambiguous."""
    n_columns = len(places)
    first, last = places[0] + 1, places[-1] + 1
    if len(readings) > 1 and n_rows < _FEW_ROWS:
        rows = "1 row does" if n_rows == 1 else f"{n_rows} rows do"
        why = (
            f"{rows} not show whether columns {first} and {last} hold pixels, labels "
            "or an index"
        )
    elif len(readings) > 1 and len(_distinct(readings, False)) == 1:
        why = f"column {first} may hold labels or number the rows"
    elif any(map(_is_square, range(n_columns - 2, n_columns + 1))):
        why = f"by their values, columns {first} and {last} may be pixels or labels"
    else:
        why = "with or without labels or an index, the images are not square"
    return (
        f"{path}: which of {n_columns:,} columns are pixels is ambiguous: {why}. "
        f"{_ADVICE}"
    )
