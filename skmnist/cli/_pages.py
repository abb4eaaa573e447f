"""Report pages: asked for by an option, or made of the results that a file holds."""

import json
from pathlib import Path

from skmnist.cli._errors import BadInput, Failure
from skmnist.cli._group import command_line
from skmnist.cli._messages import note
from skmnist.cli._result_files import check_output, write_text

_SUFFIXES = (".html", ".htm")
_MAX_RESULTS = 100_000_000  # bytes


def check_page(path, *, force, option="--report"):
    """Make sure that a report can be written, before anything is computed for it.

    `path` is None if no report is wanted, `option` what the user calls the file. Raises
    BadInput if the file exists or cannot be written there, and Failure if a package
    that reports need is missing.
    """
    if path is None:
        return
    check_output(path, force=force, suffixes=_SUFFIXES, option=option)
    from skmnist.report import check_packages

    try:
        check_packages()
    except ImportError as error:
        raise Failure(str(error)) from error


def write_page(path, results, looked_at=None, *, source=None):
    """Write a report, if one is wanted.

    `results` are a document, `looked_at` the parameters of `skmnist.report.Subject` for
    pictures, `source` the file that the results are from. Raises BadInput if these are
    not results of a known kind, and Failure if the file cannot be written.
    """
    if path is None:
        return
    from skmnist.report import ReportDataError, Subject, make_report

    subject = None if looked_at is None else Subject(*looked_at)
    try:
        page = make_report(results, subject=subject, command=command_line())
    except ReportDataError as error:
        raise BadInput(f"{source}: {error}" if source else str(error)) from error
    write_text(path, page)
    note(f"Report written to {path}.")


def is_results(path):
    """Return whether a file holds JSON, not a model."""
    try:
        with Path(path).open("rb") as file:
            start = file.read(64).removeprefix(b"\xef\xbb\xbf").lstrip()
    except OSError:
        return False
    # A safetensors file begins with a number, whose bytes may be these by chance.
    return start[:1] in (b"{", b"[") and b"\0" not in start


def read_results(path):
    """Read results that a command has printed or written as JSON, or raise BadInput."""
    try:
        if Path(path).stat().st_size > _MAX_RESULTS:
            raise BadInput(f"{path} is too large to be results of a command.")
        return json.loads(Path(path).read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise BadInput(f"Cannot read {path}: {error.strerror}") from error
    except (ValueError, RecursionError) as error:
        raise BadInput(f"{path} is not JSON: {error}") from error
