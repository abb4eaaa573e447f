"""Ctrl-C inside code that makes another error of it, or that must not be cut in two."""

import contextlib
import json
import os
import pickle
import signal
import subprocess
import sys
import threading

import interrupted_script
import numpy as np
import pytest

from skmnist import KerasMLPClassifier
from skmnist._interrupts import keep_interrupts, raise_interrupt, uninterrupted

pytestmark = pytest.mark.skipif(os.name != "posix", reason="needs POSIX signals")


@pytest.fixture(autouse=True)
def handler():
    """Handle Ctrl-C as Python does, and expect that to stay so."""
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    signal.signal(signal.SIGINT, previous)


def swallow_it():
    with contextlib.suppress(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def make_another_error_of_it():
    swallow_it()
    raise SystemError("returned a result with an exception set")


@pytest.mark.parametrize(
    "work",
    [
        make_another_error_of_it,
        swallow_it,
        lambda: signal.raise_signal(signal.SIGINT),
    ],
    ids=["another error", "none", "itself"],
)
def test_ctrl_c_is_raised_whatever_became_of_it(work):
    with pytest.raises(KeyboardInterrupt):
        keep_interrupts()(work)()
    with pytest.raises(KeyboardInterrupt), keep_interrupts(), keep_interrupts():
        work()


def test_lost_ctrl_c_is_raised_between_steps():
    steps = []

    @keep_interrupts()
    def work():
        for step in range(5):
            if step == 2:
                swallow_it()
            raise_interrupt()
            steps.append(step)

    raise_interrupt()  # nothing was lost yet
    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == [0, 1]
    raise_interrupt()  # nor is it any more


def test_lost_ctrl_c_ends_the_main_thread_alone():
    results = []

    def other():
        raise_interrupt()
        results.append(3)

    @keep_interrupts()
    def work():
        swallow_it()
        thread = threading.Thread(target=other)
        thread.start()
        thread.join()

    with pytest.raises(KeyboardInterrupt):
        work()
    assert results == [3]


def test_other_errors_and_results_are_what_they_are():
    with pytest.raises(SystemError), keep_interrupts():
        raise SystemError("of another kind")
    assert keep_interrupts()(lambda: 3)() == 3


def test_ctrl_c_that_something_else_handles_is_left_to_that():
    pressed = []
    own = signal.signal(signal.SIGINT, lambda *_: pressed.append(1))
    with keep_interrupts():
        signal.raise_signal(signal.SIGINT)
    with pytest.raises(SystemError):
        keep_interrupts()(make_another_error_of_it)()
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    with keep_interrupts():
        signal.raise_signal(signal.SIGINT)
    signal.signal(signal.SIGINT, own)
    assert pressed == [1, 1]


def test_a_handler_that_is_set_inside_stays():
    def own(number, frame): ...

    with keep_interrupts():
        signal.signal(signal.SIGINT, own)
    assert signal.getsignal(signal.SIGINT) is own
    signal.signal(signal.SIGINT, signal.default_int_handler)


def test_other_threads_may_use_it():
    results = []
    work = keep_interrupts()(lambda: results.append(3))
    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert results == [3]


def leave(number, frame):
    raise SystemExit(7)


def time_out(number, frame):
    raise TimeoutError("a limit that the user set")


HANDLERS = [
    (signal.SIGINT, signal.default_int_handler, KeyboardInterrupt),
    (signal.SIGTERM, leave, SystemExit),
    (getattr(signal, "SIGALRM", None), time_out, TimeoutError),
]


@pytest.fixture(params=HANDLERS, ids=["SIGINT", "SIGTERM", "SIGALRM"])
def stopping(request):
    """A signal whose handler raises, and what that raises."""
    number, own_handler, error = request.param
    previous = signal.signal(number, own_handler)
    yield number, error
    assert signal.getsignal(number) is own_handler
    signal.signal(number, previous)


def test_the_exit_that_sigterm_asks_for_is_kept_as_well():
    signal.signal(signal.SIGTERM, leave)

    def work():
        with contextlib.suppress(SystemExit):
            signal.raise_signal(signal.SIGTERM)
        raise SystemError("returned a result with an exception set")

    try:
        with pytest.raises(SystemExit, match="7"):
            keep_interrupts()(work)()
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def test_a_time_limit_that_a_callback_handles_is_its_own_affair():
    signal.signal(signal.SIGALRM, time_out)
    try:
        with keep_interrupts(), contextlib.suppress(TimeoutError):
            signal.raise_signal(signal.SIGALRM)
    finally:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)


def test_what_handlers_raise_waits_for_the_end_of_an_import(stopping, capsys):
    number, error = stopping
    done = []

    @uninterrupted()
    def load():
        for half in ("first", "second"):
            signal.raise_signal(number)
            done.append(half)

    with pytest.raises(error), uninterrupted():
        load()
    assert done == ["first", "second"]
    assert len(capsys.readouterr().err.splitlines()) == 1


def test_handlers_themselves_do_not_wait(capsys):
    handled = []
    signal.signal(signal.SIGINT, lambda *_: handled.append(1))
    with uninterrupted():
        signal.raise_signal(signal.SIGINT)
        assert handled == [1]
    signal.signal(signal.SIGINT, signal.default_int_handler)
    assert capsys.readouterr().err == ""


def test_an_import_that_fails_after_ctrl_c_ends_with_ctrl_c(capsys):
    @uninterrupted()
    def load(is_interrupted):
        if is_interrupted:
            signal.raise_signal(signal.SIGINT)
        raise ImportError("for reasons of its own")

    with pytest.raises(KeyboardInterrupt) as caught:
        load(True)
    assert isinstance(caught.value.__cause__, ImportError)
    with pytest.raises(ImportError):
        load(False)


def test_imports_of_other_threads_are_what_they_were():
    results = []

    def load():
        with uninterrupted():
            results.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=load)
    thread.start()
    thread.join()
    assert results == [signal.default_int_handler]


PATIENT = """
import signal, sys
from skmnist._interrupts import uninterrupted
signal.signal(signal.SIGINT, signal.default_int_handler)
{}
try:
    with uninterrupted():
        for _ in range(5):
            signal.raise_signal(signal.SIGINT)
except KeyboardInterrupt:
    sys.exit(5)
"""


@pytest.mark.parametrize(
    ("kind", "code"), [("pass", -signal.SIGINT), ("sys.ps1 = '> '", 5)]
)
def test_who_presses_three_times_leaves_a_script_but_keeps_a_session(kind, code):
    script = subprocess.run([sys.executable, "-c", PATIENT.format(kind)], check=False)
    assert script.returncode == code


@pytest.fixture(scope="module")
def fitted(tmp_path_factory):
    """Probabilities that an undisturbed process gives, and a file of the model."""
    X, y = interrupted_script.data()
    model = KerasMLPClassifier(**interrupted_script.PARAMS).fit(X, y)
    path = tmp_path_factory.mktemp("model") / "model.pkl"
    path.write_bytes(pickle.dumps(model))
    return model.predict_proba(X).tolist(), path


@pytest.mark.internals
@pytest.mark.parametrize(
    ("way", "module"),
    [
        ("fit", "tensorflow.python.ops.nn_grad"),
        ("fit in Keras' loop", "scikeras.wrappers"),
        ("predict", "onnxruntime.capi.onnxruntime_inference_collection"),
        ("build", "tensorflow.python.ops.nn_grad"),
        ("draw", "matplotlib.scale"),
    ],
)
def test_what_ctrl_c_interrupted_in_an_import_works_afterwards(way, module, fitted):
    expected, path = fitted
    script = subprocess.run(
        [sys.executable, interrupted_script.__file__, way, module, path],
        env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert script.returncode == 0, script.stderr
    assert script.stderr.count("Interrupted; waiting") == 1
    result = json.loads(script.stdout)
    assert result["interrupted"]
    assert result["reductions of scikeras"] == 0
    if "fit" in way or way == "predict":
        np.testing.assert_allclose(result["outcome"], expected, rtol=1e-5)
