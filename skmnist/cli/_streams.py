"""Standard output and error that may be closed, full or without a reader."""

import contextlib
import errno
import os
import sys

from skmnist.cli._errors import BROKEN_PIPE, FAILURE
from skmnist.cli._messages import note


class _Stream:
    """A stream to which writing fails without an exception, once and for all.

    A reader that leaves must not cost files that are written later.
    """

    def __init__(self, stream):
        self._stream = stream
        self.error = None

    def __getattr__(self, name):
        return getattr(self._stream, name)

    def write(self, text):
        self._try(lambda: self._stream.write(text))
        return len(text)

    def writelines(self, lines):
        self.write("".join(lines))

    def flush(self):
        self._try(self._stream.flush)

    def _try(self, action):
        if self.error is not None:
            return
        try:
            action()
        except OSError as error:
            self.error = error
            # What is left in its buffer must not fail again when Python ends.
            with contextlib.suppress(OSError, ValueError):
                nowhere = os.open(os.devnull, os.O_WRONLY)
                os.dup2(nowhere, self._stream.fileno())
                os.close(nowhere)


@contextlib.contextmanager
def patient_streams():
    """Let the standard streams take what they cannot write.

    Yields a function that takes the exit code of a command and returns that of the
    process: another one if the results of a command that went well were not written.
    """
    streams = sys.stdout, sys.stderr
    with contextlib.ExitStack() as stack:
        errors = sys.stderr
        if errors is None:
            errors = stack.enter_context(open(os.devnull, "w"))
        sys.stdout, sys.stderr = output, _ = _Stream(sys.stdout), _Stream(errors)
        try:
            yield lambda code: _end(output, code)
        finally:
            sys.stdout, sys.stderr = streams


def _end(output, code):
    output.flush()
    if output.error is None or code:
        return code
    if output.error.errno == errno.EPIPE:
        return BROKEN_PIPE
    note(f"Error: Cannot write to standard output: {output.error.strerror}")
    return FAILURE


def occupy_closed_descriptors():
    """Keep files that are opened from taking the place of a closed standard stream.

    What libraries print would be written into them.
    """
    for descriptor in range(3):
        try:
            os.fstat(descriptor)
        except OSError:
            os.open(os.devnull, os.O_RDWR)  # takes the lowest that is free
