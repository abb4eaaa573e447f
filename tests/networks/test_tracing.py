"""Networks are traced and compiled once, not again for each fit or number of rows."""

import gc
import logging

import numpy as np
import pytest
from builders import BACKEND, dense, small_mlp
from sklearn.model_selection import GridSearchCV

import skmnist
from skmnist import KerasImageClassifier
from skmnist._training import loops
from skmnist._training.reuse import LoopPool
from skmnist.networks import NetworkSpec, build_mlp


@pytest.fixture
def traced(monkeypatch):
    """Shapes of the inputs for which Python went through a network to trace it."""
    skmnist.clear_programs()  # others may have traced networks of the same shape
    shapes = []
    network_class = type(build_mlp((1,), 2, units=1))
    call = network_class.call

    def is_traced(inputs):
        if BACKEND == "tensorflow":
            import tensorflow as tf

            return not tf.executing_eagerly()
        import jax

        return isinstance(inputs, jax.core.Tracer)

    def recording(self, inputs, *args, **kwargs):
        if is_traced(inputs):
            shapes.append(tuple(inputs.shape))
        return call(self, inputs, *args, **kwargs)

    monkeypatch.setattr(network_class, "call", recording)
    return shapes


def use(digits, *, n_rows=150, sizes=(1, 8, 40, 300), batch_size=64, **params):
    """Fit and predict with one network that no other test has; train it further."""
    X, y = digits
    model = small_mlp(units=27, batch_size=batch_size, early_stopping=True, **params)
    model.fit(X[:n_rows], y[:n_rows])
    for size in sizes:
        model.predict(X[:size])
    model.set_params(early_stopping=False).partial_fit(X[:n_rows], y[:n_rows])


def test_no_fit_of_the_same_network_traces_it_again(digits, traced):
    use(digits)
    first = list(traced)
    assert first
    for seed in (1, 2):
        use(digits, epochs=4, random_state=seed, learning_rate=seed / 100)
    assert traced == first


@pytest.mark.skipif(BACKEND != "tensorflow", reason="the fast loop is TensorFlow's")
@pytest.mark.usefixtures("quick_loop")
def test_no_fit_with_other_rates_and_penalties_traces_it_again(digits, traced):
    use(digits, dropout=0.2, l1=1e-4, l2=1e-3)
    first = list(traced)
    use(digits, dropout=0.5, l1=1e-3, l2=0.1)
    assert traced == first


@pytest.mark.parametrize(
    "params",
    [
        {"dropout": 0.6, "l2": 1e-3},
        {"dropout": 0.2, "l2": 0.1},
        {"dropout": 0.2, "l2": 1e-3, "l1": 0.01},
        {"dropout": 0.2},
        {"dropout": 0.0, "l2": 1e-3},
    ],
    ids=str,
)
@pytest.mark.parametrize("precision", ["float32", "float64"])
def test_a_fit_has_its_own_rates_and_penalties(digits, params, precision):
    X, y = digits
    given = {"units": 27, "precision": precision}
    skmnist.clear_programs()
    wanted = small_mlp(**given, **params).fit(X, y)
    skmnist.clear_programs()
    other = small_mlp(**given, dropout=0.2, l2=1e-3).fit(X, y).predict_proba(X)
    after = small_mlp(**given, **params).fit(X, y)
    assert after.history_ == wanted.history_
    np.testing.assert_array_equal(after.predict_proba(X), wanted.predict_proba(X))
    assert not np.array_equal(after.predict_proba(X), other)
    # What was trained says what it was trained with.
    assert after._network.spec == wanted._network.spec


@pytest.mark.skipif(BACKEND != "tensorflow", reason="JAX compiles for a size of batch")
@pytest.mark.usefixtures("quick_loop")
def test_training_is_traced_once_for_any_numbers_of_rows(digits, traced):
    X, y = digits
    small_mlp(units=29, validation_fraction=0.2).fit(X, y)
    assert traced == [(None, 64)] * 2  # to train, and to validate
    for n_rows, batch_size in [(150, 64), (170, 50), (190, 16), (190, 1000)]:
        model = small_mlp(units=29, batch_size=batch_size, validation_fraction=0.2)
        model.fit(X[:n_rows], y[:n_rows])
        model.partial_fit(X, y)
    assert len(traced) == 2
    for n_rows in (150, 170):
        model.partial_fit(X[:n_rows], y[:n_rows], sample_weight=y[:n_rows] + 1)
    assert len(traced) == 3  # with weights too


def test_only_a_few_compiled_networks_are_kept(digits, monkeypatch):
    X, y = digits
    monkeypatch.setattr(loops, "idle_loops", LoopPool(2, 2**30))
    network_class = type(build_mlp((1,), 2, units=1))

    def n_alive():
        gc.collect()
        return sum(type(thing) is network_class for thing in gc.get_objects())

    before = n_alive()
    for units in range(5, 10):
        small_mlp(units=units, epochs=1).fit(X[:64], y[:64]).predict(X[:1])
    assert n_alive() - before == 2


@pytest.fixture
def tensorflow_log(caplog, monkeypatch):
    """What TensorFlow logs; it warns of a function twice in a process, not more."""
    from tensorflow.python.eager.polymorphic_function import polymorphic_function

    monkeypatch.setattr(
        polymorphic_function,
        "_frequent_tracing_detector_manager",
        type(polymorphic_function._frequent_tracing_detector_manager)(),
    )
    logger = logging.getLogger("tensorflow")
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="TensorFlow warns")
@pytest.mark.usefixtures("quick_loop")
def test_many_networks_bring_no_warning_of_retracing(digits, tensorflow_log):
    X, y = digits
    for units in range(30, 38):
        model = small_mlp(units=units, epochs=1).fit(X[:64], y[:64])
        model.predict(X[:1])
        own = KerasImageClassifier(
            builder=dense, builder_params={"units": units}, epochs=1
        )
        own.fit(X[:64], y[:64])
        for n_rows in (1, 2, 64):
            own.predict(X[:n_rows])
    assert "retracing" not in tensorflow_log.text


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others compile numbers in")
def test_a_search_builds_each_structure_once(digits, monkeypatch):
    skmnist.clear_programs()
    built = []
    build = loops.TrainingNumbers.build

    def recording(self, spec, dtype):
        built.append(spec.parameters["dropout"])
        return build(self, spec, dtype)

    monkeypatch.setattr(loops.TrainingNumbers, "build", recording)
    grid = {"learning_rate": [0.01, 0.02], "dropout": [0.0, 0.1, 0.2]}
    GridSearchCV(small_mlp(epochs=1), grid, cv=2, refit=False).fit(*digits)
    assert built == [0.0, 0.1]


@pytest.mark.parametrize(
    ("changed", "is_same"),
    [
        ({"dropout": 0.1}, True),
        ({"l2": 0.3}, True),
        ({"l1": 0.3}, False),
        ({"dropout": 0.0}, False),
        ({"units": 5}, False),
        ({"activation": "tanh"}, False),
        ({"kernel_initializer": "he_normal"}, True),
    ],
)
def test_numbers_alone_make_no_other_structure(changed, is_same):
    from skmnist._training.layers import structure

    usual = {"units": 4, "dropout": 0.2, "l2": 0.1}
    one, other = (
        structure(NetworkSpec(build_mlp, (9,), 10, parameters))
        for parameters in (usual, {**usual, **changed})
    )
    assert (one == other) == is_same


def test_fits_that_begin_with_the_same_network_leave_it_as_it_was(digits):
    X, y = digits

    def weights(seed):
        return small_mlp(random_state=seed).fit(X, y).model_.get_weights()

    skmnist.clear_programs()
    first, other, again = map(weights, (0, 1, 0))
    skmnist.clear_programs()
    anew = weights(0)
    assert all(map(np.array_equal, first, again))
    assert all(map(np.array_equal, first, anew))
    assert not any(map(np.array_equal, first, other))
