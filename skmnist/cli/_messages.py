"""Messages on standard error: notes, and warnings on one line each."""

import contextlib
import sys
import textwrap
import warnings

_WIDTH = 200


def note(text):
    """Print a note that is not a result."""
    # Looked up at each call: a progress bar puts itself in the place of the stream.
    if sys.stderr is not None:  # print takes None for standard output
        print(text, file=sys.stderr, flush=True)


@contextlib.contextmanager
def short_warnings():
    """Show each warning once and on one line."""
    previous = warnings.showwarning
    install_short_warnings()
    try:
        yield
    finally:
        warnings.showwarning = previous


def install_short_warnings():
    """Show each warning once and on one line, in this process from now on."""
    shown = set()

    def show(message, category, filename, lineno, file=None, line=None):
        text = textwrap.shorten(str(message), _WIDTH, placeholder=" …")
        # The rest of it may differ in numbers only.
        if (category, text[:50]) not in shown:
            shown.add((category, text[:50]))
            note(f"Warning: {text}")

    warnings.showwarning = show
