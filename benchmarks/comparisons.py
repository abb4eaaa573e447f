"""Comparisons: who takes part, what is measured, and the rounds in which they run."""

import importlib.util
import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field, replace

from skmnist._training.processor import bfloat16_is_quick, has_avx2, uses_onednn

__all__ = [
    "ACCURACY",
    "STARTED",
    "Comparison",
    "Contestant",
    "Measure",
    "run_in_new_process",
    "run_rounds",
    "with_onednn",
]

_TIMEOUT = 3600  # seconds, for one run
STARTED = "BENCHMARKS_STARTED"  # when the process was started, in seconds


@dataclass(frozen=True)
class Measure:
    """A number that a run returns, less of which is better unless it has no ratio.

    Parameters
    ----------
    name : str
        Its key in the result of a run.
    label : str
        What it is, for the head of a column.
    unit : str
        Its unit; "share" is written in per cent.
    has_ratio : bool, default=True
        Whether the peers' are compared with ours.
    """

    name: str
    label: str
    unit: str
    has_ratio: bool = True


ACCURACY = Measure("accuracy", "accuracy", "share", has_ratio=False)


@dataclass(frozen=True)
class Contestant:
    """One who takes part.

    Parameters
    ----------
    name : str
        As it is shown.
    settings : dict
        Given to the function that measures.
    requires : tuple of str
        Packages that it needs, by the names under which they are imported.
    environment : dict of str to str
        Environment variables of its process.
    needs_bfloat16 : bool, default=False
        Whether it is run only where bfloat16 is not emulated, which takes very long.
    """

    name: str
    settings: dict = field(default_factory=dict)
    requires: tuple = ()
    environment: dict = field(default_factory=dict)
    needs_bfloat16: bool = False

    def missing(self):
        """Return what it lacks here, as "torch not installed", or an empty text."""
        packages = [p for p in self.requires if not importlib.util.find_spec(p)]
        if packages:
            return f"{' and '.join(packages)} not installed"
        if self.needs_bfloat16 and not bfloat16_is_quick():
            return "bfloat16 would be emulated here"
        return ""


def with_onednn(*contestants):
    """Return twins with oneDNN, where TensorFlow leaves it off and it can be had.

    Parameters
    ----------
    *contestants : Contestant
        Those that compute with TensorFlow.

    Returns
    -------
    tuple of Contestant
        Empty where all have oneDNN as they are, or the CPU is not made for it.
    """
    if uses_onednn() or not has_avx2():
        return ()
    return tuple(
        replace(
            each,
            name=f"{each.name}, oneDNN on",
            environment={**each.environment, "TF_ENABLE_ONEDNN_OPTS": "1"},
        )
        for each in contestants
    )


@dataclass(frozen=True)
class Comparison:
    """What is run with what.

    Parameters
    ----------
    suite : str
        Module of this package whose function ``measure`` does a run.
    title : str
        What is compared.
    note : str
        What the figures mean, in a sentence or two.
    settings : dict
        Given to the function for each contestant.
    contestants : tuple of Contestant
        The first is the one with which the others are compared.
    measures : tuple of Measure
        What is shown of the results.
    n_runs : int, default=5
        Number of rounds, if no other is asked for.
    """

    suite: str
    title: str
    note: str
    settings: dict
    contestants: tuple
    measures: tuple
    n_runs: int = 5


def run_rounds(comparison, n_runs, run, on_result=lambda *_: None):
    """Run all contestants in turn, round after round.

    Each round starts with another one, as the machine may not be the same after one
    run as after another.

    Parameters
    ----------
    comparison : Comparison
        What to run.
    n_runs : int
        Number of rounds. The seed of a round is its number.
    run : callable
        ``run(suite, settings, environment)`` returns a dict of numbers, or raises
        RuntimeError.
    on_result : callable
        ``on_result(number, contestant, result)`` is called after each run.

    Returns
    -------
    list of dict
        For each round the results by name of the contestant, in the order of the
        comparison; in place of numbers there may be ``{"missing": reason}`` or
        ``{"error": message}``.
    """
    contestants = comparison.contestants
    missing = {contestant.name: contestant.missing() for contestant in contestants}
    rounds = []
    for number in range(n_runs):
        results = {contestant.name: None for contestant in contestants}
        first = number % len(contestants)
        for contestant in (*contestants[first:], *contestants[:first]):
            if missing[contestant.name]:
                result = {"missing": missing[contestant.name]}
            else:
                settings = {
                    **comparison.settings,
                    **contestant.settings,
                    "seed": number,
                }
                try:
                    result = run(comparison.suite, settings, contestant.environment)
                except RuntimeError as error:
                    result = {"error": str(error)}
            results[contestant.name] = result
            on_result(number, contestant, result)
        rounds.append(results)
    return rounds


def run_in_new_process(suite, settings, environment):
    """Do one run in a process of its own; see :func:`run_rounds`."""
    arguments = ["-m", "benchmarks.worker", suite, json.dumps(settings)]
    variables = {
        **os.environ,
        "TF_CPP_MIN_LOG_LEVEL": "3",
        **environment,
        STARTED: repr(time.time()),
    }
    try:
        process = subprocess.run(
            [sys.executable, *arguments],
            env=variables,
            capture_output=True,
            text=True,
            timeout=_TIMEOUT,
        )
    except subprocess.TimeoutExpired:
        raise RuntimeError(f"no result within {_TIMEOUT} s") from None
    if process.returncode < 0:  # such as SIGKILL, where memory ran out
        name = signal.Signals(-process.returncode).name
        raise RuntimeError(f"ended by signal {name}")
    if process.returncode:
        lines = process.stderr.strip().splitlines()
        last = lines[-1] if lines else ""
        raise RuntimeError(last or f"ended with code {process.returncode}")
    return json.loads(process.stdout.splitlines()[-1])
