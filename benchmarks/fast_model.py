"""The fast model: accuracy of cnn_fast over seeds, and how soon it is there."""

import os
import time

from benchmarks.comparisons import (
    ACCURACY,
    STARTED,
    Comparison,
    Contestant,
    Measure,
    with_onednn,
)
from benchmarks.data import load

__all__ = ["NEEDS_MNIST", "comparisons", "measure"]

NEEDS_MNIST = True

_MEASURES = (
    Measure("cold_s", "process, until it is trained", "s", has_ratio=False),
    Measure("fit_s", "first fit", "s", has_ratio=False),
    Measure("warm_fit_s", "second fit", "s", has_ratio=False),
    ACCURACY,
)


def comparisons(quick):
    """Return what is compared."""
    ours = Contestant("skmnist")
    images = "1,400 enlarged digits" if quick else "60,000 images of MNIST"
    return [
        Comparison(
            "fast_model",
            f"cnn_fast, {images}",
            "A seed each round. The time of the process runs from the start of Python "
            "to the end of the first fit, imports and loading of the data included. "
            "The first fit imports TensorFlow and builds the network; the second finds "
            "both done. The command line has oneDNN on.",
            {"dataset": "digits" if quick else "mnist"},
            (ours, *with_onednn(ours)),
            _MEASURES,
            n_runs=10,
        )
    ]


def measure(dataset, seed):
    """Train twice; return times and the test accuracy."""
    from skmnist.pipelines import make_model

    X, y, X_test, y_test = load(dataset)
    if dataset == "digits":  # too small for the convolutions
        X, X_test = (images.repeat(3, 1).repeat(3, 2) for images in (X, X_test))
    model = make_model("cnn_fast", random_state=seed)
    start = time.perf_counter()
    model.fit(X, y)
    fit_time = time.perf_counter() - start
    cold = time.time() - float(os.environ[STARTED])
    accuracy = float(model.score(X_test, y_test))
    start = time.perf_counter()
    model.fit(X, y)
    return {
        "cold_s": cold,
        "fit_s": fit_time,
        "warm_fit_s": time.perf_counter() - start,
        "accuracy": accuracy,
    }
