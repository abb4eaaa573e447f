"""Reports made in Python of what functions and searches return."""

import json
import pickle

import pytest
from click.testing import CliRunner
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV

from skmnist.cli._commands import skmnist
from skmnist.datasets import load_digits
from skmnist.evaluation import compare, evaluate
from skmnist.pipelines import make_model
from skmnist.report import Subject, make_report
from skmnist.report._documents import document_of

from .pages import Page

MODELS = ["linear_svm", "dummy"]


@pytest.fixture(scope="module")
def images():
    X, y = load_digits(return_X_y=True)
    return X[:600], y[:600], X[600:900], y[600:900]


def sections(page):
    return [title.text for title in page.first("main").all("h2")]


def test_a_comparison_is_shown_as_the_command_shows_it(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    args = ["compare", "--models", ",".join(MODELS), "--cv", "3", "--report", "c.html"]
    assert CliRunner().invoke(skmnist, args).exit_code == 0
    command = Page((tmp_path / "c.html").read_text(encoding="utf-8"))
    X, y = load_digits(return_X_y=True)
    page = Page(make_report(compare(MODELS, X, y, cv=3, random_state=0)))
    assert sections(page) == sections(command)
    tables = [p.table("Models")[:] for p in (page, command)]
    for ours, theirs in zip(*tables, strict=True):
        for column in ("Model", "Accuracy", "Verdict", "p (adjusted)", "Parameters"):
            assert ours[column].text == theirs[column].text
    folds = [p.table("Accuracy on each of the 3 folds") for p in (page, command)]
    assert [row["Fold 2"].text for row in folds[0]] == [
        row["Fold 2"].text for row in folds[1]
    ]


def test_an_evaluation_has_pictures_of_its_images(images):
    X, y, X_test, y_test = images
    model = make_model("logistic_regression").fit(X, y)
    result = evaluate(model, X_test, y_test)
    page = Page(make_report(result))
    subject = Subject(model, X_test, y_test)
    assert sections(page) == sections(Page(make_report(result, subject=subject)))
    assert len(page.first("main").all("img")) > 12
    kept = pickle.loads(pickle.dumps(result))
    assert "Misclassified and correct" not in sections(Page(make_report(kept)))


def test_a_fitted_search_is_shown(images):
    X, y, _, _ = images
    search = GridSearchCV(LogisticRegression(), {"C": [0.001, 0.01, 0.1]}, cv=3)
    search.fit(X / 255, y)
    page = Page(make_report(search))
    rows = page.table("Candidates for LogisticRegression")
    assert float(rows[0]["C"].text) == search.best_params_["C"]
    assert rows[0]["Accuracy"].text.startswith(f"{100 * search.best_score_:.2f} ±")
    document = document_of(search)
    best = [
        search.cv_results_[f"split{i}_test_score"][search.best_index_] for i in range(3)
    ]
    assert document["candidates"][0]["accuracies"] == pytest.approx(best)
    json.dumps(document, allow_nan=False)


@pytest.mark.parametrize("format_", ["text", "markdown"])
def test_one_wording_serves_every_format(images, format_, monkeypatch):
    X, y, X_test, y_test = images
    result = evaluate(make_model("dummy").fit(X, y), X_test, y_test)
    words = "skmnist.report._evaluation.accuracy_words"
    monkeypatch.setattr(words, lambda evaluation: "It says something else.")
    assert "It says something else." in make_report(result)
    assert "It says something else." in make_report(result, format=format_)


def test_an_unknown_format_is_refused(images):
    with pytest.raises(ValueError, match="'html', 'markdown', 'text'; got 'pdf'"):
        make_report({}, format="pdf")


def test_notebooks_show_an_evaluation(images):
    X, y, X_test, y_test = images
    html = evaluate(make_model("dummy").fit(X, y), X_test, y_test)._repr_html_()
    assert html.count("<table") == 3
    assert "misclassified" in html
