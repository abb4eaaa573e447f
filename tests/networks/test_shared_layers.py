"""Builders that hand out the same objects at each call: no fit leaks into the next."""

import functools
import itertools

import numpy as np
import pytest
from builders import BACKEND
from joblib import parallel_config
from sklearn.base import clone
from sklearn.model_selection import cross_val_score, cross_validate

from skmnist import KerasImageClassifier


@pytest.fixture(scope="module")
def noise():
    """500 real digits with labels that nothing can be learned about."""
    from sklearn.datasets import load_digits

    X, _ = load_digits(return_X_y=True)
    return (X[:500] / 16).astype("float32"), np.random.default_rng(0).integers(
        0, 2, 500
    )


def memorizing(builder, **params):
    """A classifier that learns its training rows by heart."""
    settings = {"epochs": 30, "batch_size": 50, "learning_rate": 0.02}
    return KerasImageClassifier(
        builder=builder, **{**settings, "random_state": 0, **params}
    )


def backbone(keras, shape=(8, 8, 1)):
    return keras.Sequential(
        [
            keras.Input(shape),
            keras.layers.Flatten(),
            keras.layers.Dense(96, activation="relu", name="inner"),
        ],
        name="backbone",
    )


def headed(keras, shape, n, *parts):
    """A new head on parts that may be old."""
    head = keras.layers.Dense(n, activation="softmax", name="head")
    return keras.Sequential([keras.Input(shape), *parts, head])


def one_model(keras):
    model = headed(keras, (8, 8, 1), 2, backbone(keras))
    return lambda input_shape, n_classes: model


def compiled_and_trained_model(keras):
    model = headed(keras, (8, 8, 1), 2, backbone(keras))
    model.compile("adam", "sparse_categorical_crossentropy")
    model.fit(np.zeros((4, 8, 8, 1)), np.zeros(4), verbose=0)
    return lambda input_shape, n_classes: model


def cached_builder(keras):
    @functools.lru_cache
    def builder(input_shape, n_classes):
        return headed(keras, input_shape, n_classes, backbone(keras))

    return builder


def builder_object_with_a_model(keras):
    class Builder:
        model = None

        def __call__(self, input_shape, n_classes):
            if self.model is None:
                self.model = headed(keras, input_shape, n_classes, backbone(keras))
            return self.model

    return Builder()


def backbone_under_a_new_head(keras):
    shared = backbone(keras)
    return lambda shape, n: headed(keras, shape, n, shared)


def backbone_within_a_model_within_a_model(keras):
    shared = backbone(keras)

    def builder(input_shape, n_classes):
        inner = keras.Sequential([keras.Input(input_shape), shared])
        inputs = keras.Input(input_shape)
        features = keras.Model(inputs, inner(inputs))
        return headed(keras, input_shape, n_classes, features)

    return builder


def graph_that_goes_on(keras):
    shared = backbone(keras)
    head = functools.partial(keras.layers.Dense, activation="softmax", name="head")
    return lambda shape, n: keras.Model(shared.inputs, head(n)(shared.outputs[0]))


def one_layer_called_twice(keras):
    shared = keras.layers.Dense(64, activation="relu", name="shared")

    def builder(input_shape, n_classes):
        inputs = keras.Input(input_shape)
        tensor = shared(shared(keras.layers.Flatten()(inputs)))
        head = keras.layers.Dense(n_classes, activation="softmax", name="head")
        return keras.Model(inputs, head(tensor))

    return builder


def moving_statistics(keras):
    shared = [keras.layers.BatchNormalization(), backbone(keras)]
    return lambda shape, n: headed(keras, shape, n, *shared)


def dropout_that_goes_on(keras):
    shared = [backbone(keras), keras.layers.Dropout(0.1)]
    return lambda shape, n: headed(keras, shape, n, *shared)


def layer_in_a_layer(keras):
    @keras.saving.register_keras_serializable("test_shared_layers")
    class Around(keras.layers.Layer):
        def __init__(self, inner, **kwargs):
            super().__init__(**kwargs)
            self.inner = inner

        def call(self, inputs):
            return self.inner(inputs)

        def get_config(self):
            inner = keras.saving.serialize_keras_object(self.inner)
            return {**super().get_config(), "inner": inner}

        @classmethod
        def from_config(cls, config):
            inner = keras.saving.deserialize_keras_object(config.pop("inner"))
            return cls(inner, **config)

    shared = backbone(keras)
    return lambda shape, n: headed(keras, shape, n, Around(shared))


def layer_in_a_partial(keras):
    def builder(input_shape, n_classes, part):
        return headed(keras, input_shape, n_classes, part)

    return functools.partial(builder, part=backbone(keras))


def weights_in_a_list(keras):
    arrays = backbone(keras).get_weights()

    def builder(input_shape, n_classes):
        part = backbone(keras)
        part.set_weights(arrays)
        return headed(keras, input_shape, n_classes, part)

    return builder


def constant_initializer(keras):
    array = backbone(keras).get_weights()[0]

    def builder(input_shape, n_classes):
        start = keras.initializers.Constant(array.tolist())
        layer = keras.layers.Dense(96, activation="relu", kernel_initializer=start)
        return headed(keras, input_shape, n_classes, keras.layers.Flatten(), layer)

    return builder


def initializer(keras):
    start = keras.initializers.GlorotUniform()

    def builder(input_shape, n_classes):
        layer = keras.layers.Dense(96, activation="relu", kernel_initializer=start)
        return headed(keras, input_shape, n_classes, keras.layers.Flatten(), layer)

    return builder


def penalty_and_constraint(keras):
    parts = {
        "kernel_regularizer": keras.regularizers.L2(1e-5),
        "kernel_constraint": keras.constraints.MaxNorm(5.0),
    }

    def builder(input_shape, n_classes):
        layer = keras.layers.Dense(96, activation="relu", **parts)
        return headed(keras, input_shape, n_classes, keras.layers.Flatten(), layer)

    return builder


def model_of_another_classifier(keras):
    X = np.random.default_rng(0).random((20, 8, 8, 1), dtype=np.float32)
    other = memorizing(one_model(keras), epochs=1).fit(X, [0, 1] * 10)
    return lambda input_shape, n_classes: other.model_


def builder_that_trains(keras):
    def builder(input_shape, n_classes):
        model = headed(keras, input_shape, n_classes, backbone(keras))
        model.compile("adam", "sparse_categorical_crossentropy")
        model.fit(
            np.ones((4, 8, 8, 1)), np.array([0, 1, 0, 1]), verbose=0, shuffle=False
        )
        return model

    return builder


SHARED = [
    one_model,
    compiled_and_trained_model,
    cached_builder,
    builder_object_with_a_model,
    backbone_under_a_new_head,
    backbone_within_a_model_within_a_model,
    graph_that_goes_on,
    one_layer_called_twice,
    moving_statistics,
    dropout_that_goes_on,
    layer_in_a_layer,
    layer_in_a_partial,
    weights_in_a_list,
    constant_initializer,
    initializer,
    penalty_and_constraint,
    model_of_another_classifier,
]


FOLDS = np.arange(500).reshape(5, 100)


def weights_of(model):
    return model.model_.get_weights()


def equal(one, other):
    return len(one) == len(other) and all(map(np.array_equal, one, other))


@pytest.mark.parametrize("sharing", SHARED, ids=lambda sharing: sharing.__name__)
def test_random_labels_stay_at_chance_and_equal_seeds_give_equal_networks(
    sharing, noise, keras
):
    X, y = noise
    model = memorizing(sharing(keras))
    folds = cross_validate(
        model,
        X,
        y,
        cv=[(np.delete(np.arange(500), rows), rows) for rows in FOLDS],
        error_score="raise",
        return_estimator=True,
        return_train_score=True,
    )
    assert folds["train_score"].mean() > 0.65  # enough to give other folds away
    assert folds["test_score"].mean() < 0.6
    again = model.fit(np.delete(X, FOLDS[0], axis=0), np.delete(y, FOLDS[0]))
    assert equal(weights_of(again), weights_of(folds["estimator"][0]))


@pytest.mark.parametrize("held", ["model", "layer"])
def test_parameters_of_a_builder_may_be_layers(held, noise, keras):
    X, y = noise
    part = backbone(keras)
    if held == "layer":
        part = keras.layers.Dense(96, activation="relu")

    def builder(input_shape, n_classes, part):
        return headed(keras, input_shape, n_classes, keras.layers.Flatten(), part)

    if held == "model":
        part = backbone(keras, shape=(64,))
    model = memorizing(builder, builder_params={"part": part})
    first = weights_of(model.fit(X, y))
    assert cross_val_score(model, X, y, cv=5, error_score="raise").mean() < 0.6
    assert equal(weights_of(model.fit(X, y)), first)
    assert equal(weights_of(clone(model).fit(X, y)), first)


@pytest.mark.parametrize(
    ("sharing", "backend"),
    [
        (one_model, "threading"),
        (backbone_under_a_new_head, "threading"),
        (one_model, "loky"),
    ],
)
def test_fits_beside_one_another_share_nothing(sharing, backend, noise, keras):
    X, y = noise
    model = memorizing(sharing(keras))
    alone = cross_val_score(model, X, y, cv=2, error_score="raise")
    with parallel_config(backend=backend, n_jobs=2):
        beside = cross_val_score(model, X, y, cv=2, error_score="raise")
    assert alone.mean() < 0.6
    # Workers have other numbers of threads, which round otherwise.
    assert np.abs(beside - alone).max() <= (0 if backend == "threading" else 0.1)


@pytest.mark.parametrize("sharing", [one_model, compiled_and_trained_model])
def test_a_fit_does_not_change_what_a_builder_returned(sharing, digits, keras):
    X, y = digits
    builder = sharing(keras)
    model = builder((8, 8, 1), 2)
    before, compiled = model.get_weights(), model.compiled
    optimizer = getattr(model, "optimizer", None)
    memorizing(builder, epochs=1).fit(X, y % 2)
    assert equal(model.get_weights(), before)
    assert model.compiled is compiled
    assert getattr(model, "optimizer", None) is optimizer
    if compiled:
        assert model.evaluate(X.reshape(-1, 8, 8, 1), y % 2, verbose=0) > 0


def test_a_fit_begins_with_the_weights_of_the_builders_model(digits, keras):
    X, y = digits
    builder = one_model(keras)
    before = builder((8, 8, 1), 2).get_weights()
    frozen = memorizing(builder, epochs=1, learning_rate=1e-12).fit(X, y % 2)
    for given, wanted in zip(weights_of(frozen), before, strict=True):
        np.testing.assert_allclose(given, wanted, atol=1e-6)


def test_training_goes_on_from_its_own_weights(digits, keras):
    X, y = digits
    whole = memorizing(one_model(keras), epochs=3).fit(X, y % 2)
    for way in ("warm_start", "partial_fit"):
        builder = one_model(keras)
        builder((8, 8, 1), 2).set_weights(whole.builder((8, 8, 1), 2).get_weights())
        model = memorizing(builder, epochs=1, warm_start=way == "warm_start")
        model.fit(X, y % 2)
        memorizing(builder, epochs=2).fit(X, y % 2)  # another one in between
        for _ in range(2):
            if way == "warm_start":
                model.fit(X, y % 2)
            else:
                model.partial_fit(X, y % 2)
        assert equal(weights_of(model), weights_of(whole))


def test_callbacks_get_the_model_that_is_trained(digits, keras):
    X, y = digits
    seen = []

    class Watch(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            seen.append(self.model.get_weights())

    model = memorizing(one_model(keras), epochs=1, callbacks=[Watch])
    assert equal(weights_of(model.fit(X, y % 2)), seen[0])


def reaches_out_in(keras, where, make):
    """A builder with a layer whose code reaches for a layer outside of the network."""
    shared = make()

    class Reaching(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            if where == "__init__":
                self.inner = shared

        def build(self, input_shape):
            if where == "build":
                self.inner = shared

        def call(self, inputs, training=None):
            inner = shared if where == "call" else self.inner
            return inner(inputs, training=training)

        def compute_output_shape(self, input_shape):
            return shared.compute_output_shape(input_shape)

    return lambda shape, n: headed(keras, shape, n, keras.layers.Flatten(), Reaching())


def dense_in_init(keras):
    return reaches_out_in(keras, "__init__", lambda: keras.layers.Dense(8))


def dense_in_build(keras):
    return reaches_out_in(keras, "build", lambda: keras.layers.Dense(8))


def dense_in_call(keras):
    return reaches_out_in(keras, "call", lambda: keras.layers.Dense(8))


def moving_statistics_in_call(keras):
    return reaches_out_in(keras, "call", keras.layers.BatchNormalization)


def dropout_in_call(keras):
    return reaches_out_in(keras, "call", lambda: keras.layers.Dropout(0.5))


def seed_generator_in_a_layer(keras):
    generator = keras.random.SeedGenerator(0)

    class Noisy(keras.layers.Layer):
        def call(self, inputs, training=False):
            if not training:
                return inputs
            shape = keras.ops.shape(inputs)
            return inputs + keras.random.normal(shape, seed=generator)

    return lambda shape, n: headed(keras, shape, n, keras.layers.Flatten(), Noisy())


OUTSIDE = [
    dense_in_init,
    dense_in_build,
    dense_in_call,
    moving_statistics_in_call,
    dropout_in_call,
    seed_generator_in_a_layer,
]


@pytest.mark.parametrize("sharing", OUTSIDE, ids=lambda sharing: sharing.__name__)
def test_layers_that_reach_for_layers_outside_of_the_network_are_refused(
    sharing, digits, keras
):
    X, y = digits
    message = r"A layer of the network uses weights from outside of it \(.*\)"
    model = memorizing(sharing(keras), epochs=1)
    for _ in range(2):  # the second fit too
        with pytest.raises(ValueError, match=message):
            model.fit(X, y)


def initializer_with_a_generator(keras):
    start = keras.initializers.GlorotUniform(seed=keras.random.SeedGenerator(0))

    def builder(input_shape, n_classes):
        layer = keras.layers.Dense(8, kernel_initializer=start)
        return headed(keras, input_shape, n_classes, keras.layers.Flatten(), layer)

    return builder


def generator_of_numpy(keras):
    generator = np.random.default_rng(0)

    def builder(input_shape, n_classes):
        model = headed(keras, input_shape, n_classes, backbone(keras))
        model.set_weights([generator.random(w.shape) for w in model.get_weights()])
        return model

    return builder


def trains_the_same_model_at_each_call(keras):
    model = headed(keras, (8, 8, 1), 10, backbone(keras))
    model.compile("adam", "sparse_categorical_crossentropy")

    def builder(input_shape, n_classes):
        model.fit(np.ones((4, 8, 8, 1)), np.arange(4), epochs=20, verbose=0)
        return model

    return builder


def other_layers_at_each_call(keras):
    sizes = iter(range(1, 99))
    shared = backbone(keras)

    def builder(input_shape, n_classes):
        layer = keras.layers.Dense(next(sizes))
        return headed(keras, input_shape, n_classes, shared, layer)

    return builder


@pytest.mark.parametrize(
    "changing",
    [
        initializer_with_a_generator,
        generator_of_numpy,
        trains_the_same_model_at_each_call,
        other_layers_at_each_call,
    ],
    ids=lambda changing: changing.__name__,
)
def test_a_builder_that_gives_other_weights_at_each_call_is_refused(
    changing, digits, keras
):
    model = memorizing(changing(keras), epochs=1)
    with pytest.raises(ValueError, match="gives other weights at each call"):
        model.fit(*digits)


def changing_if_asked(keras):
    """A builder that gives other weights at each call in one of its settings alone."""
    generator = np.random.default_rng(0)
    shared = backbone(keras)

    def builder(input_shape, n_classes, changing=False):
        model = headed(keras, input_shape, n_classes, shared)
        if changing:
            model.set_weights([generator.random(w.shape) for w in model.get_weights()])
        return model

    return builder


class WithMethod:
    def __init__(self, builder):
        self.builder = builder

    def build(self, *args, **kwargs):
        return self.builder(*args, **kwargs)


@pytest.mark.parametrize(
    "kind", [lambda f: f, functools.partial, lambda f: WithMethod(f).build]
)
def test_what_holds_in_one_setting_of_a_builder_vouches_for_no_other(
    kind, digits, keras
):
    model = memorizing(kind(changing_if_asked(keras)), epochs=1)
    model.set_params(builder_params={"changing": False}).fit(*digits)
    model.set_params(builder_params={"changing": True})
    for _ in range(2):
        with pytest.raises(ValueError, match="gives other weights at each call"):
            model.fit(*digits)


def test_a_pool_of_models_is_refused_when_it_comes_to_another_one(digits, keras):
    one, other = (headed(keras, (8, 8, 1), 10, backbone(keras)) for _ in range(2))
    other.set_weights([w + 0.1 for w in one.get_weights()])
    pool = itertools.cycle([one, one, other])
    model = memorizing(lambda input_shape, n_classes: next(pool), epochs=1)
    model.fit(*digits)
    with pytest.raises(ValueError, match="gives other weights at each call"):
        model.fit(*digits)


def test_a_builder_whose_weights_are_of_the_seed_is_called_once(digits, keras):
    calls = []

    def builder(input_shape, n_classes):
        calls.append(1)
        return headed(
            keras, input_shape, n_classes, backbone(keras), keras.layers.Dropout(0.5)
        )

    memorizing(builder, epochs=1).fit(*digits)
    assert len(calls) == 1


def test_a_builder_may_train_if_it_comes_to_the_same_each_time(digits, keras):
    X, y = digits
    model = memorizing(builder_that_trains(keras), epochs=1)
    first = weights_of(model.fit(X, y % 2))
    assert equal(weights_of(model.fit(X, y % 2)), first)


def test_pretraining_that_goes_on_between_fits_counts(digits, keras):
    X, y = digits
    builder = one_model(keras)
    shared = builder((8, 8, 1), 2)
    model = memorizing(builder, epochs=1)
    before = weights_of(model.fit(X, y % 2))
    shared.set_weights([weights + 0.1 for weights in shared.get_weights()])
    assert not equal(weights_of(model.fit(X, y % 2)), before)


def loses_its_penalty(keras):
    class Penalized(keras.layers.Dense):
        def get_config(self):
            return {**super().get_config(), "kernel_regularizer": None}

    return Penalized(8, kernel_regularizer="l2")


def loses_its_constraint(keras):
    class Constrained(keras.layers.Dense):
        def get_config(self):
            return {**super().get_config(), "kernel_constraint": None}

    return Constrained(8, kernel_constraint="non_neg")


def loses_its_momentum(keras):
    class Moving(keras.layers.BatchNormalization):
        def get_config(self):
            return {**super().get_config(), "momentum": 0.5}

    return Moving()


def loses_its_rate(keras):
    class Dropping(keras.layers.Dropout):
        def get_config(self):
            return {**super().get_config(), "rate": 0.1}

    return Dropping(0.9)


def is_adapted(keras):
    layer = keras.layers.Normalization()
    layer.adapt(np.random.default_rng(0).random((20, 64)))
    return layer


LOSSES = [
    loses_its_penalty,
    loses_its_constraint,
    loses_its_momentum,
    loses_its_rate,
    is_adapted,
]


@pytest.mark.parametrize("loss", LOSSES, ids=lambda loss: loss.__name__)
def test_a_layer_whose_copy_would_train_otherwise_is_refused(loss, digits, keras):
    def builder(input_shape, n_classes):
        flatten = keras.layers.Flatten()
        return headed(keras, input_shape, n_classes, flatten, loss(keras))

    with pytest.raises(ValueError, match="does not give the same network"):
        memorizing(builder, epochs=1).fit(*digits)


def with_own_step(keras, by_hand, shared=None):
    """A builder of a model with a training step of its own, that is changed by hand."""

    class Own(keras.Model):
        strength = 0.5

        def __init__(self, *args, **kwargs):
            super().__init__(*args, **kwargs)
            self.powers = [1]

        def train_step(self, data):
            return {**super().train_step(data), "strength": self.strength}

    def builder(input_shape, n_classes):
        inputs = keras.Input(input_shape)
        part = shared or keras.layers.Flatten()
        head = keras.layers.Dense(n_classes, activation="softmax", name="head")
        model = Own(inputs, head(part(inputs)))
        by_hand(model)
        return model

    return builder


def other_step(model):
    usual = model.train_step
    model.train_step = lambda data: {**usual(data), "strength": 2.0}


def other_strength(model):
    model.strength = 2.0


only_tensorflow = pytest.mark.skipif(
    BACKEND != "tensorflow", reason="steps and metrics as TensorFlow takes them"
)


def new_attribute(model):
    model.weights_of_rows = np.ones(3)


def changed_list(model):
    model.powers = [1, 2]


def other_call(model):
    head = model.layers[-1]
    usual = head.call
    head.call = lambda *args, **kwargs: usual(*args, **kwargs)


BY_HAND = {
    "train_step": other_step,
    "strength": other_strength,
    "weights_of_rows": new_attribute,
    "powers": changed_list,
    "call": other_call,
}


@pytest.mark.parametrize("name", BY_HAND)
@pytest.mark.parametrize("kind", ["new", "shared layers", "one model", "pool"])
def test_what_is_put_on_a_network_by_hand_is_refused(kind, name, digits, keras):
    shared = backbone(keras) if kind == "shared layers" else None
    builder = with_own_step(keras, BY_HAND[name], shared)
    if kind in ("one model", "pool"):
        models = [builder((8, 8, 1), 10) for _ in range(1 if kind != "pool" else 3)]
        pool = itertools.cycle(models)
        builder = lambda input_shape, n_classes: next(pool)  # noqa: E731
    for _ in range(2):
        with pytest.raises(
            ValueError, match=rf"puts '{name}' on its network by hand.*get_config"
        ):
            memorizing(builder, epochs=1).fit(*digits)


@only_tensorflow
@pytest.mark.parametrize("compiled", [False, True])
def test_attributes_that_a_class_sets_itself_are_taken(compiled, digits, keras):
    class Own(keras.Model):
        def __init__(self, shape, n_classes, strength, **kwargs):
            inputs = keras.Input(shape)
            inner = backbone(keras, shape)
            head = keras.layers.Dense(n_classes, activation="softmax", name="head")
            super().__init__(inputs, head(inner(inputs)), **kwargs)
            self.sizes, self.strength = (tuple(shape), n_classes), strength
            self.inner, self.factors = inner, {"rate": np.ones(2) * strength}

        def get_config(self):
            shape, n_classes = self.sizes
            strength = self.strength
            return {"shape": shape, "n_classes": n_classes, "strength": strength}

        @classmethod
        def from_config(cls, config):
            return cls(**config)

        def train_step(self, data):
            return {**super().train_step(data), "strength": self.strength}

    def builder(input_shape, n_classes):
        model = Own(input_shape, n_classes, 2.0)
        if compiled:
            model.compile("adam", "sparse_categorical_crossentropy")
            x, y = np.zeros((4, *input_shape)), np.zeros(4)
            model.fit(x, y, validation_data=(x, y), verbose=0, shuffle=False)
        return model

    model = memorizing(builder, epochs=1).fit(*digits).partial_fit(*digits)
    assert model.history_["strength"] == [2.0, 2.0]


@only_tensorflow
def test_fits_leave_names_of_models_alone(digits, keras):
    builder = with_own_step(keras, lambda model: None)
    inputs = keras.Input((2,))
    before = keras.Model(inputs, inputs).name
    memorizing(builder, epochs=1).fit(*digits)
    after = keras.Model(inputs, inputs).name
    one, other = (int(f"0{name[len('functional_') :]}") for name in (before, after))
    assert other == one + 1


@pytest.mark.parametrize("scale", [1, 255])
def test_a_copy_is_tried_with_more_than_blank_images(scale, digits, keras):
    class Scaling(keras.layers.Layer):
        def __init__(self, factor=1.0, **kwargs):
            super().__init__(**kwargs)
            self.factor = factor

        def call(self, inputs):
            return inputs * self.factor

        def get_config(self):
            return {"name": self.name}

    def builder(input_shape, n_classes):
        flatten = keras.layers.Flatten()
        return headed(keras, input_shape, n_classes, flatten, Scaling(30.0 / scale))

    X, y = digits
    X = X * scale / X.max()
    X[:8] = 0
    with pytest.raises(ValueError, match="does not give the same network"):
        memorizing(builder, epochs=1).fit(X, y)


@only_tensorflow
def test_a_step_of_a_class_is_taken(digits, keras):
    shared = backbone(keras)
    builder = with_own_step(keras, lambda model: None, shared)
    before = shared.get_weights()
    model = memorizing(builder, epochs=1).fit(*digits)
    assert model.history_["strength"] == [0.5]
    assert equal(shared.get_weights(), before)


@only_tensorflow
def test_metrics_of_shared_layers_count_for_each_fit_alone(digits, keras):
    class Counting(keras.layers.Layer):
        def __init__(self, **kwargs):
            super().__init__(**kwargs)
            self.counted = keras.metrics.Sum(name="counted")

        def call(self, inputs, training=False):
            if training:
                self.counted.update_state(keras.ops.ones(()))
            return inputs

    shared = Counting()

    def builder(input_shape, n_classes):
        return headed(keras, input_shape, n_classes, shared, keras.layers.Flatten())

    for _ in range(2):
        model = memorizing(builder, epochs=1, batch_size=100).fit(*digits)
        assert model.history_["counted"] == [3.0]


@pytest.mark.skipif(BACKEND == "jax", reason="Keras refuses such layers under JAX")
def test_layers_may_draw_from_the_generator_of_the_process(digits, keras):
    class Noisy(keras.layers.Layer):
        def call(self, inputs, training=False):
            if not training:
                return inputs
            return inputs + keras.random.normal(keras.ops.shape(inputs))

    def builder(input_shape, n_classes):
        flatten = keras.layers.Flatten()
        return headed(keras, input_shape, n_classes, flatten, Noisy())

    keras.utils.set_random_seed(0)
    wanted = keras.random.normal((3,)), keras.random.normal((3,))
    keras.utils.set_random_seed(0)
    given = [keras.random.normal((3,))]
    first = memorizing(builder, epochs=2).fit(*digits)
    given.append(keras.random.normal((3,)))  # as if there had been no fit
    again = memorizing(builder, epochs=2).fit(*digits)
    parts = memorizing(builder, epochs=1).fit(*digits).partial_fit(*digits)
    assert equal(weights_of(again), weights_of(first))
    assert equal(weights_of(parts), weights_of(first))
    for one, other in zip(given, wanted, strict=True):
        assert np.array_equal(*map(keras.ops.convert_to_numpy, (one, other)))


def test_a_model_in_place_of_a_builder_is_refused(digits, keras):
    model = headed(keras, (8, 8, 1), 10, backbone(keras))
    for given in (model, keras.layers.Dense(10)):
        with pytest.raises(ValueError, match=r"builder must be a function .* that ret"):
            KerasImageClassifier(builder=given).fit(*digits)


@pytest.mark.parametrize("part", ["model", "layer"])
def test_what_a_callback_kept_of_a_fit_is_not_trained_again(part, noise, keras):
    class Keep(keras.callbacks.Callback):
        def __init__(self, kept):
            super().__init__()
            self.kept = kept

        def on_train_end(self, logs=None):
            self.kept.append(self.model)

    kept = []

    def builder(input_shape, n_classes):
        if not kept:
            return headed(keras, input_shape, n_classes, backbone(keras))
        if part == "model":
            return kept[-1]
        return headed(keras, input_shape, n_classes, kept[-1].layers[0])

    X, y = noise
    images = X.reshape(-1, 8, 8)
    model = memorizing(builder, epochs=1, callbacks=[Keep(kept)])
    model.fit(images, y)
    with pytest.raises(ValueError, match="layers that another fit has trained"):
        model.fit(images, y)
    # The fitted model is a copy, as the base of another network for one.
    copied = model.model_
    memorizing(lambda input_shape, n_classes: copied, epochs=1).fit(images, y)
