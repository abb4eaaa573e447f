"""The command line as a group of commands, each in a module of its name."""

import click

import skmnist as package
from skmnist.cli._group import CommandLine

__all__ = ["skmnist"]

_EPILOG = """\
\b
Results go to standard output, everything else to standard error.
Exit codes: 0 success; 1 failure, such as a failed model in a comparison;
2 wrong usage or bad input; 130 after Ctrl-C, 143 after SIGTERM; 141 if the
reader of standard output closes the pipe.
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
        "demo",
        "data",
        "models",
    ),
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package.__version__, prog_name="skmnist")
@click.option(
    "--debug", is_flag=True, help="Show tracebacks of errors (or set SKMNIST_DEBUG)."
)
def skmnist(debug):
    """Keras networks and classical models that classify digits.

    Start with 'skmnist compare', which needs no download.
    """
