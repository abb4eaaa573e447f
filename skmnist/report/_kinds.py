"""The kinds of results that reports are made of.

A new kind needs a module here with a function ``(document, subject) -> Report``, and a
line in ``_KINDS``. Results that are no plain data register with ``document_of`` what
makes a document of them. The page, the terminal and Markdown all show that report.
"""

from dataclasses import replace
from typing import Any, Literal

from skmnist._estimators import is_search

from ._comparison import comparison_report
from ._documents import document_of
from ._evaluation import evaluation_report
from ._markdown import markdown
from ._page import render
from ._provenance import provenance_section
from ._reproduction import reproduction_report
from ._search import search_report
from ._subject import EvaluatedSubject, Subject
from ._terminal import plain_text
from ._training import training_report
from ._words import printable

__all__ = ["ReportDataError", "kinds_of_results", "make_report", "report_of"]

# Each takes the results as plain data, and what can be looked at or None.
_KINDS = {
    "comparison": comparison_report,
    "evaluation": evaluation_report,
    "reproduction": reproduction_report,
    "search": search_report,
    "training": training_report,
}
_FORMATS = {"html": render, "markdown": markdown, "text": plain_text}
# What comes of values that are not what their names promise.
_DAMAGE = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


class ReportDataError(ValueError):
    """Error for data that are not results of a known kind."""


def kinds_of_results() -> list[str]:
    """Return the kinds of results that reports can be made of.

    Returns
    -------
    list of str
        The names, as in the ``kind`` of JSON results.
    """
    return list(_KINDS)


def make_report(
    results: Any,
    *,
    subject: Subject | None = None,
    command: str | None = None,
    format: Literal["html", "markdown", "text"] = "html",  # noqa: A002
) -> str:
    """Make a report of results.

    Parameters
    ----------
    results : DataFrame, Evaluation, search or dict
        Return value of :func:`skmnist.evaluation.compare`,
        :func:`skmnist.evaluation.evaluate` or :func:`skmnist.reproduction.reproduce`, a
        fitted scikit-learn search, or the results that a command printed with
        ``--json``.
    subject : Subject, default=None
        The model that the results are about, with its test images. The page then has
        pictures of both.
    command : str, default=None
        Command line that made the page, if it differs from that of the results.
    format : {"html", "markdown", "text"}, default="html"
        Format of the report: an HTML document, or Markdown or plain text without
        figures.

    Returns
    -------
    str
        The report.

    Raises
    ------
    ReportDataError
        If the data are of an unknown kind, incomplete or damaged.
    ImportError
        If Jinja2 or matplotlib is missing, which HTML reports need.

    Examples
    --------
    >>> from skmnist.report import make_report
    >>> results = {
    ...     "kind": "comparison",
    ...     "models": [
    ...         {"model": "mlp", "accuracy": 0.98, "accuracy_se": 0.01,
    ...          "fit_time": 2.0, "predict_time_us": 8.0, "verdict": "best"},
    ...     ],
    ...     "dataset": "digits",
    ... }
    >>> page = make_report(results)
    >>> page[:15], "98.00 ± 1.00" in page
    ('<!DOCTYPE html>', True)
    """
    if format not in _FORMATS:
        known = ", ".join(map(repr, _FORMATS))
        raise ValueError(f"format must be one of {known}; got {format!r}.")
    return _made(results, subject, command, _FORMATS[format])


def report_of(results, *, subject=None, command=None):
    """Return the content of the report that `make_report` makes."""
    return _made(results, subject, command, lambda report: report)


def _made(results, subject, command, finish):
    try:
        document = document_of(results)
    except ValueError as error:
        raise ReportDataError(str(error)) from error
    evaluated = getattr(results, "_evaluated", None)
    if subject is None and evaluated is not None and finish is render:
        subject = EvaluatedSubject(*evaluated)
    if document is None:
        hint = ""
        if is_search(results):
            hint = " This is a search: fit it first."
        elif hasattr(results, "fit"):
            hint = " This is a model: evaluate or compare it first."
        raise ReportDataError(
            "results must be what compare, evaluate or reproduce returns, a fitted "
            "search, or the results that a command printed with --json; got "
            f"{type(results).__name__}.{hint}"
        )
    kind = document.get("kind")
    if not isinstance(kind, str) or kind not in _KINDS:
        known = ", ".join(map(repr, _KINDS))
        found = "no kind" if kind is None else f"the kind {kind!r}"
        raise ReportDataError(
            f"A report cannot be made of these results: they have {found}; known are "
            f"{known}."
        )
    document = printable(document)
    try:
        report = _KINDS[kind](document, subject)
        origin = provenance_section(document, printable(command))
        return finish(replace(report, sections=(*report.sections, origin)))
    except KeyError as error:
        raise ReportDataError(
            f"These are incomplete results of the kind {kind!r}: {error} is missing."
        ) from error
    except (*_DAMAGE, *_template_errors()) as error:
        if subject is not None:  # the error may be that of the model
            raise
        raise ReportDataError(
            f"These are damaged results of the kind {kind!r} "
            f"({type(error).__name__}: {error})."
        ) from error


def _template_errors():
    """Return what templates raise, where they can be filled at all."""
    try:
        from jinja2 import TemplateError
    except ImportError:
        return ()
    return (TemplateError,)
