"""Memory: what many fits leave behind, and how much a large one takes."""

import contextlib
import ctypes
import gc
import sys

from benchmarks.comparisons import ACCURACY, Comparison, Contestant, Measure
from benchmarks.data import load, pixels
from benchmarks.peers import (
    NETWORKS,
    Recipe,
    contestant,
    import_peer,
    layout,
    make_classifier,
    precision_note,
)

__all__ = ["NEEDS_MNIST", "comparisons", "measure"]

NEEDS_MNIST = True

_MB = 2**20


def comparisons(quick):
    """Return what is compared."""
    n_fits, n_last = (12, 4) if quick else (300, 100)
    few_fits, few_last = (6, 4) if quick else (60, 40)
    few = {"n_fits": few_fits, "n_last": few_last}
    growth = Comparison(
        "memory",
        f"growth over {n_fits} fits of mixed shapes, digits",
        f"Growth of the resident memory over the last {n_last} fits and predictions, "
        "three in four of MLPs of 54 widths and one of CNNs of 18, more than skmnist "
        "keeps compiled, divided by their number; "
        f"for the peers over the last {few_last} of {few_fits}.",
        {"task": "growth", "n_fits": n_fits, "n_last": n_last},
        (
            contestant("skmnist", "psutil"),
            contestant("keras", "psutil", **few),
            contestant("scikeras", "psutil", **few),
        ),
        (Measure("growth_mb", "growth a fit", "MB", has_ratio=False),),
    )
    bytes_only = Contestant(
        "skmnist, bytes as they are",
        {"peer": "skmnist", "scaled": False},
        ("psutil",),
    )
    dataset = "digits" if quick else "mnist"
    images = "1,400 digits" if quick else "60,000 images of MNIST"
    contestants = {
        "mlp": (
            contestant("skmnist", "psutil"),
            bytes_only,
            contestant("keras", "psutil"),
            contestant("scikeras", "psutil"),
            contestant("skorch", "psutil"),
            contestant("mlp_classifier", "psutil"),
        ),
        "cnn": (
            contestant("skmnist", "psutil"),
            bytes_only,
            contestant("keras", "psutil"),
        ),
    }
    if quick:
        contestants = {
            "mlp": (contestant("skmnist", "psutil"), contestant("keras", "psutil"))
        }
    peaks = [
        Comparison(
            "memory",
            f"peak of a fit, {NETWORKS[network]}, {images}",
            "Largest resident memory of a process that trains one epoch on images in "
            "uint8: the whole of it, and what the fit and the scaling to float32 add. "
            "skmnist scales in a pipeline, the others by astype('float32') / 255. "
            f"{precision_note(network)}",
            {"task": "peak", "network": network, "dataset": dataset},
            those,
            (
                Measure("peak_mb", "peak", "MB"),
                Measure("added_mb", "added by the fit", "MB"),
                ACCURACY,
            ),
        )
        for network, those in contestants.items()
    ]
    return [growth, *peaks]


def measure(task, peer, seed, **settings):
    """Return the megabytes that are asked for."""
    import_peer(peer)
    return {"growth": _growth, "peak": _peak}[task](peer, seed, **settings)


def recipe_of_fit(number, seed):
    """Return one of 72 shapes, more than are kept: each fit compiles.

    Parameters
    ----------
    number : int
        Fits that went before. Each fourth is of a CNN.
    seed : int
        Seed.

    Returns
    -------
    Recipe
        Network and training.
    """
    network = "cnn" if number % 4 == 3 else "mlp"
    return Recipe(network, 1, seed, 64 + number % 3, 16 + number % 72)


def _growth(peer, seed, n_fits, n_last):
    X, y, X_test, _ = load("digits")
    for number in range(n_fits):
        if number == n_fits - n_last:
            gc.collect()
            before = _resident()
        recipe = recipe_of_fit(number, seed)
        classifier = make_classifier(peer, recipe)
        classifier.fit(pixels(X[:400], layout(peer, recipe)), y[:400])
        classifier.predict(pixels(X_test, layout(peer, recipe)))
    gc.collect()
    return {"growth_mb": (_resident() - before) / n_last / _MB}


def _peak(peer, seed, network, dataset, scaled=True):
    recipe = Recipe(network, 1, seed)
    X, y, X_test, y_test = load(dataset)
    before = _resident()
    classifier = make_classifier(peer, recipe)
    if peer == "skmnist" and scaled:
        from sklearn.pipeline import make_pipeline

        from skmnist import ImageScaler

        scaler = ImageScaler(layout=layout(peer, recipe))
        classifier = make_pipeline(scaler, classifier).fit(X, y)
    elif peer == "skmnist":
        classifier.fit(X, y)
    else:
        classifier.fit(pixels(X, layout(peer, recipe)), y)
        X_test = pixels(X_test, layout(peer, recipe))
    peak = _peak_so_far()
    return {
        "peak_mb": peak / _MB,
        "added_mb": (peak - before) / _MB,
        "accuracy": float((classifier.predict(X_test) == y_test).mean()),
    }


def _resident():
    """Return the resident memory of this process without what is free, in bytes."""
    import psutil

    with contextlib.suppress(OSError, TypeError, AttributeError):  # GNU's library only
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss


def _peak_so_far():
    """Return the largest resident memory of this process so far, in bytes."""
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else 1024 * peak
