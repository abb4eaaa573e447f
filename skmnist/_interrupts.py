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

# Those whose handlers end what a program does. Ctrl-C comes last, so that it is the
# last to be handed back.
_NAMES = ("SIGALRM", "SIGBREAK", "SIGHUP", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGINT")
_SIGNALS = [getattr(signal, name) for name in _NAMES if hasattr(signal, name)]
_PATIENCE = 3  # times that Ctrl-C is pressed until the process ends

_blocks = []  # those of keep_interrupts that the main thread is in


class _Block:
    """Stands in for the handlers of signals, and remembers what they raise."""

    def __init__(self):
        self.raised = None
        self._handlers = {}
        self._handle = self.handle  # always the same object, to be found again

    def enter(self):
        for number in _SIGNALS:
            handler = signal.getsignal(number)
            if callable(handler):
                self._handlers[number] = handler
                signal.signal(number, self._handle)

    def leave(self):
        for number, handler in self._handlers.items():
            if signal.getsignal(number) is self._handle:
                signal.signal(number, handler)

    def handle(self, number, frame):
        """Run the handler."""
        try:
            self._handlers[number](number, frame)
        except BaseException as error:
            # Others are errors, which the code inside may have a use for.
            if not isinstance(error, Exception):
                self.raised = error
            raise


class _ClosedBlock(_Block):
    """Lets nothing that handlers raise get in."""

    _n_presses = 0

    def handle(self, number, frame):
        """Run the handler; what it raises has to wait."""
        try:
            self._handlers[number](number, frame)
        except BaseException as error:
            if self.raised is None:
                self.raised = error
                _say("Interrupted; waiting for a library to load, which takes seconds.")
            self._n_presses += number == signal.SIGINT
            # In a session or a notebook the process holds the user's work.
            if self._n_presses >= _PATIENCE and not hasattr(sys, "ps1"):
                signal.signal(number, signal.SIG_DFL)
                signal.raise_signal(number)


@contextlib.contextmanager
def _entered(block):
    """Raise at the end of the block what it remembers."""
    if not _in_main_thread():
        yield
        return
    try:
        block.enter()
        yield
    except Exception as error:
        if block.raised is not None:
            raise block.raised from error
        raise
    finally:
        block.leave()
    if block.raised is not None:
        raise block.raised


@contextlib.contextmanager
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
    block = _Block()
    _blocks.append(block)
    try:
        with _entered(block):
            yield
    finally:
        _blocks.remove(block)


@contextlib.contextmanager
def uninterrupted():
    """Let what handlers of signals raise, such as KeyboardInterrupt, wait for the end.

    For imports: of what was imported by half some cannot be imported again in the same
    process. TensorFlow would say that something "has already been registered", others
    that they are "partially initialized". The handlers themselves run at once. Who
    presses Ctrl-C is told why nothing happens; three times end the process, but for an
    interactive one.
    """
    with _entered(_ClosedBlock()):
        yield


def raise_interrupt():
    """Raise KeyboardInterrupt again, if it was lost in a block that keeps it.

    For work of many steps, to be called between them.
    """
    if _in_main_thread():
        for block in _blocks:
            if block.raised is not None:
                raise block.raised


def _in_main_thread():
    return threading.current_thread() is threading.main_thread()


def _say(text):
    # A stream may be missing, closed, or in the middle of what it writes.
    with contextlib.suppress(AttributeError, OSError, RuntimeError, ValueError):
        print(text, file=sys.stderr, flush=True)
