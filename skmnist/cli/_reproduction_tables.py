"""A reproduction as tables beside what was published, and as one JSON document."""

import io
from dataclasses import asdict, fields

import numpy as np
from rich.console import Console
from rich.measure import Measurement

from skmnist._numbers import count, duration, is_missing, percent, with_error
from skmnist.cli._tables import new_table
from skmnist.cli._versions import versions_line
from skmnist.datasets._published import IMAGE_SHAPE, holds_mnist
from skmnist.published import RESULTS, SOURCES, STUDIES

TOLERANCE = 0.002

_ROUNDING = 1e-9  # of sums of shares, far below one image of 10,000
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


def is_comparable(image_set):
    """Whether a set is MNIST, pixel for pixel and label for label."""
    return image_set.image_shape == IMAGE_SHAPE and all(
        holds_mnist(X.reshape(-1, *IMAGE_SHAPE), y, split)
        for X, y, split in (
            (image_set.X, image_set.y, "train"),
            (image_set.X_test, image_set.y_test, "test"),
        )
    )


def verdict(accuracy, published):
    """Say how an accuracy stands to the published one: above, within 0.2, below."""
    difference = accuracy - published
    if difference >= -_ROUNDING:
        return "above" if difference > _ROUNDING else "equal"
    return "within 0.2" if difference >= -TOLERANCE - _ROUNDING else "below"


def reproduction_document(reproduction, image_set, folder, made_with):
    """Return everything about a reproduction as plain data.

    Parameters
    ----------
    reproduction : Reproduction
        Its runs.
    image_set : ImageSet
        What it was trained and tested on.
    folder : RunFolder
        Where its runs are kept.
    made_with : dict
        What :func:`skmnist.cli._versions.provenance` tells.

    Returns
    -------
    dict
        Ready for JSON. Accuracies are shares, times seconds; a standard deviation
        is that of the runs' results, None for a single run.
    """
    plan = reproduction.plan
    comparable = not plan.quick and is_comparable(image_set)
    same_images = image_set.image_shape == IMAGE_SHAPE and len(image_set.labels) == 10
    left_out = dict.fromkeys(
        run.title for run in plan.runs if run not in reproduction.results
    )
    runs = {str(folder.path(run)): run for run in reversed(reproduction.results)}
    seeds = {}
    for run in plan.runs:
        seeds.setdefault(run.model, {})[run.seed] = None  # in order, each once
    return {
        "kind": "reproduction",
        "networks": [
            _network(case, reproduction.results, comparable, same_images)
            for case in plan.networks
        ],
        "studies": [
            _study(name, cases, reproduction.results)
            for name, cases in plan.studies.items()
        ],
        "sources": {key: asdict(source) for key, source in SOURCES.items()},
        "tolerance": TOLERANCE,
        "comparable": comparable,
        "quick": plan.quick,
        "dataset": image_set.name,
        "source": image_set.source,
        "n_train": len(image_set.y),
        "n_test": len(image_set.y_test),
        "image_shape": list(image_set.image_shape),
        "n_labels": len(image_set.labels),
        "seeds": {model: list(group) for model, group in seeds.items()},
        "n_earlier": reproduction.n_earlier,
        "n_trained": reproduction.n_trained,
        "interrupted": reproduction.interrupted,
        "left_out": list(left_out),
        "failures": reproduction.failures,
        **made_with,
        "runs": [
            {"varied": run.params, **folder.key(run), **reproduction.results[run]}
            for run in reversed(runs.values())
        ],
    }


def _summary(case, results):
    """Summarise the finished runs of a case."""
    finished = [run for run in case.runs if run in results]
    summary = {"n_runs": len(case.runs), "seeds": [run.seed for run in finished]}
    for name in ("accuracy", "loss", "fit_time"):
        values = [results[run][name] for run in finished]
        summary[name] = float(np.mean(values)) if values else None
        spread = float(np.std(values, ddof=1)) if len(values) > 1 else None
        summary[f"{name}_sd"] = spread
    for name in ("n_parameters", "n_train", "n_epochs"):
        summary[name] = results[finished[0]][name] if finished else None
    return summary


def _network(case, results, comparable, same_images):
    published = RESULTS[case.name]
    summary = _summary(case, results)
    comparison = dict.fromkeys(("difference", "verdict", "same_n_parameters"))
    if summary["seeds"]:
        if comparable and published.accuracy is not None:
            comparison["difference"] = summary["accuracy"] - published.accuracy
            comparison["verdict"] = verdict(summary["accuracy"], published.accuracy)
        if same_images:
            same = summary["n_parameters"] == published.n_parameters
            comparison["same_n_parameters"] = same
    return {
        "name": case.name,
        "published": asdict(published),
        **summary,
        **comparison,
    }


def _study(name, cases, results):
    study = STUDIES[name]
    variants = [{"name": case.name, **_summary(case, results)} for case in cases]
    reference = next(row for row in variants if row["name"] == study.reference)
    for row in variants:
        known = row["seeds"] and reference["seeds"]
        row["params"] = study.variants[row["name"]]
        row["difference"] = row["accuracy"] - reference["accuracy"] if known else None
    described = {f.name: getattr(study, f.name) for f in fields(study)}
    return {"name": name, **described, "variants": variants}


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
