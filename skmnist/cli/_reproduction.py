"""Published results trained anew, one run after another, with what is done kept."""

import math
import os
import time
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sklearn.base import clone

from skmnist.cli._errors import bad_input, describe
from skmnist.cli._models import plain_history, report_epochs
from skmnist.cli._runs import Plan


@dataclass(frozen=True, eq=False)
class Reproduction:
    """What came out of a reproduction.

    Parameters
    ----------
    plan : Plan
        What was to be trained.
    results : dict of Run to dict
        Of the runs of the plan that are finished.
    n_earlier, n_trained : int
        Number of trainings that were found finished, at the start or when their turn
        came, and that were made now. Runs of the plan that are the same count once.
    failures : dict of str to str
        Error messages of runs whose training diverged, by their titles.
    interrupted : bool
        Whether Ctrl-C ended it.
    """

    plan: Plan
    results: dict
    n_earlier: int
    n_trained: int
    failures: dict = field(default_factory=dict)
    interrupted: bool = False


def reproduce(plan, image_set, folder, make_progress):
    """Train what is not finished yet; Ctrl-C ends it with what is.

    Parameters
    ----------
    plan : Plan
        The runs.
    image_set : ImageSet
        With training and test part.
    folder : RunFolder
        Where finished runs are found and kept.
    make_progress : callable
        Takes the work of each training to be made and returns a context manager, as
        :func:`skmnist.cli._run_progress.run_progress` does.

    Returns
    -------
    Reproduction
        The results of all runs that are finished.

    Raises
    ------
    BadInput
        If the images cannot be used.
    KeyboardInterrupt
        After Ctrl-C, if no run is finished.
    """
    paths = {run: folder.path(run) for run in plan.runs}
    firsts = {path: run for run, path in reversed(paths.items())}
    runs = [run for run, path in paths.items() if firsts[path] is run]
    finished = {paths[run]: folder.find(run) for run in runs}
    finished = {path: result for path, result in finished.items() if result is not None}
    n_earlier = len(finished)
    waiting = [run for run in runs if paths[run] not in finished]
    n_trained = 0
    failures = {}
    interrupted = False
    try:
        if waiting:
            works = [run.work(image_set) for run in waiting]
            with make_progress(works) as progress:
                for run in waiting:
                    progress.started(run.title)
                    # Another command may have made it in the meantime.
                    result = folder.find(run)
                    if result is not None:
                        n_earlier += 1
                        finished[paths[run]] = result
                        progress.found(result)
                        continue
                    try:
                        result = _train(run, image_set, progress.epoch)
                    except FloatingPointError as error:
                        failures[run.title] = describe(error)
                        progress.failed(failures[run.title])
                        continue
                    folder.keep(run, result)
                    n_trained += 1
                    finished[paths[run]] = result
                    progress.finished(result)
    except KeyboardInterrupt:
        if not finished:
            raise
        interrupted = True
    return Reproduction(
        plan,
        {run: finished[path] for run, path in paths.items() if path in finished},
        n_earlier,
        n_trained,
        failures,
        interrupted,
    )


def _train(run, image_set, on_epoch):
    """Train and test a network; return the result as plain data."""
    from skmnist.evaluation import evaluate

    model = clone(run.estimator)
    report_epochs(model, on_epoch)
    scaler, network = model.named_steps["scale"], model.named_steps["clf"]
    start = time.perf_counter()
    with bad_input():
        validation = {}
        X = scaler.fit_transform(image_set.X, image_set.y)
        if run.validation == "test":
            # Only looked at: nothing stops or chooses by it.
            validation = {
                "X_val": scaler.transform(image_set.X_test),
                "y_val": image_set.y_test,
            }
        network.fit(X, image_set.y, **validation)
        fit_time = time.perf_counter() - start
        evaluation = evaluate(model, image_set.X_test, image_set.y_test)
    n_set_aside = 0
    if isinstance(run.validation, float):
        n_set_aside = math.ceil(run.validation * len(image_set.y))
    return {
        "accuracy": evaluation.accuracy,
        "n_right": evaluation.n_right,
        "loss": evaluation.log_loss,
        "n_test": evaluation.n,
        "n_train": len(image_set.y) - n_set_aside,
        "n_parameters": network.n_parameters_,
        "n_epochs": network.n_iter_,
        "fit_time": fit_time,
        "history": plain_history(model),
        "n_cpus": os.cpu_count(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
