"""Training in bfloat16 by fewer operations gives the gradients that Keras gives."""

import functools
import inspect

import numpy as np
import pytest
from builders import BACKEND, small_cnn, small_mlp

from skmnist import KerasImageClassifier, clear_programs
from skmnist.networks import build_cnn, build_mlp

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the quick pass is TensorFlow's"
)

SHAPE = (12, 10, 1)


cnn = functools.partial(functools.partial, build_cnn, SHAPE, 5)
mlp = functools.partial(functools.partial, build_mlp, SHAPE, 5)

OURS = {
    "two convolutions": cnn(filters=(4, 6), units=16, dropout=(0.25, 0.5)),
    "dropout behind the pooling alone": cnn(filters=4, units=16, dropout=(0.3, 0)),
    "no pooling": cnn(filters=3, pool_size=1, units=(16, 8), dropout=0.3),
    "pooling twice": cnn(filters=(4, 4), pool_size=2, padding="same", units=()),
    "pooling that overlaps nothing": cnn(filters=(3, 3), pool_size=((2, 2), 1)),
    "dense": mlp(units=(20, 10), dropout=0.4),
    "dropout behind the second layer": mlp(units=(20, 10), dropout=(0, 0.75)),
    "penalties": mlp(units=20, l1=0.01, l2=0.05),
    "penalties behind convolutions": cnn(filters=4, l1=0.01, l2=0.05),
    "filters of many sizes": cnn(filters=(3, 4), kernel_size=((2, 3), 1)),
    "another start": cnn(filters=4, kernel_initializer="he_normal"),
    "another start of a dense network": mlp(kernel_initializer="he_normal"),
}
OTHERS = {
    "float32": (cnn(filters=4), "float32"),
    "another activation": (cnn(filters=4, activation="tanh"), "mixed_bfloat16"),
    "no dropout": (cnn(filters=4, dropout=0.0), "mixed_bfloat16"),
}


def builder_of_a_user(input_shape, n_classes):
    import keras
    from keras import layers

    dtype = "mixed_bfloat16"
    return keras.Sequential(
        [
            keras.Input(input_shape),
            layers.Conv2D(2, 3, activation="relu", dtype=dtype),
            layers.Dropout(0.5, dtype=dtype),
            layers.Flatten(dtype=dtype),
            layers.Dense(n_classes, "softmax", dtype="float32"),
        ]
    )


@pytest.fixture
def ways_taken(monkeypatch):
    """Return a list that gets a True for each pass that is ours."""
    from skmnist._training import bfloat16_pass as _training_pass

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


def compare(keras, name, dtype, forward):
    """Return how far outputs and gradients are from Keras', for the same dropout."""
    from skmnist._training.dropout import draw_few_bits

    keras.utils.set_random_seed(0)
    model = OURS[name](dtype=dtype)
    rng = np.random.default_rng(2)
    for variable in model.trainable_variables:  # no bias may be 0
        noise = rng.normal(scale=0.2, size=variable.shape)
        variable.assign(variable.numpy() + noise)
    draw_few_bits(model)
    states = [variable for variable in model.variables if "seed" in variable.path]
    seeds = [variable.numpy() for variable in states]
    wanted = differentiate(model, lambda inputs: model(inputs, training=True))
    for variable, seed in zip(states, seeds, strict=True):
        variable.assign(seed)
    given = differentiate(model, lambda inputs: forward(model, inputs))
    return [distance(*pair) for pair in zip(given, wanted, strict=True)]


def test_there_is_a_network_for_each_parameter_of_the_builders():
    of_others = {"input_shape", "n_classes", "dtype", "activation"}
    for build in (build_cnn, build_mlp):
        ours = [network for network in OURS.values() if network.func is build]
        tested = {name for network in ours for name in network.keywords}
        assert tested == set(inspect.signature(build).parameters) - of_others


@pytest.mark.parametrize("name", OURS)
def test_gradients_are_those_of_keras(keras, ways_taken, monkeypatch, name):
    from skmnist._training import bfloat16_pass as _training_pass

    # In bfloat16 rounding alone turns units on and off.
    monkeypatch.setattr(_training_pass, "_DTYPE", "float32")
    distances = compare(keras, name, "float32", _training_pass.training_pass)
    assert ways_taken == [True]
    assert max(distances) < 1e-5, distances


@pytest.mark.parametrize("name", OURS)
def test_outputs_in_bfloat16_are_those_of_keras(keras, ways_taken, name):
    from skmnist._training.bfloat16_pass import training_pass

    outputs, *gradients = compare(keras, name, "mixed_bfloat16", training_pass)
    assert ways_taken == [True]
    assert outputs < 0.01
    assert np.isfinite(gradients).all()


@pytest.mark.parametrize("name", OTHERS)
def test_other_networks_are_called_as_they_are(keras, ways_taken, name):
    from skmnist._training.bfloat16_pass import training_pass
    from skmnist._training.dropout import draw_few_bits

    build, dtype = OTHERS[name]
    model = build(dtype=dtype)
    draw_few_bits(model)
    calls = []
    call = model.call
    model.call = lambda *args, **kwargs: calls.append(kwargs) or call(*args, **kwargs)
    differentiate(model, lambda inputs: training_pass(model, inputs))
    assert (ways_taken, len(calls)) == ([], 1)
    assert calls[0]["training"] is True


def test_networks_of_users_are_called_as_they_are(digits, quick_loop, ways_taken):
    X, y = digits
    model = KerasImageClassifier(builder=builder_of_a_user, epochs=1)
    model.fit(X.reshape(-1, 8, 8), y)
    assert not ways_taken


def test_fits_in_bfloat16_take_it(digits, quick_loop, ways_taken):
    X, y = digits
    small_cnn(precision="bfloat16", epochs=1, units=9).fit(X, y)
    assert ways_taken
    del ways_taken[:]
    small_mlp(epochs=1, units=9).fit(X, y)
    assert not ways_taken


@pytest.mark.parametrize("rates", [(0.2, 0.25), (0.25, 0.3), (0.5, 0.25)], ids=str)
def test_a_fit_has_its_own_rate(digits, quick_loop, rates):
    def losses(rate):
        model = small_mlp(dropout=rate, epochs=1, precision="bfloat16")
        return model.fit(*digits).history_["loss"]

    alone = {}
    for rate in rates:
        clear_programs()
        alone[rate] = losses(rate)
    # The program of the last one goes on with other rates.
    assert [losses(rate) for rate in rates] == [alone[rate] for rate in rates]


def test_tensorflow_keeps_nothing_of_it(digits, quick_loop, ways_taken):
    # It never forgets a gradient that is registered, nor the graph behind it.
    from tensorflow.python.framework.ops import gradient_registry

    counts = []
    for units in (10, 11):
        small_cnn(precision="bfloat16", epochs=1, units=units).fit(*digits)
        counts.append(len(gradient_registry.list()))
    assert ways_taken
    assert counts[0] == counts[1]
