"""The command group: every error on one line, every end with its exit code.

Only the error for MNIST that is nowhere is a list: places, failures, what to do.
"""

import importlib
import os
import shlex
import sys
import traceback
from pkgutil import iter_modules

import click

from skmnist.cli._errors import (
    BAD_INPUT,
    INTERRUPTED,
    Failure,
    MissingData,
    describe,
    one_line,
)
from skmnist.cli._interrupts import exit_code, watched_interrupts
from skmnist.cli._messages import note, short_warnings
from skmnist.cli._quiet import quiet_keras
from skmnist.cli._streams import patient_streams

_OUT_OF_MEMORY = "ResourceExhaustedError"
_NO_ARGUMENTS = getattr(click.exceptions, "NoArgsIsHelpError", ())


class CommandLine(click.Group):
    """A group of commands whose result, if it is an int, is the exit code.

    The command of a name is ``command`` in the public module of that name beside this
    one, which is imported when it is asked for.
    """

    def __init__(self, *args, first=(), **settings):
        super().__init__(*args, **settings)
        modules = {name for _, name, _ in iter_modules([os.path.dirname(__file__)])}
        others = {name for name in modules if not name.startswith("_")} - {*first}
        self._names = [*first, *sorted(others)]

    def list_commands(self, ctx):
        """Name the commands, those for beginners first."""
        return self._names

    def get_command(self, ctx, cmd_name):
        """Return the command of a name; None if there is none."""
        if cmd_name not in self._names:
            return None
        return importlib.import_module(f"skmnist.cli.{cmd_name}").command

    def main(self, args=None, prog_name=None, **extra):
        """Run a command and exit."""
        extra["standalone_mode"] = False
        words = sys.argv[1:] if args is None else args
        extra["obj"] = shlex.join([prog_name or self.name, *words])
        if sys.stdout is None:
            note("Error: Standard output is closed: there is no place for results.")
            sys.exit(BAD_INPUT)
        with (
            patient_streams() as written,
            short_warnings(),
            watched_interrupts(),
            quiet_keras(),
        ):
            sys.exit(written(exit_code(self._run(args, prog_name, extra))))

    def _run(self, args, prog_name, extra):
        try:
            result = super().main(args, prog_name, **extra)
        except click.ClickException as error:
            if isinstance(error, _NO_ARGUMENTS):
                error.show()
            elif isinstance(error, MissingData):
                note(f"Error: {error.format_message()}")
            else:
                note(
                    f"Error: {one_line(error.format_message())}{_where_to_look(error)}"
                )
            return error.exit_code
        except (click.Abort, KeyboardInterrupt):
            note("Interrupted.")
            return INTERRUPTED
        return result if isinstance(result, int) else 0

    def invoke(self, ctx):
        """Run the command, reporting what nobody foresaw as a failure."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            if isinstance(error, click.exceptions.Exit | click.Abort):
                raise
            if ctx.params["debug"] or os.environ.get("SKMNIST_DEBUG"):
                traceback.print_exc()
            if isinstance(error, click.ClickException):
                raise
            raise Failure(_explain(error)) from error


def command_line():
    """Return the command line that is running; None where there is none."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.find_root().obj


def _where_to_look(error):
    """Name the command whose help explains a wrong usage."""
    if not isinstance(error, click.UsageError) or error.ctx is None:
        return ""
    return f" (see {error.ctx.command_path} --help)"


def _explain(error):
    if isinstance(error, OSError):
        return describe(error)
    # The second is TensorFlow's, which is not to be imported for this.
    if isinstance(error, MemoryError) or type(error).__name__ == _OUT_OF_MEMORY:
        return "There is not enough memory."
    return (
        f"{type(error).__name__}: {describe(error)}. This should not happen; "
        "'skmnist --debug ...' shows where it did."
    )
