"""A brief report in a terminal of any width, in a pipe, or as plain text."""

import io
import itertools

from rich import box
from rich.console import Console, Group
from rich.measure import Measurement
from rich.table import Table as RichTable
from rich.text import Text as RichText

from ._content import Code, Column, Matrix, Table

__all__ = ["plain_text", "print_report", "table_view"]

_PIPE_WIDTH = 10_000
_MATRIX_WIDTH = 100
_WRAPPED = 30  # least width of texts that are broken into lines
_STYLES = {
    "good": "bold green",
    "faint": "dim",
    "bad": "bold red",
    "right": "green",
    "none": "dim",
}


def print_report(report):
    """Print a report on standard output, as its terminal allows."""
    console = Console(highlight=False)
    if console.is_terminal:
        console.print(_drawn(report, console.width))
    else:
        print(plain_text(report), end="")


def plain_text(report):
    """Return a report without colours and without a limit to its width."""
    stream = io.StringIO()
    console = Console(file=stream, width=_PIPE_WIDTH, color_system=None)
    console.print(_drawn(report, _PIPE_WIDTH))
    return "".join(f"{line.rstrip()}\n" for line in stream.getvalue().splitlines())


def _drawn(report, width):
    parts = [RichText(report.title, "bold"), *map(RichText, report.summary), ""]
    if report.key_figures:
        figures = RichTable.grid(padding=(0, 2, 0, 0))
        for figure in report.key_figures:
            figures.add_row(RichText(figure.number, "bold"), RichText(figure.meaning))
        parts += [figures, ""]
    for block in (block for part in report.sections for block in part.brief_blocks):
        if isinstance(block, Table | Matrix) and parts[-1] != "":
            parts.append("")
        if isinstance(block, Table):
            parts += [RichText(block.caption, "bold"), table_view(block)(width), ""]
        elif isinstance(block, Matrix):
            parts += _matrix(block, width)
        elif isinstance(block, Code):
            parts.append(RichText(f"{block.label}: {block.text}"))
        else:
            parts.append(RichText(block.text))
    while parts and parts[-1] == "":
        parts.pop()
    return Group(*parts)


def table_view(table):
    """Return a function that draws a Table as a width allows.

    Where there is no room, dispensable columns are left out, and named below.
    """
    ranks = {column.dispensable for column in table.columns if column.dispensable}

    def draw(width):
        for limit in [float("inf"), *sorted(ranks, reverse=True)]:
            shown = [column.dispensable < limit for column in table.columns]
            if _width(_table(table, shown, wrapped_to=_WRAPPED)) <= width:
                break
        return _table(table, shown)

    return draw


def _table(table, shown, wrapped_to=None):
    """Draw some columns of a table; to measure it, with texts that are wrapped."""
    columns = list(itertools.compress(table.columns, shown))
    drawn = RichTable(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
    )
    for column in columns:
        justify = "right" if column.number else "left"
        drawn.add_column(
            RichText(column.name), justify=justify, no_wrap=not column.wraps
        )
    rows = table.rows[: table.n_brief]
    for row in rows:
        texts = [cell.text for cell in itertools.compress(row, shown)]
        texts = [
            RichText(text[:wrapped_to] if column.wraps else text)
            for text, column in zip(texts, columns, strict=True)
        ]
        tones = [cell.tone for cell in row if cell.tone]
        drawn.add_row(*texts, style=_STYLES.get(tones[0]) if tones else None)
    if wrapped_to is None:
        notes = []
        if len(rows) < len(table.rows):
            notes.append(f"The first {len(rows):,} of {len(table.rows):,} rows.")
        if len(columns) < len(table.columns):
            hidden = [c.name for c in table.columns if c not in columns]
            notes.append(f"In a wider window: {', '.join(hidden)}.")
        drawn.caption = RichText(" ".join(notes)) if notes else None
        drawn.caption_justify = "left"
    return drawn


def _matrix(matrix, width):
    """Draw a matrix; nothing where it is too wide."""
    columns = Column(""), *(Column(label, number=True) for label in matrix.labels)
    drawn = _table(Table("", columns, ()), [True] * len(columns))
    for label, row in zip(matrix.labels, matrix.rows, strict=True):
        cells = (RichText(text, _STYLES.get(tone, "red")) for text, tone in row)
        drawn.add_row(RichText(label), *cells)
    if _width(drawn) > min(width, _MATRIX_WIDTH):
        return []
    return [RichText(matrix.caption, "bold"), drawn, ""]


def _width(drawn):
    """Return the width that a table would like to have."""
    ruler = Console(file=io.StringIO(), width=_PIPE_WIDTH)
    return Measurement.get(ruler, ruler.options, drawn).maximum
