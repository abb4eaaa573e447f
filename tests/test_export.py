"""Exported models give what the fitted models give, without Keras."""

import json
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
from click.testing import CliRunner
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier, VotingClassifier
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmnist import (
    Deskewer,
    DigitNormalizer,
    ImageScaler,
    KerasCNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._inference.graph import Graph
from skmnist.cli._commands import skmnist
from skmnist.datasets import load_digits
from skmnist.export import to_onnx
from skmnist.export._steps import Images, add_transformer
from skmnist.networks import build_cnn, build_mlp
from skmnist.persistence import load_model, save_model
from skmnist.pipelines import make_model, model_names


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:200], y[:200]


def session_of(exported):
    onnx.checker.check_model(exported, full_check=True)
    onnx.shape_inference.infer_shapes(exported, strict_mode=True, data_prop=True)
    return onnxruntime.InferenceSession(exported.SerializeToString())


def run(model, X):
    exported = to_onnx(model)
    session = session_of(exported)
    (described,) = session.get_inputs()
    dtype = {"tensor(float)": np.float32, "tensor(uint8)": np.uint8}[described.type]
    assert tuple(described.shape[1:]) == X.shape[1:]
    assert [output.name for output in session.get_outputs()] == [
        "label",
        "probabilities",
    ]
    given = np.asarray(X, dtype)
    results = session.run(None, {"X": given})
    for n in (0, 1):
        label, probabilities = session.run(None, {"X": given[:n]})
        assert np.array_equal(label, results[0][:n])
        assert probabilities.shape == (n, results[1].shape[1])
        np.testing.assert_allclose(probabilities, results[1][:n], atol=1e-6)
    return results


def assert_same(model, X):
    label, probabilities = run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)
    assert np.array_equal(label, model.predict(X))


@pytest.mark.parametrize("name", model_names("network"))
def test_named_models_on_mnist_sized_images(name, digits):
    X, y = digits
    images = np.kron(X.reshape(-1, 8, 8), np.ones((1, 3, 3)))
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))[:60].astype(np.uint8) * 15
    labels = np.array([f"digit {label}" for label in y[:60]])
    model = make_model(name, epochs=1, random_state=0)
    assert_same(model.fit(images, labels), images)


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


@pytest.mark.parametrize("labels", [None, list("abcdefghij")], ids=["int", "str"])
@pytest.mark.parametrize("kind", ["bagging", "voting"])
def test_ensembles_average_their_networks(kind, labels, digits):
    X, y = digits
    y = y if labels is None else np.array(labels)[y]
    network = KerasCNNClassifier(filters=4, units=8, epochs=2, batch_size=32)
    if kind == "bagging":
        ensemble = BaggingClassifier(network, 3, bootstrap=False, random_state=0)
    else:
        members = [(f"n{i}", clone(network)) for i in range(3)]
        ensemble = VotingClassifier(members, voting="soft")
    model = make_pipeline(ImageScaler(), ensemble).fit(X, y)
    label, probabilities = run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)
    assert label.tolist() == model.predict(X).tolist()


@pytest.mark.parametrize(
    "ensemble",
    [
        BaggingClassifier(KerasMLPClassifier(epochs=1), 2, max_features=0.5),
        BaggingClassifier(LogisticRegression(max_iter=5), 2),
        VotingClassifier([("a", KerasMLPClassifier(epochs=1))], voting="hard"),
        VotingClassifier(
            [("a", KerasMLPClassifier(epochs=1))], voting="soft", weights=[2]
        ),
    ],
    ids=["some pixels", "no networks", "hard votes", "weights"],
)
def test_other_ensembles_are_refused(ensemble, digits):
    with pytest.raises(TypeError, match=r"Only a network classifier .* or an average"):
        to_onnx(ensemble.fit(*digits))


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
    assert_same(model, images)


def in_colour(digits, channels_first):
    X, y = digits
    images = np.stack([X, X // 2, 255 - X], axis=-1).reshape(-1, 8, 8, 3)
    return (np.moveaxis(images, -1, 1) if channels_first else images), y


@pytest.mark.parametrize("channels_first", [True, False])
@pytest.mark.parametrize("layout", ["flat", "channels_last", "channels_first"])
@pytest.mark.parametrize("network", [KerasMLPClassifier, KerasCNNClassifier])
def test_colours_go_through_every_layout(network, layout, channels_first, digits):
    images, y = in_colour(digits, channels_first)
    model = make_pipeline(
        ImageScaler(layout=layout), Deskewer(), network(units=4, epochs=1)
    )
    assert_same(model.fit(images.astype(np.uint8), y), images)


@pytest.mark.parametrize("layout", ["channels_last", "channels_first"])
def test_cubes_keep_their_layout(layout, digits):
    X, y = digits
    scaler = ImageScaler(image_shape=(4, 4, 4), layout=layout)
    assert_same(make_pipeline(scaler, KerasMLPClassifier(epochs=1)).fit(X, y), X)


def test_a_classifier_alone_takes_the_layout_of_its_fit(digits):
    images, y = in_colour(digits, channels_first=True)
    network = KerasCNNClassifier(units=4, epochs=1, image_shape=(8, 8, 3))
    assert_same(network.fit(images / 255, y), images / 255)


def test_rows_stay_rows_where_the_scaler_knows_the_image_shape(digits):
    X, y = digits
    scaler = ImageScaler(image_shape=(4, 16))
    network = KerasCNNClassifier(filters=2, kernel_size=2, units=4, epochs=1)
    assert_same(make_pipeline(scaler, network).fit(X, y), X)


def test_data_frames_are_rows(digits):
    X, y = digits
    table = pd.DataFrame(X, columns=[f"p{i}" for i in range(64)])
    model = make_pipeline(ImageScaler(), Deskewer(), KerasMLPClassifier(epochs=1))
    model.set_output(transform="pandas").fit(table, y)
    label, probabilities = run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(table), atol=1e-6)
    assert np.array_equal(label, model.predict(table))


@pytest.mark.parametrize(
    "steps",
    [
        [Deskewer(), ImageScaler()],
        [ImageScaler(layout="channels_first"), Deskewer()],
        [Deskewer(center=False), ImageScaler(clip=False), ImageScaler()],
        [Deskewer(max_shear=0.05), Deskewer(max_shear=0), ImageScaler()],
        ["passthrough", make_pipeline(ImageScaler(), "passthrough", Deskewer()), None],
        [ImageScaler(), Deskewer(image_shape="row")],
        [ImageScaler(), Deskewer(image_shape=(4, 16))],
    ],
    ids=str,
)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_transformers_are_written_in_any_order(steps, dtype, digits):
    X, y = digits
    network = KerasMLPClassifier(units=8, epochs=1, random_state=0)
    assert_same(make_pipeline(*steps, network).fit(X.astype(dtype), y), X)


@pytest.mark.parametrize("center", [True, False])
@pytest.mark.parametrize("shape", [(8, 8, 1), (1, 64, 1), (16, 4, 1), (4, 4, 4)])
def test_every_pixel_is_deskewed_as_by_the_deskewer(shape, center):
    rng = np.random.default_rng(0)
    images = rng.normal(size=(60, *shape)) * (rng.random((60, *shape)) < 0.2)
    images[:2] = 3  # of one colour
    images[2] = images[3] = 0
    images[3, 0, 0, 0] = 7  # its mass in one corner
    images[4] -= 1000
    deskewer = Deskewer(center=center, image_shape=shape).fit(images)
    graph = Graph()
    given = Images(shape, onnx.TensorProto.DOUBLE)
    tensor, result = add_transformer(graph, "X", given, deskewer)
    session = session_of(
        graph.model(
            {"X": (given.kind, shape)},
            {"pixels": (tensor, result.kind, result.shape)},
            version="0",
        )
    )
    (pixels,) = session.run(None, {"X": images})
    np.testing.assert_allclose(pixels, deskewer.transform(images), rtol=2e-7, atol=1e-6)


@pytest.mark.parametrize("layout", ["flat", "channels_last"])
@pytest.mark.parametrize("clip", [True, False])
def test_pixels_are_scaled_as_by_the_scaler(layout, clip, digits):
    X, y = digits
    scaler = ImageScaler(layout=layout, clip=clip, data_range=(10, 200))
    network = KerasCNNClassifier(filters=2, units=4, epochs=1, precision="float32")
    assert_same(make_pipeline(scaler, network).fit(X, y), X)


@pytest.mark.parametrize("name", ["mlp_1", "mlp_2", "cnn_2"])
def test_files_of_earlier_versions_take_rows(name, digits):
    X, _ = digits
    model = load_model(Path(__file__).parent / "data" / f"{name}.joblib")
    assert_same(model, X)


def test_a_classifier_alone_takes_scaled_pixels(digits):
    X, y = digits
    assert_same(KerasMLPClassifier(units=8, epochs=2).fit(X / 16, y), X / 16)


def test_bfloat16_concerns_training_alone(digits):
    X, y = digits
    model = KerasMLPClassifier(units=8, epochs=2, precision="bfloat16").fit(X / 16, y)
    _, probabilities = run(model, X / 16)
    np.testing.assert_allclose(probabilities, model.predict_proba(X / 16), atol=2e-2)


def test_the_file_says_what_it_holds_and_is_hardly_larger_than_the_weights(digits):
    X, y = digits
    labels = np.array(["null", "eins", "äöü"])[y % 3]
    model = make_pipeline(ImageScaler(), KerasMLPClassifier(units=300, epochs=1))
    exported = to_onnx(model.fit(X.reshape(-1, 8, 8), labels))
    properties = {entry.key: entry.value for entry in exported.metadata_props}
    assert json.loads(properties["classes"]) == ["eins", "null", "äöü"]
    assert json.loads(properties["image_shape"]) == [8, 8, 1]
    assert properties["skmnist_version"] == exported.producer_version
    assert exported.producer_name == "skmnist"
    assert "KerasMLPClassifier" in exported.doc_string
    assert exported.ByteSize() < 4 * model[-1].n_parameters_ + 3000


def test_a_file_is_written_whole_or_not_at_all(digits, tmp_path):
    X, y = digits
    model = KerasMLPClassifier(units=8, epochs=1, random_state=0).fit(X / 16, y)
    path = tmp_path / "digits.onnx"
    exported = to_onnx(model, path)
    assert onnx.load(path) == exported
    with pytest.raises(NotFittedError, match="Deskewer"):
        to_onnx(make_pipeline(Deskewer(), model), path)
    assert onnx.load(path) == exported
    with pytest.raises(FileNotFoundError, match="nowhere"):
        to_onnx(model, tmp_path / "nowhere" / "digits.onnx")


def linear(input_shape, n_classes):
    import keras

    return keras.Sequential(
        [keras.Input(input_shape), keras.layers.Dense(n_classes, activation="softmax")]
    )


def tempered(x):
    return 0.5 * x


class InvertedScaler(ImageScaler):
    def transform(self, X):
        return 1 - super().transform(X)


def test_what_cannot_be_written_is_named(digits):
    X, y = digits
    features = make_pipeline(DigitNormalizer(), ImageScaler(), KerasMLPClassifier())
    with pytest.raises(TypeError, match=r"got DigitNormalizer\. Write the steps after"):
        to_onnx(features)
    own = KerasImageClassifier(builder=linear, image_shape="flat", epochs=1)
    with pytest.raises(TypeError, match="builder of this one is <function linear"):
        to_onnx(own.fit(X / 16, y))
    with pytest.raises(TypeError, match="as ONNX; got LogisticRegression"):
        to_onnx(make_model("logistic_regression").fit(X, y))
    network = KerasMLPClassifier(units=4, epochs=1)
    with pytest.raises(TypeError, match="can be written as ONNX; got StandardScaler"):
        to_onnx(make_pipeline(StandardScaler(), network).fit(X, y))
    with pytest.raises(TypeError, match="can be written as ONNX; got InvertedScaler"):
        to_onnx(make_pipeline(InvertedScaler(), network).fit(X, y))
    search = GridSearchCV(network, {"units": [3]}, cv=2).fit(X / 16, y)
    with pytest.raises(TypeError, match=r"GridSearchCV. Give its best_estimator_\."):
        to_onnx(search)
    with pytest.raises(TypeError, match="can be written as ONNX; got NoneType"):
        to_onnx(None)
    with pytest.raises(NotFittedError):
        to_onnx(make_pipeline(ImageScaler(), KerasMLPClassifier()))
    planned = KerasImageClassifier(
        builder=build_mlp, builder_params={"units": 4}, image_shape="flat", epochs=1
    )
    assert_same(planned.fit(X / 16, y), X / 16)


@pytest.mark.parametrize(
    ("builder", "activation", "words"),
    [
        (linear, None, "builder of this one is <function linear"),
        (build_mlp, "relu", "build_mlp made this one with .*'relu'"),
        (build_cnn, tempered, "build_cnn made this one with .*function tempered"),
    ],
)
def test_networks_of_your_own_are_refused_by_every_way(
    builder, activation, words, digits, tmp_path, monkeypatch
):
    import keras

    X, y = digits
    shape = None if builder is build_cnn else "flat"
    params = activation and {"activation": activation}
    own = KerasImageClassifier(
        builder=builder, builder_params=params, image_shape=shape, epochs=1
    )
    monkeypatch.chdir(tmp_path)
    words = f"Networks of your own builder cannot be written as ONNX.*{words}"
    # Where a name of Keras is taken, it means something else.
    with keras.saving.custom_object_scope({"relu": tempered, "tempered": tempered}):
        save_model(own.fit(X / 16, y), "own.joblib")
        with pytest.raises(TypeError, match=words):
            to_onnx(own, "own.onnx")
        with pytest.raises(TypeError, match=words):
            pytest.importorskip("skl2onnx").to_onnx(own, X[:1])
        args = ["export", "own.joblib", "--out", "own.onnx"]
        refused = CliRunner().invoke(skmnist, args)
    assert refused.exit_code == 2
    assert re.search(words, refused.stderr)
    assert refused.stderr.startswith("Error: own.joblib: ")
    assert "model_" not in refused.stderr
    assert not Path("own.onnx").exists()


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
    X, y = digits
    monkeypatch.chdir(tmp_path)
    model = make_pipeline(Deskewer(), ImageScaler(), KerasMLPClassifier(epochs=1))
    save_model(model.fit(X, y), "m.joblib")
    args = ["export", "m.joblib", "--out", "m.onnx"]
    assert CliRunner().invoke(skmnist, args).stdout == "m.onnx\n"
    assert onnx.load("m.onnx") == to_onnx(model)
    again = CliRunner().invoke(skmnist, [*args, "--force", "--json"])
    assert json.loads(again.stdout) == ["m.onnx"]
    search = GridSearchCV(model, {"kerasmlpclassifier__units": [4]}, cv=2).fit(X, y)
    save_model(search, "m.joblib")
    assert CliRunner().invoke(skmnist, [*args, "--force"]).exit_code == 0
    assert onnx.load("m.onnx") == to_onnx(search.best_estimator_)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ("m.joblib", "--out"),
        ("m.joblib --out there.onnx", "there.onnx exists; --force replaces it"),
        ("m.joblib --out m.txt", "m.txt: the name must end in .onnx."),
        ("m.joblib --out nowhere/m.onnx", "no folder nowhere"),
        ("none.joblib --out m.onnx", "none.joblib"),
        ("there.onnx --out m.onnx", "there.onnx is not a model file"),
        ("l.joblib --out m.onnx", "got StandardScaler, LogisticRegression.\n"),
    ],
)
def test_the_command_refuses_bad_input_and_writes_nothing(
    args, message, digits, tmp_path, monkeypatch
):
    X, y = digits
    monkeypatch.chdir(tmp_path)
    save_model(KerasMLPClassifier(units=4, epochs=1).fit(X / 16, y), "m.joblib")
    other = make_pipeline(StandardScaler(), LogisticRegression())
    save_model(other.fit(X, y), "l.joblib")
    (tmp_path / "there.onnx").write_bytes(b"here")
    result = CliRunner().invoke(skmnist, ["export", *args.split()])
    assert result.exit_code == 2
    assert message in result.stderr
    assert {path.name for path in tmp_path.iterdir()} == {
        "m.joblib",
        "l.joblib",
        "there.onnx",
    }
    assert (tmp_path / "there.onnx").read_bytes() == b"here"


def test_the_help_of_the_command_fits_a_terminal():
    text = CliRunner().invoke(skmnist, ["export", "--help"], env={"COLUMNS": "80"})
    assert max(map(len, text.stdout.splitlines())) <= 80
    assert "Deskewer" in text.stdout
