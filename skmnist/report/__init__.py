"""Reports of results as one self-contained HTML page.

:func:`make_report` makes a report of the results of a comparison, evaluation, search or
reproduction, or of the JSON that a command prints with ``--json``. With the fitted
model and its test images, the report has pictures of both. The page loads nothing from
elsewhere, works on phones, in dark mode and in print, and says how to repeat the
results.

HTML reports need Jinja2 and matplotlib (``pip install "skmnist[report]"``).
"""

from ._kinds import ReportDataError, kinds_of_results, make_report
from ._page import check_packages
from ._subject import Subject

__all__ = [
    "ReportDataError",
    "Subject",
    "check_packages",
    "kinds_of_results",
    "make_report",
]
