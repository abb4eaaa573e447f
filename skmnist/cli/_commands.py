"""The command line as a group of commands, each in a module of its name."""

import click

import skmnist as package
from skmnist.cli._group import CommandLine

__all__ = ["skmnist"]

_EPILOG = """\
\b
Results go to standard output, everything else to standard error.
Exit codes: 0 all went well; 1 something failed, a model of a comparison for
one; 2 wrong usage or bad input; 130 ended by Ctrl-C, 143 by SIGTERM; 141 if the
reader of standard output left before the end.
"""


@click.group(
    cls=CommandLine,
    first=(
        "compare",
        "train",
        "evaluate",
        "predict",
        "search",
        "report",
        "reproduce",
        "export",
        "data",
        "models",
    ),
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package.__version__, prog_name="skmnist")
@click.option(
    "--debug", is_flag=True, help="Show where errors come from (or set SKMNIST_DEBUG)."
)
def skmnist(debug):
    """Keras networks and classical models that classify digits.

    Start with 'skmnist compare', which needs no download.
    """
