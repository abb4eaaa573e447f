"""A quiet start of TensorFlow, which logs before it can be configured."""

import contextlib
import os
import re
import sys
import tempfile
import threading

from skmnist import _loading

__all__ = ["quiet_keras"]

_importing = threading.RLock()
_LOG_LEVEL = "TF_CPP_MIN_LOG_LEVEL"


@contextlib.contextmanager
def quiet_keras():
    """Let Keras and TensorFlow be imported without their noise inside the block."""
    before = _loading.around_import
    _loading.around_import = _quiet_import
    try:
        yield
    finally:
        _loading.around_import = before


@contextlib.contextmanager
def _quiet_import():
    """Hide what TensorFlow logs while it starts, unless the environment asks for it.

    ``TF_CPP_MIN_LOG_LEVEL`` decides; without it nothing is shown. Where TensorFlow was
    imported before, it has begun to log already, and this changes nothing.
    """
    if "tensorflow" in sys.modules:
        yield
        return
    was_set = _LOG_LEVEL in os.environ
    level = os.environ.setdefault(_LOG_LEVEL, "3")
    try:
        # One thread at a time: a second one would take the file of the first for the
        # terminal.
        with _importing, _held_back(b"IWE"[: int(level)] if level.isdecimal() else b""):
            yield
    finally:
        if not was_set:
            os.environ.pop(_LOG_LEVEL, None)


@contextlib.contextmanager
def _held_back(letters):
    """Hide lines of TensorFlow's log on file descriptor 2, by the letters of levels.

    The first ones are written before TensorFlow reads its level. They are held back,
    and shown after all if the import fails. What others write there meanwhile, such as
    the log of another thread, is shown in either case.
    """
    try:
        terminal = os.dup(2) if letters else None
    except OSError:  # standard error is closed: nothing could be printed anyway
        terminal = None
    if terminal is None:
        yield
        return
    # The letter of the level and the date, as its log has them, and lines without.
    hidden = re.compile(
        rb"[%b]\d{4} \d\d:\d\d:|WARNING: All log messages before absl::"
        rb"|To enable the following instructions:" % letters
    )
    with (
        open(terminal, "w", buffering=1, errors="backslashreplace") as direct,
        tempfile.TemporaryFile() as lines,
        # What Python says meanwhile, in answer to Ctrl-C for one, need not wait.
        contextlib.redirect_stderr(direct)
        if sys.stderr is sys.__stderr__
        else contextlib.nullcontext(),
    ):
        _flush()
        os.dup2(lines.fileno(), 2)
        failed = False
        try:
            yield
        except Exception:
            failed = True
            raise
        finally:
            _flush()
            os.dup2(terminal, 2)
            lines.seek(0)
            for line in lines:
                if failed or not hidden.match(line):
                    os.write(2, line)


def _flush():
    for stream in {sys.stderr, sys.__stderr__} - {None}:
        stream.flush()
