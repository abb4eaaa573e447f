"""Comparisons and searches keep finished fits, and resume after a kill.

``SKMNIST_KILLS=20`` in the environment kills at that many random moments, not at 3.
"""

import json
import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.datasets import load_digits
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, RandomForestClassifier
from sklearn.exceptions import FitFailedWarning
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import make_pipeline
from sklearn.tree import DecisionTreeClassifier
from test_cli_process import posix, start

from skmnist import KerasMLPClassifier
from skmnist.cli._commands import skmnist
from skmnist.evaluation import _scores, compare

ARGUMENTS = [
    *("search", "mlp_512", "--n-iter", "3", "--epochs", "2", "--json"),
    *("--runs", "fits"),
    *("--report", "page.html", "--force"),
]
N_KILLS = int(os.environ.get("SKMNIST_KILLS", "3"))
TIMES = {"fit_time", "predict_time_us"}


class Counted(ClassifierMixin, BaseEstimator):
    """Naive Bayes that counts its fits."""

    n_fits = 0

    def __init__(self, var_smoothing=1e-9):
        self.var_smoothing = var_smoothing

    def fit(self, X, y):
        Counted.n_fits += 1
        self.model_ = GaussianNB(var_smoothing=self.var_smoothing).fit(X, y)
        self.classes_ = self.model_.classes_
        return self

    def predict(self, X):
        return self.model_.predict(X)

    def predict_proba(self, X):
        return self.model_.predict_proba(X)


@pytest.fixture
def fits(monkeypatch):
    """The number of fits since the last call."""
    monkeypatch.setattr(Counted, "n_fits", 0)

    def count():
        n, Counted.n_fits = Counted.n_fits, 0
        return n

    return count


X, Y = load_digits(return_X_y=True)


def test_a_comparison_fits_nothing_twice(fits, tmp_path):
    settings = {"cv": 3, "random_state": 0, "memory": tmp_path}
    one = compare({"a": Counted()}, X, Y, **settings)
    assert fits() == 3
    # By any name, and beside others.
    both = compare({"b": Counted(), "c": Counted(1e-3)}, X, Y, **settings)
    assert fits() == 3
    for column in "accuracy", "log_loss", "fit_time", "predict_time_us":
        assert both.loc["b", column] == one.loc["a", column]


@pytest.mark.parametrize(
    "change",
    [
        {"X": np.where(np.arange(64) == 20, X + 1, X)},
        {"y": np.where(np.arange(len(Y)) == 5, 3, Y)},
        {"random_state": 1},
        {"cv": 4},
        {"models": {"a": Counted(1e-8)}},
    ],
    ids=["data", "labels", "seed", "folds", "parameter"],
)
def test_what_has_changed_is_fitted_again(change, fits, tmp_path):
    settings = {"models": {"a": Counted()}, "X": X, "y": Y, "cv": 3, "random_state": 0}
    compare(**settings, memory=str(tmp_path))
    assert fits() == 3
    compare(**{**settings, **change}, memory=str(tmp_path))
    assert fits() == change.get("cv", 3)


def test_other_versions_are_fitted_again(fits, tmp_path, monkeypatch):
    settings = {"cv": 3, "random_state": 0, "memory": tmp_path}
    compare({"a": Counted()}, X, Y, **settings)
    monkeypatch.setattr("skmnist._provenance._version", lambda package: "99")
    compare({"a": Counted()}, X, Y, **settings)
    assert fits() == 6


def test_models_without_a_seed_are_fitted_again(tmp_path):
    """Also if the seed is missing in a part of the model only."""
    models = {
        "a": RandomForestClassifier(2),
        "b": make_pipeline(PCA(2, svd_solver="randomized"), GaussianNB()),
        "c": BaggingClassifier(DecisionTreeClassifier(), 2, random_state=0),
        "d": make_pipeline(PCA(2, random_state=0), GaussianNB()),
    }
    compare(models, X, Y, cv=2, random_state=0, memory=tmp_path)
    assert len([*tmp_path.iterdir()]) == 2 * 2


def test_data_are_hashed_once(tmp_path, monkeypatch):
    hashed = []
    monkeypatch.setattr(_scores, "fingerprint", lambda v: hashed.append(v) or "data")
    models = {name: Counted() for name in "abc"}
    compare(models, X, Y, cv=2, random_state=0, memory=tmp_path)
    assert len(hashed) == 1


@pytest.mark.parametrize("kind", ["folder", "callbacks", "callbacks in a pipeline"])
def test_what_a_memory_cannot_do_is_refused_at_once(kind, fits, tmp_path):
    models, memory = {"a": Counted()}, tmp_path
    if kind == "folder":
        memory = tmp_path / "file"
        memory.touch()
    else:
        models["net"] = KerasMLPClassifier(callbacks=[print])
        if "pipeline" in kind:
            models["net"] = make_pipeline(models["net"])
    message = "net: memory does not go with callbacks"
    if kind == "folder":
        message = "Fits cannot be kept in the folder .*: it is a file"
    with pytest.raises(ValueError, match=message):
        compare(models, X, Y, cv=2, memory=memory)
    assert fits() == 0


def kept_networks(models, tmp_path):
    """Compare networks, and return how many of their scores are kept."""
    compare(models, X[:200] / 16, Y[:200], cv=2, random_state=0, memory=tmp_path)
    return len([*tmp_path.iterdir()])


def test_functions_and_watched_networks_are_found_again(tmp_path):
    import keras

    network = KerasMLPClassifier(units=2, epochs=1, random_state=0)
    models = {
        "function": clone(network).set_params(
            optimizer=lambda rate=0.1: keras.optimizers.SGD(rate)
        ),
        "optimizer": clone(network).set_params(optimizer=keras.optimizers.SGD(0.1)),
    }
    sklearn_callback = pytest.importorskip("sklearn.callback")
    monitor = sklearn_callback.ScoringMonitor(scoring="accuracy")
    models["watched"] = network.set_callbacks(monitor)
    for _ in range(2):
        assert kept_networks(models, tmp_path) == 3 * 2


def test_trainings_that_a_callback_ends_are_not_kept(tmp_path):
    pytest.importorskip("sklearn.callback")

    class Stop:
        setup = teardown = on_fit_task_begin = lambda *_, **__: None

        def on_fit_task_end(self, estimator, context):
            return context.task_name == "epoch"

    network = KerasMLPClassifier(units=2, epochs=2, random_state=0)
    assert kept_networks({"a": network.set_callbacks(Stop())}, tmp_path) == 0


def test_failures_are_not_kept(fits, tmp_path):
    models = {"a": Counted(), "broken": Counted("no number")}
    for _ in range(2):
        with pytest.warns(FitFailedWarning, match="1 of 2 models failed"):
            compare(models, X, Y, cv=2, random_state=0, memory=tmp_path)
    assert fits() == 2 + 1 + 1


def kept():
    """Return the kept fits, and when each was written."""
    paths = Path("fits").rglob("*.fit")
    return {path: path.stat().st_mtime_ns for path in paths}


def results(output):
    """Return a search's document without its times."""
    document = json.loads(output)
    for row in document["candidates"]:
        for name in TIMES & row.keys():
            del row[name]
    for name in "made", "command", "n_jobs":
        document.pop(name, None)
    return document


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("undisturbed"))
        result = CliRunner().invoke(skmnist, ARGUMENTS)
        assert result.exit_code == 0, result.output
        assert len(kept()) == 3 * 3 + 1  # the best one on all training images, too
        return results(result.stdout)


# The command line, with as many processes as it is told.
EAGER = """
import sys
from skmnist.cli import _comparison, main
_comparison._WORTHWHILE_WORK = 0
sys.argv = ["skmnist", *{}]
main()
"""


@posix
@pytest.mark.parametrize("number", range(N_KILLS))
def test_a_killed_search_resumes(number, undisturbed, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    n_jobs = 1 + number % 2
    # Two processes, although that is not worth while.
    monkeypatch.setattr("skmnist.cli._comparison._WORTHWHILE_WORK", 0)
    arguments = [*ARGUMENTS, "--jobs", str(n_jobs)]
    n_kept = random.Random(number).randrange(10)
    with start(code=EAGER.format(arguments), cwd=tmp_path) as process:
        while process.poll() is None and len(kept()) < n_kept:
            time.sleep(0.01)
        time.sleep(0.3 * random.Random(number).random())
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=60)
    time.sleep(0.5)  # until its processes have noticed
    before = kept()
    result = CliRunner().invoke(skmnist, arguments)
    assert result.exit_code == 0, result.output
    after = kept()
    assert before.items() <= after.items()  # nothing was written again
    assert len(after) == 10
    assert results(result.stdout) == undisturbed


@posix
def test_two_searches_in_one_folder_share_the_fits(undisturbed, tmp_path):
    searches = [start(*ARGUMENTS[:-3], cwd=tmp_path) for _ in range(2)]
    outputs = [search.communicate(timeout=120)[0] for search in searches]
    assert [search.returncode for search in searches] == [0, 0]
    one, other = (json.loads(output)["candidates"] for output in outputs)
    assert one == other  # with the times of the fit that was made
    assert results(outputs[0]) == undisturbed
    assert len([*(tmp_path / "fits").iterdir()]) == 10
