"""Labels that few images have, or none in a fold."""

import warnings

import numpy as np
import pytest
from builders import dense, small_cnn, small_mlp
from sklearn.calibration import CalibratedClassifierCV
from sklearn.ensemble import AdaBoostClassifier, BaggingClassifier
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import (
    GridSearchCV,
    HalvingGridSearchCV,
    KFold,
    cross_val_predict,
    cross_val_score,
    learning_curve,
    train_test_split,
    validation_curve,
)

from skmnist import KerasImageClassifier

VALIDATED = [
    {"early_stopping": True},
    {"validation_fraction": 0.1},
    {"early_stopping": True, "validation_fraction": 0.3},
]
# Scikit-learn's own, where a fold lacks a class.
pytestmark = [
    pytest.mark.filterwarnings("ignore:The least populated class:UserWarning"),
    pytest.mark.filterwarnings("ignore:Number of classes in training fold"),
    pytest.mark.filterwarnings("ignore:validation_fraction sets:UserWarning"),
]


def with_few(digits, counts):
    """Leave so many images of some labels."""
    X, y = digits
    rows = np.ones(len(y), dtype=bool)
    for label, n_kept in counts.items():
        rows[np.flatnonzero(y == label)[n_kept:]] = False
    return X[rows], y[rows]


def problems_of(fit, *args, **kwargs):
    """What a fit warns of."""
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        fit(*args, **kwargs)
    assert all(warning.filename == __file__ for warning in caught)
    return [str(warning.message) for warning in caught]


@pytest.mark.parametrize("params", VALIDATED, ids=str)
@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(
    "counts",
    [
        {3: 1},
        {3: 1, 5: 1, 7: 2},
        dict.fromkeys(range(10), 2),
        dict.fromkeys(range(9), 1),
    ],
    ids=["one image of a class", "some rare", "two of each", "one class alone is not"],
)
def test_each_class_stays_in_training(params, seed, counts, digits, trainings):
    X, y = with_few(digits, counts)
    for _ in range(2):
        small_mlp(epochs=1, random_state=seed, **params).fit(X, y)
    (training, validation), (again, _) = trainings
    assert set(training.labels) == set(range(10))
    assert len(training.labels) + len(validation.labels) == len(y)
    fraction = params.get("validation_fraction", 0.1)
    assert 1 <= len(validation.labels) <= np.ceil(fraction * len(y))
    rows = [{row.tobytes() for row in part.inputs} for part in (training, validation)]
    assert not rows[0] & rows[1]
    assert np.array_equal(training.inputs, again.inputs)


def test_classes_with_enough_images_are_stratified_beside_a_rare_one(digits, trainings):
    X, y = with_few(digits, {3: 1})
    small_mlp(epochs=1, validation_fraction=0.2).fit(X, y)
    ((_, validation),) = trainings
    shares = np.bincount(validation.labels, minlength=10) / np.bincount(y)
    assert shares[3] == 0
    np.testing.assert_allclose(np.delete(shares, 3), 0.2, atol=0.03)


@pytest.mark.parametrize(
    ("fraction", "counts"), [(0.1, {}), (0.2, {3: 2, 4: 4}), (0.5, {0: 3})]
)
@pytest.mark.parametrize("seed", [0, 7])
def test_what_can_be_stratified_is_split_by_scikit_learn(
    fraction, counts, seed, digits, trainings
):
    X, y = with_few(digits, counts)
    model = small_mlp(epochs=1, validation_fraction=fraction, random_state=seed)
    model.fit(X, y)
    wanted = train_test_split(
        X, y, test_size=fraction, stratify=y, random_state=model._split_seed
    )
    ((training, validation),) = trainings
    given = training.inputs, validation.inputs, training.labels, validation.labels
    assert all(map(np.array_equal, given, wanted))


def test_a_large_part_for_validation_leaves_each_class_an_image(digits, trainings):
    X, y = with_few(digits, {3: 2})
    for fraction in (0.9, 0.99):
        small_mlp(epochs=1, validation_fraction=fraction).fit(X, y)
    for training, _ in trainings:
        assert set(training.labels) == set(range(10))


@pytest.mark.parametrize("words", [False, True])
def test_a_class_that_validation_lacks_is_named(words, digits):
    X, y = with_few(digits, {3: 1, 5: 1})
    labels = np.array(list("abcdefghij"))[y] if words else y
    (problem,) = problems_of(small_mlp(early_stopping=True, epochs=1).fit, X, labels)
    names = "['d', 'f']" if words else "[3, 5]"
    assert f"sets {-(-len(y) // 10)} of {len(y)} images aside" in problem
    assert names in problem
    assert "none of them with a label of" in problem


def test_a_part_too_small_to_tell_much_is_named(digits):
    X, y = (array[digits[1] < 2] for array in digits)
    (problem,) = problems_of(small_mlp(validation_fraction=0.05, epochs=1).fit, X, y)
    assert f"sets 4 of {len(y)} images aside" in problem
    assert not problems_of(small_mlp(validation_fraction=0.1, epochs=1).fit, X, y)


def test_a_label_whose_weights_are_all_zero_is_not_missed(digits, trainings):
    X, y = digits
    model = small_mlp(early_stopping=True, epochs=1)
    assert not problems_of(model.fit, X, y, sample_weight=(y != 3) * 1.0)
    assert model.predict_proba(X).shape == (len(X), 10)
    ((training, validation),) = trainings
    assert 3 not in {*training.labels, *validation.labels}


@pytest.mark.parametrize("params", VALIDATED, ids=str)
def test_learning_curves_begin_with_few_images(params, digits):
    sizes, _, scores = learning_curve(
        small_mlp(epochs=2, **params),
        *digits,
        train_sizes=[0.1, 0.5],
        cv=3,
        shuffle=True,
        random_state=0,
        error_score="raise",
    )
    assert sizes.tolist() == [20, 100]
    assert np.isfinite(scores).all()


def test_validation_curves_have_rare_labels(digits):
    X, y = with_few(digits, {3: 1, 5: 2})
    _, scores = validation_curve(
        small_mlp(epochs=2, early_stopping=True),
        X,
        y,
        param_name="units",
        param_range=[4, 8],
        cv=2,
        error_score="raise",
    )
    assert np.isfinite(scores).all()


def test_a_search_halves_over_samples(digits):
    X, y = digits
    search = HalvingGridSearchCV(
        small_mlp(early_stopping=True, epochs=2),
        {"units": [4, 8, 16, 32]},
        resource="n_samples",
        min_resources=20,
        factor=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert search.n_resources_[0] == 20
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()


@pytest.mark.parametrize(
    "model",
    [small_mlp(), small_mlp(early_stopping=True, class_weight="balanced")],
    ids=["plain", "balanced, early stopping"],
)
@pytest.mark.parametrize("method", ["predict_proba", "decision_function"])
def test_cross_validated_columns_are_those_of_all_classes(model, method, digits):
    X, y = with_few(digits, {3: 1})
    columns = cross_val_predict(model, X, y, cv=2, method=method)
    assert columns.shape == (len(y), 10)
    assert np.isfinite(np.delete(columns, 3, axis=1)).all()


@pytest.mark.parametrize("method", ["sigmoid", "isotonic", "temperature"])
@pytest.mark.parametrize(
    "model", [small_mlp(early_stopping=True), small_cnn()], ids=str
)
def test_rare_labels_are_calibrated(model, method, digits):
    if method == "temperature":
        pytest.importorskip("sklearn", minversion="1.8")
    X, y = with_few(digits, {3: 3})
    calibrated = CalibratedClassifierCV(model, method=method, cv=3).fit(X, y)
    probabilities = calibrated.predict_proba(X)
    assert probabilities.shape == (len(y), 10)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-6)


def labels_of(kind, y):
    return {"numbers": y, "words": np.array(list("abcdefghij"))[y], "true": y == 9}[
        kind
    ]


@pytest.mark.parametrize("kind", ["numbers", "words"])
def test_class_weights_may_name_a_label_that_a_fold_lacks(kind, digits):
    X, y = with_few(digits, {9: 1})
    y = labels_of(kind, y)
    complete = {label: 1.0 + (label == y[9]) for label in np.unique(y).tolist()}
    for model in (small_mlp(class_weight=complete), LogisticRegression()):
        scores = cross_val_score(
            model.set_params(class_weight=complete),
            X,
            y,
            cv=KFold(3),
            error_score="raise",
        )
        assert np.isfinite(scores).all()


@pytest.mark.parametrize("kind", ["numbers", "words"])
def test_weights_for_labels_that_are_not_there_change_nothing(kind, digits):
    X, y = (array[digits[1] < 8] for array in digits)
    y = labels_of(kind, y)
    labels = np.unique(y).tolist()
    absent = 9 if kind == "numbers" else "j"
    expected = small_mlp(class_weight={labels[2]: 3.0}).fit(X, y).predict_proba(X)
    # As in scikit-learn, a dict with a weight for each class may have more of them.
    complete = {**dict.fromkeys(labels, 1.0), labels[2]: 3.0, absent: 5.0}
    model = small_mlp(class_weight=complete)
    assert not problems_of(model.fit, X, y)
    assert np.array_equal(model.predict_proba(X), expected)
    # Else the label may be misspelt.
    model = small_mlp(class_weight={labels[2]: 3.0, absent: 5.0})
    (problem,) = problems_of(model.fit, X, y)
    assert f"class_weight names labels that are not in y: [{absent!r}]" in problem
    assert np.array_equal(model.predict_proba(X), expected)
    model = small_mlp(class_weight={absent: 5.0})
    (problem,) = problems_of(model.partial_fit, X, y, classes=labels)
    assert "class_weight names labels" in problem


def test_validation_images_of_labels_that_a_fold_lacks_are_left_out(digits, trainings):
    X, y = digits
    known = y < 8
    model = small_mlp(early_stopping=True, epochs=2)
    (problem,) = problems_of(model.fit, X[known], y[known], X_val=X, y_val=y)
    assert f"{(~known).sum()} of 300 images in X_val are left out" in problem
    assert "[8, 9]" in problem
    only_known = small_mlp(early_stopping=True, epochs=2)
    only_known.fit(X[known], y[known], X_val=X[known], y_val=y[known])
    assert model.history_ == only_known.history_


@pytest.mark.parametrize("kind", ["numbers", "words", "true"])
@pytest.mark.parametrize(
    "params", [{}, {"early_stopping": True}, {"class_weight": "balanced"}], ids=str
)
def test_weights_that_leave_one_class_are_fitted(kind, params, digits):
    X, y = digits
    y = labels_of(kind, y)
    one = y == y[9]
    for builder_model in (
        small_mlp(epochs=15, learning_rate=0.02, **params),
        KerasImageClassifier(builder=dense, epochs=15, learning_rate=0.02, **params),
    ):
        model = builder_model.fit(X, y, sample_weight=one.astype(float))
        assert np.array_equal(model.classes_, np.unique(y))
        assert (model.predict(X) == y[9]).all()


def test_one_class_in_y_is_refused_whatever_the_weights(digits):
    X, y = digits
    for weights in (None, np.arange(len(y)) % 2):
        with pytest.raises(
            ValueError, match="at least 2 classes; got only one class: 4"
        ):
            small_mlp().fit(X, np.full(len(y), 4), sample_weight=weights)


def test_a_bootstrap_with_one_class_is_bagged(digits):
    X, y = digits
    few = np.r_[np.flatnonzero(y == 0)[:5], np.flatnonzero(y == 1)[:1]]
    bagging = BaggingClassifier(small_mlp(), n_estimators=4, random_state=0)
    bagging.fit(X[few], y[few])
    drawn = [set(y[few][rows]) for rows in bagging.estimators_samples_]
    assert {0} in drawn  # else this tests nothing
    assert bagging.predict_proba(X).shape == (len(X), 2)


@pytest.mark.parametrize(
    "ensemble",
    [
        BaggingClassifier(small_mlp(epochs=12, learning_rate=0.02), n_estimators=2),
        AdaBoostClassifier(small_mlp(epochs=12, learning_rate=0.02), n_estimators=2),
    ],
    ids=["bagging", "boosting"],
)
def test_images_of_weight_zero_teach_an_ensemble_nothing(ensemble, digits):
    X, y = digits
    wrong = np.where(np.arange(len(y)) % 3, y, (y + 1) % 10)
    model = ensemble.set_params(random_state=0)
    model.fit(X, wrong, sample_weight=(wrong == y).astype(float))
    assert model.score(X, y) > 0.8


def test_a_search_scores_folds_without_a_rare_label(digits):
    X, y = with_few(digits, {3: 1, 5: 2})
    search = GridSearchCV(
        small_mlp(early_stopping=True, class_weight="balanced", epochs=2),
        {"units": [4, 8]},
        cv=2,
        error_score="raise",
    ).fit(X, y)
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
