"""The results of a search, sorted by the values of its parameters."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

__all__ = ["SearchResults", "are_numbers", "bare_name", "value_text"]


@dataclass(frozen=True, eq=False)
class SearchResults:
    """Candidates of a search with their scores.

    Parameters
    ----------
    params : list of dict
        The values of each candidate.
    means, spreads : ndarray of shape (n_candidates,)
        Mean score of each, and its standard deviation over the folds; NaN for a
        candidate that failed.
    name : str
        What the score is called.
    """

    params: list
    means: np.ndarray
    spreads: np.ndarray
    name: str = "score"

    @classmethod
    def from_cv_results(cls, cv_results, metric="score"):
        """Read ``cv_results_`` of a search.

        Parameters
        ----------
        cv_results : dict or DataFrame
            With ``params`` and ``mean_test_<metric>``.
        metric : str, default="score"
            Which score.

        Returns
        -------
        SearchResults
            The candidates, each of them once.

        Raises
        ------
        ValueError
            If it is no such table, or all candidates failed.
        """
        column = f"mean_test_{metric}"
        if "params" not in cv_results or column not in cv_results:
            metrics = [
                name.removeprefix("mean_test_")
                for name in cv_results
                if str(name).startswith("mean_test_")
            ]
            raise ValueError(
                f"cv_results has no {column!r} with 'params'; metrics that it has: "
                f"{', '.join(map(repr, metrics)) or 'none'}."
            )
        means = np.asarray(cv_results[column], dtype=float)
        spreads = np.zeros_like(means)
        if f"std_test_{metric}" in cv_results:
            spreads = np.asarray(cv_results[f"std_test_{metric}"], dtype=float)
        if not np.isfinite(means).any():
            raise ValueError("All candidates of the search failed: there is no score.")
        # A halving search meets a candidate again with more resources.
        last = {_key(params): i for i, params in enumerate(cv_results["params"])}
        rows = sorted(last.values())
        params = list(cv_results["params"])
        return cls(
            [dict(params[i]) for i in rows], means[rows], spreads[rows], _named(metric)
        )

    def resolve(self, wanted):
        """Return the full names of the parameters to show.

        Parameters
        ----------
        wanted : None, str or sequence of str
            One or two names, bare or full; None chooses.

        Returns
        -------
        tuple of str
            One or two names.

        Raises
        ------
        ValueError
            If there is no such parameter, or none varies.
        """
        known = list(dict.fromkeys(name for params in self.params for name in params))
        if wanted is None:
            varying = [name for name in known if len(self.values_of(name)) > 1]
            if not varying:
                raise ValueError(
                    "No parameter varies in this search: there is nothing to compare."
                )
            ranked = sorted(varying, key=self._difference, reverse=True)
            together = [name for name in ranked[1:] if self._meet(ranked[0], name)]
            # In the order of the search, not by chance of the scores.
            chosen = {ranked[0], *together[:1]}
            return tuple(name for name in varying if name in chosen)
        names = [wanted] if isinstance(wanted, str) else list(wanted)
        if len(names) not in (1, 2) or len(set(names)) < len(names):
            raise ValueError(f"params must name one or two parameters; got {wanted!r}.")
        resolved = []
        for name in names:
            found = [name] if name in known else []
            found = found or [full for full in known if full.endswith(f"__{name}")]
            if len(found) != 1:
                raise ValueError(
                    f"params: {'no' if not found else 'more than one'} parameter "
                    f"{name!r} in this search, which has "
                    f"{', '.join(map(repr, known))}."
                )
            resolved += found
        if not self._meet(*resolved):
            raise ValueError(f"params: no candidate has both {' and '.join(resolved)}.")
        return tuple(resolved)

    def values_of(self, name, among=None):
        """List the distinct values of a parameter, numbers in ascending order.

        Parameters
        ----------
        name : str
            Its full name.
        among : list of int, default=None
            The candidates to look at; None means all.

        Returns
        -------
        list
            The values; others than numbers in the order in which they were tried.
        """
        values = {}
        for i in range(len(self.params)) if among is None else among:
            params = self.params[i]
            if name in params:
                values.setdefault(_key(params[name]), params[name])
        try:
            # Tuples of numbers can be sorted as well, a mixture cannot.
            if all(_is_number(v) or isinstance(v, tuple) for v in values.values()):
                return sorted(values.values())
        except (TypeError, ValueError):
            pass
        return list(values.values())

    def best_at(self, names):
        """Find the best candidate for each value, or each pair of values.

        Parameters
        ----------
        names : tuple of str
            One or two parameters.

        Returns
        -------
        values : tuple of list
            The values of each parameter.
        means, spreads : ndarray of shape (n_values,) or (n_values_2, n_values_1)
            Of the best candidate at each place, NaN where there is none.
        """
        having = [i for i, p in enumerate(self.params) if set(names) <= set(p)]
        values = tuple(self.values_of(name, among=having) for name in names)
        order = [{_key(value): i for i, value in enumerate(axis)} for axis in values]
        shape = tuple(len(axis) for axis in reversed(values))
        means, spreads = np.full(shape, np.nan), np.full(shape, np.nan)
        for i in having:
            place = tuple(
                positions[_key(self.params[i][name])]
                for name, positions in zip(names, order, strict=True)
            )[::-1]
            # The first one, and each that is better.
            if not np.isnan(self.means[i]) and not self.means[i] <= means[place]:
                means[place], spreads[place] = self.means[i], self.spreads[i]
        return values, means, spreads

    def is_continuous_in(self, name):
        """Tell whether the best candidates differ in one parameter alone or by choice.

        In a random search they differ in all others too, by chance.

        Parameters
        ----------
        name : str
            Its full name.

        Returns
        -------
        bool
            Whether other parameters stay the same, or the best was chosen among
            several for each value.
        """
        others = {key for params in self.params for key in params} - {name}
        varies = any(len(self.values_of(other)) > 1 for other in others)
        return not varies or len(self.params) >= 2 * len(self.values_of(name))

    def _meet(self, *names):
        """Tell whether some candidate has values of all these parameters."""
        return any(set(names) <= set(params) for params in self.params)

    def _difference(self, name):
        """Tell how much the best score depends on a parameter."""
        _, means, _ = self.best_at((name,))
        return 0.0 if np.isnan(means).all() else np.nanmax(means) - np.nanmin(means)


def _key(value):
    """Return what tells values apart, whether they can be hashed or not."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, dict):
        return tuple((name, _key(part)) for name, part in sorted(value.items()))
    if isinstance(value, list | tuple):
        return tuple(map(_key, value))
    if _is_number(value):
        return float(value)
    try:
        hash(value)
    except TypeError:
        return repr(value)
    return type(value).__name__, value


def _is_number(value):
    """Tell whether a value is a number, which True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _named(metric):
    """Return a metric's name as it stands at an axis."""
    return "mean score" if metric == "score" else metric.replace("_", " ")


def are_numbers(values):
    """Tell whether all values are numbers."""
    return all(map(_is_number, values))


def bare_name(name):
    """Return the name of a parameter without that of the step."""
    return name.rpartition("__")[2]


def value_text(value):
    """Write a value of a parameter as short as a tick label must be."""
    if isinstance(value, float | np.floating):
        return f"{value:.4g}"
    if isinstance(value, tuple | list):
        return ", ".join(map(value_text, value))
    text = getattr(value, "__name__", None) or str(value)
    return text if len(text) <= 24 else text[:23] + "…"
