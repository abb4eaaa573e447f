"""Reports made in Python of what functions and searches return."""

import json
import pickle
import re

import numpy as np
import pytest
from click.testing import CliRunner
from markdown_it import MarkdownIt
from scipy.sparse import csr_matrix
from sklearn.base import clone
from sklearn.calibration import CalibratedClassifierCV
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import (
    AdaBoostClassifier,
    BaggingClassifier,
    RandomForestClassifier,
)
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.feature_selection import RFECV
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.svm import SVC

from skmnist.cli._commands import skmnist
from skmnist.datasets import load_digits
from skmnist.evaluation import compare, evaluate
from skmnist.pipelines import make_model, registered_name
from skmnist.plotting import OcclusionSaliencyDisplay
from skmnist.report import ReportDataError, Subject, make_report
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
    assert list(rows[0]) == ["C", "Accuracy", "Fit"]  # no column that says nothing
    assert float(rows[0]["C"].text) == search.best_params_["C"]
    assert rows[0]["Accuracy"].text.startswith(f"{100 * search.best_score_:.2f} ±")
    document = document_of(search)
    best = [
        search.cv_results_[f"split{i}_test_score"][search.best_index_] for i in range(3)
    ]
    assert document["candidates"][0]["accuracies"] == pytest.approx(best)
    json.dumps(document, allow_nan=False)


def test_a_fitted_search_names_the_candidates_near_the_best(images):
    X, y, _, _ = images
    grid = {"n_neighbors": [1, 2, 3, 4, 5, 6, 7, len(X) // 2]}
    search = GridSearchCV(KNeighborsClassifier(), grid, cv=3).fit(X, y)
    candidates = document_of(search)["candidates"]
    lowest = candidates[0]["accuracy"] - candidates[0]["accuracy_se"]
    near = [c for c in candidates[1:] if c["accuracy"] >= lowest]
    assert 3 < len(near) < len(candidates) - 1
    named = "; ".join(f"n_neighbors={c['params']['n_neighbors']}" for c in near[:3])
    text = " ".join(make_report(search, format="text").split())
    assert (
        f"{len(near)} other candidates are within one standard error of it: {named}; "
        f"and {len(near) - 3} more." in text
    )


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


def test_the_page_of_an_evaluation_names_its_model(images):
    X, y, X_test, y_test = images
    registered = make_model("logistic_regression").fit(X, y)
    own = KNeighborsClassifier().fit(X, y)
    for model, name in (
        (registered, "logistic_regression"),
        (own, "KNeighborsClassifier"),
    ):
        result = evaluate(model, X_test, y_test)
        assert make_report(result, format="text").startswith(f"{name}\n")
        kept = pickle.loads(pickle.dumps(result))
        subject = Subject(model, X_test, y_test)
        page = Page(make_report(kept, subject=subject))
        assert page.first("h1").text == name


@pytest.mark.parametrize(
    ("model", "name"),
    [
        (make_model("mlp_512", epochs=3, random_state=1), "mlp_512"),
        (make_model("mlp_512", units=64), "KerasMLPClassifier"),
        (clone(make_model("cnn_fast")), "cnn_fast"),
        (GridSearchCV(make_model("rbf_svm"), {}), "rbf_svm"),
        (RandomForestClassifier(), "RandomForestClassifier"),
        (AdaBoostClassifier(), "AdaBoostClassifier"),
        (BaggingClassifier(SVC()), "BaggingClassifier"),
        (
            CalibratedClassifierCV(make_model("nearest_neighbors")),
            "CalibratedClassifierCV",
        ),
        (GridSearchCV(RandomForestClassifier(), {}), "RandomForestClassifier"),
        (FrozenEstimator(make_model("linear_svm")), "linear_svm"),
        (SVC(), "SVC"),
        (make_pipeline(SVC()), "SVC"),
    ],
    ids=lambda value: value if isinstance(value, str) else type(value).__name__,
)
def test_models_with_registered_settings_have_that_name(model, name):
    assert registered_name(model) == name


def test_a_search_names_a_registered_model(images):
    X, y, _, _ = images
    grid = {"clf__n_neighbors": [1, 3]}
    search = GridSearchCV(make_model("nearest_neighbors"), grid, cv=2).fit(X, y)
    text = make_report(search, format="text")
    assert text.startswith("Parameter search for nearest_neighbors\n")


MARKUP = [
    "*a*",
    "_b_",
    "`c`",
    "<b>d</b>",
    "[e](f)",
    "g|h",
    "i&amp;j",
    "# k",
    "1. l",
    "m\nn",
    "\\*o",
    "- p",
    "~~q~~",
]


def test_names_are_no_markup_in_markdown(images):
    X, y, _, _ = images
    models = {name: GaussianNB() for name in MARKUP}
    source = make_report(compare(models, X, y, cv=2), format="markdown")
    html = MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(source)
    cells = [row.children[0].text for row in Page(html).first("tbody").all("tr")]
    assert cells == [" ".join(name.split()) for name in MARKUP]
    for name in MARKUP:
        one = make_report(compare({name: GaussianNB()}, X, y, cv=2), format="markdown")
        page = Page(MarkdownIt("commonmark").enable("table").render(one))
        paragraph = page.first("p").text
        assert paragraph.startswith(f"{' '.join(name.split())} has an accuracy of")


def test_notebooks_show_an_evaluation(images):
    X, y, X_test, y_test = images
    html = evaluate(make_model("dummy").fit(X, y), X_test, y_test)._repr_html_()
    assert html.count("<table") == 3
    assert "misclassified" in html


@pytest.mark.parametrize("several", [False, True])
def test_only_an_accuracy_is_shown_as_one(images, several):
    X, y, _, _ = images
    scoring = ["accuracy", "neg_log_loss"] if several else "neg_log_loss"
    refit = "neg_log_loss" if several else True
    model = LogisticRegression()
    search = GridSearchCV(model, {"C": [0.01, 0.1]}, cv=2, scoring=scoring, refit=refit)
    search.fit(X[:200] / 255, y[:200])
    if several:
        best = document_of(search)["candidates"][0]
        assert best["accuracy"] == max(search.cv_results_["mean_test_accuracy"])
    else:
        with pytest.raises(
            ReportDataError, match="scoring of this search is 'neg_log_loss'"
        ):
            make_report(search)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (GridSearchCV(LogisticRegression(), {"C": [1.0]}), "a search: fit it first"),
        (LogisticRegression(), "a model: evaluate or compare it first"),
        (BaggingClassifier(), "a model: evaluate or compare it first"),
        (
            RFECV(LogisticRegression(), cv=2, step=32),
            "a model: evaluate or compare it first",
        ),
        (42, "got int"),
    ],
    ids=["search", "model", "meta-estimator", "feature selection", "number"],
)
def test_what_is_no_result_is_refused_with_what_to_do(images, given, words):
    if "evaluate" in words:
        given.fit(images[0][:100] / 255, images[1][:100])
    with pytest.raises(ReportDataError, match=words):
        make_report(given)


@pytest.fixture(scope="module")
def table():
    X, y = load_digits(return_X_y=True)
    models = ["nearest_neighbors", "linear_svm", "dummy"]
    return compare(models, X[:600], y[:600], cv=3, random_state=0)


def test_a_table_is_shown_best_first_however_it_is_sorted(table):
    text = make_report(table.sort_values("accuracy"), format="text")
    assert "nearest_neighbors is the most accurate: " in text
    renamed = make_report(table.rename(index={"dummy": "guess"}), format="text")
    assert "guess" in renamed


def test_a_part_of_a_table_claims_nothing_of_the_best(table):
    text = make_report(table.loc[["dummy", "linear_svm"]], format="text")
    assert "less accurate" not in text
    assert "How to read the verdicts" not in text


def test_text_is_no_markup(images):
    X, y, X_test, y_test = images
    names = np.array([f"[{digit}]" for digit in range(10)], dtype=object)
    names[0] = "[/]"
    model = make_model("dummy").fit(X, names[y])
    text = make_report(evaluate(model, X_test, names[y_test]), format="text")
    assert "[/]" in text
    assert "[3]" in text


def test_what_cannot_be_looked_at_gets_a_page_without_pictures(images):
    X, y, X_test, y_test = images
    model = LogisticRegression(max_iter=5).fit(csr_matrix(X), y)
    page = make_report(evaluate(model, csr_matrix(X_test), y_test))
    assert "Labels, confusions and confidence" in page


@pytest.mark.parametrize(
    ("cv", "words"),
    [
        (StratifiedKFold(3), "3-fold cross-validation"),
        (RepeatedStratifiedKFold(n_splits=2, n_repeats=2), "mean of 4 splits"),
        (ShuffleSplit(1, test_size=0.3), "mean of 1 split"),
    ],
    ids=["folds", "repeated", "one"],
)
def test_splits_of_a_search_are_called_what_they_are(images, cv, words):
    X, y, _, _ = images
    grid = {"n_neighbors": np.arange(1, 3)}
    search = GridSearchCV(KNeighborsClassifier(), grid, cv=cv)
    search.fit(X, y)
    assert words in make_report(search, format="text")
    first = document_of(search)["candidates"][0]
    assert first["params"] == {"n_neighbors": search.best_params_["n_neighbors"]}
    assert (first["accuracy_se"] is None) == ("splits" in words or "1 split" in words)


@pytest.mark.parametrize(
    ("cv", "words", "error"),
    [
        (3, "standard error of 3-fold cross-validation, 600 images", "Nadeau"),
        (
            RepeatedStratifiedKFold(n_splits=2, n_repeats=3, random_state=0),
            "standard error of 2-fold cross-validation, repeated 3 times, 600 images",
            "Nadeau",
        ),
        (
            ShuffleSplit(3, test_size=100, random_state=0),
            "standard error of 3 splits, each of 500 training and 100 test images",
            "Nadeau",
        ),
        (
            ShuffleSplit(1, test_size=100, random_state=0),
            "standard error, on 100 test images, after training on 500 images",
            "binomial",
        ),
    ],
    ids=["folds", "repeated", "random", "one"],
)
def test_splits_of_a_comparison_are_called_what_they_are(images, cv, words, error):
    X, y, _, _ = images
    table = compare(MODELS, X, y, cv=cv, random_state=0)
    text = make_report(table, format="text")
    assert words in text
    assert re.search(f"After ± is the .*{error}", text)
    page = Page(make_report(table))
    heads = [cell.text for cell in page.all("th")]
    assert ("Fold 2" in heads, "Split 2" in heads) == (
        table.attrs["n_splits"] > 1 and table.attrs["n_repeats"] == 1,
        table.attrs["n_splits"] > 1 and table.attrs["n_repeats"] != 1,
    )


def test_equal_models_are_called_equal(images):
    X, y, _, _ = images
    models = {name: GaussianNB() for name in "ab"}
    both = make_report(compare(models, X, y, cv=3, random_state=0), format="text")
    assert "a and b are equally accurate: " in both
    models["guess"] = DummyClassifier()
    three = make_report(compare(models, X, y, cv=3, random_state=0), format="text")
    assert "a and b are the most accurate, and equally so: " in three
    assert "accuracy of a and b, the best" in three
    assert "guess is less accurate" in three
    assert three.index("\na ") < three.index("\nb ")


def test_one_model_alone_is_not_the_best_of_anything(images):
    X, y, _, _ = images
    text = make_report(compare({"nb": GaussianNB()}, X, y, cv=2), format="text")
    assert "nb has an accuracy of " in text
    for word in ("best", "most accurate", "verdict"):
        assert word not in text.lower()


@pytest.mark.parametrize(
    ("grid", "words"),
    [
        ({"p": [2]}, "The only candidate is p=2, "),
        (
            {"p": [2], "n_jobs": [1, None], "leaf_size": [30]},
            "Of 2 candidates 2 are the best, all equally accurate; the first is ",
        ),
    ],
    ids=["one", "equal"],
)
def test_a_search_without_a_single_best_says_so(images, grid, words):
    X, y, _, _ = images
    search = GridSearchCV(KNeighborsClassifier(), grid, cv=2).fit(X, y)
    assert words in make_report(search, format="text")
    page = Page(make_report(search))
    rows = page.table("Candidates for KNeighborsClassifier")
    captions = [caption.text for caption in page.all("figcaption")]
    assert ["one of the 2 best is marked" in text for text in captions] == (
        [True] if rows[1:] else []
    )


def test_an_interrupted_comparison_names_what_is_missing(images):
    X, y, _, _ = images

    def interrupt(name, n_done, n_total):
        if name == "late":
            raise KeyboardInterrupt

    models = {"nb": GaussianNB(), "late": GaussianNB()}
    with pytest.warns(UserWarning, match="Interrupted when 1 of 2"):
        table = compare(models, X, y, cv=2, callback=interrupt)
    text = make_report(table, format="text")
    assert re.search("late +interrupted before its end", text)
    assert "Failed" not in text


def test_the_best_of_a_halving_search_is_the_one_that_it_chose(images):
    X, y, _, _ = images
    search = HalvingGridSearchCV(
        KNeighborsClassifier(), {"n_neighbors": [1, 3, 5, 50]}, cv=2, random_state=0
    )
    document = document_of(search.fit(X, y))
    assert document["best_params"] == search.best_params_
    assert len(document["candidates"]) == search.n_candidates_[-1] == 2
    assert document["n_candidates"] == search.n_candidates_[0] == 4
    text = make_report(search, format="text")
    assert "Of 4 candidates the best is " in text
    assert "Only the last round is shown, with 2 candidates." in text
    assert re.search("4 +candidates tried", text)


def test_the_candidate_that_a_function_chose_is_shown_as_chosen(images):
    X, y, _, _ = images
    grid = {"n_neighbors": [1, 3, 200]}
    search = GridSearchCV(KNeighborsClassifier(), grid, cv=2, refit=lambda results: 2)
    document = document_of(search.fit(X, y))
    assert document["best_params"] == search.best_params_ == {"n_neighbors": 200}
    assert document["parameters"]["n_neighbors"] == 200
    text = make_report(search, format="text")
    assert "Of 3 candidates the search chose n_neighbors=200, with an accuracy" in text
    assert "2 other candidates are more accurate." in text
    assert "accuracy of the chosen candidate" in text
    assert "the chosen one first" in text


def test_a_search_of_a_regressor_is_refused(images):
    X, y, _, _ = images
    search = GridSearchCV(Ridge(), {"alpha": [1, 10]}, cv=2).fit(X, y)
    with pytest.raises(ReportDataError, match=r"of a classifier.*regressor Ridge\(\)"):
        make_report(search)


def test_a_picture_that_fails_leaves_the_others(images, monkeypatch, caplog):
    X, y, X_test, y_test = images
    model = make_model("logistic_regression").fit(X, y)
    result = evaluate(model, X_test, y_test)
    whole = Page(make_report(result)).first("main").all("figcaption")
    calls = []

    def predict(X):
        calls.append(len(X))
        return type(model).predict(model, X)

    def fail(*args, **kwargs):
        raise RuntimeError("a bug of a display")

    monkeypatch.setattr(model, "predict", predict, raising=False)
    monkeypatch.setattr(OcclusionSaliencyDisplay, "from_estimator", fail)
    page = Page(make_report(result))
    assert len(page.first("main").all("figcaption")) == len(whole) - 1
    assert calls == [len(X_test)]
    (record,) = caplog.records
    assert (record.levelname, record.name) == ("WARNING", "skmnist.report")
    assert "a bug of a display" in caplog.text
    with pytest.raises(RuntimeError, match="a bug of a display"):
        make_report(result, subject=Subject(model, X_test, y_test))


def test_images_that_a_model_rejects_are_shown(images):
    X, y, X_test, y_test = images

    class Rejecting(LogisticRegression):
        def predict(self, X):
            return np.where(np.arange(len(X)) < 3, -1, super().predict(X))

    model = Rejecting(max_iter=5).fit(X / 255, y)
    page = Page(make_report(evaluate(model, X_test / 255, y_test)))
    assert "Misclassified and correct" in sections(page)


def test_versions_are_those_of_what_took_part(table, images):
    assert "keras" not in document_of(table)["versions"]
    X, y, X_test, y_test = images
    result = evaluate(make_model("dummy").fit(X, y), X_test, y_test)
    assert "keras" not in document_of(result)["versions"]
