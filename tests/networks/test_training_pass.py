"""Training in bfloat16 by fewer operations gives the gradients that Keras gives."""

from importlib import import_module

import numpy as np
import pytest
from builders import BACKEND, small_cnn, small_mlp

from skmnist.networks import build_cnn, build_mlp

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the quick pass is TensorFlow's"
)

SHAPE = (12, 10, 1)


def sequential(keras, *layers, dtype="mixed_bfloat16"):
    return keras.Sequential(
        [
            keras.Input(SHAPE),
            *layers,
            keras.layers.Flatten(dtype=dtype),
            keras.layers.Dense(6, "relu", dtype=dtype),
            keras.layers.Dense(5, "softmax", dtype="float32"),
        ]
    )


OURS = {
    "convolutions, pooling, dropout": lambda: build_cnn(
        SHAPE, 5, filters=(4, 6), units=16, dropout=(0.25, 0.5)
    ),
    "no dropout": lambda: build_cnn(SHAPE, 5, filters=(4, 6), units=16, dropout=0.0),
    "no pooling": lambda: build_cnn(
        SHAPE, 5, filters=3, pool_size=1, units=(16, 8), dropout=0.3
    ),
    "pooling twice, no hidden layer": lambda: build_cnn(
        SHAPE, 5, filters=(4, 4), pool_size=2, padding="same", units=()
    ),
    "pooling before another convolution": lambda: build_cnn(
        SHAPE, 5, filters=(3, 3), pool_size=((2, 2), 1), units=8
    ),
    "dense": lambda: build_mlp(SHAPE, 5, units=(20, 10), dropout=0.4),
    "a network of Keras' layers": lambda: sequential(
        import_module("keras"), dtype="float32"
    ),
    "penalties": lambda: build_mlp(SHAPE, 5, units=20, l2=0.05),
}


def repeated(keras):
    inputs = keras.Input(SHAPE)
    tensor = keras.layers.Flatten(dtype="mixed_bfloat16")(inputs)
    hidden = keras.layers.Dense(tensor.shape[1], "relu", dtype="mixed_bfloat16")
    return keras.Model(inputs, keras.layers.Dense(5, "softmax")(hidden(hidden(tensor))))


def convolution(**settings):
    def build(keras):
        settings.setdefault("activation", "relu")
        dtype = "mixed_bfloat16"
        return sequential(keras, keras.layers.Conv2D(2, 3, dtype=dtype, **settings))

    return build


OTHERS = {
    "float32": lambda keras: build_cnn(SHAPE, 5, filters=4),
    "another activation": lambda keras: build_cnn(
        SHAPE, 5, filters=4, activation="tanh", dtype="mixed_bfloat16"
    ),
    "strides": convolution(strides=2),
    "dilated": convolution(dilation_rate=2),
    "no biases": convolution(use_bias=False),
    "penalties on outputs": convolution(activity_regularizer="l2"),
    "linear": convolution(activation=None),
    "groups": lambda keras: sequential(
        keras,
        keras.layers.Conv2D(4, 1, activation="relu", dtype="mixed_bfloat16"),
        keras.layers.Conv2D(4, 1, groups=2, activation="relu", dtype="mixed_bfloat16"),
    ),
    "dropout that is not ours": lambda keras: sequential(
        keras,
        keras.layers.Conv2D(2, 3, activation="relu", dtype="mixed_bfloat16"),
        keras.layers.Dropout(0.5, dtype="mixed_bfloat16"),
    ),
    "a layer of another kind": lambda keras: sequential(
        keras,
        keras.layers.Conv2D(2, 3, activation="relu", dtype="mixed_bfloat16"),
        keras.layers.BatchNormalization(dtype="mixed_bfloat16"),
    ),
    "a subclass": lambda keras: sequential(
        keras,
        type("Own", (keras.layers.Conv2D,), {})(
            2, 3, activation="relu", dtype="mixed_bfloat16"
        ),
    ),
    "a layer that comes twice": repeated,
}


@pytest.fixture
def ways_taken(monkeypatch):
    """Return a list that gets a True for each pass that is ours."""
    from skmnist import _training_pass

    taken = []
    run = _training_pass._run

    def recording(chain, inputs):
        taken.append(True)
        return run(chain, inputs)

    monkeypatch.setattr(_training_pass, "_run", recording)
    return taken


def differentiate(model, forward):
    """Return outputs, and gradients of a sum with weights, as float64 arrays."""
    import tensorflow as tf

    rng = np.random.default_rng(1)
    inputs = rng.random((64, *SHAPE), dtype=np.float32)
    factors = rng.normal(size=(64, 5)).astype(np.float32)

    @tf.function
    def run(inputs):
        with tf.GradientTape() as tape:
            outputs = forward(inputs)
            total = tf.reduce_sum(outputs * factors) + sum(
                tf.cast(loss, tf.float32) for loss in model.losses
            )
        variables = [variable.value for variable in model.trainable_variables]
        return [outputs, *tape.gradient(total, variables)]

    return [np.asarray(tensor, np.float64) for tensor in run(inputs)]


def distance(given, wanted):
    return np.linalg.norm(given - wanted) / np.linalg.norm(wanted)


@pytest.mark.parametrize("name", OURS)
def test_gradients_are_those_of_keras(keras, ways_taken, monkeypatch, name):
    from skmnist import _training_pass
    from skmnist._dropout import draw_few_bits

    # In bfloat16 rounding alone turns units on and off.
    monkeypatch.setattr(_training_pass, "_DTYPE", "float32")
    keras.utils.set_random_seed(0)
    model = OURS[name]()
    for variable in model.trainable_variables:  # biases matter, and their order
        shape = variable.shape
        noise = np.random.default_rng(2).normal(scale=0.2, size=shape)
        variable.assign(variable.numpy() + noise)
    draw_few_bits(model)
    states = [v for v in model.variables if "seed" in v.path]
    seeds = [variable.numpy() for variable in states]
    wanted = differentiate(model, lambda inputs: model(inputs, training=True))
    for variable, seed in zip(states, seeds, strict=True):
        variable.assign(seed)
    given = differentiate(model, _training_pass.training_pass(model))
    assert ways_taken == [True]
    distances = [distance(*pair) for pair in zip(given, wanted, strict=True)]
    assert max(distances) < 1e-5, distances


@pytest.mark.parametrize("name", OTHERS)
def test_other_networks_are_called_as_they_are(keras, ways_taken, name):
    from skmnist._training_pass import training_pass

    keras.utils.set_random_seed(0)
    model = OTHERS[name](keras)
    calls = []
    call = model.call
    model.call = lambda *args, **kwargs: calls.append(kwargs) or call(*args, **kwargs)
    outputs = differentiate(model, training_pass(model))[0]
    assert outputs.shape == (64, 5)
    assert (ways_taken, len(calls)) == ([], 1)
    assert calls[0]["training"] is True


def test_fits_in_bfloat16_take_it(digits, quick_loop, ways_taken):
    X, y = digits
    small_cnn(precision="bfloat16", epochs=1, units=9).fit(X, y)
    assert ways_taken
    del ways_taken[:]
    small_mlp(epochs=1, units=9).fit(X, y)
    assert not ways_taken


@pytest.mark.parametrize("precision", ["float32", "bfloat16"])
def test_rates_that_take_other_numbers_of_bits_share_no_program(
    digits, quick_loop, precision
):
    from skmnist import clear_programs

    def loss(rate):
        model = small_mlp(dropout=rate, epochs=1, precision=precision)
        return model.fit(*digits).history_["loss"]

    alone = {}
    for rate in (0.25, 0.3, 0.5):
        clear_programs()
        alone[rate] = loss(rate)
    for rate in (0.3, 0.25, 0.5, 0.3, 0.25):
        assert loss(rate) == alone[rate]
