"""Errors that end a command."""

import contextlib
import re

import click

FAILURE, BAD_INPUT, INTERRUPTED = 1, 2, 130
BROKEN_PIPE = 141  # what a shell makes of a program that SIGPIPE ended


class Failure(click.ClickException):
    """A valid command failed; exit code 1."""

    exit_code = FAILURE


class BadInput(click.ClickException):
    """Invalid input; exit code 2."""

    exit_code = BAD_INPUT


class MissingData(BadInput):
    """Images that are nowhere; the message lists places and ways, a line for each."""


# A path has one slash only where an address has two.
_ADDRESS = re.compile(r"(https?|ftp):/", re.IGNORECASE)


@contextlib.contextmanager
def bad_input():
    """Report errors that what the user gave leads to as such, on one line."""
    try:
        yield
    except (ValueError, TypeError, OSError) as error:
        from skmnist.datasets import DataNotFoundError

        if isinstance(error, DataNotFoundError):
            raise MissingData(str(error)) from error
        raise BadInput(describe(error)) from error


def describe(error):
    """Return the message of an exception on one line."""
    text = str(error)
    if isinstance(error, OSError) and error.strerror:
        text = error.strerror
        if isinstance(error, FileNotFoundError) and _ADDRESS.match(f"{error.filename}"):
            text = "This is an address; download what is there, and give the file."
        if error.filename is not None:
            text = f"{error.filename}: {text}"
    return one_line(text) or type(error).__name__


def one_line(text):
    """Join the lines of a text."""
    return " ".join(str(text).split())
