"""What only a process of its own can show: workers, threads, memory."""

import json
import os
import subprocess
import sys
from pathlib import Path

import joblib
import numpy as np
import parallel_script
import psutil
import pytest
from builders import BACKEND
from sklearn.model_selection import GridSearchCV

from skmnist import KerasMLPClassifier

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
