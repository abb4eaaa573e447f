"""Networks from user-defined builders, and faults in those."""

import functools

import numpy as np
import pytest
from builders import BACKEND, dense

from skmnist import KerasImageClassifier


def own(builder, **params):
    small = {"epochs": 2, "batch_size": 64, "random_state": 0}
    return KerasImageClassifier(builder=builder, **{**small, **params})


@pytest.mark.parametrize(
    ("image_shape", "expected"),
    [
        (None, (8, 8, 1)),
        ("flat", (64,)),
        ("row", (1, 64, 1)),
        ((4, 16), (4, 16, 1)),
        ([4, 4, 4], (4, 4, 4)),
    ],
)
def test_a_builder_is_given_the_shape_of_an_image(image_shape, expected, digits):
    X, y = digits
    given = []

    def builder(input_shape, n_classes):
        given.append((input_shape, n_classes))
        return dense(input_shape, n_classes)

    model = own(builder, image_shape=image_shape).fit(X, y)
    assert given[0] == (expected, 10)
    assert model.image_shape_ == expected
    assert model.predict(X.reshape(-1, *expected)).shape == y.shape


def test_parameters_of_a_builder_are_passed_on(digits):
    model = own(dense, builder_params={"units": 5}).fit(*digits)
    assert model.n_parameters_ == 65 * 5 + 6 * 10


def shifted(input_shape, n_classes, mean):
    import keras

    model = dense(input_shape, n_classes)
    scale = keras.layers.Normalization(axis=None, mean=float(mean.mean()), variance=1.0)
    return keras.Sequential([keras.Input(input_shape), scale, *model.layers])


def test_parameters_of_a_builder_may_be_arrays(digits):
    X, y = digits
    model = KerasImageClassifier(
        builder=shifted,
        builder_params={"mean": X.mean(axis=0)},
        epochs=1,
        warm_start=True,
    )
    assert model.fit(X, y).fit(X, y).n_iter_ == 2
    model.set_params(builder_params={"mean": X.mean(axis=0) + 1})
    with pytest.raises(ValueError, match="Training cannot resume"):
        model.fit(X, y)


def test_a_builder_may_be_a_partial_or_an_object(digits):
    class Builder:
        def __call__(self, input_shape, n_classes, units=5):
            return dense(input_shape, n_classes, units)

    for builder in (functools.partial(dense, units=5), Builder()):
        model = own(builder).fit(*digits)
        assert model.n_parameters_ == 65 * 5 + 6 * 10
        with pytest.raises(ValueError, match=r"'widht'.*first two"):
            own(builder, builder_params={"widht": 3}).fit(*digits)


def test_all_that_a_model_asks_for_is_done_while_training(digits, keras, monkeypatch):
    X, y = digits

    def builder(input_shape, n_classes):
        layers = keras.layers
        return keras.Sequential(
            [
                keras.Input(input_shape),
                layers.Flatten(),
                layers.Dense(
                    16, kernel_constraint=keras.constraints.MaxNorm(0.5), use_bias=False
                ),
                layers.BatchNormalization(),
                layers.ActivityRegularization(l2=0.01),
                layers.GaussianNoise(0.1),
                layers.Dense(n_classes, activation="softmax"),
            ]
        )

    model = own(builder, learning_rate=0.05).fit(X, y)
    kernel = model.model_.get_weights()[0]
    assert np.linalg.norm(kernel, axis=0).max() < 0.5 + 1e-5
    moving_mean = model.model_.layers[2].moving_mean
    assert np.abs(keras.ops.convert_to_numpy(moving_mean)).max() > 1e-3
    live = model.model_.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(model.predict_proba(X), live, rtol=1e-4, atol=1e-6)
    if BACKEND == "tensorflow":
        monkeypatch.setenv("SKMNIST_KERAS_LOOP", "1")
        slow = own(builder, learning_rate=0.05).fit(X, y)
        np.testing.assert_allclose(
            slow.predict_proba(X), model.predict_proba(X), rtol=1e-2, atol=1e-3
        )
    again = own(builder, learning_rate=0.05, epochs=1, warm_start=True)
    again.fit(X, y).fit(X, y)
    monkeypatch.undo()
    assert again.history_["loss"] == pytest.approx(model.history_["loss"], rel=1e-3)


def test_a_model_may_be_compiled_already(digits, keras):
    def builder(input_shape, n_classes):
        model = dense(input_shape, n_classes)
        model.compile(optimizer="sgd", loss="mse", metrics=["mae"])
        return model

    compiled = own(builder).fit(*digits)
    assert set(compiled.history_) == {"loss", "accuracy"}
    assert compiled.history_ == own(dense).fit(*digits).history_


def test_a_class_defined_anew_is_not_taken_for_its_former_self(digits, keras):
    X, _ = digits
    y = (X.sum(axis=1) > np.median(X.sum(axis=1))).astype(int)

    def builder_with_layer(factor):
        class Scale(keras.layers.Layer):
            def call(self, inputs):
                return inputs * factor

        def builder(input_shape, n_classes):
            return keras.Sequential(
                [
                    keras.Input(input_shape),
                    keras.layers.Flatten(),
                    Scale(),
                    keras.layers.Dense(n_classes, activation="softmax"),
                ]
            )

        return builder

    constant = own(builder_with_layer(0.0)).fit(X, y)
    assert np.ptp(constant.predict_proba(X), axis=0).max() < 1e-6
    changed = own(builder_with_layer(1.0)).fit(X, y)
    assert np.ptp(changed.predict_proba(X), axis=0).max() > 1e-3
    assert np.ptp(constant.predict_proba(X), axis=0).max() < 1e-6


def nothing(keras, shape, n):
    return None


def unbuilt(keras, shape, n):
    return keras.Sequential([keras.layers.Dense(n, activation="softmax")])


def too_wide(keras, shape, n):
    return dense(shape, n + 1)


def forgets_to_flatten(keras, shape, n):
    inputs = keras.Input(shape)
    return keras.Model(inputs, keras.layers.Dense(n)(inputs))


def two_inputs(keras, shape, n):
    inputs = [keras.Input(shape), keras.Input(shape)]
    both = keras.layers.Flatten()(keras.layers.Add()(inputs))
    return keras.Model(inputs, keras.layers.Dense(n, activation="softmax")(both))


def other_shape(keras, shape, n):
    return dense((3, 3, 1), n)


def with_lambda(keras, shape, n):
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Lambda(lambda pixels: pixels / 2),
            keras.layers.Flatten(),
            keras.layers.Dense(n, activation="softmax"),
        ]
    )


def own_activation(keras, shape, n):
    return dense(shape, n, activation=lambda value: keras.ops.sin(value))


def subclassed(keras, shape, n):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.flatten = keras.layers.Flatten()
            self.dense = keras.layers.Dense(n, activation="softmax")

        def call(self, inputs):
            return self.dense(self.flatten(inputs))

    model = Own()
    model.build((None, *shape))
    return model


def without_softmax(keras, shape, n):
    return keras.Sequential(
        [keras.Input(shape), keras.layers.Flatten(), keras.layers.Dense(n)]
    )


FAULTS = {
    nothing: "must return a keras.Model; got NoneType",
    unbuilt: r"input shape is not known: .* begins with keras.Input\(\(8, 8, 1\)\)",
    too_wide: r"output has the shape \(None, 10\), one probability a class; got .* 11",
    forgets_to_flatten: r"output has the shape \(None, 10\).* got \(None, 8, 8, 10\)",
    two_inputs: r"one input of the shape \(None, 8, 8, 1\).* got ",
    other_shape: r"one input of the shape \(None, 8, 8, 1\).* got .*\(None, 3, 3, 1\)",
    with_lambda: "cannot be described as data.*Lambda",
    own_activation: "cannot be described as data",
    without_softmax: "must give probabilities.* softmax",
    subclassed: "not known: let it be a functional or sequential model",
}


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
def test_a_fault_in_a_builder_is_named(fault, digits, keras):
    def builder(input_shape, n_classes):
        return fault(keras, input_shape, n_classes)

    with pytest.raises((TypeError, ValueError), match=FAULTS[fault]):
        own(builder).fit(*digits)


def test_an_error_inside_a_builder_is_passed_on(digits):
    def builder(input_shape, n_classes):
        raise KeyError("something user-defined")

    with pytest.raises(KeyError, match="something user-defined"):
        own(builder).fit(*digits)


@pytest.mark.parametrize(
    ("builder", "params", "message"),
    [
        (dense, {"unit": 3}, "'unit'.*Did you mean 'units'.*dense"),
        (lambda input_shape: None, None, "first two arguments are the input shape"),
        ("dense", None, "'builder' .* must be a callable.* Got 'dense'"),
        (dense, 3, "'builder_params' .* Got 3"),
    ],
)
def test_a_builder_that_cannot_be_called_is_refused(builder, params, message, digits):
    with pytest.raises(ValueError, match=message):
        own(builder, builder_params=params).fit(*digits)
