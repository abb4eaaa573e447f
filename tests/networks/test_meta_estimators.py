"""Network classifiers inside the meta-estimators and tools of scikit-learn."""

import numpy as np
import pytest
from builders import small_cnn, small_mlp
from sklearn.base import clone, is_classifier
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.inspection import permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    cross_val_predict,
    cross_val_score,
    learning_curve,
)
from sklearn.pipeline import make_pipeline

from skmnist import (
    ImageScaler,
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)


def quick(**params):
    return small_mlp(**{"epochs": 12, "learning_rate": 0.02, **params})


@pytest.mark.parametrize(
    "classifier",
    [
        KerasMLPClassifier(),
        KerasDNNClassifier(),
        KerasCNNClassifier(),
        KerasImageClassifier(builder=print),
        make_pipeline(ImageScaler(), KerasCNNClassifier()),
    ],
    ids=repr,
)
def test_is_a_classifier(classifier):
    assert is_classifier(classifier)


def test_folds_of_an_integer_cv_are_stratified(digits):
    X, y = digits
    order = np.argsort(y, kind="stable")
    order = order[y[order] < 3]
    # In the order of the labels, each plain fold would hold one class only, which
    # the other folds do not have.
    scores = cross_val_score(quick(), X[order], y[order], cv=3)
    assert scores.min() > 0.7


def test_probabilities_are_calibrated(digits):
    X, y = digits
    model = CalibratedClassifierCV(quick(), cv=2).fit(X, y)
    assert model.score(X, y) > 0.7
    np.testing.assert_allclose(model.predict_proba(X).sum(axis=1), 1, rtol=1e-5)


def test_networks_vote(digits):
    X, y = digits
    members = [
        ("a", quick()),
        ("b", quick(random_state=1)),
        ("c", LogisticRegression()),
    ]
    vote = VotingClassifier(members, voting="soft").fit(X, y)
    mean = np.mean([member.predict_proba(X) for member in vote.estimators_], axis=0)
    np.testing.assert_allclose(vote.predict_proba(X), mean, rtol=1e-6)
    assert vote.score(X, y) > 0.7


def test_networks_are_stacked(digits):
    X, y = digits
    members = [("mlp", quick()), ("cnn", small_cnn())]
    model = StackingClassifier(members, LogisticRegression(), cv=2).fit(X, y)
    assert model.score(X, y) > 0.7


def test_networks_are_bagged_with_seeds_of_their_own(digits):
    X, y = digits
    model = BaggingClassifier(quick(), n_estimators=2, random_state=0).fit(X, y)
    assert model.score(X, y) > 0.6
    assert len({member.random_state for member in model.estimators_}) == 2


def test_probabilities_are_cross_validated(digits):
    X, y = digits
    probabilities = cross_val_predict(quick(), X, y, cv=2, method="predict_proba")
    assert probabilities.shape == (len(X), 10)
    assert np.mean(probabilities.argmax(axis=1) == y) > 0.6


def test_more_samples_make_a_better_learning_curve(digits):
    X, y = digits
    sizes, _, scores = learning_curve(
        quick(), X, y, train_sizes=[40, 150], cv=2, shuffle=True, random_state=0
    )
    assert sizes.tolist() == [40, 150]
    assert scores.mean(axis=1)[1] > scores.mean(axis=1)[0]


def test_permuting_a_pixel_that_never_varies_does_no_harm(digits):
    X, y = digits
    model = quick().fit(X, y)
    result = permutation_importance(model, X[:100, :], y[:100], n_repeats=1)
    constant = np.ptp(X, axis=0) == 0
    assert constant.any()
    assert np.all(result.importances_mean[constant] == 0)
    assert np.any(result.importances_mean[~constant] != 0)


def test_a_clone_of_a_fitted_classifier_has_its_parameters_only(digits):
    X, y = digits
    model = quick(class_weight={0: 2.0}, warm_start=True).fit(X, y)
    copy = clone(model)
    assert copy.get_params() == model.get_params()
    assert not hasattr(copy, "classes_")
    fitted = {name for name in vars(model) if name not in model.get_params()}
    assert not fitted & set(vars(copy))


def test_repr_shows_what_was_changed(digits):
    assert repr(KerasMLPClassifier(units=8)) == "KerasMLPClassifier(units=8)"
    assert "units" in quick(units=9)._repr_html_()
