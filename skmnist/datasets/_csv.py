"""Images as rows of text: comma-separated values, and the ARFF files of OpenML."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from skmnist.datasets._arrays import as_labels, as_pixels
from skmnist.datasets._files import DataFormatError, replacing_data
from skmnist.datasets._table_columns import Columns, choose_columns, decide_by_values
from skmnist.datasets._text_lines import open_text
from skmnist.datasets._text_tables import (
    MAX_LABEL,
    TextTable,
    find_table,
    whole_numbers,
)

if TYPE_CHECKING:
    from os import PathLike

    from numpy.typing import ArrayLike

_NUMBERS = tuple(str(value) for value in range(256))
_A_PIXEL = ("a pixel: a whole number from 0 to 255", 255)
_A_LABEL = ("a label: a whole number from 0 (encode other labels first)", MAX_LABEL)
_A_NUMBER = ("a whole number from 0", MAX_LABEL)


def read_csv(
    path: str | PathLike,
    *,
    label: str | int | None = "auto",
    header: bool | Literal["auto"] = "auto",
) -> tuple[np.ndarray, np.ndarray | None]:
    r"""Read images and labels from a CSV file.

    Each row is one image: one column per pixel, in row-major order, and optionally a
    label. The layout of the columns is detected; ambiguous tables are refused.

    Parameters
    ----------
    path : str or path-like
        The file, plain or gzipped. Gzip is detected from the content, but a file whose
        name ends in ``.gz`` must be gzipped. The encoding is UTF-8, unless a byte order
        mark says otherwise. Columns are separated by commas, semicolons, tabs or
        spaces; with semicolons and tabs, numbers may have decimal commas. Cells may be
        quoted. Lines before the first row that begin with ``#`` are comments.
    label : {"auto", "first", "last"}, str, int or None, default="auto"
        The column of the labels: the first (after an index), the last, a column name,
        or a column number from 0 (or negative, from the end). None means no labels. For
        ``"auto"``, see the notes.
    header : bool or "auto", default="auto"
        Whether the first row contains column names. ``"auto"`` treats it as names if
        one of its cells is a word and the numbers in it count upward.

    Returns
    -------
    X : ndarray of shape (n_images, n_pixels), dtype uint8
        The pixels, 0 to 255.
    y : ndarray of shape (n_images,), dtype int64, or None
        The labels, or None if the file has none.

    Raises
    ------
    DataFormatError
        If a cell is not a whole number (7, 7.0 or 7e0), a pixel is not between 0 and
        255, a row differs in length from the first, or there are no rows. The message
        gives the row, counted from 1 and including the header, as in a spreadsheet.
        Also if labels are not whole numbers from 0 (encode letters first), if the
        meaning of the columns is ambiguous, or if the file is damaged or is not gzipped
        although its name ends in ``.gz``.
    FileNotFoundError
        If the file does not exist.

    See Also
    --------
    write_csv : Write images and labels to a CSV file.

    Notes
    -----
    With ``label="auto"``, column names decide first. Case is ignored.

    - ``label``, ``labels``, ``target``, ``targets``, ``class``, ``digit`` and ``y``
      name the labels.
    - ``index``, ``id``, ``ImageId`` and the like, ``Unnamed: 0``, or an empty name of
      the first column denote an index, which is left out.
    - All other names must differ in numbers only, such as ``pixel0``, ``pixel1`` or
      ``1x1``, ``1x2``. The columns are sorted by these numbers (row × column). If the
      names say pixel, or have two numbers, none of these columns holds labels.

    If there are no names, or they say nothing (``0``, ``1`` or ``V1``, ``V2``), the
    number of columns and the values in the first and last columns decide.

    - All columns except a label and an index must form a square of at least 7×7 pixels.
      If that is impossible, only a label in the first column is detected, and only with
      at least five rows.
    - Labels have at most 100 different values that are close together and are
      distributed differently from the pixels next to them; pixels at the edge are 0, or
      alike, or have many different values.
    - An index counts from 0 or 1; in up to 100 rows it may also be labels. Different
      numbers in ascending order, or above 255, may be the index of a part of a table.
      Such a table is refused unless it has another column of labels.
    - The label or index column must look like one, and the column at the other end like
      pixels.
    - Fewer than five rows are not enough to detect this. With a label or an index they
      are refused, unless numbers above 255 leave only one interpretation. In fewer than
      20 rows, a first or last column of zeros may be the label 0.

    In tables of two or three columns without names, the label is the first column.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import read_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "two.csv"
    ...     _ = path.write_text("id;p0;p1;p2;p3;digit\n1;0;128;255;0;7\n2;9;9;9;9;2\n")
    ...     X, y = read_csv(path)
    >>> X
    array([[  0, 128, 255,   0],
           [  9,   9,   9,   9]], dtype=uint8)
    >>> y
    array([7, 2])
    """
    images = read_table(path, label=label, header=header)
    return images.pixels, images.labels


@dataclass(frozen=True, eq=False)
class ImageTable:
    """Images from a table.

    Parameters
    ----------
    pixels : ndarray of shape (n_images, n_pixels), dtype uint8
        One image a row.
    labels : ndarray of shape (n_images,), dtype int64, or None
        The labels, if there are some.
    shape : tuple of int or None
        Height and width, if the names of the columns say so.
    """

    pixels: np.ndarray
    labels: np.ndarray | None
    shape: tuple | None


def read_table(path, *, label="auto", header="auto", n_pixels=None):
    """Read a CSV file as `read_csv` does, with the shape of the images.

    `n_pixels` is the number of pixels of an image, if it is known.
    """
    if isinstance(label, bool) or not isinstance(label, str | int | None):
        raise TypeError(
            "label must be 'auto', 'first', 'last', a name, a number of a column or "
            f"None, got {label!r}"
        )
    if header != "auto" and not isinstance(header, bool):
        raise ValueError(f"header must be True, False or 'auto', got {header!r}")
    with open_text(path) as lines:
        table = find_table(lines, header)
        columns = choose_columns(table, label, n_pixels)
        return _read_images(table, columns, n_pixels, check_index=label == "auto")


def read_unlabelled_csv(path, n_pixels):
    """Read the images of a CSV file, with labels or without.

    Parameters
    ----------
    path : str or path-like
        The file, as `read_csv` reads it but for the labels.
    n_pixels : int
        Number of pixels of an image: rows of so many columns have no label.

    Returns
    -------
    ndarray of shape (n_images, n_pixels), dtype uint8
        The pixels.

    Raises
    ------
    DataFormatError
        As `read_csv` raises it.
    """
    with open_text(path) as lines:
        table = find_table(lines)
        columns = choose_columns(table, n_pixels=n_pixels)
        return _read_images(table, columns, n_pixels, labels_matter=False).pixels


def read_arff(path):
    """Read a dense ARFF file of whole numbers whose last column is the label."""
    with open_text(path, skip=lambda stream: _skip_arff_header(path, stream)) as lines:
        table = find_table(lines, header=False)
        *pixels, label = range(table.n_columns)
        images = _read_images(table, Columns(pixels, label))
        return images.pixels, images.labels


def _skip_arff_header(path, stream):
    """Read up to the line that begins with @DATA; return the number of lines."""
    n_lines = 0
    while line := stream.readline(1 << 24):
        n_lines += 1
        if line.lower().startswith(b"@data"):
            return n_lines
    raise DataFormatError(f"{path}: not an ARFF file: it has no line @DATA")


def _read_images(
    table: TextTable, columns, n_pixels=None, *, labels_matter=True, check_index=False
):
    """Read all rows of a table, block by block."""
    places = columns.pixels
    is_whole = places == list(range(table.n_columns))
    # Whole numbers until all are read, and it is decided what they are.
    n = len(places)
    near_ends = sorted({*range(min(n, 6)), *range(max(n - 5, 0), n)})
    ends = {p: [] for p in near_ends if columns.sides}
    wanted = dict.fromkeys(places, _A_PIXEL) | {places[p]: _A_NUMBER for p in ends}
    if columns.label is not None:
        wanted[columns.label] = _A_LABEL
    wanted = dict(sorted(wanted.items()))
    pixels, labels, index = [], [], {column: [] for column in columns.index}
    for number, block, cells in table.blocks():
        found = _as_bytes(cells if is_whole else _take(cells, places), ends)
        kept = {p: whole_numbers(_take(cells, places[p])) for p in ends}
        if columns.label is not None:
            kept["label"] = whole_numbers(_take(cells, columns.label))
        if found is None or any(values is None for values in kept.values()):
            raise table.fault(number, block, wanted)
        pixels.append(found)
        for p, values in kept.items():
            (labels if p == "label" else ends[p]).append(values)
        for column, values in index.items():
            values.append(_take(cells, column))
    labels = None if columns.label is None else np.concatenate(labels)
    if columns.sides:
        ends = {p: np.concatenate(values) for p, values in ends.items()}
        columns = decide_by_values(
            table.path, columns, ends, n_pixels, labels_matter=labels_matter
        )
        if labels is None and columns.label is not None:
            labels = ends[places.index(columns.label)]
    if labels is None and check_index:
        for column, values in index.items():
            _check_distinct(table, column, np.concatenate(values))
    start = places.index(columns.pixels[0])
    stop = start + len(columns.pixels)
    X = np.concatenate([block[:, start:stop] for block in pixels])
    return ImageTable(X, labels, columns.shape)


def _take(cells, columns):
    """Return a column, or several, of an array or a frame as an array."""
    if isinstance(cells, np.ndarray):
        return cells[:, columns]
    return cells[columns].to_numpy()


def _as_bytes(cells, undecided):
    """Return pixels as bytes, or None if a number is not one; some may be anything."""
    values = np.asarray(cells)
    if values.dtype.kind not in "iuf":
        return None
    wrong = (values < 0) | (values > 255)
    if values.dtype.kind == "f":
        wrong |= np.trunc(values) != values
    # What may be labels as well is kept elsewhere, too.
    wrong[:, list(undecided)] = False
    if wrong.any():
        return None
    with np.errstate(invalid="ignore"):
        return values.astype(np.uint8, order="C")


def _check_distinct(table, column, values):
    """Refuse an index that repeats itself: it may be labels."""
    if len(set(values.tolist())) < len(values):
        raise DataFormatError(
            f"{table.path}: values repeat in {table.name_column(column)}, which has "
            f"the name of an index. Pass label={column} to read_csv if it holds the "
            "labels, or label=None if there are none"
        )


def write_csv(
    path: str | PathLike, X: ArrayLike, y: ArrayLike, *, header: bool = True
) -> None:
    """Write images and labels to a CSV file.

    Each row is one image: the label, then one column per pixel. The file appears only
    when it is complete.

    Parameters
    ----------
    path : str or path-like
        The file to write, gzipped if its name ends in ``.gz``.
    X : array-like of shape (n_images, n_pixels) or (n_images, height, width)
        The pixels, whole numbers from 0 to 255.
    y : array-like of shape (n_images,)
        The labels, whole numbers from 0.
    header : bool, default=True
        Whether to write column names first: ``label``, then ``pixel0``, ``pixel1``, …
        in row-major order. If `X` has three dimensions and the images are not square,
        the pixels are named ``1x1``, ``1x2``, … (row × column), so that the file
        contains their height and width. Without names, the file looks like the
        ``mnist_train.csv`` of many tutorials.

    Raises
    ------
    ValueError
        If there are no images, the numbers of images and labels differ, or values are
        not whole numbers in range.

    See Also
    --------
    read_csv : Read images and labels from a CSV file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import load_digits, read_csv, write_csv
    >>> X, y = load_digits(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "digits.csv"
    ...     write_csv(path, X, y)
    ...     path.read_text()[:27]
    ...     bool((read_csv(path)[0] == X).all())
    'label,pixel0,pixel1,pixel2,'
    True
    """
    X = as_pixels(X, "X")
    if X.ndim < 2:
        raise ValueError(f"X must have one row per image, got {X.ndim} dimension")
    y = as_labels(y, len(X), "y")
    text = _NUMBERS.__getitem__
    with replacing_data(path) as file:
        if header:
            file.write(f"{','.join(['label', *_pixel_names(X.shape[1:])])}\n".encode())
        for label, image in zip(y.tolist(), X.reshape(len(X), -1), strict=True):
            pixels = ",".join(map(text, image.tobytes()))
            file.write(f"{label},{pixels}\n".encode("ascii"))


def _pixel_names(shape):
    """Name the pixels of an image, so that the names tell its shape if need be."""
    if len(shape) == 2 and shape[0] != shape[1]:
        return [f"{row + 1}x{column + 1}" for row, column in np.ndindex(shape)]
    return [f"pixel{n}" for n in range(np.prod(shape))]
