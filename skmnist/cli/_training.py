"""Training of one model, with its test and its file; Ctrl-C keeps finished epochs."""

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from skmnist._configuration import configured_model, has_epochs, report_epochs
from skmnist._provenance import used_versions
from skmnist.cli._errors import BadInput, Failure, bad_input, describe
from skmnist.cli._interrupts import deferred_interrupt
from skmnist.cli._messages import note
from skmnist.cli._models import check_fit

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

    from skmnist.evaluation import Evaluation


@dataclass(frozen=True, eq=False)
class Training:
    """What came out of training a model.

    Parameters
    ----------
    model : Pipeline
        The fitted model.
    evaluation : Evaluation
        What it reaches on the test part.
    fit_time : float
        Seconds that fitting took.
    interrupted : bool
        Whether Ctrl-C cut the number of epochs.
    metadata : dict
        Words for the model's file.
    """

    model: "Pipeline"
    evaluation: "Evaluation"
    fit_time: float
    interrupted: bool
    metadata: dict


def check_name(name):
    """Refuse a name that no model has."""
    from skmnist.pipelines import make_model

    with bad_input():
        make_model(name)


def check_model_file(name, path):
    """Refuse a file that cannot hold a model, before anything is computed for it.

    Parameters
    ----------
    name : str
        Name of the model.
    path : pathlib.Path
        The file to be.

    Raises
    ------
    BadInput
        If the model cannot be written to a file with such an ending.
    """
    from skmnist.persistence._model_files import check_suits
    from skmnist.pipelines import make_model

    with bad_input():
        check_suits(make_model(name), path)


def prepare_training(name, image_set, *, params, epochs, seed):
    """Make a model, and check what can be checked before it is fitted.

    Parameters
    ----------
    name : str
        Name of the model.
    image_set : ImageSet
        What it will be trained on.
    params : dict
        Parameters by name.
    epochs : int or None
        Passes over the data, for a network.
    seed : int
        Random state.

    Returns
    -------
    Pipeline
        Not fitted.

    Raises
    ------
    BadInput
        If there is no such model or parameter, or it cannot take these images.
    """
    with bad_input():
        model = configured_model(
            name, image_set, seed=seed, epochs=epochs, params=params
        )
    if epochs is not None:
        if not has_epochs(model.get_params()):
            raise BadInput(f"--epochs: {name} is not trained in epochs.")
        if {"epochs", "clf__epochs"} & params.keys():
            raise BadInput("--epochs and --param epochs say the same; give one.")
    check_fit(name, model, image_set)
    with bad_input():  # before training is announced, and data are scaled for it
        model[-1]._validate_params()
    return model


def train(name, model, image_set, *, seed, progress):
    """Fit a model on the training part and test it on the test part.

    A first Ctrl-C ends the training of a network with the epoch that is under way.

    Parameters
    ----------
    name : str
        Name of the model.
    model : Pipeline
        From :func:`prepare_training`; fitted in place.
    image_set : ImageSet
        With a test part.
    seed : int
        For the metadata.
    progress : context manager
        As :func:`skmnist.cli._progress.epoch_progress` makes it.

    Returns
    -------
    Training
        The fitted model and its test.

    Raises
    ------
    BadInput
        If a parameter is not allowed.
    Failure
        If training diverges.
    KeyboardInterrupt
        After Ctrl-C, if the model has no epochs.
    """
    from skmnist.evaluation import evaluate

    interrupted = False
    start = time.perf_counter()
    if has_epochs(model.get_params()):
        with progress, deferred_interrupt(_acknowledge) as requested:

            def on_epoch(n_done, n_epochs, logs):
                nonlocal interrupted
                progress.epoch(n_done, n_epochs, logs)
                interrupted = requested.is_set() and n_done < n_epochs
                return interrupted

            report_epochs(model, on_epoch)
            _fit(model, image_set)
        # Not part of the model, and not to be saved with it.
        model.set_params(clf__callbacks=None)
    else:
        with progress:
            _fit(model, image_set)
    fit_time = time.perf_counter() - start
    with bad_input():
        evaluation = evaluate(model, image_set.X_test, image_set.y_test)
    metadata = _metadata(name, model, image_set, seed, evaluation)
    return Training(model, evaluation, fit_time, interrupted, metadata)


def _fit(model, image_set):
    try:
        with bad_input():
            model.fit(image_set.X, image_set.y)
    except FloatingPointError as error:
        raise Failure(describe(error)) from error


def _acknowledge():
    note(
        "Stopping after this epoch, to save what is learned. Ctrl-C once more quits at "
        "once and saves nothing."
    )


def _metadata(name, model, image_set, seed, evaluation):
    n_iter = getattr(model[-1], "n_iter_", None)
    return {
        "model": name,
        "dataset": image_set.address,
        "source": image_set.source,
        "image_shape": list(image_set.image_shape),
        "seed": seed,
        "n_train": len(image_set.y),
        "n_test": len(image_set.y_test),
        "test_accuracy": evaluation.accuracy,
        "n_epochs": n_iter if has_epochs(model.get_params()) else None,
        "trained": datetime.now(UTC).isoformat(timespec="seconds"),
        "versions": used_versions(has_epochs(model.get_params())),
    }


def save(training, path):
    """Save a trained model with its metadata."""
    from skmnist.persistence import save_model

    try:
        save_model(training.model, path, metadata=training.metadata)
    except (OSError, TypeError, ValueError) as error:
        raise Failure(f"Cannot write {path}: {describe(error)}") from error
