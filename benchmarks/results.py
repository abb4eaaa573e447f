"""The document of all results: new, or continued from a file."""

import json
import os
from dataclasses import asdict
from datetime import UTC, datetime

from benchmarks.machine import code_revision, describe_machine, used_versions
from benchmarks.summary import summarise

__all__ = ["add_comparison", "make_document", "read_document", "write_text"]

# What must be the same for results in one document.
_CIRCUMSTANCES = ("quick", "machine", "versions")


def make_document(quick):
    """Return a document without results yet.

    Parameters
    ----------
    quick : bool
        Whether the results will be those of the quick form.

    Returns
    -------
    dict
        Ready for JSON.
    """
    return {
        "quick": quick,
        "machine": describe_machine(),
        "versions": used_versions(),
        "comparisons": [],
    }


def read_document(path, quick):
    """Return the document of a file to go on with, or a new one if there is no file.

    Parameters
    ----------
    path : Path
        The file.
    quick : bool
        As for :func:`make_document`.

    Returns
    -------
    dict
        As :func:`make_document` returns it, maybe with results.

    Raises
    ------
    ValueError
        If the file holds something else, or results from other circumstances.
    """
    document = make_document(quick)
    if not path.exists():
        return document
    try:
        kept = json.loads(path.read_text(encoding="utf-8"))
        differing = [key for key in _CIRCUMSTANCES if kept[key] != document[key]]
        document["comparisons"] = list(kept["comparisons"])
    except (ValueError, KeyError, TypeError):
        raise ValueError(f"{path} holds no results of benchmarks.") from None
    if differing:
        raise ValueError(
            f"{path} holds results that differ in {' and '.join(differing)}: remove "
            "it, or name another file."
        )
    return document


def add_comparison(document, comparison, rounds, suites):
    """Put a comparison into a document, in place of an older one of that title.

    Parameters
    ----------
    document : dict
        Changed in place.
    comparison : Comparison
        What was run.
    rounds : list of dict
        Its results.
    suites : sequence of str
        The order of the suites.

    Returns
    -------
    dict
        The comparison with its results, as it is in the document.
    """
    entry = {
        **asdict(comparison),
        "ended": datetime.now(UTC).isoformat(timespec="seconds"),
        "load": os.getloadavg()[0] if hasattr(os, "getloadavg") else None,
        "revision": code_revision(),
        "rounds": rounds,
        "summary": summarise(rounds, comparison.measures),
    }
    comparisons = document["comparisons"]
    places = {(each["suite"], each["title"]): i for i, each in enumerate(comparisons)}
    place = places.get((comparison.suite, comparison.title))
    if place is None:
        comparisons.append(entry)
    else:
        comparisons[place] = entry
    comparisons.sort(key=lambda each: suites.index(each["suite"]))
    return entry


def write_text(path, text):
    """Write a file that is whole at any moment."""
    unfinished = path.with_name(path.name + ".part")
    unfinished.write_text(text, encoding="utf-8")
    unfinished.replace(path)
