"""A reproduction as tables beside what was published."""

import io

from rich.console import Console
from rich.measure import Measurement

from skmnist._numbers import count, duration, is_missing, percent, with_error
from skmnist._provenance import versions_line
from skmnist.cli._tables import new_table

_STYLES = {"below": "bold red"}
_WIDE = 10_000

# What is missed least goes first.
_LEAST = (
    ">Published loss",
    ">Loss",
    ">Published parameters",
    ">Time",
    ">Parameters",
    "Verdict",
)


def network_cells(row):
    """Return a line of the table of networks as texts by column."""
    published = row["published"]
    given = published["accuracy"]
    return {
        "Network": row["name"],
        ">Published": "none" if given is None else percent(given),
        ">Ours": _spread(row),
        ">Difference": _points(row["difference"]),
        "Verdict": row["verdict"] or "",
        ">Published parameters": count(published["n_parameters"]),
        ">Parameters": count(row["n_parameters"]),
        ">Published loss": _loss(published["loss"]),
        ">Loss": _loss(row["loss"], row["loss_sd"]),
        ">Time": _time(row),
    }


def study_cells(row, reference):
    """Return a line of the table of a study as texts by column."""
    name = row["name"]
    return {
        "Variant": name,
        ">Accuracy": _spread(row),
        ">Difference": "" if name == reference else _points(row["difference"]),
        ">Loss": _loss(row["loss"], row["loss_sd"]),
        ">Parameters": count(row["n_parameters"]),
        ">Time": _time(row),
    }


def _spread(row):
    if not row["seeds"]:
        return ""
    if row["accuracy_sd"] is None:
        return percent(row["accuracy"])
    return with_error(row["accuracy"], row["accuracy_sd"])


def _points(difference):
    return "" if is_missing(difference) else f"{100 * difference:+.2f}"


def _loss(loss, spread=None):
    if loss is None:
        return ""
    return f"{loss:.4f}" if spread is None else f"{loss:.4f} ± {spread:.4f}"


def _time(row):
    return duration(row["fit_time"]) if row["seeds"] else ""


def reproduction_parts(document, runs_folder):
    """Return the tables and notes of a reproduction.

    Parameters
    ----------
    document : dict
        From :func:`reproduction_document`.
    runs_folder : path-like
        Where runs are kept.

    Returns
    -------
    list of (str or list of dict)
        Texts, and tables as lists of cells by column.
    """
    parts = []
    if not document["comparable"]:
        parts += [_not_comparable(document), ""]
    if document["networks"]:
        rows = [network_cells(row) for row in document["networks"]]
        if not document["comparable"]:
            for cells in rows:
                del cells[">Difference"], cells["Verdict"]
        parts += [rows, ""]
    for study in document["studies"]:
        rows = [study_cells(row, study["reference"]) for row in study["variants"]]
        parts += [f"{study['title']}, otherwise {study['model']}", "", rows, ""]
        texts = [
            f"Published: {study['claim']}",
            study["note"],
            f"Difference: from {study['reference']}, which is the published recipe.",
        ]
        parts += [" ".join(filter(None, texts)), ""]
    return [*parts, *_notes(document, runs_folder)]


def _not_comparable(document):
    if document["quick"]:
        return (
            f"Quick run on {document['n_train']:,} training and "
            f"{document['n_test']:,} test images with few epochs: it shows that "
            "everything works. Its figures are NOT comparable with the published ones."
        )
    return (
        f"{document['dataset']} is not MNIST as it was published, image for image: "
        "the figures are NOT comparable with the published ones."
    )


def _notes(document, runs_folder):
    named = [(row["name"], row) for row in document["networks"]]
    for study in document["studies"]:
        named += [(f"{study['name']} {row['name']}", row) for row in study["variants"]]
    rows = [row for _, row in named]
    several = any(len(row["seeds"]) > 1 for row in rows)
    ours = "mean ± standard deviation over the seeds" if several else "of one seed"
    complete = {tuple(r["seeds"]) for r in rows if len(r["seeds"]) == r["n_runs"]}
    if complete:
        ours += f" ({_listed(complete)})"
    notes = [
        f"Accuracy: on the {document['n_test']:,} test images of "
        f"{document['dataset']}, {ours}; published are single runs."
    ]
    fewer = [
        f"{name} ({len(row['seeds']) or 'none'} of {row['n_runs']})"
        for name, row in named
        if len(row["seeds"]) < row["n_runs"]
    ]
    if fewer:
        notes.append(f"Not all runs have a result: {', '.join(fewer)}.")
    if any(row["difference"] is not None for row in rows):
        notes.append("Difference: in percentage points.")
    if document["comparable"] and document["networks"]:
        notes.append(
            "Verdict: reproduced is what comes within 0.2 points of the published "
            "accuracy or above it."
        )
    wrong = [
        row["name"] for row in document["networks"] if row["same_n_parameters"] is False
    ]
    if wrong:
        notes.append(f"Parameters differ from the published: {', '.join(wrong)}.")
    notes += [
        "Time: of one training, with what is looked at behind each epoch.",
        f"Runs: {document['n_trained']} trained now, {document['n_earlier']} found in "
        f"{runs_folder}.",
        f"{document['n_cpus']} processors, {versions_line(document['versions'])}.",
    ]
    notes += [f"Failed: {name}: {text}" for name, text in document["failures"].items()]
    if document["interrupted"]:
        n_left = len(document["left_out"])
        notes.append(
            f"Interrupted with {n_left} {'run' if n_left == 1 else 'runs'} to go; the "
            "same command goes on from here."
        )
    return notes


def _listed(seeds):
    """Write groups of seeds: "0, 1, 2 or 7, 8, 9"."""
    return " or ".join(", ".join(map(str, group)) for group in sorted(seeds))


def table_view(rows):
    """Return a function that draws rows of cells as a width allows."""
    ruler = Console(file=io.StringIO(), width=_WIDE)
    least = [column for column in _LEAST if column in rows[0]]

    def draw(width):
        for n_hidden in range(len(least) + 1):
            table = _drawn(rows, least[:n_hidden])
            if Measurement.get(ruler, ruler.options, table).maximum <= width:
                break
        return table

    return draw


def _drawn(rows, hidden):
    columns = [column for column in rows[0] if column not in hidden]
    table = new_table(*columns)
    for row in rows:
        style = _STYLES.get(row.get("Verdict"))
        table.add_row(*(row[column] for column in columns), style=style)
    return table
