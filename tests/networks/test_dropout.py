"""Dropout that is decided by few random bits is dropout."""

import numpy as np
import pytest
from builders import BACKEND, small_mlp

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the quick dropout is TensorFlow's"
)

# Neither the values of an image nor all of them fill the words of random bits.
SHAPE = (63, 51, 21)
LEVELS = {"bfloat16": 256, "float16": 65536, "float32": 65536, "float64": 65536}
# By how much of itself a number is rounded at most.
ROUNDING = {"bfloat16": 2**-8, "float16": 2**-11, "float32": 2**-24, "float64": 2**-53}
# Between neighbours, which share a word, rows and images.
LAGS = (*range(1, 33), 51, 1071)


@pytest.fixture
def drop(keras):
    """Return a layer that drops out by few bits, as a function of float64 arrays."""
    import tensorflow as tf

    from skmnist._training.layers import use_own_calls

    def make(rate, dtype="float32", seed=3, jit_compile=False):
        # The rate of a variable goes before that of the layer.
        is_variable = isinstance(rate, tf.Variable)
        layer_rate = 0.01 if is_variable else rate
        layer = keras.layers.Dropout(layer_rate, seed=seed, dtype=dtype)
        model = keras.Sequential([keras.Input(SHAPE[1:], dtype=dtype), layer])
        use_own_calls(model, [rate] if is_variable else None)

        @tf.function(
            input_signature=[tf.TensorSpec([None, *SHAPE[1:]], tf.float64)],
            jit_compile=jit_compile,
        )
        def run(values):
            values = tf.cast(values, dtype)
            with tf.GradientTape() as tape:
                tape.watch(values)
                outputs = layer(values, training=True)
            gradients = tape.gradient(outputs, values)
            return tf.cast(outputs, tf.float64), tf.cast(gradients, tf.float64)

        return lambda values: [np.asarray(tensor) for tensor in run(values)]

    return make


def check_share(outputs, rate, dtype):
    """Check what dropout makes of ones."""
    n_levels = LEVELS[dtype]
    share = min(round(rate * n_levels), n_levels - 1) / n_levels
    error = np.sqrt(share * (1 - share) / outputs.size)
    assert abs((outputs == 0).mean() - share) <= 5 * error
    values = np.unique(outputs)
    assert len(values) == 1 + (share > 0)
    np.testing.assert_allclose(values[-1], 1 / (1 - share), rtol=ROUNDING[dtype])


@pytest.mark.parametrize("rate", [1e-6, 0.1, 0.25, 0.45, 0.5, 0.75, 0.9, 0.999, 0.9999])
@pytest.mark.parametrize("dtype", LEVELS)
def test_the_share_is_dropped_and_the_rest_scaled(drop, dtype, rate):
    outputs, gradients = drop(rate, dtype)(np.ones(SHAPE))
    check_share(outputs, rate, dtype)
    np.testing.assert_array_equal(gradients, outputs)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_variable_is_the_rate_of_the_next_step(drop, dtype):
    import tensorflow as tf

    variable = tf.Variable(0.2, dtype=tf.float64)
    run = drop(variable, dtype)
    for rate in (0.2, 0.25, 0.75, 0.7, 0.001, 0.5, 0.999):
        variable.assign(rate)
        check_share(run(np.ones(SHAPE))[0], rate, dtype)


def test_values_are_scaled_or_dropped(drop):
    values = np.random.default_rng(0).normal(size=SHAPE)
    outputs, gradients = drop(0.5, "float64")(values)
    np.testing.assert_array_equal(outputs, np.where(gradients != 0, 2 * values, 0))


@pytest.mark.parametrize("rate", [0.25, 0.26])
@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_each_value_is_dropped_by_itself(drop, dtype, rate):
    # Which numbers that share bits, or are used twice, would not be.
    run = drop(rate, dtype)
    rate = round(rate * LEVELS[dtype]) / LEVELS[dtype]
    first, second = (run(np.ones(SHAPE))[0].ravel() == 0 for _ in range(2))
    other_seed = drop(rate, dtype, seed=4)(np.ones(SHAPE))[0].ravel() == 0
    pairs = {
        **{lag: (first[lag:], first[:-lag]) for lag in LAGS},
        "next step": (first, second),
        "other seed": (first, other_seed),
    }
    for name, (one, other) in pairs.items():
        error = np.sqrt(rate**2 * (1 - rate**2) / len(one))
        assert abs((one & other).mean() - rate**2) <= 5 * error, name


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_the_same_seed_drops_the_same_values_compiled_or_not(drop, dtype):
    one, other = drop(0.3, dtype), drop(0.3, dtype, jit_compile=True)
    for _ in range(2):
        np.testing.assert_array_equal(one(np.ones(SHAPE)), other(np.ones(SHAPE)))


@pytest.mark.parametrize("switch", ["0", "1"])
def test_few_bits_are_for_training_alone(keras, digits, monkeypatch, switch):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", switch)
    X, y = digits
    layers = []

    class Look(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            layers.append(self.model.get_layer("dropout_1"))
            layers.append(keras.models.clone_model(self.model).get_layer("dropout_1"))

    fitted = small_mlp(dropout=0.3, callbacks=[Look]).fit(X, y)
    layers.append(fitted.model_.get_layer("dropout_1"))
    assert [("call" in vars(layer)) for layer in layers] == [True, False, False]
    assert {type(layer) for layer in layers} == {keras.layers.Dropout}
    assert {layer.get_config()["rate"] for layer in layers} == {0.3}


@pytest.mark.parametrize("switch", ["0", "1"])
def test_a_callback_may_set_the_rate(keras, digits, monkeypatch, switch):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", switch)
    X, y = digits

    class SetRate(keras.callbacks.Callback):
        def __init__(self, rate):
            super().__init__()
            self.rate = rate

        def on_train_begin(self, logs=None):
            self.model.get_layer("dropout_1").rate = self.rate

    def loss(dropout, rate):
        model = small_mlp(dropout=dropout, callbacks=[SetRate(rate)], epochs=1)
        return model.fit(X, y).history_["loss"]

    assert loss(0.1, 0.9) == loss(0.9, 0.9) != loss(0.9, 0.1)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_a_rate_is_rounded_alike_wherever_it_stands(drop, dtype):
    import tensorflow as tf

    # Half of a level, but for digits that float32 does not have.
    rate = (100.5 + 1e-9) / LEVELS[dtype]
    ones = np.ones(SHAPE)
    fixed = drop(rate, dtype)(ones)[0]
    variable = drop(tf.Variable(rate, dtype=tf.float64), dtype)(ones)[0]
    np.testing.assert_array_equal(fixed, variable)


@pytest.mark.parametrize("switch", ["0", "1"])
def test_a_layer_of_the_user_is_not_changed(keras, digits, monkeypatch, switch):
    from skmnist import KerasImageClassifier

    monkeypatch.setenv("SKMNIST_KERAS_LOOP", switch)
    X, y = digits
    mine = keras.layers.Dropout(0.2)

    def builder(input_shape, n_classes):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Flatten(),
                mine,
                keras.layers.Dense(n_classes, "softmax"),
            ]
        )

    KerasImageClassifier(builder=builder, epochs=1).fit(X, y)
    assert "call" not in vars(mine)
