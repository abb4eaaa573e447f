"""What the library logs, and that it shows nothing unasked."""

import logging
import re
import subprocess
import sys

import pytest

from skmnist import KerasMLPClassifier
from skmnist.datasets import load_digits
from skmnist.export import to_onnx
from skmnist.persistence import ModelFileError, load_model, save_model


@pytest.fixture(scope="module")
def images():
    X, y = load_digits(return_X_y=True)
    return X[:40] / 16, y[:40]


@pytest.fixture
def logged(caplog):
    """Give a function that returns what was logged since it was called last."""
    caplog.set_level(logging.INFO, "skmnist")

    def messages():
        found = [
            (record.name, record.levelname, record.getMessage())
            for record in caplog.records
            if record.name.split(".")[0] == "skmnist"
        ]
        caplog.clear()
        return found

    return messages


def test_each_training_is_logged_once(images, logged):
    model = KerasMLPClassifier(units=2, epochs=3, warm_start=True)
    for train, n_epochs in (model.fit, 3), (model.fit, 3), (model.partial_fit, 1):
        train(*images)
        ((name, level, message),) = logged()
        assert (name, level) == ("skmnist.classifiers", "INFO")
        words = f"KerasMLPClassifier trained on 40 samples: {n_epochs} epochs in"
        assert re.fullmatch(rf"{words} \d+\.\d{{3}} s", message)


def test_a_fit_that_fails_is_not_logged(images, logged):
    X, y = images
    model = KerasMLPClassifier(
        units=8,
        epochs=3,
        batch_size=8,
        optimizer="sgd",
        learning_rate=1e30,
        random_state=0,
    )
    with pytest.raises(FloatingPointError):
        model.fit(X, y)
    with pytest.raises(ValueError, match="class"):
        model.fit(X, y * 0)
    assert logged() == []


@pytest.mark.parametrize("suffix", ["joblib", "safetensors"])
def test_model_files_are_logged(images, logged, tmp_path, suffix):
    model = KerasMLPClassifier(units=2, epochs=1).fit(*images)
    logged()
    path = save_model(model, tmp_path / f"model.{suffix}")
    load_model(path)
    assert logged() == [
        ("skmnist.persistence", "INFO", f"KerasMLPClassifier written to {path}"),
        ("skmnist.persistence", "INFO", f"KerasMLPClassifier read from {path}"),
    ]
    path.write_bytes(b"damaged")
    with pytest.raises(ModelFileError):
        load_model(path)
    assert logged() == []


def test_exported_files_are_logged(images, logged, tmp_path):
    model = KerasMLPClassifier(units=2, epochs=1).fit(*images)
    logged()
    to_onnx(model)
    assert logged() == []
    to_onnx(model, tmp_path / "model.onnx")
    words = f"KerasMLPClassifier written to {tmp_path / 'model.onnx'}"
    assert logged() == [("skmnist.export", "INFO", words)]


def test_the_package_leaves_handlers_and_levels_to_the_application():
    (handler,) = logging.getLogger("skmnist").handlers
    assert isinstance(handler, logging.NullHandler)
    for name in logging.root.manager.loggerDict:
        if name.startswith("skmnist."):
            logger = logging.getLogger(name)
            assert logger.handlers == []
            assert logger.level == logging.NOTSET
            assert logger.propagate


def test_warnings_are_not_shown_unasked():
    script = (
        "import logging, skmnist\n"
        "logging.getLogger('skmnist.datasets').warning('Download failed')\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout == done.stderr == ""
