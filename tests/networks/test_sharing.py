"""What fits share and what they must not: compiled models, descriptions, policies."""

import copy

import numpy as np
import pytest
from builders import BACKEND, dense, small_mlp

from skmnist import KerasCNNClassifier, KerasImageClassifier, clear_programs
from skmnist.networks import build_mlp


def own(builder, **params):
    return KerasImageClassifier(builder=builder, epochs=2, random_state=0, **params)


def test_a_layer_that_was_adapted_to_data_is_refused(digits, keras):
    X, y = digits

    def builder(input_shape, n_classes):
        scale = keras.layers.Normalization(axis=None)
        scale.adapt(X * 255)
        model = dense(input_shape, n_classes)
        return keras.Sequential([keras.Input(input_shape), scale, *model.layers])

    with pytest.raises(ValueError, match="give Normalization its mean"):
        own(builder).fit(X * 255, y)


def test_a_layer_that_describes_itself_wrongly_is_refused(digits, keras):
    X, y = digits

    class Forgetful(keras.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

        def get_config(self):
            return {"name": self.name}

    def builder(input_shape, n_classes):
        layers = [keras.Input(input_shape), Forgetful(-5.0)]
        return keras.Sequential([*layers, *dense(input_shape, n_classes).layers])

    with pytest.raises(ValueError, match="does not give the same network"):
        own(builder).fit(X, y)


@pytest.mark.parametrize("activation", [None, "sigmoid"])
def test_a_network_that_gives_no_probabilities_is_refused(digits, keras, activation):
    X, y = digits

    def builder(input_shape, n_classes):
        return keras.Sequential(
            [
                keras.Input(input_shape),
                keras.layers.Flatten(),
                keras.layers.Dense(n_classes, activation=activation),
            ]
        )

    with pytest.raises(ValueError, match="end it with a softmax"):
        own(builder).fit(X, y)


def test_an_optimizer_class_that_is_defined_anew_is_used_as_it_is_now(digits, keras):
    X, y = digits

    def optimizer_class(moves):
        class Own(keras.optimizers.SGD):
            def update_step(self, gradient, variable, learning_rate):
                if moves:
                    super().update_step(gradient, variable, learning_rate)

        return Own

    moving = small_mlp(optimizer=optimizer_class(True), learning_rate=0.5).fit(X, y)
    resting = small_mlp(optimizer=optimizer_class(False), learning_rate=0.5).fit(X, y)
    assert moving.history_["loss"][-1] < moving.history_["loss"][0] - 0.1
    assert resting.history_["loss"][-1] == pytest.approx(
        resting.history_["loss"][0], abs=0.05
    )


def test_a_callback_that_changes_its_model_reaches_no_other_fit(digits, keras):
    X, y = digits

    class Freezing(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.model.layers[1].trainable = False

    expected = small_mlp(units=21).fit(X, y).predict_proba(X)
    small_mlp(units=21, callbacks=[Freezing()]).fit(X, y)
    assert np.array_equal(small_mlp(units=21).fit(X, y).predict_proba(X), expected)


def test_a_callback_that_a_function_returned_has_no_hold_of_later_fits(digits, keras):
    X, y = digits
    history = keras.callbacks.History()
    small_mlp(epochs=1, callbacks=[lambda: history]).fit(X, y)
    assert len(history.history["loss"]) == 1
    if history.model is not None:
        history.model.layers[-1].trainable = False
        history.model.compile("sgd", "mse")
    after = small_mlp(epochs=1).fit(X, y).predict_proba(X)
    clear_programs()
    np.testing.assert_array_equal(after, small_mlp(epochs=1).fit(X, y).predict_proba(X))


def test_a_callback_that_keeps_its_model_keeps_it_alone(digits, keras):
    X, y = digits
    kept = []

    class Keeping(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            kept.append(self.model)

    small_mlp(units=22, callbacks=[Keeping]).fit(X, y)
    before = [array.copy() for array in kept[0].get_weights()]
    small_mlp(units=22, random_state=1).fit(X, y)
    for array, weight in zip(before, kept[0].get_weights(), strict=True):
        assert np.array_equal(array, weight)


@pytest.mark.parametrize("policy", ["mixed_float16", "float64"])
def test_the_policy_of_the_process_does_not_matter(digits, keras, policy):
    X, y = digits
    expected = small_mlp(units=23).fit(X, y).predict_proba(X)
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy(policy)
    try:
        given = small_mlp(units=23).fit(X, y).predict_proba(X)
        again = small_mlp(units=24).fit(X, y)._network.weights
    finally:
        keras.config.set_dtype_policy(before)
    np.testing.assert_allclose(given, expected, rtol=1e-5)
    assert {array.dtype for array in again} == {np.dtype(np.float32)}


def test_the_float_type_of_the_process_does_not_outlast_it(digits, keras):
    X, y = digits
    clear_programs()
    expected = small_mlp(units=23).fit(X, y).predict_proba(X)
    clear_programs()
    before = keras.config.floatx()
    keras.config.set_floatx("float16")
    try:
        small_mlp(units=23, l2=1e-3).fit(X, y)
    finally:
        keras.config.set_floatx(before)
    assert np.array_equal(small_mlp(units=23).fit(X, y).predict_proba(X), expected)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="strategies are TensorFlow's")
def test_a_fit_may_be_in_the_scope_of_a_strategy(digits):
    import tensorflow as tf

    X, y = digits
    expected = small_mlp().fit(X, y).predict_proba(X)
    clear_programs()
    with tf.distribute.MirroredStrategy(["cpu:0"]).scope():
        model = small_mlp().fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), expected, rtol=1e-3, atol=1e-4)
    assert np.array_equal(small_mlp().fit(X, y).predict_proba(X), expected)


def test_divergence_in_the_very_last_step_raises(digits):
    X, y = digits
    model = small_mlp(epochs=1, batch_size=1000, optimizer="sgd", learning_rate=1e38)
    with pytest.raises(FloatingPointError, match="diverged"):
        model.fit(X, y)
    assert not hasattr(model, "classes_")


def test_pixels_that_are_too_large_to_predict_are_named(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    huge = X[:3].copy()
    huge[1] = 3e38
    with pytest.raises(ValueError, match="row 1 of X"):
        model.predict(huge)


def test_partial_fit_checks_parameters_that_were_set_since(digits):
    X, y = digits
    model = small_mlp().fit(X, y).set_params(batch_size=0)
    with pytest.raises(ValueError, match="batch_size"):
        model.partial_fit(X, y)


def test_weights_of_any_size_train_alike(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    huge = small_mlp().fit(X, y, sample_weight=np.full(len(X), 1e308))
    np.testing.assert_allclose(
        huge.predict_proba(X), model.predict_proba(X), rtol=1e-3, atol=1e-5
    )


def test_a_class_without_weight_remains_a_class(digits):
    X, y = digits
    model = small_mlp().fit(X, y, sample_weight=(y != 3).astype(float))
    assert model.predict_proba(X).shape == (len(X), 10)


@pytest.mark.parametrize(("filters", "units"), [(4, 8), ((2, 3, 4), (8, 6))])
def test_cnn_defaults_go_with_any_depth(digits, filters, units):
    X, y = digits
    model = KerasCNNClassifier(
        filters=filters, units=units, kernel_size=2, epochs=1, random_state=0
    )
    assert model.fit(X, y).score(X, y) >= 0


def test_pixels_may_not_change_places_between_fit_and_predict():
    rng = np.random.default_rng(0)
    images = rng.random((40, 6, 6, 3), dtype=np.float32)
    model = small_mlp(epochs=1).fit(images, np.arange(40) % 2)
    expected = model.predict_proba(images)
    channels_first = np.moveaxis(images, -1, 1)
    np.testing.assert_array_equal(model.predict_proba(channels_first), expected)
    with pytest.raises(ValueError, match="shape"):
        model.predict(np.moveaxis(images, -1, 2))


def test_a_copy_in_memory_goes_on_as_the_original_does(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    twin = copy.deepcopy(model)
    assert np.array_equal(
        model.partial_fit(X, y).predict_proba(X),
        twin.partial_fit(X, y).predict_proba(X),
    )


def test_a_batch_may_be_larger_than_any_data(digits):
    X, y = digits
    assert small_mlp(batch_size=10**12, epochs=1).fit(X, y).n_iter_ == 1


def test_an_activation_that_is_defined_anew_is_used_as_it_is_now(digits, keras):
    X, y = digits

    def fitted(factor):
        @keras.saving.register_keras_serializable("tests")
        def tuned(x):
            return factor * x

        return KerasImageClassifier(
            builder=build_mlp,
            builder_params={"units": 8, "activation": tuned},
            image_shape="flat",
            epochs=1,
            random_state=0,
        ).fit(X, y)

    fitted(1.0)
    second = fitted(0.0)
    assert second.history_["loss"][0] == pytest.approx(np.log(10), rel=0.02)
    np.testing.assert_allclose(
        second.predict_proba(X), second.model_.predict(X, verbose=0), atol=1e-6
    )


@pytest.mark.parametrize("name", ["glorot_uniform", "of_the_tests"])
def test_what_a_name_means_for_a_while_does_not_stay(digits, keras, name):
    X, y = digits

    def fitted(factor):
        class Scaled(keras.initializers.Initializer):
            def __call__(self, shape, dtype=None):
                return factor * keras.ops.ones(shape, dtype)

        with keras.saving.custom_object_scope({name: Scaled, "Scaled": Scaled}):
            return small_mlp(kernel_initializer=name, epochs=1).fit(X, y)

    for factor in (0.01, 0.02):
        weights = fitted(factor)._network.weights[0]
        assert abs(weights - factor).mean() < 0.005
    # The name that Keras knows means to others what it did before.
    clear_programs()
    expected = small_mlp(epochs=1).fit(X, y)._network.weights[0]
    clear_programs()
    fitted(0.01)
    assert np.array_equal(small_mlp(epochs=1).fit(X, y)._network.weights[0], expected)


def test_a_function_that_cannot_be_described_is_refused_before_training(digits):
    model = KerasImageClassifier(
        builder=build_mlp,
        builder_params={"units": 8, "activation": lambda x: x * x},
        image_shape="flat",
        epochs=1,
    )
    with pytest.raises(ValueError, match="cannot be described as data"):
        model.fit(*digits)


def test_a_live_model_that_was_changed_is_not_taken_for_the_trained_one(digits):
    X, y = digits
    clf = small_mlp().fit(X, y)
    model = clf.model_
    model.set_weights([0 * array for array in model.get_weights()])
    model.compile("sgd", "mse")
    model.trainable = False
    np.testing.assert_allclose(
        clf.model_.predict(X, verbose=0), clf.predict_proba(X), atol=1e-6
    )
    assert type(clf.model_.optimizer).__name__ == "Adam"
    assert clf.model_.trainable_weights
