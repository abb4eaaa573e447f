"""Learning curves of several trainings in one chart."""

import numpy as np

from ._figures import BLUE, GREY, VERMILLION, open_axes, tidy_axes, with_keywords
from .histories import checked_history

__all__ = ["CandidateHistoriesDisplay"]

_COLORS = (BLUE, VERMILLION, "#009E73", "#CC79A7")


class CandidateHistoriesDisplay:
    """Learning curves of the candidates of a search, or of any networks, in one chart.

    Use :meth:`from_histories` to make one. Each training is a line, such as each fold
    of a candidate. The first candidates have colours of their own, the others are grey.

    Parameters
    ----------
    histories : dict of str to list of dict
        By the name of each candidate, the ``history_`` of each of its trainings.
    metric : str
        Quantity of the histories that is drawn.

    Attributes
    ----------
    ax_ : matplotlib Axes
        The axes.
    lines_ : dict of str to list of Line2D
        The curves, by candidate.
    figure_ : matplotlib Figure
        Its figure.

    See Also
    --------
    TrainingHistoryDisplay : All quantities of one training.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skmnist.plotting import CandidateHistoriesDisplay
    >>> histories = {
    ...     "units=16": {"loss": [0.9, 0.6, 0.5]},
    ...     "units=64": [{"loss": [0.7, 0.3, 0.2]}, {"loss": [0.8, 0.3, 0.1]}],
    ... }
    >>> display = CandidateHistoriesDisplay.from_histories(histories)
    >>> [len(lines) for lines in display.lines_.values()]
    [1, 2]
    >>> plt.close(display.figure_)
    """

    def __init__(self, histories, metric):
        self.histories = histories
        self.metric = metric

    @classmethod
    def from_histories(cls, histories, *, metric=None, **plot_params):
        """Draw learning curves.

        Parameters
        ----------
        histories : dict of str to dict or list of dict
            By the name of each candidate, the history of its training, or a list of
            them, for folds or seeds: dicts of one value per epoch for each quantity.
        metric : str, default=None
            Quantity to draw, such as ``"val_accuracy"``. None means ``"val_loss"``, or
            else ``"loss"``.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        CandidateHistoriesDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are no histories, or one of them lacks the metric.
        """
        checked = {
            str(name): [
                checked_history(history)
                for history in (given if isinstance(given, list | tuple) else [given])
            ]
            for name, given in histories.items()
        }
        every = [history for each in checked.values() for history in each]
        if not every:
            raise ValueError("histories is empty; at least one training is needed.")
        if metric is None:
            has_validation = all("val_loss" in history for history in every)
            metric = "val_loss" if has_validation else "loss"
        lacking = [
            name
            for name, each in checked.items()
            if any(metric not in history for history in each)
        ]
        if lacking:
            known = set.intersection(*map(set, every))
            raise ValueError(
                f"metric={metric!r} is not in the history of {lacking[0]}; all have "
                f"{', '.join(map(repr, sorted(known)))}."
            )
        return cls(checked, metric).plot(**plot_params)

    def plot(self, ax=None, *, n_colored=4, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        n_colored : int, default=4
            Number of candidates with a colour and an entry in the legend, 0 to 4.
        line_kw : dict, default=None
            Keywords passed to ``plot`` for every curve.

        Returns
        -------
        CandidateHistoriesDisplay
            The display.
        """
        from matplotlib.lines import Line2D
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        if n_colored not in range(len(_COLORS) + 1):
            raise ValueError(f"n_colored must be 0 to {len(_COLORS)}; got {n_colored}.")
        ax = open_axes(ax, type(self).__name__ + ".plot", (6.4, 3.8))
        self.ax_, self.figure_, self.lines_ = ax, ax.figure, {}
        n_others = len(self.histories) - n_colored
        for number, (name, histories) in enumerate(self.histories.items()):
            is_colored = number < n_colored
            label = name if is_colored else None
            if number == n_colored:
                label = "the only other" if n_others == 1 else f"{n_others} others"
            keywords = {
                "color": _COLORS[number] if is_colored else GREY,
                "linewidth": 1.6 if is_colored else 0.8,
                "alpha": 1.0 if is_colored else 0.6,
                "zorder": 3 - number / len(self.histories),
            }
            self.lines_[name] = []
            for history in histories:
                values = history[self.metric]
                epochs = np.arange(1, len(values) + 1)
                single = {"marker": "o", "markersize": 4} if len(values) == 1 else {}
                self.lines_[name] += ax.plot(
                    epochs,
                    values,
                    label=label,
                    **with_keywords({**keywords, **single}, line_kw, Line2D),
                )
                label = None
        ax.set_xlabel("epoch")
        ax.set_ylabel(self.metric.replace("val_", "validation ").replace("_", " "))
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if "accuracy" in self.metric:
            ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.6g} %"))
        tidy_axes(ax)
        ax.legend(frameon=False, fontsize=9)
        return self
