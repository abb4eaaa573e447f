"""Training of one model, with its test and its file; Ctrl-C keeps finished epochs."""

import contextlib
import threading
import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from skmnist._configuration import configure, end_reports, has_epochs, report_epochs
from skmnist._estimators import members, network_of
from skmnist._provenance import used_versions
from skmnist.cli._errors import BadInput, Failure, bad_input, describe
from skmnist.cli._interrupts import deferred_interrupt
from skmnist.cli._messages import note
from skmnist.cli._models import check_fit
from skmnist.cli._result_files import check_output

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from skmnist.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class Training:
    """A fitted model, its evaluation on the test part, and metadata for its file."""

    model: "Pipeline"
    evaluation: "Evaluation"
    fit_time: float  # seconds
    interrupted: bool  # whether Ctrl-C cut the number of epochs
    metadata: dict


def named_model(name):
    """Make the model of a name."""
    from skmnist.pipelines import make_model

    with bad_input():
        return make_model(name)


def model_path(model, path, *, force):
    """Return the path of a file for a model, which is refused if it cannot hold it."""
    from skmnist.persistence._model_files import check_suits

    path = check_output(path, force=force)
    with bad_input():
        check_suits(model, path)
    return path


def prepare_training(name, model, image_set, *, params, epochs, seed):
    """Set up the model of a name, and check what can be checked before it is fitted."""
    with bad_input():
        configure(name, model, image_set, seed=seed, epochs=epochs, params=params)
    if epochs is not None:
        check_epochs(name, model)
        if {"epochs", "clf__epochs"} & params.keys():
            raise BadInput("--epochs and --param epochs say the same; give one.")
    check_fit(name, model, image_set)
    with bad_input():  # before training is announced, and data are scaled for it
        network_of(model)._validate_params()


def check_epochs(name, model):
    """Refuse --epochs for a model that has none."""
    if not has_epochs(model):
        raise BadInput(f"--epochs: {name} is not trained in epochs.")


def train(name, model, image_set, *, seed, progress):
    """Fit a prepared model on the training part and test it on the test part.

    A first Ctrl-C ends the training of a network after the current epoch; for other
    models, and ensembles, it raises KeyboardInterrupt. Raises Failure if training
    diverges.
    """
    from skmnist.evaluation import evaluate
    from skmnist.evaluation._scores import load_libraries

    interrupted = False
    if has_epochs(model):
        interrupts = deferred_interrupt(_acknowledge)
        if network_of(model) is not model[-1]:
            interrupts = contextlib.nullcontext(threading.Event())
        with progress, interrupts as requested:

            def on_epoch(n_done, n_epochs, logs):
                nonlocal interrupted
                progress.epoch(n_done, n_epochs, logs)
                interrupted = requested.is_set() and n_done < n_epochs
                return interrupted

            report_epochs(model, on_epoch)
            load_libraries(model)
            fit_time = _fit(model, image_set)
        # Not part of the model, and not to be saved with it.
        end_reports(model)
    else:
        with progress:
            fit_time = _fit(model, image_set)
    with bad_input():
        evaluation = evaluate(model, image_set.X_test, image_set.y_test)
    metadata = _metadata(name, model, image_set, seed, evaluation)
    return Training(model, evaluation, fit_time, interrupted, metadata)


def _fit(model, image_set):
    """Fit a model; return the seconds that it took."""
    start = time.perf_counter()
    try:
        with bad_input():
            model.fit(image_set.X, image_set.y)
    except FloatingPointError as error:
        raise Failure(describe(error)) from error
    return time.perf_counter() - start


def _acknowledge():
    note(
        "Stopping after this epoch, to save what it has learned. Press Ctrl-C again to "
        "quit without saving."
    )


def _metadata(name, model, image_set, seed, evaluation):
    return {
        "model": name,
        "dataset": image_set.address,
        "source": image_set.source,
        "image_shape": list(image_set.image_shape),
        "seed": seed,
        "n_train": len(image_set.y),
        "n_test": len(image_set.y_test),
        "test_accuracy": evaluation.accuracy,
        "n_epochs": members(model)[0].n_iter_ if has_epochs(model) else None,
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": used_versions(has_epochs(model)),
    }


def save(training, path):
    """Save a trained model with its metadata."""
    from skmnist.persistence import save_model

    try:
        save_model(training.model, path, metadata=training.metadata)
    except (OSError, TypeError, ValueError) as error:
        raise Failure(f"Cannot write {path}: {describe(error)}") from error
