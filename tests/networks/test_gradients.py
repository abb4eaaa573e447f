"""Steps of training against steps worked by hand, and against finite differences."""

import numpy as np
import pytest
from builders import BACKEND, small_cnn, small_mlp

pytestmark = pytest.mark.skipif(BACKEND == "jax", reason="no float64 by default")

SGD = {"optimizer": "sgd", "precision": "float64", "dropout": 0.0, "batch_size": 100}


@pytest.mark.parametrize("n_copies", [1, 3])
def test_a_step_is_the_one_worked_by_hand(n_copies):
    # All weights are 1 and all biases 0: the hidden unit gives 1 and 2, and both
    # classes have the probability 1/2. The loss has the gradients -1/4 and 1/4 by the
    # logits of the first image, 1/4 and -1/4 by those of the second one; so it has
    # 1 · -1/4 + 2 · 1/4 = 1/4 and -1/4 by the last weights, and 0 by all else. The
    # penalty adds 2 · 0.1 · 1 for each weight.
    X = np.tile([[1.0, 0.0], [0.0, 2.0]], (n_copies, 1))
    y = np.tile([0, 1], n_copies)
    model = small_mlp(
        **SGD, units=1, kernel_initializer="ones", l2=0.1, learning_rate=0.5, epochs=1
    )
    hidden, hidden_biases, last, last_biases = model.fit(X, y).model_.get_weights()
    np.testing.assert_allclose(hidden, [[0.9], [0.9]], rtol=1e-7)
    np.testing.assert_allclose(last, [[0.775, 1.025]], rtol=1e-7)
    np.testing.assert_allclose(np.r_[hidden_biases, last_biases], 0, atol=1e-12)
    loss = np.log(2) + 0.1 * 4  # before the step
    assert model.history_["loss"] == [pytest.approx(loss, rel=1e-7)]


def test_a_step_with_weights_is_the_one_worked_by_hand():
    # As above, but with weights of 3 and 1, of the mean 1: 3/2 and 1/2.
    X, y = np.array([[1.0, 0.0], [0.0, 2.0]]), np.array([0, 1])
    model = small_mlp(
        **SGD, units=1, kernel_initializer="ones", learning_rate=0.5, epochs=1
    )
    model.fit(X, y, sample_weight=[3, 1])
    hidden, _, last, last_biases = model.model_.get_weights()
    # 1 · -3/8 + 2 · 1/8 = -1/8, and -3/8 + 1/8 = -1/4 by the biases.
    np.testing.assert_allclose(last, [[1.0625, 0.9375]], rtol=1e-7)
    np.testing.assert_allclose(last_biases, [0.125, -0.125], rtol=1e-7)
    np.testing.assert_allclose(hidden, 1, rtol=1e-7)


def whole_loss(live, inputs, labels, sample_weight, l1, l2):
    """The loss of a Keras model, penalties and all, from its probabilities."""
    from skmnist._training.keras import as_arrays

    probabilities = as_arrays([live(inputs, training=False)])[0]
    of_label = probabilities[np.arange(len(labels)), labels]
    kernels = [array for array in live.get_weights() if array.ndim > 1]
    penalty = sum(l1 * np.abs(k).sum() + l2 * (k**2).sum() for k in kernels)
    return np.mean(sample_weight * -np.log(of_label)) + penalty


def finite_differences(live, *args, step=1e-6):
    """The gradient of the whole loss, weight by weight."""
    weights = live.get_weights()
    gradients = []
    for array in weights:
        gradient = np.empty_like(array)
        for place in np.ndindex(array.shape):
            value, losses = array[place], []
            for sign in (1, -1):
                array[place] = value + sign * step
                live.set_weights(weights)
                losses.append(whole_loss(live, *args))
            array[place] = value
            gradient[place] = (losses[0] - losses[1]) / (2 * step)
        gradients.append(gradient)
    live.set_weights(weights)
    return gradients


NETWORKS = {
    **{
        activation: small_mlp(**SGD, units=3, activation=activation)
        for activation in (
            "elu",
            "exponential",
            "gelu",
            "leaky_relu",
            "relu",
            "selu",
            "sigmoid",
            "silu",
            "softplus",
            "tanh",
        )
    },
    "convolution": small_cnn(
        **SGD, filters=(2, 2), kernel_size=2, pool_size=1, units=2, activation="tanh"
    ),
    "pooling": small_cnn(**SGD, filters=2, kernel_size=2, pool_size=2, units=2),
}


@pytest.mark.parametrize("name", NETWORKS)
def test_the_gradient_is_that_of_the_whole_loss(name):
    rng = np.random.default_rng(0)
    n_pixels = 4 if name not in ("convolution", "pooling") else 16
    X = rng.normal(size=(12, n_pixels)).astype(np.float32)
    labels = np.arange(12) % 3
    sample_weight = rng.uniform(0.5, 2, 12)
    rate, l1, l2 = 0.125, 0.003, 0.02
    model = NETWORKS[name].set_params(learning_rate=rate, l1=l1, l2=l2)
    model.partial_fit(X, labels, classes=[0, 1, 2])
    live = model.model_
    before = live.get_weights()
    inputs = X.reshape(-1, *live.input_shape[1:])
    wanted = finite_differences(live, inputs, labels, sample_weight, l1, l2)
    model.partial_fit(X, labels, sample_weight=sample_weight)
    after = model.model_.get_weights()
    for old, new, gradient in zip(before, after, wanted, strict=True):
        assert old.dtype == np.float64
        np.testing.assert_allclose((old - new) / rate, gradient, rtol=1e-5, atol=1e-8)
