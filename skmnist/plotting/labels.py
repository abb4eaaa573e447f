"""Histograms of labels."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import check_classification_targets, unique_labels

from ._figures import (
    BLUE,
    VERMILLION,
    frame_size,
    legend_above,
    literal,
    open_axes,
    tidy_axes,
    with_keywords,
)

__all__ = ["LabelHistogramDisplay"]

_COLORS = (BLUE, VERMILLION)
_FONTSIZE = 8


class LabelHistogramDisplay:
    """Histogram of the labels of one or two sets of images.

    Use :meth:`from_labels` to make one.

    Parameters
    ----------
    counts : ndarray of shape (n_sets, n_labels)
        Number of images of each label in one or two sets.
    labels : ndarray of shape (n_labels,)
        The labels.
    set_names : sequence of str, default=None
        Names of the sets, for the legend. None means "training" and "test" for two
        sets, and no legend for one.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the histogram.
    figure_ : matplotlib Figure
        Figure of the axes.
    bars_ : list of BarContainer
        The bars of each set.

    See Also
    --------
    ImageGalleryDisplay : Gallery of images.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import LabelHistogramDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> display = LabelHistogramDisplay.from_labels(y[:1000], y[1000:])
    >>> display.counts.sum(axis=1)
    array([1000,  797])
    >>> plt.close(display.figure_)
    """

    def __init__(self, counts, labels, *, set_names=None):
        self.counts = counts
        self.labels = labels
        self.set_names = set_names

    @classmethod
    def from_labels(cls, y, y_test=None, *, set_names=None, **plot_params):
        """Count labels and draw their histogram.

        Parameters
        ----------
        y : array-like of shape (n_samples,)
            Labels of any kind, such as those of the training images.
        y_test : array-like of shape (n_test_samples,), default=None
            Labels of a second set. A label that occurs in one set only has the count 0
            in the other.
        set_names : sequence of str, default=None
            One name per set; None means "training" and "test".
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        LabelHistogramDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are no labels, or the numbers of names and sets differ.
        """
        sets = [column_or_1d(part) for part in (y, y_test) if part is not None]
        for name, part in zip(("y", "y_test"), sets, strict=False):
            if not len(part):
                raise ValueError(f"{name} is empty; at least one label is needed.")
            check_classification_targets(part)
        if set_names is not None and len(set_names) != len(sets):
            raise ValueError(
                f"set_names must name each of the {len(sets)} set(s); got "
                f"{list(set_names)!r}."
            )
        labels = np.asarray(unique_labels(*sets))
        counts = np.array(
            [
                np.bincount(np.searchsorted(labels, part), minlength=len(labels))
                for part in sets
            ]
        )
        return cls(counts, labels, set_names=set_names).plot(**plot_params)

    def plot(self, ax=None, *, normalize=False, bar_kw=None):
        """Draw the histogram, with numbers above the bars if they fit.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        normalize : bool, default=False
            Whether to draw percentages of each set instead of counts, for sets of very
            different size.
        bar_kw : dict, default=None
            Keywords passed to ``bar`` for every set, such as
            ``{"edgecolor": "black"}``.

        Returns
        -------
        LabelHistogramDisplay
            The display.
        """
        ax = open_axes(ax, type(self).__name__ + ".plot", (6.4, 3.6))
        from matplotlib.patches import Rectangle

        counts = np.atleast_2d(self.counts)
        n_sets, n_labels = counts.shape
        names = self.set_names or ("training", "test")
        heights = counts
        if normalize:
            heights = 100 * counts / counts.sum(axis=1, keepdims=True)
        positions = np.arange(n_labels)
        width = 0.8 / n_sets
        self.bars_ = []
        for i, row in enumerate(heights):
            keywords = {
                "width": width * (1.0 if n_sets == 1 else 0.94),
                "color": _COLORS[i % 2],
                "label": f"{names[i]} ({counts[i].sum():,})",
            }
            bars = ax.bar(
                positions + (i - (n_sets - 1) / 2) * width,
                row,
                **with_keywords(keywords, bar_kw, Rectangle),
            )
            self.bars_.append(bars)
        texts = [literal(label) for label in np.asarray(self.labels).tolist()]
        long = sum(map(len, texts)) > 60
        ax.set_xticks(
            positions, texts, **({"rotation": 45, "ha": "right"} if long else {})
        )
        ax.set_xlabel("label")
        ax.set_ylabel("percentage of the images" if normalize else "number of images")
        if not normalize:
            ax.yaxis.get_major_locator().set_params(integer=True)
            ax.yaxis.set_major_formatter("{x:,.0f}")
        ax.margins(x=0.02)
        tidy_axes(ax)
        ax.tick_params(axis="x", length=0)
        if n_sets > 1 or self.set_names is not None:
            legend_above(ax)
        self._write_values(ax, heights, normalize)
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _write_values(self, ax, heights, normalize):
        """Write the height of each bar above it: flat, upright, or not at all."""
        width, height = frame_size(ax)
        n_sets, n_labels = heights.shape
        bar = 0.8 * width / (n_labels * n_sets)  # inches
        form = "{:.1f}" if normalize else "{:,.0f}"
        longest = max(len(form.format(value)) for value in heights.flat)
        length, line = 0.62 * longest * _FONTSIZE / 72, 1.2 * _FONTSIZE / 72
        upright = length > bar / (0.85 if n_sets == 1 else 1)
        if upright and line > bar:
            return
        for bars in self.bars_:
            ax.bar_label(
                bars,
                fmt=form,
                fontsize=_FONTSIZE,
                rotation=90 if upright else 0,
                padding=3 if upright else 2,
            )
        room = min(((length if upright else line) + 0.06) / height, 0.5)
        ax.set_ylim(top=heights.max() / (1 - room))
