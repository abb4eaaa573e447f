"""Exported models give what the fitted models give, without Keras."""

import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline

from skmnist import (
    Deskewer,
    ImageScaler,
    KerasCNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist.datasets import load_digits
from skmnist.export import to_onnx
from skmnist.networks import build_mlp
from skmnist.pipelines import make_model, model_names


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:200], y[:200]


def run(model, X):
    exported = to_onnx(model)
    onnx.checker.check_model(exported, full_check=True)
    session = onnxruntime.InferenceSession(exported.SerializeToString())
    (described,) = session.get_inputs()
    dtype = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[described.type]
    assert tuple(described.shape[1:]) == X.shape[1:]
    assert [output.name for output in session.get_outputs()] == [
        "label",
        "probabilities",
    ]
    return session.run(None, {"X": np.asarray(X, dtype)})


def assert_same(model, X):
    label, probabilities = run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)
    assert np.array_equal(label, model.predict(X))


@pytest.mark.parametrize("name", model_names("network"))
def test_named_models_on_mnist_sized_images(name, digits):
    X, y = digits
    images = np.kron(X.reshape(-1, 8, 8), np.ones((1, 3, 3)))
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))[:60].astype(np.uint8) * 15
    model = make_model(name, epochs=1, random_state=0, clf__precision="float32")
    assert_same(model.fit(images, y[:60]), images)


def fit_small(X, y, **params):
    network = KerasCNNClassifier(
        filters=3, units=6, epochs=2, precision="float32", random_state=0, **params
    )
    return make_pipeline(ImageScaler(), network).fit(X, y)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: np.array(["zero", "one", "two", "three", "äöü"])[y % 5],
        lambda y: np.array(["no", "yes"], dtype=object)[y % 2],
        lambda y: y % 2 == 0,
        lambda y: y.astype(np.float64) - 3,
        lambda y: (y + 250).astype(np.uint8) % 7,
        lambda y: y.astype(np.int16) - 3,
    ],
    ids=["strings", "objects", "booleans", "floats", "bytes", "small integers"],
)
def test_labels_are_those_of_the_classifier(labels, digits):
    X, y = digits
    assert_same(fit_small(X, labels(y)), X)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.int64, np.float64])
@pytest.mark.parametrize("shape", [(64,), (8, 8), (8, 8, 1), (4, 16), (4, 4, 4)])
def test_images_come_as_they_were_fitted(shape, dtype, digits):
    X, y = digits
    images = X.reshape(-1, *shape).astype(dtype)
    if shape == (4, 4, 4):
        model = make_pipeline(
            ImageScaler(image_shape=shape), KerasMLPClassifier(units=4, epochs=1)
        ).fit(images, y)
    else:
        model = fit_small(images, y, kernel_size=2)
    flat = images.reshape(-1, 8, 8) if shape == (8, 8, 1) else images
    label, probabilities = run(model, flat)
    np.testing.assert_allclose(probabilities, model.predict_proba(images), atol=1e-6)
    assert np.array_equal(label, model.predict(images))


@pytest.mark.parametrize("layout", ["flat", "channels_last"])
@pytest.mark.parametrize("clip", [True, False])
def test_pixels_are_scaled_as_by_the_scaler(layout, clip, digits):
    X, y = digits
    scaler = ImageScaler(layout=layout, clip=clip, data_range=(10, 200))
    network = KerasCNNClassifier(filters=2, units=4, epochs=1, precision="float32")
    assert_same(make_pipeline(scaler, network).fit(X, y), X)


def test_a_classifier_alone_takes_scaled_pixels(digits):
    X, y = digits
    assert_same(KerasMLPClassifier(units=8, epochs=2).fit(X / 16, y), X / 16)


def test_bfloat16_concerns_training_alone(digits):
    X, y = digits
    model = KerasMLPClassifier(units=8, epochs=2, precision="bfloat16").fit(X / 16, y)
    _, probabilities = run(model, X / 16)
    np.testing.assert_allclose(probabilities, model.predict_proba(X / 16), atol=2e-2)


def test_a_file_is_written_whole_or_not_at_all(digits, tmp_path):
    X, y = digits
    model = KerasMLPClassifier(units=8, epochs=1, random_state=0).fit(X / 16, y)
    path = tmp_path / "digits.onnx"
    exported = to_onnx(model, path)
    assert onnx.load(path) == exported
    with pytest.raises(TypeError):
        to_onnx(make_pipeline(Deskewer(), model), path)
    assert onnx.load(path) == exported
    with pytest.raises(FileNotFoundError, match="nowhere"):
        to_onnx(model, tmp_path / "nowhere" / "digits.onnx")


def linear(input_shape, n_classes):
    import keras

    return keras.Sequential(
        [keras.Input(input_shape), keras.layers.Dense(n_classes, activation="softmax")]
    )


def test_what_cannot_be_written_is_named(digits):
    X, y = digits
    own = KerasImageClassifier(builder=linear, image_shape="flat", epochs=1)
    with pytest.raises(TypeError, match="builder of this one is <function linear"):
        to_onnx(own.fit(X / 16, y))
    with pytest.raises(TypeError, match="cannot write LogisticRegression"):
        to_onnx(make_model("logistic_regression").fit(X, y))
    with pytest.raises(TypeError, match="cannot write Deskewer"):
        to_onnx(make_pipeline(Deskewer(), KerasMLPClassifier(epochs=1)).fit(X, y))
    with pytest.raises(NotFittedError):
        to_onnx(make_pipeline(ImageScaler(), KerasMLPClassifier()))
    planned = KerasImageClassifier(
        builder=build_mlp, builder_params={"units": 4}, image_shape="flat", epochs=1
    )
    assert_same(planned.fit(X / 16, y), X / 16)


def test_an_exported_model_runs_without_keras(digits, tmp_path):
    X, y = digits
    model = KerasMLPClassifier(units=8, epochs=1, random_state=0).fit(X / 16, y)
    to_onnx(model, tmp_path / "digits.onnx")
    np.save(tmp_path / "x.npy", (X / 16).astype(np.float32))
    code = (
        "import sys, numpy, onnxruntime\n"
        "session = onnxruntime.InferenceSession('digits.onnx')\n"
        "label, _ = session.run(None, {'X': numpy.load('x.npy')})\n"
        "numpy.save('label.npy', label)\n"
        "assert not {'keras', 'tensorflow', 'skmnist'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], cwd=tmp_path, check=True, timeout=120)
    assert np.array_equal(np.load(tmp_path / "label.npy"), model.predict(X / 16))


def test_the_command_writes_a_model_of_a_file(digits, tmp_path, monkeypatch):
    from click.testing import CliRunner

    from skmnist.cli._commands import skmnist
    from skmnist.persistence import save_model

    X, y = digits
    monkeypatch.chdir(tmp_path)
    model = KerasMLPClassifier(units=8, epochs=1, random_state=0).fit(X / 16, y)
    save_model(model, "m.joblib")
    args = ["export", "m.joblib", "--out", "m.onnx"]
    assert CliRunner().invoke(skmnist, args).stdout == "m.onnx\n"
    assert onnx.load("m.onnx") == to_onnx(model)
    again = CliRunner().invoke(skmnist, args)
    assert again.exit_code == 2
    assert "m.onnx exists" in again.stderr
    save_model(make_model("logistic_regression").fit(X, y), "l.joblib")
    refused = CliRunner().invoke(skmnist, ["export", "l.joblib", "--out", "l.onnx"])
    assert refused.exit_code == 2
    assert "cannot write LogisticRegression" in refused.stderr
