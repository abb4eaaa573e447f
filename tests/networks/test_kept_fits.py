"""Fits that a memory keeps are loaded, and all that they depend on is noticed."""

import functools
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skmnist import (
    Augmentation,
    ImageScaler,
    KerasCNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._configuration import report_epochs
from skmnist.classifiers._memory import Trained
from skmnist.classifiers._trainer import NetworkTrainer
from skmnist.datasets import load_digits
from skmnist.persistence import load_model, save_model
from skmnist.pipelines import make_model


@pytest.fixture(scope="module")
def data():
    X, y = load_digits(return_X_y=True)
    return X[:200] / 255, y[:200]


@pytest.fixture
def trained(monkeypatch):
    """The numbers of epochs that were trained, fit by fit."""
    made, train = [], NetworkTrainer._fit_network

    def recording(self, *arguments):
        made.append(arguments[-2])
        return train(self, *arguments)

    monkeypatch.setattr(NetworkTrainer, "_fit_network", recording)
    return made


@pytest.fixture
def asked(monkeypatch):
    """The numbers of epochs of the fits that are not found; nothing is trained."""
    made = []

    def pretend(self, *arguments):
        made.append(arguments[-2])
        history = {"loss": [0.0] * arguments[-2]}
        return Trained([], None, history, self._training)

    monkeypatch.setattr(NetworkTrainer, "_fit_network", pretend)
    return made


def small_mlp(**params):
    return KerasMLPClassifier(
        **{"units": 8, "epochs": 2, "batch_size": 64, "random_state": 0, **params}
    )


def assert_same(one, other, X):
    np.testing.assert_array_equal(one.predict_proba(X), other.predict_proba(X))
    assert one.history_ == other.history_
    assert one.n_iter_ == other.n_iter_


@pytest.mark.parametrize("kind", [str, Path])
def test_a_fit_is_made_once(kind, data, trained, tmp_path):
    X, y = data
    memory = kind(tmp_path / "runs")
    first = small_mlp(memory=memory).fit(X, y)
    second = small_mlp(memory=memory).fit(X.tolist(), y)
    assert trained == [2]
    assert_same(second, first, X)
    assert_same(second, small_mlp().fit(X, y), X)
    assert_same(second.partial_fit(X, y), first.partial_fit(X, y), X)


CHANGES = {
    "units": {"units": 9},
    "dropout": {"dropout": 0.1},
    "activation": {"activation": "tanh"},
    "optimizer": {"optimizer": "sgd"},
    "configuration": {"optimizer": {"class_name": "adam", "config": {"beta_1": 0.8}}},
    "learning_rate": {"learning_rate": 0.01},
    "schedule": {"learning_rate_schedule": "cosine"},
    "weight_decay": {"weight_decay": 0.01},
    "ema_momentum": {"ema_momentum": 0.5},
    "label_smoothing": {"label_smoothing": 0.1},
    "augmentation": {"augmentation": Augmentation(rotation=5)},
    "batch_size": {"batch_size": 50},
    "early_stopping": {"early_stopping": True},
    "validation_fraction": {"validation_fraction": 0.2},
    "class_weight": {"class_weight": {0: 2.0}},
    "precision": {"precision": "bfloat16"},
    "random_state": {"random_state": 1},
    "epochs": {"epochs": 1},
}


@pytest.mark.parametrize("name", CHANGES)
def test_other_parameters_are_other_fits(name, data, asked, tmp_path):
    small_mlp(memory=str(tmp_path)).fit(*data)
    small_mlp(memory=str(tmp_path), **CHANGES[name]).fit(*data)
    assert len(asked) == 2


def test_equal_parameters_are_the_same_fit(data, asked, tmp_path):
    for units, rate in (8, 0.5), (np.int64(8), np.float64(0.5)):
        model = small_mlp(units=units, learning_rate=rate, memory=str(tmp_path))
        model.fit(*data)
    assert asked == [2]


def without(pattern):
    """Return an optimizer that excludes variables from weight decay."""
    import keras

    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.5)
    if pattern:
        optimizer.exclude_from_weight_decay(var_names=[pattern])
    return optimizer


def at(rate):
    """Return a function for an optimizer with a function for its learning rate."""
    import keras

    def constant():
        return rate

    return lambda: keras.optimizers.SGD(constant)


def around(momentum):
    """Return an optimizer around another one."""
    import keras

    inner = keras.optimizers.SGD(0.1, momentum=momentum)
    return keras.optimizers.LossScaleOptimizer(inner)


@pytest.mark.parametrize(
    ("make", "values"),
    [(without, ("kernel", None)), (at, (0.1, 1.0)), (around, (0.5, 0.9))],
    ids=["exclusion", "function", "inner"],
)
def test_optimizers_are_told_apart(make, values, data, asked, tmp_path):
    for value in [*values, *values]:
        small_mlp(optimizer=make(value), memory=str(tmp_path)).fit(*data)
    assert asked == [2, 2]


@pytest.mark.parametrize("what", ["loop", "policy", "precision"])
def test_other_surroundings_are_other_fits(what, data, asked, tmp_path, monkeypatch):
    import keras

    model = KerasCNNClassifier(filters=(2,), kernel_size=3, random_state=0)
    model.set_params(memory=str(tmp_path), epochs=2)
    policy = keras.config.dtype_policy()
    X = data[0].reshape(-1, 8, 8)
    quick = "skmnist._training.loops.bfloat16_is_quick"
    monkeypatch.setattr(quick, lambda: False)
    model.fit(X, data[1])
    if what == "loop":
        monkeypatch.setenv("SKMNIST_KERAS_LOOP", "1")
    elif what == "precision":
        monkeypatch.setattr(quick, lambda: True)
    else:
        keras.config.set_dtype_policy("mixed_bfloat16")
    try:
        for _ in range(2):
            model.fit(X, data[1])
    finally:
        keras.config.set_dtype_policy(policy)
    assert asked == [2, 2]


def test_fits_without_a_seed_are_not_kept(data, asked, tmp_path):
    for _ in range(2):
        small_mlp(random_state=None, memory=str(tmp_path)).fit(*data)
    assert asked == [2, 2]
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize("what", ["pixels", "labels", "weights", "validation", "order"])
def test_other_data_are_other_fits(what, data, asked, tmp_path):
    X, y = data
    small_mlp(memory=str(tmp_path)).fit(X, y)
    options = {}
    if what == "pixels":
        X = X + np.finfo(np.float32).eps * (np.arange(X.size) == 99).reshape(X.shape)
    elif what == "labels":
        y = np.where(np.arange(len(y)) == 7, (y + 1) % 10, y)
    elif what == "order":
        X, y = X[::-1], y[::-1]
    elif what == "weights":
        options = {"sample_weight": np.arange(len(y)) + 1.0}
    else:
        options = {"X_val": X[:50], "y_val": y[:50]}
    small_mlp(memory=str(tmp_path)).fit(X, y, **options)
    assert len(asked) == 2


def test_other_versions_are_other_fits(data, asked, tmp_path, monkeypatch):
    small_mlp(memory=str(tmp_path)).fit(*data)
    monkeypatch.setattr("skmnist._provenance._version", lambda package: "99")
    small_mlp(memory=str(tmp_path)).fit(*data)
    assert asked == [2, 2]


BUILDER = """
import keras

def build(input_shape, n_classes):
    flat, hidden = keras.layers.Flatten(), keras.layers.Dense(WIDTH, "relu")
    outputs = keras.layers.Dense(n_classes, "softmax")
    return keras.Sequential([keras.Input(input_shape), flat, hidden, outputs])
"""


def builder_of(width):
    """Return a builder that can be neither imported nor read."""
    names = {}
    exec(BUILDER.replace("WIDTH", str(width)), names)
    return names["build"]


def decorated(width):
    build = builder_of(width)

    @functools.wraps(build)
    def wrapper(*arguments):
        return build(*arguments)

    return wrapper


class CallableBuilder:
    def __init__(self, width):
        self.width = width

    def __call__(self, input_shape, n_classes):
        return builder_of(self.width)(input_shape, n_classes)


@pytest.mark.parametrize("make", [builder_of, decorated, CallableBuilder])
def test_builders_are_told_apart_by_their_code(make, data, trained, tmp_path):
    for width in 4, 15, 4:
        model = KerasImageClassifier(
            builder=make(width), epochs=1, random_state=0, memory=str(tmp_path)
        )
        model.fit(*data)
        assert len(model._network.weights[1]) == width
    assert trained == [1, 1]


SCRIPT = (
    BUILDER.replace("n_classes", "n_classes, width", 1).replace("WIDTH", "width")
    + """
if __name__ == "__main__":
    import sys
    from sklearn.model_selection import GridSearchCV
    from skmnist import KerasImageClassifier
    from skmnist.datasets import load_digits

    X, y = load_digits(return_X_y=True)
    model = KerasImageClassifier(
        builder=build, epochs=1, random_state=0, memory="fits"
    )
    grid = {"builder_params__width": [2, 3]}
    search = GridSearchCV(model, grid, cv=2, refit=False, error_score="raise")
    search.set_params(n_jobs=int(sys.argv[1])).fit(X[:200], y[:200])
"""
)


def test_builders_of_scripts_are_kept(tmp_path):
    """Workers know a script by another name."""
    (tmp_path / "script.py").write_text(SCRIPT)
    (tmp_path / "fits").mkdir()
    times = []
    for n_jobs in "2", "1":
        command = [sys.executable, "script.py", n_jobs]
        subprocess.run(command, cwd=tmp_path, check=True)
        found = (tmp_path / "fits").iterdir()
        times.append({path: path.stat().st_mtime_ns for path in found})
    assert len(times[0]) == 4
    assert times[0] == times[1]


def test_functions_are_told_apart_by_what_they_make(data, asked, tmp_path):
    import keras

    for rate in 0.1, 0.2, 0.1:
        small_mlp(
            optimizer=lambda rate=rate: keras.optimizers.SGD(rate),
            memory=str(tmp_path),
        ).fit(*data)
    assert asked == [2, 2]


def test_augmented_images_of_other_shapes_are_other_fits(data, asked, tmp_path):
    X, y = data
    augmentation = Augmentation(rotation=20)
    for shape in (8, 8), (4, 16), (8, 8):
        model = small_mlp(augmentation=augmentation, memory=str(tmp_path))
        model.fit(X.reshape(-1, *shape), y)
    assert asked == [2, 2]


CONTINUED = {
    "dropout": {"dropout": 0.4},
    "normalization": {"batch_normalization": True},
    "validation": {"validation_fraction": 0.2},
    "augmentation": {"augmentation": Augmentation(rotation=9)},
    "weight decay": {"weight_decay": 0.1},
    "momentum": {"optimizer": {"class_name": "SGD", "config": {"momentum": 0.9}}},
}


@pytest.mark.parametrize("name", CONTINUED)
def test_longer_fits_continue_shorter_ones(name, data, trained, tmp_path):
    """To the bit, as if trained in one piece."""
    params = CONTINUED[name]
    for epochs in 1, 3, 6:
        model = small_mlp(memory=str(tmp_path), epochs=epochs, **params).fit(*data)
    assert trained == [1, 2, 3]
    assert_same(model, small_mlp(epochs=6, **params).fit(*data), data[0])


def test_convolutional_networks_continue(data, trained, tmp_path):
    X, y = data[0].reshape(-1, 8, 8), data[1]
    params = {"filters": (2, 3), "padding": "same", "units": 4, "random_state": 0}
    for epochs in 1, 2:
        model = KerasCNNClassifier(epochs=epochs, memory=str(tmp_path), **params)
        model.fit(X, y)
    assert trained == [1, 1]
    assert_same(model, KerasCNNClassifier(epochs=2, **params).fit(X, y), X)


AROUND_AVERAGES = {
    "class_name": "LossScaleOptimizer",
    "config": {
        "inner_optimizer": {
            "module": "keras.optimizers",
            "class_name": "Adam",
            "config": {"learning_rate": 0.01, "use_ema": True, "ema_momentum": 0.9},
            "registered_name": None,
        }
    },
}


@pytest.mark.parametrize(
    "params",
    [
        {"learning_rate_schedule": "one_cycle"},
        {"early_stopping": True},
        {"ema_momentum": 0.5},
        {"optimizer": {"class_name": "adam", "config": {"use_ema": True}}},
        {"optimizer": AROUND_AVERAGES},
    ],
    ids=[
        "schedule",
        "early stopping",
        "averages",
        "of an optimizer",
        "of an inner one",
    ],
)
def test_fits_that_cannot_continue_begin_anew(params, data, trained, tmp_path):
    for epochs in 1, 3:
        model = small_mlp(memory=str(tmp_path), epochs=epochs, **params).fit(*data)
    assert trained == [1, 3]
    assert_same(model, small_mlp(epochs=3, **params).fit(*data), data[0])


@pytest.mark.parametrize("damage", ["cut", "changed", "empty"])
def test_damaged_files_are_replaced(damage, data, trained, tmp_path):
    X, y = data
    first = small_mlp(memory=str(tmp_path)).fit(X, y)
    (path,) = tmp_path.rglob("*.fit")
    content = bytearray(path.read_bytes())
    if damage == "changed":
        weights = first._network.weights[0].tobytes()
        content[content.index(weights) + 5] ^= 255
    else:
        del content[len(content) // 2 if damage == "cut" else 0 :]
    path.write_bytes(content)
    with pytest.warns(UserWarning, match="is damaged and will be replaced"):
        second = small_mlp(memory=str(tmp_path)).fit(X, y)
    assert trained == [2, 2]
    assert_same(second, first, X)
    small_mlp(memory=str(tmp_path)).fit(X, y)
    assert trained == [2, 2]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_searches_have_the_same_results(n_jobs, data, tmp_path):
    X, y = data
    grid = {"clf__epochs": [1, 2], "clf__units": [4, 8]}

    def search(**params):
        model = make_pipeline(ImageScaler(data_range=(0, 1)), small_mlp(**params))
        model.steps[-1] = ("clf", model[-1])
        return GridSearchCV(model, grid, cv=2, n_jobs=n_jobs).fit(X, y)

    results = [search().cv_results_]
    results += [search(memory=str(tmp_path)).cv_results_ for _ in range(2)]
    for name in results[0]:
        if not name.endswith("_time"):
            for other in results[1:]:
                np.testing.assert_array_equal(other[name], results[0][name])
    # 4 candidates in 2 folds, and the best one on all data.
    assert len([*tmp_path.rglob("*.fit")]) == 9


def test_a_training_that_was_ended_is_not_kept(data, trained, tmp_path):
    X, y = data
    model = make_model("mlp_512", units=8, epochs=3, random_state=0)
    model[-1].set_params(memory=str(tmp_path))
    report_epochs(model, lambda n_done, n_epochs, logs: n_done == 2)
    assert model.fit(X, y)[-1].n_iter_ == 2
    for _ in range(2):  # ended after the last one, which changes nothing
        report_epochs(model, lambda n_done, n_epochs, logs: n_done == 3)
        assert model.fit(X, y)[-1].n_iter_ == 3
    assert trained == [3, 3]


def test_callbacks_and_a_memory_exclude_each_other(data, tmp_path):
    model = small_mlp(memory=str(tmp_path), callbacks=[print])
    with pytest.raises(ValueError, match="memory does not go with callbacks"):
        model.fit(*data)


def test_safe_files_do_not_lead_to_pickles(data, tmp_path):
    model = small_mlp(memory=str(tmp_path / "runs")).fit(*data)
    with pytest.warns(UserWarning, match="does not keep memory="):
        save_model(model, tmp_path / "model.safetensors")
    assert load_model(tmp_path / "model.safetensors").memory is None
