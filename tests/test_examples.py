"""The networks of the examples are worth training: they beat logistic regression.

The examples themselves are executed, cell after cell, until they have what is compared.
"""

import re
from pathlib import Path

import matplotlib.pyplot as plt
import pytest
from sklearn.model_selection import cross_val_score, train_test_split

from skmnist.pipelines import make_model

EXAMPLES = Path(__file__).parent.parent / "examples"

pytestmark = pytest.mark.slow


def run(name, until):
    """Execute an example up to the cell that defines a variable, and give them all."""
    path = EXAMPLES / f"{name}.py"
    source = path.read_text(encoding="utf-8")
    cells = re.finditer(r"^# %%", source, re.MULTILINE)
    starts = [0, *(cell.start() for cell in cells)]
    namespace = {"__name__": name}
    for start, end in zip(starts, [*starts[1:], None], strict=True):
        lines = "\n" * source.count("\n", 0, start)  # errors name the line
        exec(compile(lines + source[start:end], path, "exec"), namespace)
        plt.close("all")
        if until in namespace:
            return namespace
    raise AssertionError(f"{path.name} defines no {until}.")


def logistic_regression(example):
    """Give its accuracy on the test images of an example."""
    model = make_model("logistic_regression")
    model.fit(example["X_train"], example["y_train"])
    return model.score(example["X_test"], example["y_test"])


def cross_validated_logistic_regression(example, folds):
    model = make_model("logistic_regression")
    return cross_val_score(model, example["X"], example["y"], cv=folds).mean()


@pytest.mark.parametrize(
    ("name", "network"),
    [
        ("first_pipeline", "model"),
        ("inside_a_cnn", "model"),
        ("own_network", "model"),
        ("saving_and_loading", "model"),
        ("plain_scikeras", "classifier"),
    ],
)
def test_network_beats_logistic_regression_on_the_test_images(name, network):
    example = run(name, until=network)
    accuracy = example[network].score(example["X_test"], example["y_test"])
    assert accuracy > logistic_regression(example)


def test_networks_of_the_tour_beat_logistic_regression():
    example = run("tour", until="search")
    X_test, y_test = example["X_test"], example["y_test"]
    baseline = logistic_regression(example)
    assert example["search"].score(X_test, y_test) > baseline
    assert example["model"].score(X_test, y_test) > max(baseline, 0.97)


def test_early_stopping_beats_logistic_regression():
    example = run("early_stopping", until="X_val")
    folds = cross_validated_logistic_regression(example, example["folds"])
    assert example["result"]["test_score"].mean() > folds
    accuracy = example["model"].score(example["X_test"], example["y_test"])
    assert accuracy > logistic_regression(example)


@pytest.mark.parametrize("name", ["grid_search", "dask_cluster"])
def test_search_beats_logistic_regression_on_its_folds(name):
    example = run(name, until="search")
    search = example["search"]
    if name == "dask_cluster":  # fits under a cluster alone, which takes longer
        search.fit(example["X"], example["y"])
    baseline = cross_validated_logistic_regression(example, search.cv)
    assert search.best_score_ > baseline


def test_networks_with_penalties_beat_logistic_regression():
    example = run("penalties_and_optimizers", until="table")
    search = example["search"]
    baseline = cross_validated_logistic_regression(example, search.cv)
    assert search.best_score_ > baseline
    assert example["table"]["test"].idxmin() == "logistic regression"


def test_compared_networks_beat_logistic_regression():
    example = run("networks_and_baselines", until="models")
    X_train, X_test, y_train, y_test = train_test_split(
        example["X"], example["y"], stratify=example["y"], random_state=0
    )
    accuracy = {
        name: model.fit(X_train, y_train).score(X_test, y_test)
        for name, model in example["models"].items()
    }
    baseline = accuracy["logistic regression"]
    assert min(accuracy["MLP"], accuracy["CNN"]) > baseline


def test_pretrained_layers_beat_logistic_regression():
    accuracies = run("transfer_learning", until="accuracies")["accuracies"]
    means = {name: scores.mean() for name, scores in accuracies.items()}
    assert means["pretrained, trained further"] > means["logistic regression"]


def test_changed_labels_are_found():
    example = run("label_errors", until="found")
    assert len(example["found"]) >= 20
    assert len(example["suspected"]) <= 40
