import os
import tempfile

import pytest

if os.environ.get("KERAS_BACKEND") == "jax":
    # Many tests compile the same networks, in this process and in others.
    _compiled = tempfile.TemporaryDirectory(ignore_cleanup_errors=True)
    os.environ.setdefault("JAX_COMPILATION_CACHE_DIR", _compiled.name)
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS", "0")
    os.environ.setdefault("JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES", "-1")


@pytest.fixture(scope="session")
def keras():
    from skmnist._training.keras import keras

    return keras


@pytest.fixture(scope="session")
def digits():
    """300 real digits of 64 pixels in [0, 1], which nobody may write to."""
    from sklearn.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    X, y = (X[:300] / 16).astype("float32"), y[:300]
    X.setflags(write=False)
    y.setflags(write=False)
    return X, y


@pytest.fixture
def quick_loop(monkeypatch):
    """Let fits take TensorFlow's fast loop, where all else runs without it too."""
    monkeypatch.delenv("SKMNIST_KERAS_LOOP", raising=False)


@pytest.fixture
def trainings(monkeypatch):
    """What reaches the networks: one (training, validation) pair of data a fit."""
    from skmnist._training import train as module

    seen = []
    train = module.train

    def recording(spec, data, *args, validation=None, **kwargs):
        seen.append((data, validation))
        return train(spec, data, *args, validation=validation, **kwargs)

    monkeypatch.setattr(module, "train", recording)
    return seen
