"""Probability calibration of network classifiers, in every form scikit-learn has."""

import numpy as np
import pytest
from builders import small_mlp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import log_loss
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)
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


@pytest.mark.parametrize("names", [["even", "odd"], ["c", "b", "a"]], ids=len)
@pytest.mark.parametrize("method", ["sigmoid", "temperature"])
def test_a_pipeline_with_string_labels_is_calibrated(method, names, digits):
    X, y = digits
    images, labels = X.reshape(-1, 8, 8), np.array(names)[y % len(names)]
    pipeline = make_pipeline(ImageScaler(), network(epochs=20))
    model = CalibratedClassifierCV(pipeline, method=method, cv=2).fit(images, labels)
    assert model.classes_.tolist() == sorted(names)
    assert model.score(images, labels) > 0.7


@pytest.mark.parametrize("n_classes", [2, 4])
def test_a_temperature_divides_the_logits_of_a_pipeline(n_classes, digits):
    X, y = digits
    images, labels = X[y < n_classes].reshape(-1, 8, 8), y[y < n_classes]
    fitted = make_pipeline(ImageScaler(), network(epochs=4)).fit(images, labels)
    logits = fitted.decision_function(images)
    model = CalibratedClassifierCV(FrozenEstimator(fitted), method="temperature")
    calibrated = np.log(model.fit(images, labels).predict_proba(images))
    differences = calibrated[:, 1:] - calibrated[:, :1]
    expected = logits[:, None] if n_classes == 2 else logits[:, 1:] - logits[:, :1]
    factor = (differences * expected).sum() / (expected**2).sum()
    assert factor > 1  # an underconfident network, after few epochs
    np.testing.assert_allclose(differences, factor * expected, rtol=1e-6, atol=1e-6)


def test_weights_reach_the_folds_of_a_calibration(digits, trainings):
    X, y = digits
    weights = np.where(y == 3, 5.0, 1.0)
    CalibratedClassifierCV(network(epochs=1), cv=2).fit(X, y, sample_weight=weights)
    assert len(trainings) == 2
    for training, _ in trainings:
        heavy = training.labels == 3
        ratio = training.weights[heavy].mean() / training.weights[~heavy].mean()
        np.testing.assert_allclose(ratio, 5, rtol=1e-5)


@pytest.fixture(scope="module")
def naughts(digits):
    """Images with string labels, and a Pipeline fitted on the first 150 of them."""
    X, y = digits
    images, labels = X.reshape(-1, 8, 8), np.array(["other", "naught"])[(y == 0) * 1]
    pipeline = make_pipeline(ImageScaler(), network(epochs=40))
    return images, labels, pipeline.fit(images[:150], labels[:150])


@pytest.mark.parametrize("probability", [0.01, 0.5, 0.9])
def test_a_threshold_of_logits_is_one_of_probabilities(probability, naughts):
    images, labels, fitted = naughts
    by_probability, by_logit = (
        FixedThresholdClassifier(
            FrozenEstimator(fitted),
            threshold=threshold,
            pos_label="naught",
            response_method=method,
        )
        .fit(images, labels)
        .predict(images)
        for method, threshold in (
            ("predict_proba", probability),
            ("decision_function", np.log(probability / (1 - probability))),
        )
    )
    assert np.array_equal(by_probability, by_logit)
    expected = fitted.predict_proba(images)[:, 0] >= probability
    assert np.array_equal(by_logit == "naught", expected)
    assert 0 < expected.sum() < len(images)


def test_a_tuned_threshold_may_be_any_logit(naughts):
    images, labels, fitted = naughts
    model = TunedThresholdClassifierCV(
        FrozenEstimator(fitted),
        scoring="balanced_accuracy",
        response_method="decision_function",
        cv="prefit",
        refit=False,
    ).fit(images[150:], labels[150:])
    values = fitted.decision_function(images)
    assert values.min() <= model.best_threshold_ <= values.max()
    assert np.array_equal(
        model.predict(images) == model.classes_[1], values >= model.best_threshold_
    )


def test_thresholds_are_those_of_calibrated_probabilities(naughts):
    images, labels, fitted = naughts
    calibrated = CalibratedClassifierCV(FrozenEstimator(fitted), method="temperature")
    model = FixedThresholdClassifier(calibrated, threshold=0.9, pos_label="naught")
    answers = model.fit(images, labels).predict(images)
    expected = calibrated.fit(images, labels).predict_proba(images)[:, 0] >= 0.9
    assert np.array_equal(answers == "naught", expected)
    assert 0 < expected.sum() < len(images)
