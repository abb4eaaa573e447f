"""Ctrl-C and other signals during code that would mistake them for errors.

The exception of a signal handler is raised wherever the main thread is. Graphs that are
built by C++ turn it into another error or lose it, and a large library whose import it
interrupts cannot be imported again.
"""

import contextlib
import signal
import sys
import threading

__all__ = ["keep_interrupts", "raise_interrupt", "uninterrupted"]

# Ctrl-C comes last, so that it is the last to be handed back.
_SIGNALS = sorted(signal.valid_signals(), key=lambda number: number == signal.SIGINT)
_WAITING = "Interrupted; waiting for a library to load, which takes seconds."
_PATIENCE = 3  # times that Ctrl-C is pressed until the process ends

_blocks = []  # what handlers raised in each keep_interrupts that the main thread is in


@contextlib.contextmanager
def _guarded(is_closed):
    """Raise at the end of a block, if closed only there, what signal handlers raise."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals are handled in the main thread
        return
    handlers, raised, presses, depth = {}, [], [], len(_blocks)

    def handle(number, frame):
        try:
            handlers[number](number, frame)
        except BaseException as error:
            # Errors may be of use to the code in an open block.
            if is_closed or not isinstance(error, Exception):
                raised.append(error)
            if not is_closed:
                raise
            if len(raised) == 1:
                # The stream may be missing, closed, or in the middle of what it writes.
                with contextlib.suppress(Exception):
                    print(_WAITING, file=sys.stderr, flush=True)
            presses.append(number)
            # In a session or a notebook the process holds the user's work.
            if presses.count(signal.SIGINT) >= _PATIENCE and not hasattr(sys, "ps1"):
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)

    try:
        if not is_closed:
            _blocks.append(raised)
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                handlers[number] = handler
                signal.signal(number, handle)
        yield
    except Exception as error:
        if raised:
            raise raised[0] from error
        raise
    finally:
        for number, handler in handlers.items():
            if signal.getsignal(number) is handle:
                signal.signal(number, handler)
        del _blocks[depth:]
    if raised:
        raise raised[0]


def keep_interrupts():
    """Let Ctrl-C or a SystemExit of a handler end the block, even if it is lost inside.

    Otherwise an interrupted fit would seem to have failed, or train on. Also a
    decorator.
    """
    return _guarded(is_closed=False)


def uninterrupted():
    """Delay KeyboardInterrupt and the like until the end of a block that imports.

    The handlers themselves run at once. The first Ctrl-C explains the delay; the third
    ends the process, unless it is interactive. Also a decorator.
    """
    return _guarded(is_closed=True)


def raise_interrupt():
    """Raise an interrupt again that was lost in `keep_interrupts`, between steps."""
    if threading.current_thread() is threading.main_thread():
        for raised in filter(None, _blocks):
            raise raised[0]
