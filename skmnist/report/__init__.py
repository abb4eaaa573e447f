"""Results as one self-contained HTML page: words first, then figures and tables.

:func:`make_report` takes the results of a command as plain data, which is what the
option ``--json`` of the command prints, and, where there is one, the fitted model
with the images that it was tested on, for pictures of both. It gives the text of a
page that loads nothing from anywhere, reads well on a phone, in the dark and on
paper, and says how to repeat what it shows.

It needs Jinja2 and matplotlib (``pip install "skmnist[report]"``).
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
