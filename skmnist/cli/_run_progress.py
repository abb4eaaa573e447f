"""How far a reproduction is, and how long the rest of it will take."""

import time

from skmnist._numbers import clock, duration, percent
from skmnist.cli._messages import note
from skmnist.cli._progress import QUIET_SECONDS, make_bar, stderr_console

# The test images have yet to be classified when the last epoch is done.
_SHARE_OF_EPOCHS = 0.98


def run_progress(title, works):
    """Make a display of trainings, whose work is given in any one unit.

    See `skmnist.reproduction._run.run_plan` for its methods.
    """
    console = stderr_console()
    if console.is_terminal and not console.is_dumb_terminal:
        return _RunBar(console, title, works)
    return _RunLines(title, works)


class _Runs:
    """Counts runs and their work."""

    def __init__(self, title, works):
        self._title = title
        self._works = list(works)
        self._n_ended = 0
        self._postponed = set()
        self._run = ""

    @property
    def _place(self):
        return f"[{self._n_ended}/{len(self._works)}]"

    def _worked(self, share=0.0):
        """Return the work that is done, with a share of the run under way."""
        done = sum(self._works[: self._n_ended])
        return done + share * self._works[self._n_ended] if share else done

    def started(self, title):
        self._run = title

    def finished(self, result):
        self._end(
            f"accuracy {percent(result['accuracy'])}, {duration(result['fit_time'])}"
        )

    def found(self, result):
        self._works[self._n_ended] = 0.0
        self._end(f"accuracy {percent(result['accuracy'])}, trained by another command")

    def postponed(self):
        self._works.append(self._works.pop(self._n_ended))
        if self._run not in self._postponed:
            self._postponed.add(self._run)
            self._say(f"{self._run}: another command is training it, so it comes later")

    def failed(self, message):
        self._end(f"failed, {message}")

    def _end(self, outcome):
        self._n_ended += 1
        self._say_end(f"{self._place} {self._run}: {outcome}")


class _RunBar(_Runs):
    """A bar over all work, and above it a line for each run that has ended."""

    def __init__(self, console, title, works):
        super().__init__(title, works)
        self._bar = make_bar(console, transient=True)
        self._task = self._bar.add_task(title, total=sum(works), count="")

    def __enter__(self):
        self._bar.__enter__()
        return self

    def __exit__(self, *error):
        self._bar.__exit__(*error)

    def started(self, title):
        super().started(title)
        self._bar.update(self._task, description=title)

    def epoch(self, n_done, n_epochs, logs):
        self._bar.update(
            self._task,
            completed=self._worked(_SHARE_OF_EPOCHS * n_done / n_epochs),
            description=f"{self._run}, epoch {n_done} of {n_epochs}",
            count=f"run {self._n_ended + 1} of {len(self._works)}",
        )

    def _say_end(self, text):
        total = sum(self._works)
        self._bar.update(self._task, completed=self._worked(), total=total)
        self._say(text)

    def _say(self, text):
        self._bar.console.print(text, markup=False)


class _RunLines(_Runs):
    """A line for each run, and between them one when a run takes long."""

    def __init__(self, title, works):
        super().__init__(title, works)
        self._start = self._due = 0.0

    def __enter__(self):
        note(self._title)
        self._start = time.monotonic()
        self._due = self._start + QUIET_SECONDS
        return self

    def __exit__(self, *error):
        pass

    def epoch(self, n_done, n_epochs, logs):
        if time.monotonic() >= self._due:
            left = self._time_left(_SHARE_OF_EPOCHS * n_done / n_epochs)
            self._say(f"{self._run}: epoch {n_done} of {n_epochs}{left}")

    def _say_end(self, text):
        left = self._time_left() if self._n_ended < len(self._works) else ""
        self._say(f"{text}{left}")

    def _time_left(self, share=0.0):
        worked = self._worked(share)
        if not worked:
            return ""
        elapsed = time.monotonic() - self._start
        return f"; about {clock(elapsed * (sum(self._works) / worked - 1))} left"

    def _say(self, text):
        note(text)
        self._due = time.monotonic() + QUIET_SECONDS
