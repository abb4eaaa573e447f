"""Accuracy–rejection curves: accuracy without the least confident images."""

import numpy as np

from skmnist.evaluation import evaluate

from ._figures import BLUE, GREY, legend_above, open_axes, tidy_axes, with_keywords

__all__ = ["RejectionCurveDisplay"]

_LIMITS = (0.02, 0.05, 0.1, 0.2, 0.5, 1.0)


class RejectionCurveDisplay:
    """Accuracy–rejection curve: accuracy without the least confident images.

    It shows how accurate a classifier is if it does not answer where its confidence,
    the probability of the predicted label, is low. Also known as risk–coverage curve,
    with error for accuracy and coverage for the fraction that is not rejected. Use
    :meth:`from_estimator` or :meth:`from_evaluation` to make one.

    Parameters
    ----------
    rejected : array-like of shape (n_thresholds,)
        Fraction of the images rejected at each threshold, in [0, 1) and ascending.
    accuracy : array-like of shape (n_thresholds,)
        Accuracy on the other images, in [0, 1].
    name : str, default=None
        Name of the classifier, for the legend.

    Attributes
    ----------
    ax_ : matplotlib Axes
        Axes of the curve.
    figure_ : matplotlib Figure
        Figure of the axes.
    line_ : Line2D
        The curve.
    ref_line_ : Line2D or None
        The best possible curve.

    See Also
    --------
    skmnist.evaluation.Evaluation : Its ``rejection`` has the thresholds.
    sklearn.calibration.CalibrationDisplay : Accuracy at each confidence.

    References
    ----------
    M. S. A. Nadeem, J.-D. Zucker and B. Hanczar (2010). Accuracy-rejection curves
    (ARCs) for comparing classification methods with a reject option. Proceedings of
    Machine Learning Research 8, 65-81. https://proceedings.mlr.press/v8/nadeem10a.html

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import RejectionCurveDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = KNeighborsClassifier(4).fit(X[:1000], y[:1000])
    >>> display = RejectionCurveDisplay.from_estimator(model, X[1000:], y[1000:])
    >>> display.rejected.round(3), display.accuracy.round(3)
    (array([0.   , 0.001, 0.035, 0.104]), array([0.959, 0.96 , 0.978, 0.99 ]))
    >>> plt.close(display.figure_)
    """

    def __init__(self, rejected, accuracy, *, name=None):
        self.rejected = rejected
        self.accuracy = accuracy
        self.name = name

    @classmethod
    def from_estimator(cls, estimator, X, y, *, name=None, **plot_params):
        """Classify images with a fitted classifier and draw the curve.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            A fitted classifier with ``predict`` and ``predict_proba``.
        X : array-like with n_samples rows
            Images in any form that the classifier accepts.
        y : array-like of shape (n_samples,)
            Their true labels.
        name : str, default=None
            Name of the classifier, for the legend.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        RejectionCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the classifier has no probabilities.
        """
        return cls.from_evaluation(evaluate(estimator, X, y), name=name, **plot_params)

    @classmethod
    def from_evaluation(cls, evaluation, *, name=None, **plot_params):
        """Draw the curve of an evaluation.

        Parameters
        ----------
        evaluation : Evaluation
            Return value of :func:`~skmnist.evaluation.evaluate`.
        name : str, default=None
            Name of the classifier, for the legend.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        RejectionCurveDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the evaluated classifier has no probabilities.
        """
        table = evaluation.rejection
        if table is None:
            raise TypeError(
                "RejectionCurveDisplay needs a classifier with predict_proba, by which "
                "images are rejected; the evaluated one has no probabilities."
            )
        rejected, accuracy = table["rejected"], table["accuracy"]
        display = cls(rejected.to_numpy(), accuracy.to_numpy(), name=name)
        return display.plot(**plot_params)

    def plot(self, ax=None, *, max_rejected=None, ref_line=True, line_kw=None):
        """Draw the curve.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        max_rejected : float, default=None
            Where the curve ends, in (0, 1]. None means at least five times the error,
            within which most of the gain lies.
        ref_line : bool, default=True
            Whether to draw the best possible curve for this accuracy, of a classifier
            that is less confident in every misclassified image than in any other.
        line_kw : dict, default=None
            Keywords passed to ``plot`` for the curve, such as ``{"color": "black"}``.

        Returns
        -------
        RejectionCurveDisplay
            The display.
        """
        if max_rejected is not None and not 0 < max_rejected <= 1:
            raise ValueError(
                f"max_rejected must be in (0, 1] or None; got {max_rejected!r}."
            )
        ax = open_axes(ax, type(self).__name__ + ".plot", (5.2, 3.8))
        from matplotlib.lines import Line2D

        rejected, accuracy = np.asarray(self.rejected), np.asarray(self.accuracy)
        n_right = accuracy[0] * (1 - rejected[0])  # as a fraction of all images
        limit = max_rejected
        if limit is None:
            expected = min(round(5 * (1 - n_right), 9), 1.0)
            limit = next(end for end in _LIMITS if end >= expected)
        shown = rejected <= max(limit, rejected[0])
        keywords = {
            "color": BLUE,
            "linewidth": 1.6,
            "marker": "o" if shown.sum() <= 30 else None,
            "markersize": 3,
            "label": self.name or "least confident images rejected first",
        }
        self.ref_line_ = None
        if ref_line:
            across = np.linspace(0, limit, 201)
            best = n_right / np.maximum(1 - across, n_right or 1)
            (self.ref_line_,) = ax.plot(
                across,
                best,
                color=GREY,
                linestyle=":",
                label="best possible: misclassified images first",
            )
        (self.line_,) = ax.plot(
            rejected[shown],
            accuracy[shown],
            **with_keywords(keywords, line_kw, Line2D),
        )
        ax.set(xlabel="fraction of images rejected", ylabel="accuracy on the others")
        for axis in (ax.xaxis, ax.yaxis):
            # As few digits as tell the ticks apart, rounding errors aside.
            axis.set_major_formatter(lambda x, _: f"{100 * x:.6g} %")
        tidy_axes(ax)
        legend_above(ax, n_columns=1)
        self.ax_, self.figure_ = ax, ax.figure
        return self
