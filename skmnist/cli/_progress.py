"""How far a command is: a bar on a terminal, now and then a line in a pipe."""

import time
from collections import Counter
from statistics import median

from rich.console import Console, ConsoleDimensions, Group
from rich.live import Live
from rich.measure import Measurement
from rich.progress import (
    Progress,
    ProgressColumn,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.segment import Segment
from rich.table import Column
from rich.text import Text

from skmnist._numbers import clock, counted, duration, percent
from skmnist.cli._messages import note

QUIET_SECONDS = 5.0  # at least, between two lines in a pipe that are not results


class _ProgressConsole(Console):
    """Leaves room at the right for the ^C that a terminal echoes.

    It would otherwise begin a new line, and the lines of a bar be counted wrongly
    when they are erased.
    """

    @property
    def size(self):
        width, height = super().size
        return ConsoleDimensions(max(width - 4, 1), height)


def stderr_console():
    """Make a console for progress."""
    return _ProgressConsole(stderr=True, highlight=False)


def fit_progress(title, n_models, n_folds, ranked=False):
    """Make a display of the fits of a comparison.

    A context manager with the methods ``fitted(name, n_done, n_total)``, ``epoch(name,
    n_done, n_epochs)`` and ``finished(scores)``. With `ranked`, a terminal shows the
    table of the finished models above the bar.
    """
    console = stderr_console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _FitBar(console, title, n_models, n_folds, ranked)
    return _FitLines(title, n_models, n_folds)


def epoch_progress(title, name, n_epochs=None):
    """Make a display of the epochs of one fit; `n_epochs` is None if it has none.

    A context manager with the method ``epoch(n_done, n_epochs, logs)``.
    """
    console = stderr_console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _EpochBar(console, title, n_epochs)
    return _EpochLines(title, name)


class _FitBar:
    """A bar over all fits, and above it the table of the models so far."""

    def __init__(self, console, title, n_models, n_folds, ranked):
        n_fits = n_models * n_folds
        self._bar = make_bar(console)
        self._task = self._bar.add_task(
            title, total=n_fits, count=f"0 of {counted(n_fits, 'fit')}"
        )
        self._folds = _Folds(n_folds)
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
        self._folds.done(name)
        self._bar.update(
            self._task,
            description=f"{name} done",
            total=n_total,
            completed=n_done,
            count=f"{n_done} of {counted(n_total, 'fit')}",
        )

    def epoch(self, name, n_done, n_epochs):
        self._bar.update(
            self._task,
            # The name comes last: it is the part that a narrow terminal cuts off.
            description=f"{self._folds.under_way(name, short=True)}"
            f"epoch {n_done}/{n_epochs} of {name}",
            # The scores have yet to be computed when the last epoch is done.
            completed=self._n_done + 0.95 * n_done / n_epochs,
        )

    def finished(self, scores):
        self._scores.append(scores)
        if self._ranked:
            from skmnist.evaluation import comparison_table
            from skmnist.report._comparison import models_table
            from skmnist.report._documents import comparison_rows
            from skmnist.report._terminal import table_view

            rows = comparison_rows(comparison_table(self._scores))
            drawn = table_view(models_table(rows, ""))(self._live.console.width)
            self._live.update(Group(drawn, "", self._bar))


class _Folds:
    """Counts the folds of every model that are done."""

    def __init__(self, n_folds):
        self._n_folds = n_folds
        self._n_done = Counter()

    def done(self, name):
        """Count one more fold; return what to say of the model's folds."""
        self._n_done[name] += 1
        if self._n_folds == 1:
            return ""
        return f"{self._n_done[name]} of {self._n_folds} folds, "

    def under_way(self, name, short=False):
        """Return what to say of the fold that is being fitted, one after another."""
        if self._n_folds == 1:
            return ""
        fold = self._n_done[name] + 1
        return f"fold {fold}, " if short else f"fold {fold} of {self._n_folds}, "


class _FitLines:
    """A line for each model, and between them one when a fit takes long."""

    def __init__(self, title, n_models, n_folds):
        self._title = title
        self._n_models = n_models
        self._folds = _Folds(n_folds)
        self._n_finished = 0
        self._due = 0.0

    def __enter__(self):
        note(self._title)
        self._due = time.monotonic() + QUIET_SECONDS
        return self

    def __exit__(self, *error):
        pass

    def fitted(self, name, n_done, n_total):
        folds = self._folds.done(name)
        self._say_if_due(f"{name}: {folds}{n_done} of {counted(n_total, 'fit')} done")

    def epoch(self, name, n_done, n_epochs):
        fold = self._folds.under_way(name)
        self._say_if_due(f"{name}: {fold}epoch {n_done} of {n_epochs}")

    def finished(self, scores):
        self._n_finished += 1
        if scores.failed:
            result = f"failed, {scores.error_message}"
        else:
            result = f"accuracy {percent(scores.accuracy)}, "
            if scores.n_found == len(scores.fit_times):
                result += "of an earlier run"
            else:
                result += f"{duration(median(scores.fit_times))} a fit"
        self._say(f"[{self._n_finished}/{self._n_models}] {scores.name}: {result}")

    def _say_if_due(self, text):
        if time.monotonic() >= self._due:
            self._say(text)

    def _say(self, text):
        note(text)
        self._due = time.monotonic() + QUIET_SECONDS


class _EpochBar:
    """A bar over the epochs of a fit; for a model without epochs, a turning sign."""

    def __init__(self, console, title, n_epochs):
        self._bar = make_bar(console, transient=True, measured=n_epochs is not None)
        count = "" if n_epochs is None else f"0 of {counted(n_epochs, 'epoch')}"
        self._task = self._bar.add_task(title, total=n_epochs, count=count)

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
            count=f"{n_done} of {counted(n_epochs, 'epoch')}",
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


def make_bar(console, transient=False, measured=True):
    # Wide enough for most, so that the bar does not jump. It gives way, too, before
    # anything else does.
    text = Column(min_width=min(30, console.width // 3))
    return Progress(
        _Description(text),
        _Bar(Column(ratio=1, width=8)) if measured else SpinnerColumn("line"),
        TextColumn("{task.fields[count]}", table_column=Column(no_wrap=True)),
        TimeElapsedColumn(Column(no_wrap=True)),
        _TimeLeft(),
        console=console,
        transient=transient,
        expand=True,
        refresh_per_second=4,
    )


class _Description(ProgressColumn):
    """What is under way, cut off where there is no room."""

    def render(self, task):
        return Text(task.description, no_wrap=True, overflow="ellipsis")


class _Bar(ProgressColumn):
    """A bar as wide as there is room, whose two parts differ without colours too."""

    def render(self, task):
        return _BarShape(task.percentage / 100)


class _BarShape:
    def __init__(self, share):
        self._share = share

    def __rich_console__(self, console, options):
        done, rest = "=-" if options.ascii_only else "━─"
        n_done = round(self._share * options.max_width)
        yield Segment(done * n_done, console.get_style("bar.complete"))
        yield Segment(rest * (options.max_width - n_done), console.get_style("dim"))

    def __rich_measure__(self, console, options):
        return Measurement(4, options.max_width)


class _TimeLeft(ProgressColumn):
    """Counts down to the end that the steps so far make likely.

    What goes before the first step (loading, and building of graphs) is left out.
    The column of rich looks at the last steps only, and stands still between two of
    them, which can be minutes here.
    """

    def __init__(self):
        # An empty column would count as 1 wide in one place of rich, and 0 in another.
        super().__init__(table_column=Column(no_wrap=True, min_width=1))
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
