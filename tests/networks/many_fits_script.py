"""A script that fits many networks; prints the memory they leave behind as JSON."""

import contextlib
import ctypes
import gc
import json

import numpy as np
import psutil
from builders import BACKEND, small_cnn, small_mlp

WARM_UP, MEASURED = 24, 48
# More than are kept compiled here, so that each fit compiles; on JAX all are kept,
# where Keras leaves 1 to 2 MB behind for all that it compiles.
SHAPES = 6
KEPT = 16 if BACKEND == "jax" else 2


def settings(keras):
    return [
        keras.config.dtype_policy().name,
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
    ]


def memory():
    """Return resident memory in MB, without what is free already."""
    gc.collect()
    with contextlib.suppress(OSError, TypeError, AttributeError):  # GNU's library only
        ctypes.CDLL(None).malloc_trim(0)
    return psutil.Process().memory_info().rss / 2**20


def main():
    from skmnist._training.keras import keras
    from skmnist._training.reuse import idle_loops

    idle_loops.max_loops = KEPT
    keras.config.set_dtype_policy("mixed_bfloat16")
    of_the_user = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    pixels = keras.Input((1,))
    before = settings(keras)
    X = np.random.default_rng(0).random((60, 64), dtype=np.float32)
    y = np.arange(60) % 10
    for number in range(WARM_UP + MEASURED):
        if number == WARM_UP:
            start = memory()
        classifier = small_cnn if number % 2 else small_mlp
        model = classifier(units=16 + number % SHAPES, epochs=1, early_stopping=False)
        model.fit(X, y).predict(X)
    seen = {
        "megabytes a fit": (memory() - start) / MEASURED,
        "settings are kept": settings(keras) == before,
        "types of weights": sorted({str(w.dtype) for w in model.model_.get_weights()}),
        "model of the user": of_the_user.predict(X[:2, :3], verbose=0).shape,
        "next names": [
            keras.layers.Dense(1).name,
            keras.optimizers.Adam().name,
            keras.random.SeedGenerator(0).name,
            keras.Model(pixels, pixels).name,
        ],
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
