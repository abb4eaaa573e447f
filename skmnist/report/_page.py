"""From the content of a report to the text of a page."""

import base64
import hashlib
import re
from importlib.util import find_spec

__all__ = ["check_packages", "render"]

_UNIT = re.compile(r"(?<=\d) (?=(%|h|min|s|ms|µs)(\W|$))")
_PACKAGES = ("Jinja2", "matplotlib")


def check_packages() -> None:
    """Check that the packages that reports need are installed.

    Raises
    ------
    ImportError
        If a package is missing. The message says how to install it.
    """
    missing = [name for name in _PACKAGES if find_spec(name.lower()) is None]
    if missing:
        raise ImportError(
            f"A report needs {' and '.join(missing)}, which "
            f"{'is' if len(missing) == 1 else 'are'} not installed. Install it by "
            'pip install "skmnist[report]".'
        )


def render(report):
    """Write a report as one HTML document that loads nothing; all texts are escaped."""
    check_packages()
    from jinja2 import Environment, PackageLoader, StrictUndefined
    from markupsafe import Markup

    environment = Environment(
        loader=PackageLoader("skmnist.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"sentence": _sentence, "tied": _tied}
    style, script = (
        environment.loader.get_source(environment, name)[0].strip()
        for name in ("report.css", "report.js")
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return environment.get_template("page.html").render(
        report=report,
        style=Markup(style),
        script=Markup(script),
        # No other script runs, and nothing is fetched, whatever a text may hold.
        policy=(
            "default-src 'none'; img-src data:; style-src 'unsafe-inline'; "
            f"script-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
        ),
    )


def _sentence(text):
    """End a caption with a full stop, whatever name it ends with."""
    return text if text.endswith(".") else f"{text}."


def _tied(text):
    """Keep numbers and their units on one line."""
    return _UNIT.sub("\u00a0", text)
