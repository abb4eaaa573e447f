"""The kinds of results that reports are made of.

A new kind needs a name as ``kind`` in its JSON, beside ``**provenance(...)``; a module
here with a function ``(results, subject) -> Report``; a line in ``_KINDS``; and in its
command ``report_option``, ``check_page`` before the work and ``write_page`` after it.
"""

from ._comparison import comparison_report
from ._content import Report
from ._evaluation import evaluation_report
from ._page import render
from ._provenance import provenance_section
from ._reproduction import reproduction_report
from ._search import search_report
from ._training import training_report
from ._words import printable

__all__ = ["ReportDataError", "kinds_of_results", "make_report"]

# Each takes the results as plain data, and what can be looked at or None.
_KINDS = {
    "comparison": comparison_report,
    "evaluation": evaluation_report,
    "reproduction": reproduction_report,
    "search": search_report,
    "training": training_report,
}
# What comes of values that are not what their names promise.
_DAMAGE = (TypeError, ValueError, AttributeError, LookupError, ArithmeticError)


class ReportDataError(ValueError):
    """Data are no results that a report could be made of."""


def kinds_of_results():
    """Name the kinds of results, as they stand in ``kind``.

    Returns
    -------
    list of str
        The names.
    """
    return list(_KINDS)


def make_report(results, *, subject=None, command=None):
    """Make the page that shows results.

    Parameters
    ----------
    results : dict
        What the option ``--json`` of ``skmnist compare``, ``evaluate``, ``reproduce``,
        ``search`` or ``train`` prints. Its ``kind`` says which.
    subject : Subject, default=None
        The model that the results are about, with the images that it was tested on:
        then the report has pictures of both.
    command : str, default=None
        The command line that made the page, if another one than that of the results.

    Returns
    -------
    str
        A whole HTML document.

    Raises
    ------
    ReportDataError
        If the data are of no known kind, incomplete or damaged.
    ImportError
        If Jinja2 or matplotlib is missing.

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
    kind = results.get("kind") if isinstance(results, dict) else None
    if not isinstance(kind, str) or kind not in _KINDS:
        known = ", ".join(map(repr, _KINDS))
        found = "no kind" if kind is None else f"the kind {kind!r}"
        raise ReportDataError(
            f"These are no results that a report can be made of: they have {found}; "
            f"known are {known}."
        )
    results = printable(results)
    try:
        report = _KINDS[kind](results, subject)
        origin = provenance_section(results, printable(command))
        return render(
            Report(
                report.title,
                report.summary,
                (*report.sections, origin),
                report.key_figures,
            )
        )
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
