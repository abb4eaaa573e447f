"""The results of a search, sorted by the values of its parameters."""

from dataclasses import dataclass
from numbers import Real

import numpy as np

from ._figures import literal

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
    rounds : ndarray of shape (n_candidates,)
        The round of a halving search that each reached; else 0. Scores of different
        rounds are of different resources: the later round is better.
    name : str
        What the score is called.
    """

    params: list
    means: np.ndarray
    spreads: np.ndarray
    rounds: np.ndarray
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
        params, rounds = _without_resource(cv_results)
        # A halving search meets a candidate again with more resources.
        last = {_key(values): i for i, values in enumerate(params)}
        rows = sorted(last.values())
        return cls(
            [params[i] for i in rows],
            means[rows],
            spreads[rows],
            rounds[rows],
            _named(metric),
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
            If there is no such parameter, none varies, or no candidate that has
            them has a score.
        """
        known = list(dict.fromkeys(name for params in self.params for name in params))
        if wanted is None:
            varying = [
                name
                for name in known
                if len(self.values_of(name)) > 1 and self._meet(name)
            ]
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
            raise ValueError(
                f"params: no candidate that has {' and '.join(resolved)} has a score."
            )
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
        candidates : ndarray of shape (n_values,) or (n_values_2, n_values_1)
            The best candidate at each place, -1 where none has a score.
        """
        having = [i for i, p in enumerate(self.params) if set(names) <= set(p)]
        values = tuple(self.values_of(name, among=having) for name in names)
        order = [{_key(value): i for i, value in enumerate(axis)} for axis in values]
        shape = tuple(len(axis) for axis in reversed(values))
        candidates = np.full(shape, -1)
        for i in having:
            place = tuple(
                positions[_key(self.params[i][name])]
                for name, positions in zip(names, order, strict=True)
            )[::-1]
            candidates[place] = self.best_of([candidates[place], i])
        return values, candidates

    def best_of(self, candidates):
        """Find the best of some candidates, the first of equal ones.

        Parameters
        ----------
        candidates : iterable of int
            Their numbers; -1 stands for none.

        Returns
        -------
        int
            One of them with a score, of the latest round; -1 if there is none.
        """
        scored = [i for i in candidates if i >= 0 and np.isfinite(self.means[i])]
        return max(
            scored, key=lambda i: (self.rounds[i], self.means[i], -i), default=-1
        )

    def at(self, scores, candidates):
        """Return scores of candidates, NaN for none."""
        return np.where(candidates < 0, np.nan, scores[candidates])

    def chosen_among(self, names):
        """List the parameters among whose values the best was chosen at each place.

        Parameters
        ----------
        names : tuple of str
            The parameters that make the places.

        Returns
        -------
        list of str
            Those that vary at one place or another, in the order of the search.
        """
        tried = {}
        for params in self.params:
            if set(names) <= set(params):
                place = tuple(_key(params[name]) for name in names)
                for other, value in params.items():
                    tried.setdefault(other, {}).setdefault(place, set()).add(
                        _key(value)
                    )
        return [
            other
            for other, places in tried.items()
            if any(len(values) > 1 for values in places.values())
        ]

    def is_continuous_in(self, name):
        """Return whether the best candidates differ in one parameter or by choice.

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
        """Return whether some candidate with a score has all these parameters."""
        return any(
            set(names) <= set(params) and np.isfinite(mean)
            for params, mean in zip(self.params, self.means, strict=True)
        )

    def _difference(self, name):
        """Return how much the best score depends on a parameter."""
        _, candidates = self.best_at((name,))
        means = self.means[candidates[candidates >= 0]]
        return np.ptp(means)


def _without_resource(cv_results):
    """Return the parameters that a search chose among, and the rounds.

    Where a halving search gives out a parameter as its resource, such as epochs, its
    table lists that among the parameters.
    """
    params = [dict(values) for values in cv_results["params"]]
    if "iter" not in cv_results:
        return params, np.zeros(len(params), dtype=int)
    amounts = list(cv_results["n_resources"])
    for name in set.intersection(*map(set, params)):
        if [values[name] for values in params] == amounts:
            for values in params:
                del values[name]
    return params, np.asarray(cv_results["iter"], dtype=int)


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
    """Return whether a value is a number, which True and False are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _named(metric):
    """Return the name of a metric for an axis."""
    return "mean score" if metric == "score" else metric.replace("_", " ")


def are_numbers(values):
    """Return whether all values are numbers."""
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
    return literal(text if len(text) <= 24 else text[:23] + "…")
