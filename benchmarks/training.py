"""Training: mlp_512 on the 60,000 images of MNIST, cnn_32_64 on a third of them."""

import time

from benchmarks.comparisons import (
    ACCURACY,
    Comparison,
    Contestant,
    Measure,
    with_onednn,
)
from benchmarks.data import load, pixels
from benchmarks.peers import (
    Recipe,
    contestant,
    import_peer,
    layout,
    make_classifier,
    precision_note,
)

__all__ = ["NEEDS_MNIST", "comparisons", "measure"]

NEEDS_MNIST = True

_MEASURES = (
    Measure("epoch_us", "an image, warm epochs", "µs"),
    Measure("fit_s", "fit", "s"),
    ACCURACY,
)


_OURS = {
    "skmnist": contestant("skmnist"),
    "float32": Contestant(
        "skmnist, precision='float32'", {"peer": "skmnist", "precision": "float32"}
    ),
    "keras_loop": Contestant(
        "skmnist, Keras’ loop", {"peer": "skmnist"}, (), {"SKMNIST_KERAS_LOOP": "1"}
    ),
}
_PEERS = {
    "keras": contestant("keras"),
    "keras_bfloat16": Contestant(
        "Keras, mixed_bfloat16",
        {"peer": "keras", "dtype_policy": "mixed_bfloat16"},
        needs_bfloat16=True,
    ),
    **{
        peer: contestant(peer)
        for peer in ("scikeras", "keras_wrapper", "skorch", "mlp_classifier")
    },
}
_ALL = {**_OURS, **_PEERS}
# Keeps oneDNN from native bfloat16 instructions, if there are any.
_WITHOUT_BFLOAT16 = {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE"}
_IN_FLOAT32 = (
    Contestant(
        "skmnist, float32",
        {"peer": "skmnist", "precision": "float32"},
        environment=_WITHOUT_BFLOAT16,
    ),
    Contestant("Keras", {"peer": "keras"}, environment=_WITHOUT_BFLOAT16),
)


def comparisons(quick):
    """Return what is compared."""
    data = {"dataset": "digits" if quick else "mnist"}
    # The time of an image is that of a warm epoch, however many there are.
    data_for_cnn = data if quick else {**data, "n_train": 20_000}
    images = "1,400 digits" if quick else "60,000 images of MNIST"
    images_for_cnn = "1,400 digits" if quick else "20,000 images of MNIST"
    for_mlp, for_cnn = list(_ALL), list(_ALL)
    for_mlp.remove("float32")  # which precision="auto" means for it
    for_cnn.remove("mlp_classifier")  # it has no convolutions
    for_cnn.remove("keras_wrapper")  # it trains by Keras' fit, as seen with the MLP
    if quick:  # every contestant once
        for_mlp = [
            "skmnist",
            "keras_loop",
            "keras_wrapper",
            "scikeras",
            "mlp_classifier",
        ]
        for_cnn = ["skmnist", "float32", "keras_bfloat16", "skorch"]
    times = (
        "Time of an image in the epochs after the first, and of the whole fit with the "
        "building of the network; imports are not counted. Adam, batches of 128."
    )
    part = (
        ""
        if quick
        else " The accuracies are those of a third of the images and of few epochs."
    )
    return [
        Comparison(
            "training",
            f"mlp_512, {images}, 5 epochs",
            f"{times} {precision_note('mlp')} MLPClassifier has no dropout.",
            {"network": "mlp", "epochs": 5, **data},
            tuple(_ALL[name] for name in for_mlp),
            _MEASURES,
        ),
        Comparison(
            "training",
            f"mlp_512 without dropout, {images}, 5 epochs",
            f"{times} {precision_note('mlp')} The network that MLPClassifier has.",
            {"network": "mlp", "dropout": 0.0, "epochs": 5, **data},
            tuple(_ALL[name] for name in ("skmnist", "keras", "mlp_classifier")),
            _MEASURES,
        ),
        Comparison(
            "training",
            f"cnn_32_64, {images_for_cnn}, 2 epochs",
            f"{times} {precision_note('cnn')}{part}",
            {"network": "cnn", "epochs": 2, **data_for_cnn},
            (
                *(_ALL[name] for name in for_cnn),
                *(() if quick else with_onednn(_ALL["skmnist"], _ALL["keras"])),
            ),
            _MEASURES,
        ),
        Comparison(
            "training",
            f"cnn_32_64 in float32, {images_for_cnn}, 2 epochs",
            times + " Both train in float32, and ONEDNN_MAX_CPU_ISA=AVX512_CORE "
            "keeps TensorFlow from native bfloat16 instructions: what is left "
            "is the training loop." + part,
            {"network": "cnn", "epochs": 2, **data_for_cnn},
            _IN_FLOAT32,
            _MEASURES,
        ),
    ]


def measure(
    peer,
    dataset,
    network,
    epochs,
    seed,
    n_train=None,
    dropout=Recipe.dropout,
    **params,
):
    """Train once; return times and test accuracy."""
    recipe = Recipe(network, epochs, seed, dropout=dropout)
    X, y, X_test, y_test = load(dataset, n_train)
    X = pixels(X, layout(peer, recipe))
    X_test = pixels(X_test, layout(peer, recipe))
    import_peer(peer)
    ends = []

    def note_time():
        ends.append(time.perf_counter())

    start = time.perf_counter()
    classifier = make_classifier(peer, recipe, note_time, **params)
    classifier.fit(X, y)
    fit_time = time.perf_counter() - start
    if len(ends) != epochs:
        raise RuntimeError(f"{peer} trained {len(ends)} epochs in place of {epochs}")
    return {
        "fit_s": fit_time,
        "epoch_us": 1e6 * (ends[-1] - ends[0]) / (epochs - 1) / len(X),
        "accuracy": float((classifier.predict(X_test).ravel() == y_test).mean()),
    }
