"""Text files as lines: encodings, line ends, files that are not text."""

import codecs
import gzip
import io
import re
from contextlib import contextmanager

from skmnist.datasets._content import N_BYTES, kind_of
from skmnist.datasets._files import (
    MAX_UNPACKED,
    DataFormatError,
    check_unpacked_size,
    count_up_to,
    is_large,
    open_data,
)

MAX_LINE = 1 << 24
_CHUNK = 1 << 16
_MAX_SINGLE = 10_000  # lines before and between the first rows
_NUMBER = re.compile(
    r"[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?|[+-]?(nan|inf|infinity)", re.I | re.A
)
_ENCODINGS = {  # that of 32 bits begins with the mark of 16 bits
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}


@contextmanager
def open_text(path, skip=None):
    """Open a text file in whatever encoding its byte order mark says, UTF-8 without.

    Line ends of all kinds become those of Unix. `skip`, if it is given, takes the
    stream of bytes and returns how many lines it read. Of a text that cannot be
    read and has hardly a row of numbers it is only said that it is no table.
    """
    with open_data(path) as stream:
        n_skipped = skip(stream) if skip else 0
        seen = stream.peek(N_BYTES)
        start = seen[:N_BYTES]
        kind = kind_of(start) or "text"
        if not kind.startswith("text"):
            is_packed = re.search(r"archive|\w file$", kind)
            advice = "; unpack it, or save the table as CSV" if is_packed else ""
            raise DataFormatError(f"{path}: not a table of numbers, but {kind}{advice}")
        known = (name for mark, name in _ENCODINGS.items() if start.startswith(mark))
        text = io.TextIOWrapper(stream, next(known, "utf-8-sig"), errors="replace")
        try:
            yield Lines(path, stream, text, n_skipped + 1)
        except DataFormatError as error:
            if not _is_prose(seen.decode(text.encoding, errors="replace")):
                raise
            raise DataFormatError(
                f"{path}: not a table of numbers, but {kind}"
            ) from error
        finally:
            text.detach()


def is_number(cell):
    """Whether a cell is a number of any kind, NaN and infinity included."""
    return bool(_NUMBER.fullmatch(cell))


def _is_prose(text):
    """Return whether of several rows most have words, and few numbers."""
    rows = [line for line in text.splitlines() if line[:1].strip("#")]
    return len(rows) > 1 and 3 * sum(map(_has_words, rows)) > 2 * len(rows)


def _has_words(row):
    cells = re.findall(r'[^\s,;"]+', row)
    n_numbers = sum(map(is_number, cells))
    return 2 * n_numbers <= len(cells) and any(map(str.isalpha, row))


class Lines:
    """The lines of a text, singly or in blocks, with their numbers."""

    def __init__(self, path, stream, text, number):
        self.path = path
        self.number = number  # of the next line
        self.is_empty = True
        self._stream = stream
        self._text = text
        self._n_read = 0
        self._n_single = 0
        self._is_counted = not isinstance(stream, gzip.GzipFile)
        self._rest = ""

    def next_line(self):
        """Return the next line without its end, or None after the last."""
        while "\n" not in self._rest and self._fill(max(_CHUNK, len(self._rest))):
            pass
        if not self._rest:
            return None
        self._n_single += 1
        if self._n_single > _MAX_SINGLE:
            raise DataFormatError(
                f"{self.path}: {_MAX_SINGLE:,} lines without a row of numbers"
            )
        line, _, self._rest = self._rest.partition("\n")
        self.number += 1
        return line

    def push_back(self, line):
        """Let the next line be this one."""
        self._rest = f"{line}\n{self._rest}"
        self.number -= 1

    def peek_row(self):
        """Return the next line that is not blank, without reading past it."""
        seen = []
        while (line := self.next_line()) is not None:
            seen.append(line)
            if line.strip():
                break
        for read in reversed(seen):
            self.push_back(read)
        return line

    def blocks(self, n_characters):
        """Yield blocks of whole lines, each with the number of its first line."""
        while True:
            while len(self._rest) < n_characters and self._fill(n_characters):
                pass
            end = self._rest.rfind("\n") + 1
            if not end and self._rest:
                if self._fill(n_characters):
                    continue
                end = len(self._rest)
            block, self._rest = self._rest[:end], self._rest[end:]
            if not block:
                return
            yield self.number, block
            self.number += block.count("\n")

    def _fill(self, n_characters):
        """Read on; return whether there was more to read."""
        text = self._text.read(n_characters)
        if not text:
            return False
        self.is_empty = False
        self._n_read += len(text)
        check_unpacked_size(self.path, self._stream, self._n_read)
        if is_large(self._n_read) and not self._is_counted:
            self._count()
        if "\0" in text:
            row = self.number + f"{self._rest}{text}".partition("\0")[0].count("\n")
            raise DataFormatError(
                f"{self.path}, row {row}: holds bytes of value 0, as no table does; "
                "text in UTF-16 without a byte order mark has to be saved as UTF-8"
            )
        self._rest += text
        if len(self._rest) > MAX_LINE and "\n" not in self._rest:
            raise DataFormatError(
                f"{self.path}, row {self.number}: longer than {MAX_LINE:,} "
                "characters; not a table of small images"
            )
        return True

    def _count(self):
        """Unpack a large file once without keeping it, so as to refuse a bomb early."""
        self._is_counted = True
        with open_data(self.path) as stream:
            n_bytes = count_up_to(stream, MAX_UNPACKED + 1)
            check_unpacked_size(self.path, stream, n_bytes)
