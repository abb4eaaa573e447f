import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.datasets import load_digits, make_blobs
from sklearn.dummy import DummyClassifier
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.model_selection import (
    GroupKFold,
    KFold,
    RepeatedStratifiedKFold,
    ShuffleSplit,
    StratifiedKFold,
    cross_val_predict,
)
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import LinearSVC

from skmnist import KerasMLPClassifier
from skmnist.evaluation import find_label_errors

# Sixteenths: the thresholds, which are means of four, are exact.
TABLE = np.array(
    [
        (14, 2, 0),
        (10, 2, 4),  # reaches the thresholds of 0 and 2: counts as 0
        (2, 13, 1),
        (6, 6, 4),  # reaches the threshold of 2 only, its least probable label
        (2, 12, 2),
        (4, 12, 0),
        (7, 4, 5),
        (9, 4, 3),
        (10, 2, 4),  # reaches the thresholds of 0 and 2: counts as 0
        (6, 6, 4),
        (5, 5, 6),
        (7, 7, 2),  # reaches no threshold: does not count
    ]
)
P = TABLE / 16
Y = np.repeat([0, 1, 2], 4)
ROWS = np.arange(12)


@pytest.fixture
def by_hand():
    return find_label_errors(None, ROWS[:, None], Y, y_proba=P)


@pytest.fixture
def blobs():
    """Points in four clusters, and their labels, 20 of which are wrong."""
    X, y = make_blobs(400, centers=4, cluster_std=0.5, random_state=0)
    X[:, 0] += 10 * y
    X = (X - X.min()) / np.ptp(X)
    wrong = np.random.default_rng(0).choice(400, 20, replace=False)
    noisy = y.copy()
    noisy[wrong] = (y[wrong] + 1) % 4
    return X, noisy, y, set(wrong.tolist())


def test_thresholds_are_the_mean_probabilities_of_the_given_label(by_hand):
    assert by_hand.thresholds.to_dict() == {0: 0.5, 1: 0.5, 2: 0.25}


def test_confident_joint_counts_the_likeliest_label_that_reaches_its_threshold(by_hand):
    assert by_hand.confident_joint.to_numpy().tolist() == [
        [2, 1, 1],
        [1, 2, 1],
        [1, 0, 2],
    ]
    assert by_hand.n_suspected == 5


def test_joint_is_scaled_to_the_numbers_of_given_labels(by_hand):
    expected = np.array([[6, 3, 3], [3, 6, 3], [4, 0, 8]]) / 36
    np.testing.assert_allclose(by_hand.joint, expected)
    assert by_hand.n_estimated == pytest.approx(12 * 16 / 36)


def test_suspected_rows_come_first_and_each_part_by_margin(by_hand):
    assert by_hand.indices.tolist() == [2, 8, 7, 6, 3, 11, 9, 10, 1, 5, 4, 0]
    margins = np.array([12, 6, -11, 0, 10, 8, -3, -5, -6, -2, 1, -5]) / 16
    np.testing.assert_array_equal(by_hand.margin, margins)


def test_suggested_is_the_confident_label_or_else_the_most_probable_one(by_hand):
    assert by_hand.suggested.tolist() == [0, 0, 1, 2, 1, 1, 2, 0, 0, 0, 2, 0]
    np.testing.assert_array_equal(by_hand.confidence, P[ROWS, by_hand.suggested])
    np.testing.assert_array_equal(by_hand.self_confidence, P[ROWS, Y])


def test_equal_probabilities_raise_no_suspicion():
    y = np.repeat([0, 1, 2], 7)
    errors = find_label_errors(None, y[:, None], y, y_proba=np.full((21, 3), 1 / 3))
    assert errors.n_suspected == 0
    assert errors.n_estimated == 0
    assert errors.suggested.tolist() == y.tolist()
    assert errors.indices.tolist() == list(range(21))


def test_label_that_the_model_never_predicts_is_never_suggested():
    y = np.array([0, 0, 1, 1, 2, 2])
    p = np.array([(12, 4), (9, 7), (4, 12), (7, 9), (9, 7), (7, 9)]) / 16
    p = np.column_stack([p, np.zeros(6)])
    errors = find_label_errors(None, y[:, None], y, y_proba=p)
    assert errors.suggested.tolist() == [0, 0, 1, 1, 0, 1]
    assert errors.confident_joint.to_numpy().tolist() == [
        [1, 0, 0],
        [0, 1, 0],
        [0, 0, 0],
    ]
    np.testing.assert_allclose(errors.joint, np.eye(3) / 3)


def test_order_of_the_rows_does_not_matter(by_hand):
    order = np.random.default_rng(0).permutation(12)
    shuffled = find_label_errors(None, ROWS[:, None], Y[order], y_proba=P[order])
    assert shuffled.n_suspected == by_hand.n_suspected
    assert order[shuffled.indices[:5]].tolist() == by_hand.indices[:5].tolist()


@pytest.mark.parametrize(
    ("model", "least"),
    [
        (GaussianNB(), 19),
        (make_pipeline(StandardScaler(), LogisticRegression()), 17),
        ("logistic_regression", 13),  # is unsure of many images
    ],
    ids=["classifier", "pipeline", "name"],
)
def test_wrong_labels_are_found_and_no_others(blobs, model, least):
    X, noisy, y, wrong = blobs
    errors = find_label_errors(model, X, noisy, cv=4, random_state=0)
    first = errors.indices[:20].tolist()
    assert set(first) == wrong
    assert least <= errors.n_suspected <= 20
    assert errors.n_estimated == pytest.approx(20, abs=3)
    assert (errors.suggested[first] == y[first]).all()


def test_no_image_is_judged_by_a_model_that_has_seen_it(blobs):
    X, noisy, _, wrong = blobs
    memory = KNeighborsClassifier(1)  # agrees with every label that it was fitted on
    errors = find_label_errors(memory, X, noisy, random_state=0)
    suspected = set(errors.indices[: errors.n_suspected].tolist())
    assert len(wrong & suspected) >= 18


@pytest.mark.parametrize(
    "names",
    [
        np.array([3, 5, 7, 9]),
        np.array(["cat", "dog", "fly", "owl"]),
        np.array(["cat", "dog", "fly", "owl"], dtype=object),
        np.array([0.0, 1.0, 2.0, 3.0]),
        np.array([False, True, False, True]),
    ],
    ids=["ints", "strings", "objects", "floats", "bools"],
)
@pytest.mark.parametrize("form", [np.asarray, list, pd.Series])
def test_labels_of_any_kind(blobs, names, form):
    X, noisy, y, wrong = blobs
    if names.dtype == bool:
        X, noisy, y = (part[y < 2] for part in (X, noisy, y))
        noisy %= 2
        wrong = set(np.flatnonzero(noisy != y).tolist())
    errors = find_label_errors(GaussianNB(), X, form(names[noisy]), random_state=0)
    first = errors.indices[: len(wrong)]
    assert set(first.tolist()) == wrong
    assert errors.suggested[first].tolist() == names[y[first]].tolist()
    assert errors.thresholds.index.tolist() == np.unique(names).tolist()


def test_probabilities_are_those_of_cross_validation(blobs):
    X, noisy, _, _ = blobs
    errors = find_label_errors(GaussianNB(), X, noisy, cv=3, random_state=5)
    folds = StratifiedKFold(3, shuffle=True, random_state=5)
    expected = cross_val_predict(
        GaussianNB(), X, noisy, cv=folds, method="predict_proba"
    )
    np.testing.assert_allclose(errors.y_proba, expected)


def test_probabilities_of_repeated_tests_are_averaged(blobs):
    X, noisy, _, _ = blobs
    splitter = RepeatedStratifiedKFold(n_splits=3, n_repeats=2, random_state=0)
    errors = find_label_errors(GaussianNB(), X, noisy, cv=splitter)
    total = np.zeros((400, 4))
    for train, test in splitter.split(X, noisy):
        total[test] += GaussianNB().fit(X[train], noisy[train]).predict_proba(X[test])
    np.testing.assert_allclose(errors.y_proba, total / 2)


def test_labels_that_a_fold_does_not_have_get_no_probability():
    X = np.arange(12.0)[:, None]
    y = np.array(list("aabbaabbccca"))
    groups = [0, 0, 0, 0, 1, 1, 1, 1, 2, 2, 2, 2]
    splits = [
        ([4, 5, 6, 7], [0, 1, 2, 3]),  # trained without c, tests none
        ([0, 1, 2, 3, 8, 9], [4, 5, 6, 7, 10, 11]),
        ([10, 4, 5, 6], [8, 9]),
    ]
    errors = find_label_errors(GaussianNB(), X, y, cv=splits)
    assert errors.y_proba[:4, 2].tolist() == [0, 0, 0, 0]
    np.testing.assert_allclose(errors.y_proba.sum(axis=1), 1)
    with pytest.raises(ValueError, match=r"training rows lack: 'c'; known"):
        find_label_errors(GaussianNB(), X, y, cv=GroupKFold(3), groups=groups)


@pytest.mark.parametrize(
    "form",
    [
        pd.DataFrame,
        lambda X: X.reshape(-1, 8, 8),
        lambda X: X.tolist(),
    ],
    ids=["frame", "images", "lists"],
)
def test_networks_and_forms_of_images(form):
    X, y = load_digits(return_X_y=True)
    X, y = X[:300] / 16, np.array(list("abcdefghij"))[y[:300]]
    y[:3] = "d"  # were a, b and c
    network = KerasMLPClassifier(
        units=32, epochs=25, batch_size=32, class_weight={"d": 1.1}, random_state=0
    )
    errors = find_label_errors(network, form(X), y, cv=3, random_state=0)
    assert {0, 1, 2} <= set(errors.indices[:15].tolist())
    assert not hasattr(network, "classes_")


def test_seed_decides_the_folds(blobs):
    X, noisy, _, _ = blobs
    first, again, other = (
        find_label_errors(GaussianNB(), X, noisy, random_state=seed).y_proba
        for seed in (0, 0, 1)
    )
    assert (first == again).all()
    assert (first != other).any()


def test_table_has_the_ranked_rows(by_hand):
    table = by_hand.to_frame()
    assert table.index.tolist() == by_hand.indices.tolist()
    assert table["suspected"].tolist() == [True] * 5 + [False] * 7
    assert table.loc[2].to_dict() == {
        "given": 0,
        "suggested": 1,
        "self_confidence": 2 / 16,
        "confidence": 13 / 16,
        "margin": -11 / 16,
        "suspected": True,
    }


def test_printed_result_has_the_numbers_and_the_first_rows(by_hand):
    text, page = str(by_hand), by_hand._repr_html_()
    assert text.startswith(
        "Suspected label errors: 5 of 12 images (41.67 %)\n"
        "Estimated number: 5.3 (44.44 %)\n"
    )
    assert len(text.splitlines()) == 3 + 2 + 10
    assert "-0.6875" in text
    assert "5 of 12 images (41.67 %)<br>" in page
    assert "<td>-0.6875</td>" in page


def test_columns_of_probabilities_are_the_classes_of_a_fitted_model(blobs):
    X, noisy, _, _ = blobs
    model = GaussianNB().fit(X[:200], noisy[:200])
    rows = 200 + np.flatnonzero(noisy[200:] > 1)
    p = model.predict_proba(X[rows])
    errors = find_label_errors(model, X[rows], noisy[rows], y_proba=p)
    assert errors.confident_joint.shape == (4, 4)
    assert errors.thresholds.isna().tolist() == [True, True, False, False]
    assert errors.joint.to_numpy().sum() == pytest.approx(1)
    with pytest.raises(
        ValueError, match=r"shape \(\d+, 2\), .* or of the fitted model"
    ):
        find_label_errors(None, X[rows], noisy[rows], y_proba=p)
    with pytest.raises(ValueError, match=r"y has labels that the model was not.*: 7"):
        find_label_errors(model, X[:1], [7], y_proba=p[:1])


@pytest.mark.parametrize("dtype", ["float16", "float32"])
def test_probabilities_of_lower_precision(dtype, by_hand):
    errors = find_label_errors(None, ROWS[:, None], Y, y_proba=P.astype(dtype))
    assert errors.indices.tolist() == by_hand.indices.tolist()


@pytest.mark.parametrize(
    ("y_proba", "message"),
    [
        (P[:11], r"shape \(12, 3\).*got \(11, 3\)"),
        (P[:, 0], r"shape \(12, 3\).*got \(12,\)"),
        (TABLE, r"numbers in \[0, 1\]; got values from 0 to 14"),
        (P - 0.1, r"numbers in \[0, 1\]; got values from -0.1"),
        (np.full((12, 3), np.nan), r"numbers in \[0, 1\]; got values from nan"),
        (P / 2, "must sum to 1; in y_proba, those of row 0 sum to 0.5"),
        (P.astype(str)[:, :1].tolist() + [["x"]], r"y_proba must hold numbers"),
    ],
    ids=["rows", "column", "counts", "negative", "nan", "half", "texts"],
)
def test_probabilities_that_are_none_are_refused(y_proba, message):
    with pytest.raises(ValueError, match=message):
        find_label_errors(None, ROWS[:, None], Y, y_proba=y_proba)


@pytest.mark.parametrize("extra", [{"cv": 3}, {"groups": Y}])
def test_probabilities_leave_nothing_to_cross_validate(extra):
    with pytest.raises(ValueError, match="either y_proba, or cv"):
        find_label_errors(None, ROWS[:, None], Y, y_proba=P, **extra)


class Stranger(ClassifierMixin, BaseEstimator):
    """Has a label of its own, or probabilities that are not."""

    def __init__(self, classes=(0, 1, 2), value=1 / 3):
        self.classes = classes
        self.value = value

    def fit(self, X, y):
        self.classes_ = np.array(self.classes)
        return self

    def predict(self, X):
        return np.zeros(len(X), int)

    def predict_proba(self, X):
        return np.full((len(X), 3), self.value)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (LinearSVC(), TypeError, r"must have predict_proba; got LinearSVC\(\)"),
        (LinearRegression(), TypeError, "must be a classifier; got the regressor"),
        (None, TypeError, "must be a registered name or a classifier"),
        ("cnn_fsat", ValueError, "cnn_fast"),
        (Stranger((0, 1, 7)), ValueError, r"Stranger.predict_proba has .* lacks: 7"),
        (Stranger(value=np.nan), ValueError, r"Stranger.predict_proba must hold"),
        (Stranger(value=1.0), ValueError, "in Stranger.predict_proba, those of row 0"),
    ],
    ids=["margins", "regressor", "none", "typo", "labels", "nan", "sums"],
)
def test_unsuitable_models_are_refused(model, error, message):
    with pytest.raises(error, match=message):
        find_label_errors(model, ROWS[:, None], Y, cv=2, random_state=0)


@pytest.mark.parametrize(
    ("y", "cv", "message"),
    [
        ([0] * 12, 2, "y holds one class only, 0"),
        ([0] * 6 + [1] * 5 + [7], 2, r"least populated classes in y .* member: \[7\]"),
        (Y[:-1], 2, "X has 12 rows and y has 11 labels"),
        (Y, 5, "n_splits=5 cannot be greater than the number of members"),
        (Y, 1, "cv must be at least 2; got 1"),
        (Y, ShuffleSplit(1, test_size=3, random_state=0), "leaves out 9 of 12 rows"),
        (Y, KFold(3), "Split 1 tests labels that its training rows lack: 0"),
        (Y / 7, 2, "Unknown label type: continuous"),
    ],
    ids=[
        "one class",
        "one member",
        "lengths",
        "folds",
        "one fold",
        "untested",
        "sorted",
        "continuous",
    ],
)
def test_unsuitable_labels_and_splits_are_refused_before_a_fit(y, cv, message):
    with pytest.raises(ValueError, match=message):
        find_label_errors(DummyClassifier(), ROWS[:, None], y, cv=cv, random_state=0)
