"""What the commands print on standard output: for people, or as one JSON document."""

import json
from pathlib import Path

from skmnist._configuration import has_epochs
from skmnist._numbers import (
    count,
    counted,
    duration,
    joined,
    percent,
)
from skmnist._provenance import (
    plain_history,
    plain_parameters,
    provenance,
    versions_line,
)
from skmnist.cli._comparison import is_small, method, records
from skmnist.cli._export import describe_set
from skmnist.cli._group import command_line
from skmnist.cli._messages import note
from skmnist.cli._models import list_models
from skmnist.cli._recognition import knows_part, overlap_warning
from skmnist.cli._result_files import markdown_table, write_text
from skmnist.cli._tables import (
    comparison_cells,
    comparison_view,
    evaluation_view,
    new_table,
    plain_text,
    print_result,
)

_SHOWN_CANDIDATES = 10
_INTERRUPTED = "interrupted before its end"


def print_json(document):
    """Print one JSON document."""
    print(_json(document))


def _json(document):
    return json.dumps(document, indent=2, ensure_ascii=False, allow_nan=False)


def report_models(*, as_json):
    """Print all names of models."""
    models = list_models()
    if as_json:
        print_json([vars(model) for model in models])
        return
    table = new_table("Name", "Kind", "What it is")
    table.columns[-1].no_wrap = False
    for model in models:
        table.add_row(model.name, model.kind, model.summary)
    print_result(table)


def report_set(image_set, *, as_json):
    """Print sizes, label counts and range of an image set."""
    description = describe_set(image_set)
    if as_json:
        print_json(description)
        return
    parts = description["parts"]
    # A set of one part has no use for the name of that part.
    names = parts if len(parts) > 1 else [""]
    source = "" if image_set.source == image_set.name else f", from {image_set.source}"
    sizes = new_table("", *(f">{name}" for name in names), show_header=len(parts) > 1)
    sizes.add_row("Images", *(count(part["n_images"]) for part in parts.values()))
    sizes.add_row(
        "Pixel values",
        *(f"{part['pixel_min']} to {part['pixel_max']}" for part in parts.values()),
    )
    sizes.add_row("Mean", *(f"{part['pixel_mean']:.2f}" for part in parts.values()))
    sizes.add_row(
        "Standard deviation", *(f"{part['pixel_std']:.2f}" for part in parts.values())
    )
    named = ["Name"] if image_set.target_names else []
    labels = new_table("Label", *named, *(f">{name or 'images'}" for name in names))
    for label in image_set.labels:
        counts = (part["label_counts"][str(label)] for part in parts.values())
        name = [image_set.target_names[label]] if named else []
        labels.add_row(str(label), *name, *map(count, counts))
    title = f"{image_set.name}: images of {image_set.size}{source}"
    print_result(title, "", sizes, "", labels)


def print_files(paths, *, as_json):
    """Print the names of files that were written."""
    if as_json:
        print_json([str(path) for path in paths])
    else:
        print(*paths, sep="\n")


def report_comparison(
    comparison, image_set, names, left_out, *, seed, n_jobs, out, as_json
):
    """Print a comparison, and write it to a file if there is one.

    `left_out` has the models that cannot take such images, and why.
    """
    not_done = [name for name in names if name not in comparison.table.index]
    networks = any(
        model.name in names for model in list_models() if model.kind == "network"
    )
    document = {
        "kind": "comparison",
        "models": records(comparison),
        **_set_facts(image_set),
        "n_folds": comparison.n_folds,
        "test": comparison.table.attrs["test"],
        "correction": comparison.table.attrs["correction"],
        "alpha": comparison.table.attrs["alpha"],
        "seed": seed,
        "n_jobs": n_jobs,
        "n_threads": 1 if n_jobs == 1 and is_small(image_set) else None,
        "interrupted": comparison.interrupted,
        "left_out": left_out | dict.fromkeys(not_done, _INTERRUPTED),
        **provenance(networks, command_line()),
    }
    parts = [
        comparison_view(comparison.table),
        "",
        *_comparison_notes(document, comparison, image_set),
    ]
    if out is not None:
        suffix = Path(out).suffix.lower()
        if suffix == ".json":
            text = _json(document) + "\n"
        elif suffix == ".csv":
            text = comparison.table.to_csv()
        elif suffix == ".md":
            notes = "\n".join(f"- {line}" for line in parts[2:])
            text = f"{markdown_table(comparison_cells(comparison.table))}\n{notes}\n"
        else:
            text = plain_text(*parts) + "\n"
        write_text(out, text)
    if as_json:
        print_json(document)
    else:
        print_result(*parts)
    return document


def _set_facts(image_set):
    """Return what a reader of results must know about the images."""
    n_test = len(image_set.y_test) if image_set.has_test else None
    return {
        "dataset": image_set.name,
        "source": image_set.source,
        "image_shape": list(image_set.image_shape),
        "n_train": len(image_set.y),
        "n_test": n_test,
        "n_labels": len(image_set.labels),
    }


def _comparison_notes(document, comparison, image_set):
    """Say how to read a comparison, what it was made with, and what went wrong."""
    times = "Times: of one fit, and of predicting one image among many"
    if document["n_jobs"] != 1:
        times += "; longer than alone, because fits shared the processors"
    elif document["n_threads"] == 1:
        times += "; on one thread, but for the networks of Keras"
    notes = [
        f"Accuracy: {method(comparison, image_set)}.",
        *_verdict_note(comparison),
        f"{times}.",
        f"Seed {document['seed']}, {counted(document['n_cpus'], 'processor')}, "
        f"{versions_line(document['versions'])}.",
    ]
    notes += [f"Failed: {name}: {text}" for name, text in comparison.failures.items()]
    not_done, too_small = [], []
    for name, reason in document["left_out"].items():
        (not_done if reason == _INTERRUPTED else too_small).append(name)
    if too_small:
        notes.append(
            f"Left out, as images of {image_set.size} are too small: "
            f"{', '.join(too_small)}."
        )
    if not_done:
        notes.append(f"Interrupted before: {', '.join(not_done)}.")
    return notes


def _verdict_note(comparison):
    """Say in a list what the verdicts mean; an empty one if there are none."""
    settings = comparison.table.attrs
    if comparison.table["accuracy"].count() < 2:
        return []
    return [
        "Verdict: worse where the difference from the best is more than chance "
        f"(p < {settings['alpha']}; {settings['test']}; {settings['correction']}'s "
        "correction), otherwise no clear difference."
    ]


def report_training(training, image_set, path, *, as_json):
    """Print how a trained model did, and where it was saved."""
    evaluation = training.evaluation
    metadata = training.metadata
    document = {
        "kind": "training",
        **metadata,
        "dataset": image_set.name,
        "fit_time": training.fit_time,
        "interrupted": training.interrupted,
        "file": str(path),
        "parameters": plain_parameters(training.model),
        "history": plain_history(training.model),
        "evaluation": evaluation.to_dict(),
        **provenance(metadata["n_epochs"] is not None, command_line()),
    }
    if as_json:
        print_json(document)
        return document
    low, high = evaluation.accuracy_interval
    epochs = ""
    if metadata["n_epochs"] is not None:
        stopped = ", interrupted" if training.interrupted else ""
        epochs = f", {counted(metadata['n_epochs'], 'epoch')}{stopped}"
    print_result(
        f"Model     {metadata['model']}, saved in {path}",
        f"Training  {counted(metadata['n_train'], 'image')} of {image_set.name}"
        f"{epochs}, {duration(training.fit_time)}",
        f"Test      {percent(evaluation.accuracy)} of "
        f"{counted(evaluation.n, 'image')} right "
        f"(95 % interval {100 * low:.2f} to {percent(high)}), "
        f"{evaluation.n_wrong:,} wrong",
    )
    return document


def report_evaluation(model_file, image_set, subset, evaluation, *, as_json):
    """Print how well a model recognises the images of a set."""
    document = evaluation_document(model_file, image_set, subset, evaluation)
    warning = document["warning"]
    if as_json:
        if warning:
            note(f"Note: {warning}")
        print_json(document)
        return document
    parts = {
        "all": "all images of ",
        "test": "test part of ",
        "train": "training part of ",
    }
    title = f"{model_file.path} on {parts.get(document['subset'], 'images of ')}"
    lines = [f"{title}{image_set.name}", *([warning] if warning else []), ""]
    print_result(*lines, *evaluation_view(evaluation, new_images=not warning))
    return document


def evaluation_document(model_file, image_set, subset, evaluation):
    """Return an evaluation with all that is known about it, ready for JSON."""
    model = model_file.model
    return {
        "kind": "evaluation",
        "file": model_file.path,
        "metadata": model_file.metadata,
        "dataset": image_set.name,
        "subset": subset if knows_part(model_file, image_set, subset) else None,
        "warning": overlap_warning(model_file, image_set, subset),
        "parameters": plain_parameters(model),
        **evaluation.to_dict(),
        **provenance(has_epochs(model.get_params()), command_line()),
    }


def report_predictions(model_file, paths, counts, predictions, *, proba, as_json):
    """Print a label a line, a line of probabilities, or JSON."""
    labels = predictions.labels.tolist()
    classes = predictions.classes.tolist()
    probabilities = None
    if predictions.probabilities is not None:
        probabilities = predictions.probabilities.astype(float).tolist()
    if as_json:
        places = [
            {"file": str(path), "image": number}
            for path, n in zip(paths, counts, strict=True)
            for number in range(n)
        ]
        rows = [{**p, "label": label} for p, label in zip(places, labels, strict=True)]
        if probabilities is not None:
            for row, values in zip(rows, probabilities, strict=True):
                row["probabilities"] = values
        print_json({"model": model_file.path, "classes": classes, "predictions": rows})
    elif proba:
        print(",".join(["label", *map(str, classes)]))
        for label, values in zip(labels, probabilities, strict=True):
            print(label, *(f"{value:.6g}" for value in values), sep=",")
    else:
        print("\n".join(map(str, labels)))


def report_search(name, search, image_set, training, path, *, n_jobs, seed, as_json):
    """Print the candidates of a search, best first, and the best one's test."""
    comparison = search.comparison
    table = comparison.table
    rows = records(comparison)
    for row in rows:
        row["params"] = search.candidates[row.pop("model")]
    document = {
        "kind": "search",
        "model": name,
        "best_params": search.best,
        "candidates": rows,
        "n_candidates": len(search.candidates),
        **_set_facts(image_set),
        "n_folds": comparison.n_folds,
        "test": table.attrs["test"],
        "correction": table.attrs["correction"],
        "alpha": table.attrs["alpha"],
        "seed": seed,
        "n_jobs": n_jobs,
        "interrupted": comparison.interrupted,
        "file": None if path is None or training is None else str(path),
        "parameters": training and plain_parameters(training.model),
        "history": training and plain_history(training.model),
        "evaluation": training and training.evaluation.to_dict(),
        **provenance("epochs" in search.best, command_line()),
    }
    if as_json:
        print_json(document)
        return document
    shown = table.head(_SHOWN_CANDIDATES)
    labels = {text: search.candidates[text] for text in shown.index}
    parts = [comparison_view(shown, labels), ""]
    if len(table) > len(shown):
        parts.append(
            f"Shown are {len(shown)} of {len(table):,} candidates; --json has all."
        )
    parts += [
        f"Accuracy: {method(comparison, image_set)}.",
        *_verdict_note(comparison),
        *(f"Failed: {text}: {error}" for text, error in comparison.failures.items()),
    ]
    if comparison.interrupted:
        parts.append(
            f"Interrupted: {len(table):,} of "
            f"{counted(len(search.candidates), 'candidate')} done."
        )
    parts += ["", f"Best: {joined(search.best)}"]
    if training is not None:
        evaluation = training.evaluation
        saved = f"; saved in {path}" if path else ""
        parts.append(
            f"Trained on all {counted(len(image_set.y), 'training image')}, it "
            f"recognises {percent(evaluation.accuracy)} of the "
            f"{counted(evaluation.n, 'test image')}{saved}."
        )
    print_result(*parts)
    return document
