"""Files and parameters that commands cannot use: one line, exit code 2, the name."""

import datetime
import json

import joblib
import numpy as np
import pytest
from click.testing import CliRunner

from skmnist.cli._commands import skmnist
from skmnist.cli._metadata import known_metadata
from skmnist.datasets import load_digits
from skmnist.pipelines import make_model


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        return CliRunner().invoke(skmnist, [str(arg) for arg in args])

    return invoke


@pytest.fixture(scope="module")
def model():
    X, y = load_digits(return_X_y=True)
    return make_model("dummy").fit(X[:100], y[:100])


def assert_refused(result, *words):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    line = result.stderr.splitlines()[-1]
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


def write_model(model, metadata):
    content = {"format": "skmnist model", "format_version": 1, "model": model}
    joblib.dump({**content, "metadata": metadata}, "m.joblib")


READERS = [
    ["evaluate", "m.joblib"],
    ["predict", "m.joblib", "x.npy"],
    ["report", "m.joblib"],
]


@pytest.mark.parametrize("args", READERS, ids=lambda args: args[0])
@pytest.mark.parametrize("metadata", [[], None, "words"], ids=repr)
def test_metadata_that_are_no_dict_are_bad_input(args, metadata, run, model):
    write_model(model, metadata)
    assert_refused(run(*args), "m.joblib has metadata of type")


@pytest.mark.parametrize("args", READERS, ids=lambda args: args[0])
def test_a_newline_behind_a_compressed_model_is_bad_input(args, run, model):
    joblib.dump(model, "m.joblib", compress=3)
    with open("m.joblib", "ab") as file:
        file.write(b"\n")
    assert_refused(run(*args), "m.joblib", "something follows the zlib-compressed data")


OWN_WORDS = [
    {"image_shape": [8]},
    {"image_shape": "8×8"},
    {"image_shape": [8, None]},
    {"image_shape": 1e308},
    {"dataset": ["digits"]},
    {"dataset": None},
    {"seed": -1},
    {"seed": "first"},
    {"seed": 10**400},
    {"versions": ["3.11"]},
    {"versions": {"python": 3}},
    {"model": {"a": 1}},
    {"n_train": float("nan")},
    {"when": datetime.datetime(2026, 1, 1), "curve": np.arange(3)},
    {1: 2, (3, 4): {5}},
    {"other": 3 + 4j},
]


@pytest.mark.parametrize("metadata", OWN_WORDS, ids=repr)
def test_metadata_of_other_kinds_are_no_obstacle(metadata, run, model):
    write_model(model, metadata)
    np.save("x.npy", np.zeros((1, 64)))
    for args in (*READERS, ["evaluate", "m.joblib", "--json"]):
        result = run(*args)
        assert result.exit_code == 0, result.output
    json.loads(result.stdout)


def test_metadata_that_hold_themselves_come_to_an_end():
    metadata = {"dataset": "digits"}
    metadata["itself"] = metadata
    assert known_metadata(metadata)["dataset"] == "digits"
    assert json.dumps(known_metadata(metadata))


def damaged(**changes):
    results = {
        "kind": "comparison",
        "models": [{"model": "a", "accuracy": 0.9, "verdict": "best"}],
        "dataset": "digits",
    }
    return json.dumps(results | changes)


DAMAGED_RESULTS = {
    "cut": damaged()[:-9],
    "bytes": damaged().encode().replace(b"digits", b"\xff\xfe"),
    "deep": "[" * 100_000,
    "long number": damaged().replace("0.9", "9" * 5000),
    "list": "[1, 2]",
    "other kind": damaged(kind=["comparison"]),
    "no models": damaged(models=None),
    "models of numbers": damaged(models=[1, 2]),
    "command": damaged(command=5),
    "versions": damaged(versions=3),
    "versions of lists": damaged(versions=[["python"]]),
    "metadata": damaged(metadata={"versions": 1}),
    "left out": damaged(left_out=1.5),
}


@pytest.mark.parametrize("kind", DAMAGED_RESULTS)
def test_damaged_results_are_bad_input_of_a_report(kind, run, tmp_path):
    content = DAMAGED_RESULTS[kind]
    data = content if isinstance(content, bytes) else content.encode()
    (tmp_path / "results.json").write_bytes(data)
    assert_refused(run("report", "results.json"), "results.json")
    assert not (tmp_path / "results.html").exists()


@pytest.mark.parametrize(
    ("param", "words"),
    [
        ("units=1000000000000", "600,000,000,000,080 bytes"),
        ("units=" + "9" * 40, "too large for this machine"),
        ("units=-1", "'units' parameter"),
        ("units=nan", "'units' parameter"),
        ("units=" + ",".join("2" * 300), "'units' parameter"),
        ("epochs=1e30", "'epochs' parameter"),
        ("batch_size=-5", "'batch_size' parameter"),
        ("learning_rate=1e400", "'learning_rate' parameter"),
    ],
    ids=lambda text: text[:30],
)
def test_parameters_beyond_all_bounds_are_bad_input(param, words, run, tmp_path):
    result = run("train", "mlp_512", "--param", param)
    assert_refused(result, words)
    assert list(tmp_path.iterdir()) == []
