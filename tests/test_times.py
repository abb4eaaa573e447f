"""What the times of fits measure."""

import subprocess
import sys

import pytest

# The clock ends the process when it is first read: well if Keras is loaded by then.
SCRIPT = """
import sys, time
from types import SimpleNamespace
from skmnist.cli import main
from skmnist.cli import _training
from skmnist.evaluation import _scores, compare
from skmnist.pipelines import make_model
from skmnist.reproduction import _run, reproduce
from sklearn.datasets import load_digits
from sklearn.model_selection import GridSearchCV

def clock():
    raise SystemExit(0 if "skmnist._training.keras" in sys.modules else 42)

_training.time = _run.time = SimpleNamespace(perf_counter=clock)
_scores.perf_counter = clock
"""
WAYS = {
    "compare": "compare(['mlp_512'], *load_digits(return_X_y=True), cv=2)",
    "compare searches": (
        "search = GridSearchCV(make_model('mlp_512'), {'clf__epochs': [1]})\n"
        "compare([search], *load_digits(return_X_y=True), cv=2)"
    ),
    "train": "sys.argv[1:] = ['train', 'mlp_512', '--out', 'digits.joblib']; main()",
    "reproduce": (
        "from skmnist.datasets import write_idx\n"
        "import numpy as np\n"
        "X, y = np.arange(20 * 36).reshape(20, 6, 6) % 256, np.arange(20) % 2\n"
        "for part in ('train', 't10k'):\n"
        "    write_idx(f'{part}-images-idx3-ubyte', X.astype(np.uint8))\n"
        "    write_idx(f'{part}-labels-idx1-ubyte', y.astype(np.uint8))\n"
        "reproduce('mlp_784', dataset='.', runs='runs', quick=True)"
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_no_time_of_a_fit_has_the_start_of_tensorflow(way, tmp_path):
    code = SCRIPT + WAYS[way]
    ended = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=False)
    assert ended.returncode == 0
