"""Wrong usage, bad input and failures on the command line."""

import os
import subprocess
import sys

import numpy as np
import pytest
from click.testing import CliRunner

from skmnist.cli._commands import skmnist
from skmnist.datasets import write_idx

COMMANDS = [
    "compare",
    "train",
    "evaluate",
    "predict",
    "search",
    "reproduce",
    "export",
    "demo",
    "data",
    "models",
]


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        return CliRunner().invoke(skmnist, [str(arg) for arg in args])

    return invoke


def assert_refused(result, *words):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    for word in words:
        assert word in line


def test_help_loads_nothing_heavy():
    script = (
        "import sys\n"
        "from skmnist.cli._commands import skmnist\n"
        "try:\n"
        "    skmnist.main(['--help'])\n"
        "except SystemExit as end:\n"
        "    assert end.code == 0\n"
        "heavy = {'tensorflow', 'keras', 'sklearn', 'pandas', 'numpy', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.splitlines()[-1] == "[]"
    assert all(f"  {command} " in done.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(run, command):
    result = run(command, "--help")
    assert result.exit_code == 0
    assert "--json" in result.stdout


@pytest.mark.parametrize("command", ["evaluate", "predict", "demo"])
def test_help_warns_of_model_files(run, command):
    assert "trust" in run(command, "--help").stdout


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["comprae"], ["comprae", "skmnist --help"]),
        (["compare", "--mode", "dummy"], ["--models", "skmnist compare --help"]),
        (["compare", "--models", "cnn_3264"], ["Did you mean 'cnn_32_64'"]),
        (["compare", "--models", "dummy,dummy"], ["more than once"]),
        (["compare", "--models", ","], ["no model"]),
        (["compare", "--dataset", "minst"], ["Did you mean 'mnist'"]),
        (["compare", "--models", "cnn_large"], ["8×8", "too small"]),
        (
            ["compare", "--models", "best"],
            ["Did you mean 'cnn_best', 'ensemble_best' or 'mlp_best'?"],
        ),
        (["compare", "--models", "network"], ["Did you mean 'networks'?"]),
        (["compare", "--models", "networks,mlp_512"], ["more than once"]),
        (["compare", "--models", "dummy", "--cv", "1"], ["--cv", "x>=2"]),
        (
            ["compare", "--models", "dummy", "--cv", "175"],
            ["175 folds", "label 8", "174 images", "--cv can be 174 at most"],
        ),
        (["compare", "--jobs", "0"], ["--jobs"]),
        (["compare", "--jobs", "two"], ["--jobs", "'two' is not a valid integer"]),
        (["compare", "--epochs", "0"], ["--epochs", "x>=1"]),
        (
            ["compare", "--epochs", "x"],
            ["--epochs", "'x' is not a valid integer"],
        ),
        (["compare", "--epochs", "1.5"], ["--epochs", "'1.5' is not a valid integer"]),
        (["compare", "--seed", "4294967296"], ["--seed", "0<=x<=4294967295"]),
        (["compare", "--out", "table.pdf"], [".csv", ".md"]),
        (["compare", "--out", "no/such/table.csv"], ["no/such"]),
        (["train", "rbf_smv"], ["Did you mean 'rbf_svm'"]),
        (["train", "rbf_svm", "--epochs", "3"], ["not trained in epochs"]),
        (["train", "rbf_svm", "--param", "C"], ["KEY=VALUE"]),
        (["train", "rbf_svm", "--param", "gama=1"], ["gama", "gamma"]),
        (
            ["train", "mlp_512", "--param", "dropuot=0.3"],
            ["no parameter 'dropuot'. Did you mean 'dropout'? Allowed are activation"],
        ),
        (
            ["train", "mlp_512", "--param", "clf__dropuot=0.3"],
            ["no parameter 'clf__dropuot'. Did you mean 'clf__dropout'?"],
        ),
        (
            ["train", "mlp_512", "--param", "callbacks=3"],
            ["--param callbacks cannot be given here: it takes objects of Keras"],
        ),
        (
            ["train", "rbf_svm", "--param", "clf__random_state=3"],
            ["--param clf__random_state cannot be given here: --seed sets it."],
        ),
        (["train", "cnn_32_64", "--param", "strides=0"], ["strides", "Got 0"]),
        (["train", "cnn_32_64", "--param", "pool_size=0"], ["pool_size", "Got 0"]),
        (
            ["train", "cnn_32_64", "--param", "filters=(3,4"],
            ["--param filters=(3,4 is not a number", "bracket"],
        ),
        (
            ["train", "rbf_svm", "--param", "kernel='rbf"],
            ["--param kernel='rbf is not a number", "quotation mark"],
        ),
        (
            ["train", "mlp_512", "--epochs", "3", "--param", "epochs=4"],
            ["--epochs", "give one"],
        ),
        (["train", "dummy", "--out", "no/such/model.joblib"], ["no/such"]),
        (["train", "dummy", "--out", "."], ["folder"]),
        (["search", "mlp_51"], ["Did you mean 'mlp_512'"]),
        (["search", "rbf_svm", "--epochs", "3"], ["not trained in epochs"]),
        (["evaluate", "missing.joblib"], ["missing.joblib", "No such file"]),
        (["predict", "missing.joblib"], ["IMAGES"]),
        (["data", "digits", "--to", "csv"], ["--out"]),
        (["data", "digits", "--to", "png", "--out", "x"], ["csv", "idx", "npz"]),
        (["data", "no-such-folder"], ["no-such-folder", "digits", "mnist"]),
        (["data", "."], ["train-images-idx3-ubyte"]),
    ],
    ids=lambda value: " ".join(value) if len(value) > 1 else None,
)
def test_bad_input_is_refused_on_one_line(run, tmp_path, args, words):
    assert_refused(run(*args), *words)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("command", ["compare", "search"])
def test_a_single_label_is_refused(run, tmp_path, command):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.ones((9, 3, 3), int))
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.full(9, 7))
    args = ["--models", "dummy"] if command == "compare" else ["dummy"]
    assert_refused(run(command, *args, "--dataset", "."), "one label only, 7")


def test_folds_that_nobody_asked_for_are_not_said_to_be(run, tmp_path):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.ones((6, 3, 3), int))
    write_idx(tmp_path / "train-labels-idx1-ubyte", [0, 0, 0, 1, 1, 1])
    result = run("compare", "--models", "dummy", "--dataset", ".")
    assert_refused(result, "5 folds are too many", "3 images", "--cv can be 3 at most")
    write_idx(tmp_path / "train-labels-idx1-ubyte", [0, 0, 0, 0, 0, 1])
    result = run("compare", "--models", "dummy", "--dataset", ".")
    assert_refused(result, "there is only 1 image", "at least 2 are needed")


@pytest.mark.parametrize(
    ("labels", "words"),
    [
        ([7, 7, 7, 7, 7, 7], ["one label only, 7", "at least 2"]),
        ([0, 0, 0, 0, 0, 1], ["no test part", "there is 1 of label 1"]),
        ([0, 0, 1, 1, 2, 2], ["no test part", "at least 12", "3 labels", "are 6"]),
    ],
)
def test_too_few_images_to_keep_some_back_are_refused(run, tmp_path, labels, words):
    write_idx(tmp_path / "train-images-idx3-ubyte", np.ones((6, 3, 3), int))
    write_idx(tmp_path / "train-labels-idx1-ubyte", labels)
    assert_refused(run("train", "dummy", "--dataset", "."), *words)


@pytest.mark.parametrize("command", ["train", "search"])
def test_test_labels_that_cannot_be_learned_are_refused_at_once(run, tmp_path, command):
    for part, labels in ("train", [0, 0, 1, 1]), ("t10k", [0, 1, 2, 9]):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", np.ones((4, 3, 3), int))
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", labels)
    assert_refused(run(command, "dummy", "--dataset", "."), "no training image", "2, 9")


def test_sizes_of_images_are_written_in_one_form(run, tmp_path):
    for part, shape in ("train", (4, 6, 8)), ("t10k", (4, 8, 6)):
        write_idx(tmp_path / f"{part}-images-idx3-ubyte", np.ones(shape, int))
        write_idx(tmp_path / f"{part}-labels-idx1-ubyte", [0, 0, 1, 1])
    assert_refused(run("data", "."), "of 6×8 pixels", "of 8×6")


def test_a_parameter_out_of_range_is_named_and_nothing_written(run, tmp_path):
    for name, param, parameter in (
        ("rbf_svm", "C=-1", "'C'"),
        ("mlp_512", "dropout=1.5", "'dropout'"),
    ):  # before it is said that training begins
        assert_refused(run("train", name, "--param", param), parameter)
    assert list(tmp_path.iterdir()) == []


def test_mnist_that_cannot_be_had_is_explained_on_one_line(run, tmp_path, monkeypatch):
    (tmp_path / "train-images-idx3-ubyte").write_bytes(b"\0\0\x08\x03")
    monkeypatch.setenv("SKMNIST_DATA", str(tmp_path))
    lacking = ("train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")
    assert_refused(run("data", "mnist"), str(tmp_path), *lacking)


def test_a_damaged_file_is_named(run, tmp_path):
    images = np.zeros((4, 3, 3), dtype=np.uint8)
    write_idx(tmp_path / "train-images-idx3-ubyte", images)
    write_idx(tmp_path / "train-labels-idx1-ubyte", np.zeros(3, dtype=np.uint8))
    assert_refused(run("data", tmp_path), "3 labels for 4 images")


@pytest.mark.skipif(not os.path.isdir("/proc"), reason="has no folder like this")
def test_a_folder_that_takes_no_files_is_refused_before_training(run):
    assert_refused(run("train", "dummy", "--out", "/proc/x.joblib"), "/proc", "write")


@pytest.mark.parametrize(
    ("args", "name"),
    [
        (["train", "dummy"], "dummy.joblib"),
        (["search", "dummy", "--out", "best.joblib"], "best.joblib"),
        (["compare", "--models", "dummy", "--out", "t.csv"], "t.csv"),
        (["data", "digits", "--to", "csv", "--out", "."], "digits.csv"),
    ],
    ids=lambda value: value[0] if isinstance(value, list) else None,
)
def test_existing_files_are_replaced_only_by_force(run, tmp_path, args, name):
    (tmp_path / name).write_text("precious")
    assert_refused(run(*args), name, "--force")
    assert (tmp_path / name).read_text() == "precious"
    assert run(*args, "--force").exit_code == 0
    assert (tmp_path / name).read_bytes() != b"precious"


def test_unexpected_errors_take_one_line(run, monkeypatch):
    def fail(name):
        raise RuntimeError("first\nsecond")

    monkeypatch.setattr("skmnist.datasets._image_sets.load_image_set", fail)
    result = run("data", "digits")
    assert result.exit_code == 1
    (line,) = result.stderr.splitlines()
    assert "RuntimeError: first second" in line
    assert "--debug" in line
    assert "Traceback" in run("--debug", "data", "digits").stderr


def test_an_interrupted_command_exits_with_130(run, monkeypatch):
    def interrupt(name):
        raise KeyboardInterrupt

    monkeypatch.setattr("skmnist.datasets._image_sets.load_image_set", interrupt)
    result = run("data", "digits")
    assert result.exit_code == 130
    assert result.stderr.strip() == "Interrupted."


def test_warnings_are_shown_once_and_on_one_line(run):
    result = run("train", "logistic_regression", "--param", "max_iter=1")
    warned = [line for line in result.stderr.splitlines() if "Warning" in line]
    assert len(warned) == 1
    assert warned[0].startswith("Warning: lbfgs failed to converge")
    assert ".py" not in result.stderr
