"""Startup: what an import and the help of the command line cost."""

import subprocess
import sys
import time
from statistics import median

from benchmarks.comparisons import Comparison, Contestant, Measure

__all__ = ["NEEDS_MNIST", "comparisons", "measure"]

NEEDS_MNIST = False

_MEASURES = (Measure("process_s", "process", "s"),)


def comparisons(quick):
    """Return what is compared."""
    settings = {"n_starts": 1 if quick else 10}
    help_of_ours = ["-m", "skmnist", "--help"]
    note = (
        "From the start of Python to its end. A run is the median of "
        f"{settings['n_starts']} starts, after one that is not counted."
    )
    return [
        Comparison(
            "startup",
            "import skmnist, and what it stands on",
            note,
            settings,
            (
                _script("import skmnist"),
                _script("import sklearn.pipeline"),
                _script("from skmnist import KerasMLPClassifier"),
                _script("import tensorflow"),
            ),
            _MEASURES,
        ),
        Comparison(
            "startup",
            "skmnist --help, and what numpy takes",
            note,
            settings,
            (
                Contestant("skmnist --help", {"arguments": help_of_ours}),
                _script("import numpy"),
                _script("pass"),
            ),
            _MEASURES,
        ),
    ]


def _script(text):
    return Contestant(f'python -c "{text}"', {"arguments": ["-c", text]})


def measure(arguments, n_starts, seed):
    """Run Python with some arguments, again and again; return the usual time."""
    times = []
    for _ in range(1 + n_starts):
        start = time.perf_counter()
        subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
        times.append(time.perf_counter() - start)
    return {"process_s": median(times[1:])}
