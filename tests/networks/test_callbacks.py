"""Callbacks: copies for each fit, that leave nothing behind but what they write."""

import io
import json
import os
import pickle
import pickletools
import sys
import threading
import types

import joblib
import numpy as np
import pytest
from builders import small_mlp
from sklearn.base import clone

from skmnist import KerasImageClassifier


def test_a_reused_callback_behaves_as_a_fresh_one(digits, keras):
    X, y = digits

    def stopper():
        return keras.callbacks.EarlyStopping("loss", patience=1, min_delta=0.12)

    reused = stopper()
    before = dict(vars(reused))
    model = small_mlp(epochs=30, callbacks=[reused])
    first = model.fit(X, y).history_
    assert 1 < model.n_iter_ < 30
    assert model.fit(X, y).history_ == first
    assert clone(model).fit(X, y).history_ == first
    assert small_mlp(epochs=30, callbacks=[stopper()]).fit(X, y).history_ == first
    assert model.callbacks == [reused]
    assert dict(vars(reused)) == before


def test_a_callback_that_keras_used_brings_nothing_into_a_fit(digits, keras):
    X, y = digits

    class OfTheUser(keras.Sequential):
        def __deepcopy__(self, memo):
            pytest.fail("The model of a callback is copied.")

    used = keras.callbacks.History()
    network = OfTheUser([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    network.compile("sgd", "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(X, y, epochs=2, callbacks=[used], verbose=0)
    model = small_mlp(callbacks=[used]).fit(X, y)
    assert model.history_ == small_mlp().fit(X, y).history_
    assert model.n_iter_ == 3
    assert used.model is network
    assert len(used.history["loss"]) == 2


def test_a_callback_may_be_given_by_a_function_that_makes_it(digits, keras):
    X, y = digits
    made = []

    def make():
        made.append(keras.callbacks.History())
        return made[-1]

    small_mlp(callbacks=(make,)).fit(X, y)
    assert len(made) == 1
    assert len(made[0].history["loss"]) == 3


def test_the_history_is_plain_data(digits, keras):
    X, y = digits
    model = small_mlp(callbacks=[keras.callbacks.ReduceLROnPlateau("loss")])
    history = model.fit(X, y).history_
    assert type(history) is dict
    assert {type(curve) for curve in history.values()} == {list}
    assert {type(value) for curve in history.values() for value in curve} == {float}
    assert json.loads(json.dumps(history)) == history
    assert history["learning_rate"] == pytest.approx([0.001] * 3)


def pickled_modules(model):
    """Return the packages of all that a pickle of a model refers to."""
    strings, modules = [], set()
    for opcode, argument, _ in pickletools.genops(pickle.dumps(model, protocol=4)):
        if isinstance(argument, str):
            strings.append(argument)
        if opcode.name == "STACK_GLOBAL":
            modules.update(s.split(".")[0] for s in strings[-2:])
        if opcode.name == "GLOBAL":
            modules.add(argument.split(".")[0])
    return modules


def test_no_live_object_of_keras_is_pickled(digits):
    X, y = digits
    model = small_mlp(early_stopping=True, warm_start=True).fit(X, y)
    model.predict(X)
    assert model.model_ is not None
    assert not {"keras", "tensorflow", "jax", "scikeras"} & pickled_modules(model)


def test_callbacks_that_write_do_not_keep_a_model_from_being_saved(
    digits, keras, tmp_path, monkeypatch
):
    # The callback works without the package tensorboard but for its numbers.
    summary = types.ModuleType("tensorboard.summary.v2")
    summary.scalar = lambda **kwargs: None
    for name in ("tensorboard", "tensorboard.summary", "tensorboard.summary.v2"):
        monkeypatch.setitem(sys.modules, name, summary)
    X, y = digits
    model = small_mlp(
        callbacks=[
            keras.callbacks.TensorBoard(tmp_path / "logs"),
            keras.callbacks.CSVLogger(tmp_path / "log.csv"),
        ]
    ).fit(X, y)
    file = io.BytesIO()
    joblib.dump(model, file)
    file.seek(0)
    loaded = joblib.load(file)
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
    assert loaded.fit(X, y).history_ == model.history_
    assert loaded.fit_id_ != model.fit_id_
    for fit_id in (loaded.fit_id_, model.fit_id_):
        assert len((tmp_path / fit_id / "log.csv").read_text().splitlines()) == 1 + 3
        assert list((tmp_path / "logs" / fit_id).rglob("events*"))


def test_every_fit_writes_to_a_directory_of_its_own(digits, keras, tmp_path):
    X, y = digits
    checkpoint = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5",
        "loss",
        save_best_only=True,
        save_weights_only=True,
    )
    fits = [small_mlp(callbacks=[checkpoint], random_state=s).fit(X, y) for s in (0, 1)]
    assert fits[0].fit_id_ != fits[1].fit_id_
    for model in fits:
        live = model.model_
        expected = live.get_weights()
        live.load_weights(tmp_path / model.fit_id_ / "best.weights.h5")
        assert all(map(np.array_equal, live.get_weights(), expected))
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(
        model.fit_id_ for model in fits
    )
    assert checkpoint.filepath == str(tmp_path / "best.weights.h5")


def test_a_backup_of_one_fit_is_not_restored_by_another(digits, keras, tmp_path):
    X, y = digits

    class Interrupt(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            raise KeyboardInterrupt

    backup = keras.callbacks.BackupAndRestore(tmp_path, delete_checkpoint=False)
    model = small_mlp(callbacks=[backup, Interrupt()], random_state=1)
    with pytest.raises(KeyboardInterrupt):
        model.fit(X, y)
    (interrupted,) = tmp_path.iterdir()
    assert list(interrupted.iterdir())
    whole = small_mlp(callbacks=[backup]).fit(X, y)
    expected = small_mlp().fit(X, y).history_["loss"]
    assert whole.history_["loss"] == pytest.approx(expected, rel=1e-4)
    assert {path.name for path in tmp_path.iterdir()} == {
        interrupted.name,
        whole.fit_id_,
    }


def test_a_checkpoint_by_batches_is_written_also_on_a_lent_network(
    digits, keras, tmp_path
):
    X, y = digits
    small_mlp().fit(X, y)
    path = str(tmp_path / "{fit}" / "{epoch}-{batch}.weights.h5")
    checkpoint = keras.callbacks.ModelCheckpoint(
        path, save_weights_only=True, save_freq=2
    )
    model = small_mlp(callbacks=[checkpoint], epochs=2).fit(X, y)
    written = {file.name for file in (tmp_path / model.fit_id_).iterdir()}
    assert len(written) == 5  # behind every other one of 2 times 5 batches


def test_a_path_may_say_where_the_fit_is_named(digits, keras, tmp_path):
    X, y = digits
    path = str(tmp_path / "run-{fit}" / "epoch-{epoch}.weights.h5")
    checkpoint = keras.callbacks.ModelCheckpoint(path, save_weights_only=True)
    model = small_mlp(callbacks=[checkpoint]).fit(X, y)
    folder = tmp_path / f"run-{model.fit_id_}"
    assert sorted(path.name for path in folder.iterdir()) == [
        f"epoch-{epoch}.weights.h5" for epoch in (1, 2, 3)
    ]


def test_a_path_that_reads_like_another_setting_leaves_that_alone(
    digits, keras, tmp_path, monkeypatch
):
    X, y = digits
    monkeypatch.chdir(tmp_path)

    class Notes(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.log_dir = "loss"
            self.monitor = "loss"
            self.summary = "lossless"
            self.events = os.path.join("loss", "events")

        def on_train_end(self, logs=None):
            found.append((self.log_dir, self.monitor, self.summary, self.events))

    found = []
    model = small_mlp(callbacks=[Notes()]).fit(X, y)
    folder = os.path.join("loss", model.fit_id_)
    assert found == [(folder, "loss", "lossless", os.path.join(folder, "events"))]


def test_fit_id_is_that_of_the_last_fit(digits, keras, tmp_path):
    X, y = digits
    model = small_mlp(callbacks=[keras.callbacks.CSVLogger(tmp_path / "log.csv")])
    assert hasattr(model.fit(X, y), "fit_id_")
    assert not hasattr(model.set_params(callbacks=None).fit(X, y), "fit_id_")


def test_callbacks_see_every_batch(digits, keras):
    X, y = digits
    seen = []

    class Subclass(keras.callbacks.Callback):
        def on_train_batch_end(self, batch, logs=None):
            seen.append(batch)

    def note(batch, logs):
        seen.append(batch)

    by_function = keras.callbacks.LambdaCallback(on_train_batch_end=note)
    for callback in (Subclass, by_function):
        seen.clear()
        small_mlp(callbacks=[callback], epochs=2).fit(X, y)
        assert seen == [0, 1, 2, 3, 4] * 2


def test_a_callback_may_change_the_step_size_for_this_fit_only(digits, keras):
    X, y = digits
    plain = small_mlp().fit(X, y).predict_proba(X)
    halve = keras.callbacks.LearningRateScheduler(lambda epoch, rate: rate / 2)
    halved = small_mlp(callbacks=[halve]).fit(X, y)
    assert halved.history_["learning_rate"] == pytest.approx(
        [0.0005, 0.00025, 0.000125]
    )
    assert not np.array_equal(halved.predict_proba(X), plain)
    assert np.array_equal(small_mlp().fit(X, y).predict_proba(X), plain)


@pytest.mark.parametrize("given", ["EarlyStopping", 3, list])
def test_what_is_no_callback_is_refused(given, digits):
    X, y = digits
    with pytest.raises(TypeError, match=r"'callbacks' .* must hold Keras callbacks"):
        small_mlp(callbacks=[given]).fit(X, y)


def test_a_callback_that_cannot_be_copied_is_refused_with_a_way_out(digits, keras):
    X, y = digits
    callback = keras.callbacks.History()
    callback.lock = threading.Lock()
    with pytest.raises(TypeError, match=r"History cannot be copied .* a function"):
        small_mlp(callbacks=[callback]).fit(X, y)


def test_a_fit_that_never_begins_leaves_no_folder(digits, keras, tmp_path):
    logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    model = KerasImageClassifier(builder=lambda *shape: 1 / 0, callbacks=[logger])
    with pytest.raises(ZeroDivisionError):
        model.fit(*digits)
    assert list(tmp_path.iterdir()) == []
