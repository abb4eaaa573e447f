"""A fit that fails leaves the classifier exactly as it was."""

import contextlib
import os
import signal

import numpy as np
import pytest
from builders import BACKEND, dense, small_mlp
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.model_selection import GridSearchCV
from sklearn.utils.validation import check_is_fitted

from skmnist import KerasImageClassifier

DIVERGES = {"optimizer": "sgd", "learning_rate": 1e38}


class Interrupted:
    """Makes a callback that interrupts training after its second epoch."""

    def __init__(self, error):
        self.error = error

    def __call__(self):
        import keras

        def stop(epoch, logs):
            if epoch % 3 == 1:
                raise self.error

        return keras.callbacks.LambdaCallback(on_epoch_end=stop)


def broken_builder(input_shape, n_classes):
    raise RuntimeError("no network today")


FAILURES = {
    "divergence": (DIVERGES, {}, FloatingPointError),
    "Ctrl-C": (
        {"callbacks": [Interrupted(KeyboardInterrupt())]},
        {},
        KeyboardInterrupt,
    ),
    "exit": ({"callbacks": [Interrupted(SystemExit(1))]}, {}, SystemExit),
    "callback": ({"callbacks": [Interrupted(OSError("full"))]}, {}, OSError),
    "optimizer": ({"optimizer": "addam"}, {}, ValueError),
    "validation data": ({}, {"X_val": np.zeros((2, 63)), "y_val": [0, 1]}, ValueError),
    "weights": ({}, {"sample_weight": -np.ones(300)}, ValueError),
    "parameter": ({"dropout": 1.5}, {}, ValueError),
}


@pytest.mark.parametrize("why", FAILURES)
def test_an_unfitted_classifier_stays_unfitted(why, digits):
    params, data, error = FAILURES[why]
    model = small_mlp(**params)
    before = dict(vars(model))
    with pytest.raises(error):
        model.fit(*digits, **data)
    assert vars(model) == before
    with pytest.raises(NotFittedError):
        check_is_fitted(model)
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize("warm_start", [False, True])
@pytest.mark.parametrize("why", FAILURES)
def test_a_fitted_classifier_stays_as_it_was(why, warm_start, digits):
    X, y = digits
    params, data, error = FAILURES[why]
    model = small_mlp(epochs=3, warm_start=warm_start).fit(X[:, :64], y % 3)
    expected = model.predict_proba(X)
    history = {name: list(curve) for name, curve in model.history_.items()}
    model.set_params(**params)
    before = dict(vars(model))
    with pytest.raises(error):
        # Other labels, if the network starts from scratch.
        model.fit(X, y % 3 if warm_start else y, **data)
    assert {name: id(value) for name, value in vars(model).items()} == {
        name: id(value) for name, value in before.items()
    }
    assert np.array_equal(model.predict_proba(X), expected)
    assert model.history_ == history


def test_training_goes_on_after_an_interruption_as_if_nothing_had_been(digits):
    X, y = digits
    whole = small_mlp(epochs=1).fit(X, y).partial_fit(X, y)
    model = small_mlp(epochs=1).fit(X, y)
    model.set_params(callbacks=[Interrupted(KeyboardInterrupt())])
    with pytest.raises(KeyboardInterrupt):
        model.partial_fit(X, y)
    model.set_params(callbacks=None).partial_fit(X, y)
    assert np.array_equal(model.predict_proba(X), whole.predict_proba(X))


def test_the_failure_of_one_fit_does_not_reach_the_next(digits):
    X, y = digits
    expected = small_mlp().fit(X, y).predict_proba(X)
    for params in (DIVERGES, {"callbacks": [Interrupted(KeyboardInterrupt())]}):
        with pytest.raises((FloatingPointError, KeyboardInterrupt)):
            small_mlp(**params).fit(X, y)
        assert np.array_equal(small_mlp().fit(X, y).predict_proba(X), expected)


def test_a_failed_change_of_the_builder_leaves_the_old_network(digits):
    X, y = digits
    model = KerasImageClassifier(builder=dense, epochs=1).fit(X, y)
    expected = model.predict_proba(X)
    with pytest.raises(RuntimeError, match="no network today"):
        model.set_params(builder=broken_builder).fit(X, y)
    assert np.array_equal(model.predict_proba(X), expected)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"units": 20}, "units from 16 to 20"),
        ({"dropout": 0.5, "l2": 0.1}, "dropout from .* to 0.5, l2 from 0.0 to 0.1"),
        ({"activation": "tanh"}, "activation from 'relu' to 'tanh'"),
        ({"precision": "float64"}, "dtype from 'float32' to 'float64'"),
    ],
    ids=str,
)
def test_training_cannot_resume_with_another_network(changed, said, digits):
    X, y = digits
    model = small_mlp(warm_start=True).fit(X, y)
    expected = model.predict_proba(X)
    message = f"has changed: {said}. Change it back"
    for resume in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=message):
            model.set_params(**changed) and resume(X, y)
    assert np.array_equal(model.predict_proba(X), expected)


def test_a_loss_of_nan_says_what_to_do(digits):
    with pytest.raises(
        FloatingPointError, match=r"loss became \w+ in epoch 1.* lower learning_rate"
    ):
        small_mlp(**DIVERGES).fit(*digits)


def test_the_very_last_step_may_diverge_as_well(digits):
    X, y = digits
    # The loss of the only step is that of the weights before it.
    with pytest.raises(FloatingPointError, match="are not finite"):
        small_mlp(**DIVERGES, epochs=1, batch_size=300).fit(1000 * X, y)


@pytest.mark.filterwarnings("ignore:One or more of the test scores")
def test_a_loss_of_nan_becomes_a_nan_cell_in_a_search(digits):
    X, y = digits
    search = GridSearchCV(
        small_mlp(optimizer="sgd"), {"learning_rate": [0.01, 1e38]}, cv=2
    )
    with pytest.warns(FitFailedWarning, match=r"(?s)2 fits failed.*loss became"):
        search.fit(X, y)
    first, second = search.cv_results_["mean_test_score"]
    assert first > 0
    assert np.isnan(second)
    assert search.best_params_ == {"learning_rate": 0.01}


def test_a_failed_fit_leaves_no_setting_of_keras_changed(digits, keras):
    before = keras.config.dtype_policy().name, keras.config.floatx()
    precision = "float32" if BACKEND == "jax" else "float64"
    with pytest.raises(FloatingPointError):
        # A step multiplies the weights by 1e76, too much even for float64.
        small_mlp(**DIVERGES, l2=1e38, precision=precision).fit(*digits)
    assert (keras.config.dtype_policy().name, keras.config.floatx()) == before


@pytest.fixture
def ctrl_c():
    """Raise KeyboardInterrupt at Ctrl-C, as Python does unless told otherwise."""
    if os.name != "posix":
        pytest.skip("needs POSIX signals")
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield lambda: signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, previous)


@pytest.mark.parametrize("method", ["fit", "predict"])
def test_ctrl_c_is_no_fault_of_the_network(digits, keras, method, ctrl_c):
    X, y = digits
    wanted = False

    class PressesCtrlC(keras.layers.Layer):
        """Has Ctrl-C pressed while it is traced, and C++ make another error of it."""

        def call(self, inputs):
            if wanted:
                try:
                    ctrl_c()
                except KeyboardInterrupt:
                    raise TypeError("of the C++ code") from None
            return inputs

    def builder(input_shape, n_classes):
        layers = dense(input_shape, n_classes).layers
        return keras.Sequential([keras.Input(input_shape), PressesCtrlC(), *layers])

    model = KerasImageClassifier(builder=builder, epochs=1)
    if method == "predict":
        model.fit(X, y)
    wanted = True
    with pytest.raises(KeyboardInterrupt):
        getattr(model, method)(*(X, y)[: 2 if method == "fit" else 1])
    assert hasattr(model, "classes_") == (method == "predict")


@pytest.mark.parametrize("keras_loop", ["0", "1"])
def test_ctrl_c_that_gets_lost_ends_training(
    digits, keras, ctrl_c, keras_loop, monkeypatch
):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", keras_loop)
    epochs = []

    class LosesIt(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch, logs=None):
            epochs.append(epoch)
            if epoch == 1:
                with contextlib.suppress(KeyboardInterrupt):
                    ctrl_c()

    model = small_mlp(epochs=5, callbacks=[LosesIt])
    with pytest.raises(KeyboardInterrupt):
        model.fit(*digits)
    assert epochs == [0, 1]
