"""Learning curves: loss and metrics of every epoch."""

import numpy as np

from skmnist._estimators import last_step

from ._figures import BLUE, GREY, VERMILLION, grid_of_axes, tidy_axes, with_keywords

__all__ = ["TrainingHistoryDisplay", "checked_history"]

_VALIDATION = "val_"

# Words in the names of metrics of which less is better, or more.
_LESS = {
    "crossentropy",
    "divergence",
    "entropy",
    "error",
    "hinge",
    "logcosh",
    "loss",
    "mae",
    "mape",
    "mse",
    "msle",
    "poisson",
    "rmse",
}
_MORE = {"acc", "accuracy", "auc", "f1", "fbeta", "iou", "precision", "r2", "recall"}


class TrainingHistoryDisplay:
    """Learning curves: loss and metrics of each epoch, in training and validation.

    Use :meth:`from_estimator` or :meth:`from_history` to make one. For accuracy against
    the number of training images, use scikit-learn's
    :class:`~sklearn.model_selection.LearningCurveDisplay`.

    Parameters
    ----------
    history : dict of str to sequence of float
        One value per epoch for each quantity, NaN if an epoch has none. ``val_loss`` is
        ``loss`` on validation data, and so on.
    best_epoch : int, default=None
        Epoch to mark, counted from 1; None marks none.
    monitor : str, default=None
        Quantity by which that epoch is best.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes
        One axes per quantity, for training and validation together.
    lines_ : dict of str to Line2D
        The curves, by name in `history`.
    best_lines_ : list of Line2D
        Lines that mark the best epoch, one per axes.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    sklearn.model_selection.LearningCurveDisplay : Scores against training set size.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skmnist.plotting import TrainingHistoryDisplay
    >>> history = {"loss": [0.9, 0.4, 0.2], "val_loss": [0.8, 0.5, 0.6]}
    >>> display = TrainingHistoryDisplay.from_history(history)
    >>> display.best_epoch
    2
    >>> plt.close(display.figure_)
    """

    def __init__(self, history, *, best_epoch=None, monitor=None):
        self.history = history
        self.best_epoch = best_epoch
        self.monitor = monitor

    @classmethod
    def from_estimator(cls, estimator, *, monitor=None, **plot_params):
        """Draw the learning curves of a fitted classifier.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            Fitted. A classifier with ``history_``, as in this package and in scikeras,
            or with ``loss_curve_`` (and ``validation_scores_``), such as
            :class:`~sklearn.neural_network.MLPClassifier`; alone, as the last step of a
            Pipeline, or found by a search.
        monitor : str, default=None
            See :meth:`from_history`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        TrainingHistoryDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the classifier has no learning curves.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        classifier = last_step(estimator)
        history = getattr(classifier, "history_", None)
        if history is None and hasattr(classifier, "loss_curve_"):
            history = {"loss": classifier.loss_curve_}
            scores = getattr(classifier, "validation_scores_", None)
            if scores is not None:
                history["val_accuracy"] = scores
        if history is None:
            raise TypeError(
                "TrainingHistoryDisplay.from_estimator needs a classifier that keeps "
                f"history_ or loss_curve_; {type(classifier).__name__} does not."
            )
        return cls.from_history(history, monitor=monitor, **plot_params)

    @classmethod
    def from_history(cls, history, *, monitor=None, **plot_params):
        """Draw the learning curves of a history.

        Parameters
        ----------
        history : dict of str to sequence of float, or keras.callbacks.History
            One value per epoch for each quantity, all of the same length.
        monitor : str, default=None
            Quantity whose best epoch is marked: the lowest value of a loss or error,
            such as ``val_loss``, ``val_mae`` or ``val_binary_crossentropy``, and the
            highest of ``val_accuracy``, ``val_auc`` and the like. No epoch is marked if
            the name does not show which is better. None means ``val_loss``, or else the
            first validation quantity whose name shows it. Without validation data no
            epoch is marked, because training values alone do not show which is best.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        TrainingHistoryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the history is empty, its curves differ in length, or `monitor` is not
            one of them.
        """
        history = checked_history(history)
        if monitor is None:
            validated = [
                name
                for name in history
                if name.startswith(_VALIDATION) and _direction(name)
            ]
            if "val_loss" in validated:
                monitor = "val_loss"
            elif validated:
                monitor = validated[0]
        elif monitor not in history:
            raise ValueError(
                f"monitor={monitor!r} is not in the history, which holds "
                f"{', '.join(map(repr, history))}."
            )
        best_epoch = None if monitor is None else _best_epoch(history, monitor)
        display = cls(history, best_epoch=best_epoch, monitor=monitor)
        return display.plot(**plot_params)

    def plot(self, ax=None, *, metrics=None, line_kw=None):
        """Draw the curves.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes per quantity, or a single axes,
            which is divided. None makes a figure.
        metrics : str or sequence of str, default=None
            Quantities to draw, without ``val_``, such as ``["loss", "accuracy"]``;
            None means all.
        line_kw : dict, default=None
            Keywords passed to ``plot`` for every curve, such as ``{"linewidth": 1}``.

        Returns
        -------
        TrainingHistoryDisplay
            The display.
        """
        known = list(dict.fromkeys(n.removeprefix(_VALIDATION) for n in self.history))
        known.sort(key=lambda name: name != "loss")  # which is what training lowers
        if isinstance(metrics, str):
            metrics = [metrics]
        chosen = known if metrics is None else list(metrics)
        if not chosen or set(chosen) - set(known):
            raise ValueError(
                f"metrics must be among {', '.join(map(repr, known))}; got {metrics!r}."
            )
        self.figure_, self.axes_ = grid_of_axes(
            ax,
            len(chosen),
            2 if len(chosen) in (2, 4) else 3,
            type(self).__name__ + ".plot",
            (4.2, 3.2) if len(chosen) > 1 else (5.6, 3.4),
            gaps=(0.6, 0.75),
        )
        self.lines_, self.best_lines_ = {}, []
        for metric_ax, metric in zip(self.axes_, chosen, strict=True):
            self._draw(metric_ax, metric, line_kw)
        self._legend(self.axes_[0])
        return self

    def _draw(self, ax, metric, line_kw):
        """Draw the curves of one quantity."""
        from matplotlib.lines import Line2D
        from matplotlib.ticker import FuncFormatter, MaxNLocator

        n_epochs = len(next(iter(self.history.values())))
        epochs = np.arange(1, n_epochs + 1)
        for name, color, label in (
            (metric, BLUE, "training"),
            (_VALIDATION + metric, VERMILLION, "validation"),
        ):
            if name in self.history:
                keywords = {
                    "color": color,
                    "label": label,
                    "linewidth": 1.6,
                    "marker": "o" if n_epochs <= 30 else None,
                    "markersize": 3,
                }
                (self.lines_[name],) = ax.plot(
                    epochs,
                    self.history[name],
                    **with_keywords(keywords, line_kw, Line2D),
                )
        if self.best_epoch is not None:
            line = ax.axvline(
                self.best_epoch,
                color=GREY,
                linewidth=1,
                linestyle=(0, (4, 3)),
                zorder=1,
            )
            self.best_lines_.append(line)
            if self.monitor.removeprefix(_VALIDATION) == metric:
                ax.plot(
                    self.best_epoch,
                    self.history[self.monitor][self.best_epoch - 1],
                    marker="o",
                    markersize=9,
                    markerfacecolor="none",
                    markeredgecolor=self.lines_[self.monitor].get_color(),
                    markeredgewidth=1.5,
                )
        ax.set_title(metric.replace("_", " "), fontsize=11, loc="left")
        ax.set_xlabel("epoch")
        ax.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
        if n_epochs == 1:
            ax.set_xlim(0.5, 1.5)
        if "accuracy" in metric:
            # As few digits as tell the ticks apart, rounding errors aside.
            ax.yaxis.set_major_formatter(FuncFormatter(lambda x, _: f"{100 * x:.6g} %"))
        tidy_axes(ax)

    def _legend(self, ax):
        """Say in the first axes what the colours and the dashed line mean."""
        handles, labels = ax.get_legend_handles_labels()
        if self.best_lines_:
            handles.append(self.best_lines_[0])
            labels.append(f"best epoch: {self.best_epoch}")
        ax.legend(handles, labels, frameon=False, fontsize=9)


def checked_history(history):
    """Return a history as a new dict of lists of floats of one length."""
    history = getattr(history, "history", history)
    if not isinstance(history, dict) or not history:
        raise ValueError(
            "history must be a dict of one or more sequences, one value per epoch; got "
            f"{history!r}."
        )
    checked = {}
    for name, values in history.items():
        try:
            checked[str(name)] = np.asarray(values, dtype=float).tolist()
            lengths = {len(curve) for curve in checked.values()}
        except (TypeError, ValueError) as error:
            raise ValueError(
                f"history[{name!r}] must be a sequence of numbers, one per epoch "
                f"({error})."
            ) from error
    if len(lengths) > 1 or 0 in lengths:
        sizes = ", ".join(f"{name}: {len(curve)}" for name, curve in checked.items())
        raise ValueError(
            f"history must have the same number of epochs for all, 1 or more; got "
            f"{sizes}."
        )
    return checked


def _direction(name):
    """Return from a name whether more (1) or less (-1) is better; 0 if unknown."""
    words = set(name.lower().split("_"))
    return bool(words & _MORE) - bool(words & _LESS)


def _best_epoch(history, monitor):
    """Return the best epoch, from 1; None if the name or values do not show it."""
    values = _direction(monitor) * np.array(history[monitor])
    if np.isnan(values).all() or not _direction(monitor):
        return None
    return int(np.nanargmax(values)) + 1
