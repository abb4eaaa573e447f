"""What stands on the pages, and that it is what was found."""

import base64
import hashlib
import io
import re

import numpy as np
import pytest
from matplotlib.collections import PathCollection
from matplotlib.image import AxesImage
from PIL import Image
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.linear_model import LogisticRegression

from skmnist._numbers import percent
from skmnist.evaluation import evaluate
from skmnist.report import (
    ReportDataError,
    Subject,
    check_packages,
    kinds_of_results,
    make_report,
)
from skmnist.report._content import Text
from skmnist.report._histories import history_section

from .pages import Page

NASTY = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "</style></svg><b>",
    "{{ 7 * 7 }}",
    "$\\frac{x$",
    "a & b ]]> &lt;",
    "nul\0 escape\x1b lone\ud800",
    "数字 ١٢٣",
    "__proto__",
]


def test_numbers_of_a_comparison_are_those_found(comparison):
    page = Page(make_report(comparison))
    rows = page.table("Models on digits")
    assert [row["Model"].text for row in rows] == ["cnn", "svm", "linear", "broken"]
    for row, model in zip(rows[:3], comparison["models"], strict=False):
        assert float(row["Accuracy"]["data-value"]) == model["accuracy"]
        assert float(row["Fit"]["data-value"]) == model["fit_time"]
        assert float(row["Predict"]["data-value"]) == model["predict_time_us"]
        assert row["Verdict"].text == model["verdict"]
    assert rows[0]["Accuracy"].text == "98.71 ± 0.23 %"
    assert rows[0]["Parameters"].text == "59,933"
    assert rows[2]["p (adjusted)"].text == "< 0.001"
    assert (rows[3]["Accuracy"].text, rows[3]["Accuracy"].get("data-value")) == (
        "",
        None,
    )
    folds = page.table("Accuracy on each of the 2 folds")
    assert folds[1]["Fold 2"].text == "99.12 %"


def test_a_comparison_is_told_in_words_first(comparison):
    page = Page(make_report(comparison))
    summary = page.first("header").text
    assert page.first("body").children[0].tag == "header"
    for words in (
        "cnn is the most accurate: 98.71 ± 0.23 %",
        "2-fold cross-validation on digits, 1,797 images, 8×8 pixels, 10 labels",
        "svm may be as accurate: the difference may be chance.",
        "linear is less accurate, by more than chance explains.",
        "svm fits fastest (0.80 s) and cnn predicts fastest (41 µs)",
        "Failed: broken",
    ):
        assert words in summary
    assert (
        "worse means less accurate, with 95 % confidence; with no clear difference, a "
        "model may be as accurate as the best (some test; corrected for the number of "
        "models)"
    ) in page.first("main").text
    assert page.table("What failed")[0]["Error"].text == "ValueError: a < b"


def test_a_comparison_of_failures_only_still_says_so(comparison):
    comparison["models"] = comparison["models"][3:]
    page = Page(make_report(comparison))
    assert "No model has a result" in page.first("header").text
    assert page.all("svg") == []


def test_what_was_left_out_is_named(comparison):
    comparison |= {"left_out": ["slow", "slower"], "interrupted": True}
    page = Page(make_report(comparison))
    left = [row["Model"].text for row in page.table("What was left out")]
    assert left == ["slow", "slower"]
    assert "interrupted" in page.first("header").text


def test_a_test_set_is_told_from_folds(comparison):
    comparison |= {"n_folds": None, "n_test": 10_000, "dataset": "mnist"}
    words = Page(make_report(comparison)).first("header").text
    assert "on 10,000 test images of mnist, after training on 1,797 images" in words


def test_every_picture_is_told_in_words(model_page, comparison):
    for page in (model_page, Page(make_report(comparison))):
        for drawing in page.all("svg"):
            assert drawing["role"] == "img"
            assert len(drawing["aria-label"]) > 40
        for figure in page.all("figure"):
            assert figure.first("figcaption").text
        assert all(len(picture["alt"]) > 8 for picture in page.all("img"))
    labels = [drawing["aria-label"] for drawing in page.all("svg")]
    assert "cnn 98.71 %, 12.3 s; svm 98.12 %, 0.80 s" in labels[0]
    assert "cnn 98.71 %, 41 µs" in labels[1]


def test_charts_of_a_comparison_show_accuracy_over_either_time(comparison, drawings):
    make_report(comparison)
    done = comparison["models"][:3]
    for key, figure in zip(
        ("fit_time", "predict_time_us"), drawings.values(), strict=True
    ):
        scatters = figure.axes[0].findobj(PathCollection)
        places = {tuple(place) for dots in scatters for place in dots.get_offsets()}
        assert {(row[key], row["accuracy"]) for row in done} <= places


def test_calibration_is_drawn_with_confidence_across(evaluation, drawings):
    make_report(evaluation)
    (figure,) = (drawings[name] for name in drawings if name.startswith("Calibration"))
    (line,) = [
        line
        for line in figure.axes[0].lines
        if line.get_label().startswith("the model")
    ]
    assert line.get_xydata().tolist() == [
        [row["confidence"], row["accuracy"]] for row in evaluation["calibration"]
    ]


def test_accuracy_without_the_least_confident_images_is_drawn_and_said(
    evaluation, drawings
):
    page = Page(make_report(evaluation))
    (figure,) = (v for k, v in drawings.items() if k.startswith("Accuracy–rejection"))
    line = figure.axes[0].lines[-1]
    rows = evaluation["rejection"]
    points = [[row["rejected"], row["accuracy"]] for row in rows]
    assert line.get_xydata().tolist() == points[: len(line.get_xydata())]
    assert len(line.get_xydata()) > 10
    shown = page.table("Accuracy on the images that are not rejected")
    assert [int(row["Images"].text) for row in shown] == [row["n"] for row in rows]
    # Of 200 images whose confidences all differ, 10 are 5 %.
    (row,) = (row for row in rows if row["rejected"] == 0.05)
    words = (
        f"least confident 5 % of the images, the accuracy is {percent(row['accuracy'])}"
    )
    assert words in page.first("header").text
    # So few need not be the wrong ones; half of the images are a clear sign.
    (half,) = (row for row in rows if row["rejected"] == 0.5)
    assert half["accuracy"] > evaluation["accuracy"]


@pytest.mark.parametrize("rejection", ["unknown", None, "one confidence"])
def test_nothing_is_said_of_rejection_where_there_is_no_choice(evaluation, rejection):
    rows = {None: None, "one confidence": evaluation["rejection"][:1]}
    results = {**evaluation, "rejection": rows.get(rejection)}
    if rejection == "unknown":  # results of an earlier version
        del results["rejection"]
    text = Page(make_report(results)).root.text
    assert "overconfident" in text
    assert "ejected" not in text
    assert "least confident" not in text


def test_looks_into_a_network_are_of_the_image_that_they_name(
    evaluation, subject, drawings
):
    make_report(evaluation, subject=subject)
    row = subject.example
    assert row > 0
    starts = ("Evidence for the prediction of", "Feature maps of each layer for")
    looks = [name for name in drawings if name.startswith(starts)]
    assert len(looks) == 2
    for name in looks:
        shown = drawings[name].findobj(AxesImage)[0].get_array()
        np.testing.assert_allclose(shown, subject.images([row])[0], atol=1e-6)
    saliency = next(drawings[name] for name in looks if "Evidence" in name)
    titles = [ax.get_title(loc="left") for ax in saliency.axes]
    assert not any("predicted" in title for title in titles)  # it is what is explained


def test_confusions_are_named_from_true_to_predicted(evaluation):
    confusion = np.zeros((10, 10), int)
    confusion[3, 8], confusion[8, 3], confusion[4, 9] = 7, 2, 3
    page = Page(make_report({**evaluation, "confusion": confusion.tolist()}))
    rows = page.table("Most frequent confusions")
    assert [(row["Confusion"].text, row["Images"].text) for row in rows] == [
        ("3 classified as 8", "7"),
        ("4 classified as 9", "3"),
        ("8 classified as 3", "2"),
    ]
    assert "3 classified as 8 (7 images)" in page.first("header").text


def test_ties_of_labels_and_confusions_are_called_so(evaluation):
    confusion = np.zeros((10, 10), int)
    confusion[3, 8], confusion[4, 9] = 7, 7
    per_class = [
        {**row, "recall": 0.5 if row["label"] in (3, 4) else 0.9}
        for row in evaluation["per_class"]
    ]
    tied = {**evaluation, "confusion": confusion.tolist(), "per_class": per_class}
    words = Page(make_report(tied)).first("header").text
    assert "The hardest labels are 3 and 4, each with a recall of 50.00 %." in words
    assert (
        "The most frequent confusions, equally often: 3 classified as 8 and 4 "
        "classified as 9 (7 images each)."
    ) in words


def test_a_standard_error_that_is_not_known_is_left_out(comparison):
    comparison["models"][0]["accuracy_se"] = float("nan")
    page = Page(make_report(comparison))
    assert page.table("Models on digits")[0]["Accuracy"].text == "98.71 %"
    assert "nan" not in page.first("main").text


def test_rows_that_are_no_images_have_no_pictures(evaluation):
    X = np.random.default_rng(0).random((40, 12))
    y = np.arange(40) % 2
    model = LogisticRegression().fit(X, y)
    results = {**evaluation, **evaluate(model, X, y).to_dict()}
    page = Page(make_report(results, subject=Subject(model, X, y)))
    assert "known shape" in page.first("main").text
    assert page.all("img") == []


def test_a_classifier_that_does_not_tell_its_classes(evaluation, digits):
    class Odd(ClassifierMixin, BaseEstimator):
        def __sklearn_is_fitted__(self):
            return True

        def fit(self, X, y):
            return self

        def predict(self, X):
            return np.zeros(len(X), int)

        def predict_proba(self, X):
            return np.full((len(X), 10), 0.1)

    subject = Subject(Odd(), *digits[2:])
    assert Page(make_report(evaluation, subject=subject)).all("img")


def test_nothing_is_fetched_from_anywhere(model_page, comparison):
    for page in (model_page, Page(make_report(comparison))):
        addresses = [address for address in page.addresses if address]
        assert addresses
        for address in addresses:
            assert address.startswith(("#", "data:")), address
        assert page.all("link")[0]["href"] == "data:,"  # no icon is asked for
        (policy,) = [
            meta["content"]
            for meta in page.all("meta")
            if meta.get("http-equiv") == "Content-Security-Policy"
        ]
        assert policy.startswith("default-src 'none'; img-src data:;")
        (script,) = page.all("script")
        digest = hashlib.sha256("".join(script.words).encode()).digest()
        assert f"'sha256-{base64.b64encode(digest).decode()}'" in policy
        assert "'unsafe-inline'" not in policy.partition("script-src")[2]


def test_names_within_a_page_are_unique_and_lead_somewhere(model_page):
    names = [e["id"] for e in model_page.elements if e.get("id")]
    assert len(names) == len(set(names))
    referred = [a[1:] for a in model_page.addresses if a and a.startswith("#")]
    for element in model_page.elements:
        if element.get("aria-labelledby"):
            referred.append(element["aria-labelledby"])
    assert len(referred) > 20
    assert set(referred) <= set(names)


def shown(name):
    """A name as a page shows it: what no page can hold is replaced."""
    return " ".join(re.sub("[\0\x1b\ud800]", "\ufffd", name).split())


def check_nothing_has_escaped(source):
    source.encode()
    page = Page(source)
    assert len(page.all("script")) == len(page.all("style")) == 1
    assert not any(n.startswith("on") for e in page.elements for n in e.attributes)
    assert all(i["src"].startswith("data:image/png;base64,") for i in page.all("img"))
    return page


def test_names_may_hold_anything(comparison):
    row, everything = comparison["models"][1], " ".join(NASTY)
    comparison["models"][1:3] = [{**row, "model": name} for name in NASTY]
    comparison["models"][-1] |= {"model": everything, "error_message": everything}
    comparison |= {"dataset": everything, "command": everything, "source": everything}
    comparison["versions"] = {name: name for name in NASTY}
    page = check_nothing_has_escaped(make_report(comparison))
    listed = [row["Model"].text for row in page.table("Models on")]
    assert listed[1:-1] == [shown(name) for name in NASTY]
    assert page.table("What failed")[0]["Error"].text == shown(everything)
    assert page.first("code").text == shown(everything)
    drawn = {text.text for text in page.first("svg").all("text")}
    assert {shown(name) for name in NASTY} <= drawn


def test_labels_and_files_may_hold_anything(digits):
    from sklearn.svm import LinearSVC

    from skmnist.evaluation import evaluate

    X, y, X_test, y_test = digits
    names = np.array([*NASTY, "9"])
    model = LinearSVC(random_state=0).fit(X, names[y])  # which has weights to show
    everything = " ".join(NASTY)
    results = {
        "kind": "evaluation",
        "file": everything,
        "dataset": everything,
        "parameters": {everything: everything},
        **evaluate(model, X_test, names[y_test]).to_dict(),
    }
    subject = Subject(model, X_test, names[y_test])
    page = check_nothing_has_escaped(make_report(results, subject=subject))
    labels = {row["Label"].text for row in page.table("Each label")}
    assert labels == {shown(name) for name in names}
    assert page.first("h1").text == f"{shown(everything)} on {shown(everything)}"
    drawn = {text.text for svg in page.all("svg") for text in svg.all("text")}
    assert {shown(name) for name in NASTY} <= drawn


def test_an_evaluation_shows_its_numbers(model_page, evaluation):
    words = model_page.first("header").text
    assert f"classifies {evaluation['n_right']:,} of 200 images correctly" in words
    low, high = evaluation["accuracy_interval"]
    assert f"{100 * low:.2f} to {100 * high:.2f} %" in words
    rows = model_page.table("Each label")
    for row, scores in zip(rows, evaluation["per_class"], strict=True):
        assert row["Label"].text == str(scores["label"])
        for column, key in ("Precision", "precision"), ("Recall", "recall"):
            value = scores[key]  # None for a label that was never the answer
            expected = None if value is None else str(value)
            assert row[column].get("data-value") == expected
        assert row["Images"].text == str(scores["support"])
    matrix = model_page.first("table", "matrix").all("tr")[1:]
    cells = [[c.text.replace("·", "0") for c in row.children[1:]] for row in matrix]
    assert [[int(n) for n in row] for row in cells] == evaluation["confusion"]
    answers = model_page.table("Predictions by confidence")
    assert [int(row["Images"].text) for row in answers] == [
        row["n"] for row in evaluation["calibration"]
    ]


def test_the_galleries_show_the_right_images_in_order(model_page, subject):
    recognition = subject.recognition
    wrong, right = model_page.all("figure", "gallery")
    shown = wrong.all("img")
    assert len(shown) == min(24, len(recognition.wrong)) > 3
    for row, picture in zip(recognition.wrong, shown, strict=False):
        true, predicted = recognition.y_true[row], recognition.y_pred[row]
        assert picture["alt"].startswith(
            f"Image {row}: {true}, classified as {predicted}"
        )
        data = base64.b64decode(picture["src"].partition(",")[2])
        pixels = np.asarray(Image.open(io.BytesIO(data)))
        expected = 255 - np.asarray(subject.X[row]).reshape(8, 8)
        np.testing.assert_allclose(pixels, expected, atol=1)
    assert len(right.all("img")) == 12
    n_right = len(recognition.right)
    caption = right.first("figcaption").text
    assert caption.startswith(f"Correct: {n_right} of 200 images, 12 shown, ")
    assert all("correct" in picture["alt"] for picture in right.all("img"))


def test_a_network_is_looked_into(model_page, subject):
    labels = [drawing["aria-label"] for drawing in model_page.all("svg")]
    row = subject.recognition.wrong[0]
    true, predicted = subject.recognition.y_true[row], subject.recognition.y_pred[row]
    which = f"the first of the misclassified images, {true} classified as {predicted}"
    for words in (
        "Chart of loss after each epoch. training from",
        "Chart of the fraction of correct predictions against confidence",
        f"Saliency of {which}: row ",
        "Filters of the convolutions as pictures: convolution_1 (3 of 3×3)",
        f"Feature maps of {which}, after each layer: convolution_1",
        "Diagram of the network: ",
    ):
        assert any(label.startswith(words) for label in labels), words
    epochs = model_page.table("Every epoch")
    history = subject.model[-1].history_
    assert [float(row["loss"]["data-value"]) for row in epochs] == history["loss"]
    losses = [float(row["validation loss"]["data-value"]) for row in epochs]
    assert losses == history["val_loss"]


def test_results_alone_give_all_but_the_pictures(evaluation):
    page = Page(make_report(evaluation))
    assert page.all("img") == []
    titles = [heading.text for heading in page.all("h2")]
    assert titles == ["Labels, confusions and confidence", "How to repeat this"]
    assert page.first("h1").text == "small on digits"


def test_a_model_without_mistakes_is_shown_too(digits):
    from sklearn.neighbors import KNeighborsClassifier

    from skmnist.evaluation import evaluate

    X, y, *_ = digits
    model = KNeighborsClassifier(1).fit(X, y)
    results = {"kind": "evaluation", "file": "x", "dataset": "d"}
    results |= evaluate(model, X, y).to_dict()
    page = Page(make_report(results, subject=Subject(model, X, y)))
    assert "misclassifies none" in page.first("header").text
    (gallery,) = page.all("figure", "gallery")
    assert len(gallery.all("img")) == 12
    assert "No image was misclassified." in page.first("main").text
    labels = [drawing["aria-label"] for drawing in page.all("svg")]
    assert not any(label.startswith("Diagram") for label in labels)


def test_a_model_without_probabilities_is_shown_too(digits):
    from sklearn.svm import LinearSVC

    from skmnist.evaluation import evaluate

    X, y, X_test, y_test = digits
    model = LinearSVC(random_state=0).fit(X, y)
    results = {"kind": "evaluation", "file": "x", "dataset": "d"}
    results |= evaluate(model, X_test, y_test).to_dict()
    page = Page(make_report(results, subject=Subject(model, X_test, y_test)))
    assert "confiden" not in page.section("Misclassified and correct").text
    labels = [drawing["aria-label"] for drawing in page.all("svg")]
    assert not any("confidence" in label for label in labels)
    assert any("to 10 units as pictures: 0, 1, 2" in label for label in labels)


def test_confusions_of_one_image_each_have_no_order():
    def page(*confusion):
        labels = ["a", "b", "c"]
        counts = np.array(confusion)
        n, n_right = int(counts.sum()), int(np.trace(counts))
        scores = [
            {"label": label, "precision": 0.9, "recall": 0.9, "f1": 0.9, "support": 9}
            for label in labels
        ]
        results = {"kind": "evaluation", "file": "x", "dataset": "d", "labels": labels}
        results |= {"confusion": counts.tolist(), "per_class": scores, "n": n}
        results |= {"n_right": n_right, "n_wrong": n - n_right}
        results |= {"accuracy": n_right / n, "accuracy_interval": [0.5, 1.0]}
        return Page(make_report(results)).root.text

    single = page([9, 1, 0], [0, 9, 1], [0, 0, 9])
    assert "All labels have a recall of 90.00 %." in single
    assert "frequent" not in single
    several = page([9, 1, 0], [0, 9, 2], [0, 0, 9])
    assert "The most frequent confusion: b classified as c (2 images)." in several


def test_every_caption_is_a_sentence(model_page, comparison):
    for page in (model_page, Page(make_report(comparison))):
        captions = [e.text for e in page.all("caption") + page.all("figcaption")]
        assert len(captions) > 5
        assert [text for text in captions if not re.search(r"[^.]\.$", text)] == []


def test_how_to_repeat_it_is_told(comparison):
    page = Page(make_report(comparison, command="skmnist report results.json"))
    commands = [code.text for code in page.all("code")]
    assert commands == ["skmnist compare --seed 7", "skmnist report results.json"]
    facts = {
        item.first("dt").text: item.first("dd").text
        for item in page.first("dl").all("div")
    }
    assert facts["Seed"] == "7"
    assert facts["Made"] == "2026-01-02 03:04:05 UTC"
    assert facts["Image size"] == "8×8 pixels"
    versions = page.table("Versions")
    assert versions[1]["Package"].text == "scikit-learn"
    assert versions[1]["Version"].text == "1.9"


def test_a_command_breaks_between_its_words_only(comparison):
    command = "skmnist compare --models a-b --out 'my results.json'"
    page = Page(make_report(comparison | {"command": command}))
    code = page.first("code")
    # Style keeps each of these on a line; a browser breaks after hyphens otherwise.
    assert [word.text for word in code.all("span")] == command.split(" ")
    assert code.text == command  # which is what is copied


def search_results():
    candidates = []
    for units, dropout, accuracy in [
        ([64], 0.2, 0.95),
        ([32, 16], 0.2, 0.93),
        ([64], 0.0, 0.9),
        ([32, 16], 0.0, None),
    ]:
        candidates.append(
            {
                "params": {"units": units, "dropout": dropout},
                "accuracy": accuracy,
                "accuracy_se": accuracy and 0.01,
                "accuracies": accuracy and [accuracy - 0.02, accuracy + 0.02],
                "verdict": "best" if accuracy == 0.95 else "worse",
                "error_message": None if accuracy else "ValueError: too deep",
            }
        )
    candidates[3]["verdict"] = "failed"
    return {
        "kind": "search",
        "model": "mlp",
        "best_params": candidates[0]["params"],
        "candidates": candidates,
        "n_candidates": 4,
        "dataset": "digits",
        "n_folds": 2,
        "test": "t",
        "correction": "Holm",
        "alpha": 0.05,
        "evaluation": None,
    }


def test_a_search_shows_its_candidates():
    page = Page(make_report(search_results()))
    rows = page.table("Candidates for mlp")
    assert [row["units"].text for row in rows] == ["64", "32, 16", "64", "32, 16"]
    assert [float(r["dropout"]["data-value"]) for r in rows] == [0.2, 0.2, 0, 0]
    assert "the best is units=[64], dropout=0.2" in page.first("header").text
    (chart,) = page.all("svg")
    assert chart["aria-label"].endswith(
        "units and dropout, from 90.00 % to 95.00 %; best at units 64, dropout 0.2."
    )
    best = page.table("The best candidate")
    assert [(row["Parameter"].text, row["Value"].text) for row in best] == [
        ("units", "64"),
        ("dropout", "0.2"),
    ]
    drawn = {text.text for text in chart.all("text")}
    assert {"0.950", "0.930", "0.900"} <= drawn
    assert page.table("What failed")[0]["Error"].text == "ValueError: too deep"


@pytest.mark.parametrize("is_equal", [False, True], ids=["unclear", "equal"])
@pytest.mark.parametrize(
    ("counts", "is_named"), [((9, 5), True), ((5, 9), False), ((9, None), False)]
)
def test_a_search_names_the_simplest_of_the_best(counts, is_named, is_equal):
    results = search_results()
    best, second, *_ = results["candidates"]
    second["verdict"] = "no clear difference"
    if is_equal:
        second |= {"accuracy": best["accuracy"], "verdict": "best"}
    for candidate, n_parameters in zip((best, second), counts, strict=True):
        candidate["n_parameters"] = n_parameters
    words = Page(make_report(results)).first("header").text
    relation = "1 other candidate differs from it by no more than chance"
    assert ("2 are the best" if is_equal else relation) in words
    sentence = "The simplest of them, units=[32, 16], dropout=0.2, has 5 parameters"
    assert (sentence in words) == is_named


def test_a_search_shows_the_learning_curves_of_its_candidates():
    results = search_results()
    for number, candidate in enumerate(results["candidates"]):
        losses = [1.0, 0.5 - 0.1 * number]
        candidate["histories"] = [{"loss": losses}, {"loss": [*losses, None]}, None]
        candidate["params"]["epochs"] = 2
    page = Page(make_report(results))
    (chart,) = (c for c in page.all("svg") if "loss" in c["aria-label"])
    assert "training loss of 4 candidates" in chart["aria-label"]
    drawn = [text.text for text in chart.all("text")]
    assert "units=[64], dropout=0.2" in drawn  # what is the same in all is not named
    assert "epoch" in drawn


def test_a_search_in_which_nothing_varies_has_no_chart():
    results = search_results()
    results["candidates"] = results["candidates"][:1]
    assert Page(make_report(results)).all("svg") == []


def test_a_training_shows_what_it_reached(evaluation, subject):
    results = {
        "kind": "training",
        "model": "small",
        "dataset": "digits",
        "n_train": 300,
        "n_epochs": 12,
        "fit_time": 3.21,
        "interrupted": True,
        "history": {"loss": [0.5, None, 0.25], "val_loss": [0.6, 0.4, 0.5]},
        "evaluation": evaluation,
    }
    page = Page(make_report(results, subject=subject))
    words = page.first("header").text
    assert "small was trained on 300 images of digits, 12 epochs, in 3.21 s" in words
    assert "interrupted" in words
    assert [row["loss"].text for row in page.table("Every epoch")] == [
        "0.5000",
        "",
        "0.2500",
    ]
    # The loss, calibration and rejection, what it looks at.
    assert len(page.all("svg")) == 1 + 2 + 4


def test_drawings_take_the_colours_of_the_page(comparison):
    svg = Page(make_report(comparison)).first("svg")
    colours = " ".join(
        value for e in svg.all("g") + svg.all("path") for value in e.attributes.values()
    )
    assert "currentColor" in colours
    assert "#000000" not in colours
    assert svg.all("style") == []


def test_text_within_drawings_stands_out(model_page):
    grey = "#7f7f7f"  # 4.0 to 1 on white, where 4.5 are asked for
    for drawing in model_page.all("svg"):
        for text in drawing.all("text"):
            assert text.get("fill") != grey
    assert any(e.get("stroke") == grey for e in model_page.elements)


def test_a_page_is_small(model_page):
    assert len(model_page.source.encode()) < 400_000


def test_the_same_results_give_the_same_page(comparison):
    assert make_report(comparison) == make_report(comparison)


def test_drawing_leaves_matplotlib_alone(evaluation, subject):
    import matplotlib
    import matplotlib.pyplot as plt

    matplotlib.rcParams["axes.edgecolor"] = "red"
    try:
        settings, figures = dict(matplotlib.rcParams), plt.get_fignums()
        source = make_report(evaluation, subject=subject)
        assert dict(matplotlib.rcParams) == settings
        assert plt.get_fignums() == figures
    finally:
        matplotlib.rcParams["axes.edgecolor"] = matplotlib.rcParamsDefault[
            "axes.edgecolor"
        ]
    assert "#ff0000" not in source  # nor does the user's style change the page


@pytest.mark.parametrize("results", [None, [], {}, {"kind": "poem"}, {"kind": []}])
def test_other_data_are_refused(results):
    with pytest.raises(ReportDataError, match=r"'comparison', 'ev|results must be"):
        make_report(results)


@pytest.mark.parametrize("kind", kinds_of_results())
def test_what_is_missing_is_named(kind):
    with pytest.raises(ReportDataError, match=f"'{kind}': '.*' is missing"):
        make_report({"kind": kind})


def test_a_missing_package_is_named_with_its_extra(monkeypatch):
    monkeypatch.setattr(
        "skmnist.report._page.find_spec", lambda name: None if name == "jinja2" else 1
    )
    with pytest.raises(ImportError, match=r"needs Jinja2, .*skmnist\[report\]"):
        check_packages()


@pytest.mark.parametrize("validated", [False, True])
def test_curves_without_validation_say_how_to_get_it(validated):
    history = {"loss": [1.0, 0.5], "accuracy": [0.5, 0.8]}
    if validated:
        history["val_loss"] = [1.0, 0.6]
    (section,) = history_section(history)
    text = " ".join(block.text for block in section.blocks if isinstance(block, Text))
    assert ("validation_fraction=0.1" in text) != validated
