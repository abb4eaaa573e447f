"""Search: fits of a grid search, with all that is built and compiled for them."""

import time
from math import prod

from benchmarks.comparisons import ACCURACY, Comparison, Contestant, Measure
from benchmarks.data import load, pixels
from benchmarks.peers import (
    Recipe,
    contestant,
    import_peer,
    make_classifier,
    precision_note,
)

__all__ = ["NEEDS_MNIST", "comparisons", "measure"]

NEEDS_MNIST = True

_MEASURES = (
    Measure("fit_ms", "search, a fit", "ms"),
    Measure("fits_per_s", "fits a second", "", has_ratio=False),
    Measure("fit_alone_ms", "fit alone", "ms", has_ratio=False),
    ACCURACY,
)

# What each calls the three parameters. MLPClassifier has no dropout: in its place it
# gets a penalty, so that there are as many candidates.
_PARAMETERS = {
    "skmnist": ("units", "dropout", "learning_rate"),
    "scikeras": ("units", "dropout", "learning_rate"),
    "skorch": ("module__units", "module__dropout", "lr"),
    "mlp_classifier": ("hidden_layer_sizes", "alpha", "learning_rate_init"),
}


def comparisons(quick):
    """Return what is compared."""
    small = {
        "dataset": "digits",
        "units": [32, 64] if quick else [32, 64, 96, 128],
        "dropout": [0.0] if quick else [0.0, 0.2, 0.4],
        "learning_rate": [0.001, 0.003],
        "n_folds": 2 if quick else 3,
        "epochs": 2 if quick else 10,
        "batch_size": 64,
    }
    # Fits of a second or more, of products too small for two cores and of large ones.
    long = {**small, "epochs": 4 if quick else 500}
    large = {
        "dataset": "digits" if quick else "mnist",
        "n_train": 20_000,
        "units": [64, 128] if quick else [256, 512],
        "dropout": [0.2] if quick else [0.0, 0.2, 0.4],
        "learning_rate": [0.001] if quick else [0.001, 0.003],
        "n_folds": 2 if quick else 3,
        "epochs": 2 if quick else 5,
        "batch_size": 128,
    }
    note = (
        "Time of a GridSearchCV without refit, divided by the number of fits, the "
        "scoring included; imports are not counted. Accuracy of the best candidate on "
        "its folds."
    )
    return [
        Comparison(
            "search",
            f"{_described(small)}, digits, n_jobs=1",
            f"{note} {precision_note('mlp')} MLPClassifier gets a penalty in place of "
            "dropout. SKLearnClassifier is not here: its clones forget the number of "
            "epochs.",
            {**small, "n_jobs": 1},
            tuple(map(contestant, _PARAMETERS)),
            _MEASURES,
        ),
        _by_n_jobs(long, "digits", note),
        _by_n_jobs(large, "digits" if quick else "20,000 images of MNIST", note),
    ]


def _by_n_jobs(settings, images, note):
    return Comparison(
        "search",
        f"{_described(settings)}, {images}, by n_jobs",
        f"{note} With the start of the workers and their imports.",
        {**settings, "peer": "skmnist"},
        (
            Contestant("skmnist, n_jobs=2", {"n_jobs": 2}),
            Contestant("skmnist, n_jobs=1", {"n_jobs": 1}),
        ),
        _MEASURES,
    )


def _described(settings):
    grid = [settings[name] for name in ("units", "dropout", "learning_rate")]
    return (
        f"{prod(map(len, grid))} MLPs × {settings['n_folds']} folds, "
        f"{settings['epochs']} epochs"
    )


def measure(
    peer,
    dataset,
    units,
    dropout,
    learning_rate,
    n_folds,
    epochs,
    batch_size,
    n_jobs,
    seed,
    n_train=None,
):
    """Search once; return the time of a fit and the accuracy of the best candidate."""
    from sklearn.model_selection import GridSearchCV, StratifiedKFold

    X, y, _, _ = load(dataset, n_train)
    X = pixels(X, "flat")
    if peer == "mlp_classifier":
        units, dropout = [(width,) for width in units], [rate / 100 for rate in dropout]
    import_peer(peer)
    start = time.perf_counter()
    search = GridSearchCV(
        make_classifier(peer, Recipe("mlp", epochs, seed, batch_size)),
        dict(zip(_PARAMETERS[peer], (units, dropout, learning_rate), strict=True)),
        cv=StratifiedKFold(n_folds, shuffle=True, random_state=seed),
        refit=False,
        n_jobs=n_jobs,
        error_score="raise",
    ).fit(X, y)
    duration = time.perf_counter() - start
    results = search.cv_results_
    n_fits = n_folds * len(results["params"])
    return {
        "fit_ms": 1000 * duration / n_fits,
        "fits_per_s": n_fits / duration,
        "fit_alone_ms": 1000 * float(results["mean_fit_time"].mean()),
        "accuracy": float(results["mean_test_score"].max()),
    }
