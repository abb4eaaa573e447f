"""Saving and loading, in this process, in another, and on another backend."""

import io
import json
import os
import pickle
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import joblib
import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

import skmnist
from skmnist import ImageScaler, KerasImageClassifier
from skmnist.persistence import ModelFileError, load_model, save_model

OTHER_BACKEND = "tensorflow" if BACKEND == "jax" else "jax"


@pytest.fixture(scope="module")
def fitted(digits):
    X, y = digits
    search = GridSearchCV(
        make_pipeline(ImageScaler(), small_mlp()),
        {"kerasmlpclassifier__units": [8, 16]},
        cv=2,
    )
    return {
        "classifier": small_cnn().fit(X, y),
        "pipeline": make_pipeline(ImageScaler(), small_mlp()).fit(X, y),
        "search": search.fit(X, y),
        "own builder": KerasImageClassifier(builder=dense, epochs=1).fit(X, y),
    }


@pytest.mark.parametrize("kind", ["classifier", "pipeline", "search", "own builder"])
@pytest.mark.parametrize("way", ["joblib", "pickle", "save_model"])
def test_a_loaded_model_gives_the_same_probabilities(
    kind, way, fitted, digits, tmp_path
):
    X, _ = digits
    model = fitted[kind]
    expected = model.predict_proba(X)
    if way == "pickle":
        loaded = pickle.loads(pickle.dumps(model))
    elif way == "joblib":
        joblib.dump(model, tmp_path / "model")
        loaded = load_model(tmp_path / "model")
    else:
        loaded = load_model(save_model(model, tmp_path / "model"))
    assert np.array_equal(loaded.predict_proba(X), expected)
    assert np.array_equal(loaded.predict(X), model.predict(X))


PREDICT = """
import sys
import numpy as np
from skmnist.persistence import load_model

folder = sys.argv[1]
X = np.load(folder + "/X.npy")
for kind in sys.argv[2:]:
    model = load_model(f"{folder}/{kind}.joblib")
    np.save(f"{folder}/{kind}.npy", model.predict_proba(X))
"""


def predicted_by_another_process(models, X, folder, backend):
    for kind, model in models.items():
        save_model(model, folder / f"{kind}.joblib")
    np.save(folder / "X.npy", X)
    environment = os.environ | {
        "KERAS_BACKEND": backend,
        "PYTHONPATH": os.pathsep.join([str(Path(__file__).parent), *sys.path]),
    }
    subprocess.run(
        [sys.executable, "-c", PREDICT, str(folder), *models],
        env=environment,
        check=True,
    )
    return {kind: np.load(folder / f"{kind}.npy") for kind in models}


def test_another_process_gives_the_same_probabilities_bit_for_bit(
    fitted, digits, tmp_path
):
    X, _ = digits
    found = predicted_by_another_process(fitted, X, tmp_path, BACKEND)
    for kind, model in fitted.items():
        assert np.array_equal(found[kind], model.predict_proba(X)), kind


@pytest.mark.skipif(not find_spec(OTHER_BACKEND), reason="needs both backends")
def test_another_backend_gives_the_same_probabilities(fitted, digits, tmp_path):
    X, _ = digits
    found = predicted_by_another_process(fitted, X, tmp_path, OTHER_BACKEND)
    for kind, model in fitted.items():
        np.testing.assert_allclose(found[kind], model.predict_proba(X), atol=1e-5)


@pytest.mark.parametrize("way", ["warm_start", "partial_fit"])
def test_training_goes_on_after_loading(way, digits, tmp_path):
    X, y = digits
    model = small_mlp(warm_start=way == "warm_start", epochs=2, dropout=0.5).fit(X, y)
    if way == "partial_fit":
        model.partial_fit(X, y)
    loaded = load_model(save_model(model, tmp_path / "model"))
    for once in (model, loaded):
        if way == "partial_fit":
            once.partial_fit(X, y)
        else:
            once.set_params(epochs=1).fit(X, y)
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.history_ == model.history_


def test_a_file_holds_little_more_than_the_weights(digits):
    X, y = digits
    model = small_mlp(units=400).fit(X, y)
    model.predict(X)
    assert model.model_ is not None
    size = len(pickle.dumps(model))
    assert 4 * model.n_parameters_ < size < 4 * model.n_parameters_ + 10_000


def test_what_is_said_about_a_model_is_kept(fitted, tmp_path):
    path = save_model(fitted["classifier"], tmp_path / "m", metadata={"data": "digits"})
    model, metadata = load_model(path, return_metadata=True)
    assert metadata == {"data": "digits"}
    assert model.get_params() == fitted["classifier"].get_params()
    joblib.dump(model, tmp_path / "plain")
    assert load_model(tmp_path / "plain", return_metadata=True)[1] == {}


def test_a_model_that_is_not_fitted_is_not_saved(tmp_path):
    for model in (small_mlp(), make_pipeline(ImageScaler(), LogisticRegression())):
        with pytest.raises(NotFittedError):
            save_model(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_a_regressor_is_not_saved(tmp_path):
    model = LinearRegression().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(TypeError, match="fitted classifier; got the regressor Linear"):
        save_model(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


def test_what_does_not_predict_is_not_saved(digits, tmp_path):
    X, _ = digits
    for model in (ImageScaler().fit(X), make_pipeline(ImageScaler()).fit(X), {}):
        with pytest.raises(TypeError, match="must be a fitted classifier; got "):
            save_model(model, tmp_path / "model")
    assert list(tmp_path.iterdir()) == []


class Unpicklable(LogisticRegression):
    def __getstate__(self):
        raise MemoryError("half of it is written")


def test_a_file_is_replaced_as_a_whole_or_not_at_all(fitted, digits, tmp_path):
    X, y = digits
    path = save_model(fitted["classifier"], tmp_path / "model")
    before = path.read_bytes()
    with pytest.raises(MemoryError):
        save_model(Unpicklable().fit(X, y), path)
    assert path.read_bytes() == before
    assert list(tmp_path.iterdir()) == [path]
    save_model(fitted["pipeline"], path)
    assert type(load_model(path)).__name__ == "Pipeline"
    assert list(tmp_path.iterdir()) == [path]


def test_a_saved_file_has_the_rights_of_any_other(fitted, tmp_path):
    path = save_model(fitted["classifier"], tmp_path / "model")
    (tmp_path / "other").touch()
    assert path.stat().st_mode == (tmp_path / "other").stat().st_mode


def test_a_folder_that_is_not_there_is_named(fitted, tmp_path):
    path = tmp_path / "nowhere" / "model.joblib"
    with pytest.raises(FileNotFoundError) as caught:
        save_model(fitted["classifier"], path)
    assert str(path.parent) in str(caught.value)
    assert ".part" not in str(caught.value)


def content(**changes):
    return {
        "format": "skmnist model",
        "format_version": 1,
        "skmnist_version": skmnist.__version__,
        "metadata": {},
        "model": LogisticRegression().fit([[0.0], [1.0]], [0, 1]),
    } | changes


def dumped(thing):
    file = io.BytesIO()
    joblib.dump(thing, file)
    return file.getvalue()


def npy():
    file = io.BytesIO()
    np.save(file, np.zeros(3))
    return file.getvalue()


OTHER_FILES = {
    "npy": (npy, r"a NumPy array \(.npy\)"),
    "zip": (
        lambda: b"PK\x03\x04" + bytes(30),
        "zip archive, as .npz and .keras files are",
    ),
    "hdf5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(30), "an HDF5 file"),
    "json": (lambda: json.dumps({"a": 1}).encode(), "or joblib.dump but JSON"),
    "text": (lambda: b"3,0,0,128\n", "but text that begins with '3,0,0,128'"),
    "empty": (bytes, "cannot be loaded as a model: it is empty"),
    "random": (lambda: np.random.default_rng(0).bytes(1000), "cannot be loaded"),
    "cut off": (lambda: dumped(content())[:-80], "cannot be loaded as a model"),
    "unknown class": (
        lambda: b"\x80\x04cno_such_package\nThing\n.",
        "needs the module 'no_such_package', which cannot be imported here",
    ),
    "array": (lambda: dumped(np.zeros(3)), "object of type ndarray, not a fitted"),
    "dict": (lambda: dumped({"a": 1}), "object of type dict, not a fitted"),
    "class": (lambda: dumped(LogisticRegression), "not a fitted"),
    "unfitted": (
        lambda: dumped(LogisticRegression()),
        "LogisticRegression that is not fitted",
    ),
    "unfitted network": (
        lambda: dumped(content(model=small_mlp())),
        "that is not fitted",
    ),
    "no model": (lambda: dumped(content(model=None)), "NoneType, not a fitted"),
    "newer": (
        lambda: dumped(content(format_version=3, skmnist_version="9.9")),
        r"version 3 of the format.* reads versions 1 to 2.* skmnist 9\.9: upgrade",
    ),
    "odd version": (lambda: dumped(content(format_version="one")), "gives 'one' as"),
    "no version": (
        lambda: dumped({"format": "skmnist model", "model": content()["model"]}),
        "calls itself a skmnist model, but gives no format_version",
    ),
    "regressor": (
        lambda: dumped(LinearRegression().fit([[0.0], [1.0]], [0, 1])),
        r"holds a regressor \(LinearRegression\); expected a fitted classifier",
    ),
    "regressor in a pipeline": (
        lambda: dumped(
            content(
                model=make_pipeline(ImageScaler(), LinearRegression()).fit(
                    [[0.0], [1.0]], [0, 1]
                )
            )
        ),
        r"holds a regressor \(Pipeline\)",
    ),
    "parts missing": (
        lambda: dumped({"format": "skmnist model", "format_version": 1}),
        "not a fitted",
    ),
}


@pytest.mark.parametrize("kind", OTHER_FILES)
def test_other_files_are_refused_by_name(kind, tmp_path):
    make, message = OTHER_FILES[kind]
    path = tmp_path / f"file-{kind}"
    path.write_bytes(make())
    with pytest.raises(ModelFileError, match=f"(?s)file-{kind}.*({message})"):
        load_model(path)


def test_a_missing_file_is_missing(tmp_path):
    with pytest.raises(FileNotFoundError, match=r"none\.joblib"):
        load_model(tmp_path / "none.joblib")
    with pytest.raises(OSError, match="directory"):
        load_model(tmp_path)
