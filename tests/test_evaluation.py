import json
import math
import os
import warnings
from dataclasses import replace
from itertools import product

import joblib
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin, clone
from sklearn.cluster import KMeans
from sklearn.datasets import load_digits
from sklearn.dummy import DummyClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.linear_model import LinearRegression, LogisticRegression, Perceptron
from sklearn.model_selection import (
    GridSearchCV,
    GroupKFold,
    KFold,
    PredefinedSplit,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    TimeSeriesSplit,
    cross_val_score,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, LinearSVC

from skmnist.evaluation import (
    ModelScores,
    _scores,
    compare,
    comparison_table,
    evaluate,
    iter_compare,
)
from skmnist.evaluation._significance import mcnemar_test


class Reader(ClassifierMixin, BaseEstimator):
    """Predicts the label that stands in one column of X."""

    def __init__(self, column=0):
        self.column = column

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        return self

    def predict(self, X):
        return np.asarray(X)[:, self.column].astype(int)


class Contrary(Reader):
    """Has probabilities that do not agree with its predictions."""

    calls = ()

    def predict(self, X):
        Contrary.calls += ("predict",)
        return super().predict(X)

    def predict_proba(self, X):
        Contrary.calls += ("predict_proba",)
        return np.tile([0.1, 0.2, 0.7], (len(X), 1))


class Recorder(GaussianNB):
    """Notes what it is fitted and tested on."""

    seen = []

    def __init__(self, tag=None):
        super().__init__()
        self.tag = tag

    def fit(self, X, y):
        Recorder.seen.append((self.tag, X.sum(), y.tobytes()))
        return super().fit(X, y)


class Broken(GaussianNB):
    """Fails from a certain fit on."""

    n_fits = 0
    good_fits = 0
    error = ZeroDivisionError("no\ndigit left")

    def fit(self, X, y):
        Broken.n_fits += 1
        if Broken.n_fits > Broken.good_fits:
            raise Broken.error
        return super().fit(X, y)


class BrokenEverywhere(GaussianNB):
    """Fails in other processes too."""

    def fit(self, X, y):
        raise ZeroDivisionError("no digit left")


class Killer(GaussianNB):
    """Takes its process down."""

    def fit(self, X, y):
        os._exit(3)


class Uncloneable:
    """Fits and predicts and knows no parameters."""

    def fit(self, X, y):
        return self

    def predict(self, X):
        return np.zeros(len(X), int)


@pytest.fixture
def broken(monkeypatch):
    monkeypatch.setattr(Broken, "n_fits", 0)
    return Broken()


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:400], y[:400]


TRUE = np.array([0, 0, 0, 1, 1, 2])
PREDICTED = np.array([0, 0, 1, 1, 1, 0])


@pytest.fixture
def reading():
    """A model and images of which it has 4 of 6 right."""
    X = PREDICTED[:, None]
    return Reader().fit(X, TRUE), X, TRUE


# ------------------------------------------------------------------ evaluate


def test_evaluation_of_six_images_by_hand(reading):
    result = evaluate(*reading)
    assert (result.n, result.n_right, result.n_wrong) == (6, 4, 2)
    assert result.accuracy == pytest.approx(4 / 6)
    assert result.error == pytest.approx(2 / 6)
    assert result.accuracy_se == pytest.approx(math.sqrt(4 / 6 * 2 / 6 / 6))
    low, high = result.accuracy_interval
    assert (low, high) == pytest.approx((0.29999, 0.90323), abs=1e-4)
    assert math.isnan(result.log_loss)
    expected = pd.DataFrame(
        {
            "precision": [2 / 3, 2 / 3, np.nan],
            "recall": [2 / 3, 1, 0],
            "f1": [2 / 3, 4 / 5, 0],
            "support": [3, 2, 1],
        },
        index=pd.Index([0, 1, 2], name="label"),
    )
    pd.testing.assert_frame_equal(result.per_class, expected)
    confusion = [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert result.confusion.to_numpy().tolist() == confusion
    assert result.confusion.loc[2, 0] == 1
    assert (result.confusion.index.name, result.confusion.columns.name) == (
        "true",
        "predicted",
    )


def test_log_loss_is_that_of_the_true_classes():
    X, y = np.zeros((4, 1)), np.array(["a", "b", "b", "b"])
    model = DummyClassifier(strategy="prior").fit(X, y)
    expected = -(math.log(1 / 4) + 3 * math.log(3 / 4)) / 4
    result = evaluate(model, X, y)
    assert result.log_loss == pytest.approx(expected)
    assert f"Log loss  {expected:.4f}" in str(result)


def test_log_loss_of_test_images_that_lack_a_class(digits):
    X, y = digits
    model = GaussianNB().fit(X, y)
    rows = y < 5
    probabilities = model.predict_proba(X[rows])[np.arange(rows.sum()), y[rows]]
    expected = -np.log(np.clip(probabilities, np.finfo(float).eps, None)).mean()
    assert evaluate(model, X[rows], y[rows]).log_loss == pytest.approx(expected)


class Certain(Reader):
    """Gives the label that it predicts almost all of the probability."""

    def __init__(self, column=0, dtype="float64", other=0.0):
        super().__init__(column)
        self.dtype = dtype
        self.other = other

    def predict_proba(self, X):
        n_classes = len(self.classes_)
        probabilities = np.full((len(X), n_classes), self.other, self.dtype)
        chosen = np.searchsorted(self.classes_, self.predict(X))
        rest = 1 - (n_classes - 1) * self.other
        probabilities[np.arange(len(X)), chosen] = rest
        return probabilities


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize(
    ("dtype", "other"),
    [
        ("int64", 0.0),
        *product(["float16", "float32", "float64"], [0.0, 1e-30, 1e-12, 1e-3]),
    ],
)
def test_log_loss_does_not_depend_on_the_type_of_probabilities(dtype, other):
    X = PREDICTED[:, None]
    model = Certain(dtype=dtype, other=other).fit(X, TRUE)
    kept = model.predict_proba(X).astype(float)[0, 1]  # what the type can hold of it
    expected = -(2 * math.log(max(kept, 2**-52)) + 4 * math.log(1 - 2 * kept)) / 6
    result = evaluate(model, X, TRUE)
    assert result.log_loss == pytest.approx(expected, rel=2e-3 if kept > 1e-4 else 1e-5)


def test_probabilities_that_do_not_sum_to_1_are_noticed():
    class Careless(Certain):
        def predict_proba(self, X):
            return super().predict_proba(X) * np.float32(0.9)

    X = PREDICTED[:, None]
    with pytest.warns(UserWarning, match="do not sum to one"):
        evaluate(Careless(dtype="float32", other=0.1).fit(X, TRUE), X, TRUE)


def test_labels_are_those_of_predict_even_against_the_probabilities(monkeypatch):
    monkeypatch.setattr(Contrary, "calls", ())
    X = PREDICTED[:, None]
    model = Contrary().fit(X, TRUE)
    result = evaluate(model, X, TRUE)
    assert sorted(Contrary.calls) == ["predict", "predict_proba"]
    assert result.accuracy == pytest.approx(model.score(X, TRUE))
    expected = -(3 * math.log(0.1) + 2 * math.log(0.2) + math.log(0.7)) / 6
    assert result.log_loss == pytest.approx(expected)


class Sure(Reader):
    """Has the probability of its answer in the second column of X."""

    def predict_proba(self, X):
        X = np.asarray(X)
        shares = np.repeat((1 - X[:, 1:2]) / 2, 3, axis=1)
        shares[np.arange(len(X)), X[:, 0].astype(int)] = X[:, 1]
        return shares


def test_calibration_compares_confidence_with_right_answers():
    answers = [(0, 0.95, 0), (1, 0.93, 1), (2, 0.91, 0), (1, 0.5, 1), (0, 0.42, 2)]
    X = np.array([answer[:2] for answer in answers])
    y = np.array([answer[2] for answer in answers])
    result = evaluate(Sure().fit(X, [0, 1, 2, 0, 1]), X, y)
    assert result.calibration["n"].tolist() == [2, 3]  # 0.5 belongs below
    np.testing.assert_allclose(result.calibration["confidence"], [0.46, 0.93])
    np.testing.assert_allclose(result.calibration["accuracy"], [1 / 2, 2 / 3])
    expected = (2 * 0.04 + 3 * (0.93 - 2 / 3)) / 5
    assert result.calibration_error == pytest.approx(expected)
    assert json.loads(json.dumps(result.to_dict()))["calibration"][0]["n"] == 2


def test_accuracy_rises_as_the_least_confident_images_are_rejected():
    answers = [(0, 0.95, 0), (1, 0.93, 1), (2, 0.91, 0), (1, 0.5, 1), (0, 0.5, 2)]
    X = np.array([answer[:2] for answer in answers])
    y = np.array([answer[2] for answer in answers])
    table = evaluate(Sure().fit(X, [0, 1, 2, 0, 1]), X, y).rejection
    # The two images of the same confidence are rejected together.
    assert table["threshold"].tolist() == [0.5, 0.91, 0.93, 0.95]
    assert table["rejected"].tolist() == [0, 2 / 5, 3 / 5, 4 / 5]
    assert table["accuracy"].tolist() == [3 / 5, 2 / 3, 1, 1]
    assert table["n"].tolist() == [5, 3, 2, 1]


def test_json_has_the_rejection_of_some_fractions_of_many():
    rng = np.random.default_rng(0)
    X = np.column_stack([rng.integers(0, 3, 1000), rng.permutation(1000) / 1000])
    result = evaluate(Sure().fit(X, [0, 1, 2] * 333 + [0]), X, np.zeros(1000, int))
    assert len(result.rejection) == 1000
    rows = json.loads(json.dumps(result.to_dict()))["rejection"]
    assert len(rows) <= 31
    fractions = [row["rejected"] for row in rows]
    assert fractions == sorted(fractions)
    assert {0, 0.001, 0.01, 0.05, 0.2, 0.8} <= set(fractions)
    whole = result.rejection.set_index("rejected")
    for row in rows:
        assert whole.loc[row["rejected"], "accuracy"] == row["accuracy"]


def test_confidence_is_that_of_the_answer_given():
    X = TRUE[:, None]
    result = evaluate(Contrary().fit(X, TRUE), X, TRUE)
    np.testing.assert_allclose(result.calibration["confidence"], [0.1, 0.2, 0.7])
    np.testing.assert_allclose(result.rejection["threshold"], [0.1, 0.2, 0.7])


def test_an_answer_that_is_no_class_is_wrong_and_without_confidence(digits):
    X, y = digits

    class Rejecting(LogisticRegression):
        def predict(self, X):
            answers = super().predict(X)
            return np.where(np.arange(len(X)) < 3, -1, answers)

    model = Rejecting(max_iter=200).fit(X, y)
    usual = evaluate(LogisticRegression(max_iter=200).fit(X, y), X, y)
    result = evaluate(model, X, y)
    assert usual.n_right == len(y)
    assert result.n_wrong == 3
    assert result.confusion[-1].sum() == 3
    assert result.confusion.index.tolist() == [*range(10), -1]
    assert result.calibration["n"].sum() == len(y) - 3
    first = result.rejection.iloc[0]  # they count as rejected at any threshold
    assert (first["rejected"], first["accuracy"]) == (3 / len(y), 1)
    assert result.to_dict()["rejection"][0]["rejected"] == 3 / len(y)


def test_there_is_no_calibration_without_probabilities(reading):
    result = evaluate(*reading)
    assert result.calibration is None
    assert math.isnan(result.calibration_error)
    assert result.to_dict()["calibration"] is None
    assert result.rejection is None
    assert result.to_dict()["rejection"] is None


def test_string_labels_and_data_frames(digits):
    X, y = digits
    names = np.array([f"digit {n}" for n in "0123456789"])
    frame, labels = pd.DataFrame(X).add_prefix("pixel"), pd.Series(names[y])
    model = make_pipeline(StandardScaler(), KNeighborsClassifier()).fit(frame, labels)
    result = evaluate(model, frame, labels)
    assert result.accuracy == pytest.approx(model.score(frame, labels))
    assert set(result.per_class.index) == set(names)
    assert result.confusion.loc["digit 3", "digit 3"] > 0
    assert json.loads(json.dumps(result.to_dict()))["labels"] == sorted(names)


def test_class_without_an_image_has_no_recall(digits):
    X, y = digits
    model = LinearSVC(random_state=0).fit(X, y)
    rows = y != 7
    result = evaluate(model, X[rows], y[rows])
    assert len(result.per_class) == 10
    assert result.per_class.loc[7, "support"] == 0
    assert math.isnan(result.per_class.loc[7, "recall"])


def test_to_dict_is_plain_data(reading):
    result = json.loads(json.dumps(evaluate(*reading).to_dict(), allow_nan=False))
    assert result["accuracy"] == pytest.approx(4 / 6)
    assert result["log_loss"] is None
    assert result["labels"] == [0, 1, 2]
    assert result["confusion"] == [[2, 1, 0], [0, 2, 0], [1, 0, 0]]
    assert result["per_class"][2] == {
        "label": 2,
        "precision": None,
        "recall": 0,
        "f1": 0,
        "support": 1,
    }


def test_printed_evaluation_tells_the_main_figures(reading):
    text = str(evaluate(*reading))
    for figure in (
        "66.67 %",
        "4 correct",
        "2 misclassified",
        "30.00 to 90.32 %",
        "0.8000",
    ):
        assert figure in text
    assert "Log loss" not in text


def test_labels_unseen_at_fit_are_named():
    X = np.zeros((4, 1))
    model = DummyClassifier().fit(X, [1, 2, 3, 3])
    with pytest.raises(ValueError, match=r"not fitted on: 7, 9; known are 1, 2, 3"):
        evaluate(model, X, [1, 9, 7, 2])
    with pytest.raises(ValueError, match=r"not fitted on: '1', '2'; known are 1, 2, 3"):
        evaluate(model, X, ["1", "2", "1", "2"])


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.empty((0, 1)), [], "empty"),
        (np.zeros((3, 1)), [0, 1], "X has 3 rows and y has 2 labels"),
        (np.zeros((2, 1)), [0.5, 0.7], "continuous"),
        (np.zeros((2, 1)), [0, np.nan], "NaN"),
        (np.zeros((2, 1)), [[0, 1], [1, 0]], "1d array"),
    ],
)
def test_evaluate_refuses_unusable_data(X, y, message):
    model = DummyClassifier().fit(np.zeros((2, 1)), [0, 1])
    with pytest.raises(ValueError, match=message):
        evaluate(model, X, y)


@pytest.mark.parametrize(
    "labels", [[3, 7, 3, 7], [True, False, True, False], [3.0, 7.0, 3.0, 7.0]]
)
def test_labels_of_one_kind_may_have_the_dtype_object(labels):
    X = np.arange(4)[:, None]
    plain, boxed = np.array(labels), np.array(labels, dtype=object)
    model = KNeighborsClassifier(1).fit(X, plain)
    for y in boxed, pd.Series(boxed):
        result = evaluate(model, X, y)
        assert result.n_right == 4
        pd.testing.assert_frame_equal(
            result.confusion, evaluate(model, X, plain).confusion
        )
    assert evaluate(DummyClassifier().fit(X, boxed), X, plain).n_right == 2
    assert compare([GaussianNB()], X, boxed, cv=2)["accuracy"].notna().all()


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        ([1, "a", 1, "a"], "numbers and strings; all must be strings, all numbers"),
        ([1, True, 1, True], "booleans and numbers"),
        ([1, None, 1, 1], "NoneType and numbers"),
        ([b"a", b"b", b"a", b"b"], "bytes; all must be"),
        ([1.5, 2.5, 1.5, 2.5], "continuous"),
    ],
)
def test_labels_of_several_kinds_or_of_none_are_refused(labels, message):
    X = np.zeros((4, 1))
    model = DummyClassifier().fit(X, [0, 1, 0, 1])
    with pytest.raises(ValueError, match=message):
        evaluate(model, X, np.array(labels, dtype=object))


@pytest.mark.parametrize(
    ("model", "kind"),
    [
        (LinearRegression(), "regressor"),
        (make_pipeline(StandardScaler(), LinearRegression()), "regressor"),
        (KMeans(2, random_state=0), "clusterer"),
    ],
)
def test_evaluate_refuses_what_is_no_classifier(model, kind, digits):
    X, y = digits
    with pytest.raises(TypeError, match=f"fitted classifier; got the {kind}"):
        evaluate(model.fit(X, y), X, y)


def test_predictions_of_the_wrong_number_are_refused(reading):
    model, X, y = reading
    model.predict = lambda X: PREDICTED[:1]
    with pytest.raises(ValueError, match=r"Reader.predict gave 1 labels for 6 rows"):
        evaluate(model, X, y)


@pytest.mark.parametrize(
    "model",
    [
        LogisticRegression(),
        DummyClassifier(),
        make_pipeline(StandardScaler(), LogisticRegression()),
        GridSearchCV(LogisticRegression(), {"C": [1]}),
    ],
)
def test_unfitted_model_is_refused(model, digits):
    with pytest.raises(NotFittedError):
        evaluate(model, *digits)


@pytest.mark.parametrize("model", [StandardScaler(), GaussianNB, "digits"])
def test_evaluate_refuses_what_does_not_predict(model, digits):
    with pytest.raises(TypeError, match="fitted classifier"):
        evaluate(model, *digits)


@pytest.mark.parametrize("X", [None, 5, np.array(5.0)], ids=repr)
def test_images_without_rows_are_refused(X):
    with pytest.raises(TypeError, match="must be an array, a table or a list of rows"):
        evaluate(DummyClassifier().fit([[0], [1]], [0, 1]), X, [0, 1])


# ------------------------------------------------------- compare: the figures


@pytest.fixture
def columns():
    """Labels and, in the columns of X, what four models read for them."""
    rng = np.random.default_rng(3)
    y = np.tile([0, 1], 60)
    wrong = [rng.random(120) < rate for rate in (0.05, 0.1, 0.4, 0.05)]
    X = np.column_stack([np.where(w, 1 - y, y) for w in wrong])
    X[:, 3] = X[:, 0]
    models = {"good": 0, "fair": 1, "poor": 2, "good again": 3}
    return {name: Reader(column) for name, column in models.items()}, X, y


def test_cross_validation_figures_by_hand(columns):
    models, X, y = columns
    folds = [
        (np.r_[0 : 20 * k, 20 * k + 20 : 120], np.r_[20 * k : 20 * k + 20])
        for k in range(6)
    ]
    table = compare(models, X, y, cv=folds)
    by_fold = {
        n: (X[:, m.column] == y).reshape(6, 20).mean(1) for n, m in models.items()
    }
    factor = 1 / 6 + 20 / 100
    for name, accuracies in by_fold.items():
        assert table.loc[name, "accuracy"] == pytest.approx(accuracies.mean())
        se = math.sqrt(factor * accuracies.var(ddof=1))
        assert table.loc[name, "accuracy_se"] == pytest.approx(se)
    right = {n: X[:, m.column] == y for n, m in models.items()}
    only_good = {n: int((right["good"] & ~right[n]).sum()) for n in models}
    only_other = {n: int((right[n] & ~right["good"]).sum()) for n in models}
    p = {n: mcnemar_test(only_good[n], only_other[n]) for n in ("fair", "poor")}
    assert table.loc["fair", "p_value"] >= p["fair"]
    assert table.loc["poor", "p_value"] >= p["poor"]
    # the least accurate of 4 models, with 6 pairs
    adjusted = 6 * table.loc["poor", "p_value"]
    assert table.loc["poor", "p_adjusted"] == pytest.approx(adjusted)
    assert table.loc["good again", "p_value"] == 1
    assert math.isnan(table.loc["good", "p_value"])
    assert table["verdict"].to_dict() == {
        "good": "best",
        "good again": "best",
        "fair": "no clear difference",
        "poor": "worse",
    }
    assert table.attrs["test"] == (
        "McNemar's test on all folds together, widened where folds vary more"
    )
    assert table.attrs["n_splits"] == 6


def test_equal_differences_on_all_folds_are_not_certainty():
    y = np.tile([0, 1], 30)
    X = np.column_stack([y, y])
    X[[0, 20, 40], 1] = 1 - X[[0, 20, 40], 1]
    folds = [
        (np.r_[0 : 20 * k, 20 * k + 20 : 60], np.r_[20 * k : 20 * k + 20])
        for k in range(3)
    ]
    table = compare({"first": Reader(0), "second": Reader(1)}, X, y, cv=folds)
    # 3 of 60 images, one in each fold, that only the first model has right
    assert table.loc["second", "p_value"] == pytest.approx(2 / 2**3)
    assert table.loc["second", "verdict"] == "no clear difference"


def test_test_set_figures_by_hand():
    y = np.tile([0, 1], 50)
    first, second = y.copy(), y.copy()
    first[:2] = 1 - first[:2]
    second[2:12] = 1 - second[2:12]
    X_test = np.column_stack([second, first])
    X = np.zeros((4, 2))
    models = {"second": Reader(0), "first": Reader(1)}
    table = compare(models, X, [0, 1, 0, 1], X_test=X_test, y_test=y)
    assert list(table.index) == ["first", "second"]
    assert table["accuracy"].tolist() == pytest.approx([0.98, 0.9])
    se = [math.sqrt(0.98 * 0.02 / 100), math.sqrt(0.9 * 0.1 / 100)]
    assert table["accuracy_se"].tolist() == pytest.approx(se)
    # 10 images only the first has right, 2 only the second
    p = 2 * (1 + 12 + 66) / 2**12
    assert table.loc["second", "p_value"] == pytest.approx(p)
    assert table.loc["second", "verdict"] == "worse"
    assert table.attrs["test"] == "McNemar's test"


def test_single_split_is_a_test_set(digits):
    X, y = digits
    cv = ShuffleSplit(1, test_size=0.25, random_state=0)
    table = compare([GaussianNB(), DummyClassifier()], X, y, cv=cv)
    accuracy = cross_val_score(GaussianNB(), X, y, cv=cv).item()
    assert table.loc["GaussianNB", "accuracy"] == pytest.approx(accuracy)
    se = math.sqrt(accuracy * (1 - accuracy) / 100)
    assert table.loc["GaussianNB", "accuracy_se"] == pytest.approx(se)
    assert table.attrs["test"] == "McNemar's test"


def test_integer_cv_is_stratified_shuffled_and_seeded(digits):
    X, y = digits
    model = GaussianNB()
    table = compare({"nb": model}, X, y, cv=4, random_state=7)
    cv = StratifiedKFold(4, shuffle=True, random_state=7)
    expected = cross_val_score(model, X, y, cv=cv)
    assert table.loc["nb", "accuracy"] == pytest.approx(expected.mean())
    loss = -cross_val_score(model, X, y, cv=cv, scoring="neg_log_loss").mean()
    assert table.loc["nb", "log_loss"] == pytest.approx(loss)
    assert compare([model], X, y).attrs["n_splits"] == 5


def test_all_models_see_the_same_folds(digits, monkeypatch):
    monkeypatch.setattr(Recorder, "seen", [])
    compare({"a": Recorder("a"), "b": Recorder("b")}, *digits, cv=3)
    folds = {tag: [s[1:] for s in Recorder.seen if s[0] == tag] for tag in "ab"}
    assert len(set(folds["a"])) == 3
    assert folds["a"] == folds["b"]


def test_groups_stay_together(digits, monkeypatch):
    monkeypatch.setattr(Recorder, "seen", [])
    X, y = digits
    groups = np.arange(400) % 4
    compare([Recorder()], X, y, cv=GroupKFold(4), groups=groups)
    sums = sorted(total for _, total, _ in Recorder.seen)
    assert sums == sorted(X[groups != g].sum() for g in range(4))


def test_column_types_and_order(digits, broken):
    models = {"broken": broken, "guess": DummyClassifier(), "nb": GaussianNB()}
    with pytest.warns(FitFailedWarning):
        table = compare(models, *digits, cv=3, random_state=0)
    assert list(table.index) == ["nb", "guess", "broken"]
    assert table.index.name == "model"
    assert table.dtypes.astype(str).to_dict() == {
        "accuracy": "float64",
        "accuracy_se": "float64",
        "log_loss": "float64",
        "fit_time": "float64",
        "predict_time_us": "float64",
        "n_parameters": "Int64",
        "p_value": "float64",
        "p_adjusted": "float64",
        "verdict": "string",
        "error_message": "string",
    }
    assert (table.loc[["nb", "guess"], ["fit_time", "predict_time_us"]] > 0).all(
        axis=None
    )
    assert table["verdict"].tolist() == ["best", "worse", "failed"]
    assert table["error_message"].isna().tolist() == [True, True, False]


def test_times_are_medians_of_the_splits():
    scores = ModelScores(
        "m",
        right=(np.ones(10, bool), np.ones(10, bool), np.ones(20, bool)),
        n_train=(30, 30, 20),
        fit_times=(9.0, 2.0, 1.0),
        predict_times=(1e-3, 4e-3, 6e-3),
        log_losses=(0.1, 0.2, 0.6),
    )
    row = comparison_table([scores]).loc["m"]
    assert row["fit_time"] == 2
    assert row["predict_time_us"] == pytest.approx(300)
    assert row["log_loss"] == pytest.approx(0.3)


class Compiled(Certain):
    """Has to compile something for each number of images that is new to it."""

    def __init__(self, column=0):
        super().__init__(column)

    def fit(self, X, y):
        self.sizes_ = set()
        return super().fit(X, y)

    def predict(self, X):
        if len(X) not in self.sizes_:
            Compiled.clock += 1
        self.sizes_.add(len(X))
        Compiled.clock += len(X) * 1e-6
        return super().predict(X)


def test_time_to_predict_is_without_time_to_compile(monkeypatch):
    monkeypatch.setattr(Compiled, "clock", 0.0, raising=False)
    monkeypatch.setattr(_scores, "perf_counter", lambda: Compiled.clock)
    y = np.tile([0, 1], 10)
    table = compare([Compiled()], y[:, None], y, X_test=y[:7, None], y_test=y[:7])
    assert table.loc["Compiled", "predict_time_us"] == pytest.approx(1)


def test_equal_models_stay_in_the_order_given(digits):
    models = {name: GaussianNB() for name in "zab"}
    table = compare(models, *digits, cv=3)
    assert list(table.index) == ["z", "a", "b"]
    assert table["p_value"].tolist()[1:] == [1, 1]


def test_images_of_any_shape_and_string_labels(digits):
    X, y = digits
    images, labels = X.reshape(-1, 8, 8, 1), y.astype(str)

    class Flattening(GaussianNB):
        def fit(self, X, y):
            return super().fit(X.reshape(len(X), -1), y)

        def predict(self, X):
            return super().predict(X.reshape(len(X), -1))

        def predict_proba(self, X):
            return super().predict_proba(X.reshape(len(X), -1))

    expected = compare({"m": GaussianNB()}, X, y, cv=3, random_state=0)
    table = compare({"m": Flattening()}, images, labels, cv=3, random_state=0)
    figures = ["accuracy", "accuracy_se", "log_loss"]
    pd.testing.assert_frame_equal(table[figures], expected[figures])


def test_data_frames_keep_their_column_names(digits):
    frame = pd.DataFrame(digits[0]).add_prefix("pixel")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        table = compare([GaussianNB()], frame, pd.Series(digits[1]), cv=3)
    assert table["verdict"].tolist() == ["best"]


@pytest.mark.parametrize(
    ("model", "n_parameters"),
    [
        (LogisticRegression(max_iter=5), 10 * 64 + 10),
        (Perceptron(fit_intercept=False), 10 * 64),
        (MLPClassifier(7, max_iter=2), 64 * 7 + 7 + 7 * 10 + 10),
        (make_pipeline(StandardScaler(), Perceptron()), 650),
        (GridSearchCV(Perceptron(), {"alpha": [1e-4]}, cv=2), 650),
        (KNeighborsClassifier(), None),
        (SVC(), None),
    ],
)
@pytest.mark.filterwarnings("ignore::sklearn.exceptions.ConvergenceWarning")
def test_number_of_parameters(digits, model, n_parameters):
    X, y = digits
    table = compare({"m": model}, X, y, X_test=X[:50], y_test=y[:50])
    counted = table.loc["m", "n_parameters"]
    assert pd.isna(counted) if n_parameters is None else counted == n_parameters


def test_number_of_parameters_of_a_network(digits):
    class Network(GaussianNB):
        @property
        def n_parameters_(self):
            return 407050

    pipeline = make_pipeline(StandardScaler(), Network())
    assert compare({"m": pipeline}, *digits, cv=2).loc["m", "n_parameters"] == 407050


# ------------------------------------------- compare: what it leaves untouched


def test_models_and_data_are_left_as_they_were(digits):
    X, y = digits
    X_before, y_before = X.copy(), y.copy()
    fitted = GaussianNB().fit(X[:50], y[:50])
    means = fitted.theta_.copy()
    careless = make_pipeline(StandardScaler(copy=False), GaussianNB())
    models = {"fitted": fitted, "careless": careless}
    compare(models, X, y, cv=2)
    compare(models, X, y, X_test=X, y_test=y)
    np.testing.assert_array_equal(X, X_before)
    np.testing.assert_array_equal(y, y_before)
    np.testing.assert_array_equal(fitted.theta_, means)
    assert not hasattr(careless[-1], "theta_")


def test_every_split_is_fitted_from_scratch(digits):
    fitted_before = []

    class Continuing(GaussianNB):
        def fit(self, X, y):
            fitted_before.append(hasattr(self, "classes_"))
            return super().fit(X, y)

    compare({"a": Continuing().fit(*digits)}, *digits, cv=3)
    assert fitted_before == [False] * 4  # one fit here, three there


def test_global_random_generator_is_left_alone(digits):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    compare([GaussianNB()], *digits, cv=2)
    compare([GaussianNB()], *digits, cv=2, random_state=np.random.RandomState(0))
    np.testing.assert_array_equal(np.random.get_state()[1], before)  # noqa: NPY002


def test_unseeded_folds_differ(digits, monkeypatch):
    monkeypatch.setattr(Recorder, "seen", [])
    compare([Recorder()], *digits, cv=2)
    compare([Recorder()], *digits, cv=2)
    assert len(set(Recorder.seen)) == 4


# ------------------------------------------------- compare: names of the models


def test_classifiers_in_a_list_are_named_by_their_class(digits):
    pipeline = make_pipeline(StandardScaler(), GaussianNB())
    models = [GaussianNB(), pipeline, DummyClassifier(), GaussianNB()]
    table = compare(models, *digits, cv=2)
    assert set(table.index) == {
        "GaussianNB",
        "GaussianNB-2",
        "GaussianNB-3",
        "DummyClassifier",
    }


def test_registered_names_are_built_and_seeded(digits):
    X, y = digits[0].astype(np.uint8), digits[1]
    models = ["random_forest", "logistic_regression", GaussianNB()]
    first = compare(models, X, y, cv=2, random_state=3)
    again = compare(models, X, y, cv=2, random_state=3)
    assert set(first.index) == {"random_forest", "logistic_regression", "GaussianNB"}
    assert first["accuracy"].to_dict() == again["accuracy"].to_dict()
    assert first["log_loss"].to_dict() == again["log_loss"].to_dict()


def test_classifiers_keep_their_own_random_state(digits, monkeypatch):
    states = []

    class Seeded(DummyClassifier):
        def fit(self, X, y):
            states.append(self.random_state)
            return super().fit(X, y)

    compare([Seeded(), Seeded(random_state=5)], *digits, cv=2, random_state=1)
    assert states == [None, None, 5, 5]


@pytest.mark.parametrize(
    ("models", "error", "message"),
    [
        ({}, ValueError, "at least one model"),
        ([], ValueError, "at least one model"),
        (GaussianNB(), TypeError, "got GaussianNB"),
        ("dummy", TypeError, "got str"),
        (["dummy", "dummy"], ValueError, "'dummy' is given more than once"),
        (["no_such_model"], ValueError, "no_such_model"),
        ({"a": GaussianNB}, TypeError, "'a' must be a registered name or a classifier"),
        ({"a": StandardScaler()}, TypeError, "'a' must be .* with fit and predict"),
        ({"a": Uncloneable()}, TypeError, "does not implement a 'get_params'"),
        ({1: GaussianNB()}, TypeError, "must be strings; got 1"),
        ([None], TypeError, "must be a registered name or a classifier"),
        (
            {"line": LinearRegression()},
            TypeError,
            "'line' must be a classifier; got the regressor LinearRegression",
        ),
        (
            [make_pipeline(StandardScaler(), LinearRegression())],
            TypeError,
            "must be a classifier; got the regressor Pipeline",
        ),
    ],
)
def test_unusable_models_are_refused_before_any_fit(digits, models, error, message):
    with pytest.raises(error, match=message):
        iter_compare(models, *digits)


def test_classifier_without_tags_is_compared(digits):
    class Tagless(Uncloneable):
        def get_params(self, deep=True):
            return {}

    table = compare({"tagless": Tagless()}, *digits, cv=2)
    assert table.loc["tagless", "verdict"] == "best"


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"cv": 1}, ValueError, "cv must be at least 2; got 1"),
        ({"cv": True}, TypeError, "got True"),
        ({"cv": "five"}, TypeError, "got 'five'"),
        ({"cv": 2.5}, TypeError, "got 2.5"),
        ({"cv": []}, ValueError, "at least one split"),
        ({"cv": [([0, 1, 2], [])]}, ValueError, "none of them empty"),
        (
            {"cv": [([0, 1], [2, 3])]},
            ValueError,
            "Split 1 .* lack: 2, 3; known are 0, 1",
        ),
        ({"X_test": np.zeros((2, 64))}, ValueError, "X_test is given without y_test"),
        ({"y_test": [0, 1]}, ValueError, "y_test is given without X_test"),
        ({"n_jobs": 0}, ValueError, "n_jobs"),
        ({"random_state": "x"}, ValueError, "random_state must be .* got 'x'"),
        ({"random_state": -1}, ValueError, "random_state must be .* got -1"),
        (
            {"X_test": np.zeros((2, 64)), "y_test": [0, 1], "cv": 5},
            ValueError,
            "not both",
        ),
        (
            {"X_test": np.zeros((2, 64)), "y_test": [0, 10]},
            ValueError,
            "y_test has labels that y lacks: 10; known are 0, 1, 2",
        ),
        (
            {"X_test": np.zeros((2, 64)), "y_test": [0]},
            ValueError,
            "X_test has 2 rows and y_test has 1 labels",
        ),
    ],
)
def test_unusable_arguments_are_refused_before_any_fit(
    digits, arguments, error, message
):
    with pytest.raises(error, match=message):
        iter_compare([GaussianNB()], *digits, **arguments)


@pytest.mark.parametrize(
    ("X", "y", "message"),
    [
        (np.empty((0, 4)), [], "empty"),
        (np.zeros((4, 4)), [1, 1, 1, 1], "one class only, 1;"),
        (np.zeros((4, 4)), [0, 1, 0], "X has 4 rows and y has 3 labels"),
    ],
)
def test_unusable_data_are_refused_before_any_fit(X, y, message):
    with pytest.raises(ValueError, match=message):
        iter_compare([GaussianNB()], X, y)


# ------------------------------------------- compare: failures and interruptions


def test_failing_model_is_a_row_with_its_error(digits, broken):
    models = {"broken": broken, "nb": GaussianNB()}
    with pytest.warns(FitFailedWarning, match="1 of 2 models failed. broken: ZeroDiv"):
        table = compare(models, *digits, cv=3, random_state=0)
    row = table.loc["broken"]
    assert row["error_message"] == "ZeroDivisionError: no digit left"
    assert row[["accuracy", "accuracy_se", "n_parameters", "p_value"]].isna().all()
    alone = compare({"nb": GaussianNB()}, *digits, cv=3, random_state=0)
    assert table.loc["nb", "accuracy"] == alone.loc["nb", "accuracy"]
    assert broken.n_fits == 1  # a model that failed is not tried on the other folds


def test_failure_on_one_fold_fails_the_model(digits, broken, monkeypatch):
    monkeypatch.setattr(Broken, "good_fits", 2)
    with pytest.warns(FitFailedWarning):
        table = compare([broken], *digits, cv=3)
    assert table["verdict"].tolist() == ["failed"]
    assert table["accuracy"].isna().all()
    assert table.attrs["test"] is None


def test_nan_probabilities_fail_the_model(digits):
    class Diverged(GaussianNB):
        def predict_proba(self, X):
            return np.full((len(X), 10), np.nan)

    with pytest.warns(FitFailedWarning, match="NaN"):
        table = compare([Diverged(), GaussianNB()], *digits, cv=2)
    assert table["verdict"].to_dict() == {"GaussianNB": "best", "Diverged": "failed"}


def test_interrupted_comparison_keeps_finished_models(digits, broken, monkeypatch):
    monkeypatch.setattr(Broken, "error", KeyboardInterrupt())
    models = {"nb": GaussianNB(), "slow": broken, "late": DummyClassifier()}
    with pytest.warns(UserWarning, match="Interrupted when 1 of 3 models were done"):
        table = compare(models, *digits, cv=3, random_state=0)
    assert table["verdict"].to_dict() == {"nb": "best"}
    assert table.loc["nb", "accuracy"] > 0.7
    assert table.attrs["interrupted"]
    assert list(table.attrs["left_out"]) == ["slow", "late"]


def test_interruption_before_any_model_is_done_is_passed_on(
    digits, broken, monkeypatch
):
    monkeypatch.setattr(Broken, "error", KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        compare({"slow": broken, "nb": GaussianNB()}, *digits, cv=3)


def test_interrupted_iteration_leaves_finished_models_with_the_caller(
    digits, broken, monkeypatch
):
    monkeypatch.setattr(Broken, "error", KeyboardInterrupt())
    models = {"nb": GaussianNB(), "guess": DummyClassifier(), "slow": broken}
    done = []

    def collect():
        for scores in iter_compare(models, *digits, cv=3):
            done.append(scores)

    with pytest.raises(KeyboardInterrupt):
        collect()
    assert list(comparison_table(done).index) == ["nb", "guess"]


def test_models_are_given_as_soon_as_they_are_done(digits, broken):
    running = iter_compare({"nb": GaussianNB(), "broken": broken}, *digits, cv=3)
    assert next(running).name == "nb"
    assert broken.n_fits == 0
    running.close()


def test_scores_of_a_failed_model_are_not_numbers(digits, broken):
    (scores,) = iter_compare([broken], *digits, cv=2)
    assert scores.failed
    assert math.isnan(scores.accuracy)
    assert math.isnan(scores.accuracy_se)


def test_callback_counts_every_fit(digits, broken):
    calls = []
    models = {"nb": GaussianNB(), "broken": broken, "guess": DummyClassifier()}
    with pytest.warns(FitFailedWarning):
        compare(models, *digits, cv=2, callback=lambda *call: calls.append(call))
    assert calls == [
        ("nb", 1, 6),
        ("nb", 2, 6),
        ("broken", 4, 6),
        ("guess", 5, 6),
        ("guess", 6, 6),
    ]


def test_error_of_a_callback_is_not_taken_for_a_models(digits):
    def callback(name, n_done, n_total):
        raise RuntimeError("full disk")

    with pytest.raises(RuntimeError, match="full disk"):
        compare([GaussianNB()], *digits, cv=2, callback=callback)


def test_scores_of_different_comparisons_do_not_mix(digits):
    X, y = digits
    first = list(iter_compare({"a": GaussianNB()}, X, y, cv=2))
    other = list(iter_compare({"b": GaussianNB()}, X, y, cv=3))
    with pytest.raises(ValueError, match="different splits"):
        comparison_table(first + other)
    with pytest.raises(ValueError, match="unique"):
        comparison_table(first + first)


@pytest.mark.parametrize("change", ["rows", "labels"])
def test_scores_of_other_splits_of_the_same_sizes_do_not_mix(digits, change):
    X, y = digits
    folds = {"cv": KFold(2)}
    first = list(iter_compare({"a": GaussianNB()}, X, y, **folds))
    if change == "rows":
        folds["cv"] = KFold(2, shuffle=True, random_state=0)
    else:
        y = np.roll(y, 1)
    other = list(iter_compare({"b": GaussianNB()}, X, y, **folds))
    with pytest.raises(ValueError, match="different splits"):
        comparison_table(first + other)
    unknown = [replace(scores, split_checksum=None) for scores in other]
    assert len(comparison_table(first + unknown)) == 2


SPLITS = {
    "folds": (StratifiedKFold(4), (4, 4, 1, 400, None)),
    "repeated folds": (
        RepeatedStratifiedKFold(n_splits=5, n_repeats=2, random_state=0),
        (10, 5, 2, 400, None),
    ),
    "random splits": (
        ShuffleSplit(3, test_size=100, random_state=0),
        (3, None, None, 300, 100),
    ),
    "growing splits": (TimeSeriesSplit(3), (3, None, None, None, 100)),
    "parts": (
        PredefinedSplit(np.repeat([-1, 0, 1], [200, 100, 100])),
        (2, None, None, 300, 100),
    ),
    "one split": (ShuffleSplit(1, test_size=100), (1, None, None, 300, 100)),
}


@pytest.mark.parametrize("kind", SPLITS)
def test_only_folds_are_counted_as_folds(digits, kind):
    cv, expected = SPLITS[kind]
    attributes = compare([DummyClassifier()], *digits, cv=cv).attrs
    names = ("n_splits", "n_folds", "n_repeats", "n_train", "n_test")
    assert tuple(attributes[name] for name in names) == expected


# ---------------------------------------------------------- compare: in parallel


def test_parallel_comparison_equals_the_serial_one(digits):
    models = {
        "nb": GaussianNB(),
        "forest": RandomForestClassifier(5, random_state=0),
        "broken": BrokenEverywhere(),
        "guess": DummyClassifier(),
    }
    figures = ["accuracy", "accuracy_se", "log_loss", "p_value", "verdict"]
    with pytest.warns(FitFailedWarning, match="no digit left"):
        serial = compare(models, *digits, cv=3, random_state=0)
    with pytest.warns(FitFailedWarning, match="no digit left"):
        parallel = compare(models, *digits, cv=3, random_state=0, n_jobs=2)
    pd.testing.assert_frame_equal(parallel[figures], serial[figures])


def test_joblib_configuration_is_respected(digits, monkeypatch):
    used = []
    real = joblib.Parallel._get_sequential_output
    monkeypatch.setattr(
        joblib.Parallel,
        "_get_sequential_output",
        lambda self, tasks: used.append("serial") or real(self, tasks),
    )
    with joblib.parallel_config("threading", n_jobs=2):
        running = iter_compare([GaussianNB()], *digits, cv=2)
    assert [scores.name for scores in running] == ["GaussianNB"]
    assert used == []


def test_model_that_kills_its_worker_fails_alone(digits):
    models = {"nb": GaussianNB(), "killer": Killer(), "guess": DummyClassifier()}
    with pytest.warns(FitFailedWarning, match="1 of 3 models failed. killer: "):
        table = compare(models, *digits, cv=2, random_state=0, n_jobs=2)
    assert table["verdict"].tolist() == ["best", "worse", "failed"]


def test_clones_of_the_models_can_be_compared(digits):
    model = GaussianNB(var_smoothing=1e-3)
    table = compare({"a": model, "b": clone(model)}, *digits, cv=2)
    assert table["accuracy"].nunique() == 1


def test_images_of_one_label_are_evaluated_without_a_warning(digits):
    X = digits[0]
    y = np.full(len(X), 3)
    model = DummyClassifier().fit(X, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = evaluate(model, X, y)
    assert result.confusion.index.tolist() == result.confusion.columns.tolist() == [3]
    assert result.confusion.to_numpy().tolist() == [[len(y)]]
