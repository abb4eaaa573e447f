"""Models of scikit-learn and this package together become ONNX models by skl2onnx."""

import re
import subprocess
import sys

import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import skl2onnx
from skl2onnx.common.data_types import UInt8TensorType
from sklearn.calibration import CalibratedClassifierCV
from sklearn.decomposition import PCA
from sklearn.ensemble import BaggingClassifier, StackingClassifier, VotingClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.multiclass import OneVsRestClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler

from skmnist import (
    DeepEnsembleClassifier,
    Deskewer,
    ImageScaler,
    KerasCNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._inference.activations import ACTIVATIONS
from skmnist.datasets import load_digits
from skmnist.evaluation._scores import count_parameters
from skmnist.export import to_onnx
from skmnist.networks import build_mlp
from skmnist.pipelines import make_model, model_names


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:150], y[:150]


def mlp(**params):
    return KerasMLPClassifier(units=8, epochs=1, random_state=0, **params)


def cnn(**params):
    return KerasCNNClassifier(filters=2, units=4, epochs=1, random_state=0, **params)


def session_of(exported):
    onnx.checker.check_model(exported, full_check=True)
    onnx.shape_inference.infer_shapes(exported, strict_mode=True, data_prop=True)
    return onnxruntime.InferenceSession(exported.SerializeToString())


def run(model, X, zipmap=False, **options):
    options = {"zipmap": zipmap, **options}
    session = session_of(skl2onnx.to_onnx(model, X[:1], options=options))
    return session.run(None, {"X": X})


def assert_same(model, X):
    label, probabilities = run(model, X)
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)
    assert np.array_equal(label, model.predict(X))


@pytest.mark.parametrize("name", model_names("network"))
def test_named_models_on_mnist_sized_images(name, digits):
    X, y = digits
    images = np.kron(X.reshape(-1, 8, 8), np.ones((1, 3, 3)))
    images = np.pad(images, ((0, 0), (2, 2), (2, 2)))[:40].astype(np.uint8)
    labels = np.array([f"digit {label}" for label in y[:40]])
    model = make_model(name, epochs=1, random_state=0).fit(images, labels)
    assert_same(model, images)
    exported = skl2onnx.to_onnx(model, images[:1], options={"zipmap": False})
    assert exported.ByteSize() < 4 * count_parameters(model) + 50_000


@pytest.mark.parametrize("labels", ["numbers", "strings", "two strings"])
@pytest.mark.parametrize(
    "make",
    [
        lambda: make_pipeline(StandardScaler(), mlp()),
        lambda: make_pipeline(ImageScaler(), PCA(20), mlp()),
        lambda: make_pipeline(Deskewer(), ImageScaler(), LogisticRegression()),
        lambda: make_pipeline(
            ImageScaler(layout="channels_first"),
            VotingClassifier(
                [("a", cnn()), ("b", make_pipeline(Deskewer(), mlp()))],
                voting="soft",
                flatten_transform=False,
            ),
        ),
        lambda: StackingClassifier(
            [("a", make_pipeline(ImageScaler(), mlp())), ("b", mlp())], mlp(), cv=2
        ),
        lambda: CalibratedClassifierCV(mlp(), cv=2),
        lambda: CalibratedClassifierCV(
            KerasImageClassifier(builder=build_mlp, image_shape="flat", epochs=1), cv=2
        ),
        lambda: BaggingClassifier(mlp(), n_estimators=2, random_state=0),
        lambda: DeepEnsembleClassifier(mlp(), n_estimators=3, random_state=0),
        lambda: OneVsRestClassifier(mlp()),
        lambda: GridSearchCV(mlp(), {"units": [4]}, cv=2),
    ],
    ids=[
        "scaler of scikit-learn",
        "PCA",
        "classifier of scikit-learn",
        "voting",
        "stacking",
        "calibrated",
        "calibrated without decision function",
        "bagging",
        "deep ensemble",
        "one against the rest",
        "search",
    ],
)
def test_models_of_scikit_learn_take_those_of_this_package(make, labels, digits):
    X, y = digits
    y = {"numbers": y, "strings": y.astype(str), "two strings": (y % 2).astype(str)}
    assert_same(make().fit(X / 16, y[labels]), X / 16)


@pytest.mark.parametrize(
    "labels",
    [
        lambda y: y % 2 == 0,
        lambda y: y.astype(np.float64) - 3,
        lambda y: y.astype(np.uint8),
        lambda y: np.array(["zero", "äöü"], object)[y % 2],
    ],
    ids=["booleans", "floats", "bytes", "objects"],
)
def test_labels_are_whole_numbers_or_strings(labels, digits):
    X, y = digits
    model = make_pipeline(ImageScaler(), mlp()).fit(X, labels(y))
    label, _ = run(model, X)
    assert label.dtype in (np.int64, object)
    assert np.array_equal(label, model.predict(X))
    places, _ = run(model, X, nocl=True)
    assert np.array_equal(model.classes_[places], model.predict(X))
    _, maps = run(model, X, zipmap=True)
    assert list(maps[0]) == model.classes_.tolist()
    _, *columns = run(model, X, zipmap="columns")
    np.testing.assert_allclose(
        np.stack(columns, axis=1), model.predict_proba(X), atol=1e-6
    )


@pytest.mark.parametrize("n_classes", [2, 10])
def test_raw_scores_are_the_decision_function(n_classes, digits):
    X, y = digits
    model = mlp().fit(X / 16, y % n_classes)
    _, scores = run(model, X / 16, raw_scores=True)
    wanted = model.decision_function(X / 16)
    if n_classes == 2:
        wanted = np.stack([-wanted, wanted], axis=1)
    np.testing.assert_allclose(scores, wanted, atol=1e-5)


@pytest.mark.parametrize("layout", ["flat", "channels_last", "channels_first"])
@pytest.mark.parametrize("given", ["rows", "last", "first"])
def test_images_come_in_any_layout(given, layout, digits):
    X, y = digits
    images = {"last": X.reshape(-1, 4, 4, 4), "rows": X}
    images["first"] = np.moveaxis(images["last"], -1, 1)
    scaler = ImageScaler(layout=layout, image_shape=(4, 4, 4))
    model = make_pipeline(scaler, Deskewer(), mlp()).fit(X, y)
    assert_same(model, images[given])


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64, bool])
def test_every_type_of_pixels_is_taken(dtype, digits):
    X, y = digits
    X = (X > 100).astype(dtype) if dtype is bool else X.astype(dtype)
    model = make_pipeline(ImageScaler(), Deskewer(), mlp()).fit(X, y)
    assert_same(model, X)
    probabilities = run(model, X)[1]
    assert probabilities.dtype == (np.float64 if dtype is np.float64 else np.float32)
    assert run(model, X)[1][:0].shape == (0, 10)


def test_columns_of_a_data_frame_are_inputs(digits):
    X, y = digits
    table = pd.DataFrame(X, columns=[f"p{i}" for i in range(64)])
    table = table.astype({"p3": np.float32, "p4": np.uint8})
    model = make_pipeline(ImageScaler(), mlp()).fit(table, y)
    exported = skl2onnx.to_onnx(model, table[:1], options={"zipmap": False})
    columns = {name: table[[name]].to_numpy() for name in table}
    _, probabilities = session_of(exported).run(None, columns)
    np.testing.assert_allclose(probabilities, model.predict_proba(table), atol=1e-6)


def test_inputs_may_have_any_name(digits):
    X, y = digits
    model = make_pipeline(ImageScaler(), Deskewer(), mlp()).fit(X, y)
    exported = skl2onnx.to_onnx(
        model,
        initial_types=[("t1", UInt8TensorType([None, 8, 8]))],
        options={"zipmap": False},
    )
    images = X.reshape(-1, 8, 8).astype(np.uint8)
    _, probabilities = session_of(exported).run(None, {"t1": images})
    np.testing.assert_allclose(probabilities, model.predict_proba(X), atol=1e-6)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "linear"])
def test_every_opset_is_respected_or_refused(activation, digits):
    X, y = digits
    model = mlp(activation=activation).fit(X / 16, y)
    given = X.astype(np.float32) / 16
    refusal = "KerasMLPClassifier needs target_opset=([0-9]+) or later; got 12"
    with pytest.raises(ValueError, match=refusal) as raised:
        skl2onnx.to_onnx(model, given[:1], target_opset=12)
    oldest = int(re.search(refusal, str(raised.value))[1])
    assert oldest < 22
    for opset in (oldest, 22):
        exported = skl2onnx.to_onnx(model, given[:1], target_opset=opset)
        imported = {entry.domain: entry.version for entry in exported.opset_import}
        assert imported[""] == opset
        label, _ = session_of(exported).run(None, {"X": given})
        assert np.array_equal(label, model.predict(given))
    if oldest > 13:
        with pytest.raises(ValueError, match=f"target_opset={oldest} or later"):
            skl2onnx.to_onnx(model, given[:1], target_opset=oldest - 1)


def test_what_cannot_be_converted_is_named(digits):
    X, y = digits
    model = make_pipeline(ImageScaler(), Deskewer(), mlp()).fit(X, y)
    with pytest.raises(ValueError, match="Deskewer needs target_opset=18 or later"):
        skl2onnx.to_onnx(model, X[:1], target_opset=15)
    with pytest.raises(ValueError, match=r"\(60,\), 60 numbers.* fitted on 64"):
        skl2onnx.to_onnx(model, X[:1, :60])
    with pytest.raises(TypeError, match="'X' holds strings"):
        skl2onnx.to_onnx(model, X[:1].astype(str))


def test_one_import_registers_and_exports_give_the_same(digits, tmp_path):
    X, y = digits
    model = make_pipeline(ImageScaler(), Deskewer(), mlp()).fit(X.astype(np.uint8), y)
    session = session_of(to_onnx(model))
    _, wanted = session.run(None, {"X": X.astype(np.uint8)})
    _, given = run(model, X.astype(np.uint8))
    np.testing.assert_array_equal(given, wanted)
    code = (
        "import skmnist.export\n"
        "from skl2onnx import update_registered_converter\n"
        "from skl2onnx._parse import sklearn_parsers_map\n"
        "assert skmnist.KerasMLPClassifier in sklearn_parsers_map\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_without_skl2onnx_networks_are_written_all_the_same():
    code = (
        "import sys\n"
        "sys.modules['skl2onnx'] = None\n"
        "from skmnist.export import to_onnx\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("import a_missing_package", "No module named 'a_missing_package'"),
        ("import onnx; onnx.gone", "AttributeError.*has no attribute"),
        ("", "cannot import name 'update_registered_converter'"),
    ],
)
def test_a_broken_skl2onnx_is_named_and_not_in_the_way(content, words, tmp_path):
    (tmp_path / "skl2onnx.py").write_text(content)
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n"
        "from skmnist.export import to_onnx\n"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    assert re.search(f"skl2onnx is installed but cannot be used.*{words}", done.stderr)
