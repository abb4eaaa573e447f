"""Classifiers of scikit-learn that are made of several fits of a network."""

import numpy as np
import pytest
from builders import small_mlp
from sklearn.ensemble import AdaBoostClassifier
from sklearn.feature_selection import RFE, RFECV, SelectFromModel
from sklearn.inspection import partial_dependence, permutation_importance
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    FixedThresholdClassifier,
    TunedThresholdClassifierCV,
)
from sklearn.multiclass import (
    OneVsOneClassifier,
    OneVsRestClassifier,
    OutputCodeClassifier,
)
from sklearn.multioutput import ClassifierChain, MultiOutputClassifier
from sklearn.pipeline import make_pipeline
from sklearn.semi_supervised import SelfTrainingClassifier

from skmnist import ImageScaler


def network(**params):
    return small_mlp(**{"epochs": 12, "learning_rate": 0.02, **params})


@pytest.fixture(scope="module")
def four(digits):
    """The digits from 0 to 3."""
    X, y = digits
    return X[y < 4], y[y < 4]


@pytest.mark.parametrize(
    "model",
    [
        OneVsRestClassifier(network()),
        OneVsOneClassifier(network()),
        OutputCodeClassifier(network(), code_size=3, random_state=0),
        AdaBoostClassifier(network(), n_estimators=2, random_state=0),
        OneVsRestClassifier(make_pipeline(ImageScaler(), network())),
    ],
    ids=["one vs rest", "one vs one", "output code", "boosted", "pipeline"],
)
def test_a_classifier_made_of_networks_learns(model, four):
    X, y = four
    labels = np.array(["zero", "one", "two", "three"])[y]
    model.fit(X, labels)
    assert model.classes_.tolist() == sorted(set(labels))
    assert model.score(X, labels) > 0.9


def test_boosting_gives_weight_to_what_was_misclassified(digits, trainings):
    X, y = digits
    AdaBoostClassifier(network(epochs=2), n_estimators=2, random_state=0).fit(X, y)
    (first, _), (second, _) = trainings
    np.testing.assert_allclose(first.weights, 1, rtol=1e-5)
    assert len(np.unique(second.weights.round(4))) == 2


def test_each_target_of_several_has_a_network_of_its_own(four):
    X, y = four
    targets = np.column_stack([y % 2, y // 2])
    model = MultiOutputClassifier(network()).fit(X, targets)
    assert model.score(X, targets) > 0.9
    chain = ClassifierChain(network(), random_state=0).fit(X, targets)
    assert np.mean(chain.predict(X) == targets) > 0.9


def test_several_targets_at_once_are_refused(four):
    X, y = four
    with pytest.raises(ValueError, match="y"):
        network().fit(X, np.column_stack([y % 2, y // 2, y]))


def test_self_training_labels_what_has_no_label(digits):
    X, y = digits
    partly = y.copy()
    partly[np.random.default_rng(0).permutation(len(y))[:100]] = -1
    model = SelfTrainingClassifier(network(epochs=30), threshold=0.9)
    model.fit(X, partly)
    assert -1 not in model.classes_
    assert (model.labeled_iter_ > 0).sum() > 10
    hidden = partly == -1
    assert np.mean(model.predict(X[hidden]) == y[hidden]) > 0.75


def first_layer(model):
    """Importance of a pixel: the size of its weights in the first layer."""
    return np.abs(model.model_.get_weights()[0]).sum(axis=1)


def test_features_are_eliminated_by_the_weights_of_the_first_layer(four):
    X, y = four
    model = RFE(
        network(), n_features_to_select=16, step=24, importance_getter=first_layer
    )
    assert model.fit(X, y).support_.sum() == 16
    assert model.score(X, y) > 0.8


def test_the_number_of_features_is_cross_validated(four):
    X, y = four
    model = RFECV(network(), step=32, cv=2, importance_getter=first_layer).fit(X, y)
    assert model.n_features_ in (1, 32, 64)
    assert model.cv_results_["n_features"].tolist() == [1, 32, 64]


def test_features_are_selected_for_another_classifier(four):
    X, y = four
    select = SelectFromModel(network(), importance_getter=first_layer, max_features=20)
    model = make_pipeline(select, LogisticRegression()).fit(X, y)
    assert model[-1].n_features_in_ <= 20
    assert model.score(X, y) > 0.9


def test_thresholds_move_decisions(digits):
    X, y = digits
    y = (y == 8).astype(int)
    fixed = FixedThresholdClassifier(
        network(), threshold=0.999, response_method="predict_proba"
    ).fit(X, y)
    assert fixed.predict(X).sum() < network().fit(X, y).predict(X).sum()
    tuned = TunedThresholdClassifierCV(network(), scoring="balanced_accuracy", cv=2)
    tuned.fit(X, y)
    assert 0 <= tuned.best_threshold_ <= 1
    assert set(tuned.predict(X)) == {0, 1}


def test_partial_dependence_follows_the_probabilities(four):
    X, y = four
    model = network().fit(X, y)
    pixel = int(X.std(axis=0).argmax())
    result = partial_dependence(model, X, [pixel], grid_resolution=3)
    by_hand = []
    for value in result["grid_values"][0]:
        changed = X.copy()
        changed[:, pixel] = value
        by_hand.append(model.predict_proba(changed).mean(axis=0))
    np.testing.assert_allclose(result["average"], np.transpose(by_hand), rtol=1e-4)


def test_permutation_importance_finds_the_pixel_that_decides(digits):
    X, _ = digits
    pixel = int(X.std(axis=0).argmax())
    y = (X[:, pixel] > np.median(X[:, pixel])).astype(int)
    model = network(epochs=40).fit(X, y)
    result = permutation_importance(model, X, y, n_repeats=2, random_state=0)
    assert result.importances_mean.argmax() == pixel
