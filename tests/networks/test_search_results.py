"""What searches do with the fits and scores of networks."""

import pickle
import warnings

import numpy as np
import pytest
from builders import small_mlp
from sklearn.exceptions import FitFailedWarning
from sklearn.model_selection import GridSearchCV, RandomizedSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler

GRID = {"dropout": [0.0, 0.9]}


def network():
    return small_mlp(epochs=8, learning_rate=0.02)


def test_a_search_may_score_by_several_metrics(digits):
    X, y = digits
    metrics = ["accuracy", "neg_log_loss", "roc_auc_ovr", "balanced_accuracy"]
    search = GridSearchCV(network(), GRID, cv=2, scoring=metrics, refit="neg_log_loss")
    search.fit(X, y)
    for metric in metrics:
        scores = search.cv_results_[f"mean_test_{metric}"]
        assert np.isfinite(scores).all()
        assert scores[0] > scores[1]
    assert search.best_params_ == {"dropout": 0.0}


def test_a_function_may_choose_what_is_fitted_again(digits):
    X, y = digits
    search = GridSearchCV(
        network(),
        GRID,
        cv=2,
        refit=lambda results: int(np.argmin(results["mean_test_score"])),
    )
    assert search.fit(X, y).best_estimator_.dropout == 0.9
    assert search.best_params_ == {"dropout": 0.9}


def test_a_candidate_that_is_not_allowed_fails_alone(digits):
    X, y = digits
    search = GridSearchCV(network(), {"dropout": [0.1, 1.5]}, cv=2, error_score=-1.0)
    with pytest.warns(FitFailedWarning, match="'dropout' parameter"):
        search.fit(X, y)
    good, bad = search.cv_results_["mean_test_score"]
    assert good > 0.5
    assert bad == -1
    strict = GridSearchCV(network(), {"dropout": [0.1, 1.5]}, cv=2, error_score="raise")
    with pytest.raises(ValueError, match="'dropout' parameter"):
        strict.fit(X, y)


def test_training_that_diverges_fails_its_candidate_alone(digits):
    X, y = digits
    model = small_mlp(optimizer="sgd", epochs=2)
    search = GridSearchCV(model, {"learning_rate": [0.05, 1e30]}, cv=2)
    with pytest.warns(FitFailedWarning, match="diverged"):
        search.fit(X, y)
    scores = search.cv_results_["mean_test_score"]
    assert np.isfinite(scores[0])
    assert np.isnan(scores[1])


@pytest.mark.parametrize("in_pipeline", [False, True])
def test_a_pickled_search_predicts_the_same(in_pipeline, digits):
    X, y = digits
    model, grid = network(), GRID
    if in_pipeline:
        model = make_pipeline(ImageScaler(), model)
        grid = {"kerasmlpclassifier__dropout": [0.0, 0.9]}
    search = RandomizedSearchCV(model, grid, n_iter=2, cv=2, random_state=0).fit(X, y)
    twin = pickle.loads(pickle.dumps(search))
    assert np.array_equal(twin.predict_proba(X), search.predict_proba(X))
    assert twin.best_params_ == search.best_params_
    assert np.array_equal(
        twin.cv_results_["mean_test_score"], search.cv_results_["mean_test_score"]
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        twin.fit(X, y)
    assert np.array_equal(twin.predict_proba(X), search.predict_proba(X))


def test_cross_validation_gives_back_its_networks_and_training_scores(digits):
    X, y = digits
    results = cross_validate(
        network(),
        X,
        y,
        cv=2,
        return_estimator=True,
        return_train_score=True,
        return_indices=True,
    )
    for fold, model in enumerate(results["estimator"]):
        test = results["indices"]["test"][fold]
        train = results["indices"]["train"][fold]
        assert model.score(X[test], y[test]) == results["test_score"][fold]
        assert model.score(X[train], y[train]) == results["train_score"][fold]
