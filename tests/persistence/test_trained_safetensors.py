"""Trained networks in safetensors files: resuming, live models, the command line."""

import json
import os
import re

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.pipeline import make_pipeline

from skmnist import (
    Deskewer,
    ImageScaler,
    KerasCNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist.cli._commands import skmnist
from skmnist.cli._pages import is_results
from skmnist.datasets import load_digits
from skmnist.export import to_onnx
from skmnist.networks import build_cnn
from skmnist.persistence import load_model, save_model

X, Y = load_digits(return_X_y=True)
X = (X[:200] / 16).astype("float32")
Y = Y[:200]


def small(**params):
    fixed = {"units": 8, "epochs": 2, "batch_size": 64, "random_state": 0}
    return KerasMLPClassifier(**{**fixed, "dropout": 0.5, **params})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.safetensors"


@pytest.mark.parametrize("way", ["warm_start", "partial_fit", "fit"])
def test_training_resumes_as_without_the_file(way, path):
    model = small(warm_start=way == "warm_start").fit(X, Y)
    if way == "partial_fit":
        model.partial_fit(X, Y)
    loaded = load_model(save_model(model, path))
    expected = load_model(save_model(model, path.with_suffix(".joblib")))
    for one in (loaded, expected):
        one.fit(X, Y) if way == "warm_start" else one.partial_fit(X, Y)
    assert np.array_equal(loaded.predict_proba(X), expected.predict_proba(X))
    assert loaded.history_ == expected.history_
    assert loaded.n_iter_ == expected.n_iter_ > 2
    # The state of an optimizer that is not needed would be twice the network.
    names = b'"optimizer/2"' in save_model(model, path).read_bytes()
    assert names == (way != "fit")


def made_by_function():
    import keras

    return keras.optimizers.SGD(0.1, momentum=0.9)


def decaying():
    import keras

    schedule = keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5)
    return keras.optimizers.RMSprop(schedule)


@pytest.mark.parametrize("make", [made_by_function, decaying])
def test_an_optimizer_of_keras_is_kept_as_its_description(make, path):
    model = small(optimizer=make(), epochs=1).fit(X, Y)
    loaded = load_model(save_model(model, path))
    assert loaded.optimizer["class_name"] == type(model.optimizer).__name__
    model.fit(X, Y)
    loaded.fit(X, Y)
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))


def test_the_state_of_an_optimizer_of_your_own_is_lost_with_a_warning(path):
    import keras

    class Halved(keras.optimizers.SGD):
        pass

    model = small(optimizer=Halved, warm_start=True).fit(X, Y)
    with pytest.warns(UserWarning, match=r"optimizer=<class .*the state of the opt"):
        save_model(model, path)
    loaded = load_model(path)
    assert loaded.optimizer == "adam"
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert isinstance(loaded.model_.optimizer, keras.optimizers.Adam)
    assert loaded.fit(X, Y).n_iter_ == 4


def test_weights_that_an_optimizer_leaves_alone_are_no_part_of_its_description(path):
    import keras

    optimizer = keras.optimizers.AdamW(0.01)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    model = small(optimizer=optimizer, warm_start=True).fit(X, Y)
    with pytest.warns(UserWarning, match="does not keep optimizer=<keras.*AdamW"):
        save_model(model, path)
    live = load_model(path).model_
    assert isinstance(live.optimizer, keras.optimizers.AdamW)
    assert int(live.optimizer.iterations) == 8  # the state is that of the fit


def test_an_optimizer_from_a_function_is_that_of_the_live_model_still(path):
    import keras

    model = small(optimizer=made_by_function).fit(X, Y)
    with pytest.warns(UserWarning, match="optimizer=<function made_by_function"):
        save_model(model, path)
    live = load_model(path).model_
    assert isinstance(live.optimizer, keras.optimizers.SGD)
    assert float(live.optimizer.learning_rate) == pytest.approx(0.1)


def test_the_live_model_has_the_weights(path):
    model = small(activation="elu", l2=0.01, precision="float64").fit(X, Y)
    loaded = load_model(save_model(model, path))
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    live, expected = loaded.model_, model.model_
    assert live.to_json() == expected.to_json()
    assert all(map(np.array_equal, live.get_weights(), expected.get_weights()))


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("shape", [(8, 8), (8, 8, 1), (1, 8, 8), (64,)])
def test_nothing_that_a_fit_leaves_is_lost(shape, path):
    classifier = KerasCNNClassifier(filters=2, units=4, epochs=1, pool_size=2)
    scaler = ImageScaler(layout="channels_last")
    model = make_pipeline(Deskewer(), scaler, classifier)
    images = X.reshape(-1, *shape)
    model.fit(images, Y)
    loaded = load_model(save_model(model, path))
    for one, other in zip(model, loaded, strict=True):
        assert vars(one).keys() == vars(other).keys()
    for one, other in zip(model[:-1], loaded[:-1], strict=True):
        assert vars(one) == vars(other)
    for name in ("_image_shape", "_sample_shape", "_pixel_range", "_split_seed"):
        assert getattr(model[-1], name) == getattr(loaded[-1], name)
    assert np.array_equal(loaded.predict_proba(images), model.predict_proba(images))
    for name, value in vars(model[-1]._training).items():
        if name != "optimizer_variables":  # which nobody needs here
            assert repr(getattr(loaded[-1]._training, name)) == repr(value)


def own_builder(input_shape, n_classes, **params):
    return build_cnn(input_shape, n_classes, **params)


@pytest.mark.parametrize("builder", [build_cnn, own_builder])
def test_of_all_builders_those_of_this_package_are_kept(builder, path):
    params = {"filters": [2], "units": 4, "activation": "selu"}
    model = KerasImageClassifier(builder=builder, builder_params=params, epochs=1)
    model.fit(X.reshape(-1, 8, 8), Y)
    if builder is own_builder:
        with pytest.raises(TypeError, match=r"builder <function own_builder.*\.joblib"):
            save_model(model, path)
        return
    loaded = load_model(save_model(model, path))
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.get_params() == model.get_params()


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        return CliRunner().invoke(skmnist, [str(arg) for arg in args])

    return invoke


def timeless(output):
    """Return what a command printed without the second in which it did so."""
    return re.sub(r'"made": "[^"]*"', "", output)


def test_commands_write_and_read_such_files(run):
    args = ["--param", "units=8", "--epochs", 1, "--out"]
    result = run("train", "mlp_512", *args, "m.safetensors")
    assert result.exit_code == 0, result.stderr
    assert "saved in m.safetensors" in result.stdout
    model, metadata = load_model("m.safetensors", return_metadata=True)
    assert metadata["n_epochs"] == 1
    save_model(model, "m.joblib", metadata=metadata)
    np.save("x.npy", load_digits().data[:5].astype("uint8"))
    for command in (
        ["evaluate", "m", "--json"],
        ["predict", "m", "x.npy", "--proba"],
        ["export", "m", "--out", "m.onnx", "--force"],
        ["report", "m", "--out", "m.html", "--force"],
    ):
        one, other = (
            run(*[f"m.{kind}" if word == "m" else word for word in command])
            for kind in ("safetensors", "joblib")
        )
        assert one.exit_code == other.exit_code == 0, one.stderr
        expected = other.stdout.replace("m.joblib", "m.safetensors")
        assert timeless(one.stdout) == timeless(expected), command
    exported = [to_onnx(load_model(f"m.{kind}")) for kind in ("safetensors", "joblib")]
    assert exported[0].SerializeToString() == exported[1].SerializeToString()
    assert json.loads(run("evaluate", "m.safetensors", "--json").stdout)["metadata"]


@pytest.mark.parametrize("command", ["train", "search"])
def test_what_the_file_cannot_hold_is_refused_before_the_work(command, run):
    result = run(command, "logistic_regression", "--out", "m.safetensors")
    assert result.exit_code == 2
    assert ".safetensors file cannot hold LogisticRegression" in result.stderr
    assert "Training" not in result.stderr
    assert "Searching" not in result.stderr
    assert os.listdir() == []


def test_the_best_of_a_search_can_be_saved(run):
    args = ["--n-iter", 1, "--cv", 2, "--epochs", 1, "--out", "best.safetensors"]
    result = run("search", "mlp_784", *args)
    assert result.exit_code == 0, result.stderr
    assert load_model("best.safetensors")[-1].n_iter_ == 1


def test_a_damaged_file_is_bad_input(run):
    with open("m.safetensors", "wb") as file:
        file.write((10).to_bytes(8, "little") + b"{}")
    result = run("evaluate", "m.safetensors")
    assert result.exit_code == 2
    assert "m.safetensors cannot be loaded as a model" in result.stderr


def test_a_length_that_looks_like_json_is_no_result(tmp_path):
    for start in (b" {", b" [", b"\n["):
        path = tmp_path / "m"
        path.write_bytes(start + bytes(6) + b'{"__metadata__":{}}')
        assert not is_results(path)
    path.write_bytes(b' {"a": 1}')
    assert is_results(path)
