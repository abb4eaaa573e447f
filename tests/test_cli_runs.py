"""The runs of a reproduction: how they are trained, kept, found and counted."""

import json
import os
from contextlib import nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from test_cli_reproduction import VERSIONS, made_up

from skmnist.cli._errors import Failure
from skmnist.cli._image_sets import ImageSet
from skmnist.cli._reproduction import reproduce
from skmnist.cli._run_files import RunFolder
from skmnist.cli._runs import make_plan
from skmnist.pipelines import make_model


@pytest.fixture
def images():
    """Make 5×5 images whose brightness tells the label, with noise."""
    rng = np.random.default_rng(0)
    y = np.arange(80) % 2
    X = (rng.integers(0, 150, (80, 25)) + 60 * y[:, None]).astype(np.uint8)
    return ImageSet("small", "", (5, 5), X[:60], y[:60], X[60:], y[60:])


@pytest.fixture
def folder(tmp_path, images):
    folder = RunFolder(tmp_path / "runs", images, VERSIONS)
    folder.check()
    return folder


class Progress:
    """Notes what it is told of."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        if name == "epoch":
            return lambda *args: None
        return lambda told: self.told.append((name, told))


@pytest.fixture
def progress():
    return Progress()


def plan_of(name, images, seeds=(7, 8)):
    return make_plan([name], [], images, seeds=seeds, quick=True)


def test_a_seed_is_that_of_the_training(images, folder, progress):
    plan = plan_of("mlp_784", images)
    results = reproduce(plan, images, folder, lambda _: nullcontext(progress)).results
    first, second = (results[run] for run in plan.runs)
    assert first["history"]["loss"] != second["history"]["loss"]
    for run in plan.runs:
        model = make_model(
            "mlp_784",
            epochs=2,
            precision="float32",
            validation_fraction=0.1,
            random_state=run.seed,
        ).fit(images.X, images.y)
        assert results[run]["history"] == model[-1].history_
        accuracy = model.score(images.X_test, images.y_test)
        assert results[run]["accuracy"] == pytest.approx(accuracy)


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: text.replace("0.75", "NaN"),
        lambda text: text.replace("0.75", "7.5"),
        lambda text: text.replace('"n_epochs": 20', '"n_epochs": -3'),
        lambda text: text.replace('"history": {}', '"history": {"loss": [1.0]}'),
        lambda text: "[" * 100_000,
        lambda text: text.replace("75", "75" * 5_000),
        lambda text: text.replace('"sha256"', '"sha512"'),
    ],
    ids=["nan", "out of range", "negative", "curve", "nested", "long", "no checksum"],
)
def test_a_file_that_was_changed_is_no_finished_run(images, folder, capsys, damage):
    run, _ = plan_of("mlp_512", images).runs
    folder.keep(run, made_up(0.75))
    path = folder.path(run)
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    assert folder.find(run) is None
    assert folder.find(run) is None
    (line,) = capsys.readouterr().err.splitlines()
    assert f"{path} is damaged and will be replaced" in line
    folder.keep(run, made_up(0.5))
    assert folder.find(run) == made_up(0.5)


def test_a_file_appears_when_it_is_whole(images, folder, monkeypatch):
    run, _ = plan_of("mlp_512", images).runs
    path = folder.path(run)

    def fail(source, target):
        # All is written, and nothing is to be seen of it yet.
        assert json.loads(source.read_text())["result"] == made_up(0.75)
        assert not path.exists()
        raise OSError(5, "Input/output error")

    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", fail)
        with pytest.raises(Failure, match="Input/output error"):
            folder.keep(run, made_up(0.75))
    assert list(folder.folder.iterdir()) == []
    assert folder.find(run) is None


def test_an_infinite_loss_on_the_way_is_kept_as_none(
    images, folder, progress, monkeypatch
):
    plan = plan_of("mlp_784", images, seeds=(7,))

    def evaluate(model, X, y):
        model[-1].history_["val_loss"] = [np.inf, 0.5]
        model[-1].history_["loss"][0] = np.nan
        return SimpleNamespace(accuracy=0.9, n_right=18, log_loss=0.3, n=20)

    monkeypatch.setattr("skmnist.evaluation.evaluate", evaluate)
    reproduction = reproduce(plan, images, folder, lambda _: nullcontext(progress))
    (result,) = reproduction.results.values()
    assert result["history"]["val_loss"] == [None, 0.5]
    assert result["history"]["loss"][0] is None
    assert folder.find(plan.runs[0]) == result


@pytest.mark.parametrize(
    ("name", "package", "counts"),
    [
        ("mlp_512", "numpy", True),
        ("mlp_784", "numpy", True),
        ("mlp_784", "scikit-learn", True),
        ("mlp_512", "scikit-learn", False),  # nothing is set aside
        ("mlp_784", "python", False),
    ],
)
def test_versions_count_where_they_can_change_the_result(
    tmp_path, images, name, package, counts
):
    versions = {**VERSIONS, "numpy": "2", "scikit-learn": "1"}
    run, _ = plan_of(name, images).runs
    paths = {
        RunFolder(tmp_path, images, found).path(run)
        for found in (versions, versions | {package: "9"})
    }
    assert (len(paths) == 2) == counts
