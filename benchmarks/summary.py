"""From the results of rounds to medians and ratios."""

from statistics import mean, median

__all__ = ["ratios", "spread", "summarise"]


def spread(values):
    """Return minimum, median, mean and maximum, or None if there are no values."""
    if not values:
        return None
    return {
        "minimum": min(values),
        "median": median(values),
        "mean": mean(values),
        "maximum": max(values),
    }


def ratios(rounds, peer, ours, measure):
    """Return peer : ours of each round in which both have that measure.

    Both numbers of a ratio come from the same round: what slows the machine down
    for a while slows down both.
    """
    return [
        results[peer][measure] / results[ours][measure]
        for results in rounds
        if results[peer].get(measure) is not None and results[ours].get(measure)
    ]


def summarise(rounds, measures):
    """Summarise rounds for each contestant.

    Parameters
    ----------
    rounds : list of dict
        As :func:`benchmarks.comparisons.run_rounds` returns them.
    measures : tuple of Measure
        What to summarise.

    Returns
    -------
    dict of str to dict
        By name of the contestant: for each measure the spread of its ``values`` and
        of its ``ratio`` to the first contestant, and why some are lacking.
    """
    names = list(rounds[0])
    summary = {}
    for name in names:
        runs = [results[name] for results in rounds]
        entry = {"measures": {}}
        for reason in ("missing", "error"):
            said = [run[reason] for run in runs if reason in run]
            if said:
                entry[reason] = said[0]
                entry["n_failed"] = len(said)
        for measure in measures:
            values = [
                run[measure.name] for run in runs if run.get(measure.name) is not None
            ]
            found = {"values": spread(values)}
            if measure.has_ratio and name != names[0]:
                found["ratio"] = spread(ratios(rounds, name, names[0], measure.name))
            entry["measures"][measure.name] = found
        summary[name] = entry
    return summary
