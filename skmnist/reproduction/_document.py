"""A reproduction as plain data, with the published results."""

from dataclasses import asdict, fields

import numpy as np

from skmnist.datasets._published import IMAGE_SHAPE, holds_mnist
from skmnist.published import RESULTS, SOURCES, STUDIES

__all__ = ["is_comparable", "reproduction_document", "verdict"]

TOLERANCE = 0.002
_ROUNDING = 1e-9  # of sums of shares, far below one image of 10,000


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
    """Compare an accuracy with the published one: above, within 0.2, below."""
    difference = accuracy - published
    if difference >= -_ROUNDING:
        return "above" if difference > _ROUNDING else "equal"
    return "within 0.2" if difference >= -TOLERANCE - _ROUNDING else "below"


def reproduction_document(reproduction, image_set, folder, made_with):
    """Describe a reproduction, with the published results.

    Accuracies are fractions, times seconds; a standard deviation is that of the runs'
    results, None for a single run. `made_with` is from `skmnist._provenance`.
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
    published = RESULTS.get(case.name)
    summary = _summary(case, results)
    comparison = dict.fromkeys(("difference", "verdict", "same_n_parameters"))
    if published and summary["seeds"]:
        if comparable and published.accuracy is not None:
            comparison["difference"] = summary["accuracy"] - published.accuracy
            comparison["verdict"] = verdict(summary["accuracy"], published.accuracy)
        if same_images:
            same = summary["n_parameters"] == published.n_parameters
            comparison["same_n_parameters"] = same
    return {
        "name": case.name,
        "published": published and asdict(published),
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
