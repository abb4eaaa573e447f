"""Callbacks of scikit-learn see the epochs of a fit."""

import pickle
import warnings

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skmnist import (
    Augmentation,
    DigitNormalizer,
    ImageScaler,
    KerasCNNClassifier,
    KerasMLPClassifier,
)
from skmnist.datasets import load_digits
from skmnist.persistence import load_model, save_model

sklearn_callback = pytest.importorskip("sklearn.callback")


class Recorder:
    """Records the tasks, and asks training to stop after some epochs."""

    max_propagation_depth = None

    def __init__(self, stop_after=None):
        self.ended = []
        self.calls = []
        self.stop_after = stop_after

    def setup(self, estimator, context):
        self.calls.append("setup")

    def teardown(self, estimator, context):
        self.calls.append("teardown")

    def on_fit_task_begin(self, estimator, context):
        self.calls.append(f"begin {context.task_name}")

    def on_fit_task_end(self, estimator, context, *, X, y, metadata, fitted_estimator):
        self.calls.append(f"end {context.task_name}")
        self.ended.append((context.task_name, X, y, metadata, fitted_estimator))
        n_epochs = sum(name == "epoch" for name, *_ in self.ended)
        return context.task_name == "epoch" and n_epochs == self.stop_after

    def models(self, name="epoch"):
        return [model for task, *_, model in self.ended if task == name]


@pytest.fixture(scope="module")
def data():
    X, y = load_digits(return_X_y=True)
    return X[:300] / 255, y[:300]


def small_mlp(**params):
    return KerasMLPClassifier(units=8, random_state=0, **{"epochs": 3, **params})


def test_epochs_are_tasks_of_the_fit(data):
    recorder = Recorder()
    small_mlp(epochs=2).set_callbacks(recorder).fit(*data)
    epoch = ["begin epoch", "end epoch"]
    assert recorder.calls == [
        "setup",
        "begin fit",
        *epoch,
        *epoch,
        "end fit",
        "teardown",
    ]


def test_models_of_epochs_are_those_of_shorter_fits(data):
    """Later epochs must not change them, and a shorter fit has the same weights."""
    X, y = data
    recorder = Recorder()
    final = small_mlp().set_callbacks(recorder).fit(X, y)
    for n_epochs, model in enumerate(recorder.models(), start=1):
        expected = small_mlp(epochs=n_epochs).fit(X, y).predict_proba(X)
        np.testing.assert_array_equal(model.predict_proba(X), expected)
    (last,) = recorder.models("fit")
    np.testing.assert_array_equal(last.predict_proba(X), final.predict_proba(X))


@pytest.mark.parametrize("own", [True, False])
def test_validation_is_a_task_after_each_epoch(data, own):
    X, y = data
    monitor = sklearn_callback.ScoringMonitor(scoring=["accuracy", "neg_log_loss"])
    model = small_mlp(validation_fraction=None if own else 0.2).set_callbacks(monitor)
    model.fit(X, y, **({"X_val": X[:70], "y_val": y[:70]} if own else {}))
    rows = monitor.get_logs().data
    found = [row for row in rows if row["task_name"] == "validation"]
    assert [row["accuracy"] for row in found] == model.history_["val_accuracy"]
    np.testing.assert_allclose(
        [-row["neg_log_loss"] for row in found], model.history_["val_loss"], rtol=1e-5
    )
    assert sum(row["task_name"] == "epoch" for row in rows) == 3


def test_epochs_are_scored_on_what_they_were_trained_on(data):
    X, y = data
    recorder = Recorder()
    weights = np.arange(len(X)) % 3  # a third of them is left out
    small_mlp(epochs=1).set_callbacks(recorder).fit(X, y, sample_weight=weights)
    (_, X_seen, y_seen, metadata, _), (_, *whole, whole_metadata, _) = recorder.ended
    np.testing.assert_array_equal(X_seen, X[weights > 0].astype(np.float32))
    np.testing.assert_array_equal(y_seen, y[weights > 0])
    ratio = metadata["sample_weight"] / weights[weights > 0]
    np.testing.assert_allclose(ratio, ratio[0])
    assert whole[0] is X
    assert whole[1] is y
    assert whole_metadata["sample_weight"] is weights


def test_a_callback_can_stop_training(data):
    model = small_mlp(epochs=5).set_callbacks(Recorder(stop_after=2)).fit(*data)
    assert model.n_iter_ == 2
    expected = small_mlp(epochs=2).fit(*data).predict_proba(data[0])
    np.testing.assert_array_equal(model.predict_proba(data[0]), expected)


@pytest.mark.parametrize(("fraction", "expected"), [(None, [1, 2]), (0.2, [2, 4])])
def test_epochs_of_continued_fits_have_their_numbers(
    fraction, expected, data, tmp_path
):
    numbers = []

    class Numbers(Recorder):
        def on_fit_task_begin(self, estimator, context):
            if context.task_name == "epoch":
                numbers.append(context.task_id)

    params = {"memory": str(tmp_path), "validation_fraction": fraction}
    small_mlp(epochs=1, **params).fit(*data)
    small_mlp(epochs=3, **params).set_callbacks(Numbers()).fit(*data)
    assert numbers == expected


def test_models_of_epochs_can_be_saved(data, tmp_path):
    recorder = Recorder()
    small_mlp().set_callbacks(recorder).fit(*data)
    first = recorder.models()[0]
    assert first.n_iter_ == len(first.history_["loss"]) == 1
    for name in "first.joblib", "first.safetensors":
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # that something is not kept
            save_model(first, tmp_path / name)
        loaded = load_model(tmp_path / name)
        expected = first.predict_proba(data[0])
        np.testing.assert_array_equal(loaded.predict_proba(data[0]), expected)


def test_failed_fits_tear_callbacks_down(data):
    recorder = Recorder()
    model = small_mlp(optimizer="sgd", learning_rate=1e38).set_callbacks(recorder)
    with pytest.raises(FloatingPointError):
        model.fit(*data)
    assert recorder.calls[-1] == "teardown"
    model.set_params(learning_rate=0.01).fit(*data)
    assert recorder.calls.count("setup") == recorder.calls.count("teardown") == 2


def test_callbacks_do_not_change_the_network(data):
    X, y = data
    X = X.reshape(-1, 8, 8)
    params = {
        "augmentation": Augmentation(rotation=9),
        "epochs": 2,
        "filters": (2, 3),
        "padding": "same",
        "random_state": 0,
        "units": 4,
    }
    plain = KerasCNNClassifier(**params).fit(X, y)
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    watched = KerasCNNClassifier(**params).set_callbacks(monitor).fit(X, y)
    np.testing.assert_array_equal(watched.predict_proba(X), plain.predict_proba(X))
    assert vars(watched).keys() - vars(plain).keys() == {"_skl_callbacks"}
    assert pickle.loads(pickle.dumps(watched)).score(X, y) == plain.score(X, y)
    assert vars(clone(watched))["_skl_callbacks"] == [monitor]


def test_the_loop_of_keras_reports_epochs(data, monkeypatch):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", "1")
    recorder = Recorder(stop_after=2)
    model = small_mlp().set_callbacks(recorder).fit(*data)
    assert model.n_iter_ == 2
    last = recorder.models()[-1].predict_proba(data[0])
    np.testing.assert_array_equal(last, model.predict_proba(data[0]))


def test_cross_validation_reports_the_epochs_of_each_fold(data):
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    model = small_mlp(epochs=3).set_callbacks(monitor)
    found = cross_validate(model, *data, cv=2, return_train_score=True)
    folds = monitor.get_logs(select="all")
    for log, score in zip(folds, found["train_score"], strict=True):
        rows = log.data
        assert [row["task_name"] for row in rows].count("epoch") == 3
        (whole,) = (row for row in rows if row["task_name"] == "fit")
        assert whole["accuracy"] == pytest.approx(score)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_searches_propagate_callbacks(data, n_jobs, capsys):
    X, y = data
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    network = small_mlp(epochs=2).set_callbacks(monitor)
    model = make_pipeline(DigitNormalizer(output_shape=(8, 8)), ImageScaler(), network)
    search = GridSearchCV(
        model, {"kerasmlpclassifier__units": [4, 8]}, cv=2, n_jobs=n_jobs
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # a step that does not know callbacks
        search.set_callbacks(sklearn_callback.ProgressBar(max_propagation_depth=None))
        search.fit(X, y)
    names = [row["task_name"] for row in monitor.get_logs().data]
    # Of each of 4 fits and the final one, its epochs and the network itself.
    assert names.count("epoch") == 10
    assert len(names) == 15
    shown = capsys.readouterr().out
    assert "ImageScaler - fit" in shown
    assert "KerasMLPClassifier - fit" in shown
