"""How far a command is: a bar on a terminal, now and then a line in a pipe."""

import time
from statistics import median

from rich.console import Group
from rich.live import Live
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Column
from rich.text import Text

from skmnist._numbers import clock, duration, percent
from skmnist.cli._messages import note
from skmnist.cli._tables import stderr_console

QUIET_SECONDS = 5.0  # at least, between two lines in a pipe that are not results


def fit_progress(title, n_models, ranked=None):
    """Make a display of the fits of a comparison.

    Parameters
    ----------
    title : str
        What is being done.
    n_models : int
        How many models there are.
    ranked : callable, default=None
        Makes a table of the ModelScores of the finished models.

    Returns
    -------
    context manager
        With the methods ``fitted(name, n_done, n_total)``,
        ``epoch(name, n_done, n_epochs)`` and ``finished(scores)``.
    """
    console = stderr_console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _FitBar(console, title, ranked)
    return _FitLines(title, n_models)


def epoch_progress(title, name):
    """Make a display of the epochs of one fit.

    Parameters
    ----------
    title : str
        What is being done.
    name : str
        Name of the model.

    Returns
    -------
    context manager
        With the method ``epoch(n_done, n_epochs, logs)``.
    """
    console = stderr_console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _EpochBar(console, title, name)
    return _EpochLines(title, name)


class _FitBar:
    """A bar over all fits, and above it the table of the models so far."""

    def __init__(self, console, title, ranked):
        self._bar = make_bar(console)
        self._task = self._bar.add_task(title, total=None, count="")
        self._ranked = ranked
        self._scores = []
        self._n_done = 0
        self._live = Live(
            self._bar, console=console, transient=True, refresh_per_second=4
        )

    def __enter__(self):
        self._live.__enter__()
        return self

    def __exit__(self, *error):
        self._live.__exit__(*error)

    def fitted(self, name, n_done, n_total):
        self._n_done = n_done
        self._bar.update(
            self._task,
            description=f"{name} done",
            total=n_total,
            completed=n_done,
            count=f"{n_done} of {n_total} fits",
        )

    def epoch(self, name, n_done, n_epochs):
        self._bar.update(
            self._task,
            description=f"{name}, epoch {n_done} of {n_epochs}",
            # The scores have yet to be computed when the last epoch is done.
            completed=self._n_done + 0.95 * n_done / n_epochs,
        )

    def finished(self, scores):
        self._scores.append(scores)
        if self._ranked is not None:
            table = self._ranked(self._scores)(self._live.console.width)
            self._live.update(Group(table, "", self._bar))


class _FitLines:
    """A line for each model, and between them one when a fit takes long."""

    def __init__(self, title, n_models):
        self._title = title
        self._n_models = n_models
        self._n_finished = 0
        self._due = 0.0

    def __enter__(self):
        note(self._title)
        self._due = time.monotonic() + QUIET_SECONDS
        return self

    def __exit__(self, *error):
        pass

    def fitted(self, name, n_done, n_total):
        self._say_if_due(f"{name}: {n_done} of {n_total} fits done")

    def epoch(self, name, n_done, n_epochs):
        self._say_if_due(f"{name}: epoch {n_done} of {n_epochs}")

    def finished(self, scores):
        self._n_finished += 1
        if scores.failed:
            result = f"failed, {scores.error_message}"
        else:
            seconds = duration(median(scores.fit_times))
            result = f"accuracy {percent(scores.accuracy)}, {seconds} a fit"
        self._say(f"[{self._n_finished}/{self._n_models}] {scores.name}: {result}")

    def _say_if_due(self, text):
        if time.monotonic() >= self._due:
            self._say(text)

    def _say(self, text):
        note(text)
        self._due = time.monotonic() + QUIET_SECONDS


class _EpochBar:
    """A bar over the epochs of a fit; for a model without epochs, a moving one."""

    def __init__(self, console, title, name):
        self._name = name
        self._bar = make_bar(console, transient=True)
        self._task = self._bar.add_task(title, total=None, count="")

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *error):
        self._bar.__exit__(*error)

    def epoch(self, n_done, n_epochs, logs):
        self._bar.update(
            self._task,
            total=n_epochs,
            completed=n_done,
            description=_described(logs),
            count=f"epoch {n_done} of {n_epochs}",
        )


class _EpochLines:
    """At most a line an epoch."""

    def __init__(self, title, name):
        self._title = title
        self._name = name
        self._due = 0.0

    def __enter__(self):
        note(self._title)
        return self

    def __exit__(self, *error):
        pass

    def epoch(self, n_done, n_epochs, logs):
        if time.monotonic() >= self._due or n_done == n_epochs:
            note(f"{self._name}: epoch {n_done} of {n_epochs}, {_described(logs)}")
            self._due = time.monotonic() + QUIET_SECONDS


def make_bar(console, transient=False):
    # Wide enough for most, so that the bar does not jump.
    text = Column(no_wrap=True, min_width=min(30, console.width // 3))
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=text),
        BarColumn(bar_width=None),
        TextColumn("{task.fields[count]}", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(),
        _TimeLeft(),
        console=console,
        transient=transient,
        expand=True,
        refresh_per_second=4,
    )


class _TimeLeft(ProgressColumn):
    """Counts down to the end that the steps so far make likely.

    What goes before the first step (loading, and building of graphs) is left out.
    The column of rich looks at the last steps only, and stands still between two of
    them, which can be minutes here.
    """

    def __init__(self):
        super().__init__(table_column=Column(no_wrap=True))
        self._first = self._last = None
        self._end = None

    def render(self, task):
        if not task.total or not task.completed or task.elapsed is None:
            return Text("")
        if self._first is None:
            self._first = self._last = task.completed, task.elapsed
        if task.completed > self._last[0]:
            self._last = task.completed, task.elapsed
            steps, seconds = (
                a - b for a, b in zip(self._last, self._first, strict=True)
            )
            left = task.total - task.completed
            self._end = task.elapsed + left * seconds / steps
        if self._end is None:
            return Text("")
        left = clock(max(self._end - task.elapsed, 0))
        return Text(f"{left} left", style="progress.remaining")


def _described(logs):
    """Loss and accuracy as text, those of the validation data if there are some."""
    prefix, kind = ("val_", "validation ") if "val_loss" in logs else ("", "")
    text = f"{kind}loss {logs.get(f'{prefix}loss', float('nan')):.4f}"
    if f"{prefix}accuracy" in logs:
        text += f", accuracy {percent(logs[f'{prefix}accuracy'])}"
    return text
