"""Ctrl-C, and other signals, while code is at work that mistakes or must not meet them.

What a handler of a signal raises comes out of whatever the main thread is doing. Two
kinds of code cannot cope with that: graphs that are built by C++, and imports of large
libraries, which cannot be imported again once an import was cut in two.
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
    """Raise at the end of a block what handlers of signals raised in it.

    A closed block lets nothing of that get in.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
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
    """Let Ctrl-C end the block with KeyboardInterrupt, whatever becomes of it inside.

    Graphs are built by C++ code that calls Python and takes any exception of that,
    KeyboardInterrupt as well, for an error of its own: a SystemError, a TypeError, or
    none at all. A model that was interrupted would seem to have failed, or train on.
    Code inside that catches the KeyboardInterrupt itself, as a callback might, cannot
    be told from that: the block ends with it all the same. The SystemExit of a handler
    of SIGTERM is kept likewise.

    Also a decorator. Without effect outside of the main thread, which handles signals,
    and on signals whose handlers raise neither.
    """
    return _guarded(is_closed=False)


def uninterrupted():
    """Let what handlers of signals raise, such as KeyboardInterrupt, wait for the end.

    For imports: of what was imported by half some cannot be imported again in the same
    process. TensorFlow would say that something "has already been registered", others
    that they are "partially initialized". The handlers themselves run at once. Who
    presses Ctrl-C is told why nothing happens; three times end the process, but for an
    interactive one.
    """
    return _guarded(is_closed=True)


def raise_interrupt():
    """Raise KeyboardInterrupt again, if it was lost in a block that keeps it.

    For work of many steps, to be called between them.
    """
    if threading.current_thread() is threading.main_thread():
        for raised in filter(None, _blocks):
            raise raised[0]
