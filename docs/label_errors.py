"""Count the published label errors of MNIST's test set that are found.

``python docs/label_errors.py`` takes MNIST from the folder ``SKMNIST_DATA``, or
downloads it, and prints the figures of ``docs/guide/label_errors.md``. It takes about
ten minutes.
"""

import numpy as np

from skmnist import Augmentation
from skmnist.datasets import fetch_mnist
from skmnist.evaluation import find_label_errors
from skmnist.pipelines import make_model

# Row in the test set, and its label. Five people judged each of 100 candidates; these
# are all for which fewer than three of them chose the label of MNIST. From
# mturk/mnist_mturk.json of https://github.com/cleanlab/label-errors, published with
# C. G. Northcutt, A. Athalye and J. Mueller (2021). Pervasive label errors in test sets
# destabilize machine learning benchmarks. https://arxiv.org/abs/2103.14749
PUBLISHED = {
    947: 8,
    1621: 0,
    1901: 9,
    2130: 4,
    2462: 2,
    2597: 5,
    2654: 6,
    3520: 6,
    3558: 5,
    5937: 5,
    6651: 0,
    6783: 1,
    8527: 4,
    9679: 6,
    9729: 5,
}


def n_published(errors, n_first=40):
    """Return how many of the published errors are among the first of the ranking."""
    return len(PUBLISHED.keys() & set(errors.indices[:n_first].tolist()))


def print_line(name, errors):
    """Print how many published errors are among the first images, and the estimate."""
    found = ", ".join(
        f"{n_published(errors, n)} of the first {n}" for n in (20, 40, 80)
    )
    n_wrong = int(np.sum(errors.margin < 0))
    print(
        f"{name}: {found} images are among the {len(PUBLISHED)} published errors; "
        f"{n_wrong} images misclassified, {errors.n_suspected} labels suspected",
        flush=True,
    )


def main(seeds=range(3)):
    """Print the figures of networks that were trained on other images."""
    X_train, y_train = fetch_mnist("train", return_X_y=True)
    X, y = fetch_mnist("test", return_X_y=True)
    if any(y[row] != label for row, label in PUBLISHED.items()):
        raise SystemExit("This is not the test set of MNIST in its usual order.")
    probabilities = []
    for seed in seeds:
        model = make_model("cnn_fast", epochs=3, random_state=seed)
        model.fit(X_train, y_train)
        probabilities.append(model.predict_proba(X))
        errors = find_label_errors(None, X, y, y_proba=probabilities[-1])
        print_line(f"trained on the training set, seed {seed}", errors)
    mean = np.mean(probabilities, axis=0)
    errors = find_label_errors(None, X, y, y_proba=mean)
    print_line(f"mean of these {len(probabilities)} networks", errors)
    augmentation = Augmentation(rotation=12, zoom=0.1, shear=0.15, translation=0.08)
    for seed in seeds:
        model = make_model(
            "cnn_fast", epochs=20, augmentation=augmentation, random_state=seed
        )
        errors = find_label_errors(model, X, y, cv=5, random_state=seed)
        print_line(f"5 folds of the test set, seed {seed}", errors)


if __name__ == "__main__":
    main()
