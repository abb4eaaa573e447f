"""Displays as SVG in the text of a page, and images as PNG in its attributes.

Colours of matplotlib's style are left out: text and lines take the colour of the text
around them, and what is blank that of the page, so that a drawing can be read in
light and dark. Text stays text, in a font of the reader's.
"""

import base64
import contextlib
import hashlib
import io
import re
import warnings
from xml.etree import ElementTree

import numpy as np

from skmnist._interrupts import uninterrupted

from ._content import Figure, Picture
from ._words import printable

__all__ = ["draw", "inline_svg", "picture", "sketch"]

# Stand for the colours of the page; no display uses them.
_INK, _PAPER = "#0a0b0c", "#fdfcfb"
_FAINT = "#7f7f7f"  # of text beside a diagram's boxes, for pages of any colour
_STYLE = {
    "text.color": _INK,
    "axes.labelcolor": _INK,
    "axes.labelpad": 8,  # the reader's font may be wider than that which is measured
    "axes.edgecolor": _INK,
    "xtick.color": _INK,
    "ytick.color": _INK,
    "axes.facecolor": _PAPER,
    "figure.facecolor": _PAPER,
    "savefig.facecolor": _PAPER,
    "svg.fonttype": "none",
    "svg.hashsalt": "skmnist",
    "text.parse_math": False,  # a name may hold a dollar sign
}
_IMAGE_DPI = 160
_PIXELS_PER_INCH = 96
_URL = re.compile(r"url\(#([^)]+)\)")
_LONG_NUMBER = re.compile(r"-?\d+\.\d{3,}")
_NAMESPACE = re.compile(r"\{[^}]*\}")


def draw(plot, size, *, caption, alt):
    """Make a figure that is drawn when it is shown.

    `plot` draws on the axes that it is given; the size is in inches, in which text is
    as large as on paper. `alt` says what it shows, for those who do not see it.
    """

    def drawn():
        text = io.StringIO()
        with _figure(size) as figure:
            plot(figure.add_subplot())
            figure.savefig(text, format="svg", dpi=_IMAGE_DPI, metadata={"Date": None})
        return inline_svg(text.getvalue(), alt)

    return Figure(drawn, caption, size[0] * _PIXELS_PER_INCH)


def sketch(plot):
    """Return the display that a function draws, on axes that nobody sees.

    For displays whose proportions are known only when they have been computed.
    """
    with _figure((4.0, 4.0)) as figure:
        return plot(figure.add_subplot())


@contextlib.contextmanager
def _figure(size):
    """Give an empty figure, in the style of the page."""
    with uninterrupted():
        import matplotlib.figure
        import matplotlib.style
        from matplotlib.backends.backend_agg import FigureCanvasAgg

    with matplotlib.style.context(["default", _STYLE]), warnings.catch_warnings():
        # The reader's fonts draw the text, not those that matplotlib measures with.
        warnings.filterwarnings("ignore", "Glyph .* missing from", UserWarning)
        # Not one of pyplot's, which may open windows.
        figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def inline_svg(text, label):
    """Turn an SVG file into an element for a page, with an alternative text.

    Names within it differ from those of other drawings, it has no style sheet, which
    would hold for the whole page, and takes the page's colours.
    """
    from markupsafe import Markup

    root = ElementTree.fromstring(printable(text))
    prefix = f"s{hashlib.sha256(text.encode()).hexdigest()[:8]}-"
    for parent in list(root.iter()):
        parent.tag = _NAMESPACE.sub("", parent.tag)
        for child in list(parent):
            if _NAMESPACE.sub("", child.tag) in ("metadata", "style"):
                parent.remove(child)
    referred = {
        name for element in root.iter() for name in _references(element.attrib.values())
    }
    for element in root.iter():
        attributes = {}
        for name, value in element.attrib.items():
            name = _NAMESPACE.sub("", name)  # xlink:href is href today
            if name == "id":
                if value not in referred:
                    continue
                value = prefix + value
            elif name == "href" and value.startswith("#"):
                value = f"#{prefix}{value[1:]}"
            elif name in ("d", "x", "y"):
                value = _LONG_NUMBER.sub(_shorter, value)
            else:
                value = _URL.sub(rf"url(#{prefix}\1)", value)
                value = value.replace(_INK, "currentColor")
                value = value.replace(_PAPER, "var(--paper)")
            if name == "fill" and element.tag == "text" and value == _FAINT:
                value = "currentColor"
            attributes[name] = value
        element.attrib.clear()
        element.attrib.update(attributes)
    for name in ("width", "height", "version", "role", "aria-label"):
        root.attrib.pop(name, None)
    root.attrib |= {"role": "img", "aria-label": label}
    # What matplotlib says in its style sheet for all that it draws.
    root.attrib["style"] = "stroke-linejoin: round; stroke-linecap: butt"
    return Markup(ElementTree.tostring(root, encoding="unicode").strip())


def _references(values):
    for value in values:
        yield from _URL.findall(value)
        if value.startswith("#"):
            yield value[1:]


def _shorter(match):
    return f"{float(match[0]):.2f}".rstrip("0").rstrip(".")


def picture(image, alt, *lines):
    """Make a small picture of an image of shape (height, width[, 3 or 4]) in [0, 1].

    In grey images 0 is paper and 1 is ink. `alt` says what it shows; the lines are
    below.
    """
    from PIL import Image

    shades = np.clip(1 - image if image.ndim == 2 else image, 0, 1)
    file = io.BytesIO()
    Image.fromarray(np.round(255 * shades).astype(np.uint8)).save(
        file, "PNG", optimize=True
    )
    data = base64.b64encode(file.getvalue()).decode()
    return Picture(f"data:image/png;base64,{data}", alt, lines)
