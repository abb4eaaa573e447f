"""Networks and small classifiers for the tests, importable by worker processes."""

import os

from skmnist import KerasCNNClassifier, KerasMLPClassifier

BACKEND = os.environ.get("KERAS_BACKEND", "tensorflow")


def dense(input_shape, n_classes, units=16, dtype="float32", activation="relu"):
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(dtype=dtype),
            keras.layers.Dense(units, activation=activation, dtype=dtype),
            keras.layers.Dense(n_classes, activation="softmax", dtype=dtype),
        ]
    )


def small_mlp(**params):
    """One graph for most tests, so that it is compiled once."""
    small = {"units": 16, "epochs": 3, "batch_size": 64, "random_state": 0}
    small["precision"] = "float32"  # whatever the CPU could do
    return KerasMLPClassifier(**{**small, **params})


def small_cnn(**params):
    small = {
        "filters": 4,
        "pool_size": 2,
        "units": 8,
        "epochs": 3,
        "batch_size": 64,
        "random_state": 0,
        "precision": "float32",
    }
    return KerasCNNClassifier(**{**small, **params})
