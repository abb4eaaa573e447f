"""Test models trained on MNIST on digits that others wrote, and on damaged ones.

    python docs/other_hands.py FOLDER cnn_small hog_svm   # and any other model

prints the table of ``docs/guide/accuracy.md``. FOLDER has IDX files, which are to be
had elsewhere, in the folders ``usps``, ``semeion`` (``all-images-…``) and
``mnist-c/NAME``, one for each kind of damage. MNIST itself is taken from the folder
``SKMNIST_DATA``, or downloaded. Networks with augmentation are trained a second time
without it. Options: ``--seeds`` for several seeds, ``--models`` for a folder where
fitted models are kept.
"""

import argparse
from pathlib import Path
from statistics import mean, stdev

import numpy as np

from skmnist import DigitNormalizer
from skmnist._estimators import network_of
from skmnist.datasets import fetch_mnist, load_idx, read_idx
from skmnist.persistence import load_model, save_model
from skmnist.pipelines import make_model


def other_sets(folder):
    """Return images of 28×28 pixels and labels by the name of the set."""
    sets = {"MNIST": [fetch_mnist("test", return_X_y=True)]}
    for name, prefix in ("USPS", "t10k"), ("Semeion", "all"):
        files = folder / name.lower()
        X = read_idx(files / f"{prefix}-images-idx3-ubyte.gz")
        y = read_idx(files / f"{prefix}-labels-idx1-ubyte.gz")
        sets[name] = [(DigitNormalizer().fit_transform(X), y)]
    damaged = sorted(path for path in (folder / "mnist-c").iterdir() if path.is_dir())
    sets["MNIST-C"] = [load_idx(path, "test", return_X_y=True) for path in damaged]
    return sets


def fitted(name, params, training, models):
    """Return a model that is fitted now, or was kept by an earlier call."""
    model = make_model(name, **params)
    varied = "".join(f"-{key}={value}" for key, value in params.items())
    path = models and models / f"{name}{varied}.joblib"
    if path and path.exists():
        kept = load_model(path)
        if repr(kept) == repr(model):  # and not of an earlier recipe
            return kept
    model.fit(*training)
    if path:
        save_model(model, path)
    return model


def variants(name):
    """Yield what a row of the table says and the parameters of its models."""
    yield f"`{name}`", {}
    if getattr(network_of(make_model(name)), "augmentation", None) is not None:
        yield f"`{name}`, no augmentation", {"augmentation": None}


def main(arguments=None):
    """Print the accuracies of the models, a row for each."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="+", metavar="NAME")
    parser.add_argument("--seeds", type=int, default=1)
    parser.add_argument("--models", type=Path)
    given = parser.parse_args(arguments)
    sets = other_sets(given.folder)
    training = fetch_mnist("train", return_X_y=True)
    if given.models:
        given.models.mkdir(exist_ok=True)
    print(f"| Model | {' | '.join(sets)} |\n| --- |{' ---: |' * len(sets)}")
    for name in given.names:
        for title, varied in variants(name):
            cells = {set_name: [] for set_name in sets}
            is_random = "clf__random_state" in make_model(name).get_params()
            for seed in range(given.seeds) if is_random else [None]:
                params = {**varied, "random_state": seed} if is_random else varied
                model = fitted(name, params, training, given.models)
                for set_name, parts in sets.items():
                    scores = [np.mean(model.predict(X) == y) for X, y in parts]
                    cells[set_name].append(100 * mean(scores))
            shown = (
                f"{mean(c):.2f}{f' ± {stdev(c):.2f}' if len(set(c)) > 1 else ''} %"
                for c in cells.values()
            )
            print(f"| {title} | {' | '.join(shown)} |", flush=True)


if __name__ == "__main__":
    main()
