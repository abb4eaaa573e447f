"""Dropout that is decided by few random bits is dropout."""

import numpy as np
import pytest
from builders import BACKEND, small_mlp

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the quick dropout is TensorFlow's"
)

# Neither the values of an image nor all of them fill the words of random bits.
SHAPE = (63, 51, 21)


@pytest.fixture
def drop(keras):
    """Return a layer that drops out by few bits, as a function of float64 arrays."""
    import tensorflow as tf

    from skmnist._dropout import drop_out_at

    def make(rate, dtype="float32", seed=3, as_variable=False):
        layer = keras.layers.Dropout(rate, seed=seed, dtype=dtype)
        layer.build(SHAPE)
        drop_out_at(layer, tf.Variable(rate, dtype="float64") if as_variable else rate)

        @tf.function
        def run(values, training):
            values = tf.cast(values, dtype)
            with tf.GradientTape() as tape:
                tape.watch(values)
                outputs = layer(values, training=training)
            gradients = tape.gradient(outputs, values)
            return tf.cast(outputs, tf.float64), tf.cast(gradients, tf.float64)

        return lambda values, training=True: [
            np.asarray(tensor) for tensor in run(values, training)
        ]

    return make


@pytest.mark.parametrize("as_variable", [False, True])
@pytest.mark.parametrize("rate", [1e-6, 0.1, 0.25, 0.45, 0.5, 0.9, 0.999, 0.9999])
@pytest.mark.parametrize(
    ("dtype", "n_levels"),
    [("bfloat16", 256), ("float16", 65536), ("float32", 65536), ("float64", 65536)],
)
def test_the_share_is_dropped_and_the_mean_stays(
    drop, dtype, n_levels, rate, as_variable
):
    outputs, gradients = drop(rate, dtype, as_variable=as_variable)(np.ones(SHAPE))
    share = min(round(rate * n_levels), n_levels - 1) / n_levels
    assert abs(share - rate) <= 1 / n_levels
    if share:
        digits = {"bfloat16": 2**-8, "float16": 2**-11}.get(dtype, 1e-7)
        np.testing.assert_allclose(outputs.max(), 1 / (1 - share), rtol=digits)
    else:
        assert outputs.max() == 1.0
    assert set(np.unique(outputs)) <= {0.0, outputs.max()}
    error = np.sqrt(share * (1 - share) / outputs.size)
    assert abs((outputs == 0).mean() - share) <= 5 * error
    np.testing.assert_array_equal(gradients, outputs)


def test_values_are_scaled_or_dropped(drop):
    values = np.random.default_rng(0).normal(size=SHAPE)
    outputs, gradients = drop(0.5, "float64")(values)
    kept = gradients != 0
    np.testing.assert_array_equal(outputs, np.where(kept, 2 * values, 0))
    outputs, gradients = drop(0.5, "float64")(values, training=False)
    np.testing.assert_array_equal(outputs, values)
    np.testing.assert_array_equal(gradients, 1)


@pytest.mark.parametrize("dtype", ["bfloat16", "float32"])
def test_each_value_is_dropped_by_itself(drop, dtype):
    # Which numbers that share bits, or are used twice, would not be.
    rate = 0.25
    run = drop(rate, dtype)
    first, second = (run(np.ones(SHAPE))[0].ravel() == 0 for _ in range(2))
    other_seed = drop(rate, dtype, seed=4)(np.ones(SHAPE))[0].ravel() == 0
    pairs = {
        **{lag: (first[lag:], first[:-lag]) for lag in (*range(1, 33), 51, 21, 1071)},
        "next step": (first, second),
        "other seed": (first, other_seed),
    }
    for name, (one, other) in pairs.items():
        error = np.sqrt(rate**2 * (1 - rate**2) / len(one))
        assert abs((one & other).mean() - rate**2) <= 5 * error, name


def test_the_same_seed_drops_the_same_values(drop):
    one, other = drop(0.3), drop(0.3)
    for _ in range(2):
        np.testing.assert_array_equal(one(np.ones(SHAPE)), other(np.ones(SHAPE)))


def test_dropout_of_others_is_theirs(keras):
    from skmnist._dropout import draw_few_bits

    class OwnDropout(keras.layers.Dropout):
        pass

    inside = keras.layers.Dropout(0.1)
    plain = keras.layers.Dropout(0.2)
    others = [
        keras.layers.Dropout(0.0),  # which has no generator
        keras.layers.Dropout(0.2, noise_shape=(None, 1, 4)),
        keras.layers.SpatialDropout1D(0.2),
        keras.layers.GaussianDropout(0.2),
        OwnDropout(0.2),
    ]
    inner = keras.Sequential([keras.Input((4, 4)), inside])
    draw_few_bits(keras.Sequential([keras.Input((4, 4)), plain, *others, inner]))
    assert "call" in vars(plain)
    assert "call" in vars(inside)
    for layer in others:
        assert "call" not in vars(layer)


def test_what_is_trained_by_few_bits_is_a_plain_layer_afterwards(keras, digits):
    X, y = digits
    seen = []

    class Look(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            seen.append(self.model.get_layer("dropout_1").get_config()["rate"])

    fitted = small_mlp(dropout=0.3, callbacks=[Look]).fit(X, y)
    assert seen == [0.3]
    layer = fitted.model_.get_layer("dropout_1")
    assert type(layer) is keras.layers.Dropout
    assert layer.rate == 0.3
    assert "call" not in vars(layer)
