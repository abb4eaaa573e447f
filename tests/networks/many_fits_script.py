"""A script that fits many networks; prints the memory they leave behind as JSON."""

import gc
import json

import numpy as np
import psutil
from builders import BACKEND, small_mlp

WARM_UP, MEASURED = 40, 40
# More than are kept compiled, so that each fit compiles; on JAX fewer, where Keras
# leaves 1 to 2 MB behind for all that it compiles.
SHAPES = 6 if BACKEND == "jax" else 20


def settings(keras):
    return [
        keras.config.dtype_policy().name,
        keras.config.floatx(),
        keras.config.epsilon(),
        keras.config.image_data_format(),
    ]


def memory():
    """Return resident memory in MB."""
    gc.collect()
    return psutil.Process().memory_info().rss / 2**20


def main():
    from skmnist._keras import keras

    keras.config.set_dtype_policy("mixed_bfloat16")
    of_the_user = keras.Sequential([keras.Input((3,)), keras.layers.Dense(1)])
    before = settings(keras)
    X = np.random.default_rng(0).random((60, 64), dtype=np.float32)
    y = np.arange(60) % 10
    for number in range(WARM_UP + MEASURED):
        if number == WARM_UP:
            start = memory()
        model = small_mlp(units=16 + number % SHAPES, epochs=1, early_stopping=False)
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
        ],
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main()
