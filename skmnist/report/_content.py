"""Contents of a report: plain data, each kind of block with its template.

Terminals, plain text and Markdown show a brief report: the summary, and the texts and
tables of the sections marked as brief.
"""

from dataclasses import dataclass, field
from functools import cached_property
from typing import ClassVar

__all__ = [
    "Cell",
    "Code",
    "Column",
    "Facts",
    "Figure",
    "Gallery",
    "KeyFigure",
    "Matrix",
    "Picture",
    "Report",
    "Section",
    "Table",
    "Text",
]


@dataclass(frozen=True)
class Text:
    """A paragraph."""

    text: str
    template: ClassVar = "text.html"
    is_brief: ClassVar = True


@dataclass(frozen=True)
class Code:
    """Text to copy: a command line, or an error message."""

    text: str
    label: str
    template: ClassVar = "code.html"
    is_brief: ClassVar = True


@dataclass(frozen=True)
class Facts:
    """Terms with their values."""

    items: tuple
    template: ClassVar = "facts.html"
    is_brief: ClassVar = False


@dataclass(frozen=True)
class Figure:
    """A drawing in the text of the page.

    Parameters
    ----------
    draw : callable
        Returns the SVG element, a markupsafe.Markup that has the alternative text as
        its label. Called when the figure is shown.
    caption : str
        What stands below.
    width : float
        Maximum width in pixels.
    """

    draw: object
    caption: str
    width: float
    template: ClassVar = "figure.html"
    is_brief: ClassVar = False

    @cached_property
    def svg(self):
        """The element."""
        return self.draw()


@dataclass(frozen=True)
class Picture:
    """One small picture of a gallery.

    Parameters
    ----------
    data : str
        The address of its PNG data (``data:image/png;base64,…``).
    alt : str
        What it shows, in words.
    lines : tuple of str
        What stands below.
    """

    data: str
    alt: str
    lines: tuple


@dataclass(frozen=True)
class Gallery:
    """Small pictures side by side, as many in a row as the page has room for."""

    pictures: tuple
    caption: str
    template: ClassVar = "gallery.html"
    is_brief: ClassVar = False


@dataclass(frozen=True)
class Column:
    """A column of a table.

    Parameters
    ----------
    name : str
        Its heading.
    number : bool, default=False
        Whether it holds numbers, which stand at the right.
    sort : {"none", "ascending", "descending"}, default="none"
        How the rows are sorted by it as they come.
    dispensable : int, default=0
        In a narrow terminal the columns of the highest numbers are left out first,
        those of 0 never.
    wraps : bool, default=False
        Whether a terminal may break its texts into lines.
    """

    name: str
    number: bool = False
    sort: str = "none"
    dispensable: int = 0
    wraps: bool = False


@dataclass(frozen=True)
class Cell:
    """A cell of a table.

    Parameters
    ----------
    text : str
        What it shows.
    value : float, default=None
        By what it is sorted, in place of the text.
    tone : {"", "good", "faint", "bad"}, default=""
        How it stands out.
    """

    text: str
    value: float | None = None
    tone: str = ""


@dataclass(frozen=True)
class Table:
    """A table that can be sorted; the first cell of a row is its heading.

    Parameters
    ----------
    caption : str
        What it holds.
    columns : tuple of Column
        Its columns.
    rows : tuple of tuple of Cell
        Its rows.
    folded : str, default=""
        A line that is shown until it is opened; always shown if empty. A
        brief report leaves a folded table out.
    n_brief : int, default=None
        Number of rows in a brief report; None means all.
    """

    caption: str
    columns: tuple
    rows: tuple
    folded: str = ""
    n_brief: int | None = None
    template: ClassVar = "table.html"

    @property
    def is_brief(self):
        """Whether a brief report shows it."""
        return not self.folded


@dataclass(frozen=True)
class Matrix:
    """Numbers of images by true label (rows) and predicted label (columns).

    Parameters
    ----------
    caption : str
        How to read it.
    labels : tuple of str
        The labels.
    rows : tuple of tuple of (str, str)
        Text and tone of each cell; tones are "right", "none" and "wrong-1" to
        "wrong-4".
    """

    caption: str
    labels: tuple
    rows: tuple
    template: ClassVar = "matrix.html"
    is_brief: ClassVar = True


@dataclass(frozen=True)
class Section:
    """A part of the report with a heading.

    Parameters
    ----------
    title : str
        Its heading.
    blocks : tuple
        What it shows; for blocks that take time to make, a function that returns a list
        of them, which a brief report leaves out.
    is_brief : bool, default=False
        Whether it belongs to a brief report too.
    """

    title: str
    blocks: tuple
    is_brief: bool = False

    @property
    def all_blocks(self):
        """All that it shows."""
        for block in self.blocks:
            yield from block() if callable(block) else [block]

    @property
    def brief_blocks(self):
        """What a brief report shows of it."""
        return [
            block
            for block in self.blocks
            if self.is_brief and not callable(block) and block.is_brief
        ]


@dataclass(frozen=True)
class KeyFigure:
    """An important number and its meaning."""

    number: str
    meaning: str


@dataclass(frozen=True)
class Report:
    """A whole report.

    Parameters
    ----------
    title : str
        Its heading.
    summary : tuple of str
        The results in words, a paragraph each.
    sections : tuple of Section
        What follows.
    key_figures : tuple of KeyFigure, default=()
        The most important numbers.
    """

    title: str
    summary: tuple
    sections: tuple = field(default=())
    key_figures: tuple = ()
