"""Tables of numbers in text files: separators, header, rows in blocks, faults."""

import csv
import io
import re
from dataclasses import dataclass

import numpy as np

from skmnist.datasets._files import DataFormatError
from skmnist.datasets._text_lines import MAX_LINE, Lines, is_number

MAX_COLUMNS = (1 << 18) + 2  # 512×512 pixels, a label and an index
MAX_ROWS = 10_000_000
MAX_LABEL = np.iinfo(np.int64).max

_BLOCK = 1 << 21
_MIN_LINES = 64  # pandas pays for each column of a block, however few rows it has
_EXACT = 2**53  # floats are whole numbers one by one up to here
_EXCEL_HINT = re.compile(r'"?sep=(.)"?', re.I)
BLANKS = r"\s+"
_SEPARATORS = (";", "\t", ",", BLANKS)
_SEPARATOR_NAMES = {";": "semicolons", "\t": "tabs", ",": "commas", BLANKS: "blanks"}


@dataclass
class TextTable:
    """A table whose first row of numbers is the next line of its text.

    Parameters
    ----------
    lines : Lines
        The text from there on.
    names : list of str or None
        Names of the columns, if there is a header.
    n_columns : int
        Number of columns.
    separator : str
        What stands between two cells, as pandas takes it.
    decimal : str
        "." or ",".
    is_padded : bool
        Whether a separator without a cell ends each row.
    """

    lines: Lines
    names: list | None
    n_columns: int
    separator: str
    decimal: str
    is_padded: bool

    @property
    def path(self):
        """The file."""
        return self.lines.path

    @property
    def separator_name(self):
        """What separates columns, in words."""
        return _SEPARATOR_NAMES.get(self.separator, repr(self.separator))

    def name_column(self, column):
        """Name a column by its number, counted from 1, and by its name."""
        name = f" ({self.names[column]!r})" if self.names else ""
        return f"column {column + 1}{name}"

    def blocks(self):
        """Yield the rows block by block: number of the first line, lines, and cells.

        The cells are an array, or a frame of pandas in which a column holds
        objects if one of its cells is not a number.
        """
        n_wide = _MIN_LINES * len(self.lines.peek_row())
        n_rows = 0
        for number, block in self.lines.blocks(max(_BLOCK, min(MAX_LINE, n_wide))):
            if not block.strip():
                continue
            cells = self._read_plain(block)
            if cells is None:
                cells = self._read(number, block)
            n_rows += len(cells)
            if n_rows > MAX_ROWS:
                raise DataFormatError(
                    f"{self.path}: has more than {MAX_ROWS:,} rows; divide it"
                )
            yield number, block, cells

    def _read_plain(self, block):
        """Read whole numbers without signs; None for anything else.

        NumPy needs half the time of pandas for these, but takes 1.5 for 1.
        """
        separator = None if self.separator == BLANKS else self.separator
        plain = f"0123456789{separator or ' '}\n".encode()
        if self.is_padded or block.encode().translate(None, plain):
            return None
        lines = block.removesuffix("\n").split("\n")
        try:
            cells = np.loadtxt(
                lines, np.int32, comments=None, delimiter=separator, ndmin=2
            )
        except ValueError:
            return None
        return cells if cells.shape[1] == self.n_columns else None

    def _read(self, number, block):
        """Read a block as pandas does, but for what it overlooks."""
        import pandas as pd

        if '"' in block and not self._has_plain_quotes(block):
            raise self.fault(number, block, {})
        try:
            cells = pd.read_csv(
                io.StringIO(block),
                sep=self.separator,
                decimal=self.decimal,
                header=None,
                skipinitialspace=True,
                # Missing cells must not become NaN, nor words like NA.
                na_filter=False,
                low_memory=False,
            )
        except (pd.errors.ParserError, OverflowError):
            raise self.fault(number, block, {}) from None
        if cells.shape[1] != self.n_columns + self.is_padded:
            raise self.fault(number, block, {})
        if self.is_padded and (cells.pop(self.n_columns) != "").any():
            raise self.fault(number, block, {})
        return cells

    def _has_plain_quotes(self, block):
        """Whether quotes stand at the ends of cells only: pandas takes "1"2 for 12."""
        marks = {"\n", " ", "\t", self.separator}
        block = f"\n{block}\n"
        found = sum(block.count(f'{mark}"') + block.count(f'"{mark}') for mark in marks)
        return found == block.count('"')

    def fault(self, number, block, wanted):
        """Find the first row of a block that is at fault and say what is wrong with it.

        Parameters
        ----------
        number : int
            Number of the first line of the block.
        block : str
            Lines.
        wanted : dict of int to (str, int)
            What the columns hold that are not ignored: whole numbers from 0 that are
            called so in a message, and the greatest of them.
        """
        row = number
        for row, line in enumerate(block.split("\n"), number):
            if not line.strip():
                continue
            cells = split_row(line, self.separator)
            if self.is_padded and cells[-1] == "":
                cells.pop()
            if len(cells) != self.n_columns:
                columns = "1 column" if len(cells) == 1 else f"{len(cells):,} columns"
                return DataFormatError(
                    f"{self.path}, row {row}: has {columns}, expected "
                    f"{self.n_columns:,} as in the first row "
                    f"(separated by {self.separator_name})"
                )
            for column, (what, top) in wanted.items():
                cell = cells[column]
                if not is_whole_number(cell.replace(self.decimal, "."), top):
                    return DataFormatError(
                        f"{self.path}, row {row}, {self.name_column(column)}: found "
                        f"{cell[:20]!r}, expected {what}{_advice(cell)}"
                    )
        return DataFormatError(
            f"{self.path}, rows {number} to {row}: not rows of whole numbers "
            f"separated by {self.separator_name}"
        )


def _advice(cell):
    """Say what to do about a fraction, if a cell is one."""
    if not re.fullmatch(r"0?[.,]\d+|\d[.,]?\d*e-\d+", cell, re.I):
        return ""
    return " (scaled pixels have to be multiplied back to 0 to 255)"


def find_table(lines, header="auto"):
    """Find out how a text is divided into columns, and whether they have names.

    Parameters
    ----------
    lines : Lines
        The text.
    header : bool or "auto", default="auto"
        Whether the first row holds names; "auto" finds that out: one of its cells is
        neither a number nor empty, and those that are numbers count upward.

    Returns
    -------
    TextTable
        From its first row of numbers on.

    Raises
    ------
    DataFormatError
        If there are no rows, or too many columns, or if the first row may hold names
        as well as pixels.
    """
    path = lines.path
    first, separator, is_comment = _first_line(lines, header)
    number = lines.number - 1
    if first is None:
        reason = "the file is empty" if lines.is_empty else "the file has no rows"
        raise DataFormatError(f"{path}: no images, {reason}")
    n_columns = max(first.count(mark) for mark in ";\t,") + 1
    if first.count(" ") > MAX_COLUMNS:
        n_columns = max(n_columns, sum(1 for _ in re.finditer(r"\S+", first)))
    if n_columns > MAX_COLUMNS:
        raise DataFormatError(
            f"{path}, row {number}: has {n_columns:,} columns; at most "
            f"{MAX_COLUMNS:,} can be read"
        )
    second = lines.peek_row()
    if separator is None:
        separator = _find_separator(first, second)
    cells = split_row(first, separator)
    rows = [cells] if second is None else [cells, split_row(second, separator)]
    has_commas = separator in (";", "\t") and any("," in cell for cell in rows[-1])
    decimal = "," if has_commas else "."
    names = None
    numbers = [cell.replace(decimal, ".") for cell in cells]
    if is_comment or header is True or (header and _is_header(path, number, numbers)):
        if second is None:
            raise DataFormatError(f"{path}: no images, the file has no rows of numbers")
        names, cells = rows
    else:
        lines.push_back(first)
    is_padded = cells[-1] == "" and len(cells) > 2 and separator != BLANKS
    n_columns = len(cells) - is_padded
    if names is not None:
        names = _match_names(path, names, n_columns, number)
    if n_columns < 2:
        raise DataFormatError(
            f"{path}, row {number}: has one column ({rows[0][0][:24]!r}), expected one "
            "column per pixel, separated by commas, semicolons, tabs or spaces"
        )
    return TextTable(lines, names, n_columns, separator, decimal, is_padded)


def _first_line(lines, header):
    """Return the first row, the separator if a line says which, and what row it is.

    Lines that begin with # are comments, but the last of them is a header if it has
    as many cells as the first row.
    """
    comment = separator = None
    while (line := lines.next_line()) is not None:
        if line.startswith("#"):
            comment = line.lstrip("# ")
        elif hint := _EXCEL_HINT.fullmatch(line.strip()):
            separator = hint.group(1)
        elif line.strip():
            break
    if comment and line is not None and header:
        found = separator or _find_separator(line, comment)
        n_columns = len(split_row(line, found))
        if n_columns > 1 and len(split_row(comment, found)) == n_columns:
            lines.push_back(line)
            return comment, found, True
    return line, separator, False


def split_row(line, separator):
    """Split a line into its cells, without the blanks and quotes around them."""
    if separator == BLANKS:
        return [cell.strip('"') for cell in line.split()]
    if '"' not in line:
        return [cell.strip() for cell in line.split(separator)]
    try:
        cells = next(csv.reader([line], delimiter=separator, skipinitialspace=True))
    except csv.Error:
        cells = line.split(separator)
    return [cell.strip() for cell in cells]


def _find_separator(first, second):
    """Return the separator by which a row falls into numbers, or into most cells.

    `csv.Sniffer` takes decimal commas for separators, and finds none where only rows
    of numbers end with one.
    """
    rows = [first] if second is None else [first, second]
    for row in rows:
        for separator in _SEPARATORS:
            cells = split_row(row, separator)
            if cells[-1] == "":
                cells.pop()
            if separator in (";", "\t"):
                cells = [re.sub(r"(?<=\d),(?=\d)", ".", cell) for cell in cells]
            if len(cells) > 1 and all(map(is_number, cells)):
                return separator
    counts = {mark: len(split_row(rows[-1], mark)) for mark in _SEPARATORS[:-1]}
    best = max(counts, key=counts.get)
    if counts[best] == 1:
        return BLANKS if len(rows[-1].split()) > 1 else ","
    return best


def _is_header(path, number, cells):
    """Whether a first row holds the names of the columns."""
    numbers = [cell for cell in cells if is_number(cell)]
    counting = [str(n) for n in range(len(numbers))]
    if len(numbers) == len(cells):
        if len(cells) < 3 or numbers != counting:
            return False
        if len(cells) > 256:
            return True
        raise DataFormatError(
            f"{path}, row {number}: counts 0, 1, 2, …: numbers of the columns, or an "
            "image? Pass header=True or header=False to read_csv, or give the columns "
            "names such as label, pixel0, pixel1"
        )
    if not any(cell and not is_number(cell) for cell in cells):
        # pandas gives an index no name, and columns without names numbers.
        return cells[0] == "" and numbers == counting and len(numbers) > 1
    if any(is_label_name(cell) or (cell and is_index_name(cell)) for cell in cells):
        return True
    values = [float(cell) for cell in numbers]
    return "" not in cells[1:-1] and values == sorted(set(values))


def _match_names(path, names, n_columns, number):
    """Return one name a column, or say that there are more or fewer."""
    if len(names) == n_columns + 1 and names[-1] == "":
        return names[:-1]
    if len(names) != n_columns:
        raise DataFormatError(
            f"{path}, row {number}: names {len(names):,} columns, but the next row has "
            f"{n_columns:,}"
        )
    return names


_LABEL_NAMES = {"label", "labels", "target", "targets", "class", "digit", "y"}
_INDEX_NAME = re.compile(r"unnamed\d*|id|imageid|index|idx|rowid|rownames?")


def is_label_name(name):
    """Whether a column of this name holds the labels."""
    return name.strip().lower() in _LABEL_NAMES


def is_index_name(name):
    """Whether a column of this name, or of none, numbers the rows."""
    plain = re.sub(r"[\W_]", "", name.lower())
    return not name.strip() or bool(_INDEX_NAME.fullmatch(plain))


def is_whole_number(cell, top):
    """Whether a cell is a whole number from 0 to `top`, in whatever notation."""
    if not is_number(cell):
        return False
    digits = cell.removeprefix("+").lstrip("0") or "0"
    if digits.isdigit():
        return len(digits) <= len(str(top)) and int(digits) <= top
    value = float(cell)
    return value.is_integer() and 0 <= value <= min(top, _EXACT)


def whole_numbers(values):
    """Return numbers of any type as int64 from 0, or None if some are none."""
    if values.dtype.kind == "f":
        if not (np.isfinite(values) & (np.abs(values) <= _EXACT)).all():
            return None
        whole = values.astype(np.int64)
        if (whole != values).any():
            return None
        values = whole
    elif values.dtype.kind not in "iu":
        return None
    if values.min() < 0 or values.max() > MAX_LABEL:
        return None
    return values.astype(np.int64)
