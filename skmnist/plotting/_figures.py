"""Figures, axes and colours of the displays; the one place that loads matplotlib.

Nothing here touches ``matplotlib.rcParams``: text, spines and backgrounds follow
the user's style sheet, so that a dark one works as well. The colours of the data
are distinct to colour-blind readers and stand out from white and from black.
"""

import textwrap

import numpy as np

from skmnist._interrupts import uninterrupted

__all__ = [
    "BLUE",
    "DIVERGING",
    "GREY",
    "INK",
    "SEQUENTIAL",
    "VERMILLION",
    "add_heading",
    "caption_room",
    "caption_size",
    "draw_image",
    "frame_size",
    "grid_of_axes",
    "has_layout",
    "legend_above",
    "literal",
    "load_pyplot",
    "open_axes",
    "strip_axes",
    "tidy_axes",
    "with_keywords",
    "wrapped",
]

# From the palette of M. Okabe and K. Ito (2008), recommended by B. Wong (2011),
# "Color blindness", Nature Methods 8, 441.
BLUE = "#0072B2"
VERMILLION = "#D55E00"
GREY = "#808080"

INK = "gray_r"  # 0 is paper, 1 is ink
SEQUENTIAL = "viridis"
DIVERGING = "RdBu_r"


def load_pyplot(caller):
    """Import ``matplotlib.pyplot``, or say who needs it and how to get it."""
    try:
        with uninterrupted():
            import matplotlib.pyplot as plt
    except ImportError as error:
        raise ImportError(
            f"{caller} draws with matplotlib, which is not installed. Install it by "
            'pip install "skmnist[plot]".'
        ) from error
    return plt


def open_axes(ax, caller, figsize):
    """Return `ax`, or the axes of a new figure of `figsize` inches."""
    plt = load_pyplot(caller)
    if ax is None:
        _, ax = plt.subplots(figsize=figsize, layout="constrained")
    return ax


def grid_of_axes(
    ax,
    n_axes,
    n_columns,
    caller,
    cell_size,
    *,
    gaps=(0.0, 0.0),
    fill_row=False,
    **spacing,
):
    """Make axes in rows of `n_columns`, inside `ax` or in a new figure.

    Parameters
    ----------
    ax : None, Axes or array of Axes
        A single axes is a frame that is blanked and filled, or used where one axes
        will do; an array is used as it is and must have `n_axes` elements.
    n_axes, n_columns : int
        Number of axes, and of those in a row.
    caller : str
        Name of the caller, for error messages.
    cell_size : tuple of 2 float
        Width and height, in inches, that an axes gets in a new figure.
    gaps : tuple of 2 float, default=(0.0, 0.0)
        Inches between columns and between rows where the figure has no constrained
        layout, and leaves captions and tick labels no room by itself; 0 leaves it to
        `spacing`.
    fill_row : bool, default=False
        Whether to leave room for a full row where there are fewer axes than columns.
    **spacing : float
        ``height_ratios``, ``hspace`` and the like of a gridspec.

    Returns
    -------
    figure : Figure or SubFigure
        Where the axes are.
    axes : ndarray of Axes, shape (n_axes,)
        In reading order.
    """
    if ax is not None and not hasattr(ax, "get_subplotspec"):
        axes = np.asarray(ax, dtype=object).ravel()
        if len(axes) != n_axes:
            raise ValueError(
                f"{caller} draws {n_axes} axes here; ax must be None, one axes, or "
                f"an array of {n_axes}, got {len(axes)}."
            )
        return axes[0].figure, axes
    if not fill_row:
        n_columns = min(n_columns, n_axes)
    n_rows = -(-n_axes // n_columns)
    frame = open_axes(
        ax, caller, (n_columns * cell_size[0] + 0.1, n_rows * cell_size[1] + 0.1)
    )
    if n_axes == n_columns == 1:
        return frame.figure, np.array([frame], dtype=object)
    frame.set_axis_off()
    figure, spec = frame.figure, frame.get_subplotspec()
    if not has_layout(frame):
        sides = zip(
            ("wspace", "hspace"),
            gaps,
            frame_size(frame),
            (n_columns, n_rows),
            strict=True,
        )
        for name, gap, length, n in sides:
            if gap:
                # Gaps never take more than three quarters of the length.
                cell = max((length - (n - 1) * gap) / n, 0.25 * length / n)
                spacing[name] = min(gap / cell, 3.0)
    if spec is not None:
        grid = spec.subgridspec(n_rows, n_columns, **spacing)
    else:  # placed by hand: stay within that rectangle
        box = frame.get_position()
        sides = {"left": box.x0, "right": box.x1, "bottom": box.y0, "top": box.y1}
        grid = figure.add_gridspec(n_rows, n_columns, **sides, **spacing)
    axes = np.empty(n_axes, dtype=object)
    for i in range(n_axes):
        axes[i] = figure.add_subplot(grid[divmod(i, n_columns)])
    return figure, axes


def literal(text):
    """Return a text that is shown as it is, not with a formula between dollar signs."""
    from matplotlib import rcParams

    return str(text).replace("$", r"\$") if rcParams["text.parse_math"] else str(text)


def strip_axes(ax):
    """Leave nothing of the axes of a picture but a thin frame."""
    ax.set_xticks([])
    ax.set_yticks([])
    for spine in ax.spines.values():
        spine.set(color=GREY, linewidth=0.5, alpha=0.6)


def tidy_axes(ax, grid="y"):
    """Leave of the axes of a chart what is needed to read values."""
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    if grid:
        ax.grid(axis=grid, color=GREY, alpha=0.25, linewidth=0.6)


def legend_above(ax, handles=None, labels=None, n_columns=None):
    """Write the legend above the axes, by default in a line; it covers nothing."""
    if handles is None:
        handles, labels = ax.get_legend_handles_labels()
    if handles:
        ax.legend(
            handles,
            labels,
            loc="lower left",
            bbox_to_anchor=(0.0, 1.0),
            ncols=n_columns or len(handles),
            frameon=False,
            fontsize=9,
            handlelength=1.2,
            handletextpad=0.4,
            columnspacing=1.2,
            borderaxespad=0.2,
        )


def with_keywords(defaults, given, artist):
    """Return keywords for an artist of a class: those given, else the defaults.

    The names may be short ones, such as ``lw`` for ``linewidth``.
    """
    from matplotlib.cbook import normalize_kwargs

    return defaults | normalize_kwargs(given, artist)


def draw_image(ax, image, *, cmap=INK, vmin=0.0, vmax=1.0, im_kw=None):
    """Draw one image, grey or in colour, pixel by pixel; return the artist."""
    strip_axes(ax)
    keywords = {"cmap": cmap, "vmin": vmin, "vmax": vmax, "interpolation": "nearest"}
    if im_kw and im_kw.get("norm") is not None:  # which has limits of its own
        del keywords["vmin"], keywords["vmax"]
    return ax.imshow(image, **keywords | (im_kw or {}))


def has_layout(ax):
    """Return whether something makes room for what stands around any axes."""
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    return isinstance(ax.figure.figure.get_layout_engine(), ConstrainedLayoutEngine)


def frame_size(ax):
    """Return width and height of axes, in inches, as the layout makes them so far."""
    figure = ax.figure.figure
    if has_layout(ax):
        figure.draw_without_rendering()
    box = ax.get_window_extent()
    return box.width / figure.dpi, box.height / figure.dpi


def wrapped(text, width, fontsize):
    """Break a text into lines of no more than `width` inches, between words."""
    from matplotlib.textpath import TextPath

    length = TextPath((0, 0), text, size=fontsize).get_extents().width / 72
    n_characters = int(0.95 * len(text) * width / max(length, 0.01))
    return "\n".join(textwrap.wrap(text, max(n_characters, 8), break_long_words=False))


def add_heading(frame, text, caller, heading_height, height):
    """Write a text at the top of a frame; return the axes that are left below.

    Both heights, that of the heading and that of the frame, are in inches. With the
    same for both nothing is left, and None returned.
    """
    rest = None
    heading = frame
    if height > heading_height:
        _, (heading, rest) = grid_of_axes(
            frame,
            2,
            1,
            caller,
            (1, 1),
            height_ratios=(heading_height, height - heading_height),
            hspace=0,
        )
        rest.set_axis_off()
    heading.set_axis_off()
    place = {"y": 0.5, "va": "center"} if has_layout(frame) else {"y": 1, "va": "top"}
    heading.text(x=0, s=text, fontsize=10, transform=heading.transAxes, **place)
    return rest


def caption_room(n_lines, fontsize):
    """Return the height, in inches, of captions above pictures."""
    return n_lines * 1.25 * fontsize / 72 + 0.05 if n_lines else 0.0


def caption_size(captions, width):
    """Choose the size, in points, of the captions of pictures `width` inches wide."""
    longest = max(
        (len(line) for text in captions for line in str(text).splitlines()), default=0
    )
    # A character is about 0.6 of the font size wide, an inch has 72 points.
    return float(np.clip(72 * width / (0.6 * max(longest, 1)), 6.0, 9.0))
