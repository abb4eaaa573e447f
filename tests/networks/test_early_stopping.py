"""Early stopping and validation data."""

import warnings

import numpy as np
import pytest
import sklearn
from builders import small_cnn, small_mlp
from sklearn.base import clone
from sklearn.model_selection import StratifiedKFold, cross_val_score
from sklearn.pipeline import Pipeline, make_pipeline

from skmnist import ImageScaler


def mean_loss(model, X, y):
    return -np.log(model.predict_proba(X)[np.arange(len(y)), y]).mean()


def rows_of(data):
    return {row.tobytes() for row in data.inputs}


def test_the_weights_of_the_best_epoch_are_kept(digits):
    X, y = digits
    model = small_mlp(
        epochs=40, early_stopping=True, n_iter_no_change=3, learning_rate=0.03
    )
    model.fit(X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    losses = model.history_["val_loss"]
    best = int(np.argmin(losses))
    assert model.n_iter_ == len(losses) == best + 1 + 3 < 40
    reached = mean_loss(model, X[150:], y[150:])
    assert reached == pytest.approx(losses[best], rel=1e-4)
    assert losses[-1] > reached * 1.001
    accuracy = model.history_["val_accuracy"][best]
    assert model.score(X[150:], y[150:]) == pytest.approx(accuracy)


def test_the_best_weights_are_kept_when_the_epochs_run_out_first(digits, keras):
    X, y = digits
    spoil_last = keras.callbacks.LearningRateScheduler(
        lambda epoch, rate: rate if epoch < 11 else 3.0
    )
    model = small_mlp(
        epochs=12, early_stopping=True, n_iter_no_change=11, callbacks=[spoil_last]
    )
    model.fit(X[:150], y[:150], X_val=X[150:], y_val=y[150:])
    losses = model.history_["val_loss"]
    assert len(losses) == 12
    assert losses[-1] > min(losses)
    reached = mean_loss(model, X[150:], y[150:])
    assert reached == pytest.approx(min(losses), rel=1e-4)


@pytest.mark.parametrize(
    "model",
    [
        small_mlp(dropout=0.3, learning_rate=0.03),
        small_mlp(optimizer="rmsprop", learning_rate=0.03, l2=1e-4),
        small_cnn(learning_rate=0.05),
    ],
    ids=["adam", "rmsprop", "cnn"],
)
@pytest.mark.parametrize("own", [True, False], ids=["X_val", "validation_fraction"])
def test_stopping_early_is_fitting_for_the_best_number_of_epochs(model, own, digits):
    X, y = digits
    aside = {"X_val": X[150:], "y_val": y[150:]} if own else {}
    if own:
        X, y = X[:150], y[:150]
    stopped = clone(model).set_params(
        early_stopping=True, validation_fraction=0.3, n_iter_no_change=2, epochs=40
    )
    stopped.fit(X, y, **aside)
    best = int(np.argmin(stopped.history_["val_loss"])) + 1
    assert best < stopped.n_iter_ < 40
    best_only = clone(model).set_params(validation_fraction=0.3, epochs=best)
    best_only.fit(X, y, **aside)
    given, wanted = (m.model_.get_weights() for m in (stopped, best_only))
    assert all(map(np.array_equal, given, wanted))
    assert best_only.history_["loss"] == stopped.history_["loss"][:best]


def test_the_validation_part_is_stratified_and_seeded(digits, trainings):
    X, y = digits
    rows = (y == 0) | ((y == 1) & (np.cumsum(y == 1) <= 10))
    X, y = X[rows], y[rows]
    for seed in (0, 0, 1):
        small_mlp(early_stopping=True, validation_fraction=0.2, random_state=seed).fit(
            X, y
        )
    for training, validation in trainings:
        assert len(validation.labels) == int(np.ceil(0.2 * len(y)))
        assert np.bincount(validation.labels)[1] == 2
        assert np.bincount(training.labels)[1] == 8
        assert not rows_of(training) & rows_of(validation)
    (_, first), (_, again), (_, other) = trainings
    assert np.array_equal(first.inputs, again.inputs)
    assert not np.array_equal(first.inputs, other.inputs)


def test_nothing_is_held_out_unless_asked_for(digits, trainings):
    X, y = digits
    small_mlp(epochs=1).fit(X, y)
    small_mlp(epochs=1, early_stopping=True).fit(X, y)
    small_mlp(epochs=1, validation_fraction=0.5).fit(X, y)
    small_mlp(epochs=1, early_stopping=True).fit(X, y, X_val=X[:9], y_val=y[:9])
    assert [len(training.labels) for training, _ in trainings] == [300, 270, 150, 300]
    assert [validation and len(validation.labels) for _, validation in trainings] == [
        None,
        30,
        150,
        9,
    ]


def test_rows_of_the_outer_fold_never_reach_fit(digits, trainings):
    X, y = digits
    X, y = X[:150], y[:150]
    folds = StratifiedKFold(3)
    cross_val_score(small_mlp(early_stopping=True), X, y, cv=folds)
    assert len(trainings) == 3
    for (training, validation), (_, held_out) in zip(
        trainings, folds.split(X, y), strict=True
    ):
        outer = {row.tobytes() for row in X[held_out]}
        assert not outer & (rows_of(training) | rows_of(validation))
        assert len(rows_of(training)) + len(rows_of(validation)) + len(outer) == 150


def test_validation_data_pass_the_steps_of_a_pipeline(digits, trainings):
    X, y = digits
    pixels = np.round(X * 255).astype(np.uint8)
    with sklearn.config_context(enable_metadata_routing=True):
        network = small_mlp(early_stopping=True, epochs=2)
        network.set_fit_request(X_val=True, y_val=True)
        model = Pipeline(
            [("scale", ImageScaler()), ("clf", network)], transform_input=["X_val"]
        )
        model.fit(pixels, y, X_val=pixels[:50], y_val=y[:50])
    ((training, validation),) = trainings
    assert len(training.labels) == 300
    np.testing.assert_allclose(validation.inputs, pixels[:50] / 255, rtol=1e-6)
    scaled = clone(network).fit(pixels / 255, y, X_val=pixels[:50] / 255, y_val=y[:50])
    assert scaled.history_ == model[-1].history_


def test_validation_images_that_a_pipeline_did_not_scale_bring_a_warning(digits):
    X, y = digits
    pixels = np.round(X * 255).astype(np.uint8)
    model = make_pipeline(ImageScaler(), small_mlp(epochs=1)).fit(pixels, y)
    name = f"{model.steps[-1][0]}__"
    given = {f"{name}X_val": pixels[:50], f"{name}y_val": y[:50]}
    with pytest.warns(
        UserWarning,
        match=r"X_val holds pixels up to 255, .* trained on pixels from 0 to 1\.",
    ):
        model.fit(pixels, y, **given)
    with pytest.warns(
        UserWarning, match="X_val holds floats from 0 to 1, .* from 0 to 255"
    ):
        small_mlp(epochs=1).fit(pixels, y, X_val=X[:50], y_val=y[:50])
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        for scale in (lambda X: X, lambda X: 255 * X, lambda X: 9 * X - 4):
            small_mlp(epochs=1).fit(X, y, X_val=X[:50], y_val=y[:50])
            small_mlp(epochs=1).fit(
                scale(X), y, X_val=scale(X[:50]) * 0.9, y_val=y[:50]
            )


def test_validation_images_may_have_another_form(digits):
    X, y = digits
    plain = small_mlp().fit(X, y, X_val=X[:40], y_val=y[:40])
    images = X[:40].reshape(-1, 8, 8)
    assert small_mlp().fit(X, y, X_val=images, y_val=y[:40]).history_ == plain.history_


def test_string_labels_stop_early_as_well(digits):
    X, y = digits
    words = np.array(["zero", "one", "two"])[y % 3]
    model = small_mlp(early_stopping=True, epochs=4).fit(X, words)
    assert set(model.predict(X)) <= {"zero", "one", "two"}
    assert len(model.history_["val_loss"]) == model.n_iter_
