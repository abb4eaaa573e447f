"""Published results reproduced, from names to one document."""

import contextlib
from collections.abc import Callable
from os import PathLike
from typing import Any

from skmnist._provenance import provenance
from skmnist.datasets._image_sets import load_image_set
from skmnist.reproduction._document import reproduction_document
from skmnist.reproduction._plan import (
    DEFAULT_SEEDS,
    make_plan,
    quick_subset,
    resolve_targets,
)
from skmnist.reproduction._run import run_plan
from skmnist.reproduction._store import RunFolder

__all__ = ["reproduce", "reproduce_targets"]


def reproduce(
    *names: str,
    dataset: str | PathLike = "mnist",
    seeds: int | tuple[int, ...] | None = None,
    quick: bool = False,
    runs: str | PathLike = "skmnist-runs",
    callback: Callable[[str, int, int], object] | None = None,
) -> dict[str, Any]:
    """Train named networks by their own recipes and compare with published results.

    Each finished run is saved to a file and not trained again, so the same call resumes
    an interrupted reproduction.

    Parameters
    ----------
    *names : str
        Names of networks (:data:`skmnist.networks.ARCHITECTURES`) and studies
        (:data:`skmnist.published.STUDIES`); ``"networks"`` means all networks with
        published results, ``"studies"`` all studies. Without names, these networks are
        trained.
    dataset : str or path-like, default="mnist"
        ``"mnist"``, ``"digits"``, or the path of a folder of IDX or CSV files. Only
        results on MNIST itself are compared with the published ones.
    seeds : int or tuple of int, default=None
        Number of seeds, counted up from the published one or else 0; or the seeds, each
        in [0, 2**32). None means 3 seeds, or 1 with `quick`.
    quick : bool, default=False
        Whether to train for 2 epochs on at most 5,000 images only, as a test.
    runs : path-like, default="skmnist-runs"
        Folder of finished runs. It is created if it does not exist.
    callback : callable, default=None
        Called as ``callback(title, n_done, n_total)`` after each run. Runs that were
        finished before do not count.

    Returns
    -------
    dict
        The output of ``skmnist reproduce --json``: ``networks`` and ``studies`` with
        the published results, ``runs``, ``failures``, ``versions`` and more. After
        Ctrl-C, ``interrupted`` is True and the dict contains the finished runs.
        :func:`skmnist.report.make_report` makes a page of it.

    Raises
    ------
    ValueError
        If a network, study or data set does not exist, a network cannot take images of
        this size, or the folder of runs is not writable.
    OSError
        If a finished run cannot be written.
    KeyboardInterrupt
        After Ctrl-C, if no run is finished.

    Examples
    --------
    >>> from skmnist.reproduction import reproduce
    >>> results = reproduce("mlp_512", quick=True)  # doctest: +SKIP
    >>> results["networks"][0]["accuracy"]  # doctest: +SKIP
    0.9
    """
    networks, studies = resolve_targets(names)
    image_set = load_image_set(dataset)
    return reproduce_targets(
        networks,
        studies,
        image_set,
        seeds=seeds,
        quick=quick,
        runs=runs,
        make_progress=lambda works: _Calls(callback, len(works)),
    )


def reproduce_targets(
    networks, studies, image_set, *, seeds, quick, runs, make_progress, command=None
):
    """Reproduce networks and studies by name; see `reproduce` and `run_plan`."""
    image_set.require("train")
    image_set = image_set.with_test(seed=0)
    if quick:
        image_set = quick_subset(image_set)
    if seeds is None:
        seeds = 1 if quick else DEFAULT_SEEDS
    plan = make_plan(networks, studies, image_set, seeds=seeds, quick=quick)
    # Only Keras, once loaded, tells for sure which backend it runs on.
    import skmnist._training.keras  # noqa: F401

    made_with = provenance(networks=True, command=command)
    folder = RunFolder(runs, image_set, made_with["versions"])
    folder.check()
    reproduction = run_plan(plan, image_set, folder, make_progress)
    return reproduction_document(reproduction, image_set, folder, made_with)


class _Calls(contextlib.nullcontext):
    """Calls back after each run."""

    def __init__(self, callback, n_total):
        super().__init__(self)
        self._callback = callback
        self._n_done = 0
        self._n_total = n_total
        self._title = ""

    def started(self, title):
        self._title = title

    def epoch(self, n_done, n_epochs, logs):
        pass

    def postponed(self):
        pass

    def finished(self, result):
        self._n_done += 1
        if self._callback is not None:
            self._callback(self._title, self._n_done, self._n_total)

    found = failed = finished
