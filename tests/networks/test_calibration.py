"""Probability calibration of network classifiers, in every form scikit-learn has."""

import numpy as np
import pytest
from builders import small_mlp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler


def network(**params):
    return small_mlp(**{"epochs": 12, "learning_rate": 0.02, **params})


@pytest.mark.parametrize("ensemble", [True, False])
@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize("n_classes", [2, 10])
def test_calibrated_probabilities_are_better_than_chance(
    method, ensemble, n_classes, digits
):
    X, y = digits
    X, y = X[y < n_classes], y[y < n_classes]
    model = CalibratedClassifierCV(network(), method=method, ensemble=ensemble, cv=2)
    probabilities = model.fit(X, y).predict_proba(X)
    assert probabilities.shape == (len(X), n_classes)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)
    assert log_loss(y, probabilities) < np.log(n_classes) / 2
    assert model.score(X, y) > 0.8


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
def test_a_fitted_network_is_calibrated_without_being_trained_again(
    method, digits, trainings
):
    X, y = digits
    fitted = network().fit(X[:200], y[:200])
    before = fitted.predict_proba(X)
    model = CalibratedClassifierCV(FrozenEstimator(fitted), method=method)
    model.fit(X[200:], y[200:])
    assert len(trainings) == 1
    assert np.array_equal(fitted.predict_proba(X), before)
    assert model.score(X, y) > 0.7


def test_temperature_calibration_mends_an_overconfident_network(digits):
    """Scores that are flattened on the way, such as by rounding to 1.0, would not."""
    X, y = digits
    noisy = y.copy()
    flipped = np.random.default_rng(0).permutation(len(y))[:90]
    noisy[flipped] = (noisy[flipped] + 1) % 10
    half = len(y) // 2
    fitted = network(epochs=60).fit(X[:half], noisy[:half])
    model = CalibratedClassifierCV(FrozenEstimator(fitted), method="temperature")
    model.fit(X[half:], noisy[half:])
    raw, calibrated = fitted.predict_proba(X[half:]), model.predict_proba(X[half:])
    assert log_loss(noisy[half:], calibrated) < log_loss(noisy[half:], raw) - 0.2
    # One temperature for all leaves the order of the classes as it was.
    assert np.array_equal(model.predict(X), fitted.predict(X))


def test_a_pipeline_with_string_labels_is_calibrated(digits):
    X, y = digits
    labels = np.array(["even", "odd"])[y % 2]
    model = CalibratedClassifierCV(make_pipeline(ImageScaler(), network()), cv=2)
    model.fit(X.reshape(-1, 8, 8), labels)
    assert model.classes_.tolist() == ["even", "odd"]
    assert model.score(X.reshape(-1, 8, 8), labels) > 0.8


def test_weights_reach_the_folds_of_a_calibration(digits, trainings):
    X, y = digits
    weights = np.where(y == 3, 5.0, 1.0)
    CalibratedClassifierCV(network(epochs=1), cv=2).fit(X, y, sample_weight=weights)
    assert len(trainings) == 2
    for training, _ in trainings:
        heavy = training.labels == 3
        ratio = training.weights[heavy].mean() / training.weights[~heavy].mean()
        np.testing.assert_allclose(ratio, 5, rtol=1e-5)
