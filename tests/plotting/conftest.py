import matplotlib

matplotlib.use("Agg")

import contextlib

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.pipeline import Pipeline

from skmnist import ImageScaler, KerasCNNClassifier, KerasMLPClassifier
from skmnist.datasets import load_digits


@pytest.fixture(autouse=True)
def figures():
    """Start without figures, close those of the test, see the settings left alone."""
    assert plt.get_fignums() == []
    settings = dict(matplotlib.rcParams)
    yield
    plt.close("all")
    assert dict(matplotlib.rcParams) == settings


@pytest.fixture(scope="session")
def digits():
    """300 real digits of 8×8 bytes, which nobody may write to."""
    X, y = load_digits(return_X_y=True)
    X, y = X[:300].copy(), y[:300].copy()
    X.setflags(write=False)
    y.setflags(write=False)
    return X, y


def fitted(network, digits, layout):
    model = Pipeline([("scale", ImageScaler(layout=layout)), ("clf", network)])
    return model.fit(*digits)


@pytest.fixture(scope="session")
def mlp(digits):
    network = KerasMLPClassifier(
        units=12, epochs=3, batch_size=64, validation_fraction=0.2, random_state=0
    )
    return fitted(network, digits, "flat")


@pytest.fixture(scope="session")
def cnn(digits):
    network = KerasCNNClassifier(
        filters=(3, 5),
        pool_size=((2, 2), (1, 1)),
        kernel_size=((3, 3), (2, 2)),
        units=8,
        epochs=2,
        batch_size=64,
        random_state=0,
    )
    return fitted(network, digits, "channels_last")


@pytest.fixture
def left_alone():
    """Context in which a Keras model must not change, nor what Keras counts."""
    from skmnist._training.keras import keras

    @contextlib.contextmanager
    def watch(model):
        def state():
            return {
                "weights": [
                    np.array(keras.ops.convert_to_numpy(w)) for w in model.weights
                ],
                "layers": [layer.name for layer in model.layers],
                "calls": [len(layer._inbound_nodes) for layer in model.layers],
                "trainable": [layer.trainable for layer in model.layers],
                "config": model.to_json(),
            }

        def next_number():
            pixels = keras.Input((1,))
            number = keras.Model(pixels, pixels).name.removeprefix("functional")
            return int(number.removeprefix("_") or 0)

        before, number = state(), next_number()
        yield
        after = state()
        weights = before.pop("weights"), after.pop("weights")
        assert before == after
        for old, new in zip(*weights, strict=True):
            np.testing.assert_array_equal(old, new)
        assert next_number() == number + 1

    return watch
