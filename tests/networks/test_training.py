"""How training goes on, and what weights of samples and classes mean."""

import io
import warnings

import joblib
import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp

from skmnist import KerasImageClassifier


def assert_same_network(first, second, X):
    assert np.array_equal(first.predict_proba(X), second.predict_proba(X))
    assert first.history_ == second.history_
    assert first.n_iter_ == second.n_iter_


@pytest.mark.parametrize("small", [small_mlp, small_cnn])
@pytest.mark.parametrize("optimizer", ["adam", "rmsprop"])
def test_partial_fit_is_one_more_epoch(small, optimizer, digits):
    X, y = digits
    whole = small(epochs=3, optimizer=optimizer).fit(X, y)
    parts = small(epochs=2, optimizer=optimizer).fit(X, y).partial_fit(X, y)
    assert_same_network(whole, parts, X)
    assert parts.n_iter_ == 3


def test_partial_fit_may_come_first_and_knows_all_classes(digits):
    X, y = digits
    model = small_mlp(epochs=2)
    model.partial_fit(X[y < 5], y[y < 5], classes=np.arange(10))
    assert model.n_iter_ == 1
    assert model.predict_proba(X).shape == (len(X), 10)
    model.partial_fit(X[y >= 5], y[y >= 5])
    assert model.n_iter_ == 2
    fitted = small_mlp(epochs=2).fit(X, y)
    started = small_mlp().partial_fit(X, y, classes=range(10)).partial_fit(X, y)
    assert_same_network(fitted, started, X)


def test_classes_may_be_named_in_any_order(digits):
    X, y = digits
    model = small_mlp().partial_fit(X, y, classes=range(10))
    other = small_mlp().partial_fit(X, y, classes=[*range(9, -1, -1), 9])
    assert other.classes_.tolist() == list(range(10))
    other.partial_fit(X, y, classes=range(9, -1, -1))
    assert_same_network(model.partial_fit(X, y), other, X)


def test_warm_start_goes_on_for_epochs_more(digits):
    X, y = digits
    whole = small_mlp(epochs=3).fit(X, y)
    parts = small_mlp(epochs=2, warm_start=True).fit(X, y)
    parts.set_params(epochs=1).fit(X, y)
    assert_same_network(whole, parts, X)


def test_without_warm_start_fit_begins_anew(digits):
    X, y = digits
    once = small_mlp().fit(X, y)
    twice = small_mlp().fit(X[::-1], y[::-1]).fit(X, y)
    assert_same_network(once, twice, X)


def test_warm_start_keeps_what_was_held_out_apart(digits, trainings):
    X, y = digits
    model = small_mlp(
        warm_start=True, validation_fraction=0.2, random_state=None, epochs=1
    )
    model.fit(X, y).fit(X, y)
    (_, first), (training, _) = trainings
    trained_rows = {row.tobytes() for row in training.inputs}
    assert not trained_rows & {row.tobytes() for row in first.inputs}


def test_a_curve_has_one_point_for_each_epoch(digits):
    X, y = digits
    model = small_mlp(epochs=2, warm_start=True).fit(X, y)
    assert set(model.history_) == {"loss", "accuracy"}
    model.fit(X, y, X_val=X[:50], y_val=y[:50])
    assert set(model.history_) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert {len(curve) for curve in model.history_.values()} == {model.n_iter_} == {4}
    assert np.isnan(model.history_["val_loss"]).tolist() == [True, True, False, False]


def test_a_warm_start_keeps_the_column_of_a_label_that_is_lacking(digits):
    X, y = digits
    model = small_mlp(epochs=2, warm_start=True).fit(X, y)
    few = y < 8
    assert model.fit(X[few], y[few]).classes_.tolist() == list(range(10))
    assert model.predict_proba(X).shape == (len(X), 10)
    assert model.n_iter_ == len(model.history_["loss"]) == 4
    with pytest.raises(ValueError, match=r"y holds labels that are not .*: \[10\]"):
        model.fit(X, y + (y == 9))
    assert model.n_iter_ == 4


def test_training_lowers_the_loss(digits):
    X, y = digits
    model = small_mlp(epochs=20, learning_rate=0.01).fit(X, y)
    assert model.history_["loss"][-1] < model.history_["loss"][0] / 2
    assert model.score(X, y) > 0.8


def test_a_sample_of_weight_zero_is_as_good_as_dropped(digits):
    X, y = digits
    keep = np.arange(len(X)) % 3 > 0
    weighted = small_mlp().fit(X, y, sample_weight=keep.astype(np.float32))
    dropped = small_mlp().fit(X[keep], y[keep])
    np.testing.assert_allclose(
        weighted.predict_proba(X), dropped.predict_proba(X), rtol=1e-5
    )


def weights_after(model):
    return model.model_.get_weights()


def test_class_weights_count_in_a_chunk_of_one_class_too(digits):
    X, y = digits
    ones = y == 1
    models = [
        small_mlp(optimizer="sgd", class_weight=weights).partial_fit(X, y, range(10))
        for weights in ({1: 0.0}, {1: 1.0}, {1: 3.0})
    ]
    steps = []
    for model in models:
        model.set_params(batch_size=len(y))
        before = weights_after(model)[-1]
        steps.append(weights_after(model.partial_fit(X[ones], y[ones]))[-1] - before)
    assert not steps[0].any()
    assert np.abs(steps[2]).sum() > 2 * np.abs(steps[1]).sum()


def test_sample_weights_of_partial_fit_are_taken_as_they_are(digits):
    X, y = digits

    def step(weight):
        model = small_mlp(optimizer="sgd", batch_size=len(y), dropout=0.0)
        model.partial_fit(X, y, range(10), sample_weight=np.full(len(y), 1.0))
        before = weights_after(model)[-1]
        model.partial_fit(X, y, sample_weight=np.full(len(y), weight))
        return weights_after(model)[-1] - before

    np.testing.assert_allclose(step(0.25), step(1.0) / 4, rtol=1e-4, atol=1e-8)


def test_a_chunk_without_weight_teaches_nothing(digits):
    X, y = digits
    nothing = np.zeros(len(y))
    model = small_mlp(l2=0.1)
    with pytest.raises(ValueError, match="first call to partial_fit needs a sample"):
        model.partial_fit(X, y, range(10), sample_weight=nothing)
    assert not hasattr(model, "classes_")
    model.partial_fit(X, y, range(10))
    before = weights_after(model)
    model.partial_fit(X, y, sample_weight=nothing)
    assert all(map(np.array_equal, weights_after(model), before))
    assert model.n_iter_ == len(model.history_["loss"]) == 1


def test_a_class_without_weight_keeps_its_column(digits):
    X, y = digits
    model = small_mlp().fit(X, y, sample_weight=(y < 9).astype(float))
    assert model.classes_.tolist() == list(range(10))
    assert model.predict_proba(X).shape == (len(X), 10)


def test_the_unit_of_sample_weights_does_not_matter(digits):
    X, y = digits
    weights = np.linspace(0.1, 2, len(X))
    one = small_mlp(l2=0.01).fit(X, y, sample_weight=weights)
    other = small_mlp(l2=0.01).fit(X, y, sample_weight=1000 * weights)
    np.testing.assert_allclose(one.predict_proba(X), other.predict_proba(X), rtol=1e-4)
    huge = small_mlp(l2=0.01).fit(X, y, sample_weight=1e307 * weights)
    np.testing.assert_allclose(one.predict_proba(X), huge.predict_proba(X), rtol=1e-4)
    plain = small_mlp(l2=0.01).fit(X, y)
    assert not np.allclose(plain.predict_proba(X), one.predict_proba(X), rtol=1e-3)


def test_weights_count_in_validation_on_what_is_set_aside_alone(digits, trainings):
    X, y = digits
    weights = np.where(y == 1, 5.0, 1.0)
    model = small_mlp(epochs=1, validation_fraction=0.2)
    model.fit(X, y, sample_weight=weights)
    model.fit(X, y, sample_weight=weights, X_val=X, y_val=y)
    (_, aside), (_, own) = trainings
    assert np.unique(aside.weights).size == 2
    assert own.weights is None


def test_the_loss_in_validation_is_weighted(digits, trainings):
    X, y = digits
    model = small_mlp(epochs=1, validation_fraction=0.3)
    model.fit(X, y, sample_weight=1 + 5 * (y == 8))
    ((_, held_out),) = trainings
    of_label = model.predict_proba(held_out.inputs)[
        np.arange(len(held_out.labels)), held_out.labels
    ]
    by_hand = np.mean(held_out.weights * -np.log(of_label))
    assert model.history_["val_loss"] == [pytest.approx(by_hand, rel=1e-4)]
    assert by_hand != pytest.approx(np.mean(-np.log(of_label)), rel=1e-3)


def test_class_weights_are_sample_weights(digits):
    X, y = digits
    X, y = X[y < 3][20:], y[y < 3][20:] + 5
    given = small_mlp(class_weight={5: 0.2, 7: 3.0}).fit(X, y)
    weights = np.select([y == 5, y == 7], [0.2, 3.0], 1.0)
    expected = small_mlp().fit(X, y, sample_weight=weights).predict_proba(X)
    np.testing.assert_allclose(given.predict_proba(X), expected, rtol=1e-5)
    both = small_mlp(class_weight={5: 0.2, 7: 3.0}).fit(X, y, sample_weight=1 / weights)
    np.testing.assert_allclose(
        both.predict_proba(X), small_mlp().fit(X, y).predict_proba(X), rtol=1e-5
    )


def test_balanced_class_weights_give_every_class_the_same_say(digits):
    X, y = digits
    rare = (y == 1) & (np.cumsum(y == 1) <= 3)
    rows = (y == 0) | rare
    X, y = X[rows], y[rows]
    balanced = small_mlp(class_weight="balanced").fit(X, y)
    weights = np.where(y == 1, (y == 0).sum() / (y == 1).sum(), 1.0)
    expected = small_mlp().fit(X, y, sample_weight=weights).predict_proba(X)
    np.testing.assert_allclose(balanced.predict_proba(X), expected, rtol=1e-5)
    # Shares are those of the weights: what favours a whole class evens out.
    favoured = small_mlp(class_weight="balanced")
    favoured.fit(X, y, sample_weight=np.where(y == 1, 7.0, 1.0))
    np.testing.assert_allclose(favoured.predict_proba(X), expected, rtol=1e-5)


# Rows without weight are left out, which copies the others.
@pytest.mark.parametrize("least_weight", [0, 0.1])
def test_the_callers_arrays_are_never_changed(least_weight, digits):
    X, y = (array.copy() for array in digits)
    weights = np.linspace(least_weight, 2.5, len(X))
    given = [X, y, weights, X[:50].copy(), y[:50].copy()]
    before = [array.copy() for array in given]
    class_weight = {0: 2.0, 9: 0.5}
    for in_use in (None, class_weight):
        model = small_mlp(class_weight=in_use)
        model.fit(X, y, weights, X_val=given[3], y_val=given[4])
        model.partial_fit(X, y, sample_weight=weights)
        model.predict(X)
        assert all(map(np.array_equal, given, before))
    assert class_weight == {0: 2.0, 9: 0.5}


def test_parameters_are_never_changed_by_fit(digits):
    X, y = digits
    params = {"units": 8, "dtype": "float32"}
    model = KerasImageClassifier(builder=dense, builder_params=params, epochs=1)
    before = model.get_params()
    model.fit(X, y)
    assert model.get_params() == before
    assert model.builder_params is params
    assert params == {"units": 8, "dtype": "float32"}


@pytest.mark.parametrize(("verbose", "n_lines"), [(0, 0), (2, 3)])
def test_verbose_prints_a_line_for_each_epoch(verbose, n_lines, digits, capsys):
    X, y = digits
    small_mlp(epochs=3, verbose=verbose).fit(X, y)
    printed = capsys.readouterr()
    assert printed.out.count("accuracy: ") == n_lines
    assert printed.err == ""
    assert bool(printed.out) == bool(verbose)


def test_verbose_shows_a_progress_bar(digits, capsys):
    X, y = digits
    small_mlp(epochs=2, verbose=True).fit(X, y)
    printed = capsys.readouterr().out
    assert "Epoch 1/2" in printed
    assert "━" in printed


def test_verbose_counts_on_where_training_goes_on(digits, capsys):
    X, y = digits
    model = small_mlp(epochs=2, verbose=2, warm_start=True).fit(X, y)
    capsys.readouterr()
    model.fit(X, y)
    assert "Epoch 3/4" in capsys.readouterr().out


def test_numpy_numbers_are_as_good_as_pythons(digits):
    X, y = digits
    plain = small_cnn(
        filters=(4,), kernel_size=3, units=(8,), dropout=(0.1, 0.2), l2=0.01, epochs=2
    ).fit(X, y)
    model = small_cnn(
        filters=(np.int64(4),),
        kernel_size=np.int32(3),
        units=np.int64(8),
        dropout=(np.float64(0.1), np.float32(0.2)),
        l2=np.float64(0.01),
        epochs=np.int64(2),
        batch_size=np.int32(64),
        random_state=np.int64(0),
    ).fit(X, y)
    np.testing.assert_allclose(
        model.predict_proba(X), plain.predict_proba(X), rtol=1e-4
    )
    units = np.array([8, 4])
    small_mlp(units=units[0], dropout=np.float32(0.25)).fit(X, y)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="Keras itself brings some there")
@pytest.mark.parametrize("params", [{}, {"learning_rate_schedule": "one_cycle"}])
def test_nothing_of_a_fit_brings_a_warning(digits, params):
    X, y = digits
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = small_mlp(epochs=1, validation_fraction=0.2, l2=1e-3, **params)
        model.fit(X, y).set_params(learning_rate_schedule="constant")
        model.partial_fit(X, y).predict(X)
        file = io.BytesIO()
        joblib.dump(model, file)
        file.seek(0)
        joblib.load(file).model_.get_weights()
