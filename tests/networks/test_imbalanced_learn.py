"""Network classifiers in pipelines of imbalanced-learn."""

import numpy as np
import pytest
from builders import small_mlp
from sklearn.model_selection import GridSearchCV, cross_val_score

from skmnist import ImageScaler

imblearn = pytest.importorskip("imblearn")

from imblearn.ensemble import BalancedBaggingClassifier, EasyEnsembleClassifier  # noqa: E402
from imblearn.over_sampling import SMOTE, RandomOverSampler  # noqa: E402
from imblearn.pipeline import make_pipeline  # noqa: E402
from imblearn.under_sampling import RandomUnderSampler  # noqa: E402


@pytest.fixture(scope="module")
def imbalanced(digits):
    """Zeros, and a few ones."""
    X, y = digits
    kept = np.concatenate([np.flatnonzero(y == 0), np.flatnonzero(y == 1)[:8]])
    return X[kept], y[kept]


def network(**params):
    return small_mlp(**{"epochs": 10, "learning_rate": 0.02, **params})


@pytest.mark.parametrize(
    "sampler",
    [
        RandomOverSampler(random_state=0),
        RandomUnderSampler(random_state=0),
        SMOTE(random_state=0, k_neighbors=3),
    ],
    ids=lambda sampler: type(sampler).__name__,
)
def test_a_network_is_trained_on_what_a_sampler_leaves(sampler, imbalanced, trainings):
    X, y = imbalanced
    model = make_pipeline(ImageScaler(), sampler, network()).fit(X, y)
    labels = trainings[0][0].labels
    assert np.bincount(labels).tolist() == [len(labels) // 2] * 2
    # Sampling is for training: every image is classified.
    assert len(model.predict(X)) == len(X)
    assert model.score(X, y) > 0.9


def test_samplers_and_networks_are_searched_together(imbalanced):
    X, y = imbalanced
    model = make_pipeline(SMOTE(random_state=0), network(epochs=2))
    grid = {"smote__k_neighbors": [1, 2], "kerasmlpclassifier__dropout": [0.0, 0.3]}
    search = GridSearchCV(model, grid, cv=2).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "ensemble", [BalancedBaggingClassifier, EasyEnsembleClassifier]
)
def test_networks_are_the_members_of_balanced_ensembles(ensemble, imbalanced):
    X, y = imbalanced
    model = ensemble(estimator=network(), n_estimators=2, random_state=0)
    scores = cross_val_score(model, X, y, cv=2, scoring="balanced_accuracy")
    assert scores.min() > 0.8
