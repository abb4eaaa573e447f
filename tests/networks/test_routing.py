"""Metadata routing of weights through every estimator that holds a network."""

import numpy as np
import pytest
import sklearn
from builders import small_mlp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import StackingClassifier, VotingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFE, RFECV, SequentialFeatureSelector
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import accuracy_score, make_scorer
from sklearn.model_selection import (
    FixedThresholdClassifier,
    GridSearchCV,
    HalvingGridSearchCV,
    HalvingRandomSearchCV,
    RandomizedSearchCV,
    TunedThresholdClassifierCV,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    permutation_test_score,
    validation_curve,
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

SCORER = make_scorer(accuracy_score)


@pytest.fixture(autouse=True)
def routing():
    with sklearn.config_context(enable_metadata_routing=True):
        yield


@pytest.fixture
def two(digits):
    """Zeros and ones, with a weight of its own for each."""
    X, y = digits
    X, y = X[y < 2], y[y < 2]
    return X, y, np.linspace(1, 2, len(X))


def network():
    model = small_mlp(epochs=1).set_fit_request(sample_weight=True)
    # learning_curve asks for it, though it calls fit alone unless told otherwise.
    model.set_partial_fit_request(sample_weight=True)
    # Searches that score by the network itself would weight the scores too.
    return model.set_score_request(sample_weight=False)


def scorer():
    return SCORER.set_score_request(sample_weight=False)


def first_layer(model):
    return np.abs(model.model_.get_weights()[0]).sum(axis=1)


MAKERS = {
    "pipeline": lambda: make_pipeline(ImageScaler(), network()),
    "voting": lambda: VotingClassifier([("a", network()), ("b", network())]),
    "stacking": lambda: StackingClassifier(
        [("a", network())],
        LogisticRegression().set_fit_request(sample_weight=False),
        cv=2,
    ),
    "calibration": lambda: CalibratedClassifierCV(network(), cv=2),
    "one vs rest": lambda: OneVsRestClassifier(network()),
    "one vs one": lambda: OneVsOneClassifier(network()),
    "output code": lambda: OutputCodeClassifier(network(), random_state=0),
    "multi output": lambda: MultiOutputClassifier(network()),
    "chain": lambda: ClassifierChain(network()),
    "fixed threshold": lambda: FixedThresholdClassifier(network()),
    "tuned threshold": lambda: TunedThresholdClassifierCV(
        network(), cv=2, scoring=scorer()
    ),
    "self training": lambda: SelfTrainingClassifier(network(), max_iter=1),
    "rfe": lambda: RFE(
        network(), n_features_to_select=32, step=32, importance_getter=first_layer
    ),
    "rfecv": lambda: RFECV(
        network(), step=32, cv=2, importance_getter=first_layer, scoring=scorer()
    ),
    "grid": lambda: GridSearchCV(network(), {"dropout": [0.1]}, cv=2, scoring=scorer()),
    "random search": lambda: RandomizedSearchCV(
        network(), {"dropout": [0.1, 0.2]}, n_iter=1, cv=2, scoring=scorer()
    ),
    "halving grid": lambda: HalvingGridSearchCV(
        network(), {"dropout": [0.1, 0.2]}, cv=2, factor=2, scoring=scorer()
    ),
    "halving random": lambda: HalvingRandomSearchCV(
        network(),
        {"dropout": [0.1, 0.2]},
        n_candidates=2,
        min_resources=20,
        cv=2,
        factor=2,
        scoring=scorer(),
    ),
}
TAKES_SEVERAL_TARGETS = ("multi output", "chain")


@pytest.mark.parametrize("name", MAKERS)
def test_weights_reach_each_fit_of_a_network(name, two, trainings):
    X, y, weights = two
    targets = np.column_stack([y, 1 - y]) if name in TAKES_SEVERAL_TARGETS else y
    MAKERS[name]().fit(X, targets, sample_weight=weights)
    assert trainings
    for training, _ in trainings:
        # The weights of all rows rise evenly; so do those of any part of them.
        assert training.weights is not None
        assert training.weights.max() > training.weights.min()


VALIDATIONS = {
    "cross_val_score": lambda X, y, params: cross_val_score(
        network(), X, y, cv=2, scoring=scorer(), params=params
    ),
    "cross_val_predict": lambda X, y, params: cross_val_predict(
        network(), X, y, cv=2, params=params
    ),
    "learning_curve": lambda X, y, params: learning_curve(
        network(),
        X,
        y,
        cv=2,
        train_sizes=[0.5],
        shuffle=True,
        scoring=scorer(),
        params=params,
    ),
    "validation_curve": lambda X, y, params: validation_curve(
        network(),
        X,
        y,
        param_name="dropout",
        param_range=[0.1],
        cv=2,
        scoring=scorer(),
        params=params,
    ),
    "permutation_test_score": lambda X, y, params: permutation_test_score(
        network(), X, y, cv=2, n_permutations=1, scoring=scorer(), params=params
    ),
}


@pytest.mark.parametrize("name", VALIDATIONS)
def test_weights_reach_each_fit_of_a_validation(name, two, trainings):
    X, y, weights = two
    VALIDATIONS[name](X, y, {"sample_weight": weights})
    assert trainings
    for training, _ in trainings:
        assert training.weights.max() > training.weights.min()


def test_a_selector_routes_weights_to_its_cross_validation(two, trainings):
    X, y, weights = two
    select = SequentialFeatureSelector(
        network(), n_features_to_select=1, cv=2, scoring=scorer()
    )
    select.fit(X[:, 20:22], y, sample_weight=weights)
    assert len(trainings) == 4
    assert all(training.weights is not None for training, _ in trainings)
