"""The fast loop of TensorFlow does what Keras' own loop does."""

import gc
import weakref

import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp

import skmnist
from skmnist import Augmentation, KerasImageClassifier
from skmnist._training import loops, memory_loop

ENDS = ("begin", "end")

pytestmark = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="the fast loop is TensorFlow's"
)


@pytest.fixture
def fit_on_both(monkeypatch):
    """Fit copies of a classifier on the fast loop and on Keras' own."""
    from sklearn.base import clone

    def fit(model, *args, **kwargs):
        monkeypatch.setenv("SKMNIST_KERAS_LOOP", "0")
        quick = clone(model).fit(*args, **kwargs)
        monkeypatch.setenv("SKMNIST_KERAS_LOOP", "1")
        slow = clone(model).fit(*args, **kwargs)
        return quick, slow

    return fit


@pytest.fixture
def loops_used(monkeypatch):
    """Names of the loops that the fits of a test took."""
    used = []
    choose = loops._loop_class

    def recording(callbacks, model=None):
        used.append(choose(callbacks, model))
        return used[-1]

    monkeypatch.setattr(loops, "_loop_class", recording)
    return lambda: {loop.__name__ for loop in used}


@pytest.mark.parametrize(
    "params",
    [
        {},
        {"units": 600, "epochs": 2},
        {"l2": 1e-3, "l1": 1e-4},
        {"l2": 1e-3, "l1": 1e-4, "precision": "float64"},
        {"label_smoothing": 0.2, "validation_fraction": 0.2},
        {"batch_normalization": True},
        {"batch_normalization": True, "precision": "float64"},
        {"augmentation": Augmentation(rotation=20, elastic=0.05, erasing=0.3)},
        {"ema_momentum": 0.5, "weight_decay": 0.1},
        {"class_weight": {0: 3.0}},
        {"validation_fraction": 0.2},
        {"learning_rate": 0.01},
        {"optimizer": {"class_name": "Adam", "config": {"amsgrad": True}}},
        {"optimizer": {"class_name": "Adam", "config": {"clipnorm": 0.01}}},
        {"optimizer": {"class_name": "Adam", "config": {"use_ema": True}}},
        {"optimizer": {"class_name": "Adam", "config": {"weight_decay": 1.0}}},
        {"optimizer": {"class_name": "Adam", "config": {"clipvalue": 1e-9}}},
        {"optimizer": {"class_name": "Adam", "config": {"global_clipnorm": 1e-6}}},
        {
            "optimizer": {
                "class_name": "Adam",
                "config": {"gradient_accumulation_steps": 2},
            }
        },
        {
            "optimizer": {
                "class_name": "Adam",
                "config": {"beta_1": 0.5, "beta_2": 0.8, "epsilon": 0.01},
            }
        },
        {"optimizer": "adamw", "learning_rate": 0.01},
        {"optimizer": "sgd"},
        {
            "optimizer": {
                "class_name": "SGD",
                "config": {"learning_rate": 0.1, "loss_scale_factor": 1024.0},
            }
        },
        *(
            {
                "optimizer": {
                    "class_name": "SGD",
                    "config": {
                        "learning_rate": 0.1,
                        "momentum": 0.9,
                        "nesterov": nesterov,
                        "weight_decay": 0.1,
                    },
                },
                "learning_rate_schedule": "one_cycle",
            }
            for nesterov in (False, True)
        ),
        {
            "optimizer": {
                "class_name": "LossScaleOptimizer",
                "config": {
                    "inner_optimizer": {
                        "module": "keras.optimizers",
                        "class_name": "SGD",
                        "config": {"learning_rate": 0.1},
                    }
                },
            }
        },
        {"optimizer": "rmsprop"},
    ],
    ids=str,
)
def test_both_loops_take_the_same_steps(fit_on_both, digits, params):
    X, y = digits
    quick, slow = fit_on_both(small_mlp(dropout=0.3, **params), X, y)
    assert quick.history_.keys() == slow.history_.keys()
    for name, values in slow.history_.items():
        np.testing.assert_allclose(quick.history_[name], values, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(
        quick.predict_proba(X), slow.predict_proba(X), rtol=1e-3, atol=1e-4
    )


def test_both_loops_normalize_images_alike(fit_on_both, digits):
    X, y = digits
    model = small_cnn(
        batch_normalization=True, strides=2, padding="same", global_pooling="max"
    )
    quick, slow = fit_on_both(model, X, y)
    pairs = zip(quick.model_.get_weights(), slow.model_.get_weights(), strict=True)
    for array, other in pairs:
        np.testing.assert_allclose(array, other, rtol=1e-2, atol=1e-4)


@pytest.mark.parametrize("as_bytes", [False, True])
def test_both_loops_take_all_steps_of_a_long_epoch(
    fit_on_both, digits, monkeypatch, as_bytes
):
    X, y = digits
    X = (255 * X).astype(np.uint8) if as_bytes else X
    # Three calls of the graph an epoch; the last one is short, and so is its batch.
    monkeypatch.setattr(memory_loop, "_N_ROWS", 130)
    model = small_mlp(batch_size=32, epochs=2, learning_rate=1e-4)
    weights = np.linspace(0.1, 2.0, len(X))
    quick, slow = fit_on_both(
        model, X, y, sample_weight=weights, X_val=X[::-1], y_val=y[::-1]
    )
    for name, values in slow.history_.items():
        np.testing.assert_allclose(quick.history_[name], values, rtol=1e-4)
    np.testing.assert_allclose(
        quick.predict_proba(X), slow.predict_proba(X), rtol=1e-3, atol=1e-5
    )


@pytest.mark.usefixtures("quick_loop")
def test_calls_of_any_length_give_the_same_bits(digits, monkeypatch):
    X, y = digits
    fits = []
    for n_rows in (999, 50, 1):
        monkeypatch.setattr(memory_loop, "_N_ROWS", n_rows)
        model = small_mlp(epochs=2, batch_size=16, dropout=0.3)
        fits.append(model.fit(X, y, X_val=X[::-1], y_val=y[::-1]))
    expected, *others = fits
    for fitted in others:
        assert fitted.history_ == expected.history_
        for array, other in zip(
            fitted.model_.get_weights(), expected.model_.get_weights(), strict=True
        ):
            np.testing.assert_array_equal(array, other)


@pytest.mark.usefixtures("quick_loop")
def test_ctrl_c_that_a_call_loses_ends_the_fit_behind_it(digits, monkeypatch):
    X, y = digits
    ends = []

    def raise_interrupt():
        ends.append(True)
        if len(ends) == 2:  # of the call for validation
            raise KeyboardInterrupt

    monkeypatch.setattr(memory_loop, "raise_interrupt", raise_interrupt)
    with pytest.raises(KeyboardInterrupt):
        small_mlp(epochs=1).fit(X, y, X_val=X, y_val=y)


def test_both_loops_take_the_same_steps_for_an_embedding(fit_on_both, digits, keras):
    X, y = digits

    def builder(input_shape, n_classes):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Flatten(),
                keras.layers.Embedding(17, 4),
                keras.layers.Flatten(),
                keras.layers.Dense(n_classes, activation="softmax"),
            ]
        )

    # Some grey levels are rare: Keras lets their moments rest where no row has them.
    grey = np.round(16 * X / X.max()).astype(np.float32)
    model = KerasImageClassifier(
        builder=builder, epochs=3, batch_size=8, learning_rate=0.01, random_state=0
    )
    quick, slow = fit_on_both(model, grey, y)
    for one, other in zip(
        quick.model_.get_weights(), slow.model_.get_weights(), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_both_loops_take_the_same_steps_with_weights_of_few_digits(
    fit_on_both, digits, keras, dtype
):
    X, y = digits

    def builder(input_shape, n_classes):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(16, activation="relu", dtype=dtype),
                keras.layers.Dense(n_classes, activation="softmax"),
            ]
        )

    # The first rate is 1 in bfloat16, where Keras' steps are none and not infinite.
    for beta_2 in (0.999, 0.99):
        optimizer = keras.optimizers.Adam(beta_2=beta_2, epsilon=1e-4)
        model = KerasImageClassifier(
            builder=builder, optimizer=optimizer, epochs=3, random_state=0
        )
        quick, slow = fit_on_both(model, X, y)
        np.testing.assert_allclose(
            quick.history_["loss"], slow.history_["loss"], rtol=0.01
        )


@pytest.mark.parametrize("monitor", ["accuracy", "val_accuracy", "val_loss"])
def test_both_loops_tell_callbacks_which_way_a_metric_should_go(
    fit_on_both, digits, keras, monitor
):
    X, y = digits
    # Its mode is "auto": better is more for an accuracy, less for a loss.
    stopping = keras.callbacks.EarlyStopping(monitor, min_delta=0.01, patience=2)
    model = small_mlp(epochs=60, learning_rate=0.01, callbacks=[stopping])
    quick, slow = fit_on_both(model, X, y, X_val=X, y_val=y)
    assert 3 < quick.n_iter_ == slow.n_iter_ < 60


@pytest.mark.parametrize(
    ("name", "config"),
    [
        ("Adam", {}),
        ("Adam", {"clipnorm": 1.0, "use_ema": True}),
        ("AdamW", {}),
    ],
)
@pytest.mark.parametrize(
    ("units", "n_kernels"),
    [(16, 4), (128, 2), (4096, 3)],
    ids=["small", "split too early", "large"],
)
def test_a_step_has_one_kernel_a_variable_and_no_softmax(
    keras, name, config, units, n_kernels
):
    import tensorflow as tf

    from skmnist._training.memory_loop import MemoryLoop

    model = dense((16,), 10, units)
    optimizer = getattr(keras.optimizers, name)(**config)
    loss = keras.losses.SparseCategoricalCrossentropy()
    loop = MemoryLoop(model, optimizer, loss)
    step = tf.function(loop._train_batch, autograph=False).get_concrete_function(
        tf.TensorSpec([None, 16], tf.float32), tf.TensorSpec([None], tf.int32)
    )
    operations = step.graph.get_operations()
    kernels = [o.type for o in operations if "Apply" in o.type]
    assert kernels == ["ResourceApplyAdam"] * n_kernels
    # And no probabilities, which neither the loss nor the number of hits needs.
    [softmax] = [o for o in operations if o.type == "Softmax"]
    assert not softmax.outputs[0].consumers()


@pytest.mark.usefixtures("quick_loop")
def test_rows_in_any_order_of_memory_train_alike(digits):
    X, y = digits
    probabilities = small_mlp(epochs=1).fit(np.asfortranarray(X), y).predict_proba(X)
    expected = small_mlp(epochs=1).fit(X, y).predict_proba(X)
    np.testing.assert_array_equal(probabilities, expected)


def test_both_loops_validate_on_all_of_many_images(fit_on_both, digits):
    X, y = digits
    # More than go through the network at once.
    X_val, y_val = np.concatenate([X, 0.5 * X, 0.1 * X]), np.tile(y, 3)
    quick, slow = fit_on_both(small_mlp(epochs=2), X, y, X_val=X_val, y_val=y_val)
    for name in ("val_loss", "val_accuracy"):
        np.testing.assert_allclose(quick.history_[name], slow.history_[name], rtol=1e-4)
    probabilities = quick.predict_proba(X_val)[np.arange(900), y_val]
    last = quick.history_["val_loss"][-1]
    assert -np.log(probabilities).mean() == pytest.approx(last, rel=1e-4)


def test_both_loops_stop_at_the_same_epoch(fit_on_both, digits):
    X, y = digits
    model = small_cnn(
        early_stopping=True, n_iter_no_change=2, epochs=30, learning_rate=0.05
    )
    quick, slow = fit_on_both(model, X, y)
    assert quick.n_iter_ == slow.n_iter_ < 30
    np.testing.assert_allclose(
        quick.predict_proba(X), slow.predict_proba(X), rtol=1e-2, atol=1e-3
    )


@pytest.mark.parametrize(
    ("hook", "n_batches"), [("on_train_begin", 1), ("on_epoch_begin", 38 + 1)]
)
def test_both_loops_take_one_batch_more_where_an_epoch_is_not_wanted(
    fit_on_both, digits, keras, hook, n_batches
):
    def stop(self, *args, **kwargs):
        self.model.stop_training = args[0] != 0

    stopping = type("Stopping", (keras.callbacks.Callback,), {hook: stop})
    model = small_mlp(batch_size=8, callbacks=[stopping])
    for fitted in fit_on_both(model, *digits):
        assert fitted._training.optimizer_variables[0] == n_batches


def test_optimizer_goes_on_in_the_other_loop(digits, monkeypatch):
    X, y = digits
    whole = small_mlp(epochs=3).fit(X, y)
    parts = small_mlp(epochs=2).fit(X, y)
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", "1")
    parts.partial_fit(X, y)
    np.testing.assert_allclose(
        whole.predict_proba(X), parts.predict_proba(X), rtol=1e-3, atol=1e-4
    )


def test_a_callback_that_looks_at_batches_gets_keras_own_loop(
    digits, keras, loops_used
):
    X, y = digits
    seen = []
    small_mlp(
        epochs=1,
        callbacks=[
            lambda: keras.callbacks.LambdaCallback(
                on_train_batch_end=lambda batch, logs: seen.append(batch)
            )
        ],
    ).fit(X, y)
    assert loops_used() == {"KerasLoop"}
    assert seen == list(range(5))


@pytest.mark.parametrize(
    "hook",
    [f"on_{part}batch_{end}" for part in ("", "train_", "test_") for end in ENDS]
    + [f"on_{part}_{end}" for part in ("train", "epoch", "test") for end in ENDS],
)
def test_every_hook_of_a_callback_that_a_fit_has_is_called(digits, keras, hook):
    seen = []

    def look(self, *args, **kwargs):
        seen.append(args)

    looking = type("Looking", (keras.callbacks.Callback,), {hook: look})
    small_mlp(epochs=1, validation_fraction=0.5, callbacks=[looking]).fit(*digits)
    assert len(seen) >= 1


def test_a_model_with_steps_of_its_own_gets_keras_own_loop(digits, keras, loops_used):
    X, y = digits

    @keras.saving.register_keras_serializable("tests")
    class Own(keras.Model):
        def train_step(self, data):
            logs = super().train_step(data)
            return {**logs, "own": 1.0}

    def builder(input_shape, n_classes):
        model = dense(input_shape, n_classes)
        return Own(model.inputs, model.outputs)

    model = KerasImageClassifier(builder=builder, epochs=2, random_state=0).fit(X, y)
    assert loops_used() == {"KerasLoop"}
    assert model.history_["own"] == [1.0, 1.0]


@pytest.mark.parametrize("step", ["train_step", "test_step"])
def test_a_step_of_a_class_is_taken(digits, keras, loops_used, step):
    taken = []

    def look(self, data):
        taken.append(step)
        return getattr(keras.Model, step)(self, data)

    own = type("Own", (keras.Model,), {step: look})

    def builder(input_shape, n_classes):
        model = dense(input_shape, n_classes)
        return own(model.inputs, model.outputs)

    KerasImageClassifier(builder=builder, epochs=1, validation_fraction=0.5).fit(
        *digits
    )
    assert loops_used() == {"KerasLoop"}
    assert taken


def test_a_layer_with_a_metric_of_its_own_gets_keras_own_loop(
    digits, keras, loops_used
):
    X, y = digits

    @keras.saving.register_keras_serializable("tests")
    class Counting(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.counted = keras.metrics.Sum(name="counted")

        def call(self, inputs, training=False):
            if training:
                self.counted.update_state(keras.ops.ones(()))
            return inputs

    def builder(input_shape, n_classes):
        model = dense(input_shape, n_classes)
        return keras.Sequential([keras.Input(input_shape), Counting(), *model.layers])

    model = KerasImageClassifier(
        builder=builder, epochs=2, batch_size=100, random_state=0
    ).fit(X, y)
    assert loops_used() == {"KerasLoop"}
    assert model.history_["counted"] == [3.0, 3.0]


@pytest.mark.usefixtures("quick_loop")
def test_the_quick_loop_is_the_usual_one(digits, keras, loops_used):
    X, y = digits
    small_mlp(callbacks=[keras.callbacks.ReduceLROnPlateau("loss")]).fit(X, y)
    assert loops_used() == {"MemoryLoop"}


@pytest.mark.parametrize(
    ("switch", "loop"),
    [(word, "MemoryLoop") for word in ("", "0", "false", "off", "No")]
    + [(word, "KerasLoop") for word in ("1", "true", "yes")],
)
def test_the_switch_to_keras_own_loop_reads_as_others_do(
    digits, monkeypatch, loops_used, switch, loop
):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", switch)
    small_mlp(epochs=1).fit(*digits)
    assert loops_used() == {loop}


def test_progress_bar_counts_steps_and_epochs(digits, capsys):
    X, y = digits
    small_mlp(epochs=2, verbose=1).fit(X, y)
    shown = capsys.readouterr().out
    assert "Epoch 2/2" in shown
    assert "5/5" in shown
    assert "accuracy" in shown


@pytest.mark.parametrize("keras_loop", ["0", "1"])
def test_a_loop_that_is_kept_holds_no_data(digits, monkeypatch, keras_loop):
    monkeypatch.setenv("SKMNIST_KERAS_LOOP", keras_loop)
    X, y = digits
    X = X.copy()
    held = weakref.ref(X)
    # The compiled network is kept for later fits.
    small_mlp().fit(X, y)
    del X
    gc.collect()
    assert held() is None


@pytest.mark.parametrize("optimizer", ["adam", "sgd", "rmsprop"])
@pytest.mark.parametrize("keras_loop", ["0", "1"])
def test_nothing_traced_outlives_a_network(digits, monkeypatch, keras_loop, optimizer):
    from tensorflow.python.framework.func_graph import FuncGraph

    monkeypatch.setenv("SKMNIST_KERAS_LOOP", keras_loop)

    def count_graphs():
        skmnist.clear_programs()
        gc.collect()
        return sum(isinstance(thing, FuncGraph) for thing in gc.get_objects())

    X, y = digits
    before = count_graphs()
    small_mlp(epochs=1, optimizer=optimizer).fit(X, y)
    assert count_graphs() <= before
