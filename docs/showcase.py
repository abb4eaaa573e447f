"""Draw the picture with which README and documentation begin.

``python docs/showcase.py`` trains ``cnn_fast`` on MNIST, and takes accuracies of all
models from ``skmnist/results.json``.
"""

from pathlib import Path
from statistics import mean

import matplotlib

matplotlib.use("Agg")

import matplotlib.pyplot as plt
import pandas as pd
from results import SELECTION

from skmnist.datasets import fetch_mnist
from skmnist.pipelines import make_model, results_on_mnist
from skmnist.plotting import (
    FeatureMapsDisplay,
    ModelComparisonDisplay,
    RecognitionDisplay,
)

STATIC = Path(__file__).parent / "_static"


def accuracies():
    """Return the table that the comparison of models shows."""
    results = results_on_mnist()
    rows = [results["models"][name] for name in SELECTION]
    table = pd.DataFrame(rows, index=SELECTION)
    table["accuracy"] = table["accuracies"].map(mean)
    variance = table["accuracy"] * (1 - table["accuracy"])
    table["accuracy_se"] = (variance / results["n_test"]) ** 0.5
    return table


def draw(model, X, y, table, path, style):
    """Write the picture: misclassified images, feature maps, accuracy and time."""
    with plt.style.context(style):
        figure, axes = plt.subplots(
            1, 3, figsize=(12.5, 3.9), layout="constrained", width_ratios=[1.1, 1, 1.25]
        )
        figure.get_layout_engine().set(wspace=0.06)
        RecognitionDisplay.from_estimator(
            model, X, y, ax=axes[0], kind="wrong", n_images=15, n_columns=5
        )
        layers = ["convolution_1", "convolution_2"]
        FeatureMapsDisplay.from_estimator(
            model, X, ax=axes[1], layers=layers, n_columns=8
        )
        ModelComparisonDisplay.from_table(table, ax=axes[2], kind="fit_time")
        figure.savefig(path, transparent=True, dpi=120)
        plt.close(figure)


def main():
    """Train the network, and write the picture for light and dark pages."""
    table = accuracies()
    model = make_model("cnn_fast", random_state=0).fit(*fetch_mnist(return_X_y=True))
    X_test, y_test = fetch_mnist("test", return_X_y=True)
    draw(model, X_test, y_test, table, STATIC / "showcase.png", "default")
    draw(model, X_test, y_test, table, STATIC / "showcase_dark.png", "dark_background")


if __name__ == "__main__":
    main()
