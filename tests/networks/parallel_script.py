"""A user's script that searches with two processes; prints what it saw as JSON.

Everything that is sent to the workers is defined here, in ``__main__``.
"""

import json
import os
import sys

import joblib
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV, cross_validate

from skmnist import KerasImageClassifier, KerasMLPClassifier

PARAMS = {"units": 16, "epochs": 3, "batch_size": 64, "random_state": 0}
GRID = {"dropout": [0.0, 0.3], "learning_rate": [0.001, 0.01]}


def data():
    X, y = load_digits(return_X_y=True)
    return (X[:300] / 16).astype("float32"), y[:300]


def builder(input_shape, n_classes, units=4):
    import keras

    return keras.Sequential(
        [
            keras.Input(input_shape),
            keras.layers.Flatten(),
            keras.layers.Dense(units, activation="relu"),
            keras.layers.Dense(n_classes, activation="softmax"),
        ]
    )


def threads_of_a_worker(X, y):
    """Fit a network; return how many threads TensorFlow may use, and was allotted."""
    KerasMLPClassifier(**PARAMS).fit(X, y)
    import tensorflow as tf

    return (
        tf.config.threading.get_intra_op_parallelism_threads(),
        tf.config.threading.get_inter_op_parallelism_threads(),
        int(os.environ["OMP_NUM_THREADS"]),
    )


def checkpoints(folder, X, y):
    """Cross-validate with checkpoints; return directories, and if each has its best."""
    import keras
    import numpy as np

    checkpoint = keras.callbacks.ModelCheckpoint(
        os.path.join(folder, "best.weights.h5"),
        "val_loss",
        save_best_only=True,
        save_weights_only=True,
    )
    model = KerasMLPClassifier(**PARAMS, callbacks=[checkpoint], early_stopping=True)
    model.set_params(epochs=12, learning_rate=0.1, n_iter_no_change=3)
    fits = cross_validate(model, X, y, cv=2, n_jobs=2, return_estimator=True)
    found = {}
    for fit in fits["estimator"]:
        kept = fit.model_.get_weights()
        fit.model_.load_weights(os.path.join(folder, fit.fit_id_, "best.weights.h5"))
        found[fit.fit_id_] = all(map(np.array_equal, fit.model_.get_weights(), kept))
    return found


def main(folder):
    X, y = data()
    # The parent has TensorFlow running before there is any worker.
    KerasMLPClassifier(**PARAMS).fit(X, y).predict(X)

    own = KerasImageClassifier(builder=builder, epochs=1, random_state=0)
    sizes = {"builder_params": [{"units": 8}, {"units": 16}]}
    first = GridSearchCV(own, sizes, cv=2, n_jobs=2).fit(X, y)
    threads = joblib.Parallel(n_jobs=2)(
        joblib.delayed(threads_of_a_worker)(X, y) for _ in range(2)
    )
    second = GridSearchCV(KerasMLPClassifier(**PARAMS), GRID, cv=2, n_jobs=2)
    second.fit(X, y)
    seen = {
        "own": first.cv_results_["mean_test_score"].tolist(),
        "parameters": first.best_estimator_.n_parameters_,
        "threads": threads,
        "split0": second.cv_results_["split0_test_score"].tolist(),
        "split1": second.cv_results_["split1_test_score"].tolist(),
        "checkpoints": checkpoints(folder, X, y),
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main(sys.argv[1])
