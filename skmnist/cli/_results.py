"""Results of a command: on standard output, in a file, and as a report page."""

import json
from pathlib import Path

from skmnist.cli._messages import note
from skmnist.cli._result_files import write_text

__all__ = ["print_files", "print_json", "print_results", "write_results"]


def print_results(document, *, as_json):
    """Print results as one JSON document, or as a brief report."""
    if as_json:
        print_json(document)
        return
    from skmnist.report._kinds import report_of
    from skmnist.report._terminal import print_report

    print_report(report_of(document))


def print_json(document):
    """Print one JSON document."""
    print(_json(document))


def print_files(paths, *, as_json):
    """Print the names of files that were written."""
    if as_json:
        print_json([str(path) for path in paths])
    else:
        print(*paths, sep="\n")


def write_results(document, path, table=None):
    """Write results to a file, if one is wanted, as its name ends.

    A ``.csv`` file gets the table, a DataFrame.
    """
    if path is None:
        return
    from skmnist.report import make_report

    suffix = Path(path).suffix.lower()
    if suffix == ".json":
        text = _json(document) + "\n"
    elif suffix == ".csv":
        text = table.to_csv()
    else:
        text = make_report(document, format="markdown" if suffix == ".md" else "text")
    write_text(path, text)
    note(f"Written to {path}.")


def _json(document):
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)
