"""Optimizers by name, configuration, function or example: one of its own a fit."""

import numpy as np
import pytest
from builders import small_mlp
from sklearn.base import clone
from sklearn.model_selection import cross_val_score

import skmnist


def optimizer_state(model):
    """Return number of steps and learning rate, which every optimizer begins with."""
    steps, rate, *_ = model._training.optimizer_variables
    return int(steps), float(rate)


def test_all_ways_to_name_an_optimizer_give_the_same_network(digits, keras):
    X, y = digits
    same = {
        "name": small_mlp(optimizer="sgd", learning_rate=0.1),
        "configuration": small_mlp(
            optimizer={"class_name": "SGD", "config": {"learning_rate": 0.1}}
        ),
        "serialised": small_mlp(
            optimizer=keras.optimizers.serialize(keras.optimizers.SGD(0.1))
        ),
        "function": small_mlp(optimizer=lambda: keras.optimizers.SGD(0.1)),
        "class": small_mlp(optimizer=keras.optimizers.SGD, learning_rate=0.1),
        "example": small_mlp(optimizer=keras.optimizers.SGD(0.1)),
        "example, other step size": small_mlp(
            optimizer=keras.optimizers.SGD(5.0), learning_rate=0.1
        ),
    }
    expected = same["name"].fit(X, y).predict_proba(X)
    for way, model in same.items():
        assert np.array_equal(model.fit(X, y).predict_proba(X), expected), way
    momentum = small_mlp(
        optimizer={
            "class_name": "SGD",
            "config": {"learning_rate": 0.1, "momentum": 0.9},
        }
    )
    assert not np.allclose(momentum.fit(X, y).predict_proba(X), expected)


def test_without_a_learning_rate_the_optimizers_own_is_used(digits):
    X, y = digits
    for name, rate in [("adam", 0.001), ("sgd", 0.01)]:
        model = small_mlp(optimizer=name, epochs=1).fit(X, y)
        assert optimizer_state(model) == (5, pytest.approx(rate))


@pytest.mark.parametrize("way", ["example", "function that always returns the same"])
def test_an_optimizer_is_never_shared_by_fits(way, digits, keras):
    X, y = digits
    shared = keras.optimizers.Adam(0.01)
    optimizer = shared if way == "example" else lambda: shared
    model = small_mlp(optimizer=optimizer, epochs=2)
    first = model.fit(X, y)
    expected = first.predict_proba(X)
    assert optimizer_state(first) == (10, pytest.approx(0.01))
    for again in (clone(model), model):
        again.fit(X, y)
        assert optimizer_state(again) == (10, pytest.approx(0.01))
        assert np.array_equal(again.predict_proba(X), expected)
    cross_val_score(model, X, y, cv=2)
    assert int(shared.iterations) == 0
    assert not shared.built


def test_a_learning_rate_schedule_starts_anew_with_each_fit(digits, keras):
    X, y = digits

    def make():
        halved = keras.optimizers.schedules.ExponentialDecay(0.1, 3, 0.5)
        return keras.optimizers.SGD(halved)

    model = small_mlp(optimizer=make)
    expected = model.fit(X, y).predict_proba(X)
    assert np.array_equal(model.fit(X, y).predict_proba(X), expected)
    constant = small_mlp(optimizer="sgd", learning_rate=0.1).fit(X, y)
    assert not np.allclose(constant.predict_proba(X), expected, rtol=1e-3)


def test_step_sizes_of_one_fit_do_not_reach_the_next(digits):
    X, y = digits
    default = small_mlp(optimizer="sgd").fit(X, y).predict_proba(X)
    small_mlp(optimizer="sgd", learning_rate=0.5).fit(X, y)
    assert np.array_equal(
        small_mlp(optimizer="sgd").fit(X, y).predict_proba(X), default
    )


@pytest.mark.parametrize("name", ["adamw", "adamax", "nadam", "adagrad", "lion"])
def test_other_optimizers_train_and_go_on_as_well(name, digits):
    X, y = digits
    whole = small_mlp(optimizer=name, learning_rate=0.01, epochs=3).fit(X, y)
    parts = small_mlp(optimizer=name, learning_rate=0.01, epochs=2).fit(X, y)
    parts.partial_fit(X, y)
    assert np.array_equal(whole.predict_proba(X), parts.predict_proba(X))
    assert whole.history_["loss"][-1] < whole.history_["loss"][0]


def test_an_optimizer_that_begins_with_the_weights_has_those_of_its_fit(digits, keras):
    X, y = digits

    class Anchored(keras.optimizers.SGD):
        """Stays near the weights that it began with."""

        def build(self, variables):
            super().build(variables)
            self.anchors = self.add_optimizer_variables(variables, "anchor")
            for anchor, variable in zip(self.anchors, variables, strict=True):
                self.assign(anchor, variable.value)

        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate)
            anchor = self.anchors[self._get_variable_index(variable)]
            self.assign_sub(variable, (variable - anchor) * 0.5)

    for optimizer in ("schedulefreeadamw", lambda: Anchored(0.1, momentum=0.5)):
        skmnist.clear_programs()
        alone = small_mlp(optimizer=optimizer).fit(X, y)
        small_mlp(optimizer=optimizer, random_state=1).fit(X, y)
        again = small_mlp(optimizer=optimizer).fit(X, y)
        assert again.history_ == alone.history_
        assert np.array_equal(again.predict_proba(X), alone.predict_proba(X))
    # So does one that comes to a network which is trained already.
    model = small_mlp(warm_start=True, learning_rate=1e-9).fit(X, y)
    trained = model.model_.get_weights()
    model.set_params(optimizer="schedulefreeadamw").fit(X, y)
    for array, before in zip(model.model_.get_weights(), trained, strict=True):
        np.testing.assert_allclose(array, before, atol=1e-5)


def test_an_average_of_the_weights_takes_their_place(digits):
    X, y = digits
    config = {"learning_rate": 0.1}
    plain = small_mlp(optimizer={"class_name": "SGD", "config": config}).fit(X, y)
    config = {**config, "use_ema": True, "ema_momentum": 0.9}
    averaged = small_mlp(optimizer={"class_name": "SGD", "config": config}).fit(X, y)
    assert averaged.history_ == plain.history_
    assert not np.allclose(averaged.predict_proba(X), plain.predict_proba(X))


def test_training_goes_on_with_another_optimizer_from_its_first_state(digits):
    X, y = digits
    model = small_mlp(epochs=2, warm_start=True).fit(X, y)
    rmsprop = {"class_name": "RMSprop", "config": {"momentum": 0.5}}
    # As many variables as Adam has, and of the same shapes, but other ones.
    for optimizer, learning_rate in [("sgd", 0.1), (rmsprop, 0.01), ("adam", 0.02)]:
        model.set_params(optimizer=optimizer, learning_rate=learning_rate).fit(X, y)
        assert optimizer_state(model) == (10, pytest.approx(learning_rate))
    assert model.n_iter_ == 8
    model.set_params(learning_rate=0.03).fit(X, y)
    assert optimizer_state(model) == (20, pytest.approx(0.03))


def test_what_is_excluded_from_weight_decay_stays_so(digits, keras):
    X, y = digits

    def biases(*names):
        example = keras.optimizers.SGD(1e-9, weight_decay=1e8)
        example.exclude_from_weight_decay(var_names=names)
        model = small_mlp(optimizer=example, epochs=2, batch_size=len(y))
        model.fit(X, y)
        return model.model_.get_weights()[1]

    excluded = biases("bias")
    assert excluded.any()
    assert np.abs(biases()).sum() < np.abs(excluded).sum()
    assert np.array_equal(biases("bias"), excluded)


def test_variables_of_one_network_cannot_be_excluded_in_another(digits, keras):
    example = keras.optimizers.AdamW()
    example.exclude_from_weight_decay(var_list=[keras.Variable(0.0)])
    with pytest.raises(ValueError, match="by var_names"):
        small_mlp(optimizer=example).fit(*digits)


def test_a_rate_may_be_a_function(digits, keras):
    X, y = digits
    adam = keras.optimizers.Adam
    model = small_mlp(optimizer=lambda: adam(lambda: 0.01), epochs=2)
    wanted = small_mlp(optimizer="adam", learning_rate=0.01, epochs=2)
    np.testing.assert_allclose(
        model.fit(X, y).predict_proba(X),
        wanted.fit(X, y).predict_proba(X),
        rtol=1e-4,
        atol=1e-6,
    )
    with pytest.raises(ValueError, match="give a function that makes it"):
        small_mlp(optimizer=adam(lambda: 0.01)).fit(X, y)


@pytest.mark.parametrize("name", ["ReduceLROnPlateau", "LearningRateScheduler"])
@pytest.mark.parametrize("where", ["parameter", "optimizer"])
def test_two_that_set_the_rate_are_refused_before_training(digits, keras, name, where):
    X, y = digits
    make = getattr(keras.callbacks, name)
    callback = make("loss") if name == "ReduceLROnPlateau" else make(lambda epoch: 0.1)
    schedules = keras.optimizers.schedules
    params = {"learning_rate_schedule": "cosine"}
    if where == "optimizer":
        params = {"optimizer": keras.optimizers.Adam(schedules.CosineDecay(0.1, 10))}
    model = small_mlp(callbacks=[callback], **params)
    with pytest.raises(ValueError, match=f"callback {name} sets the learning rate"):
        model.fit(X, y)
    assert not hasattr(model, "history_")


def test_a_schedule_of_an_optimizer_around_another_is_refused(digits, keras):
    X, y = digits
    around = keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1))
    model = small_mlp(optimizer=around, learning_rate_schedule="one_cycle")
    with pytest.raises(ValueError, match="give the inner one a schedule"):
        model.fit(X, y)


def test_a_learning_rate_beside_a_schedule_is_refused(digits, keras):
    schedule = keras.optimizers.schedules.CosineDecay(0.01, 100)
    model = small_mlp(optimizer=keras.optimizers.Adam(schedule), learning_rate=0.1)
    with pytest.raises(ValueError, match=r"learning_rate=0\.1 does not go with"):
        model.fit(*digits)


def test_a_rate_that_a_callback_lowered_stays_until_another_is_set(digits, keras):
    X, y = digits
    lower = keras.callbacks.ReduceLROnPlateau("loss", factor=0.5, min_delta=100)
    lower.patience = 1
    model = small_mlp(warm_start=True, epochs=4, learning_rate=0.01, callbacks=[lower])
    _, rate = optimizer_state(model.fit(X, y))
    assert rate < 0.01
    model.set_params(callbacks=None).fit(X, y)
    assert optimizer_state(model)[1] == rate
    model.set_params(learning_rate=0.02).fit(X, y)
    assert optimizer_state(model)[1] == pytest.approx(0.02)


@pytest.mark.parametrize("kept", [True, False])
def test_a_rate_that_is_set_between_fits_counts(digits, kept):
    X, y = digits
    model = small_mlp(optimizer="sgd", learning_rate=0.1).partial_fit(X, y, range(10))
    if not kept:  # as in another process: the step is compiled again
        skmnist.clear_programs()
    before = model.model_.get_weights()
    model.set_params(learning_rate=1e-30).partial_fit(X, y)
    assert all(map(np.array_equal, model.model_.get_weights(), before))
    assert optimizer_state(model)[1] == np.float32(1e-30)


def test_a_configuration_stays_as_it_was_given(digits):
    given = {"class_name": "SGD", "config": {"learning_rate": 0.1}}
    small_mlp(optimizer=given).fit(*digits)
    assert given == {"class_name": "SGD", "config": {"learning_rate": 0.1}}


def test_a_configuration_of_no_optimizer_is_refused(digits):
    with pytest.raises(ValueError, match=r"'optimizer' parameter, if a dict.*SGDD"):
        small_mlp(optimizer={"class_name": "SGDD", "config": {}}).fit(*digits)
