"""Reports asked for on the command line."""

import json

import pytest
from click.testing import CliRunner
from sklearn.svm import LinearSVC

from skmnist.cli._commands import skmnist
from skmnist.datasets import load_digits
from skmnist.persistence import save_model

from .pages import Page

QUICK = ("compare", "--models", "dummy,linear_svm", "--cv", 2)


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Run the command line in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def invoke(*args):
        return CliRunner().invoke(skmnist, [str(arg) for arg in args])

    return invoke


def read(folder, name):
    return Page((folder / name).read_text(encoding="utf-8"))


def test_a_report_of_kept_results_is_that_of_the_command(run, tmp_path):
    first = run(*QUICK, "--report", "first.html", "--out", "results.json")
    assert first.exit_code == 0
    assert "Report written to first.html." in first.stderr
    assert "Report" not in first.stdout
    again = run("report", "results.json")
    assert (again.exit_code, again.stdout) == (0, "")
    pages = read(tmp_path, "first.html"), read(tmp_path, "results.html")
    commands = [[code.text for code in page.all("code")] for page in pages]
    made = "skmnist compare --models dummy,linear_svm --cv 2"
    made += " --report first.html --out results.json"
    assert commands == [[made], [made, "skmnist report results.json"]]
    assert pages[0].first("header").text == pages[1].first("header").text
    found = json.loads((tmp_path / "results.json").read_text())
    for page in pages:
        rows = page.table("Models on digits")
        accuracies = [float(row["Accuracy"]["data-value"]) for row in rows]
        assert accuracies == [model["accuracy"] for model in found["models"]]
        assert [len(model["accuracies"]) for model in found["models"]] == [2, 2]
    assert {path.name for path in tmp_path.iterdir()} == {
        "first.html",
        "results.html",
        "results.json",
    }


def test_models_are_trained_evaluated_and_shown(run, tmp_path):
    trained = run("train", "linear_svm", "--report", "trained.html", "--json")
    evaluated = run(
        "evaluate", "linear_svm.joblib", "--report", "tested.html", "--json"
    )
    shown = run("report", "linear_svm.joblib")
    assert {r.exit_code for r in (trained, evaluated, shown)} == {0}
    results = json.loads(evaluated.stdout)
    assert json.loads(trained.stdout)["evaluation"]["confusion"] == results["confusion"]
    assert results["parameters"]["C"] == json.loads(trained.stdout)["parameters"]["C"]
    for name in ("trained.html", "tested.html", "linear_svm.html"):
        page = read(tmp_path, name)
        assert len(page.all("img")) == min(24, results["n_wrong"]) + 12
        words = f"{results['n_right']:,} of 450 images"
        assert words in page.first("header").text
    (tmp_path / "kept.json").write_text(evaluated.stdout)
    assert run("report", "kept.json").exit_code == 0
    assert read(tmp_path, "kept.html").all("img") == []


@pytest.mark.parametrize("subset", ["test", "train", "all"])
def test_images_that_a_model_may_know_tell_nothing_of_others(run, tmp_path, subset):
    X, y = load_digits(return_X_y=True)
    save_model(LinearSVC(random_state=0).fit(X[:300], y[:300]), "mine.joblib")
    args = ("mine.joblib", "--subset", subset)
    shown = run("report", *args)
    printed, kept = run("evaluate", *args), run("evaluate", *args, "--json")
    assert {r.exit_code for r in (shown, printed, kept)} == {0}
    warning = "The model may have been trained on some of these images;"
    results = json.loads(kept.stdout)
    assert results["warning"].startswith(warning)
    assert results["accuracy_interval"] is results["accuracy_se"] is None
    (tmp_path / "kept.json").write_text(kept.stdout)
    assert run("report", "kept.json").exit_code == 0
    for name in ("mine.html", "kept.html"):
        header = read(tmp_path, name).first("header")
        assert warning in header.first("p").text
        assert "further images" not in header.text
    for text in (header.text, printed.stdout):
        assert warning in text
        assert "interval" not in text
        assert "images of digits" in text
        assert "part of digits" not in text
        assert f"{results['n_right']:,}" in text


def test_the_images_that_training_kept_back_tell_of_others(run, tmp_path):
    assert run("train", "linear_svm").exit_code == 0
    for subset, warning in (
        ("test", None),
        ("train", "The model was trained on these images;"),
        ("all", "The model was trained on some of these images;"),
    ):
        args = ("linear_svm.joblib", "--subset", subset)
        assert run("report", *args, "--force").exit_code == 0
        words = read(tmp_path, "linear_svm.html").first("header").text
        assert ("interval" in words) == (warning is None)
        assert (warning or "tested on the test part of digits. It cla") in words
        assert ("interval" in run("evaluate", *args).stdout) == (warning is None)
        results = json.loads(run("evaluate", *args, "--json").stdout)
        assert (results["accuracy_interval"] is None) == (warning is not None)


def test_a_search_is_reported_with_its_best_model(run, tmp_path):
    args = ("search", "linear_svm", "--cv", 2, "--n-iter", 2)
    found = run(*args, "--report", "search.html", "--json")
    assert found.exit_code == 0
    results = json.loads(found.stdout)
    page = read(tmp_path, "search.html")
    rows = page.table("Candidates for linear_svm")
    assert [float(row["C"]["data-value"]) for row in rows] == [
        candidate["params"]["C"] for candidate in results["candidates"]
    ]
    assert page.all("img")


@pytest.mark.parametrize(
    "command", [("report", "x.json", "--out"), (*QUICK, "--report")]
)
def test_an_existing_page_is_kept_without_force(run, tmp_path, command):
    (tmp_path / "page.html").write_text("precious")
    refused = run(*command, "page.html")
    assert refused.exit_code == 2
    assert refused.stderr == "Error: page.html exists; --force replaces it.\n"
    assert (tmp_path / "page.html").read_text() == "precious"
    assert (command[0] != "report") == (
        run(*command, "page.html", "--force").exit_code == 0
    )


def test_a_page_is_written_whole_or_not_at_all(run, tmp_path, monkeypatch):
    (tmp_path / "page.html").write_text("precious")

    def fail(*args):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", fail)
    failed = run(*QUICK, "--report", "page.html", "--force")
    assert failed.exit_code == 1
    assert "linear_svm" in failed.stdout  # the results are not lost
    assert failed.stderr.splitlines()[-1].startswith("Error: Cannot write page.html")
    assert [path.name for path in tmp_path.iterdir()] == ["page.html"]
    assert (tmp_path / "page.html").read_text() == "precious"


def test_a_missing_package_is_told_before_anything_is_computed(run, monkeypatch):
    monkeypatch.setattr("skmnist.report._page.find_spec", lambda name: None)
    failed = run(*QUICK, "--report", "page.html")
    assert (failed.exit_code, failed.stdout) == (1, "")
    assert failed.stderr == (
        "Error: A report needs Jinja2 and matplotlib, which are not installed. Install "
        'it by pip install "skmnist[report]".\n'
    )


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ('{"kind": "comparison"}', "'models' is missing"),
        ('{"models": []}', "they have no kind"),
        ("[1, 2]", "results must be"),
        ('{"kind": "comparison", "models": [3], "dataset": "d"}', "damaged results"),
        (
            '{"kind": "comparison", "dataset": "d", "models": [{"model": "m", '
            '"accuracy": 0.9, "accuracy_se": 0.1, "fit_time": 1e999, '
            '"predict_time_us": 1, "verdict": "best"}]}',
            "damaged results",
        ),
        ('{"kind": ', "is not JSON"),
        ("[" * 100_000, "is not JSON"),
        ('{"a": "\udcff"}', "is not JSON"),
        ("no json", "is not a model file"),
    ],
)
def test_other_files_are_refused_on_one_line(run, tmp_path, content, words):
    (tmp_path / "x.json").write_bytes(content.encode(errors="surrogateescape"))
    refused = run("report", "x.json")
    assert refused.exit_code == 2
    (line,) = refused.stderr.splitlines()
    assert "x.json" in line
    assert words in line
    assert not (tmp_path / "x.html").exists()


def test_wrong_names_and_options_are_refused(run, tmp_path):
    (tmp_path / "x.json").write_text("{}")
    for args, words in (
        (("report", "none.joblib"), "none.joblib"),
        (("report", "x.json", "--dataset", "mnist"), "--dataset and --subset"),
        (("report", "x.json", "--out", "x.pdf"), "--out x.pdf: the name must end in"),
        ((*QUICK, "--report", "x"), "--report x: the name must end in .html"),
    ):
        refused = run(*args)
        assert refused.exit_code == 2, args
        assert words in refused.stderr
