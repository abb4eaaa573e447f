"""Ctrl-C: pressed once it ends a command in good order, pressed twice at once."""

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

_acknowledged = threading.Event()
_acknowledgements = []  # of deferred interrupts, the innermost last


@contextlib.contextmanager
def watched_interrupts():
    """Let a second Ctrl-C end the process, whatever it is doing.

    Python handles a signal when it next runs Python code, which can be minutes away
    in a fit that is written in C. Its bytes are therefore read in a thread.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    reader, writer = socket.socketpair()
    writer.setblocking(False)
    _acknowledged.clear()
    thread = threading.Thread(target=_watch, args=(reader,), daemon=True)
    previous = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
    thread.start()
    try:
        yield
    finally:
        signal.set_wakeup_fd(previous)
        writer.close()  # which ends the thread
        thread.join()
        reader.close()


@contextlib.contextmanager
def deferred_interrupt(acknowledge):
    """Let a first Ctrl-C set an event, for a command that looks at it in its time.

    Parameters
    ----------
    acknowledge : callable
        Called without arguments, in any thread, to tell the user what will happen
        now.

    Yields
    ------
    threading.Event
        Set by Ctrl-C.
    """
    requested = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield requested
        return

    def defer(number, frame):
        if not requested.is_set():
            requested.set()
            _acknowledge()

    previous = signal.signal(signal.SIGINT, defer)
    _acknowledged.clear()
    _acknowledgements.append(acknowledge)
    try:
        yield requested
    finally:
        _acknowledgements.pop()
        signal.signal(signal.SIGINT, previous)


def _acknowledge():
    """Tell once what a first Ctrl-C leads to, as the command under way has it."""
    if not _acknowledged.is_set():
        _acknowledged.set()
        if _acknowledgements:
            _acknowledgements[-1]()
        else:
            note("Stopping. Ctrl-C once more quits at once.")


def _watch(reader):
    """Read a byte for every signal until the other end is closed."""
    n_interrupts = 0
    while True:
        waiting = n_interrupts == 1 and not _acknowledged.is_set()
        ready, _, _ = select.select([reader], [], [], _PATIENCE if waiting else None)
        if not ready:
            _acknowledge()
            continue
        received = reader.recv(64)
        if not received:
            return
        n_interrupts += received.count(signal.SIGINT)
        if n_interrupts >= 2:
            _quit()


def _quit():
    """End the process without waiting for anything."""
    with contextlib.suppress(OSError, ValueError):
        if os.isatty(2):
            os.write(2, b"\r\n" + _SHOW_CURSOR)  # a progress bar hides it
    os._exit(INTERRUPTED)
