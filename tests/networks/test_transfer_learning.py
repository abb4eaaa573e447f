"""Pretrained layers under a new head: what is frozen, trained and saved."""

import copy
import functools

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

from skmnist import KerasImageClassifier
from skmnist.persistence import load_model, save_model


def pretrained(keras):
    """A convolution and a normalization whose weights are no initial ones."""
    inputs = keras.Input((8, 8, 1))
    tensor = keras.layers.Conv2D(4, 3, activation="relu", name="conv")(inputs)
    tensor = keras.layers.BatchNormalization(name="norm")(tensor)
    outputs = keras.layers.Dense(8, activation="relu", name="features")(
        keras.layers.Flatten()(tensor)
    )
    model = keras.Model(inputs, outputs, name="pretrained")
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.02, 0.1, w.shape) for w in model.get_weights()])
    return model


def under_a_head(keras, part, nested):
    """A builder with a new head, on the part as a layer or on its graph."""

    def builder(input_shape, n_classes):
        head = keras.layers.Dense(n_classes, activation="softmax", name="head")
        if nested:
            inputs = keras.Input(input_shape)
            return keras.Model(inputs, head(part(inputs)))
        return keras.Model(part.input, head(part.output))

    return builder


def own(builder, **params):
    small = {"epochs": 1, "batch_size": 50, "learning_rate": 0.05, "random_state": 0}
    return KerasImageClassifier(builder=builder, **{**small, **params})


def everything(part):
    part.trainable = False
    return {"conv", "norm", "features"}


def layer_by_layer(part):
    for layer in part.layers:
        layer.trainable = False
    return {"conv", "norm", "features"}


def the_first_layers(part):
    part.get_layer("conv").trainable = False
    part.get_layer("norm").trainable = False
    return {"conv", "norm"}


def all_but_the_last(part):
    part.trainable = False
    part.get_layer("features").trainable = True
    return {"conv", "norm"}


def only_the_normalization(part):
    part.get_layer("norm").trainable = False
    return {"norm"}


def only_one_weight(part):
    part.get_layer("conv").kernel.trainable = False
    return {"conv/kernel"}


def nothing(part):
    return set()


FREEZING = [
    everything,
    layer_by_layer,
    the_first_layers,
    all_but_the_last,
    only_the_normalization,
    only_one_weight,
    nothing,
]


def all_weights(model):
    """All weights by layer and name, whatever they are inside of."""
    return {
        "/".join(variable.path.split("/")[-2:]): np.array(array)
        for variable, array in zip(model.weights, model.get_weights(), strict=True)
    }


@pytest.mark.parametrize(
    ("freeze", "nested"),
    [*((freeze, True) for freeze in FREEZING), (the_first_layers, False)],
)
def test_what_is_frozen_stays_to_the_bit_and_the_rest_is_trained(
    freeze, nested, digits, keras
):
    part = pretrained(keras)
    frozen = freeze(part)
    before = all_weights(part)
    model = own(under_a_head(keras, part, nested)).fit(*digits)
    for trained in (model, copy.deepcopy(model).partial_fit(*digits)):
        after = all_weights(trained.model_)
        stayed = {name for name in before if np.array_equal(after[name], before[name])}
        assert stayed == {n for n in before if {n, n.split("/")[0]} & frozen}
    n_trainable = len(model.model_.trainable_weights)
    n_moving = 0 if "norm" in frozen else 2
    assert n_trainable == len(after) - len(stayed) - n_moving
    assert all(np.array_equal(all_weights(part)[name], before[name]) for name in before)


def test_a_frozen_normalization_uses_the_statistics_that_it_has(digits, keras):
    X, y = digits
    part = pretrained(keras)
    part.trainable = False
    model = own(under_a_head(keras, part, True)).fit(X, y)
    features = part.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    kernel, bias = model.model_.get_layer("head").get_weights()
    scores = features @ kernel + bias
    scores -= scores.max(axis=1, keepdims=True)
    wanted = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
    np.testing.assert_allclose(model.predict_proba(X), wanted, rtol=1e-3, atol=1e-5)


def test_head_and_pretrained_layers_of_one_name_are_refused_in_words(digits, keras):
    part = pretrained(keras)

    def builder(input_shape, n_classes):
        head = keras.layers.Dense(n_classes, activation="softmax", name="features")
        return keras.Model(part.input, head(part.output))

    with pytest.raises(ValueError, match=r"\"features\".*Give the new layers names"):
        own(builder).fit(*digits)


def test_fine_tuning_goes_on_from_a_trained_classifier(digits, keras):
    X, y = digits
    part = pretrained(keras)
    part.trainable = False
    head_only = own(under_a_head(keras, part, True)).fit(X, y)

    def thawed(input_shape, n_classes):
        model = head_only.model_
        model.get_layer("pretrained").trainable = True
        return model

    tuned = own(thawed, learning_rate=1e-3, epochs=3).fit(X, y)
    before, after = (all_weights(m.model_) for m in (head_only, tuned))
    assert not any(np.array_equal(after[name], before[name]) for name in before)
    assert tuned.history_["loss"][0] < head_only.history_["loss"][0]
    again = clone(tuned).fit(X, y)
    assert again.history_ == tuned.history_


def test_pretrained_layers_may_be_a_parameter_that_is_saved(digits, keras, tmp_path):
    X, y = digits
    part = pretrained(keras)
    part.trainable = False
    model = own(builder_with_part, builder_params={"part": part}).fit(X, y)
    assert np.isfinite(cross_val_score(model, X, y, cv=2, n_jobs=2)).all()
    loaded = load_model(save_model(model, tmp_path / "model"))
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.fit(X, y).history_ == model.history_


def builder_with_part(input_shape, n_classes, part):
    import keras

    head = keras.layers.Dense(n_classes, activation="softmax", name="head")
    return keras.Sequential([keras.Input(input_shape), part, head])


def test_a_clone_holds_the_same_layers_but_copies_of_all_else(keras):
    class NotRegistered(keras.layers.Layer):
        pass

    class Builder:
        def __init__(self, layer):
            self.parts = [layer]

        def __call__(self, input_shape, n_classes):
            return None

    layer = NotRegistered()
    part = pretrained(keras)
    only_one_weight(part)
    values = {
        "part": layer,
        "parts": [part, [1]],
        "start": keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(1)),
    }
    for builder in (Builder(layer), functools.partial(builder_with_part, part=layer)):
        model = own(builder, builder_params=values)
        twin = clone(model)
        assert twin.get_params(deep=False).keys() == model.get_params(deep=False).keys()
        assert twin.builder is not builder
        given = (
            twin.builder.keywords["part"]
            if isinstance(builder, functools.partial)
            else twin.builder.parts[0]
        )
        assert given is layer
        assert twin.builder_params is not values
        assert twin.builder_params["part"] is layer
        assert twin.builder_params["start"] is values["start"]
        assert twin.builder_params["parts"][0] is part
        assert twin.builder_params["parts"][1] == [1]
        assert twin.builder_params["parts"][1] is not values["parts"][1]
    assert clone(own(builder_with_part)).builder_params is None
