"""What random_state decides, and what it must leave alone."""

import os
import random
import threading

import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from sklearn.base import clone

from skmnist import KerasImageClassifier
from skmnist._training.build import build, initial_arrays, random_variables
from skmnist._training.reuse import idle_loops
from skmnist.networks import NetworkSpec, build_cnn, build_mlp


@pytest.mark.parametrize("small", [small_mlp, small_cnn])
def test_the_same_seed_gives_the_same_network(small, digits):
    X, y = digits
    first = small().fit(X, y).predict_proba(X)
    small(random_state=1).fit(X, y)
    assert np.array_equal(small().fit(X, y).predict_proba(X), first)


def test_the_same_seed_gives_the_same_network_after_networks_of_other_kinds(
    digits, monkeypatch
):
    X, y = digits
    first = small_mlp(early_stopping=True).fit(X, y)
    monkeypatch.setattr(idle_loops, "max_loops", 3)
    for units in range(20, 24):  # more graphs than are kept compiled
        small_mlp(units=units, epochs=1).fit(X[:20], y[:20])
    again = small_mlp(early_stopping=True).fit(X, y)
    assert again.history_ == first.history_
    assert np.array_equal(again.predict_proba(X), first.predict_proba(X))


@pytest.mark.parametrize("what", ["initial weights", "dropout", "order", "split"])
def test_the_seed_decides(what, digits):
    X, y = digits
    X, y = X[:100], y[:100]
    params = {
        # Full batches and no dropout leave the initial weights only, and so on:
        # at a tiny step size only those differ noticeably.
        "initial weights": {"dropout": 0.0, "batch_size": 100, "learning_rate": 1e-9},
        "dropout": {"dropout": 0.5, "batch_size": 100, "kernel_initializer": "zeros"},
        "order": {"dropout": 0.0, "batch_size": 10, "kernel_initializer": "zeros"},
        "split": {
            "dropout": 0.0,
            "batch_size": 100,
            "kernel_initializer": "zeros",
            "activation": "sigmoid",
            "validation_fraction": 0.3,
        },
    }[what]
    fits = [small_mlp(**params, random_state=s).fit(X, y) for s in (0, 0, 1)]
    same, again, other = (fit.predict_proba(X) for fit in fits)
    assert np.array_equal(same, again)
    assert not np.allclose(same, other, rtol=1e-6)


def test_twenty_random_states_give_twenty_networks(digits):
    X, y = digits
    X, y = X[:40], y[:40]
    networks = {
        small_mlp(epochs=1, random_state=np.random.RandomState(seed))
        .fit(X, y)
        .predict_proba(X)
        .tobytes()
        for seed in range(20)
    }
    assert len(networks) == 20


def test_a_random_state_moves_on_from_fit_to_fit(digits):
    X, y = digits
    model = small_mlp(epochs=1, random_state=np.random.RandomState(0))
    first = model.fit(X, y).predict_proba(X)
    second = model.fit(X, y).predict_proba(X)
    assert not np.array_equal(first, second)
    again = small_mlp(epochs=1, random_state=np.random.RandomState(0))
    assert np.array_equal(again.fit(X, y).predict_proba(X), first)
    assert np.array_equal(again.fit(X, y).predict_proba(X), second)


def test_without_a_seed_no_two_fits_are_alike(digits):
    X, y = digits
    model = small_mlp(epochs=1, random_state=None)
    first = model.fit(X, y).predict_proba(X)
    assert not np.array_equal(clone(model).fit(X, y).predict_proba(X), first)


def test_other_threads_that_draw_numbers_do_not_change_a_network(digits):
    X, y = digits
    expected = small_mlp(epochs=1).fit(X, y).predict_proba(X)
    done = threading.Event()

    def draw():
        while not done.wait(1e-6):
            random.random()

    thread = threading.Thread(target=draw)
    thread.start()
    try:
        for _ in range(3):
            model = small_mlp(epochs=1).fit(X, y)
            assert np.array_equal(model.predict_proba(X), expected)
    finally:
        done.set()
        thread.join()


def test_whatever_a_builder_draws_from_follows_the_seed(digits, keras):
    X, y = digits

    def builder(input_shape, n_classes):
        model = dense(input_shape, n_classes)
        weights = model.get_weights()
        weights[1] += random.random()
        weights[1] += np.random.random()  # noqa: NPY002
        weights[1] += float(keras.random.uniform(()))
        model.set_weights(weights)
        return model

    def fit(seed):
        return (
            KerasImageClassifier(builder=builder, epochs=1, random_state=seed)
            .fit(X, y)
            .predict_proba(X)
        )

    before = random.getstate(), np.random.get_state()[1].tolist()  # noqa: NPY002
    first = fit(0)
    assert np.array_equal(fit(0), first)
    assert not np.allclose(fit(1), first, rtol=1e-3)
    assert (random.getstate(), np.random.get_state()[1].tolist()) == before  # noqa: NPY002


def global_draws(keras):
    draws = [random.random(), np.random.random()]  # noqa: NPY002
    draws.append(float(keras.random.uniform(())))
    if BACKEND == "tensorflow":
        import tensorflow as tf

        draws.append(float(tf.random.uniform(())))
        draws.append(float(tf.random.get_global_generator().uniform(())))
    return draws


def test_a_seeded_fit_leaves_the_global_generators_alone(digits, keras):
    X, y = digits

    def draws(between):
        keras.utils.set_random_seed(3)
        if BACKEND == "tensorflow":
            import tensorflow as tf

            tf.random.set_global_generator(tf.random.Generator.from_seed(3))
        first = global_draws(keras)
        between()
        return first + global_draws(keras)

    def fit():
        model = small_cnn(early_stopping=True).fit(X, y)
        model.predict(X)
        assert model.model_ is not None

    expected = draws(lambda: None)
    assert draws(fit) == expected


def test_a_seeded_fit_changes_no_setting_of_the_process(digits):
    X, y = digits
    before = dict(os.environ)
    small_mlp().fit(X, y)
    assert dict(os.environ) == before
    if BACKEND == "tensorflow":
        from tensorflow.python.framework import config

        assert not config.is_op_determinism_enabled()


@pytest.mark.parametrize("initializer", ["he_normal", "orthogonal", "zeros"])
@pytest.mark.parametrize(
    ("builder", "shape"), [(build_mlp, (9,)), (build_cnn, (8, 8, 2))]
)
@pytest.mark.parametrize("dtype", ["float32", "float64", "mixed_bfloat16", "bfloat16"])
def test_training_begins_with_the_network_that_is_built(
    builder, shape, initializer, dtype
):
    if BACKEND == "jax" and dtype == "float64":
        pytest.skip("JAX computes in float32 as it is set up by default")
    if (initializer, dtype) == ("orthogonal", "bfloat16"):
        pytest.skip("Keras has no orthogonal matrices of this type")
    parameters = {
        "dropout": 0.2,
        "units": (5, 4),
        "kernel_initializer": initializer,
        "dtype": dtype,
    }
    spec = NetworkSpec(builder, shape, 3, parameters)
    built = build(spec, 7)
    weights, random_states = initial_arrays(spec, 7)
    assert [w.dtype for w in weights] == [w.dtype for w in built.get_weights()]
    for one, other in zip(weights, built.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for one, other in zip(random_states, random_variables(built), strict=True):
        np.testing.assert_array_equal(one, np.asarray(other.value))
