"""Results in a folder: found again, whole, and not lost to faults of the folder."""

import contextlib
import errno
import functools
import os
import shutil
import subprocess
import sys
import threading
from types import SimpleNamespace

import numpy as np
import pytest

from skmnist import _kept_fits
from skmnist._fingerprints import fingerprint
from skmnist._kept_fits import FitFolder


@pytest.fixture
def folder(tmp_path):
    return FitFolder(tmp_path / "fits")


def no_result():
    raise AssertionError("made, although it should not be")


def suffixes(folder):
    return sorted(path.suffix for path in folder.folder.iterdir())


def test_a_result_that_cannot_be_written_is_returned(folder, monkeypatch):
    @contextlib.contextmanager
    def full(path):
        raise OSError(errno.ENOSPC, "No space left on device", str(path))
        yield

    monkeypatch.setattr(_kept_fits, "replacing", full)
    with pytest.warns(UserWarning, match=r"not kept, as .* No space left"):
        assert folder.get("facts", lambda: 1) == 1
    monkeypatch.undo()
    lock = threading.Lock()  # which cannot be pickled
    with pytest.warns(UserWarning, match="This fit is not kept"):
        assert folder.get("facts", lambda: lock) is lock
    assert suffixes(folder) == []


def test_a_folder_that_cannot_be_written_is_refused_before_a_fit(tmp_path):
    path = tmp_path / "file"
    path.touch()
    with pytest.raises(ValueError, match=r"Fits cannot be kept in .*file: it is a"):
        FitFolder(path).get("facts", no_result)


def test_kept_results_are_read_where_nothing_can_be_written(folder, monkeypatch):
    """In a folder without write permission, of which root knows nothing."""
    folder.get("facts", lambda: 1)

    def denied(*_, **__):
        raise PermissionError(errno.EACCES, "Permission denied", "a file")

    monkeypatch.setattr("tempfile.TemporaryFile", denied)
    monkeypatch.setattr("filelock.FileLock", denied)
    assert folder.get("facts", no_result) == 1
    with pytest.raises(ValueError, match=r"kept in .*: Permission denied"):
        folder.get("others", no_result)


def test_a_file_that_cannot_be_read_stays_as_it_is(folder, monkeypatch):
    """Such as that of another user, or a folder of that name."""
    folder.get("facts", lambda: 1)
    path = folder.path("facts")
    before = path.read_bytes()

    def denied(*_):
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", denied)
    with pytest.warns(UserWarning, match="made again, as .*: .*Permission denied"):
        assert folder.get("facts", lambda: 2) == 2
    monkeypatch.undo()
    assert path.read_bytes() == before
    path.unlink()
    path.mkdir()
    with pytest.warns(UserWarning, match="made again, as .*s a directory"):
        assert folder.get("facts", lambda: 2) == 2
    assert suffixes(folder) == [".fit"]


def test_too_little_memory_is_not_taken_for_damage(folder, monkeypatch):
    folder.get("facts", lambda: 1)
    before = folder.path("facts").read_bytes()

    def fail(*_):
        raise MemoryError("no way")

    monkeypatch.setattr("joblib.load", fail)
    with pytest.raises(MemoryError, match="no way"):
        folder.get("facts", no_result)
    monkeypatch.undo()
    assert folder.path("facts").read_bytes() == before


def test_the_file_of_another_fit_is_not_used(folder):
    """Whatever a copy or a restored backup mixed up."""
    assert folder.get("one", lambda: 1) == 1
    shutil.copy(folder.path("one"), folder.path("two"))
    with pytest.warns(UserWarning, match="damaged and will be replaced"):
        assert folder.get("two", lambda: 2) == 2
    assert folder.get("one", no_result) == 1
    assert folder.get("two", no_result) == 2


def test_a_folder_without_a_name_is_refused():
    with pytest.raises(ValueError, match=r"got ''\. The current folder is '\.'"):
        FitFolder("")


def test_failed_fits_leave_nothing(folder):
    with pytest.raises(ZeroDivisionError):
        folder.get("facts", lambda: 1 / 0)
    assert suffixes(folder) == []


def test_no_lock_is_left_for_ever_where_there_are_none(folder, monkeypatch):
    """On a file system without locks, no mark of a killed process is waited for."""
    fcntl = pytest.importorskip("fcntl")

    def unknown(*_):
        raise OSError(errno.ENOSYS, "Function not implemented")

    folder.folder.mkdir()
    folder.path("facts").with_suffix(".lock").write_text("4711\nelsewhere\n")
    monkeypatch.setattr(fcntl, "flock", unknown)
    found = []
    thread = threading.Thread(
        target=lambda: found.append(folder.get("facts", lambda: 1)), daemon=True
    )
    thread.start()
    thread.join(20)
    assert found == [1]


# Makes a result when its input says so.
MAKE = """
import sys
from skmnist._kept_fits import FitFolder

def make():
    print("making", flush=True)
    sys.stdin.readline()
    return "of the other process"

FitFolder(sys.argv[1]).get("facts", make)
"""


def test_waiting_for_another_process_is_reported(folder, monkeypatch):
    monkeypatch.setattr(_kept_fits, "_PATIENCE", 0.01)
    with subprocess.Popen(
        [sys.executable, "-c", MAKE, folder.folder],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout.readline() == "making\n"

        def warn(message):
            monkeypatch.undo()
            assert "Waiting for another process" in message
            process.stdin.write("\n")
            process.stdin.flush()

        monkeypatch.setattr(_kept_fits, "warn_caller", warn)
        assert folder.get("facts", no_result) == "of the other process"
        assert _kept_fits.warn_caller is not warn
    assert suffixes(folder) == [".fit"]


def test_errors_of_replaced_files_name_one_file(tmp_path):
    with (
        pytest.raises(OSError, match="No space") as caught,
        _kept_fits.replacing(tmp_path / "x"),
    ):
        raise OSError(errno.ENOSPC, "No space left on device")
    assert str(caught.value).endswith("x'")


def of(code, name="f", **names):
    """Return what is defined by code, loaded from no file."""
    exec(code, names)
    return names[name]


def wrapped(function):
    @functools.wraps(function)
    def wrapper(*arguments):
        return function(*arguments)

    return wrapper


class Adds:
    def __init__(self, number):
        self.number = number

    def __call__(self, other):
        return self.number + other

    def method(self):
        return self.number


F = "def f(x): return x + {}"
PAIRS = {
    "constants": (of(F.format(1)), of(F.format(2))),
    "operators": (of("f = lambda x: x + 1"), of("f = lambda x: x - 1")),
    "names": (of("f = lambda x: sum(x)"), of("f = lambda x: max(x)")),
    "defaults": (of("def f(x=1): pass"), of("def f(x=2): pass")),
    "keywords": (of("def f(*, x=1): pass"), of("def f(*, x=2): pass")),
    "inner functions": (
        of("def f(): return lambda: 1"),
        of("def f(): return lambda: 2"),
    ),
    "enclosed": (
        of("def g(x):\n return lambda: x\nf = g(1)"),
        of("def g(x):\n return lambda: x\nf = g(2)"),
    ),
    "decorated": (wrapped(of(F.format(1))), wrapped(of(F.format(2)))),
    "cached": tuple(functools.cache(of(F.format(n))) for n in (1, 2)),
    "partial": (functools.partial(max, 1), functools.partial(max, 2)),
    "callable objects": (Adds(1), Adds(2)),
    "methods": (Adds(1).method, Adds(2).method),
    "arrays": (np.zeros(3), np.zeros((3, 1))),
    "types": (True, 1),
    "seeds": (np.random.RandomState(0), np.random.RandomState(1)),
}


@pytest.mark.parametrize("name", PAIRS)
def test_other_values_have_other_fingerprints(name):
    one, other = map(fingerprint, PAIRS[name])
    assert one != other


TUPLE = (4, 4)
EQUAL = {
    "numbers": ([4, 0.5], [np.int64(4), np.float64(0.5)]),
    "shared": ([TUPLE, TUPLE], [(4, 4), [4, 4]]),
    "order": ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
    "functions": (of(F.format(1)), of("\n\n" + F.format(1))),
    "callable objects": (Adds(1), Adds(1)),
    "decorated": (wrapped(of(F.format(1))), wrapped(of(F.format(1)))),
    "sets": ({"a", "b", "c"}, {"c", "b", "a"}),
}


@pytest.mark.parametrize("name", EQUAL)
def test_equal_values_have_the_same_fingerprint(name):
    one, other = map(fingerprint, EQUAL[name])
    assert one == other


def test_fingerprints_are_the_same_in_every_process():
    code = (
        "from skmnist._fingerprints import fingerprint\n"
        "def f(x): return x in {'a', 'b', 'c'}\n"
        "print(fingerprint([f, {'a', 'b', 'c'}, object]))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", code],
            env={**os.environ, "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in "12"
    ]
    assert runs[0] == runs[1]


def test_values_without_a_fingerprint_are_refused():
    endless = []
    endless.append(endless)
    for value in (SimpleNamespace(x=threading.Lock()), endless):
        with pytest.raises(ValueError, match="memory cannot tell"):
            fingerprint(value)
