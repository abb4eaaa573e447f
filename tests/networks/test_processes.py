"""What only a process of its own can show: workers, threads, memory, forks."""

import contextlib
import json
import multiprocessing
import os
import pickle
import signal
import subprocess
import sys
import time
from pathlib import Path

import joblib
import numpy as np
import parallel_script
import psutil
import pytest
from builders import BACKEND, dense
from sklearn.model_selection import GridSearchCV, cross_val_score

from skmnist import KerasImageClassifier, KerasMLPClassifier

HERE = Path(__file__).parent


def run_script(name, *arguments, **environment):
    """Run a script of this folder; return what it printed last."""
    script = subprocess.Popen(
        [sys.executable, str(HERE / name), *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)} | environment,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        printed, _ = script.communicate(timeout=600)  # a second search could hang
    except BaseException:
        # Its workers too: they would hold its output open.
        whole = psutil.Process(script.pid)
        for process in (*whole.children(recursive=True), whole):
            process.kill()
        raise
    assert script.returncode == 0
    return json.loads(printed.splitlines()[-1])


@pytest.fixture(scope="module")
def parallel(tmp_path_factory):
    folder = tmp_path_factory.mktemp("checkpoints")
    return {"folder": folder} | run_script("parallel_script.py", folder)


def test_builders_of_a_script_are_searched_by_two_processes(parallel):
    assert len(parallel["own"]) == 2
    assert np.isfinite(parallel["own"]).all()
    assert parallel["parameters"] in (65 * 8 + 9 * 10, 65 * 16 + 17 * 10)


def test_a_second_search_by_two_processes_gives_the_scores_of_one(parallel):
    X, y = parallel_script.data()
    model = KerasMLPClassifier(**parallel_script.PARAMS)
    serial = GridSearchCV(model, parallel_script.GRID, cv=2, refit=False).fit(X, y)
    for split in ("split0", "split1"):
        expected = serial.cv_results_[f"{split}_test_score"]
        assert parallel[split] == expected.tolist()
    assert len(set(parallel["split0"])) > 1


@pytest.mark.skipif(BACKEND != "tensorflow", reason="counts threads of TensorFlow")
def test_workers_share_the_cores(parallel):
    share = max(1, joblib.cpu_count() // 2)
    assert parallel["threads"] == [[share, share, share]] * 2


def test_parallel_fits_keep_their_checkpoints_apart(parallel):
    found = parallel["checkpoints"]
    assert len(found) == 2
    assert all(found.values())
    assert {path.name for path in parallel["folder"].iterdir()} == set(found)


@pytest.fixture(scope="module")
def many_fits():
    return run_script("many_fits_script.py")


def test_memory_does_not_grow_with_the_number_of_fits(many_fits):
    # Keras alone leaves 4 MB and more behind for each. 0.5 would be what TensorFlow
    # does not free by itself of functions that were predicted with.
    assert many_fits["megabytes a fit"] < 0.3


def test_many_fits_leave_the_users_keras_as_it_was(many_fits):
    assert many_fits["settings are kept"]
    assert many_fits["model of the user"] == [2, 1]
    names = ["dense_1", "adam", "seed_generator", "functional_1"]
    assert many_fits["next names"] == names


def test_the_users_dtype_policy_does_not_reach_the_networks(many_fits):
    assert many_fits["types of weights"] == ["float32"]


posix = pytest.mark.skipif(os.name != "posix", reason="needs signals and forks")


@contextlib.contextmanager
def orphans(way, number, folder):
    """Start a script and end it by a signal; give the processes that it had at work."""
    script = subprocess.Popen(
        [sys.executable, str(HERE / "orphans_script.py"), way, str(folder)],
        env=os.environ | {"PYTHONPATH": os.pathsep.join([str(HERE), *sys.path])},
    )
    whole = []
    try:
        n_expected = 2 if "work" in way or way == "training" else 1
        while len(names := list(folder.iterdir())) < n_expected:
            assert script.poll() is None
            time.sleep(0.1)
        whole = psutil.Process(script.pid).children(recursive=True)
        at_work = [psutil.Process(int(path.name)) for path in names]
        script.send_signal(number)
        script.wait(timeout=20)
        yield at_work
    finally:
        script.kill()
        script.wait()
        for process in whole:
            with contextlib.suppress(psutil.NoSuchProcess):
                process.kill()


@posix
@pytest.mark.parametrize(
    ("way", "number"),
    [
        ("training", signal.SIGTERM),
        ("training", signal.SIGKILL),
        ("other work", signal.SIGKILL),
    ],
)
def test_workers_end_within_five_seconds_of_their_parent(tmp_path, way, number):
    with orphans(way, number, tmp_path) as workers:
        _, alive = psutil.wait_procs(workers, timeout=5)
        assert not alive


@posix
@pytest.mark.parametrize("way", ["spawned", "daemon", "command", "daemon of a worker"])
def test_processes_that_may_outlive_their_parents_do(tmp_path, way):
    with orphans(way, signal.SIGKILL, tmp_path) as processes:
        gone, _ = psutil.wait_procs(processes, timeout=2.5)
        assert not gone


def in_fork(work):
    """Return what a forked child makes of some work: an outcome, or its error."""
    receiver, sender = multiprocessing.Pipe(duplex=False)
    child = os.fork()
    if child == 0:
        try:
            outcome = work()
        except BaseException as error:
            outcome = error
        sender.send_bytes(pickle.dumps(outcome))
        os._exit(0)
    answer = receiver.recv_bytes() if receiver.poll(60) else None
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    assert answer is not None, "the child hangs"
    return pickle.loads(answer)


@pytest.fixture(scope="module")
def fitted():
    X, y = parallel_script.data()
    return KerasMLPClassifier(**parallel_script.PARAMS).fit(X, y)


forks = pytest.mark.skipif(
    os.name != "posix" or BACKEND == "torch", reason="PyTorch may survive a fork"
)


@forks
@pytest.mark.parametrize(
    "use",
    [
        lambda model, X, y: model.fit(X, y),
        lambda model, X, y: KerasMLPClassifier(units=4).fit(X, y),
        lambda model, X, y: model.partial_fit(X, y),
        lambda model, X, y: model.model_,
    ],
    ids=[
        "fit",
        "fit another",
        "partial_fit",
        "model_",
    ],
)
def test_a_child_that_a_fork_left_without_threads_says_so(fitted, use):
    X, y = parallel_script.data()
    error = in_fork(lambda: use(fitted, X, y))
    assert isinstance(error, RuntimeError)
    assert '"spawn"' in str(error)
    assert '"loky"' in str(error)


@forks
@pytest.mark.parametrize(
    "model",
    [
        KerasImageClassifier(builder=dense, epochs=1),
        KerasMLPClassifier(units=4, epochs=1, precision="float64"),
    ],
    ids=["user-defined", "float64"],
)
def test_what_keras_predicts_is_refused_in_such_a_child(model):
    X, y = parallel_script.data()
    model.fit(X, y).predict(X)
    for use in (model.predict, pickle.loads(pickle.dumps(model)).predict_proba):
        assert isinstance(in_fork(lambda use=use: use(X)), RuntimeError)


@forks
@pytest.mark.parametrize("is_used", [False, True])
def test_networks_of_this_package_predict_the_same_in_a_forked_child(is_used, fitted):
    X, y = parallel_script.data()
    fitted = pickle.loads(pickle.dumps(fitted))
    expected = pickle.loads(pickle.dumps(fitted)).predict_proba(X)  # starts threads
    if is_used:
        fitted.predict(X)

    def use():
        return fitted.predict_proba(X), fitted.predict_proba(X[:1]), fitted.score(X, y)

    for _ in range(3):
        given, first, score = in_fork(use)
        assert np.array_equal(given, expected)
        assert np.array_equal(first, expected[:1])
        assert score == fitted.score(X, y)


@forks
@pytest.mark.filterwarnings("ignore:.*fork:DeprecationWarning")
def test_forked_workers_of_joblib_say_so(fitted):
    X, y = parallel_script.data()
    model = KerasMLPClassifier(**parallel_script.PARAMS)
    with (
        joblib.parallel_config("multiprocessing", n_jobs=2),
        pytest.raises(RuntimeError, match="forked"),
    ):
        cross_val_score(model, X, y, cv=2, error_score="raise")


@forks
def test_what_needs_no_threads_works_in_a_forked_child(fitted):
    def use():
        return fitted.n_parameters_, fitted.get_params(), pickle.dumps(fitted)

    n_parameters, params, _ = in_fork(use)
    assert (n_parameters, params) == (fitted.n_parameters_, fitted.get_params())


@forks
def test_a_fork_before_anything_is_computed_may_train():
    seen = run_script("fork_script.py")
    assert seen["child"] == seen["parent"]
    assert "was running when this process was forked" in seen["later child"]
