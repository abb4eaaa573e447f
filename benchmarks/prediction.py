"""Prediction: one image by the public method, and 10,000 of them."""

import time
from statistics import median

from benchmarks.comparisons import ACCURACY, Comparison, Contestant, Measure
from benchmarks.data import load, pixels
from benchmarks.peers import (
    NETWORKS,
    Recipe,
    contestant,
    import_peer,
    layout,
    make_classifier,
)

__all__ = ["NEEDS_MNIST", "comparisons", "measure"]

NEEDS_MNIST = True

_MEASURES = (Measure("call_ms", "call", "ms"), ACCURACY)
_PIPELINE = Contestant(
    "skmnist, pipeline with ImageScaler", {"peer": "skmnist", "in_pipeline": True}
)
_LARGE_BATCHES = Contestant(
    "Keras, batch_size=256", {"peer": "keras", "predict_batch_size": 256}
)


def comparisons(quick):
    """Return what is compared."""
    settings = {"dataset": "digits" if quick else "mnist", "n_train": 5000}
    note = "Usual time of a call of predict. The networks are trained for one epoch"
    note += " on 1,400 digits." if quick else " on 5,000 images."
    one = {"n_images": 1, "n_calls": 20 if quick else 200, "n_warm_up": 20}
    many = {"n_images": 10_000, "n_calls": 2 if quick else 5, "n_warm_up": 1}
    peers = ["keras", "keras_call", "scikeras", "keras_wrapper", "skorch"]
    if quick:
        peers = ["keras"]
    others = [contestant(peer) for peer in peers]
    contestants = {
        "mlp": [_PIPELINE, *others, contestant("mlp_classifier")],
        "cnn": [] if quick else [_PIPELINE, *others],
    }
    ours = contestant("skmnist")
    single = [
        Comparison(
            "prediction",
            f"one image, {NETWORKS[network]}",
            f"{note} A run is the median of {one['n_calls']} calls.",
            {**settings, **one, "network": network},
            (ours, *those),
            _MEASURES,
        )
        for network, those in contestants.items()
    ]
    n_images = "397 digits" if quick else "10,000 images"
    # A single call of the model would keep all feature maps of all images.
    in_batches = [contestant(peer) for peer in peers if peer != "keras_call"]
    in_batches.insert(1, _LARGE_BATCHES)
    whole = Comparison(
        "prediction",
        f"{n_images}, cnn_32_64",
        f"{note} A run is the median of {many['n_calls']} calls. Keras and "
        "SKLearnClassifier predict 32 images at a time, which is Keras’ default; "
        "scikeras and skorch 128, as they train; skmnist 14 in each of its threads.",
        {**settings, **many, "network": "cnn"},
        (ours, *in_batches),
        _MEASURES,
    )
    return [*single, whole]


def measure(
    peer,
    network,
    dataset,
    n_train,
    n_images,
    n_calls,
    n_warm_up,
    seed,
    in_pipeline=False,
    **params,
):
    """Train a little, then predict; return the time of a call and the accuracy."""
    recipe = Recipe(network, 1, seed)
    X, y, X_test, y_test = load(dataset, n_train)
    if not in_pipeline:
        X, X_test = (pixels(images, layout(peer, recipe)) for images in (X, X_test))
    import_peer(peer)
    classifier = make_classifier(peer, recipe, **params)
    if in_pipeline:
        from sklearn.pipeline import make_pipeline

        from skmnist import ImageScaler

        scaler = ImageScaler(layout=layout(peer, recipe))
        classifier = make_pipeline(scaler, classifier)
    classifier.fit(X, y)
    times = []
    for call in range(n_warm_up + n_calls):
        first = call % (len(X_test) - n_images + 1) if n_images < len(X_test) else 0
        images = X_test[first : first + n_images]
        start = time.perf_counter()
        classifier.predict(images)
        times.append(time.perf_counter() - start)
    return {
        "call_ms": 1000 * median(times[n_warm_up:]),
        "accuracy": float((classifier.predict(X_test).ravel() == y_test).mean()),
    }
