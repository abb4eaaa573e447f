"""A grid over the number of epochs, trained in full and with a memory.

``python -m benchmarks.epochs`` searches 3 numbers of epochs × 8 other settings × 3
folds on the digits, and prints what was trained, the times, and whether the results are
the same.
"""

import tempfile
import time
from contextlib import contextmanager

import click
import numpy as np
from sklearn.model_selection import GridSearchCV

import skmnist._training.keras  # noqa: F401 (its import belongs to no search)
from skmnist.classifiers._trainer import NetworkTrainer
from skmnist.datasets import load_digits
from skmnist.pipelines import make_model

_GRID = {
    "clf__dropout": [0.0, 0.3],
    "clf__epochs": [5, 10, 20],
    "clf__learning_rate": [0.001, 0.003],
    "clf__units": [64, 128],
}


@contextmanager
def counted_epochs():
    """Count the epochs of all trainings inside the block, training by training."""
    epochs, train = [], NetworkTrainer._fit_network

    def counting(self, *arguments):
        trained = train(self, *arguments)
        earlier = arguments[-1]
        n_earlier = 0 if earlier is None else len(earlier.history["loss"])
        epochs.append(len(trained.history["loss"]) - n_earlier)
        return trained

    NetworkTrainer._fit_network = counting
    try:
        yield epochs
    finally:
        NetworkTrainer._fit_network = train


def search(memory):
    """Search once; print what it took, and return the results without times."""
    X, y = load_digits(return_X_y=True)
    model = make_model("mlp_512", memory=memory, batch_size=64, random_state=0)
    grid = GridSearchCV(model, _GRID, cv=3, refit=False)
    start = time.perf_counter()
    with counted_epochs() as epochs:
        grid.fit(X, y)
    seconds = time.perf_counter() - start
    name = "in full" if memory is None else "with a memory"
    print(f"{name}: {len(epochs)} trainings, {sum(epochs)} epochs, {seconds:.1f} s")
    return {k: v for k, v in grid.cv_results_.items() if not k.endswith("_time")}


@click.command()
def main():
    """Search in full and with a memory, and compare the results."""
    search(None)  # compiles what both use
    full = search(None)
    with tempfile.TemporaryDirectory() as folder:
        kept = search(folder)
        again = search(folder)
    for name, values in full.items():
        np.testing.assert_array_equal(kept[name], values)
        np.testing.assert_array_equal(again[name], values)
    print(f"the same {', '.join(k for k in full if k.endswith('_score'))}")


if __name__ == "__main__":
    main()
