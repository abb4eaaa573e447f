"""Does something twice: first interrupted by Ctrl-C when it imports a certain module.

Prints as JSON what came of it the second time.
"""

import json
import os
import pickle
import signal
import sys
from pathlib import Path

import numpy as np

PARAMS = {"units": 4, "epochs": 2, "random_state": 0}


def data():
    X = np.random.default_rng(0).random((40, 16), dtype="float32")
    return X, np.arange(40) % 2


def fit(path):
    from skmnist import KerasMLPClassifier

    X, y = data()
    return KerasMLPClassifier(**PARAMS).fit(X, y).predict_proba(X).tolist()


def fit_in_keras_loop(path):
    os.environ["SKMNIST_KERAS_LOOP"] = "1"
    return fit(path)


def predict(path):
    return pickle.loads(path.read_bytes()).predict_proba(data()[0]).tolist()


def build(path):
    from skmnist.networks import build_mlp

    return build_mlp((16,), 2, units=4).count_params()


def draw(path):
    from skmnist.plotting import LabelHistogramDisplay

    return len(LabelHistogramDisplay.from_labels([0, 1, 1]).ax_.patches)


WAYS = {
    "fit": fit,
    "fit in Keras' loop": fit_in_keras_loop,
    "predict": predict,
    "build": build,
    "draw": draw,
}


class PressCtrlC:
    """Stands among the finders of modules, and finds none."""

    def __init__(self, module):
        self.module = module

    def find_spec(self, name, path=None, target=None):
        if name == self.module:
            self.module = None
            signal.raise_signal(signal.SIGINT)


def main(way, module, path):
    signal.signal(signal.SIGINT, signal.default_int_handler)
    sys.meta_path.insert(0, PressCtrlC(module))
    interrupted = False
    try:
        WAYS[way](Path(path))
    except KeyboardInterrupt:
        interrupted = True
    outcome = WAYS[way](Path(path))
    reductions = 0
    if "keras" in sys.modules:
        import keras

        kinds = (keras.Model, keras.losses.Loss, keras.optimizers.Optimizer)
        reductions = sum("scikeras" in kind.__reduce__.__module__ for kind in kinds)
    seen = {
        "interrupted": interrupted,
        "outcome": outcome,
        "reductions of scikeras": reductions,
    }
    print(json.dumps(seen))


if __name__ == "__main__":
    main(*sys.argv[1:])
