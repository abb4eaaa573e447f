"""The learning rate over a fit."""

import numpy as np
import pytest
from builders import BACKEND, small_cnn, small_mlp

from skmnist._training import loops
from skmnist.networks import NetworkSpec, build_cnn


@pytest.fixture
def rates(keras):
    """Record the learning rate at the end of each epoch of a fit."""
    seen = []

    def record():
        def on_epoch_end(epoch, logs=None):
            seen.append(float(callback.model.optimizer.learning_rate))

        callback = keras.callbacks.LambdaCallback(on_epoch_end=on_epoch_end)
        return callback

    def fit(model, X, y):
        seen.clear()
        model.set_params(callbacks=[record]).fit(X, y)
        return np.array(seen)

    return fit


def test_one_cycle_rises_to_its_peak_and_falls_to_almost_nothing(digits, rates):
    X, y = digits
    model = small_mlp(learning_rate=0.01, learning_rate_schedule="one_cycle", epochs=10)
    course = rates(model, X, y)
    assert course.argmax() == 2  # 30 % of the epochs
    assert course.max() == pytest.approx(0.01, rel=1e-3)
    assert (np.diff(course[:3]) > 0).all()
    assert (np.diff(course[2:]) < 0).all()
    assert course[-1] == pytest.approx(1e-6, rel=0.05)


def test_the_course_is_kept_in_the_history(digits, rates):
    X, y = digits
    model = small_mlp(learning_rate_schedule="cosine", validation_fraction=0.2)
    course = rates(model, X, y)
    np.testing.assert_allclose(model.history_["learning_rate"], course, rtol=1e-6)
    assert "learning_rate" not in small_mlp().fit(X, y).history_


def test_cosine_falls_from_the_start(digits, rates):
    X, y = digits
    course = rates(small_mlp(learning_rate_schedule="cosine", epochs=4), X, y)
    assert course[1] == pytest.approx(0.001 / 2, rel=1e-3)  # half-way
    assert (np.diff(course) < 0).all()


def test_a_shared_program_follows_the_schedule_of_each_fit(digits, rates):
    X, y = digits
    model = small_mlp(learning_rate=0.01, learning_rate_schedule="cosine", epochs=4)
    first = rates(model, X, y)
    longer = rates(model.set_params(epochs=8), X, y)
    smaller = rates(model.set_params(learning_rate=0.001), X[:100], y[:100])
    np.testing.assert_allclose(longer[1::2], first, rtol=1e-4)
    np.testing.assert_allclose(smaller, longer / 10, rtol=1e-4)


def test_a_warm_start_begins_the_schedule_anew(digits, rates):
    X, y = digits
    model = small_mlp(learning_rate_schedule="cosine", epochs=3, warm_start=True)
    np.testing.assert_allclose(rates(model, X, y), rates(model, X, y), rtol=1e-4)


def test_partial_fit_refuses_a_schedule_whose_end_it_cannot_know(digits):
    X, y = digits
    model = small_mlp(learning_rate_schedule="one_cycle")
    with pytest.raises(ValueError, match="learning_rate_schedule='one_cycle'"):
        model.partial_fit(X, y, classes=np.arange(10))


def test_a_schedule_given_as_the_rate_is_told_where_it_belongs(digits):
    X, y = digits
    message = "learning_rate must .*'one_cycle'.* learning_rate_schedule: .*'cosine'"
    with pytest.raises(ValueError, match=message):
        small_mlp(learning_rate="one_cycle").fit(X, y)
    model = small_mlp(learning_rate="one_cycle")
    with pytest.raises(ValueError, match=message):
        model.partial_fit(X, y, classes=np.arange(10))


def test_two_schedules_at_once_are_refused(digits, keras):
    X, y = digits
    own = keras.optimizers.schedules.ExponentialDecay(0.01, 10, 0.9)
    model = small_mlp(
        optimizer=lambda: keras.optimizers.Adam(own), learning_rate_schedule="cosine"
    )
    with pytest.raises(ValueError, match="a schedule of its own"):
        model.fit(X, y)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others compute in float32")
@pytest.mark.parametrize("precision", ["bfloat16", "auto"])
def test_training_in_bfloat16_leaves_float32_weights(digits, keras, precision):
    X, y = digits
    model = small_cnn(precision=precision, epochs=15).fit(X, y)
    exact = small_cnn(precision="float32", epochs=15).fit(X, y)
    assert {w.dtype for w in model.model_.get_weights()} == {np.dtype("float32")}
    assert model.predict_proba(X).dtype == np.float64
    assert model.model_.dtype_policy.name == "float32"
    assert keras.config.dtype_policy().name == "float32"
    assert model.score(X, y) == pytest.approx(exact.score(X, y), abs=0.05)


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others compute in float32")
def test_bfloat16_is_what_is_computed_in(digits, monkeypatch):
    X, y = digits
    exact = small_cnn(precision="float32").fit(X, y)
    monkeypatch.setattr(loops, "training_dtype", lambda *_: "mixed_bfloat16")
    trained = small_cnn(precision="auto").fit(X, y)
    monkeypatch.undo()
    both = small_cnn(precision="bfloat16").fit(X, y)
    assert both.history_ == trained.history_
    for array, same in zip(
        both.model_.get_weights(), trained.model_.get_weights(), strict=True
    ):
        assert np.array_equal(array, same)
    assert np.array_equal(both.predict_proba(X), trained.predict_proba(X))
    difference = np.abs(trained.predict_proba(X) - exact.predict_proba(X)).max()
    assert 1e-6 < difference < 0.05


@pytest.mark.skipif(BACKEND != "tensorflow", reason="others compute in float32")
def test_without_convolutions_auto_is_float32(digits, monkeypatch):
    monkeypatch.setattr(loops, "bfloat16_is_quick", lambda: True)
    exact = small_mlp(precision="float32").fit(*digits)
    assert small_mlp(precision="auto").fit(*digits).history_ == exact.history_
    assert small_mlp(precision="bfloat16").fit(*digits).history_ != exact.history_


@pytest.mark.parametrize(
    ("on_the_processor", "graphics_cards", "is_quick"),
    [(True, [], True), (False, [], False), (True, ["gpu:0"], False)],
)
def test_auto_looks_at_what_computes(
    keras, monkeypatch, on_the_processor, graphics_cards, is_quick
):
    monkeypatch.setattr(loops, "bfloat16_is_quick", lambda: on_the_processor)
    monkeypatch.setattr(
        keras.distribution, "list_devices", lambda device_type: graphics_cards
    )
    is_quick = is_quick and BACKEND == "tensorflow"
    spec = NetworkSpec(build_cnn, (8, 8, 1), 10)
    chosen = "mixed_bfloat16" if is_quick else "float32"
    assert loops.training_dtype(spec, "auto") == chosen
    assert loops.training_dtype(spec, "float32") == "float32"


def test_a_schedule_begins_anew_with_an_optimizer_of_another_kind(digits, rates):
    X, y = digits
    settings = {"learning_rate": 0.01, "learning_rate_schedule": "one_cycle"}
    expected = rates(small_mlp(optimizer="sgd", epochs=4, **settings), X, y)
    model = small_mlp(warm_start=True, epochs=4, **settings).fit(X, y)
    course = rates(model.set_params(optimizer="sgd"), X, y)
    np.testing.assert_allclose(course, expected, rtol=1e-5)


def test_a_schedule_class_that_is_defined_anew_is_used_as_it_is_now(digits, keras):
    X, y = digits

    def loss_with(factor):
        @keras.saving.register_keras_serializable("tests")
        class Falling(keras.optimizers.schedules.LearningRateSchedule):
            def __call__(self, step):
                return factor

            def get_config(self):
                return {}

        model = small_mlp(optimizer=keras.optimizers.SGD(Falling()), dropout=0.0)
        return model.fit(X, y).history_["loss"]

    moving, standing = loss_with(0.1), loss_with(0.0)
    assert moving[1] < moving[0]
    assert standing[1] == pytest.approx(standing[0], rel=1e-5)
