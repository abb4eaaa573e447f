"""Ctrl-C while TensorFlow is at work."""

import contextlib
import signal
import threading

__all__ = ["keep_interrupts", "raise_interrupt"]

_blocks = []  # those that the main thread is in


class _Block:
    """Remembers that KeyboardInterrupt was raised while it handled Ctrl-C."""

    def __init__(self, handler):
        self._handler = handler
        self.raised = False

    def handle(self, number, frame):
        try:
            self._handler(number, frame)
        except KeyboardInterrupt:
            self.raised = True
            raise


@contextlib.contextmanager
def keep_interrupts():
    """Let Ctrl-C end the block with KeyboardInterrupt, whatever becomes of it inside.

    Graphs are built by C++ code that calls Python and takes any exception of that,
    KeyboardInterrupt as well, for an error of its own: a SystemError, a TypeError, or
    none at all. A model that was interrupted would seem to have failed, or train on.
    Code inside that catches the KeyboardInterrupt itself, as a callback might, cannot
    be told from that: the block ends with it all the same.

    Also a decorator. Without effect outside of the main thread, which handles signals,
    and where Ctrl-C does not raise KeyboardInterrupt.
    """
    previous = signal.getsignal(signal.SIGINT)
    if not (_in_main_thread() and callable(previous)):
        yield
        return
    block = _Block(previous)
    handle = block.handle
    _blocks.append(block)
    signal.signal(signal.SIGINT, handle)
    try:
        yield
    except Exception as error:
        if block.raised:
            raise KeyboardInterrupt from error
        raise
    finally:
        _blocks.remove(block)
        if signal.getsignal(signal.SIGINT) is handle:
            signal.signal(signal.SIGINT, previous)
    if block.raised:
        raise KeyboardInterrupt


def raise_interrupt():
    """Raise KeyboardInterrupt again, if it was lost in a block that keeps it.

    For work of many steps, to be called between them.
    """
    if _in_main_thread() and any(block.raised for block in _blocks):
        raise KeyboardInterrupt


def _in_main_thread():
    return threading.current_thread() is threading.main_thread()
