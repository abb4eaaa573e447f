"""The runs of a plan, one after another, each kept as soon as it is finished."""

import math
import os
import time
from collections import deque
from dataclasses import dataclass, field
from datetime import UTC, datetime

from sklearn.base import clone

from skmnist._configuration import report_epochs
from skmnist._estimators import members
from skmnist._provenance import plain_history
from skmnist.evaluation import evaluate
from skmnist.evaluation._scores import count_parameters
from skmnist.reproduction._plan import Plan

__all__ = ["Reproduction", "run_plan"]

_PATIENCE = 1.0  # seconds between two looks at runs that another process makes


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


def run_plan(plan, image_set, folder, make_progress):
    """Train what is not finished yet; Ctrl-C ends it with what is.

    Runs that another process is making in the same folder come last, and are waited
    for.

    Parameters
    ----------
    plan : Plan
        The runs.
    image_set : ImageSet
        With training and test part.
    folder : RunFolder
        Where finished runs are found and kept.
    make_progress : callable
        Takes the work of each training to be made, in any one unit, and returns a
        context manager with the methods ``started(title)``, then ``epoch(n_done,
        n_epochs, logs)``, and one of ``finished(result)``, ``failed(message)`` and, for
        what another process has made, ``found(result)``, or is making,
        ``postponed()``, which puts it after the others.

    Returns
    -------
    Reproduction
        The results of all runs that are finished.

    Raises
    ------
    ValueError
        If the images cannot be used.
    OSError
        If a result cannot be written.
    KeyboardInterrupt
        After Ctrl-C, if no run is finished.
    """
    paths = {run: folder.path(run) for run in plan.runs}
    firsts = {path: run for run, path in reversed(paths.items())}
    runs = [run for run, path in paths.items() if firsts[path] is run]
    finished = {paths[run]: folder.find(run) for run in runs}
    finished = {path: result for path, result in finished.items() if result is not None}
    n_earlier = len(finished)
    waiting = deque(run for run in runs if paths[run] not in finished)
    n_trained = n_refused = 0
    failures = {}
    interrupted = False
    try:
        if waiting:
            works = [run.work(image_set) for run in waiting]
            with make_progress(works) as progress:
                while waiting:
                    run = waiting.popleft()
                    progress.started(run.title)
                    try:
                        result, is_new = _make(run, image_set, folder, progress.epoch)
                    except FloatingPointError as error:
                        failures[run.title] = str(error)
                        progress.failed(failures[run.title])
                        continue
                    if result is None:
                        waiting.append(run)
                        progress.postponed()
                        n_refused += 1
                        if n_refused >= len(waiting):
                            time.sleep(_PATIENCE)
                        continue
                    # Told when it counts: Ctrl-C may come with what is told.
                    n_refused = 0
                    n_trained += is_new
                    n_earlier += not is_new
                    finished[paths[run]] = result
                    (progress.finished if is_new else progress.found)(result)
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


def _make(run, image_set, folder, on_epoch):
    """Train a run, unless another process has made it since, or is about to.

    Returns its result, None if another process is making it, and whether it is new.
    """
    with folder.claim(run) as is_ours:
        result = folder.find(run)
        if result is not None:
            return result, False
        if not is_ours:
            return None, False
        result = _train(run, image_set, on_epoch)
        folder.keep(run, result)
    return result, True


def _train(run, image_set, on_epoch):
    """Train and test a network; return the result as plain data."""
    model = clone(run.estimator)
    report_epochs(model, on_epoch)
    transformers, network = model[:-1], model[-1]
    start = time.perf_counter()
    validation = {}
    X = transformers.fit_transform(image_set.X, image_set.y)
    if run.validation == "test":
        # Only evaluated: nothing stops or chooses by it.
        validation = {
            "X_val": transformers.transform(image_set.X_test),
            "y_val": image_set.y_test,
        }
    network.fit(X, image_set.y, **validation)
    fit_time = time.perf_counter() - start
    evaluation = evaluate(model, image_set.X_test, image_set.y_test)
    start = time.perf_counter()
    model.predict(image_set.X_test)
    predict_time = time.perf_counter() - start
    n_set_aside = 0
    if isinstance(run.validation, float):
        n_set_aside = math.ceil(run.validation * len(image_set.y))
    return {
        "accuracy": evaluation.accuracy,
        "n_right": evaluation.n_right,
        "loss": evaluation.log_loss,
        "n_test": evaluation.n,
        "n_train": len(image_set.y) - n_set_aside,
        "n_parameters": count_parameters(network),
        "n_epochs": members(model)[0].n_iter_,
        "fit_time": fit_time,
        "predict_time": predict_time,
        "history": plain_history(model),
        "n_cpus": os.cpu_count(),
        "finished": datetime.now(UTC).isoformat(timespec="seconds"),
    }
