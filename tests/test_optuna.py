"""Searches with Optuna: trials are pruned, and a study resumes from its file."""

import os
import signal
import subprocess
import sys
import textwrap
import time

import numpy as np
import optuna
import pytest
from optuna_integration import KerasPruningCallback

from skmnist import Augmentation
from skmnist.datasets import load_digits
from skmnist.pipelines import make_model

optuna.logging.set_verbosity(optuna.logging.WARNING)

STUDY = textwrap.dedent(
    """
    import sys
    import optuna
    from optuna_integration import KerasPruningCallback
    from skmnist.datasets import load_digits
    from skmnist.pipelines import make_model

    X, y = load_digits(return_X_y=True)

    def objective(trial):
        model = make_model(
            "mlp_512",
            units=trial.suggest_int("units", 4, 64),
            learning_rate=trial.suggest_float("learning_rate", 1e-4, 0.1, log=True),
            epochs=3,
            validation_fraction=0.2,
            random_state=0,
            callbacks=KerasPruningCallback(trial, "val_accuracy"),
        )
        model.fit(X[:200], y[:200])
        return model[-1].history_["val_accuracy"][-1]

    study = optuna.create_study(
        storage="sqlite:///study.db",
        study_name="digits",
        direction="maximize",
        load_if_exists=True,
        pruner=optuna.pruners.NopPruner(),
    )
    done = [optuna.trial.TrialState.COMPLETE]
    n_left = int(sys.argv[1]) - len(study.get_trials(states=done))
    study.optimize(objective, n_trials=n_left)
    """
)


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300]


class PruneAfter(optuna.pruners.BasePruner):
    """Prunes the trials with odd numbers after some epochs."""

    def __init__(self, n_epochs):
        self.n_epochs = n_epochs

    def prune(self, study, trial):
        return trial.number % 2 == 1 and trial.last_step + 1 == self.n_epochs


def test_pruned_trials_end_early_and_the_others_are_as_usual(digits):
    def make(trial, **params):
        return make_model(
            "mlp_512",
            units=8,
            learning_rate=trial.suggest_float("learning_rate", 0.001, 0.1, log=True),
            augmentation=Augmentation(rotation=trial.suggest_float("rotation", 0, 9)),
            dropout=trial.suggest_float("dropout", 0, 0.5),
            epochs=5,
            validation_fraction=0.2,
            random_state=0,
            **params,
        )

    def objective(trial):
        model = make(trial, callbacks=KerasPruningCallback(trial, "val_accuracy"))
        return model.fit(*digits)[-1].history_["val_accuracy"][-1]

    sampler = optuna.samplers.TPESampler(seed=0)
    study = optuna.create_study(
        direction="maximize", sampler=sampler, pruner=PruneAfter(2)
    )
    study.optimize(objective, n_trials=6)
    for trial in study.trials:
        history = make(trial).fit(*digits)[-1].history_["val_accuracy"]
        reported = list(trial.intermediate_values.values())
        # Also of the trial after a pruned one, which uses its compiled network.
        np.testing.assert_array_equal(reported, history[: len(reported)])
        assert len(reported) == (2 if trial.number % 2 else 5)


@pytest.mark.skipif(os.name != "posix", reason="needs SIGKILL")
def test_a_killed_study_resumes(tmp_path):
    command = [sys.executable, "-c", STUDY, "6"]

    def finished():
        if not (tmp_path / "study.db").exists():
            return []
        storage = f"sqlite:///{tmp_path / 'study.db'}"
        try:
            study = optuna.load_study(storage=storage, study_name="digits")
        except (KeyError, optuna.exceptions.StorageInternalError):  # not yet made
            return []
        states = [optuna.trial.TrialState.COMPLETE]
        return [trial.number for trial in study.get_trials(states=states)]

    with subprocess.Popen(command, cwd=tmp_path) as process:
        while process.poll() is None and len(finished()) < 2:
            time.sleep(0.1)
        process.send_signal(signal.SIGKILL)
    before = finished()
    assert 2 <= len(before) < 6
    subprocess.run(command, cwd=tmp_path, check=True)
    after = finished()
    assert after[: len(before)] == before
    assert len(after) == 6
