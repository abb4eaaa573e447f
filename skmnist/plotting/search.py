"""Results of a parameter search."""

import numpy as np
from sklearn.utils.validation import check_is_fitted

from ._figures import (
    BLUE,
    GREY,
    SEQUENTIAL,
    VERMILLION,
    legend_above,
    open_axes,
    strip_axes,
    tidy_axes,
)
from ._search_results import SearchResults, are_numbers, bare_name, value_text

__all__ = ["SearchResultsDisplay"]


class SearchResultsDisplay:
    """Scores of a search over one or two parameters.

    One parameter is drawn as a line with the spread over the folds, two as a heat map,
    or as points coloured by score if a random search tried too many values. If the
    search has more parameters, each position shows the best of its candidates. Use
    :meth:`from_estimator` or :meth:`from_results` to make one.

    Parameters
    ----------
    cv_results : dict or DataFrame
        See :meth:`from_results`.
    params : str or sequence of 1 or 2 str, default=None
        See :meth:`from_results`.
    metric : str, default="score"
        See :meth:`from_results`.

    Attributes
    ----------
    kind_ : {"line", "heatmap", "points"}
        Kind of plot drawn.
    params_ : tuple of str
        Full names of the one or two parameters shown: first that of the horizontal
        axis, then that of the vertical one.
    values_ : tuple of list
        Values of each parameter along its axis, in order.
    scores_ : ndarray of shape (n_values,) or (n_values_2, n_values_1)
        Mean score of the best candidate at each position; NaN if there is none or all
        failed.
    spreads_ : ndarray like `scores_`
        Standard deviation of the same candidates over the folds.
    best_ : dict
        Values of `params_` for the best candidate shown, which is marked. In a halving
        search, the best of the last round.
    ax_ : matplotlib Axes
        Axes of the plot.
    line_, band_ : Line2D, Collection or None
        Mean scores, and their spread: a band, or error bars if the values are not
        numbers or other parameters differ from point to point.
    image_ : AxesImage, PathCollection or None
        The heat map, or the points.
    text_ : dict of (int, int) to Text
        Scores in a heat map, by row and column.
    colorbar_ : matplotlib Colorbar or None
        Colour scale of the scores.
    figure_ : matplotlib Figure
        Figure of the axes.

    See Also
    --------
    sklearn.model_selection.ValidationCurveDisplay : Training and test scores over
        one parameter, from new fits.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.model_selection import GridSearchCV
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import SearchResultsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> grid = {"n_neighbors": [1, 3, 9], "weights": ["uniform", "distance"]}
    >>> search = GridSearchCV(KNeighborsClassifier(), grid, cv=3).fit(X, y)
    >>> display = SearchResultsDisplay.from_estimator(search)
    >>> display.kind_, display.values_
    ('heatmap', ([1, 3, 9], ['uniform', 'distance']))
    >>> plt.close(display.figure_)
    """

    def __init__(self, cv_results, *, params=None, metric="score"):
        self.cv_results = cv_results
        self.params = params
        self.metric = metric

    @classmethod
    def from_estimator(cls, search, *, params=None, metric="score", **plot_params):
        """Draw the results of a fitted search.

        Parameters
        ----------
        search : GridSearchCV, RandomizedSearchCV, HalvingGridSearchCV, …
            A fitted search, with ``cv_results_``.
        params : str or sequence of 1 or 2 str, default=None
            See :meth:`from_results`.
        metric : str, default="score"
            See :meth:`from_results`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        SearchResultsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If it is not a search.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        check_is_fitted(search)
        if not hasattr(search, "cv_results_"):
            raise TypeError(
                "SearchResultsDisplay.from_estimator needs a fitted search, with "
                f"cv_results_; got {type(search).__name__}."
            )
        return cls.from_results(
            search.cv_results_, params=params, metric=metric, **plot_params
        )

    @classmethod
    def from_results(cls, cv_results, *, params=None, metric="score", **plot_params):
        """Draw the results of a search.

        Parameters
        ----------
        cv_results : dict or DataFrame
            ``cv_results_`` of a search, with ``params``, ``mean_test_score`` and
            ``std_test_score``. In a halving search, the last score of a candidate
            counts, candidates of later rounds are better, and the parameter that is the
            resource is not shown.
        params : str or sequence of 1 or 2 str, default=None
            Parameters to show, that of the horizontal axis first, as full or bare names
            (``units`` for ``clf__units``). None selects the two that make the largest
            difference, or the only one that varies. If other parameters vary too, each
            position shows the best over their values, which is more favourable than
            their mean; the label of the score names them.
        metric : str, default="score"
            Metric to show, if the search has several.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        SearchResultsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a parameter or the metric does not exist, no parameter varies, or all
            candidates failed.
        """
        return cls(cv_results, params=params, metric=metric).plot(**plot_params)

    def plot(self, ax=None, *, cmap=SEQUENTIAL):
        """Draw the scores.

        Parameters
        ----------
        ax : matplotlib Axes, default=None
            Axes to draw on; None makes a figure.
        cmap : str or Colormap, default="viridis"
            Colours of the scores, from the lowest to the highest.

        Returns
        -------
        SearchResultsDisplay
            The display.
        """
        self._results = results = SearchResults.from_cv_results(
            self.cv_results, self.metric
        )
        self.params_ = results.resolve(self.params)
        self.values_, candidates = results.best_at(self.params_)
        self.scores_ = results.at(results.means, candidates)
        self.spreads_ = results.at(results.spreads, candidates)
        best = results.best_of(candidates.ravel().tolist())
        self._best_place = tuple(np.argwhere(candidates == best)[0])
        self.best_ = {name: results.params[best][name] for name in self.params_}
        self.line_ = self.band_ = self.image_ = self.colorbar_ = None
        self.text_ = {}
        n_columns = len(self.values_[0])
        n_rows = len(self.values_[1]) if len(self.params_) == 2 else 0
        n_filled = int(np.isfinite(self.scores_).sum())
        numeric = all(map(are_numbers, self.values_))
        if len(self.params_) == 1:
            self.kind_, figsize = "line", (5.6, 3.6)
        elif numeric and n_filled < n_columns * n_rows / 2 and n_filled > 3:
            self.kind_, figsize = "points", (5.8, 4.2)
        else:
            self.kind_ = "heatmap"
            figsize = (
                float(np.clip(0.85 * n_columns + 2.2, 4.2, 11)),
                float(np.clip(0.6 * n_rows + 1.1, 2.6, 9)),
            )
        ax = open_axes(ax, type(self).__name__ + ".plot", figsize)
        draw = {
            "line": self._draw_line,
            "points": self._draw_points,
            "heatmap": self._draw_heatmap,
        }[self.kind_]
        draw(ax, cmap)
        ax.set_xlabel(bare_name(self.params_[0]))
        self.ax_, self.figure_ = ax, ax.figure
        return self

    def _score_name(self):
        """Name the score, and the other parameters over which it is the best."""
        others = [bare_name(name) for name in self._results.chosen_among(self.params_)]
        if len(others) > 3:
            others = [*others[:2], f"{len(others) - 2} more"]
        choice = f"\n(best over {', '.join(others)})" if others else ""
        return self._results.name + choice

    def _draw_line(self, ax, cmap):
        """Draw mean and spread over one parameter."""
        (values,), means, spreads = self.values_, self.scores_, self.spreads_
        numeric = are_numbers(values)
        positions = np.array(values, float) if numeric else np.arange(len(values))
        look = {"color": BLUE, "marker": "o", "markersize": 4, "label": "mean of folds"}
        if numeric and self._results.is_continuous_in(self.params_[0]):
            (self.line_,) = ax.plot(positions, means, **look)
            self.band_ = ax.fill_between(
                positions,
                means - spreads,
                means + spreads,
                color=BLUE,
                alpha=0.2,
                linewidth=0,
                label="± standard deviation",
            )
        else:  # a line would suggest that something lies between the points
            look["label"] += " ± standard deviation"
            bars = ax.errorbar(positions, means, spreads, linestyle="none", **look)
            self.line_, _, (self.band_,) = bars.lines
        (best,) = self._best_place
        ax.plot(
            positions[best],
            means[best],
            marker="o",
            markersize=10,
            markerfacecolor="none",
            markeredgecolor=VERMILLION,
            markeredgewidth=1.6,
            linestyle="none",
            label=f"best: {value_text(values[best])}",
        )
        if numeric:
            _numeric_axis(ax.xaxis, positions)
        else:
            ax.set_xticks(positions, [value_text(value) for value in values])
            ax.margins(x=0.1)
        ax.set_ylabel(self._score_name())
        legend_above(ax)
        tidy_axes(ax)

    def _draw_points(self, ax, cmap):
        """Draw scattered candidates of two numeric parameters."""
        rows, columns = np.nonzero(np.isfinite(self.scores_))
        x, y = np.array(self.values_[0])[columns], np.array(self.values_[1])[rows]
        scores = self.scores_[rows, columns]
        order = np.argsort(scores)  # the best on top
        self.image_ = ax.scatter(
            x[order], y[order], c=scores[order], cmap=cmap, s=46, zorder=3
        )
        row, column = self._best_place
        ax.scatter(
            self.values_[0][column],
            self.values_[1][row],
            s=130,
            facecolor="none",
            edgecolor=VERMILLION,
            linewidth=1.6,
            zorder=4,
            label="best",
        )
        _numeric_axis(ax.xaxis, x)
        _numeric_axis(ax.yaxis, y)
        tidy_axes(ax, grid="both")
        self._scale(ax)

    def _draw_heatmap(self, ax, cmap):
        """Draw a cell for each pair of values."""
        strip_axes(ax)
        ax.spines[:].set_visible(False)
        scores = self.scores_
        self.image_ = ax.imshow(scores, cmap=cmap, aspect="auto", origin="lower")
        n_rows, n_columns = scores.shape
        ax.set_xticks(
            range(n_columns), [value_text(value) for value in self.values_[0]]
        )
        ax.set_yticks(range(n_rows), [value_text(value) for value in self.values_[1]])
        ax.tick_params(length=0)
        if sum(len(value_text(value)) for value in self.values_[0]) > 8 * 9:
            ax.tick_params(axis="x", rotation=45)
        # Gaps between the cells, in the colour of the paper.
        ax.set_xticks(np.arange(n_columns - 1) + 0.5, minor=True)
        ax.set_yticks(np.arange(n_rows - 1) + 0.5, minor=True)
        ax.grid(which="minor", color=ax.get_facecolor(), linewidth=1.5)
        ax.tick_params(which="minor", length=0)
        if n_columns <= 12 and n_rows <= 16:
            for (i, j), score in np.ndenumerate(scores):
                failed = np.isnan(score)
                self.text_[i, j] = ax.text(
                    j,
                    i,
                    "–" if failed else f"{score:.3f}",
                    ha="center",
                    va="center",
                    fontsize=9,
                    color=GREY if failed else _readable_on(self.image_, score),
                )
        from matplotlib.patches import Rectangle

        i, j = self._best_place
        ax.add_patch(
            Rectangle(
                (j - 0.5, i - 0.5),
                1,
                1,
                fill=False,
                edgecolor=VERMILLION,
                linewidth=2.5,
                clip_on=False,
                zorder=3,
            )
        )
        self._scale(ax)

    def _scale(self, ax):
        """Name the vertical axis and add the scale of the scores."""
        ax.set_ylabel(bare_name(self.params_[1]))
        self.colorbar_ = ax.figure.colorbar(
            self.image_, ax=ax, label=self._score_name(), pad=0.03
        )
        self.colorbar_.outline.set_visible(False)


def _numeric_axis(axis, values):
    """Scale an axis: few values get a tick each, wide ranges a logarithmic scale."""
    from matplotlib.ticker import FuncFormatter, NullLocator

    distinct = np.unique(values)
    if distinct[0] > 0 and distinct[-1] / distinct[0] >= 50:
        axis.axes.set(**{f"{axis.axis_name}scale": "log"})
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    if len(distinct) <= 6:
        axis.set_ticks(distinct, [f"{value:g}" for value in distinct])
        axis.set_minor_locator(NullLocator())


def _readable_on(image, score):
    """Return black or white, whichever stands out from the colour of a score."""
    red, green, blue, _ = image.cmap(image.norm(score))
    return "black" if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"
