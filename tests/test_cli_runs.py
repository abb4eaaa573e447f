"""The runs of a reproduction: how they are trained, kept, found and counted."""

import io
import json
import os
import re
import subprocess
import sys
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace

import numpy as np
import pytest
from matplotlib.figure import Figure
from rich.console import Console
from test_cli_reproduction import VERSIONS, made_up

from skmnist.cli._run_progress import _RunBar, run_progress
from skmnist.datasets._image_sets import ImageSet
from skmnist.pipelines import make_model
from skmnist.report import _reproduction as report
from skmnist.reproduction._plan import make_plan
from skmnist.reproduction._run import run_plan
from skmnist.reproduction._store import RunFolder


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
    """Notes the calls that it gets."""

    def __init__(self):
        self.told = []

    def __getattr__(self, name):
        if name == "epoch":
            return lambda *args: None
        return lambda *told: self.told.append((name, told))


@pytest.fixture
def progress():
    return Progress()


def plan_of(name, images, seeds=(7, 8)):
    return make_plan([name], [], images, seeds=seeds, quick=True)


def test_a_seed_is_that_of_the_training(images, folder, progress):
    plan = plan_of("mlp_784", images)
    results = run_plan(plan, images, folder, lambda _: nullcontext(progress)).results
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
def test_a_file_that_was_changed_is_no_finished_run(images, folder, damage):
    run, _ = plan_of("mlp_512", images).runs
    folder.keep(run, made_up(0.75))
    path = folder.path(run)
    damaged = damage(path.read_text())
    assert damaged != path.read_text()
    path.write_text(damaged)
    expected = f"{re.escape(str(path))} is damaged and will be replaced"
    with pytest.warns(UserWarning, match=expected):
        assert folder.find(run) is None
    assert folder.find(run) is None  # and once is enough to say so
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
        with pytest.raises(OSError, match="Input/output error"):
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

    monkeypatch.setattr("skmnist.reproduction._run.evaluate", evaluate)
    reproduction = run_plan(plan, images, folder, lambda _: nullcontext(progress))
    (result,) = reproduction.results.values()
    assert result["history"]["val_loss"] == [None, 0.5]
    assert result["history"]["loss"][0] is None
    assert folder.find(plan.runs[0]) == result


def test_what_another_command_has_made_in_the_meantime_is_found(
    images, folder, progress, monkeypatch
):
    plan = plan_of("mlp_512", images, seeds=(7, 8, 9))
    trained = []

    def train(run, *args):
        trained.append(run.seed)
        if run.seed == 7:  # meanwhile
            folder.keep(plan.runs[1], made_up(0.25))
        return made_up(0.75)

    monkeypatch.setattr("skmnist.reproduction._run._train", train)
    reproduction = run_plan(plan, images, folder, lambda _: nullcontext(progress))
    assert trained == [7, 9]
    assert (reproduction.n_trained, reproduction.n_earlier) == (2, 1)
    results = [reproduction.results[run]["accuracy"] for run in plan.runs]
    assert results == [0.75, 0.25, 0.75]
    assert [name for name, _ in progress.told] == [
        *("started", "finished"),
        *("started", "found"),
        *("started", "finished"),
    ]


def test_a_run_counts_when_it_is_told(images, folder, monkeypatch):
    class Interrupting(Progress):
        def finished(self, result):
            raise KeyboardInterrupt

    plan = plan_of("mlp_512", images, seeds=(7, 8))
    monkeypatch.setattr(
        "skmnist.reproduction._run._train", lambda run, *args: made_up(0.75)
    )
    reproduction = run_plan(plan, images, folder, lambda _: nullcontext(Interrupting()))
    assert reproduction.interrupted
    assert list(reproduction.results) == plan.runs[:1]
    assert reproduction.n_trained == 1


# Locks a file until its input ends.
LOCK = """
import sys
from filelock import FileLock
with FileLock(sys.argv[1], timeout=0):
    print("locked", flush=True)
    sys.stdin.read()
"""


@contextmanager
def claimed_elsewhere(folder, run):
    """Let another process claim a run; give a function that kills it."""
    command = [sys.executable, "-c", LOCK, folder.path(run).with_suffix(".lock")]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout.readline() == "locked\n"

        def kill():
            process.kill()
            process.wait()

        yield kill
        process.kill()


def test_a_claim_ends_with_its_process(images, folder):
    one, two = plan_of("mlp_512", images, seeds=(7, 8)).runs
    with claimed_elsewhere(folder, one) as kill:
        with folder.claim(one) as first, folder.claim(two) as second:
            assert (first, second) == (False, True)
        kill()
        with folder.claim(one) as first:
            assert first


def test_nothing_but_runs_stays_in_the_folder(images, folder):
    (run,) = plan_of("mlp_512", images, seeds=(7,)).runs
    with pytest.raises(ZeroDivisionError), folder.claim(run):
        1 / 0  # noqa: B018
    assert list(folder.folder.iterdir()) == []
    with folder.claim(run):
        folder.keep(run, made_up(0.5))
    assert list(folder.folder.iterdir()) == [folder.path(run)]


def test_two_commands_at_once_share_the_runs(images, folder, progress, monkeypatch):
    plan = plan_of("mlp_512", images, seeds=(7, 8))
    trained = []

    def train(run, *args):
        trained.append(run.seed)
        return made_up(0.75)

    def sleep(seconds):
        assert folder.find(plan.runs[0]) is None  # waited for no longer
        folder.keep(plan.runs[0], made_up(0.25))  # what the other one was at

    monkeypatch.setattr("skmnist.reproduction._run._train", train)
    monkeypatch.setattr("time.sleep", sleep)
    with claimed_elsewhere(folder, plan.runs[0]):
        reproduction = run_plan(plan, images, folder, lambda _: nullcontext(progress))
    assert trained == [8]
    assert (reproduction.n_trained, reproduction.n_earlier) == (1, 1)
    assert [name for name, _ in progress.told if name != "started"] == [
        "postponed",
        "finished",
        "postponed",
        "found",
    ]


@pytest.fixture
def clock(monkeypatch):
    """A clock that is set by hand."""
    clock = SimpleNamespace(now=100.0)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    return clock


def test_the_time_left_is_that_of_the_work_left(clock, capsys):
    with run_progress("title", [1.0, 2.0, 3.0]) as progress:
        progress.started("first")
        clock.now += 30
        progress.finished(made_up(0.5))
        progress.started("second")
        clock.now += 30
        progress.epoch(1, 2, {})
        clock.now += 30
        progress.finished(made_up(0.5))
        progress.started("third")
        clock.now += 90
        progress.finished(made_up(0.5))
    title, first, epoch, second, third = capsys.readouterr().err.splitlines()
    assert title == "title"
    assert first == ("[1/3] first: accuracy 50.00 %, 1 min 30 s; about 0:02:30 left")
    # Of the second run 0.98 is done in epochs.
    assert epoch == "second: epoch 1 of 2; about 0:02:02 left"
    assert second.endswith("; about 0:01:30 left")
    assert "left" not in third


def test_what_is_found_takes_no_time(clock, capsys):
    with run_progress("title", [8.0, 1.0, 8.0, 1.0]) as progress:
        progress.started("first")
        progress.found(made_up(0.5))
        progress.started("second")
        clock.now += 30
        progress.finished(made_up(0.5))
        progress.started("third")
        progress.found(made_up(0.5))
    _, first, second, third = capsys.readouterr().err.splitlines()
    assert first == "[1/4] first: accuracy 50.00 %, trained by another command"
    assert second.endswith("; about 0:04:30 left")
    assert third.endswith("trained by another command; about 0:00:30 left")


def test_what_is_postponed_comes_last_and_is_told_of_once(clock, capsys):
    with run_progress("title", [8.0, 1.0]) as progress:
        progress.started("long")
        progress.postponed()
        progress.started("short")
        clock.now += 10
        progress.finished(made_up(0.5))
        progress.started("long")
        progress.postponed()
        progress.started("long")
    _, postponed, short = capsys.readouterr().err.splitlines()
    assert postponed == "long: another command is training it, so it comes later"
    assert short.endswith("; about 0:01:20 left")


def test_the_bar_counts_what_is_left_to_train():
    console = Console(file=io.StringIO(), force_terminal=True)
    with _RunBar(console, "title", [3.0, 1.0]) as progress:
        (task,) = progress._bar.tasks
        progress.started("first")
        progress.found(made_up(0.5))
        assert (task.completed, task.total) == (0, 1)
        progress.started("second")
        progress.finished(made_up(0.5))
        assert (task.completed, task.total) == (1, 1)
    assert "trained by another command" in console.file.getvalue()


def test_the_figure_shows_differences_with_their_errors(monkeypatch):
    drawn = {}
    monkeypatch.setattr(
        report, "draw", lambda plot, *args, **texts: drawn.update(plot=plot)
    )
    rows = [
        {"name": "better", "difference": 0.0013, "accuracy_sd": 0.0006},
        {"name": "worse", "difference": -0.004, "accuracy_sd": 0.002},
        {"name": "once", "difference": 0.001, "accuracy_sd": None},
    ]
    report._difference_figure(rows, 0.002)
    ax = Figure().add_subplot()
    drawn["plot"](ax)
    (container,) = ax.containers
    points, _, (bars,) = container
    names = dict(enumerate(tick.get_text() for tick in ax.get_yticklabels()))
    shown = {}
    for x, y, bar in zip(
        *points.get_data(orig=False), bars.get_segments(), strict=True
    ):
        shown[names[y]] = [x, *bar[:, 0]]
    assert list(shown) == ["once", "worse", "better"]  # from below
    assert shown["better"] == pytest.approx([0.13, 0.07, 0.19])
    assert shown["worse"] == pytest.approx([-0.4, -0.6, -0.2])
    assert shown["once"] == pytest.approx([0.1, 0.1, 0.1])


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
