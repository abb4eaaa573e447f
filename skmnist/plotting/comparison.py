"""Comparison of models by accuracy and time."""

import numpy as np

from ._accuracy_axis import scale_accuracy_axis
from ._figures import (
    BLUE,
    GREY,
    frame_size,
    grid_of_axes,
    has_layout,
    legend_above,
    tidy_axes,
    wrapped,
)
from ._point_labels import label_points

__all__ = ["ModelComparisonDisplay"]

_COLUMNS = ("accuracy", "accuracy_se", "fit_time", "predict_time_us")
_PANELS = {
    "fit_time": "fit time (s)",
    "predict_time": "prediction time per image (µs)",
}
_TIMES = {"fit_time": "fit_time", "predict_time": "predict_time_us"}
_OTHER = "no verdict"
# An error that is left out of the chart: above this, and so many times the next one.
_CHANCE = 0.5
_FAR = 4
_VERDICTS = {
    "best": {"marker": "D", "s": 46, "facecolor": BLUE, "edgecolor": BLUE},
    "no clear difference": {
        "marker": "o",
        "s": 40,
        "facecolor": BLUE,
        "edgecolor": BLUE,
    },
    "worse": {"marker": "o", "s": 36, "facecolor": "none", "edgecolor": GREY},
    _OTHER: {"marker": "o", "s": 36, "facecolor": GREY, "edgecolor": GREY},
}


class ModelComparisonDisplay:
    """Accuracy of models, with its uncertainty, against their time.

    Use :meth:`from_table` to make one from the table of
    :func:`skmnist.evaluation.compare`. The best models are at the top left.

    Parameters
    ----------
    table : DataFrame
        One row per model, indexed by name, with the columns ``accuracy``,
        ``accuracy_se``, ``fit_time`` and ``predict_time_us``, and optionally
        ``verdict`` and ``error_message``. Models without an accuracy are left out,
        models without a time only from the chart of that time; the legends name them.
        Verdicts that ``compare`` does not use are ignored.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One axes per time.
    points_ : dict of str to dict of str to PathCollection
        The points, by time and verdict.
    errorbars_ : dict of str to ErrorbarContainer
        The standard errors, by time.
    labels_ : dict of str to dict of str to Annotation
        The labels of the points, by time and name of the model.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    skmnist.evaluation.compare : Compare models and return the table.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.datasets import load_digits
    >>> from sklearn.naive_bayes import GaussianNB
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.evaluation import compare
    >>> from skmnist.plotting import ModelComparisonDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> models = {"bayes": GaussianNB(), "neighbours": KNeighborsClassifier(1)}
    >>> table = compare(models, X, y, cv=3, random_state=0)
    >>> display = ModelComparisonDisplay.from_table(table, kind="fit_time")
    >>> list(display.labels_["fit_time"])
    ['neighbours', 'bayes']
    >>> plt.close(display.figure_)
    """

    def __init__(self, table):
        self.table = table

    @classmethod
    def from_table(cls, table, **plot_params):
        """Draw a comparison.

        Parameters
        ----------
        table : DataFrame
            Table from :func:`skmnist.evaluation.compare`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ModelComparisonDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a column is missing, two models have the same name, no model has an
            accuracy, or accuracies are not between 0 and 1.
        """
        missing = [name for name in _COLUMNS if name not in table]
        if missing:
            raise ValueError(
                "table must have the columns that skmnist.evaluation.compare makes; "
                f"it lacks {', '.join(missing)}."
            )
        repeated = table.index[table.index.duplicated()]
        if len(repeated):
            raise ValueError(
                "table must have one row per model, with unique names; got several "
                f"rows named {', '.join(map(repr, repeated.unique().tolist()))}."
            )
        accuracy = table["accuracy"].dropna()
        if not len(accuracy):
            raise ValueError("No model in the table has an accuracy: all have failed.")
        if not accuracy.between(0, 1).all():
            raise ValueError(
                "accuracy must be a fraction, from 0 to 1; got values from "
                f"{accuracy.min():g} to {accuracy.max():g}."
            )
        if (table["accuracy_se"] < 0).any():
            raise ValueError("accuracy_se must not be negative.")
        return cls(table).plot(**plot_params)

    def plot(self, ax=None, *, kind="both", scale="auto"):
        """Draw the comparison.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes per chart, or a single axes, which
            is divided if there are two charts. None makes a figure.
        kind : {"both", "fit_time", "predict_time"}, default="both"
            Time to draw.
        scale : {"auto", "error", "linear"}, default="auto"
            Scale of the accuracy. "error" is logarithmic in the error: the step from 99
            % to 99.5 % is as large as that from 90 % to 95 %. "auto" uses it if the
            errors differ by more than a factor of three. It also leaves out models that
            are hardly better than chance if they would flatten the chart; these are
            named below it.

        Returns
        -------
        ModelComparisonDisplay
            The display itself.

        Raises
        ------
        ValueError
            If `kind` or `scale` is unknown, or no model has the time to draw.
        """
        if kind not in ("both", *_PANELS):
            raise ValueError(
                f"kind must be 'both', 'fit_time' or 'predict_time'; got {kind!r}."
            )
        if scale not in ("auto", "error", "linear"):
            raise ValueError(
                f"scale must be 'auto', 'error' or 'linear'; got {scale!r}."
            )
        kinds = list(_PANELS) if kind == "both" else [kind]
        far = _far_below(self.table["accuracy"]) if scale == "auto" else []
        shown = {name: self._shown(name).drop(far, errors="ignore") for name in kinds}
        for name, rows in shown.items():
            if not len(rows):
                raise ValueError(
                    f"No model with an accuracy has a time for kind={name!r}."
                )
        anywhere = np.concatenate([rows.index for rows in shown.values()])
        drawn = self.table[self.table.index.isin(anywhere)]
        spread = _spreads(drawn) if scale == "auto" else scale == "error"
        bars = _accuracy_bars(drawn)
        caller = type(self).__name__ + ".plot"
        if len(kinds) > 1 and hasattr(ax, "get_subplotspec"):
            ax = _inset(ax, caller)
        self.figure_, self.axes_ = grid_of_axes(
            ax,
            len(kinds),
            2,
            caller,
            (5.2, 4.6) if len(kinds) > 1 else (6.4, 4.6),
        )
        self.points_, self.errorbars_, self.labels_ = {}, {}, {}
        for name, panel in zip(kinds, self.axes_, strict=True):
            self._draw(panel, name, shown[name], spread, bars)
        label = "accuracy ± standard error"
        if spread:
            label += " (log error scale)"
        self.axes_[0].set_ylabel(label)
        for panel in self.axes_[1:]:
            panel.tick_params(labelleft=False)
        for name, panel in zip(kinds, self.axes_, strict=True):
            width, _ = frame_size(panel)
            size = panel.xaxis.label.get_size()
            label = wrapped(_PANELS[name], width, size)
            if far and panel is self.axes_[0]:
                accuracies = self.table["accuracy"][far]
                listed = ", ".join(
                    f"{m} ({100 * a:.0f} %)" for m, a in accuracies.items()
                )
                label += "\n" + wrapped(f"not shown: {listed}", width, size)
            panel.set_xlabel(label)
            n_ticks = int(np.clip(width / 0.4, 3, 8))
            panel.xaxis.get_major_locator().set_params(numticks=n_ticks)
        self._legend(shown, far)
        # The places of the labels depend on where the layout puts the axes.
        self.axes_[0].figure.figure.draw_without_rendering()
        for name, panel in zip(kinds, self.axes_, strict=True):
            positions = _positions(name, shown[name])
            self.labels_[name] = label_points(
                panel,
                dict(zip(shown[name].index, positions, strict=True)),
                np.column_stack([positions[:, 0], _accuracy_bars(shown[name])]),
            )
        return self

    def _shown(self, kind):
        """Return the rows with an accuracy and a time."""
        times = self.table[_TIMES[kind]].to_numpy(float, na_value=np.nan)
        timed = np.isfinite(times) & (times >= 0)
        return self.table[self.table["accuracy"].notna() & timed]

    def _draw(self, ax, kind, shown, spread, all_bars):
        """Draw one chart, all but the names; `all_bars` are those of all charts."""
        from matplotlib.ticker import FuncFormatter, LogLocator

        positions, bars = _positions(kind, shown), _accuracy_bars(shown)
        ax.set_xscale("log")
        ticks, limits = scale_accuracy_axis(ax, all_bars, spread)
        self.errorbars_[kind] = ax.errorbar(
            *positions.T,
            yerr=np.abs(bars - positions[:, 1:]).T,
            fmt="none",
            ecolor=GREY,
            elinewidth=1.2,
            zorder=2,
        )
        verdicts = np.full(len(shown), "no clear difference", dtype=object)
        if "verdict" in shown:
            known = shown["verdict"].isin(_VERDICTS)
            verdicts = shown["verdict"].where(known, _OTHER).to_numpy(object)
        self.points_[kind] = {
            verdict: ax.scatter(
                *positions[verdicts == verdict].T,
                label=verdict if "verdict" in shown else None,
                linewidth=1.4,
                zorder=3,
                **style,
            )
            for verdict, style in _VERDICTS.items()
            if (verdicts == verdict).any()
        }
        low, high = positions[:, 0].min(), positions[:, 0].max()
        room = max((high / low) ** 0.12, 1.6)  # names stand beside the points
        ax.set_xlim(low / room, high * room)
        few_decades = high * room**2 / low < 100
        ax.set_ylim(*limits)
        ax.set_yticks(ticks, [f"{100 * tick:g} %" for tick in ticks])
        ax.minorticks_off()
        subs = (1, 2, 5) if few_decades else (1,)
        ax.xaxis.set_major_locator(LogLocator(subs=subs, numticks=8))
        ax.xaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{x:,.6g}"))
        tidy_axes(ax, grid="both")

    def _legend(self, shown, far):
        """Say what the points mean, and which models are missing, and where."""
        entries = {}
        for panel in self.axes_:
            handles, labels = panel.get_legend_handles_labels()
            entries |= dict(zip(labels, handles, strict=True))
        entries = {name: entries[name] for name in _VERDICTS if name in entries}
        has_accuracy = self.table["accuracy"].notna()
        missing = {"failed": self.table.index[~has_accuracy]}
        for kind, rows in shown.items():
            named = rows.index.append(self.table.index[self.table.index.isin(far)])
            missing[f"no {kind}"] = self.table.index[has_accuracy].difference(
                named, sort=False
            )
        ax = self.axes_[0]
        for reason, names in missing.items():
            if len(names):
                (blank,) = ax.plot([], [], linestyle="none")
                entries[f"{reason}: {', '.join(map(str, names))}"] = blank
        # A layout would keep a narrow chart clear of all of a long line.
        narrow = has_layout(ax) and frame_size(ax)[0] < 3
        legend_above(ax, list(entries.values()), list(entries), 1 if narrow else None)


def _inset(frame, caller):
    """Leave room inside a frame for the labels left of two charts and below them."""
    if has_layout(frame):
        return frame
    width, height = frame_size(frame)
    left, below = min(0.45, 0.3 * width), min(0.2, 0.3 * height)  # inches
    _, (left_blank, rest, below_blank) = grid_of_axes(
        frame,
        3,
        2,
        caller,
        (1, 1),
        width_ratios=(left, width - left),
        height_ratios=(height - below, below),
        wspace=0,
        hspace=0,
    )
    left_blank.set_axis_off()
    below_blank.set_axis_off()
    return rest


def _positions(kind, shown):
    """Return time and accuracy of each model; a time of 0 stands at the lowest other.

    The axis of times is logarithmic.
    """
    times = shown[_TIMES[kind]].to_numpy(float)
    above = times[times > 0]
    times = np.where(times > 0, times, above.min() if len(above) else 1.0)
    return np.column_stack([times, shown["accuracy"].to_numpy(float)])


def _accuracy_bars(shown):
    """Return the ends (low, high) of each error bar; none is beyond 0 or 1."""
    accuracy = shown["accuracy"].to_numpy(float)
    error = shown["accuracy_se"].fillna(0.0).to_numpy(float)
    return np.column_stack(
        [np.maximum(accuracy - error, 0.0), np.minimum(accuracy + error, 1.0)]
    )


def _far_below(accuracy):
    """Name models of an error far above that of all others, if several are left."""
    errors = (1 - accuracy.dropna()).sort_values()
    n_kept = len(errors)
    while n_kept > 2 and errors.iloc[n_kept - 1] > max(
        _FAR * errors.iloc[n_kept - 2], _CHANCE
    ):
        n_kept -= 1
    return list(errors.index[n_kept:])


def _spreads(shown):
    """Return whether the errors differ so much that a linear axis would hide some."""
    errors = 1 - shown["accuracy"].to_numpy(float)
    return errors.max() > 3 * errors.min()
