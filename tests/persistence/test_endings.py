"""The name of a model file agrees with its content, or the error says what it is."""

import bz2
import gzip
import io
import lzma
import os
import subprocess
import sys
import zipfile

import joblib
import numpy as np
import onnx
import pytest
import safetensors.numpy
from click.testing import CliRunner
from made_up import tiny_mlp
from sklearn.linear_model import LogisticRegression

from skmnist.cli._commands import skmnist
from skmnist.export import to_onnx
from skmnist.persistence import ModelFileError, load_model, save_model

REFUSED = {
    "m.keras": r"\.keras is a Keras model, which `model_\.save`",
    "m.h5": r"\.h5 is an HDF5 file, which `model_\.save`",
    "m.weights.HDF5": r"\.hdf5 is an HDF5 file",
    "m.onnx": r"ONNX model, which `skmnist\.export\.to_onnx` and `skmnist export` ",
    "m.pt": "a PyTorch file",
    "m.tflite": "a TensorFlow model",
    "m.npz": "a NumPy file",
    "m.json": "a text file",
    "m.csv.gz": r"\.csv is a text file",
    "m.html": "a web page, which `skmnist report` writes",
    "m.tar.gz": "an archive",
    "m.joblib.zip": "an archive",
    "m.safetensor": r"did you mean \.safetensors\?",
    "m.saftensors.gz": r"did you mean \.safetensors\?",
    "m.safetensors.gz": "are not compressed",
    "m.job-lib": r"did you mean \.joblib\?",
    "m.jobib": r"did you mean \.joblib\?",
}
TAKEN = ["m", "m.JOBLIB", "m.pkl", "m.pickle", "m.sav", "m.bin", "m_0.98", "m.v1.2"]
PACKED = {
    "m.joblib.gz": gzip,
    "m.pkl.bz2": bz2,
    "m.xz": lzma,
    "m.joblib.lzma": lzma,
}


@pytest.fixture(autouse=True)
def in_folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def model():
    return LogisticRegression().fit([[0.0], [1.0]], [0, 1])


@pytest.mark.parametrize("name", REFUSED)
def test_endings_of_other_formats_are_refused_with_a_hint(name, model):
    words = r"end in \.joblib, \.pkl, \.pickle or \.safetensors.*"
    with pytest.raises(ValueError, match=rf"^{name}: .*{words}{REFUSED[name]}"):
        save_model(model, name)
    assert os.listdir() == []


@pytest.mark.parametrize("name", TAKEN)
def test_other_names_make_files_of_joblib(name, model):
    save_model(model, name)
    assert joblib.load(name)["format"] == "skmnist model"


@pytest.mark.parametrize("name", PACKED)
def test_the_name_decides_the_compression(name, model):
    with PACKED[name].open(save_model(model, name)) as file:
        assert b"skmnist model" in file.read()
    assert load_model(name).predict([[1]]) == [1]
    save_model(model, name, compress=0)
    with pytest.raises((OSError, lzma.LZMAError)), PACKED[name].open(name) as file:
        file.read()


@pytest.mark.parametrize("command", ["train", "search"])
@pytest.mark.parametrize("name", ["m.keras", "m.safetensor", "m.csv"])
def test_commands_refuse_such_names_before_the_work(command, name):
    done = CliRunner().invoke(skmnist, [command, "dummy", "--out", name])
    assert done.exit_code == 2
    (line,) = done.stderr.splitlines()
    assert f"{name}: model files end in .joblib" in line
    assert os.listdir() == []


def npz():
    file = io.BytesIO()
    np.savez(file, a=np.zeros(3))
    return file.getvalue()


def archive():
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as packed:
        packed.writestr("metadata.json", "{}")
    return file.getvalue()


def onnx_model():
    return to_onnx(tiny_mlp()).SerializeToString()


def foreign_onnx():
    graph = onnx.helper.make_graph([], "g", [], [])
    return onnx.helper.make_model(graph).SerializeToString()


def dumped():
    file = io.BytesIO()
    joblib.dump(LogisticRegression().fit([[0.0], [1.0]], [0, 1]), file)
    return file.getvalue()


FOREIGN = {
    "x.onnx": (onnx_model, "but an ONNX model, which ONNX Runtime runs"),
    "y.onnx": (foreign_onnx, "but an ONNX model, which ONNX Runtime runs"),
    "x.joblib": (onnx_model, "but an ONNX model"),
    "x.keras": (archive, "but a Keras model, which `keras.saving.load_model` loads"),
    "x.pt": (archive, "but a PyTorch file, which PyTorch loads"),
    "x.h5": (lambda: b"\x89HDF\r\n\x1a\n" + bytes(9), "an HDF5 file, which Keras"),
    "old.joblib": (lambda: b"ZF0x2f".ljust(30), "a file of joblib 0.9 or older"),
    "x.npz": (npz, "but a zip archive, as .npz"),
    "x.html": (lambda: b"<html></html>", "but a web page"),
    "a.safetensors": (npz, "is not a .safetensors file but a zip archive"),
    "b.safetensors": (onnx_model, "is not a .safetensors file but an ONNX model"),
    "c.safetensors": (lambda: b"a text\n", "is not a .safetensors file but text that"),
    "d.safetensors": (dumped, "is not a .safetensors file but one of joblib or pickle"),
    "e.joblib": (
        lambda: safetensors.numpy.save({"a": np.zeros(3)}),
        "is a safetensors file and cannot be loaded as a model: it ",
    ),
    "f.safetensors": (bytes, "it is empty"),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_called_what_it_is(name, tmp_path):
    make, words = FOREIGN[name]
    (tmp_path / name).write_bytes(make())
    with pytest.raises(ModelFileError) as caught:
        load_model(name)
    assert str(caught.value).startswith(name)
    assert words in str(caught.value)


BUILDER = """
def small(n_inputs):
    return n_inputs
class Kept:
    builder = staticmethod(small)
    def __reduce__(self):
        return small, (3,)
"""


@pytest.mark.parametrize(
    ("place", "words"),
    [
        ("my_builders", "needs the module 'my_builders', .* to PYTHONPATH"),
        ("my.builders", r"needs the module 'my'"),
        ("__main__", "function or class .*'small'.*can be imported"),
    ],
)
def test_a_module_that_is_missing_here_is_named(place, words, tmp_path):
    folder = tmp_path / "there"
    path = folder / f"{place.replace('.', '/')}.py"
    path.parent.mkdir(parents=True)
    path.write_text(BUILDER)
    code = f"import joblib, {place}\njoblib.dump({place}.Kept(), 'm.joblib')"
    if place == "__main__":
        code = f"{BUILDER}import joblib\njoblib.dump(Kept(), 'm.joblib')"
    env = os.environ | {"PYTHONPATH": str(folder)}
    subprocess.run([sys.executable, "-c", code], check=True, env=env)
    with pytest.raises(ModelFileError, match=rf"m\.joblib cannot be loaded .*{words}"):
        load_model("m.joblib")
