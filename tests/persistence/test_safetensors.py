"""Models in safetensors files: what is kept, bit for bit, and what is refused."""

import json
import os
import pickle
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
import safetensors
from made_up import checksum, fitted, forged, in_pipeline, parts, tiny_cnn, tiny_mlp
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline, make_pipeline

from skmnist import (
    Deskewer,
    DigitExtractor,
    DigitNormalizer,
    HOGTransformer,
    ImageScaler,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist.networks import ARCHITECTURES, build_cnn, build_mlp
from skmnist.persistence import ModelFileError, load_model, save_model
from skmnist.pipelines import make_model

IMAGES = np.random.default_rng(0).integers(256, size=(5, 28, 28), dtype=np.uint8)
ROWS = np.random.default_rng(1).random((6, 16), dtype=np.float32)
PICTURES = np.random.default_rng(2).random((6, 8, 8), dtype=np.float32)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


def assert_same(loaded, model, X):
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert np.array_equal(loaded.predict(X), model.predict(X))
    assert loaded.predict(X).dtype == model.predict(X).dtype
    assert repr(loaded) == repr(model)
    steps = model[:-1] if isinstance(model, Pipeline) else ()
    for step, other in zip(steps, loaded[:-1] if len(steps) else (), strict=True):
        if hasattr(step, "transform"):
            assert vars(step) == vars(other)
    one, other = (m[-1] if isinstance(m, Pipeline) else m for m in (model, loaded))
    params, others = ({**m.get_params(deep=False)} for m in (one, other))
    # It has no equality of its own.
    assert repr(params.pop("augmentation", 0)) == repr(others.pop("augmentation", 0))
    assert params == others
    assert np.array_equal(one.classes_, other.classes_)
    assert one.classes_.dtype == other.classes_.dtype
    assert one.history_ == other.history_
    assert {**vars(one), "_sample_shape": None}.keys() == vars(other).keys() | {
        "_sample_shape"
    }
    assert one._sample_shape == other._sample_shape
    assert one._spec == other._spec
    assert all(map(np.array_equal, one._network.weights, other._network.weights))


@pytest.mark.parametrize(
    "name", [name for name, found in ARCHITECTURES.items() if found.n_networks == 1]
)
def test_named_networks_come_back_bit_for_bit(name, path):
    model = make_model(name, random_state=3)
    fitted(model[-1], (28, 28))
    model = in_pipeline(model[-1], IMAGES)
    content = save_model(model, path, metadata={"data": "noise"}).read_bytes()
    loaded, metadata = load_model(path, return_metadata=True)
    assert metadata == {"data": "noise"}
    assert_same(loaded, model, IMAGES)
    again = save_model(loaded, path, metadata=metadata).read_bytes()
    assert again == content


LABELS = {
    "int64": np.arange(-3, 2),
    "uint8": np.arange(5, dtype=np.uint8),
    "uint64": np.array([0, 2**64 - 1], dtype=np.uint64),
    "float64": np.array([0.1, 0.5, 3.0]),
    "float16": np.array([0, 1], dtype=np.float16),
    "bool": np.array([False, True]),
    "str": np.array(["eight", "three", "zéro – 0"]),
    "wide str": np.array(["a", "b"], dtype="<U30"),
    "objects": np.array(['"\\\n', "a", "bc"], dtype=object),
}


@pytest.mark.parametrize("kind", LABELS)
def test_labels_keep_their_kind(kind, path):
    model = tiny_mlp(LABELS[kind])
    loaded = load_model(save_model(model, path))
    assert_same(loaded, model, ROWS)
    loaded.classes_[0] = loaded.classes_[0]  # may be written to, as after a fit
    content = path.read_bytes()
    assert save_model(loaded, path).read_bytes() == content


@pytest.mark.parametrize(
    "labels",
    [
        np.array([b"a", b"b"]),
        np.array(["2020", "2021"], "M8[Y]"),
        np.array([1, 2.0], "g"),
    ],
    ids=["bytes", "dates", "long doubles"],
)
def test_labels_of_other_kinds_are_refused(labels, path):
    with pytest.raises(TypeError, match=r"labels of the type .*a \.joblib file"):
        save_model(tiny_mlp(labels), path)
    assert not path.exists()


def named_pipeline():
    frame = pd.DataFrame(ROWS, columns=[f"pixel {i}, of 16" for i in range(16)])
    scaler = ImageScaler().set_output(transform="pandas").fit(frame)
    network = tiny_mlp()
    network.feature_names_in_ = scaler.feature_names_in_.copy()
    return make_pipeline(scaler, network), frame


def test_names_of_columns_and_the_output_of_scalers_are_kept(path):
    model, frame = named_pipeline()
    loaded = load_model(save_model(model, path))
    assert list(loaded[0].feature_names_in_) == list(frame.columns)
    assert loaded[0].feature_names_in_.dtype == object
    assert isinstance(loaded[0].transform(frame), pd.DataFrame)
    assert np.array_equal(loaded.predict_proba(frame), model.predict_proba(frame))
    with pytest.raises(ValueError, match="feature names should match"):
        loaded.predict(frame[frame.columns[::-1]])


@pytest.mark.parametrize("dtype", ["uint8", "bool", "int16", "float32", ">f8"])
def test_pipelines_of_all_transformers_come_back(dtype, path):
    images = (PICTURES * 9).astype(dtype)
    model = Pipeline(
        [
            ("deskew", Deskewer(max_shear=0.5).fit(images)),
            ("nothing", "passthrough"),
            ("neither", None),
            ("scale", ImageScaler(data_range=(0, 9), clip=False).fit(images)),
            ("clf", fitted(KerasDNNClassifier(units=[4, 3]), (8, 8))),
        ],
        verbose=True,
    )
    loaded = load_model(save_model(model, path))
    assert_same(loaded, model, images)
    assert loaded.steps[1:3] == model.steps[1:3]
    back = loaded[3].inverse_transform(loaded[3].transform(images))
    assert back.dtype == np.float32 or back.dtype == np.dtype(dtype)


def features_pipeline(**params):
    """Make a pipeline whose steps change the number of columns."""
    normalizer = DigitNormalizer(output_shape=(6, 9), threshold=0.2)
    hog = HOGTransformer(n_cells=2, block_size=1, n_orientations=4)
    steps = make_pipeline(ImageScaler(), normalizer, hog).fit(PICTURES)
    classifier = fitted(KerasMLPClassifier(units=3, random_state=0), (4, 4))
    return Pipeline([*steps.steps, ("clf", classifier)]).set_params(**params)


def test_steps_that_change_the_size_come_back(path):
    model = features_pipeline()
    assert_same(load_model(save_model(model, path)), model, PICTURES)


def test_an_extractor_of_digits_comes_back(path):
    extractor = DigitExtractor(output_shape=(6, 9), ink="light", min_confidence=0.1)
    images = extractor.fit_transform(PICTURES)
    classifier = fitted(KerasMLPClassifier(units=3, random_state=0), (6, 9))
    model = Pipeline([("extractor", extractor), ("clf", classifier)])
    loaded = load_model(save_model(model, path))
    assert_same(loaded, model, PICTURES)
    np.testing.assert_array_equal(loaded[0].transform(PICTURES), images)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"digitnormalizer__output_shape": (9, 9)},
            "DigitNormalizer makes rows of 81 numbers, but HOGTransformer takes 54",
        ),
        (
            {"hogtransformer__n_cells": 3},
            "HOGTransformer makes rows of 36 numbers, but KerasMLPClassifier takes 16",
        ),
        ({"digitnormalizer__output_shape": (-6, -9)}, "output_shape=.* is not allowed"),
        ({"hogtransformer__block_size": 3}, "block_size=3 must be at most"),
    ],
    ids=repr,
)
def test_steps_that_do_not_fit_together_are_refused(params, message, path):
    with pytest.raises(ValueError, match=rf"cannot be written .*{message}"):
        save_model(features_pipeline(**params), path)


def test_values_are_kept_exactly(path):
    model = tiny_cnn(
        units=[np.int64(3)],
        dropout=np.float32(0.1),
        kernel_size=((3, 2), [2, 3]),
        class_weight={0: np.nan, 3: np.inf, np.int8(5): 0.1},
        optimizer={"class_name": "SGD", "config": {"momentum": 0.9}},
        callbacks=[],
        random_state=np.int64(2**32 - 1),
        verbose=True,
    )
    model.history_ = {"loss": [np.nan, 1e-320, -0.0], "val_loss": [np.inf, -np.inf, 5]}
    model.fit_id_ = "0123456789ab"
    loaded = load_model(save_model(model, path))
    assert repr(loaded.history_) == repr(model.history_)
    assert loaded.fit_id_ == model.fit_id_
    assert loaded.kernel_size == ((3, 2), [2, 3])
    assert loaded.dropout == np.float32(0.1)
    assert str(loaded.class_weight) == "{0: nan, 3: inf, 5: 0.1}"
    assert loaded.verbose is True
    assert np.array_equal(loaded.predict_proba(PICTURES), model.predict_proba(PICTURES))


@pytest.mark.parametrize("builder", [build_mlp, build_cnn])
def test_builders_of_this_package_are_kept(builder, path):
    params = {"units": [3], "dropout": 0.5} | (
        {"filters": 2, "kernel_size": (2, 3)} if builder is build_cnn else {}
    )
    model = KerasImageClassifier(builder=builder, builder_params=params)
    model = fitted(model, (4, 4))
    X = ROWS.reshape(6, 4, 4)
    loaded = load_model(save_model(model, path))
    assert loaded.builder is builder
    assert loaded.builder_params == params
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))


METADATA = {
    "words": "é\ud800\x00",
    "numbers": [1, -(2**63), 1.5, np.nan, True, None],
    "like a tag": {"tuple": 3},
    "keys": {1: (2, [3]), (4, 5): {}, None: {"float": "nan"}},
    "numpy": np.float32(0.1),
}


def test_metadata_are_plain_data_of_all_kinds(path):
    save_model(tiny_mlp(), path, metadata=METADATA)
    _, metadata = load_model(path, return_metadata=True)
    assert repr(metadata) == repr({**METADATA, "numpy": float(np.float32(0.1))})


@pytest.mark.parametrize("value", [np.zeros(3), {1, 2}, object(), b"x", 2**63, 1j])
def test_metadata_that_are_no_plain_data_are_refused(value, path):
    with pytest.raises(TypeError, match=r"cannot hold metadata\['a'\]=.*\.joblib file"):
        save_model(tiny_mlp(), path, metadata={"a": [value]})
    assert not path.exists()


@pytest.mark.parametrize("suffix", [".safetensors", ".joblib"])
@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        (3, "metadata must be a dict or None; got 3"),
        ("digits", "metadata must be a dict or None; got 'digits'"),
        ([1], r"metadata must be a dict or None; got \[1\]"),
        ({"a": {"b": lambda: 0}}, r"metadata.* got .*lambda|metadata\['a'\]=.*lambda"),
    ],
)
def test_wrong_metadata_are_refused_by_name(suffix, metadata, words, path):
    with pytest.raises(TypeError, match=words):
        save_model(tiny_mlp(), path.with_suffix(suffix), metadata=metadata)
    assert os.listdir(path.parent) == []


@pytest.mark.parametrize(
    ("metadata", "words"),
    [
        ({"a": 1, "long": [0] * 600_000}, r"metadata\['long'\]: .*500,000 entries"),
        ({"large": "x" * (1 << 25)}, "metadata and .* may have 16,777,216"),
    ],
)
def test_metadata_that_could_not_be_read_again_are_not_written(metadata, words, path):
    with pytest.raises(ValueError, match=words):
        save_model(tiny_mlp(), path, metadata=metadata)
    assert os.listdir(path.parent) == []


def own_builder(input_shape, n_classes, units=3):
    return build_mlp(input_shape, n_classes, units=units)


class OwnPipeline(Pipeline):
    pass


class OwnClassifier(KerasMLPClassifier):
    pass


def refused_models():
    X, y = ROWS, np.arange(6) % 2
    logistic = LogisticRegression().fit(X, y)
    search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=2).fit(X, y)
    own = fitted(KerasImageClassifier(builder=build_mlp, builder_params={}), (4, 4))
    own.builder = own_builder
    return {
        "baseline": (logistic, "LogisticRegression, only network classifiers"),
        "baseline in a pipeline": (
            make_pipeline(ImageScaler().fit(X), logistic),
            "LogisticRegression, only network classifiers",
        ),
        "step": (
            make_pipeline(PCA(16).fit(np.repeat(X, 3, axis=0)), tiny_mlp()),
            "the step PCA, only ImageScaler, Deskewer, DigitNormalizer, HOGTransf",
        ),
        "pipeline in a pipeline": (
            make_pipeline(make_pipeline(ImageScaler().fit(X)), tiny_mlp()),
            "the step Pipeline",
        ),
        "search": (search, r"a search such as GridSearchCV.*best_estimator_.*\.joblib"),
        "own builder": (own, "builder=<function own_builder"),
        "subclass": (fitted(OwnClassifier(), (4, 4)), "OwnClassifier"),
        "own pipeline": (OwnPipeline([("clf", tiny_mlp())]), "OwnPipeline"),
        "builder_params": (
            fitted(
                KerasImageClassifier(builder=build_mlp, builder_params={"units": 3}),
                (4, 4),
            ).set_params(builder_params={"dtype": object()}),
            "builder_params=.*which is not plain data",
        ),
        "history": (_with(tiny_mlp(), history_={"loss": [object()]}), "history_="),
    }


def _with(model, **attributes):
    vars(model).update(attributes)
    return model


@pytest.mark.parametrize("kind", refused_models())
def test_other_models_are_refused_by_name_with_the_hint_to_joblib(kind, path):
    model, words = refused_models()[kind]
    path.write_bytes(b"before")
    with pytest.raises(TypeError, match=rf"(?s)cannot hold .*{words}.*") as caught:
        save_model(model, path)
    assert ".joblib" in str(caught.value)
    assert path.read_bytes() == b"before"
    assert os.listdir(path.parent) == [path.name]


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"units": -1}, "'units' parameter"),
        ({"history_": 5}, "history_ must be an object with a list"),
        ({"fit_id_": "../x"}, "fit_id_ must be"),
        ({"classes_": np.array(["b", "a"] * 5)}, "must be sorted"),
        ({"n_features_in_": 17}, "takes"),
    ],
    ids=lambda value: next(iter(value)) if isinstance(value, dict) else "",
)
def test_what_could_not_be_loaded_is_not_written(changes, words, path):
    with pytest.raises(ValueError, match=rf"cannot be written .*{words}"):
        save_model(_with(tiny_mlp(), **changes), path)
    assert not path.exists()


def test_weights_that_are_not_finite_are_not_written(path):
    model = tiny_mlp()
    model._network.weights[2][0, 0] = np.nan
    with pytest.raises(ValueError, match="the tensor weights/2 is not finite"):
        save_model(model, path)
    assert not path.exists()


def callback_factory():
    raise AssertionError


def test_a_warning_names_settings_of_training_that_are_lost(path):
    model = tiny_mlp(
        callbacks=[callback_factory],
        optimizer=callback_factory,
        random_state=np.random.RandomState(0),
    )
    model = Pipeline([("clf", model)], memory="cache")
    with pytest.warns(UserWarning, match="does not keep") as caught:
        save_model(model, path)
    (warning,) = caught
    assert warning.filename == __file__
    for words in (
        f"{path} does not keep optimizer=<function callback_factory",
        "callbacks=[<function callback_factory",
        "random_state=RandomState",
        "memory='cache'",
        "predicts the same",
    ):
        assert words in str(warning.message)
    loaded = load_model(path)
    expected = {"optimizer": "adam", "callbacks": None, "random_state": None}
    assert loaded[-1].get_params().items() >= expected.items()
    assert loaded.memory is None
    assert np.array_equal(loaded.predict_proba(ROWS), model.predict_proba(ROWS))


@pytest.mark.parametrize(
    "variables", [[np.array([1, np.inf])], [np.array([True])]], ids=["inf", "bool"]
)
def test_a_state_of_an_optimizer_that_is_no_finite_numbers_is_lost(variables, path):
    model = tiny_mlp(warm_start=True)
    model._training.is_kept = True
    model._training.optimizer_variables = variables
    with pytest.warns(UserWarning, match="does not keep the state of the optimizer"):
        save_model(model, path)
    assert load_model(path)._training.optimizer_variables is None


def test_metadata_requests_are_named_as_lost(path):
    model = _with(tiny_mlp(), _metadata_request=object())
    with pytest.warns(UserWarning, match="does not keep metadata request"):
        save_model(model, path)


def test_a_file_loads_under_any_name_and_case(path):
    content = save_model(tiny_mlp(), path.with_name("M.SafeTensors")).read_bytes()
    for name in ("m", "m.joblib", "m.bin"):
        path.with_name(name).write_bytes(content)
        loaded = load_model(path.with_name(name))
        assert np.array_equal(loaded.predict(ROWS), tiny_mlp().predict(ROWS))


def test_constructor_parameters_that_a_file_lacks_have_their_defaults(path):
    """They are newer than the file; so with those of Pipelines."""
    model = in_pipeline(tiny_mlp(epochs=7), PICTURES[:, :4, :4])
    description, tensors = parts(save_model(model, path).read_bytes())
    del description["model"]["parameters"]["transform_input"]
    for _, step in description["model"]["steps"]:
        step["parameters"].pop("clip", None)
        step["parameters"].pop("epochs", None)
    path.write_bytes(forged(description, tensors))
    loaded = load_model(path)
    assert loaded.transform_input is None
    assert (loaded[0].clip, loaded[1].epochs) == (True, KerasMLPClassifier().epochs)


class Touching:
    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.mark.parametrize("compress", [0, 3, ("gzip", 3), ("xz", 3)], ids=repr)
def test_a_pickle_in_disguise_is_not_run(compress, path):
    trap = path.with_name("was run")
    joblib.dump(Touching(trap), path, compress=compress)
    with pytest.raises(
        ModelFileError, match=r"model\.safetensors is not a .* but one of joblib"
    ):
        load_model(path)
    path.write_bytes(pickle.dumps(Touching(trap), protocol=2))
    with pytest.raises(ModelFileError, match="of joblib or pickle, which may run code"):
        load_model(path)
    assert not trap.exists()


def test_compression_is_of_joblib_alone(path):
    with pytest.raises(ValueError, match=r"compress='xz' is for \.joblib files"):
        save_model(tiny_mlp(), path, compress="xz")


def test_the_file_is_plain_safetensors_with_a_documented_checksum(path):
    model = in_pipeline(tiny_cnn(list("abcdefghij")), PICTURES)
    content = save_model(model, path, metadata={"sha256": "0" * 64}).read_bytes()
    with safetensors.safe_open(path, framework="np") as file:
        text = file.metadata()["skmnist"]
        weights = [file.get_tensor(f"weights/{i}") for i in range(8)]
    assert all(map(np.array_equal, weights, model[-1]._network.weights))
    description, tensors = parts(content)
    assert description == json.loads(text)
    assert description["sha256"] == checksum(text, tensors)
    assert description["schema"] == "skmnist model"
    assert description["schema_version"] == 1


def test_another_save_of_the_same_library_is_still_the_model(path):
    """The checksum is of what a file says, not of how it says it."""
    from safetensors.numpy import load_file, save_file

    save_model(tiny_cnn(), path)
    with safetensors.safe_open(path, framework="np") as file:
        metadata = file.metadata()
    save_file(load_file(path), path, metadata | {"format": "np"})
    expected = tiny_cnn().predict_proba(PICTURES)
    assert np.array_equal(load_model(path).predict_proba(PICTURES), expected)


PREDICT = """
import sys
import numpy as np
from skmnist.persistence import load_model, save_model

model = load_model(sys.argv[1])
save_model(model, sys.argv[1])
np.save(sys.argv[2], model.predict_proba(np.load(sys.argv[2])))
slow = {"tensorflow", "keras", "scikeras", "jax", "torch"}
assert slow.isdisjoint(sys.modules), slow & set(sys.modules)
"""


def test_loading_predicting_and_saving_load_neither_tensorflow_nor_keras(path):
    model = in_pipeline(tiny_cnn(), PICTURES)
    content = save_model(model, path).read_bytes()
    array = path.with_name("X.npy")
    np.save(array, PICTURES)
    arguments = [sys.executable, "-c", PREDICT, str(path), str(array)]
    subprocess.run(arguments, check=True)
    assert np.array_equal(np.load(array), model.predict_proba(PICTURES))
    assert path.read_bytes() == content
