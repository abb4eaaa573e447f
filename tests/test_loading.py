"""What TensorFlow logs while it starts, at the command line."""

import os
import sys

import pytest

from skmnist._loading import loading_keras
from skmnist.cli._quiet import quiet_keras

HEAD = "WARNING: All log messages before absl::InitializeLog() is called are written\n"
INFO = "I0000 00:00:1795824172.422969    4660 port.cc:153] oneDNN custom operations\n"
WARNING = "W0000 00:00:1795824172.422969    4660 gpu.cc:80] Cannot dlopen libraries\n"
ERROR = "E0000 00:00:1795824172.422969    4660 cuda.cc:52] failed call to cuInit\n"
LOG = HEAD + INFO + WARNING + ERROR
OTHERS = "of another thread\n"


@pytest.fixture
def first_time(monkeypatch):
    """As if TensorFlow had not been imported yet."""
    monkeypatch.delitem(sys.modules, "tensorflow", raising=False)


def load(error=None):
    with quiet_keras(), loading_keras():
        os.write(2, (LOG + OTHERS).encode())
        if error is not None:
            raise error


@pytest.mark.parametrize(
    ("level", "shown"),
    [
        (None, ""),
        ("3", ""),
        ("2", ERROR),
        ("1", WARNING + ERROR),
        ("0", LOG),
        ("all", LOG),
    ],
)
def test_the_log_is_hidden_unless_the_environment_asks_for_it(
    first_time, monkeypatch, capfd, level, shown
):
    if level is None:
        monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    else:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    before = dict(os.environ)
    load()
    assert capfd.readouterr().err == shown + OTHERS
    assert dict(os.environ) == before


@pytest.mark.parametrize("level", [None, "3"])
def test_a_failure_to_load_tensorflow_shows_the_log(
    first_time, monkeypatch, capfd, level
):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    if level is not None:
        monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", level)
    before = dict(os.environ)
    with pytest.raises(ImportError):
        load(ImportError())
    assert capfd.readouterr().err == LOG + OTHERS
    assert dict(os.environ) == before


def test_nothing_is_hidden_where_tensorflow_was_imported_before(monkeypatch, capfd):
    monkeypatch.delenv("TF_CPP_MIN_LOG_LEVEL", raising=False)
    monkeypatch.setitem(sys.modules, "tensorflow", None)
    load()
    assert capfd.readouterr().err == LOG + OTHERS


def test_what_python_writes_meanwhile_is_shown_at_once(first_time, monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with open(2, "w", closefd=False) as stderr:
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setattr(sys, "__stderr__", stderr)
        with quiet_keras(), loading_keras():
            print("wait", file=sys.stderr)
            assert capfd.readouterr().err == "wait\n"
        assert sys.stderr is stderr


def test_standard_error_may_be_closed(first_time, monkeypatch):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")

    def refuse(number):
        raise OSError

    monkeypatch.setattr(os, "dup", refuse)
    with quiet_keras(), loading_keras():
        pass


def test_the_library_hides_nothing(first_time, monkeypatch, capfd):
    monkeypatch.setenv("TF_CPP_MIN_LOG_LEVEL", "3")
    with loading_keras():
        os.write(2, LOG.encode())
    assert capfd.readouterr().err == LOG
