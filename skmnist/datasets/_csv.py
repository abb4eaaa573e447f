"""Images as rows of text: comma-separated values, and the ARFF files of OpenML."""

import numpy as np

from skmnist.datasets._arrays import as_labels, as_pixels
from skmnist.datasets._files import (
    DataFormatError,
    check_unpacked_size,
    open_data,
    replacing_data,
)

_BLOCK = 1 << 24
_BOM = b"\xef\xbb\xbf"
_PLAIN = b"0123456789, \t\n"  # all that rows of whole numbers need
_MAX_LABEL = np.iinfo(np.int64).max
_NUMBERS = tuple(str(value) for value in range(256))


def read_csv(path):
    r"""Read images and labels from a CSV file.

    Each row is one image: the label, then one column a pixel, row after row of
    the image. A first line whose first cell is ``label`` is taken for a header
    and skipped; blank lines are skipped as well.

    Parameters
    ----------
    path : str or path-like
        The file, plain or gzipped. Gzip is recognised by the content, but a file
        whose name ends in ``.gz`` must be gzipped.

    Returns
    -------
    X : ndarray of shape (n_images, n_pixels), dtype uint8
        The pixels, 0 to 255.
    y : ndarray of shape (n_images,), dtype int64
        The labels.

    Raises
    ------
    DataFormatError
        If a cell is not a whole number, a pixel is not in 0 to 255, a row has
        another number of columns than the first, or there is no row. The
        message gives the row, counted from 1 as a spreadsheet counts, header
        included. Labels other than whole numbers from 0, letters for example,
        are refused too: encode them first. Also if the file is a damaged gzip
        file, or none though its name ends in ``.gz``.
    FileNotFoundError
        If there is no such file.

    See Also
    --------
    write_csv : Write such a file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import read_csv
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "two.csv"
    ...     _ = path.write_text("7,0,128,255,0\n2,9,9,9,9\n")
    ...     X, y = read_csv(path)
    >>> X
    array([[  0, 128, 255,   0],
           [  9,   9,   9,   9]], dtype=uint8)
    >>> y
    array([7, 2])
    """
    with open_data(path) as stream:
        return _read_rows(stream, path, label_column=0)


def read_unlabelled_csv(path, n_pixels):
    """Read the images of a CSV file, with a label in front of each row or without.

    Parameters
    ----------
    path : str or path-like
        The file, as `read_csv` reads it but for the labels.
    n_pixels : int
        Number of pixels of an image: rows of so many columns have no label.

    Returns
    -------
    ndarray of shape (n_images, n_columns) or (n_images, n_columns - 1), dtype uint8
        The pixels; their number may differ from `n_pixels`.

    Raises
    ------
    DataFormatError
        As `read_csv` raises it.
    """
    with open_data(path) as stream:
        return _read_rows(stream, path, label_column=0, unlabelled=n_pixels)[0]


def read_arff(path):
    """Read a dense ARFF file of whole numbers whose last column is the label."""
    with open_data(path) as stream:
        n_lines = 0
        while line := stream.readline(_BLOCK):
            n_lines += 1
            if line.lower().startswith(b"@data"):
                return _read_rows(stream, path, -1, first_line=n_lines + 1)
    raise DataFormatError(f"{path}: not an ARFF file: it has no line @DATA")


def _read_rows(stream, path, label_column, first_line=1, unlabelled=None):
    """Read all rows into pixels and labels, block by block.

    Rows of `unlabelled` columns, if it is given, are pixels alone.
    """
    n_pixels = None
    pixels, labels = [], []
    number = 0
    for number, block in _blocks(stream, path, first_line):
        lines = block.replace(b"\r\n", b"\n").split(b"\n")
        if number == 1:
            lines[0] = lines[0].removeprefix(_BOM)
            if lines[0].split(b",")[0].strip(b" \t\"'").lower() == b"label":
                lines[0] = b""
        rows = [line for line in lines if line.strip()]
        if not rows:
            continue
        if n_pixels is None:
            n_pixels = rows[0].count(b",")
            if n_pixels + 1 == unlabelled:
                label_column, n_pixels = None, unlabelled
        table = _parse(rows, n_pixels, label_column)
        if table is None:
            raise _fault(path, lines, number, n_pixels, label_column)
        pixels.append(np.ascontiguousarray(table["pixels"]))
        if label_column is not None:
            labels.append(table["label"].astype(np.int64))
    if n_pixels is None:
        reason = "the file has no rows of numbers" if number else "the file is empty"
        raise DataFormatError(f"{path}: no images, {reason}")
    return np.concatenate(pixels), np.concatenate(labels) if labels else None


def _blocks(stream, path, number):
    """Yield whole lines, many at a time, each block with its first line's number."""
    n_bytes, rest = 0, b""
    while chunk := stream.read(_BLOCK):
        n_bytes += len(chunk)
        check_unpacked_size(path, stream, n_bytes)
        text = rest + chunk
        end = text.rfind(b"\n") + 1
        if not end and len(text) >= _BLOCK:
            raise DataFormatError(
                f"{path}, row {number}: longer than {_BLOCK:,} bytes; "
                "not a CSV file of small images"
            )
        if end:
            yield number, text[:end]
            number += text.count(b"\n", 0, end)
        rest = text[end:]
    if rest:
        yield number, rest


def _parse(rows, n_pixels, label_column):
    """Parse rows of whole numbers, or return None if one of them is at fault."""
    text = b"\n".join(rows)
    # Whatever numpy would read beyond plain digits (signs, floats, nan) is out.
    if n_pixels == 0 or text.translate(None, _PLAIN):
        return None
    fields = [("label", np.int64), ("pixels", np.uint8, (n_pixels,))]
    if label_column is None:
        del fields[0]
    elif label_column == -1:
        fields.reverse()
    lines = text.decode("ascii").split("\n")
    try:
        return np.loadtxt(lines, fields, comments=None, delimiter=",", ndmin=1)
    except ValueError:
        return None


def _fault(path, lines, number, n_pixels, label_column):
    """Find the first row that is at fault and say what is wrong with it."""
    n_columns = n_pixels + (label_column is not None)
    for row, line in enumerate(lines, number):
        if not line.strip():
            continue
        cells = line.split(b",")
        if len(cells) == 1 and n_columns <= 1:
            return DataFormatError(
                f"{path}, row {row}: has one column, expected a label and at least one "
                "pixel, separated by commas"
            )
        if len(cells) != n_columns:
            columns = "1 column" if len(cells) == 1 else f"{len(cells):,} columns"
            return DataFormatError(
                f"{path}, row {row}: has {columns}, "
                f"expected {n_columns:,} as in the first row"
            )
        for column, cell in enumerate(cells):
            is_label = label_column is not None and column == label_column % n_columns
            top = _MAX_LABEL if is_label else 255
            if not _is_whole_number(cell.strip(b" \t"), top):
                shown = cell[:20].decode("utf-8", "replace")
                if row == 1 and not any(map(_is_number, cells)):
                    first = cells[0][:20].decode("utf-8", "replace")
                    return DataFormatError(
                        f"{path}, row 1, column 1: found {first!r}; a header begins "
                        "with 'label', and rows of images hold whole numbers"
                    )
                wanted = (
                    "a label: a whole number from 0 (encode other labels first)"
                    if is_label
                    else "a pixel: a whole number from 0 to 255"
                )
                return DataFormatError(
                    f"{path}, row {row}, column {column + 1}: "
                    f"found {shown!r}, expected {wanted}"
                )
    return DataFormatError(
        f"{path}, rows {number} to {number + len(lines) - 1}: "
        "not rows of whole numbers separated by commas"
    )


def _is_number(cell):
    """Tell whether a cell is a number of any kind, NaN included."""
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_whole_number(cell, top):
    """Tell whether a cell is a whole number from 0 to `top`."""
    digits = cell.lstrip(b"0") or cell[-1:]
    return digits.isdigit() and len(digits) <= len(str(top)) and int(digits) <= top


def write_csv(path, X, y):
    """Write images and labels to a CSV file.

    Each row is one image: the label, then one column a pixel. There is no
    header. The file appears under its name only when it is complete.

    Parameters
    ----------
    path : str or path-like
        The file to write; gzipped if the name ends in ``.gz``.
    X : array-like of shape (n_images, n_pixels) or (n_images, height, width)
        The pixels, whole numbers from 0 to 255.
    y : array-like of shape (n_images,)
        The labels, whole numbers from 0.

    Raises
    ------
    ValueError
        If there are no images, the numbers of images and labels differ, or
        values are no whole numbers in range.

    See Also
    --------
    read_csv : Read such a file.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from skmnist.datasets import load_digits, read_csv, write_csv
    >>> X, y = load_digits(return_X_y=True)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "digits.csv"
    ...     write_csv(path, X, y)
    ...     path.read_text()[:25]
    ...     bool((read_csv(path)[0] == X).all())
    '0,0,0,80,207,143,16,0,0,0'
    True
    """
    X = as_pixels(X, "X")
    if X.ndim < 2:
        raise ValueError(f"X must have one row an image, got {X.ndim} dimension")
    y = as_labels(y, len(X), "y")
    text = _NUMBERS.__getitem__
    with replacing_data(path) as file:
        for label, image in zip(y.tolist(), X.reshape(len(X), -1), strict=True):
            pixels = ",".join(map(text, image.tobytes()))
            file.write(f"{label},{pixels}\n".encode("ascii"))
