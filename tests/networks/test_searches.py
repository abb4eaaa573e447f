"""Searches for parameters: one after the other, and in parallel."""

import inspect
import os
import signal
import threading
import time

import joblib
import numpy as np
import pytest
from builders import dense, small_mlp
from scipy.stats import loguniform, randint, uniform
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RandomizedSearchCV,
)
from sklearn.pipeline import Pipeline

from skmnist import (
    ImageScaler,
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)


def pipeline(**params):
    return Pipeline([("scale", ImageScaler()), ("clf", small_mlp(**params))])


@pytest.mark.parametrize(
    "classifier",
    [
        KerasMLPClassifier,
        KerasDNNClassifier,
        KerasCNNClassifier,
        KerasImageClassifier,
    ],
)
def test_every_documented_parameter_can_be_searched(classifier):
    documented = inspect.getdoc(classifier).split("Attributes\n")[0]
    names = [
        name.strip()
        for line in documented.splitlines()
        if " : " in line and not line.startswith(" ")
        for name in line.split(" : ")[0].split(",")
    ]
    assert len(names) >= 15
    given = {"builder": dense} if "builder" in names else {}
    model = Pipeline([("clf", classifier(**given))])
    assert {f"clf__{name}" for name in names} == {
        key
        for key in model.get_params()
        if key.startswith("clf__") and "builder_params__" not in key
    }
    model.set_params(**{f"clf__{name}": "anything" for name in names})


def test_a_misspelt_parameter_stops_a_search(digits):
    search = GridSearchCV(pipeline(), {"clf__drop_out": [0.1]}, cv=2)
    with pytest.raises(ValueError, match=r"(?s)parameter 'drop_out'.*'dropout'"):
        search.fit(*digits)


def test_dropout_makes_a_difference_in_a_grid(digits):
    X, y = digits
    grid = {"clf__dropout": [0.0, 0.9]}
    search = GridSearchCV(pipeline(epochs=15, learning_rate=0.01), grid, cv=2)
    search.fit(X, y)
    none, most = search.cv_results_["mean_test_score"]
    assert none > most + 0.1
    assert search.best_params_ == {"clf__dropout": 0.0}
    assert search.predict(X).shape == y.shape


def test_parameters_may_be_drawn_at_random(digits):
    X, y = digits
    space = {
        "clf__units": randint(8, 12),
        "clf__dropout": uniform(0, 0.5),
        "clf__learning_rate": loguniform(1e-3, 1e-1),
        "clf__batch_size": np.array([32, 64]),
        "clf__l2": [np.float64(0.0), np.float64(0.01)],
    }
    search = RandomizedSearchCV(
        pipeline(epochs=1), space, n_iter=2, cv=2, random_state=0
    )
    scores = search.fit(X, y).cv_results_["mean_test_score"]
    assert np.isfinite(scores).all()


def test_halving_spends_epochs(digits):
    X, y = digits
    search = HalvingGridSearchCV(
        pipeline(),
        {"clf__dropout": [0.0, 0.2, 0.5, 0.9]},
        resource="clf__epochs",
        min_resources=2,
        max_resources=8,
        factor=2,
        cv=2,
        random_state=0,
    )
    search.fit(X, y)
    assert search.n_resources_ == [2, 4, 8]
    assert search.n_candidates_ == [4, 2, 1]
    assert search.best_estimator_[-1].n_iter_ == 8
    assert len(search.best_estimator_[-1].history_["loss"]) == 8


GRID = {"clf__units": [8, 16], "clf__dropout": [0.0, 0.3]}


@pytest.fixture(scope="module")
def serial_scores(digits):
    search = GridSearchCV(pipeline(), GRID, cv=2, refit=False).fit(*digits)
    return search.cv_results_["split0_test_score"], search.cv_results_[
        "mean_test_score"
    ]


def test_the_same_search_gives_the_same_scores(digits, serial_scores):
    search = GridSearchCV(pipeline(), GRID, cv=2, refit=False).fit(*digits)
    assert np.array_equal(search.cv_results_["split0_test_score"], serial_scores[0])


def test_threads_give_the_same_scores(digits, serial_scores):
    search = GridSearchCV(pipeline(), GRID, cv=2, refit=False, n_jobs=2)
    with joblib.parallel_config("threading"):
        search.fit(*digits)
    assert np.array_equal(search.cv_results_["split0_test_score"], serial_scores[0])
    assert np.array_equal(search.cv_results_["mean_test_score"], serial_scores[1])


def test_a_cluster_gives_the_same_scores(digits, serial_scores):
    distributed = pytest.importorskip("distributed")
    search = GridSearchCV(pipeline(), GRID, cv=2, refit=False)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster),
        joblib.parallel_config(backend="dask"),
    ):
        search.fit(*digits)
    assert np.array_equal(search.cv_results_["split0_test_score"], serial_scores[0])
    assert np.array_equal(search.cv_results_["mean_test_score"], serial_scores[1])


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_search_survives_a_worker_that_is_killed(digits, tmp_path):
    distributed = pytest.importorskip("distributed")
    grid = {"clf__units": [8, 9, 16, 17], "clf__epochs": [2, 4]}
    # All workers have these images. joblib sends arrays of indices above 1,000 bytes to
    # one worker as well, which may be the one that is killed.
    images = digits[0][:200], digits[1][:200]
    expected = GridSearchCV(pipeline(), grid, cv=2, refit=False).fit(*images)
    model = pipeline(memory=str(tmp_path))
    search = GridSearchCV(model, grid, cv=2, refit=False)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        first, *_ = client.run(os.getpid).values()

        def kill_half_way():
            while len([*tmp_path.glob("*.fit")]) < 4:
                time.sleep(0.01)
            os.kill(first, signal.SIGKILL)

        killing = threading.Thread(target=kill_half_way)
        killing.start()
        with joblib.parallel_config(backend="dask", scatter=images):
            search.fit(*images)
        killing.join()
        assert first not in client.run(os.getpid).values()  # another has its place
    for name in "split0_test_score", "split1_test_score":
        np.testing.assert_array_equal(
            search.cv_results_[name], expected.cv_results_[name]
        )
    assert len([*tmp_path.glob("*.fit")]) == 16
