"""Ensembles of a network from several seeds."""

import numpy as np
import pytest
from builders import small_cnn, small_mlp
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.cluster import KMeans
from sklearn.frozen import FrozenEstimator
from sklearn.neighbors import KNeighborsClassifier
from sklearn.tree import DecisionTreeClassifier
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmnist import DeepEnsembleClassifier

# Short trainings from different seeds, which disagree on many images.
WEAK = {"epochs": 1, "learning_rate": 0.01, "units": 8}


def ensemble(n_estimators=2, random_state=0, **params):
    network = small_mlp(**{**WEAK, **params})
    return DeepEnsembleClassifier(network, n_estimators, random_state=random_state)


@parametrize_with_checks(
    [DeepEnsembleClassifier(DecisionTreeClassifier(max_depth=4), n_estimators=2)]
)
def test_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


def test_averages_probabilities_of_copies_from_different_seeds(digits):
    X, y = digits
    model = ensemble().fit(X, y)
    parts = [copy.predict_proba(X) for copy in model.estimators_]
    assert not np.allclose(*parts)
    assert np.allclose(model.predict_proba(X), np.mean(parts, axis=0))
    assert not hasattr(model.estimator, "classes_")
    again = clone(model).fit(X, y)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    other = ensemble(random_state=1).fit(X, y)
    assert not np.allclose(other.predict_proba(X), model.predict_proba(X))


def test_logits_agree_with_probabilities(digits):
    X, y = digits
    model = ensemble(5).fit(X, y)
    logits, probabilities = model.decision_function(X), model.predict_proba(X)
    assert np.array_equal(model.classes_[logits.argmax(axis=1)], model.predict(X))
    powers = np.exp(logits)
    assert np.allclose(powers / powers.sum(axis=1, keepdims=True), probabilities)
    assert model.set_params(n_estimators=1).fit(X, y % 2).decision_function(X).ndim == 1
    assert np.array_equal(model.decision_function(X) > 0, model.predict(X) == 1)


def test_a_temperature_changes_no_label(digits):
    pytest.importorskip("sklearn", minversion="1.8")  # has temperature scaling
    model = ensemble(5).fit(*digits)
    calibrated = CalibratedClassifierCV(FrozenEstimator(model), method="temperature")
    calibrated.fit(*digits)
    assert np.array_equal(calibrated.predict(digits[0]), model.predict(digits[0]))


def test_weights_and_labels_reach_the_networks(digits):
    X, y = digits
    names = np.where(y < 5, "low", "high")
    model = ensemble(class_weight={"low": 1, "high": 9}).fit(X, names)
    favoured = np.mean(model.predict(X) == "high")
    assert favoured > np.mean(ensemble().fit(X, names).predict(X) == "high")
    weights = np.where(names == "high", 9, 1)
    weighted = ensemble().fit(X, names, sample_weight=weights)
    assert np.allclose(weighted.predict_proba(X), model.predict_proba(X), atol=1e-6)


def test_takes_images_of_any_shape(digits):
    images = digits[0].reshape(-1, 8, 8)[:, 1:]
    network = small_cnn(epochs=1)
    model = DeepEnsembleClassifier(network, 2).fit(images, digits[1])
    assert [copy.image_shape_ for copy in model.estimators_] == [(7, 8, 1)] * 2
    assert model.predict(images[:3]).shape == (3,)


def test_a_failed_fit_changes_nothing(digits):
    X, y = digits
    model = ensemble().fit(X, y)
    before = model.predict_proba(X)
    with pytest.raises(ValueError, match="NaN"):
        model.fit(np.full_like(X, np.nan), y)
    assert np.array_equal(model.predict_proba(X), before)


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (DeepEnsembleClassifier(small_mlp(), 0), "'n_estimators' parameter"),
        (DeepEnsembleClassifier(KMeans(2)), "'estimator' parameter"),
        (DeepEnsembleClassifier(KNeighborsClassifier()), "KNeighborsClassifier"),
    ],
)
def test_refuses_what_cannot_be_averaged(digits, model, message):
    with pytest.raises(ValueError, match=message):
        model.fit(*digits)
