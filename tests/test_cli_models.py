"""Models compared, trained and searched on the command line."""

import contextlib
import dataclasses
import io
import json
import os
import re
import signal
import subprocess
import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

import joblib
import numpy as np
import pandas as pd
import pooch
import pytest
from click.testing import CliRunner
from rich.console import Console

from skmnist import _provenance
from skmnist._configuration import configure
from skmnist._numbers import counted, duration, percent
from skmnist.cli import _progress
from skmnist.cli._commands import skmnist
from skmnist.cli._comparison import run_comparison, worthwhile_jobs
from skmnist.cli._data import split_set
from skmnist.cli._models import fitting_models, parse_params, resolve_names
from skmnist.cli._training import prepare_training, train
from skmnist.datasets import write_idx
from skmnist.datasets._image_sets import ImageSet, load_image_set
from skmnist.evaluation import ModelScores, comparison_table
from skmnist.networks import ARCHITECTURES, Architecture
from skmnist.persistence import load_model
from skmnist.pipelines import make_model, model_names
from skmnist.report._comparison import models_table
from skmnist.report._documents import comparison_rows
from skmnist.report._terminal import table_view

QUICK = "dummy,linear_svm,nearest_neighbors"


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        return CliRunner().invoke(skmnist, [str(arg) for arg in args])

    return invoke


def test_models_are_listed_with_their_kind(run):
    listed = json.loads(run("models", "--json").stdout)
    assert [model["name"] for model in listed] == model_names()
    assert {model["kind"] for model in listed} == {"network", "baseline"}
    assert "cnn_32_64" in run("models").stdout


def test_models_are_listed_with_what_they_reach_on_mnist(run):
    listed = {m["name"]: m["mnist"] for m in json.loads(run("models", "--json").stdout)}
    fast = listed["cnn_fast"]
    assert fast["accuracy"] == pytest.approx(np.mean(fast["accuracies"]))
    assert len(fast["accuracies"]) == len(fast["seeds"])
    assert {"made", "machine", "versions", "fit_time", "n_parameters"} <= set(fast)
    text = run("models").stdout
    row = next(line for line in text.splitlines() if line.startswith("cnn_fast"))
    assert percent(fast["accuracy"]) in row
    assert duration(fast["fit_time"]) in row
    for found in filter(None, listed.values()):
        assert found["machine"] in " ".join(text.split())


def test_a_model_without_results_is_listed_all_the_same(run, monkeypatch):
    new = Architecture("mlp", "tiny", {"units": 1, "dropout": 0.0, "epochs": 2})
    monkeypatch.setitem(ARCHITECTURES, "mlp_new", new)
    assert "mlp_new tiny" in " ".join(run("models").stdout.split())
    listed = {m["name"]: m["mnist"] for m in json.loads(run("models", "--json").stdout)}
    assert listed["mlp_new"] is None


def test_the_list_of_models_fits_a_terminal_of_80_columns(run, monkeypatch):
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("COLUMNS", "80")
    text = re.sub(r"\x1b\[[\d;]*m", "", run("models").stdout)
    assert max(map(len, text.splitlines())) <= 80
    assert "…" not in text
    assert text.count("Accuracy") == 2


def test_the_models_compared_by_default_fit_the_images():
    chosen = resolve_names()
    assert set(model_names()) - set(chosen) == {"cnn_best", "ensemble_best", "mlp_best"}
    models, left_out = fitting_models(chosen, load_image_set("digits"))
    too_deep = {"cnn_fast", "cnn_large", "lenet5"}
    assert set(chosen) - set(models) == set(left_out) == too_deep
    images = np.zeros((4, 784), dtype=np.uint8)
    larger = ImageSet("larger", "", (28, 28), images, np.arange(4))
    models, left_out = fitting_models(resolve_names("networks"), larger)
    assert (list(models), left_out) == (model_names("network"), {})


def test_an_ensemble_is_trained_and_saved(run, monkeypatch):
    params = {"units": 8, "epochs": 3}
    ensemble = Architecture("mlp", "two", params, n_networks=2, is_costly=True)
    monkeypatch.setitem(ARCHITECTURES, "pair", ensemble)
    assert "pair" in resolve_names("networks")
    assert "pair" not in resolve_names()
    result = run("train", "pair", "--epochs", 1, "--param", "units=4", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["n_epochs"] == 1
    evaluated = json.loads(run("evaluate", "pair.joblib", "--json").stdout)
    assert evaluated["accuracy"] == document["evaluation"]["accuracy"]
    refused = run("train", "pair", "--out", "pair.safetensors")
    assert refused.exit_code == 2
    assert "joblib" in refused.stderr
    assert run("train", "pair", "--param", "dropout=2").exit_code == 2


def test_a_group_leaves_out_what_does_not_fit_and_says_so(run, monkeypatch):
    monkeypatch.setattr(
        "skmnist.pipelines.model_names",
        lambda kind=None: ["dummy"] if kind == "baseline" else ["cnn_large", "mlp_784"],
    )
    args = ["compare", "--models", "networks", "--cv", 2, "--epochs", 1]
    result = run(*args, "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert [row["model"] for row in document["models"]] == ["mlp_784"]
    assert list(document["left_out"]) == ["cnn_large"]
    assert document["left_out"]["cnn_large"].startswith("Images of 8×8 pixels are too")
    note, title = result.stderr.splitlines()[:2]
    assert note.startswith("Left out: cnn_large: Images of 8×8 pixels are too small")
    assert title == "Comparing 1 model on digits"
    missing = run(*args).stdout.partition("What was left out")[2]
    assert re.search(r"cnn_large +Images of 8×8 pixels are too small", missing)


def test_nothing_is_said_to_be_left_out_where_nothing_is(run):
    result = run("compare", "--models", "dummy", "--cv", 2, "--json")
    assert json.loads(result.stdout)["left_out"] == {}
    assert "eft out" not in result.stderr


def test_compare_ranks_models_and_tells_how(run):
    result = run("compare", "--models", QUICK, "--cv", 4, "--seed", 5)
    assert result.exit_code == 0
    before, table = result.stdout.split("Models on digits, best first\n")
    assert [line.split()[0] for line in table.splitlines()[2:5]] == [
        "nearest_neighbors",
        "linear_svm",
        "dummy",
    ]
    assert before.splitlines()[0] == "3 models compared on digits"
    assert "4-fold cross-validation on digits, 1,797 images, 8×8 pixels" in before
    for words in ("all folds together", "seed 5", "scikit-learn "):
        assert words in table
    assert "keras " not in table  # which took no part
    assert "[3/3] " in result.stderr


def test_compare_gives_one_json_document(run):
    result = run("compare", "--models", QUICK, "--cv", 3, "--json")
    document = json.loads(result.stdout)
    best, *_, last = document["models"]
    assert best["verdict"] == "best"
    assert 0.9 < best["accuracy"] < 1
    assert best["n_parameters"] is None
    assert (last["model"], last["verdict"]) == ("dummy", "worse")
    assert document["n_folds"] == 3
    assert document["interrupted"] is False


def test_groups_of_models_have_names(run):
    args = ["compare", "--models", "baselines", "--dataset", ".", "--cv", 2]
    _write_small_set(".", n=6)
    names = {row["model"] for row in json.loads(run(*args, "--json").stdout)["models"]}
    assert names == set(model_names("baseline"))


def test_threads_are_left_out_where_they_cost_more_than_they_gain(monkeypatch):
    from threadpoolctl import threadpool_info

    seen = {}

    class Progress(contextlib.nullcontext):
        def fitted(self, name, n_done, n_total):
            seen[name] = {library["num_threads"] for library in threadpool_info()}

        def finished(self, scores):
            pass

    images = load_image_set("digits")
    before = {library["num_threads"] for library in threadpool_info()}
    for name, few in ("few", 5_000), ("many", 1_000):
        monkeypatch.setattr("skmnist.cli._comparison._FEW_IMAGES", few)
        models = {name: make_model("dummy")}
        run_comparison(models, images, n_folds=2, progress=Progress())
    assert seen == {"few": {1}, "many": before}


@pytest.mark.parametrize("suffix", ["csv", "json", "md", "txt"])
def test_compare_writes_its_table(run, tmp_path, suffix):
    path = tmp_path / f"table.{suffix}"
    result = run("compare", "--models", "dummy,linear_svm", "--cv", 3, "--out", path)
    assert result.exit_code == 0
    text = path.read_text(encoding="utf-8")
    if suffix == "csv":
        table = pd.read_csv(path, index_col="model")
        assert list(table.index) == ["linear_svm", "dummy"]
        assert table["accuracy"].between(0.05, 1).all()
    elif suffix == "json":
        assert json.loads(text)["models"][0]["model"] == "linear_svm"
    elif suffix == "md":
        table = [line for line in text.splitlines() if line.startswith("|")]
        assert len({line.count("|") for line in table}) == 1
        assert table[2].startswith("| linear_svm | 96.27 ± ")
    else:
        assert text == result.stdout


def _write_small_set(folder, n):
    """Write a set of two labels, so small that some models cannot learn it."""
    rng = np.random.default_rng(0)
    images = rng.integers(0, 255, (n, 5, 5))
    write_idx(f"{folder}/train-images-idx3-ubyte", images)
    write_idx(f"{folder}/train-labels-idx1-ubyte", np.arange(n) % 2)


def test_a_model_that_fails_keeps_the_others(run, tmp_path):
    _write_small_set(tmp_path, n=6)  # three to learn from, but four neighbours
    args = ["--models", "nearest_neighbors,dummy", "--dataset", tmp_path, "--cv", 2]
    result = run("compare", *args)
    assert result.exit_code == 1
    lines = [line.split() for line in result.stdout.splitlines()]
    assert ["nearest_neighbors", "failed"] in lines
    errors = result.stdout.partition("What failed, and why")[2]
    assert re.search("nearest_neighbors +ValueError", errors)
    failed = json.loads(run("compare", *args, "--json").stdout)["models"][1]
    assert failed["accuracy"] is None
    assert failed["error_message"].startswith("ValueError")


def test_a_test_part_is_used_unless_folds_are_asked_for(run, tmp_path):
    _write_small_set(tmp_path, n=20)
    for kind in "images-idx3", "labels-idx1":
        content = (tmp_path / f"train-{kind}-ubyte").read_bytes()
        (tmp_path / f"t10k-{kind}-ubyte").write_bytes(content)
    args = ["compare", "--models", "nearest_neighbors,dummy", "--dataset", tmp_path]
    seen = json.loads(run(*args, "--json").stdout)
    assert (seen["test"], seen["n_folds"]) == ("McNemar's test", None)
    assert seen["models"][0]["accuracy"] == 1  # the test part is the training part
    folds = json.loads(run(*args, "--json", "--cv", 2).stdout)
    assert "all folds together" in folds["test"]
    assert folds["models"][0]["accuracy"] < 1


def test_scores_do_not_depend_on_the_number_of_jobs(run):
    args = ["compare", "--models", "linear_svm,dummy", "--cv", 2, "--json"]
    one, two = (json.loads(run(*args, "--jobs", n).stdout)["models"] for n in (1, 2))
    assert [row["accuracy"] for row in one] == [row["accuracy"] for row in two]


def test_an_interrupted_comparison_shows_what_is_done(run, monkeypatch):
    class Progress(contextlib.nullcontext):
        n_finished = 0

        def fitted(self, name, n_done, n_total):
            pass

        def finished(self, scores):
            self.n_finished += 1
            if self.n_finished == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(_progress, "fit_progress", lambda *_, **__: Progress())
    result = run("compare", "--models", QUICK, "--cv", 2, "--out", "table.csv")
    assert result.exit_code == 130
    assert re.search("nearest_neighbors +interrupted", result.stdout)
    assert "too small" not in result.stdout
    result = run("compare", "--models", QUICK, "--cv", 2, "--json")
    left_out = json.loads(result.stdout)["left_out"]
    assert left_out == {"nearest_neighbors": "interrupted before its end"}
    assert list(pd.read_csv("table.csv")["model"]) == ["linear_svm", "dummy"]


ROWS = [
    ModelScores(
        name,
        right=(np.arange(10_000) < n_right,),
        n_train=(60_000,),
        fit_times=(fit_time,),
        predict_times=(predict_time,),
        log_losses=(0.1,),
        n_parameters=1_199_882,
    )
    for name, n_right, fit_time, predict_time in [
        ("hist_gradient_boosting", 9812, 4000.0, 1.0),
        ("rbf_svm", 9811, 300.0, 10.0),
        ("logistic_regression", 9250, 605.0, 98.0),
        ("dummy", 1135, 0.0, 0.0001),
    ]
]


@pytest.mark.parametrize("width", [40, 58, 59, 70, 71, 80, 81, 92, 93, 120])
def test_the_table_fits_into_a_terminal(width):
    block = models_table(comparison_rows(comparison_table(ROWS)), "")
    console = Console(width=width, file=io.StringIO())
    console.print(table_view(block)(width))
    text = console.file.getvalue()
    header = text.splitlines()[0]
    assert max(map(len, text.splitlines())) <= width
    assert "…" not in text
    assert "hist_gradient_boosting  98.12 ± 0.14 %" in text
    # What is missed least goes first, and never without a trace.
    words = ["Verdict", "Fit", "Predict", "Parameters", "Log loss", "p (adjusted)"]
    shown = [word for word in words if word in header]
    assert shown == words[: len(shown)]
    assert ("no clear difference" in text) == ("Verdict" in shown)
    assert (len(shown) == len(words)) == (width == 120)
    if len(shown) < len(words):
        named = " ".join(text.split()).partition("In a wider window: ")[2]
        assert all(word in named for word in words[len(shown) :])
    assert not shown or "Verdict" in shown


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.0, "< 0.1 ms"),
        (0.00004, "< 0.1 ms"),
        (0.004, "4.0 ms"),
        (0.00996, "10 ms"),
        (0.0994, "99 ms"),
        (0.0996, "0.10 s"),
        (9.994, "9.99 s"),
        (9.996, "10.0 s"),
        (59.96, "1 min 00 s"),
        (599.4, "9 min 59 s"),
        (605, "10 min"),
        (3599.9, "1 h 00 min"),
        (7500, "2 h 05 min"),
    ],
)
def test_times_are_written_shortly(seconds, text):
    assert duration(seconds) == text


def test_a_table_shows_no_time_of_zero():
    block = models_table(comparison_rows(comparison_table(ROWS)), "")
    names = [column.name for column in block.columns]
    last = dict(zip(names, block.rows[-1], strict=True))
    assert (last["Fit"].text, last["Predict"].text) == ("< 0.1 ms", "< 0.1 µs")


def test_one_thing_is_not_several():
    assert counted(1, "model") == "1 model"
    assert counted(0, "model") == "0 models"
    assert counted(1797, "image") == "1,797 images"


def test_lines_in_a_pipe_name_the_fold(capsys, monkeypatch):
    monkeypatch.setattr(_progress, "QUIET_SECONDS", 0)
    with _progress.fit_progress("Comparing", 2, 3) as progress:
        progress.epoch("mlp", 2, 20)
        progress.fitted("mlp", 1, 6)
        progress.epoch("mlp", 5, 20)
        progress.fitted("mlp", 2, 6)
        progress.fitted("svm", 3, 6)
    with _progress.fit_progress("Testing", 1, 1) as progress:
        progress.epoch("mlp", 2, 20)
        progress.fitted("mlp", 1, 1)
    assert capsys.readouterr().err.splitlines() == [
        "Comparing",
        "mlp: fold 1 of 3, epoch 2 of 20",
        "mlp: 1 of 3 folds, 1 of 6 fits done",
        "mlp: fold 2 of 3, epoch 5 of 20",
        "mlp: 2 of 3 folds, 2 of 6 fits done",
        "svm: 1 of 3 folds, 3 of 6 fits done",
        "Testing",
        "mlp: epoch 2 of 20",
        "mlp: 1 of 1 fit done",
    ]


def drawn(bar):
    """Return what a bar looks like on a terminal without colours."""
    console = Console(width=76, file=io.StringIO(), color_system=None)
    console.print(bar)
    return console.file.getvalue().strip()


def test_a_bar_is_empty_before_anything_ran_and_full_in_the_end():
    bar = _progress._FitBar(Console(file=io.StringIO()), "Comparing", 2, 3, None)
    start = drawn(bar._bar)
    assert "━" not in start
    assert "0 of 6 fits" in start
    assert start.count("─") > 20
    bar.epoch("mlp_512_256", 15, 30)
    assert "fold 1, epoch 15/30 of mlp_512_256 ━" in drawn(bar._bar)
    for n_done in range(1, 7):
        bar.fitted("mlp_512_256", n_done, 6)
    assert "─" not in drawn(bar._bar)


def test_a_long_name_leaves_room_for_the_bar_and_all_counts():
    bar = _progress._FitBar(Console(file=io.StringIO()), "Searching", 36, 3, None)
    name = "units=(256,), dropout=(0.25, 0.5), epochs=20"
    for n_done in range(50):
        bar.fitted(name, n_done, 108)
    bar.epoch(name, 12, 20)
    (line,) = drawn(bar._bar).splitlines()
    assert re.fullmatch(
        r"fold 51, epoch 12/20 of units=.*… ━+─+ 49 of 108 fits 0:00:00( .* left)?",
        line,
    )
    assert len(line) > 70


def test_a_bar_of_epochs_is_empty_before_the_first_one():
    console = Console(file=io.StringIO())
    bar = _progress._EpochBar(console, "Training mlp", 4)
    assert "━" not in drawn(bar._bar)
    assert "0 of 4 epochs" in drawn(bar._bar)
    bar.epoch(4, 4, {"loss": 0.5, "accuracy": 0.75})
    assert "loss 0.5000, accuracy 75.00 % ━" in drawn(bar._bar)
    # What has no epochs has no measure either, and so no bar.
    bar = _progress._EpochBar(console, "Training rbf_svm", None)
    assert not {"━", "─"} & set(drawn(bar._bar))


class _Recorder(contextlib.nullcontext):
    """A display of progress that presses Ctrl-C after an epoch."""

    def __init__(self, interrupt_after=None):
        super().__init__()
        self.epochs = []
        self.interrupt_after = interrupt_after

    def epoch(self, n_done, n_epochs, logs):
        self.epochs.append((n_done, n_epochs))
        if n_done == self.interrupt_after:
            signal.raise_signal(signal.SIGINT)


def train_small(epochs, progress):
    images = load_image_set("digits").with_test(0)
    settings = {"params": {"units": 16}, "epochs": epochs, "seed": 0}
    model = make_model("mlp_512")
    prepare_training("mlp_512", model, images, **settings)
    return train("mlp_512", model, images, seed=0, progress=progress)


@pytest.fixture
def handler():
    """Python's own handler of Ctrl-C, which a job in the background may not have."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield signal.default_int_handler
    signal.signal(signal.SIGINT, before)


def test_ctrl_c_keeps_the_epochs_that_are_finished(capsys, handler):
    recorder = _Recorder(interrupt_after=2)
    training = train_small(5, recorder)
    assert recorder.epochs == [(1, 5), (2, 5)]
    assert training.interrupted
    assert training.metadata["n_epochs"] == training.model[-1].n_iter_ == 2
    assert "after this epoch" in capsys.readouterr().err
    # As if these epochs were all that was asked for.
    whole = train_small(2, _Recorder())
    assert not whole.interrupted
    assert np.array_equal(
        training.model.predict_proba(load_image_set("digits").X),
        whole.model.predict_proba(load_image_set("digits").X),
    )
    assert signal.getsignal(signal.SIGINT) is handler


def test_ctrl_c_in_the_last_epoch_interrupts_nothing():
    training = train_small(2, _Recorder(interrupt_after=2))
    assert not training.interrupted
    assert training.metadata["n_epochs"] == 2


def test_train_saves_the_model_and_tells_its_test(run):
    args = ["--param", "units=16,8", "--param", "dropout=0,0", "--epochs", 2]
    result = run("train", "mlp_512_256", *args)
    assert result.exit_code == 0, result.stderr
    assert "saved in mlp_512_256.joblib" in result.stdout
    assert "skmnist evaluate mlp_512_256.joblib" in result.stdout
    assert "of 450 images" in result.stdout
    lines = result.stderr.splitlines()
    assert lines[0] == "Training mlp_512_256 on 1,347 images of digits"
    assert lines[-1].startswith("mlp_512_256: epoch 2 of 2, loss ")
    model, metadata = load_model("mlp_512_256.joblib", return_metadata=True)
    params = model[-1].get_params()
    assert params["units"] == (16, 8)
    assert params["callbacks"] is None  # those that reported the epochs
    assert params["random_state"] == 0
    assert metadata["dataset"] == "digits"
    assert metadata["n_epochs"] == 2
    assert {"keras", "onnxruntime"} < metadata["versions"].keys()


@pytest.mark.parametrize("networks", [True, False])
def test_versions_are_those_of_the_packages_in_use(networks):
    code = (
        "import json, sys\n"
        "from skmnist._provenance import used_versions\n"
        f"versions = used_versions({networks})\n"
        "print(json.dumps([versions, *({'onnxruntime', 'keras'} & {*sys.modules})]))"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    (versions,) = json.loads(run.stdout)  # neither is imported for it
    backend = os.environ.get("KERAS_BACKEND", "tensorflow")
    of_networks = {"keras", backend, "onnxruntime"} if networks else set()
    assert (
        versions.keys() == {"python", "skmnist", "scikit-learn", "numpy"} | of_networks
    )
    packages = versions.keys() - {"python"}
    assert {p: versions[p] for p in packages} == {p: version(p) for p in packages}


@pytest.mark.parametrize(
    ("variable", "content", "backend"),
    [
        (None, '{"backend": "jax"}', "jax"),
        ("torch", '{"backend": "jax"}', "torch"),
        (None, "not JSON", "tensorflow"),
        (None, None, "tensorflow"),
    ],
    ids=["file", "variable", "damaged file", "none"],
)
def test_the_backend_is_known_before_keras_is_loaded(
    variable, content, backend, tmp_path, monkeypatch
):
    monkeypatch.delitem(sys.modules, "keras", raising=False)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.delenv("KERAS_BACKEND", raising=False)
    if variable:
        monkeypatch.setenv("KERAS_BACKEND", variable)
    if content:
        (tmp_path / "keras.json").write_text(content)
    found = _provenance.used_versions(True).keys()
    assert found & {"tensorflow", "jax", "torch"} == {backend}


def test_a_build_of_another_name_is_found_by_its_module(monkeypatch):
    def lacking(package):
        if package in ("onnxruntime", "keras"):
            raise PackageNotFoundError(package)
        return {"onnxruntime-gpu": "1.99"}.get(package, "1")

    names = {"onnxruntime": ["onnxruntime-gpu"]}
    monkeypatch.setattr(_provenance, "version", lacking)
    monkeypatch.setattr(_provenance, "_version", _provenance._version.__wrapped__)
    monkeypatch.setattr(_provenance, "packages_distributions", lambda: names)
    versions = _provenance.used_versions(True)
    assert (versions["onnxruntime"], versions["keras"]) == ("1.99", "unknown")


def test_train_tells_in_json_what_it_did(run):
    result = run("train", "rbf_svm", "--param", "C=2", "--out", "m.joblib", "--json")
    document = json.loads(result.stdout)
    assert document["file"] == "m.joblib"
    assert document["n_epochs"] is None
    assert document["test_accuracy"] == document["evaluation"]["accuracy"] > 0.95
    assert load_model("m.joblib")[-1].C == 2


def test_a_training_that_diverges_fails_and_saves_nothing(run, tmp_path):
    args = ["--param", "learning_rate=1e30", "--param", "optimizer=sgd", "--epochs", 2]
    result = run("train", "mlp_784", *args)
    assert result.exit_code == 1
    assert "diverged" in result.stderr.splitlines()[-1]
    assert list(tmp_path.iterdir()) == []


def test_a_data_set_that_is_a_folder_is_found_from_elsewhere(
    run, tmp_path, monkeypatch
):
    (tmp_path / "set").mkdir()
    _write_small_set(tmp_path / "set", n=20)
    trained = run("train", "dummy", "--dataset", "set")
    assert trained.exit_code == 0
    assert "images of set, " in trained.stdout
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / "other")
    result = run("evaluate", "../dummy.joblib")
    assert result.exit_code == 0, result.stderr


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("0.3", 0.3),
        ("3", 3),
        ("512,256", (512, 256)),
        ("[1, 2]", [1, 2]),
        ("true", True),
        ("None", None),
        ("adam", "adam"),
        ("a=b", "a=b"),
        ("__import__('os')", "__import__('os')"),
    ],
)
def test_parameters_are_read_as_values(text, value):
    parsed = parse_params([f"key={text}"])["key"]
    assert parsed == value
    assert type(parsed) is type(value)


def test_search_tries_the_grid_and_saves_the_best(run):
    result = run("search", "logistic_regression", "--out", "best.joblib", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    tried = [row["params"]["C"] for row in document["candidates"]]
    assert sorted(tried) == [0.01, 0.1, 1.0, 10.0]
    assert document["best_params"] == document["candidates"][0]["params"]
    model, metadata = load_model("best.joblib", return_metadata=True)
    assert document["best_params"]["C"] == model[-1].C
    assert metadata["test_accuracy"] == document["evaluation"]["accuracy"]
    evaluated = json.loads(run("evaluate", "best.joblib", "--json").stdout)
    assert evaluated["accuracy"] == metadata["test_accuracy"]


def test_short_fits_are_made_in_one_process(run):
    args = ["search", "mlp_512", "--n-iter", 2, "--cv", 2, "--epochs", 1, "--json"]
    result = run(*args, "--jobs", 2)
    assert "--jobs 2: the fits are so short that they are made one after the" in (
        result.stderr
    )
    assert json.loads(result.stdout)["n_jobs"] == 1


@pytest.mark.parametrize(
    ("name", "epochs", "n_jobs"),
    [("mlp_512", 20, 1), ("mlp_512", 2000, 2), ("rbf_svm", None, 2)],
)
def test_jobs_are_worthwhile_for_long_fits(name, epochs, n_jobs):
    image_set = split_set("digits", 0)
    model = configure(name, make_model(name), image_set, epochs=epochs)
    models = {"one": model, "other": model}
    assert worthwhile_jobs(2, models, image_set, n_folds=3) == n_jobs


def test_search_draws_some_candidates_by_the_seed(run):
    def tried(seed):
        args = ["search", "dummy", "--n-iter", 2, "--seed", seed, "--json"]
        rows = json.loads(run(*args).stdout)["candidates"]
        return sorted(str(row["params"]) for row in rows)

    assert len(tried(0)) == 2
    assert tried(0) == tried(0) != tried(1)


def test_a_search_says_what_it_found_and_how_it_resumes(run, monkeypatch):
    args = "search", "dummy", "--cv", 2
    first, second = run(*args).stderr, run(*args).stderr
    assert "a fit" in first
    assert "of an earlier run" not in first
    found = [line for line in second.splitlines() if line.startswith("[")]
    assert found
    assert all(line.endswith(" %, of an earlier run") for line in found)

    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr("skmnist.evaluation._scores._fit_and_score", interrupt)
    result = run(*args, "--seed", 1)
    assert (result.exit_code, result.stdout) == (130, "")
    *_, how, last = filter(None, result.stderr.splitlines())
    assert how == "The same command resumes with the fits that are not finished."
    assert last == "Interrupted."


def test_search_shows_a_column_for_each_parameter(run):
    result = run("search", "nearest_neighbors", "--cv", 2)
    before, table = result.stdout.split("best first\n")
    header, _, first = table.splitlines()[:3]
    assert header.split()[:2] == ["n_neighbors", "weights"]
    assert " best " in first
    assert f"the best is n_neighbors={first.split()[0]}, " in before
    assert "of 450 images correctly" in before


def test_search_reports_the_parameters_of_the_model_that_it_saves(run, monkeypatch):
    n = 599
    folds = (590, 584, 594), (590, 594, 584)  # means that differ in their last bit
    means = [np.mean(np.divide(counts, n)) for counts in folds]
    assert means[0] < means[1]

    def scores(name, counts):
        return ModelScores(
            name,
            right=tuple(np.arange(n) < count for count in counts),
            n_train=(2 * n,) * 3,
            fit_times=(1.0,) * 3,
            predict_times=(1.0,) * 3,
        )

    def compare(models, *args, **kwargs):
        names = list(models)[: len(folds)]
        return comparison_table(map(scores, names, folds))

    monkeypatch.setattr("skmnist.cli._comparison.run_comparison", compare)
    monkeypatch.setattr(
        "skmnist.pipelines.search_space", lambda name: {"clf__C": [0.1, 1.0]}
    )
    result = run("search", "logistic_regression", "--out", "best.joblib", "--json")
    assert result.exit_code == 0, result.stderr
    document = json.loads(result.stdout)
    assert document["best_params"] == document["candidates"][0]["params"]
    assert document["best_params"]["C"] == load_model("best.joblib")[-1].C == 0.1


@pytest.mark.parametrize("keeps_model", [True, False], ids=["kept", "lost"])
def test_an_interrupted_refit_is_told_from_an_interrupted_search(
    run, monkeypatch, keeps_model
):
    def interrupted(*args, **kwargs):
        if not keeps_model:
            raise KeyboardInterrupt
        return dataclasses.replace(train(*args, **kwargs), interrupted=True)

    monkeypatch.setattr("skmnist.cli._training.train", interrupted)
    args = "search", "nearest_neighbors", "--cv", 2, "--n-iter", 2
    result = run(*args, "--json", "--report", "page.html")
    assert result.exit_code == 130
    document = json.loads(result.stdout)
    assert document["interrupted"] is True
    assert document["n_candidates"] == len(document["candidates"]) == 2
    page = Path("page.html").read_text(encoding="utf-8")
    words = "not all epochs ran" if keeps_model else "there is no model"
    assert f"The refit was interrupted: {words}." in page
    assert "search was interrupted" not in page


@pytest.mark.parametrize(
    "args",
    [
        ("compare", "--models", "dummy", "--cv", 2),
        ("search", "dummy", "--cv", 2, "--n-iter", 1),
    ],
    ids=lambda args: args[0],
)
def test_the_number_of_parallel_fits_is_the_effective_one(run, args):
    result = run(*args, "--jobs", -1, "--json")
    assert result.exit_code == 0, result.stderr
    assert json.loads(result.stdout)["n_jobs"] == joblib.effective_n_jobs(-1)


def test_an_interrupted_search_saves_no_model(run, tmp_path, monkeypatch):
    class Progress(contextlib.nullcontext):
        def fitted(self, name, n_done, n_total):
            pass

        def finished(self, scores):
            raise KeyboardInterrupt

    monkeypatch.setattr(_progress, "fit_progress", lambda *_, **__: Progress())
    result = run("search", "nearest_neighbors", "--out", "best.joblib")
    assert result.exit_code == 130
    assert "1 of 10 candidates were done" in result.stdout
    assert "no model was saved" in result.stderr
    assert [*tmp_path.iterdir()] == []


def test_searches_keep_their_fits_among_the_caches(run, tmp_path):
    arguments = "search", "nearest_neighbors", "--cv", 2, "--n-iter", 2
    result = run(*arguments)
    assert result.exit_code == 0, result.stderr
    folder = Path(pooch.os_cache("skmnist"), "fits")
    assert f"finished fits are kept in {folder}" in " ".join(result.stderr.split())
    assert len([*folder.glob("*.fit")]) == 4
    assert [*tmp_path.iterdir()] == []
    assert "can run code" in " ".join(run("search", "--help").stdout.split())


def test_fits_cannot_be_kept_in_a_file(run, tmp_path):
    (tmp_path / "file").touch()
    result = run("search", "mlp_512", "--runs", "file")
    assert result.exit_code == 2
    assert result.stderr == (
        "Error: Fits cannot be kept in the folder file: it is a file.\n"
    )
