"""What a fitted network of this package does without TensorFlow and Keras."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

DATA = Path(__file__).parent.parent / "data"
NOT_LOADED = {"tensorflow", "keras", "scikeras", "jax", "torch"}

PREDICTING = """
import numpy as np
from skmnist.datasets import load_digits
from skmnist.evaluation import evaluate
from skmnist.persistence import load_model, save_model

X, y = load_digits(return_X_y=True)
X, y = X[:50], y[:50]
model = load_model(argument)
assert model.predict(X).shape == (50,)
for method in (model.predict_proba, model.predict_log_proba, model.decision_function):
    assert method(X).shape == (50, 10)
    assert method(X[:1]).shape == (1, 10)
assert 0 <= model.score(X, y) <= 1
network = model[-1]
assert len(network.classes_) == 10
assert len(network.history_["loss"]) == network.n_iter_ == 3
assert network.n_parameters_ > 0
assert network.get_params()
assert repr(network)
evaluate(model, X, y)
"""
DRAWING = """
import matplotlib
matplotlib.use("agg")
from sklearn.metrics import ConfusionMatrixDisplay
from skmnist.datasets import load_digits
from skmnist.persistence import load_model
from skmnist.plotting import (
    OcclusionSaliencyDisplay, RecognitionDisplay, TrainingHistoryDisplay
)

X, y = load_digits(return_X_y=True)
model = load_model(argument)
TrainingHistoryDisplay.from_estimator(model)
ConfusionMatrixDisplay.from_estimator(model, X[:50], y[:50])
RecognitionDisplay.from_estimator(model, X[:10], y[:10])
OcclusionSaliencyDisplay.from_estimator(model, X[:1])
"""
COMMANDS = """
import sys
import tempfile
from PIL import Image
from skmnist.cli import main

with tempfile.TemporaryDirectory() as folder:
    picture, photo = folder + "/picture.png", folder + "/photo.jpg"
    Image.new("L", (8, 8)).save(picture)
    sheet = Image.new("L", (90, 60), 220)
    sheet.paste(30, (40, 15, 46, 45))
    sheet.save(photo)
    for arguments in (
        ["predict", argument, picture],
        ["predict", argument, photo],
        ["evaluate", argument],
        ["demo", argument, "--out", folder + "/page.html"],
    ):
        sys.argv[1:] = arguments
        try:
            main()
        except SystemExit as end:
            assert not end.code
"""
LOADED = """
import json, sys
loaded = sorted({name.partition(".")[0] for name in sys.modules})
print("\\n" + json.dumps(loaded))
"""


def loaded_by(script, argument):
    """Return which packages are loaded after a script, which is given an argument."""
    run = subprocess.run(
        [sys.executable, "-c", f"argument = {str(argument)!r}\n{script}{LOADED}"],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return set(json.loads(run.stdout.splitlines()[-1]))


@pytest.mark.parametrize("name", ["mlp_1", "mlp_2", "cnn_2"])
def test_a_loaded_network_predicts_without_tensorflow(name):
    loaded = loaded_by(PREDICTING, DATA / f"{name}.joblib")
    assert "onnxruntime" in loaded
    assert not loaded & (NOT_LOADED | {"matplotlib"})


def test_commands_use_a_network_without_tensorflow():
    loaded = loaded_by(COMMANDS, DATA / "cnn_2.joblib")
    assert "onnxruntime" in loaded
    assert not loaded & (NOT_LOADED | {"matplotlib", "jinja2"})


def test_displays_of_predictions_need_no_live_model():
    pytest.importorskip("matplotlib")
    assert not loaded_by(DRAWING, DATA / "mlp_2.joblib") & NOT_LOADED


NOTEBOOK = """
from skmnist.persistence import load_model

model = load_model(argument)
for part in (model, model[-1]):
    assert "KerasMLPClassifier" in part._repr_html_()
assert "model_" in dir(model[-1])
"""


def test_a_notebook_shows_a_model_without_building_it():
    assert not loaded_by(NOTEBOOK, DATA / "mlp_2.joblib") & NOT_LOADED
