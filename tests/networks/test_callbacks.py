"""Callbacks: copies for each fit, that leave nothing behind but what they write."""

import io
import json
import logging
import os
import pickle
import pickletools
import queue
import sqlite3
import sys
import threading
import types
from collections import Counter, OrderedDict, defaultdict, deque, namedtuple
from functools import partial
from multiprocessing.pool import ThreadPool

import joblib
import numpy as np
import pytest
from builders import dense, small_mlp
from sklearn import config_context
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline

from skmnist import (
    ImageScaler,
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)


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
    assert len(written) == 5  # after every other one of 2 times 5 batches


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


@pytest.mark.parametrize("given", ["EarlyStopping", 3, list, lambda epoch: None])
def test_what_is_no_callback_is_refused(given, digits):
    X, y = digits
    with pytest.raises(TypeError, match=r"'callbacks' .* must hold Keras callbacks"):
        small_mlp(callbacks=[given]).fit(X, y)


def test_a_class_that_needs_arguments_is_refused_with_their_names(digits, keras):
    with pytest.raises(TypeError, match=r"ModelCheckpoint.* needs .*'filepath'"):
        small_mlp(callbacks=[keras.callbacks.ModelCheckpoint]).fit(*digits)


@pytest.fixture
def recorder(keras):
    """A class whose instances note each epoch by a function of what they are given."""

    class Recorder(keras.callbacks.Callback):
        def __init__(self, outside, note):
            super().__init__()
            self.outside = outside
            self.note = note
            self.n_epochs = 0

        def on_epoch_end(self, epoch, logs=None):
            self.n_epochs += 1
            self.note(self.outside, self.n_epochs)

    return Recorder


class Client:
    """Stands for a connection: it cannot be copied, nor pickled."""

    def __init__(self):
        self.lock = threading.Lock()
        self.sent = []

    def send(self, value):
        with self.lock:
            self.sent.append(value)

    def __copy__(self):
        pytest.fail("The client of a callback is copied.")

    def __reduce_ex__(self, protocol):
        pytest.fail("The client of a callback is copied.")


def database():
    connection = sqlite3.connect(":memory:", check_same_thread=False)
    connection.execute("CREATE TABLE epochs (n)")
    return connection


def logger():
    logger = logging.Logger("of this test")
    logger.addHandler(logging.StreamHandler(io.StringIO()))
    return logger


def collector():
    seen = []

    def collect():
        while True:
            seen.append((yield seen))

    generator = collect()
    next(generator)
    return generator


# What a callback may hold: how it is made, how an epoch is noted, what it then has.
OUTSIDE = {
    "list": (list, list.append, list),
    "dict": (dict, lambda held, n: held.update({len(held): n}), dict.values),
    "deque": (lambda: deque(maxlen=9), deque.append, list),
    "queue": (queue.Queue, queue.Queue.put, lambda held: held.queue),
    "client": (Client, Client.send, lambda client: client.sent),
    "database": (
        database,
        lambda held, n: held.execute("INSERT INTO epochs VALUES (?)", (n,)),
        lambda held: [n for (n,) in held.execute("SELECT n FROM epochs")],
    ),
    "logger": (
        logger,
        logging.Logger.warning,
        lambda held: map(int, held.handlers[0].stream.getvalue().split()),
    ),
    "file": (
        io.StringIO,
        lambda file, n: file.write(f"{n} "),
        lambda file: map(int, file.getvalue().split()),
    ),
    "generator": (collector, lambda held, n: held.send(n), lambda held: next(held)),
    "array": (
        lambda: np.zeros(4, int),
        lambda held, n: held.__setitem__(held.argmin(), n),
        list,
    ),
}


@pytest.mark.parametrize("kind", OUTSIDE)
def test_a_callback_reaches_what_it_was_given(kind, digits, recorder):
    make, note, content = OUTSIDE[kind]
    callback = recorder(make(), note)
    model = small_mlp(epochs=2, callbacks=[callback])
    model.fit(*digits)
    clone(model).fit(*digits)
    # Each fit counts from the start, but both note their counts in one place.
    seen = [n for n in content(callback.outside) if n is not None]
    assert seen == [1, 2, 1, 2]
    assert callback.n_epochs == 0


def in_cross_validation(model, X, y):
    cross_val_score(model, X, y, cv=2)


def in_a_search(model, X, y):
    GridSearchCV(model, {"batch_size": [64]}, cv=2, refit=False).fit(X, y)


def in_threads(model, X, y):
    with joblib.parallel_config("threading", n_jobs=2):
        cross_val_score(model, X, y, cv=2)


def in_a_pipeline(model, X, y):
    cross_val_score(make_pipeline(ImageScaler(data_range=(0, 1)), model), X, y, cv=2)


def in_an_ensemble(model, X, y):
    BaggingClassifier(model, n_estimators=2, random_state=0).fit(X, y)


@pytest.mark.parametrize(
    "fit_twice",
    [in_cross_validation, in_a_search, in_threads, in_a_pipeline, in_an_ensemble],
)
def test_a_callback_reaches_out_of_the_clones_of_scikit_learn(
    fit_twice, digits, recorder
):
    client = Client()
    fit_twice(
        small_mlp(epochs=2, callbacks=[recorder(client, Client.send)]),
        *digits,
    )
    assert sorted(client.sent) == [1, 1, 2, 2]


@pytest.mark.parametrize(
    "model",
    [
        KerasMLPClassifier(),
        KerasDNNClassifier(),
        KerasCNNClassifier(),
        KerasImageClassifier(builder=dense),
    ],
    ids=lambda model: type(model).__name__,
)
def test_a_clone_holds_the_same_callbacks_in_a_list_of_its_own(model, recorder):
    callback = recorder(Client(), Client.send)
    model = clone(model).set_params(callbacks=[callback])
    with config_context(enable_metadata_routing=True):
        model.set_fit_request(sample_weight=True)
        twin = clone(model)
        twin.set_fit_request(sample_weight=False)
        requested = model.get_metadata_routing().fit.requests
        assert requested["sample_weight"] is True
        assert clone(model).get_metadata_routing().fit.requests == requested
    assert twin.callbacks == [callback]
    assert twin.callbacks is not model.callbacks
    assert type(twin) is type(model)


def test_a_subclass_that_chooses_its_callbacks_can_be_cloned(digits, recorder):
    client = Client()

    class Reporting(KerasMLPClassifier):
        def __init__(self, *, epochs=1):
            super().__init__(
                units=4, epochs=epochs, callbacks=[recorder(client, Client.send)]
            )

    clone(Reporting(epochs=2)).fit(*digits)
    assert client.sent == [1, 2]


@pytest.mark.parametrize(
    "form",
    [
        "callback",
        "function",
        "class",
        "list",
        "tuple",
        "list of lists",
        "CallbackList",
        "list with a CallbackList",
    ],
)
def test_callbacks_come_in_the_forms_that_keras_takes(form, digits, keras):
    seen = []

    class Note(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            seen.append(epoch)

    group = keras.callbacks.CallbackList([Note()])
    forms = {
        "callback": Note(),
        "function": lambda: Note(),
        "class": Note,
        "list": [Note()],
        "tuple": (Note(),),
        "list of lists": [[Note()], []],
        "CallbackList": group,
        "list with a CallbackList": [group],
    }
    model = small_mlp(epochs=2, callbacks=forms[form])
    clone(model).fit(*digits)
    assert seen == [0, 1]


def test_a_callback_may_stop_a_fit_from_outside_it(digits, keras):
    """As those of optuna do, that prune a trial."""

    class PrunedError(Exception):
        pass

    class Trial(Client):
        def report(self, value, step):
            self.send(step)

        def should_prune(self):
            return len(self.sent) > 1

    class Pruning(keras.callbacks.Callback):
        def __init__(self, trial, monitor):
            super().__init__()
            self._trial = trial
            self._monitor = monitor

        def on_epoch_end(self, epoch, logs=None):
            self._trial.report(logs[self._monitor], step=epoch)
            if self._trial.should_prune():
                raise PrunedError

    trial = Trial()
    model = small_mlp(callbacks=[Pruning(trial, "loss")])
    with pytest.raises(PrunedError):
        clone(model).fit(*digits)
    assert trial.sent == [0, 1]


def test_a_callback_may_hold_data_and_the_estimator_itself(digits, keras):
    X, y = digits

    class Watch(keras.callbacks.Callback):
        def __init__(self, estimator, X):
            super().__init__()
            self.estimator, self.X = estimator, X

        def on_train_end(self, logs=None):
            held.append((self.estimator, self.X))

    held = []
    model = small_mlp(epochs=1)
    model.set_params(callbacks=[Watch(model, X)])
    clone(model).fit(X, y)
    assert held[0][0] is model
    assert held[0][1] is X


class Notes:
    def __init__(self):
        self.epochs = []

    def on_epoch(self, epoch, logs):
        self.epochs.append(epoch)

    def rate(self, epoch, rate):
        self.epochs.append(epoch)
        return rate

    def __call__(self, epoch, logs):
        self.epochs.append(epoch)


@pytest.mark.parametrize(
    "make",
    [
        lambda c, notes: c.LambdaCallback(on_epoch_end=notes.on_epoch),
        lambda c, notes: c.LambdaCallback(on_epoch_end=notes),
        lambda c, notes: c.LambdaCallback(on_epoch_end=partial(Notes.on_epoch, notes)),
        lambda c, notes: c.LambdaCallback(on_epoch_end=lambda e, _: notes(e, _)),
        lambda c, notes: c.LearningRateScheduler(notes.rate),
    ],
    ids=["method", "object", "partial", "closure", "schedule"],
)
def test_functions_given_to_callbacks_of_keras_keep_their_owner(make, digits, keras):
    notes = Notes()
    small_mlp(epochs=2, callbacks=[make(keras.callbacks, notes)]).fit(*digits)
    assert notes.epochs == [0, 1]


def test_a_subclass_of_a_callback_of_keras_starts_each_fit_afresh(digits, keras):
    client = Client()

    class Stopper(keras.callbacks.EarlyStopping):
        def __init__(self, client):
            super().__init__(
                "loss", patience=1, min_delta=0.12, restore_best_weights=True
            )
            self.client = client

        def on_epoch_end(self, epoch, logs=None):
            super().on_epoch_end(epoch, logs)
            self.client.send(self.wait)

        def on_train_begin(self, logs=None):
            pass  # that of Keras would reset the state

    stopper = Stopper(client)
    stopper.best_weights = stopper.best = None
    before = dict(vars(stopper))
    model = small_mlp(epochs=30, callbacks=[stopper])
    first = model.fit(*digits).history_
    sent = list(client.sent)
    assert 1 < model.n_iter_ < 30
    assert model.fit(*digits).history_ == first
    assert client.sent == sent * 2
    assert dict(vars(stopper)) == before


# Containers that a callback may make: how to make, fill and measure one.
OWN_STATE = {
    "list": (list, lambda own: own.append(1), len),
    "dict": (dict, lambda own: own.update({len(own): 1}), len),
    "lists in a dict": (
        lambda: {"losses": []},
        lambda own: own["losses"].append(1),
        lambda own: len(own["losses"]),
    ),
    "defaultdict": (
        lambda: defaultdict(list),
        lambda own: own["losses"].append(1),
        lambda own: len(own["losses"]),
    ),
    "lists in a tuple": (
        lambda: ([], []),
        lambda own: own[1].append(1),
        lambda own: len(own[1]),
    ),
    "set": (set, lambda own: own.add(len(own)), len),
    "deque": (deque, lambda own: own.append(1), len),
    "array": (lambda: np.zeros(1), lambda own: own.__iadd__(1), lambda own: own[0]),
}


@pytest.mark.parametrize("kind", OWN_STATE)
def test_a_container_that_a_callback_made_is_that_of_one_fit(kind, digits, keras):
    make, fill, measure = OWN_STATE[kind]

    class Patience(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.own = make()

        def on_epoch_end(self, epoch, logs=None):
            fill(self.own)
            self.model.stop_training = bool(measure(self.own) >= 2)

    model = small_mlp(epochs=4, callbacks=[Patience()])
    assert [clone(model).fit(*digits).n_iter_ for _ in range(2)] == [2, 2]


def test_copies_are_made_in_threads_as_outside_them(keras):
    from skmnist._training.callbacks import callbacks_for_fit

    class Listing(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.lists = [[] for _ in range(200)]

    callback = Listing()
    originals = set(map(id, callback.lists))

    def shared(_):
        (twin,), _ = callbacks_for_fit(callback)
        # By their identities: to look at the lists is to hold them elsewhere.
        return sum(id(each) in originals for each in twin.lists)

    interval = sys.getswitchinterval()
    try:
        sys.setswitchinterval(1e-6)
        with ThreadPool(4) as pool:
            assert set(pool.map(shared, range(40))) == {0}
    finally:
        sys.setswitchinterval(interval)


def test_a_callback_may_hold_containers_of_any_kind(digits, keras):
    class Odd(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.point = namedtuple("Point", "x y")([], 2)
            self.counts = Counter({"a": 1})
            self.ordered = OrderedDict(a=[])
            self.proxy = types.MappingProxyType({"a": []})
            self.frozen = frozenset({1})
            self.view = {"a": 1}.keys()
            self.objects = np.array([[1], None], dtype=object)
            self.itself = [self]
            self.circle = []
            self.circle.append(self.circle)

        def on_train_end(self, logs=None):
            assert self.itself == [self]
            seen.append({name: type(value) for name, value in vars(self).items()})

    seen = []
    callback = Odd()
    small_mlp(epochs=1, callbacks=[callback]).fit(*digits)
    kinds = {name: type(value) for name, value in vars(callback).items()}
    kinds |= {"params": dict, "_model": seen[0]["_model"]}  # which Keras sets
    assert kinds.items() <= seen[0].items()


def test_the_history_of_a_subclass_is_that_of_one_fit(digits, keras):
    class Curves(keras.callbacks.History):
        def on_train_end(self, logs=None):
            lengths.append(len(self.history["loss"]))

    lengths = []
    model = small_mlp(epochs=2, callbacks=[Curves()])
    model.fit(*digits)
    model.fit(*digits)
    assert lengths == [2, 2]


@pytest.mark.parametrize("how", ["by name", "held elsewhere", "within its own list"])
def test_a_list_that_a_callback_was_given_is_shared(how, digits, keras):
    class Named(keras.callbacks.Callback):
        def __init__(self, sink):
            super().__init__()
            self._sink = sink

        def note(self, epoch):
            self._sink.append(epoch)

        def on_epoch_end(self, epoch, logs=None):
            self.note(epoch)

    class Unnamed(Named):
        def __init__(self, outside):
            super().__init__(None)
            self.target = outside

        def note(self, epoch):
            self.target.append(epoch)

    class Nested(Named):
        def __init__(self, outside):
            super().__init__(None)
            self.targets = [outside, []]

        def note(self, epoch):
            for target in self.targets:
                target.append(epoch)

    held = []
    if how == "by name":
        callback = Named([])
    else:
        callback = (Unnamed if how == "held elsewhere" else Nested)(held)
    model = small_mlp(epochs=2, callbacks=[callback])
    cross_val_score(model, *digits, cv=2)
    assert (callback._sink or held) == [0, 1, 0, 1]
    if how == "within its own list":
        assert callback.targets[1] == []


@pytest.mark.parametrize("held_as", ["attribute", "list", "tuple", "CallbackList"])
def test_callbacks_and_metrics_within_a_callback_are_those_of_one_fit(
    held_as, digits, keras, tmp_path
):
    class Group(keras.callbacks.Callback):
        def __init__(self, *inner):
            super().__init__()
            self.first = inner[0]
            self.inner = {
                "attribute": None,
                "list": list(inner),
                "tuple": inner,
                "CallbackList": keras.callbacks.CallbackList(list(inner)),
            }[held_as]
            self.mean = keras.metrics.Mean()

        def every(self):
            if isinstance(self.inner, list | tuple):
                return self.inner
            return [self.inner or self.first]

        def set_model(self, model):
            super().set_model(model)
            for callback in self.every():
                callback.set_model(model)

        def on_train_begin(self, logs=None):
            for callback in self.every():
                callback.on_train_begin(logs)

        def on_train_end(self, logs=None):
            means.append(float(self.mean.result()))

        def on_epoch_end(self, epoch, logs=None):
            self.mean.update_state(epoch)
            for callback in self.every():
                callback.on_epoch_end(epoch, logs)

    means = []
    checkpoint = keras.callbacks.ModelCheckpoint(
        tmp_path / "best.weights.h5",
        "loss",
        save_best_only=True,
        save_weights_only=True,
    )
    # A worse network, whose weights are not written if the best loss is remembered.
    fits = [
        small_mlp(callbacks=[group], epochs=epochs).fit(*digits)
        for group in [Group(checkpoint)]
        for epochs in (3, 2)
    ]
    assert means == [1, 0.5]
    for model in fits:
        assert (tmp_path / model.fit_id_ / "best.weights.h5").exists()
    assert {path.name for path in tmp_path.iterdir()} == {m.fit_id_ for m in fits}


def test_callbacks_that_know_each_other_do_so_in_a_fit(digits, keras):
    stopper = keras.callbacks.EarlyStopping("loss", patience=0, min_delta=9)
    mean = keras.metrics.Mean()

    class Watch(keras.callbacks.Callback):
        def __init__(self, other, mean):
            super().__init__()
            self.other, self.mean = other, mean

        def on_epoch_end(self, epoch, logs=None):
            self.mean.update_state(epoch)

        def on_train_end(self, logs=None):
            seen.append((self.other.stopped_epoch, float(self.mean.result())))

    seen = []
    watches = [Watch(stopper, mean), Watch(stopper, mean)]
    small_mlp(callbacks=[watches[0], stopper, watches[1]]).fit(*digits)
    assert seen == [(1, 0.5)] * 2
    assert stopper.stopped_epoch == 0


def test_a_list_of_callbacks_that_have_run_is_a_list_of_notes(digits, keras):
    class Register(keras.callbacks.Callback):
        def __init__(self, register):
            super().__init__()
            self.register = register

        def on_train_begin(self, logs=None):
            self.register.append(self)

    register = []
    model = small_mlp(epochs=1, callbacks=[Register(register)])
    for _ in range(3):
        model.fit(*digits)
    assert len({id(callback) for callback in register}) == 3


def test_a_method_of_its_own_that_a_callback_holds_is_that_of_the_fit(digits, keras):
    class Own(keras.callbacks.Callback):
        def __init__(self):
            super().__init__()
            self.on_epoch_end = self.note

        def note(self, epoch, logs=None):
            seen.append(self.model is not None)

    seen = []
    small_mlp(epochs=2, callbacks=[Own()]).fit(*digits)
    assert seen == [True, True]


def test_hooks_of_an_instance_reach_a_bar_on_the_screen(digits, keras):
    """As in the callback of tqdm, which does not call the constructor of Keras."""

    class Bar(Client):
        def update(self, n):
            self.send(n)

    class BarCallback(keras.callbacks.Callback):
        def __init__(self, bar):
            self.bar = bar
            self.on_epoch_end = self.updating(bar)
            self.on_train_batch_end = self.updating(bar)

        @staticmethod
        def updating(bar):
            return lambda step, logs=None: bar.update(step)

        def on_train_end(self, logs=None):
            self.bar.update(self.params["epochs"])

    bar = Bar()
    model = small_mlp(epochs=1, batch_size=100, callbacks=[BarCallback(bar)])
    clone(model).fit(*digits)
    assert bar.sent == [0, 1, 2, 0, 1]


def test_a_callback_of_keras_may_have_served_keras_before(digits, keras, tmp_path):
    X, y = digits
    used = keras.callbacks.CSVLogger(tmp_path / "log.csv")
    network = keras.Sequential([keras.Input((64,)), keras.layers.Dense(10, "softmax")])
    network.compile("sgd", "sparse_categorical_crossentropy")
    network.fit(X, y, callbacks=[used], verbose=0)  # leaves a closed file
    used.lock = threading.Lock()
    model = small_mlp(callbacks=[used]).fit(X, y)
    written = (tmp_path / model.fit_id_ / "log.csv").read_text()
    assert len(written.splitlines()) == 1 + 3


@pytest.mark.parametrize("path", ["log.csv", "run-{fit}.csv"])
def test_a_function_that_returns_one_callback_gets_a_path_for_each_fit(
    path, digits, keras, tmp_path
):
    logger = keras.callbacks.CSVLogger(tmp_path / "logs" / path)
    model = small_mlp(epochs=1, callbacks=[lambda: logger])
    fit_ids = [model.fit(*digits).fit_id_ for _ in range(3)]
    name = "{}/log.csv" if path == "log.csv" else "run-{}.csv"
    written = {str(p) for p in (tmp_path / "logs").rglob("*.csv")}
    assert written == {str(tmp_path / "logs" / name.format(i)) for i in fit_ids}


def test_a_fit_that_never_begins_leaves_no_folder(digits, keras, tmp_path):
    logger = keras.callbacks.CSVLogger(str(tmp_path / "log.csv"))
    model = KerasImageClassifier(builder=lambda *shape: 1 / 0, callbacks=[logger])
    with pytest.raises(ZeroDivisionError):
        model.fit(*digits)
    assert list(tmp_path.iterdir()) == []


def test_a_list_in_place_of_a_default_is_of_one_fit(digits, keras):
    class StopAtThree(keras.callbacks.Callback):
        def __init__(self, seen=None):
            super().__init__()
            self.seen = [] if seen is None else seen

        def on_epoch_end(self, epoch, logs=None):
            self.seen.append(epoch)
            if len(self.seen) == 3:
                self.model.stop_training = True

    model = small_mlp(epochs=5, callbacks=[StopAtThree()])
    assert [model.fit(*digits).n_iter_ for _ in range(3)] == [3, 3, 3]


def test_in_a_grid_functions_make_callbacks_that_reach_the_outside(digits, keras):
    class Recorder(keras.callbacks.Callback):
        def __init__(self, log):
            super().__init__()
            self.log = log

        def on_epoch_end(self, epoch, logs=None):
            self.log.append(epoch)

    logs = [], []
    makers = [[lambda log=log: Recorder(log)] for log in logs]
    search = GridSearchCV(small_mlp(epochs=2), {"callbacks": makers}, cv=2, refit=False)
    search.fit(*digits)
    assert list(logs) == [[0, 1] * 2] * 2
