"""Results as plain data, ready for JSON: one function for each kind.

The option ``--json`` of a command prints such a document.
"""

from functools import singledispatch

import numpy as np
import pandas as pd
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    LeaveOneOut,
    StratifiedGroupKFold,
    StratifiedKFold,
)

from skmnist._estimators import other_kind
from skmnist._numbers import is_missing
from skmnist._provenance import plain_history, plain_parameters, provenance
from skmnist.evaluation import Evaluation
from skmnist.evaluation._kept_scores import is_network
from skmnist.evaluation._significance import corrected_standard_error
from skmnist.evaluation._table import ranked_accuracy
from skmnist.pipelines import registered_name

__all__ = [
    "comparison_document",
    "comparison_rows",
    "document_of",
    "evaluation_document",
    "search_document",
    "set_facts",
    "training_document",
]


_FOLDS = (int, KFold, StratifiedKFold, GroupKFold, StratifiedGroupKFold, LeaveOneOut)


@singledispatch
def document_of(results):
    """Return results of any kind as a document; None for an unknown kind."""
    # Feature selection has `cv_results_` too, but without parameters.
    is_fitted_search = "params" in getattr(results, "cv_results_", ())
    return search_document_of(results) if is_fitted_search else None


@document_of.register
def _(results: dict):
    return results


@document_of.register
def _(results: Evaluation):
    if results._evaluated is None:
        return evaluation_document(results)
    model = results._evaluated[0]
    return evaluation_document(
        results, networks=is_network(model), model=registered_name(model)
    )


@document_of.register
def _(results: pd.DataFrame):
    if "verdict" not in results:
        return None
    return comparison_document(results, networks=results.attrs.get("networks", False))


def set_facts(image_set):
    """Return facts about the images, for the readers of results."""
    return {
        "dataset": image_set.name,
        "source": image_set.source,
        "image_shape": list(image_set.image_shape),
        "n_train": len(image_set.y),
        "n_test": len(image_set.y_test) if image_set.has_test else None,
        "n_labels": len(image_set.labels),
    }


def comparison_document(table, facts=None, *, networks=False, command=None, **settings):
    """Describe a comparison, the table that `skmnist.evaluation.compare` returns.

    `facts` are from `set_facts`, None where the images are not known; `settings` are
    what else is known, such as the seed. `networks` says whether Keras took part.
    """
    return {
        "kind": "comparison",
        "models": comparison_rows(table),
        **_facts(table.attrs, facts),
        **_statistics(table),
        "interrupted": table.attrs.get("interrupted", False),
        "left_out": table.attrs.get("left_out", {}),
        "n_jobs": table.attrs.get("n_jobs", 1),
        **settings,
        **provenance(networks, command),
    }


def _facts(attributes, facts):
    if facts is not None:
        return facts
    known = ("n_train", "n_test", "n_labels")
    return {"dataset": None, **{name: attributes.get(name) for name in known}}


def _statistics(table):
    known = ("n_splits", "n_folds", "n_repeats", "test", "correction", "alpha")
    return {name: table.attrs.get(name) for name in known}


def comparison_rows(table):
    """Return the rows of a comparison as dicts that JSON can hold."""
    rows = [
        {key: _plain(value) for key, value in row.items()}
        for row in table.reset_index().to_dict("records")
    ]
    # However the table was sorted since.
    rows.sort(
        key=lambda row: (
            1.0 if row["accuracy"] is None else -ranked_accuracy(row["accuracy"])
        )
    )
    for row in rows:
        row["accuracies"] = table.attrs.get("accuracies", {}).get(row["model"])
    return rows


def _plain(value):
    """Return a plain Python value; None for a missing one."""
    if is_missing(value):
        return None
    return value.item() if isinstance(value, np.generic) else value


def evaluation_document(evaluation, *, networks=False, command=None, **settings):
    """Describe an evaluation; `settings` are what else is known about it."""
    return {
        "kind": "evaluation",
        "dataset": None,
        **settings,
        **evaluation.to_dict(),
        **provenance(networks, command),
    }


def training_document(model, evaluation, metadata, *, networks, command=None, **others):
    """Describe a training, of a fitted model with its evaluation and metadata."""
    return {
        "kind": "training",
        **metadata,
        **others,
        "parameters": plain_parameters(model),
        "history": plain_history(model),
        "evaluation": evaluation.to_dict(),
        **provenance(networks, command),
    }


def search_document(
    name, table, candidates, facts=None, *, networks, command=None, **settings
):
    """Describe a search, whose candidates were compared in a table by their names.

    `candidates` are the parameters of all candidates by name. `settings` are what else
    is known: ``interrupted``, ``file``, and of the refitted best candidate
    ``parameters``, ``history`` and ``evaluation``.
    """
    rows = comparison_rows(table)
    for row in rows:
        row["histories"] = table.attrs.get("histories", {}).get(row["model"])
        row["params"] = candidates[row.pop("model")]
    return {
        "kind": "search",
        "model": name,
        "best_params": candidates[table.index[0]],
        "candidates": rows,
        "n_candidates": len(candidates),
        **_facts(table.attrs, facts),
        **_statistics(table),
        "interrupted": len(rows) < len(candidates),
        **settings,
        **provenance(networks, command),
    }


def search_document_of(search):
    """Describe a fitted search of scikit-learn."""
    results = search.cv_results_
    metric = _accuracy_of(search)
    name = "split{}_test_{}"
    splits = [results[name.format(i, metric)] for i in range(search.n_splits_)]
    scores = np.array(splits, dtype=float).T
    order = np.argsort(results[f"rank_test_{metric}"], kind="stable")
    if "iter" in results:  # of a halving search, whose last round compares the best
        order = order[results["iter"][order] == results["iter"].max()]
    # Of several scores the best model may be that of another one.
    n_metrics = sum(key.startswith("mean_test_") for key in results)
    is_chosen = n_metrics == 1 or search.refit == metric
    if is_chosen and hasattr(search, "best_index_"):
        others = order[order != search.best_index_]
        order = np.concatenate([[search.best_index_], others])
    are_folds = is_folds(search.cv) and search.n_splits_ > 1
    means = scores[order].mean(axis=1)
    # A function for `refit` may choose another candidate than the most accurate one.
    highest = max(map(ranked_accuracy, means[~np.isnan(means)]), default=None)
    rows = []
    for i in order:
        has_failed = bool(np.isnan(scores[i]).any())
        accuracy = None if has_failed else float(scores[i].mean())
        verdict = "failed" if has_failed else ""
        if not has_failed and ranked_accuracy(accuracy) == highest:
            verdict = "best"
        spread = None
        if are_folds and not has_failed:
            spread = corrected_standard_error(scores[i], 1 / (scores.shape[1] - 1))
        rows.append(
            {
                "params": {
                    key: _plain_parameter(value)
                    for key, value in results["params"][i].items()
                },
                "accuracy": accuracy,
                "accuracy_se": spread,
                "accuracies": None if has_failed else scores[i].tolist(),
                "fit_time": float(results["mean_fit_time"][i]),
                "predict_time_us": None,
                "n_parameters": None,
                "verdict": verdict,
                "error_message": None,
            }
        )
    best = getattr(search, "best_estimator_", None) if is_chosen else None
    # A halving search starts with all candidates; the rows are those of its last round.
    n_candidates = getattr(search, "n_candidates_", [len(rows)])[0]
    return {
        "kind": "search",
        "model": registered_name(search.estimator),
        "best_params": rows[0]["params"],
        "candidates": rows,
        "n_candidates": n_candidates,
        "dataset": None,
        "n_folds": search.n_splits_ if are_folds else None,
        "n_splits": search.n_splits_,
        "interrupted": False,
        "evaluation": None,
        "parameters": best and plain_parameters(best),
        "history": best and plain_history(best),
        **provenance(is_network(search.estimator)),
    }


def _accuracy_of(search):
    """Return the name of the accuracy among the scores of a search, or raise."""
    kind = other_kind(search.estimator)
    if kind is not None:
        raise ValueError(
            "A report needs a search of a classifier; this is one of the "
            f"{kind} {search.estimator!r}."
        )
    if "mean_test_accuracy" in search.cv_results_:
        return "accuracy"
    if "mean_test_score" in search.cv_results_ and search.scoring in (None, "accuracy"):
        return "score"
    raise ValueError(
        "A report needs the accuracy of the candidates, but the scoring of this search "
        f"is {search.scoring!r}. Fit it with scoring='accuracy', or with several "
        "scores that include 'accuracy'."
    )


def is_folds(cv):
    """Return whether a `cv` parameter means folds, each image tested once."""
    return cv is None or isinstance(cv, _FOLDS)


def _plain_parameter(value):
    """Return a parameter as JSON can hold it: anything but plain values as text."""
    if isinstance(value, np.generic | np.ndarray):
        value = value.tolist()
    plain = value is None or isinstance(value, bool | int | float | str | tuple | list)
    return value if plain else str(value)
