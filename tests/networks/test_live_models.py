"""``model_``: the trained network as a live Keras model that goes on from the fit."""

import copy
import pickle
from types import FunctionType

import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV, cross_validate
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler, KerasImageClassifier
from skmnist.persistence import save_model


def settings(model, *names):
    config = model.model_.optimizer.get_config()
    return [config.get(name) for name in names]


def made_by_hand(keras):
    return keras.optimizers.SGD(0.03, momentum=0.5, clipnorm=1.0)


def of_a_class(keras):
    class Own(keras.optimizers.SGD):
        pass

    return lambda: Own(0.03, momentum=0.5, clipnorm=1.0)


def described(keras):
    return keras.optimizers.serialize(made_by_hand(keras))


OPTIMIZERS = [
    (lambda keras: "sgd", {"learning_rate": 0.03}, ("SGD", 0.03, 0.0, None)),
    (lambda keras: "adam", {}, ("Adam", 0.001, None, None)),
    (made_by_hand, {}, ("SGD", 0.03, 0.5, 1.0)),
    (made_by_hand, {"learning_rate": 0.07}, ("SGD", 0.07, 0.5, 1.0)),
    (described, {}, ("SGD", 0.03, 0.5, 1.0)),
    (of_a_class, {}, ("Own", 0.03, 0.5, 1.0)),
    (
        lambda keras: "sgd",
        {"learning_rate": 0.03, "learning_rate_schedule": "one_cycle"},
        ("SGD", 0.03, 0.0, None),
    ),
]


@pytest.mark.parametrize(("make", "params", "wanted"), OPTIMIZERS)
def test_a_live_model_has_the_optimizer_of_the_fit(make, params, wanted, digits, keras):
    model = small_mlp(epochs=1, optimizer=make(keras), **params).fit(*digits)
    model.set_params(learning_rate=0.5)  # for a later fit
    name, *numbers = wanted
    for _ in range(2):
        assert type(model.model_.optimizer).__name__ == name
        given = settings(model, "learning_rate", "momentum", "clipnorm")
        assert given == pytest.approx(numbers)
        if name == "Own":  # no pickle holds such a class
            return
        model = pickle.loads(pickle.dumps(model))


def test_a_schedule_of_the_optimizers_own_is_kept(digits, keras):
    schedule = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.5)
    model = small_mlp(epochs=1, optimizer=keras.optimizers.Adam(schedule))
    (given,) = settings(model.fit(*digits), "learning_rate")
    assert given["config"]["decay_steps"] == 10


def test_weights_that_are_excluded_from_decay_stay_so(digits, keras):
    optimizer = keras.optimizers.AdamW(weight_decay=0.1)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    live = small_mlp(epochs=1, optimizer=optimizer).fit(*digits).model_
    live.optimizer.build(live.trainable_variables)
    decays = [live.optimizer._use_weight_decay(v) for v in live.trainable_variables]
    assert decays == ["bias" not in v.path for v in live.trainable_variables]


@pytest.mark.parametrize("way", ["warm_start", "partial_fit"])
@pytest.mark.parametrize("from_file", [False, True])
def test_a_live_model_goes_on_as_the_classifier_does(way, from_file, digits):
    X, y = digits
    model = small_mlp(
        epochs=1, batch_size=len(X), dropout=0.0, warm_start=way == "warm_start"
    )
    model.set_params(optimizer="adam", learning_rate=0.01)
    for _ in range(3):
        model.partial_fit(X, y, np.arange(10)) if way == "partial_fit" else model.fit(
            X, y
        )
    if from_file:
        model = pickle.loads(pickle.dumps(model))
    live = model.model_
    assert int(live.optimizer.iterations) == 3
    live.fit(X, y, batch_size=len(X), epochs=1, verbose=0)
    model.partial_fit(X, y)
    for given, wanted in zip(
        live.get_weights(), model.model_.get_weights(), strict=True
    ):
        np.testing.assert_allclose(given, wanted, atol=1e-5)


def test_without_a_kept_state_the_optimizer_begins_anew_in_memory_and_in_a_file(digits):
    model = small_mlp(epochs=2).fit(*digits)
    for same in (model, pickle.loads(pickle.dumps(model))):
        assert int(same.model_.optimizer.iterations) == 0


def test_files_of_the_version_before_have_an_optimizer_too(digits):
    model = small_mlp(epochs=1, optimizer="sgd", learning_rate=0.03).fit(*digits)
    del vars(model._training)["learning_rate"]  # which that did not write
    old = pickle.loads(pickle.dumps(model))
    assert settings(old, "name", "learning_rate") == pytest.approx(["sgd", 0.03])


def test_a_saved_live_model_needs_nothing_of_this_package(digits, keras, tmp_path):
    X, y = digits
    model = small_mlp(epochs=1, learning_rate_schedule="cosine", warm_start=True)
    model.fit(X, y).model_.save(tmp_path / "live.keras")
    loaded = keras.models.load_model(tmp_path / "live.keras")
    assert np.isfinite(loaded.fit(X, y, verbose=0).history["loss"]).all()
    assert "skmnist" not in str(loaded.get_compile_config())


def own_class(input_shape, n_classes):
    import keras

    class Own(keras.Model):
        pass

    inputs = keras.Input(input_shape)
    outputs = dense(input_shape, n_classes)(inputs)
    return Own(inputs, outputs)


@pytest.mark.skipif(BACKEND == "jax", reason="needs jax2tf")
@pytest.mark.parametrize("kind", ["mlp", "cnn", "user-defined", "subclass"])
@pytest.mark.parametrize("file_format", ["tf_saved_model", "onnx"])
def test_keras_exports_a_live_model_at_once(kind, file_format, digits, tmp_path):
    if file_format == "onnx":
        pytest.importorskip("tf2onnx" if BACKEND == "tensorflow" else "onnxscript")
    builder = own_class if kind == "subclass" else dense
    models = {"mlp": small_mlp(epochs=1), "cnn": small_cnn(epochs=1)}
    own = KerasImageClassifier(builder=builder, epochs=1)
    path = tmp_path / "exported"
    model = models.get(kind, own).fit(*digits)
    model.model_.export(path, format=file_format, verbose=False)
    assert path.exists()


def test_a_live_model_leaves_the_counters_of_keras_alone(digits, keras):
    model = small_mlp(epochs=1, warm_start=True).fit(*digits)
    keras.backend.clear_session()
    assert model.model_ is not None
    assert keras.layers.Dense(1).name == "dense"
    assert keras.optimizers.Adam().name == "adam"


def local_classes(keras):
    class Half(keras.layers.Layer):
        def call(self, inputs):
            return inputs / 2

    return Half


def local_builder():
    def builder(input_shape, n_classes):
        return dense(input_shape, n_classes)

    return builder


def local_object():
    class Builder:
        def __call__(self, input_shape, n_classes):
            return dense(input_shape, n_classes)

    return Builder()


def with_a_local_layer(input_shape, n_classes):
    import keras

    layers = dense(input_shape, n_classes).layers
    return keras.Sequential([keras.Input(input_shape), local_classes(keras)(), *layers])


UNIMPORTABLE = {
    "function": lambda: local_builder(),
    "lambda": lambda: lambda shape, n: dense(shape, n),
    "object": local_object,
    "method": lambda: local_object().__call__,
    "layer": lambda: with_a_local_layer,
}


@pytest.mark.parametrize("kind", UNIMPORTABLE)
def test_what_is_local_to_a_function_is_refused_in_words_when_saved(
    kind, digits, tmp_path
):
    cloudpickle = pytest.importorskip("cloudpickle")
    X, y = digits
    model = KerasImageClassifier(builder=UNIMPORTABLE[kind](), epochs=1, random_state=0)
    model.fit(X, y)
    pipeline = make_pipeline(ImageScaler(), model).fit(X, y)
    # The layer is no parameter: the fitted network has it.
    name = f"kerasimageclassifier{'' if kind == 'layer' else '__builder'}"
    with pytest.raises(pickle.PicklingError, match=rf"^{name} .*importable .* Define"):
        save_model(pipeline, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []
    assert clone(model).builder is not None
    for twin in (copy.deepcopy(model), pickle.loads(cloudpickle.dumps(model))):
        assert np.array_equal(twin.predict_proba(X), model.predict_proba(X))


def local_callback(keras):
    class Stop(keras.callbacks.Callback): ...

    return Stop


UNPICKLABLE = {
    "optimizer, lambda": lambda keras: lambda: keras.optimizers.SGD(0.1),
    "callbacks, lambda": lambda keras: [lambda: keras.callbacks.History()],
    "callbacks, holds a lambda": lambda keras: keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: None
    ),
    "callbacks, local class": lambda keras: [local_callback(keras)()],
}


@pytest.mark.parametrize("kind", UNPICKLABLE)
def test_a_parameter_that_cannot_be_pickled_is_named(kind, digits, keras, tmp_path):
    cloudpickle = pytest.importorskip("cloudpickle")
    name = kind.split(",")[0]
    model = small_mlp(**{name: UNPICKLABLE[kind](keras)}, epochs=1).fit(*digits)
    with pytest.raises(pickle.PicklingError, match=rf"^{name} cannot .* Define"):
        save_model(model, tmp_path / "model")
    for twin in (copy.deepcopy(model), pickle.loads(cloudpickle.dumps(model))):
        assert np.array_equal(twin.predict(digits[0]), model.predict(digits[0]))


def scaled(input_shape, n_classes, scale):
    return dense(input_shape, scale() * n_classes)


def test_an_argument_of_a_builder_that_cannot_be_pickled_is_named(digits, tmp_path):
    params = {"scale": lambda: 1}
    model = KerasImageClassifier(builder=scaled, builder_params=params, epochs=1)
    search = GridSearchCV(model, {"batch_size": [32]}, cv=2).fit(*digits)
    words = "^estimator__builder_params__scale cannot .* Define"
    with pytest.raises(pickle.PicklingError, match=words):
        save_model(search, tmp_path / "model")


def save(model, path):
    return save_model(model, path)


@pytest.mark.parametrize("module", ["mine", "mine.copy", "dill"])
def test_the_parameter_is_named_whoever_saves_the_model(
    module, digits, keras, tmp_path
):
    sgd = UNPICKLABLE["optimizer, lambda"](keras)
    model = small_mlp(optimizer=sgd, epochs=1).fit(*digits)
    caller = FunctionType(save.__code__, {**globals(), "__name__": module})
    with pytest.raises(pickle.PicklingError, match=r"^optimizer cannot be pickled"):
        caller(model, tmp_path / "model")


class Maker:
    """Makes a callback, and knows the classifier that has it."""

    def __call__(self):
        import keras

        return keras.callbacks.History()


def test_callbacks_may_refer_to_their_classifier(digits):
    maker = Maker()
    maker.model = small_mlp(callbacks=[maker]).fit(*digits)
    twin = pickle.loads(pickle.dumps(maker.model))
    assert twin.callbacks[0].model is twin
    assert np.array_equal(twin.predict(digits[0]), maker.model.predict(digits[0]))


def test_what_is_local_to_a_function_works_in_two_processes(digits):
    model = KerasImageClassifier(builder=with_a_local_layer, epochs=1, random_state=0)
    model.set_params(builder=lambda shape, n: with_a_local_layer(shape, n))
    fits = cross_validate(
        model, *digits, cv=2, n_jobs=2, return_estimator=True, error_score="raise"
    )
    for estimator in fits["estimator"]:
        assert estimator.predict(digits[0]).shape == digits[1].shape
