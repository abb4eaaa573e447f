"""Metadata routing: sample weights and validation data find their way to fit."""

import numpy as np
import pytest
import sklearn
from builders import small_cnn, small_mlp
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import Pipeline, make_pipeline

from skmnist import ImageScaler


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


def test_sample_weights_reach_the_fits_of_a_search(digits, trainings):
    X, y = digits
    weights = np.linspace(1, 2, len(X))
    network = small_mlp(epochs=1).set_fit_request(sample_weight=True)
    search = GridSearchCV(
        make_pipeline(ImageScaler(), network),
        {"kerasmlpclassifier__dropout": [0.1, 0.2]},
        cv=2,
        # The search asks its scorer too, which here wants no weights.
        scoring=make_scorer(accuracy_score).set_score_request(sample_weight=False),
    )
    search.fit(X, y, sample_weight=weights)
    assert len(trainings) == 2 * 2 + 1
    for training, _ in trainings:
        assert training.weights is not None
    last = trainings[-1][0].weights
    np.testing.assert_allclose(last, weights / weights.mean())
    unweighted = small_mlp(epochs=1, dropout=search.best_estimator_[-1].dropout)
    unweighted.fit(search.best_estimator_[:-1].transform(X), y)
    assert not np.array_equal(
        unweighted.predict_proba(X), search.best_estimator_[-1].predict_proba(X)
    )


def test_weights_that_nobody_asked_for_are_refused(digits):
    X, y = digits
    search = GridSearchCV(small_mlp(), {"dropout": [0.1]}, cv=2)
    with pytest.raises(ValueError, match=r"sample_weight.* not explicitly set"):
        search.fit(X, y, sample_weight=np.ones(len(X)))


def test_asking_for_weights_in_fit_does_not_ask_for_them_in_score(digits):
    X, y = digits
    model = small_mlp().set_fit_request(sample_weight=True)
    assert model.get_metadata_routing().score.requests["sample_weight"] is None
    assert model.get_metadata_routing().fit.requests == {
        "sample_weight": True,
        "X_val": None,
        "y_val": None,
    }
    model.set_score_request(sample_weight=True)
    results = cross_validate(
        model, X, y, cv=2, params={"sample_weight": np.arange(len(X)) + 1.0}
    )
    assert np.isfinite(results["test_score"]).all()


def test_validation_images_in_colour_pass_the_scaler_too(trainings):
    images = np.random.default_rng(0).integers(0, 256, (40, 6, 5, 3), dtype=np.uint8)
    labels = np.arange(40) % 2
    network = small_cnn(kernel_size=1, epochs=1)
    network.set_fit_request(X_val=True, y_val=True)
    steps = [("scale", ImageScaler()), ("clf", network)]
    model = Pipeline(steps, transform_input=["X_val"])
    model.fit(images, labels, X_val=images[:9], y_val=labels[:9])
    ((training, validation),) = trainings
    np.testing.assert_array_equal(training.inputs, (images / 255).astype(np.float32))
    np.testing.assert_array_equal(validation.inputs, training.inputs[:9])
