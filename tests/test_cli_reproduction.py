"""Published results reproduced on the command line, and continued after a kill."""

import json
import os
import re
import signal
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from test_cli_process import posix, start, wait_for

from skmnist.cli._commands import skmnist
from skmnist.cli._errors import BadInput
from skmnist.cli.reproduce import parse_seeds
from skmnist.datasets import _published, write_idx
from skmnist.datasets._image_sets import ImageSet, load_image_set
from skmnist.datasets._published import LABEL_COUNTS, unpacked_checksum
from skmnist.published import RESULTS, STUDIES
from skmnist.report import make_report
from skmnist.report._reproduction import reproduction_report
from skmnist.reproduction import _run
from skmnist.reproduction._document import (
    is_comparable,
    reproduction_document,
    verdict,
)
from skmnist.reproduction._plan import (
    make_plan,
    quick_subset,
    resolve_targets,
)
from skmnist.reproduction._run import Reproduction
from skmnist.reproduction._store import RunFolder

VERSIONS = {"python": "3", "skmnist": "1", "keras": "3", "tensorflow": "2"}
MADE_WITH = {"versions": VERSIONS, "n_cpus": 2}


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in a folder with a small set of 5×5 pixels."""
    monkeypatch.chdir(tmp_path)
    small_set(tmp_path / "small")

    def invoke(*args):
        return CliRunner().invoke(skmnist, [str(arg) for arg in args])

    return invoke


def small_set(folder, n=60, n_test=20, size=5, n_labels=2):
    """Write images whose brightness tells the label."""
    folder.mkdir()
    rng = np.random.default_rng(0)
    for part, count in ("train", n), ("t10k", n_test):
        labels = np.arange(count) % n_labels
        images = rng.integers(0, 60, (count, size, size))
        images += (180 * labels / n_labels).astype(int)[:, None, None]
        write_idx(folder / f"{part}-images-idx3-ubyte", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)


def reproduce(run, *args):
    """Reproduce on the small set; return the JSON document."""
    result = run("reproduce", *args, "--dataset", "small", "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def run_files():
    return {path: path.read_bytes() for path in Path("skmnist-runs").glob("*.json")}


def test_a_recipe_is_trained_as_it_was_published(run):
    document = reproduce(run, "mlp_512", "mlp_784", "mlp_256_256", "--seeds", 1)
    runs = {each["model"]: each for each in document["runs"]}
    assert {name: each["n_epochs"] for name, each in runs.items()} == {
        "mlp_512": 20,
        "mlp_784": 10,
        "mlp_256_256": 20,
    }
    # All images, but where a part of them was set aside to be looked at.
    assert runs["mlp_512"]["n_train"] == runs["mlp_256_256"]["n_train"] == 60
    assert runs["mlp_784"]["n_train"] == 54
    assert runs["mlp_784"]["recipe"]["clf__kernel_initializer"] == "random_normal"
    assert [runs[name]["seed"] for name in runs] == [0, 7, 0]
    assert {each["recipe"]["clf__precision"] for each in runs.values()} == {"float32"}
    # After each epoch the test images were evaluated, a part, or nothing.
    history = runs["mlp_512"]["history"]
    assert history["val_accuracy"][-1] == pytest.approx(runs["mlp_512"]["accuracy"])
    assert history["val_loss"][-1] == pytest.approx(runs["mlp_512"]["loss"], rel=1e-3)
    assert len(runs["mlp_784"]["history"]["val_loss"]) == 10
    assert set(runs["mlp_256_256"]["history"]) == {"loss", "accuracy"}
    assert not document["comparable"]
    assert document["networks"][0]["verdict"] is None


def test_what_is_finished_is_not_trained_again(run, monkeypatch):
    first = reproduce(run, "mlp_784", "--seeds", 2)
    assert (first["n_trained"], first["n_earlier"]) == (2, 0)
    kept = run_files()
    with monkeypatch.context() as patch:
        patch.setattr(_run, "_train", None)
        again = reproduce(run, "mlp_784", "--seeds", "7,8")
    assert (again["n_trained"], again["n_earlier"]) == (0, 2)
    assert again["networks"] == first["networks"]
    assert again["runs"] == first["runs"]
    assert run_files() == kept
    more = reproduce(run, "mlp_784", "--seeds", "8,9")
    assert (more["n_trained"], more["n_earlier"]) == (1, 1)
    assert kept.items() < run_files().items()


def test_a_run_is_known_by_all_that_its_result_depends_on(tmp_path):
    images = np.arange(40 * 784).reshape(40, 784).astype(np.uint8)
    some = ImageSet(
        "a", "", (28, 28), images, np.arange(40) % 10, images, np.arange(40)
    )

    def path(model="mlp_784", image_set=some, seed=7, versions=(), quick=False):
        plan = make_plan([model], [], image_set, seeds=(seed,), quick=quick)
        folder = RunFolder(tmp_path, image_set, VERSIONS | dict(versions))
        return folder.path(plan.runs[0])

    other_pixel = images.copy()
    other_pixel[3, 4] ^= 1
    same = [
        path(),
        path(image_set=replace(some, name="b", source="elsewhere")),
        path(versions={"python": "4"}),
    ]
    others = [
        path("mlp_512"),
        path(seed=8),
        path(quick=True),
        path(image_set=replace(some, X=other_pixel)),
        path(image_set=replace(some, X_test=other_pixel)),
        path(image_set=replace(some, y=some.y[::-1])),
        path(versions={"skmnist": "2"}),
        path(versions={"keras": "4"}),
    ]
    assert len(set(same)) == 1
    assert len({*same, *others}) == 1 + len(others)


def test_a_parameter_of_the_recipe_makes_another_run(tmp_path, monkeypatch):
    images = np.zeros((40, 784), np.uint8)
    some = ImageSet(
        "a", "", (28, 28), images, np.arange(40) % 10, images, np.arange(40)
    )
    folder = RunFolder(tmp_path, some, VERSIONS)
    paths = {folder.path(make_plan(["mlp_512"], [], some).runs[0])}
    recipe = RESULTS["mlp_512"]
    monkeypatch.setitem(RESULTS, "mlp_512", replace(recipe, validation=0.1))
    paths.add(folder.path(make_plan(["mlp_512"], [], some).runs[0]))
    from skmnist.networks import ARCHITECTURES

    for changed in ({"epochs": 21}, {"units": 500}, {"batch_size": 100}):
        monkeypatch.setattr(
            "skmnist.pipelines.ARCHITECTURES",
            {
                "mlp_512": replace(
                    ARCHITECTURES["mlp_512"],
                    parameters=ARCHITECTURES["mlp_512"].parameters | changed,
                )
            },
        )
        paths.add(folder.path(make_plan(["mlp_512"], [], some).runs[0]))
    assert len(paths) == 5


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text[: len(text) // 2],
        lambda text: "",
        lambda text: "[]",
        lambda text: text.replace('"seed": 8', '"seed": 9'),
        lambda text: text.replace('"n_test"', '"n_tset"'),
        lambda text: text.replace("0.75", '"very good"'),
    ],
    ids=["cut", "empty", "list", "other run", "no count", "no number"],
)
def test_a_damaged_file_is_no_finished_run(tmp_path, damage):
    images = np.zeros((40, 784), np.uint8)
    some = ImageSet(
        "a", "", (28, 28), images, np.arange(40) % 10, images, np.arange(40)
    )
    folder = RunFolder(tmp_path, some, VERSIONS)
    (only,) = make_plan(["mlp_512"], [], some, seeds=(8,)).runs
    assert folder.find(only) is None
    folder.keep(only, made_up(0.75))
    assert folder.find(only) == made_up(0.75)
    path = folder.path(only)
    path.write_text(damage(path.read_text()))
    with pytest.warns(UserWarning, match="is damaged and will be replaced"):
        assert folder.find(only) is None


def test_the_run_of_a_damaged_file_is_made_again(run):
    args = ["mlp_784", "--seeds", "7,8", "--quick"]
    before = reproduce(run, *args)
    (path,) = (path for path in run_files() if "seed8" in path.name)
    path.write_text(path.read_text()[:-100])
    result = run("reproduce", *args, "--dataset", "small")
    assert f"{path} is damaged and will be replaced" in result.stderr
    assert "1 run trained now, 1 found finished." in result.stdout
    after = reproduce(run, *args)
    assert (after["n_trained"], after["n_earlier"]) == (0, 2)
    for run_before, run_after in zip(before["runs"], after["runs"], strict=True):
        assert run_before["history"] == run_after["history"]


def test_studies_share_the_runs_that_they_have_in_common(run):
    document = reproduce(run, "studies", "mlp_256_256", "--quick")
    # Of the eleven variants three are the recipe itself.
    assert document["n_trained"] == 4 + 3 + 4 - 2 == len(document["runs"])
    (network,) = document["networks"]
    for study in document["studies"]:
        rows = {row["name"]: row for row in study["variants"]}
        assert rows[study["reference"]]["accuracy"] == network["accuracy"]
        assert rows[study["reference"]]["difference"] == 0
    units = document["studies"][0]["variants"]
    assert [row["n_parameters"] for row in units] == [
        n * (25 + 1) + n * (n + 1) + 2 * (n + 1) for n in (128, 256, 512, 1024)
    ]
    recipes = [each["recipe"] for each in document["runs"]]
    assert {each["clf__optimizer"] for each in recipes} == {"adam", "sgd", "rmsprop"}
    assert {each["clf__l2"] for each in recipes} == {0.0, 0.001}
    assert {each["clf__l1"] for each in recipes} == {0.0, 0.0001}


def test_a_quick_run_is_short_and_says_so(run, tmp_path):
    small_set(tmp_path / "more", n=5_400, n_test=1_100, n_labels=9)
    args = ["reproduce", "mlp_784", "--quick", "--dataset", "more"]
    result = run(*args, "--out", "quick.json")
    assert result.exit_code == 0, result.output
    title, first = result.stdout.splitlines()[:2]
    assert title.startswith("Shortened run that reproduces nothing: ")
    assert first.startswith("This was a shortened run (--quick) with few epochs")
    assert result.stderr.startswith("A shortened run: ")
    assert "cannot be compared with the published ones" in first
    document = json.loads((tmp_path / "quick.json").read_text())
    (only,) = document["runs"]
    assert (only["n_epochs"], only["n_train"], only["n_test"]) == (2, 4_500, 1_000)
    assert document["quick"]
    assert not document["comparable"]
    assert document["seeds"] == {"mlp_784": [7]}
    assert "Verdict" not in result.stdout
    page = make_report(document | {"source": "/home/somebody/private/more"})
    accuracy = f"{100 * only['accuracy']:.2f}"
    assert f"Chart of the accuracy of each network. mlp_784 {accuracy}" in page
    assert "<dt>Seeds</dt><dd>7</dd>" in page
    assert "<dt>Read from</dt><dd>more</dd>" in page
    assert "somebody" not in page
    # Trained in full, it is another run.
    full = reproduce(run, "mlp_784", "--seeds", 1)
    assert full["n_trained"] == 1


def test_the_images_of_a_quick_run_are_drawn_from_all(tmp_path):
    y = np.sort(np.arange(20_000) % 4)
    X = np.arange(20_000, dtype=np.int64)[:, None]
    drawn = quick_subset(ImageSet("", "", (1, 1), X, y, X, y))
    assert np.bincount(drawn.y).tolist() == [1250] * 4
    assert np.array_equal(y[drawn.X[:, 0]], drawn.y)
    assert len(drawn.y_test) == 1_000


@pytest.fixture
def zeros_as_mnist(monkeypatch):
    """Make black images of MNIST's sizes, and let them be the published ones."""
    X, X_test = np.zeros((60_000, 784), np.uint8), np.zeros((10_000, 784), np.uint8)
    y = np.repeat(np.arange(10), LABEL_COUNTS["train"])
    y_test = np.repeat(np.arange(10), LABEL_COUNTS["test"])
    for split, images, labels in ("train", X, y), ("test", X_test, y_test):
        checksum = unpacked_checksum(images.reshape(-1, 28, 28))
        monkeypatch.setitem(_published.IMAGE_CHECKSUMS, split, (checksum,))
        checksum = unpacked_checksum(labels.astype(np.uint8))
        monkeypatch.setitem(_published.LABEL_CHECKSUMS, split, checksum)
    return ImageSet("mnist", "", (28, 28), X, y, X_test, y_test)


def made_up(accuracy, loss=0.1, n_parameters=1):
    return {
        "accuracy": accuracy,
        "loss": loss,
        "n_test": 10_000,
        "n_train": 60_000,
        "n_parameters": n_parameters,
        "n_epochs": 20,
        "fit_time": 90.0,
        "history": {},
    }


def test_the_table_sets_ours_beside_the_published(zeros_as_mnist, tmp_path):
    images = zeros_as_mnist
    plan = make_plan(["mlp_512", "mlp_784", "cnn_simple"], [], images)
    accuracies = [0.981, 0.982, 0.986, 0.98, 0.98, 0.98, 0.985, 0.986]
    parameters = [407_050] * 3 + [623_290] * 3 + [1] * 2
    results = {
        run: made_up(accuracy, n_parameters=n)
        for run, accuracy, n in zip(plan.runs, accuracies, parameters, strict=False)
    }
    reproduction = Reproduction(plan, results, 3, 5, {}, interrupted=True)
    folder = RunFolder(tmp_path / "runs", images, VERSIONS)
    document = reproduction_document(reproduction, images, folder, MADE_WITH)
    assert document["comparable"]
    assert document["left_out"] == ["cnn_simple, seed 9"]
    mlp, none, cnn = document["networks"]
    assert mlp["seeds"] == [0, 1, 2]
    assert mlp["accuracy"] == pytest.approx(0.983)
    assert mlp["accuracy_sd"] == pytest.approx(0.00264575)
    assert mlp["difference"] == pytest.approx(0.0009)
    assert (none["difference"], none["verdict"]) == (None, None)
    assert cnn["seeds"] == [7, 8]
    assert cnn["difference"] == pytest.approx(0.9855 - 0.9907)
    assert [row["verdict"] for row in document["networks"]] == ["above", None, "below"]
    assert [row["same_n_parameters"] for row in document["networks"]] == [
        True,
        True,
        False,
    ]
    text = make_report(document, format="text")
    rows = [line.split() for line in text.splitlines()]
    assert [
        "mlp_512",
        "98.21",
        "%",
        "98.30",
        "±",
        "0.26",
        "%",
        "+0.09",
        "above",
        "1",
        "min",
        "30",
        "s",
    ] in rows
    assert ["mlp_512", "407,050", "407,050", "0.0744", "0.1000"] in rows
    assert "The number of parameters is not the published one in cnn_simple." in text
    assert "5 runs trained now, 3 found finished." in text
    assert "not all runs are finished. The same command resumes them." in text
    missing = text.partition("Runs that gave no result")[2]
    assert re.search("cnn_simple, seed 9 +interrupted", missing)


def test_ctrl_c_before_the_first_run_is_finished_says_how_to_go_on(run, monkeypatch):
    def interrupt(*args):
        raise KeyboardInterrupt

    monkeypatch.setattr(_run, "_train", interrupt)
    result = run("reproduce", "mlp_784", "--dataset", "small")
    assert (result.exit_code, result.stdout) == (130, "")
    *_, how, _, last = result.stderr.splitlines()
    assert how == "The same command resumes the runs that are not finished."
    assert last == "Interrupted."


def test_the_report_says_first_what_was_reproduced(zeros_as_mnist, tmp_path):
    images = zeros_as_mnist
    names = ["mlp_512", "mlp_784", "cnn_simple", "cnn_large"]
    plan = make_plan(names, ["units"], images)
    accuracies = {"mlp_512": 0.984, "cnn_simple": 0.985, "cnn_large": 0.9890}
    results = {
        run: made_up(
            0.99
            if run.params.get("units") == (512, 512)
            else accuracies.get(run.model, 0.98),
            n_parameters=RESULTS[run.model].n_parameters - (run.model == "cnn_large"),
        )
        for run in plan.runs
    }
    folder = RunFolder(tmp_path / "runs", images, VERSIONS)
    reproduction = Reproduction(plan, results, 0, len(results))
    document = reproduction_document(reproduction, images, folder, MADE_WITH)
    document = json.loads(json.dumps(document))
    report = reproduction_report(document)
    verdict_words, weights_words, study_words, runs_words = report.summary
    assert runs_words == "24 runs trained now."
    assert "Of 3 networks with a published accuracy 2 reach it" in verdict_words
    assert "Below it are cnn_simple by 0.57 points" in verdict_words
    assert weights_words.endswith("in cnn_large.")
    assert "the most accurate is 512 (99.00 ± 0.00 %)" in study_words
    tied = json.loads(json.dumps(document))
    for row in tied["studies"][0]["variants"][:2]:
        row["accuracy"] = 0.995
    study_words = reproduction_report(tied).summary[2]
    assert "the most accurate are 128 and 256, equally (99.50 %)" in study_words
    assert [figure.number for figure in report.key_figures] == [
        "2 of 3",
        "3 of 4",
        "36 min",  # 24 runs of 90 seconds
    ]
    titles = [section.title for section in report.sections]
    assert titles == ["Networks", STUDIES["units"].title, "Runs", "Sources"]
    chart, accuracy, _, sizes = report.sections[0].blocks
    assert "mlp_512 +0.19; cnn_simple -0.57; cnn_large -0.13" in chart.svg
    assert [cell.text for cell in accuracy.rows[2]] == [
        "cnn_simple",
        "99.07 %",
        "98.50 ± 0.00 %",
        "-0.57",
        "below",
        "1 min 30 s",
    ]
    assert [row[2].tone for row in sizes.rows] == ["", "", "", "bad"]
    assert make_report(document).startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("accuracy", "word"),
    [
        (0.98211, "above"),
        (np.mean([0.9820, 0.9821, 0.9822]), "equal"),
        (0.9820, "within 0.2"),
        (np.mean([0.9801, 0.9800, 0.9802]), "within 0.2"),
        (0.9800, "below"),
    ],
)
def test_within_two_tenths_of_a_point_counts_as_reproduced(accuracy, word):
    assert verdict(accuracy, 0.9821) == word


def test_a_set_that_is_not_mnist_is_not_compared(zeros_as_mnist):
    images = zeros_as_mnist
    one_pixel, one_test_pixel = images.X.copy(), images.X_test.copy()
    one_pixel[-1, -1] = one_test_pixel[0, 0] = 1
    two_labels = images.y.copy()
    two_labels[[0, -1]] = two_labels[[-1, 0]]  # as many of each as before
    plan = make_plan(["mlp_512"], [], images)
    results = {run: made_up(0.9) for run in plan.runs}
    for changed in (
        {"X": one_pixel},
        {"X_test": one_test_pixel},
        {"y": two_labels},
        {"y_test": images.y_test[::-1]},
        {"X": images.X[:-1], "y": images.y[:-1]},
        {"image_shape": (14, 56)},
    ):
        image_set = replace(images, **changed)
        folder = RunFolder("x", image_set, VERSIONS)
        document = reproduction_document(
            Reproduction(plan, results, 0, 3), image_set, folder, MADE_WITH
        )
        assert not document["comparable"], changed
        assert document["networks"][0]["verdict"] is None
        assert "cannot be compared" in make_report(document, format="text")


@pytest.mark.skipif("SKMNIST_DATA" not in os.environ, reason="needs MNIST")
def test_mnist_is_compared():
    mnist = load_image_set("mnist")
    assert is_comparable(mnist)
    assert is_comparable(replace(mnist, y=mnist.y.astype("i4")))
    assert not is_comparable(replace(mnist, X=np.zeros_like(mnist.X)))
    assert not is_comparable(replace(mnist, X_test=255 - mnist.X_test))


def test_a_training_that_diverges_fails_alone(run, monkeypatch):
    train = _run._train

    def fail(each, *args):
        if each.seed == 7:
            raise FloatingPointError("The loss became nan")
        return train(each, *args)

    monkeypatch.setattr(_run, "_train", fail)
    args = ["reproduce", "mlp_784", "--seeds", 2, "--quick", "--dataset", "small"]
    result = run(*args)
    assert result.exit_code == 1
    assert re.search("mlp_784, seed 7 +The loss became nan", result.stdout)
    assert [path.name[:13] for path in run_files()] == ["mlp_784-seed8"]


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["cnn_3264"], ["Did you mean 'cnn_32_64'", "regularization"]),
        (["dummy"], ["dummy", "mlp_512"]),
        (["--seeds", "0"], ["--seeds 0"]),
        (["--seeds", "1,x"], ["1,x", "0,1,2"]),
        (["--seeds", "-1"], ["-1"]),
        (["--seeds", "1,1"], ["twice"]),
        (["--seeds", f"{2**32},"], ["below 2**32"]),
        (["--out", "table.csv"], [".json", ".md"]),
        (["--runs", "no/such"], ["no/such"]),
        (["--runs", "small/train-images-idx3-ubyte"], ["is a file"]),
        (["cnn_large", "--dataset", "small"], ["5×5", "too small"]),
        (["--dataset", "nowhere"], ["nowhere"]),
    ],
    ids=" ".join,
)
def test_bad_input_is_refused_before_anything_is_trained(run, tmp_path, args, words):
    names = [] if args[0][0] != "-" else ["mlp_512"]
    dataset = [] if "--dataset" in args else ["--dataset", "small"]
    result = run("reproduce", *names, *args, *dataset)
    assert result.exit_code == 2, result.output
    (line,) = result.stderr.splitlines()
    assert all(word in line for word in words)
    assert [path.name for path in tmp_path.iterdir()] == ["small"]


def test_names_and_seeds_may_be_given_in_several_ways():
    assert resolve_targets([]) == (list(RESULTS), [])
    published = ["units", "optimizers", "regularization"]
    assert resolve_targets(["studies", "mlp_512"]) == (["mlp_512"], published)
    assert resolve_targets(["ablation"]) == ([], ["ablation"])
    assert resolve_targets(["units", "mlp_512", "networks", "units"])[1] == ["units"]
    assert parse_seeds("4") == 4
    assert parse_seeds("4,") == (4,)
    assert parse_seeds("2, 0") == (2, 0)
    with pytest.raises(BadInput):
        parse_seeds("")


def test_the_result_is_written_as_its_name_ends(run, tmp_path):
    args = ["reproduce", "mlp_784", "units", "--quick", "--dataset", "small"]
    result = run(*args, "--out", "r.txt")
    assert result.exit_code == 0
    assert (tmp_path / "r.txt").read_text() == result.stdout
    assert run(*args, "--out", "r.txt").exit_code == 2  # it exists
    run(*args, "--out", "r.md", "--report", "r.html")
    page = (tmp_path / "r.html").read_text()
    assert "cannot be compared with the published ones" in page
    assert "Number of units in both hidden layers" in page
    lines = (tmp_path / "r.md").read_text().splitlines()
    assert sum(line.startswith("| mlp_784 | ") for line in lines) == 2
    assert sum(line.startswith("| ---") for line in lines) == 3
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "r.html",
        "r.md",
        "r.txt",
        "skmnist-runs",
        "small",
    ]


@posix
@pytest.mark.parametrize("end", [signal.SIGKILL, signal.SIGINT])
def test_what_is_ended_half_way_goes_on_where_it_was(run, tmp_path, end):
    n = 10  # of which some surely wait when the signal comes
    args = ["reproduce", "mlp_784", "--seeds", str(n), "--dataset", "small"]
    with start(*args, "--out", "r.json", cwd=tmp_path) as process:
        wait_for(process, f"[1/{n}]")
        process.send_signal(end)
        output, errors = process.communicate(timeout=60)
    finished = run_files()
    assert 1 <= len(finished) < n
    assert not (tmp_path / "r.json").exists()
    if end == signal.SIGINT:
        assert process.returncode == 130
        assert "not all runs are finished" in output
        assert "Traceback" not in errors
        assert "r.json is written when all runs are finished" in errors
    again = run(*args, "--out", "r.json")
    assert again.exit_code == 0, again.output
    document = json.loads((tmp_path / "r.json").read_text())
    assert document["n_earlier"] == len(finished)
    assert document["n_trained"] == n - len(finished)
    assert document["networks"][0]["seeds"] == list(range(7, 7 + n))
    assert finished.items() < run_files().items()
