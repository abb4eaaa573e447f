"""Ctrl-C and SIGTERM: one ends a command in good order, a second one at once."""

import contextlib
import os
import select
import signal
import socket
import threading

from skmnist.cli._errors import INTERRUPTED
from skmnist.cli._messages import note

_SHOW_CURSOR = b"\x1b[?25h"
_PATIENCE = 0.7  # seconds that a command may take to end before it is explained

# How Python begins to handle them. One that is ignored, as Ctrl-C is in the background
# of a script, stays so.
_USUAL = {
    signal.SIGINT: signal.default_int_handler,
    signal.SIGTERM: signal.SIG_DFL,
}

_received = []  # signals, in their order
_acknowledged = threading.Event()
_acknowledgements = []  # of deferred interrupts, the innermost last


@contextlib.contextmanager
def watched_interrupts():
    """Let SIGTERM act as Ctrl-C, and a second one of them end the process at once.

    Python handles a signal when it next runs Python code, which can be minutes away
    in a fit that is written in C. Its bytes are therefore read in a thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    _acknowledged.clear()
    _received.clear()
    thread = threading.Thread(target=_watch, args=(reader,), daemon=True)
    previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        # A caller that handles them otherwise has its reasons.
        usual = [n for n, handler in _USUAL.items() if signal.getsignal(n) == handler]
        with _handled_by(_interrupt, usual):
            yield
    finally:
        signal.set_wakeup_fd(previous)
        writer.close()  # which ends the thread
        thread.join()
        reader.close()


@contextlib.contextmanager
def deferred_interrupt(acknowledge):
    """Let a first Ctrl-C or SIGTERM set an event, for a command that checks it in time.

    `acknowledge` is called without arguments, in any thread, to say what will happen
    now. Yields the event.
    """
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return

    def defer(number, frame):
        _received.append(number)
        if not requested.is_set():
            requested.set()
            _acknowledge()

    _acknowledged.clear()
    _acknowledgements.append(acknowledge)
    try:
        heeded = [n for n in _USUAL if signal.getsignal(n) is not signal.SIG_IGN]
        with _handled_by(defer, heeded):
            yield requested
    finally:
        _acknowledgements.pop()


def exit_code(code):
    """Return the exit code of a command: where it was interrupted, by which signal."""
    return 128 + _received[0] if code == INTERRUPTED and _received else code


def _interrupt(number, frame):
    _received.append(number)
    raise KeyboardInterrupt


@contextlib.contextmanager
def _handled_by(handler, numbers):
    previous = {number: signal.signal(number, handler) for number in numbers}
    try:
        yield
    finally:
        for number, found in previous.items():
            signal.signal(number, found)


def _acknowledge():
    """Print once what a first Ctrl-C does in the running command."""
    if not _acknowledged.is_set():
        _acknowledged.set()
        if _acknowledgements:
            _acknowledgements[-1]()
        else:
            note("Stopping. Press Ctrl-C again to quit at once.")


def _watch(reader):
    """Read a byte for every signal until the other end is closed."""
    stopping = []
    while True:
        waiting = len(stopping) == 1 and not _acknowledged.is_set()
        ready, _, _ = select.select([reader], [], [], _PATIENCE if waiting else None)
        if not ready:
            _acknowledge()
            continue
        received = reader.recv(64)
        if not received:
            return
        stopping += [number for number in received if number in _USUAL]
        if len(stopping) >= 2:
            _quit(128 + stopping[0])


def _quit(code):
    """End the process without waiting for anything."""
    with contextlib.suppress(OSError, ValueError):
        if os.isatty(2):
            os.write(2, b"\r\n" + _SHOW_CURSOR)  # a progress bar hides it
    os._exit(code)
