"""The verdicts of comparisons: their order, and how often they are right."""

from functools import partial

import numpy as np
import pytest
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.model_selection import (
    KFold,
    RepeatedKFold,
    ShuffleSplit,
    StratifiedKFold,
)

from benchmarks.verdicts import (
    UNEQUAL,
    draw_right,
    error_rates,
    power,
    train_equal_models,
    unequal_models,
    verdicts,
)
from skmnist.evaluation import compare, iter_compare


def equal_models(n_models, accuracy, n_images, n_folds, **kind):
    return lambda rng: draw_right(rng, [accuracy] * n_models, n_images, n_folds, **kind)


@pytest.mark.parametrize("n_folds", [1, 2, 5, 10])
def test_verdicts_are_in_the_order_of_the_accuracies(n_folds):
    rng = np.random.default_rng(n_folds)
    n_mixed = 0
    for _ in range(40):
        accuracies = np.round(rng.uniform(0.85, 0.97, rng.integers(2, 12)), 2)
        right = draw_right(
            rng,
            accuracies,
            rng.integers(100, 1000),
            n_folds,
            variation=rng.choice([0, 0.02]),
            correlation=rng.uniform(0, 0.95),
        )
        found = dict(enumerate(verdicts(right)))
        accuracy = [round(np.mean([f.mean() for f in folds]), 12) for folds in right]
        worse = [accuracy[i] for i, verdict in found.items() if verdict == "worse"]
        unclear = [accuracy[i] for i, v in found.items() if v == "no clear difference"]
        assert max(worse, default=0) < min(unclear, default=1)
        n_mixed += bool(worse) and bool(unclear)
    assert n_mixed >= 5  # otherwise it would show nothing


def with_wrong(best, *wrong_by_fold):
    """Models that fail on some images of each fold that the best has right."""
    models = []
    for counts in wrong_by_fold:
        folds = [fold.copy() for fold in best]
        for fold, n_wrong in zip(folds, counts, strict=True):
            fold[np.flatnonzero(fold)[-n_wrong:]] = False
        models.append(folds)
    return models


def test_a_model_below_a_worse_one_is_worse():
    # Of 1,800 images 94.2 % steadily, and 93.9 % with luck on some of the folds.
    rng = np.random.default_rng(0)
    best, *others = draw_right(rng, [0.989] + [0.97] * 12, 1800, 5)
    steady, uneven = with_wrong(best, [17] * 5, [40, 5, 20, 5, 20])
    assert np.mean(steady) > np.mean(uneven)
    found = verdicts([best, *others, steady, uneven])
    assert found[0] == "best"
    assert found[-2:] == ["worse", "worse"]


def test_51_images_against_2_are_a_clear_difference():
    X, y = load_digits(return_X_y=True)
    models = [
        "rbf_svm",
        "nearest_neighbors",
        "logistic_regression",
        "linear_svm",
        "dummy",
    ]
    found = compare(models, X, y, cv=5, random_state=0)["verdict"]
    assert found.to_dict() == dict(
        zip(models, ["best", "no clear difference"] + ["worse"] * 3, strict=True)
    )


@pytest.mark.parametrize(
    "draw",
    [
        equal_models(2, 0.98, 1797, 3, variation=0.01),
        equal_models(16, 0.98, 300, 2, correlation=0),
        equal_models(16, 0.9, 1797, 5, correlation=0),
        equal_models(16, 0.9, 1797, 5, variation=0.01),
        equal_models(16, 0.98, 1797, 10, variation=0.005),
        partial(train_equal_models, n_models=8, n_images=200, n_folds=5, n_features=20),
    ],
    ids=["two", "few images", "no variation", "much variation", "ten folds", "trained"],
)
def test_equally_good_models_are_seldom_called_worse(draw):
    any_is_worse, first_is_worse = error_rates(draw, n_runs=150)
    assert any_is_worse <= 0.05
    assert first_is_worse <= any_is_worse


@pytest.mark.parametrize("name", [name for name in UNEQUAL if ";" in name])
def test_the_best_models_are_seldom_called_worse_where_models_vary_unequally(name):
    draw, n_best = unequal_models(name, n_folds=5, variation=0.01)
    any_is_worse, _ = error_rates(draw, n_best, n_runs=100)
    assert any_is_worse <= 0.05


@pytest.mark.parametrize(
    ("n_models", "gap", "least"), [(2, 0.02, 0.85), (16, 0.02, 0.85), (16, 0.03, 0.99)]
)
def test_power_with_five_folds_of_the_digits(n_models, gap, least):
    assert power(n_models, gap, 1797, 5, n_runs=60) >= least


@pytest.mark.parametrize(
    ("cv", "expected"),
    [
        (StratifiedKFold(4), 1),
        (KFold(7), 1),
        (RepeatedKFold(n_splits=4, n_repeats=3, random_state=0), 3),
        (ShuffleSplit(1, random_state=0), 1),
        ([(np.arange(50), np.arange(50, 100))] * 3, 3),
    ],
)
def test_scores_know_how_often_an_image_is_tested(cv, expected):
    X, y = load_digits(return_X_y=True)
    (scores,) = iter_compare([DummyClassifier()], X[:100], y[:100] % 2, cv=cv)
    assert scores.test_repeats == pytest.approx(expected)


def test_random_splits_count_images_by_how_often_they_overlap():
    X, y = load_digits(return_X_y=True)
    cv = ShuffleSplit(10, test_size=0.1, random_state=0)
    (scores,) = iter_compare([DummyClassifier()], X, y, cv=cv)
    # Binomially often: 1 + 9 tenths
    assert scores.test_repeats == pytest.approx(1.9, abs=0.1)
