"""Ctrl-C inside C++ code that makes another error of it."""

import contextlib
import os
import signal
import threading

import pytest

from skmnist._interrupts import keep_interrupts, raise_interrupt

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
