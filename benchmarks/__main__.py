"""The command line: ``python -m benchmarks``."""

import importlib
import json
from pathlib import Path

import click
from rich.console import Console

from benchmarks.chart import write_charts
from benchmarks.comparisons import run_in_new_process, run_rounds
from benchmarks.data import load
from benchmarks.results import (
    add_comparison,
    make_document,
    read_document,
    write_text,
)
from benchmarks.tables import machine_lines, page, table

_PIPE_WIDTH = 10_000
SUITES = (
    "training",
    "profile",
    "search",
    "memory",
    "prediction",
    "startup",
    "fast_model",
)


@click.command()
@click.argument("names", nargs=-1, type=click.Choice(SUITES))
@click.option("--quick", is_flag=True, help="One round on few images, to see it work.")
@click.option(
    "--runs",
    type=click.IntRange(0),
    help="Number of rounds. [default: 5, fast_model 10; quick: 1] With 0 nothing is "
    "measured: --page writes what --out holds.",
)
@click.option(
    "--match", default="", help="Only comparisons whose title contains this text."
)
@click.option(
    "--out",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Keep all results in this JSON file, beside those of other suites there.",
)
@click.option(
    "--page",
    "page_file",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write this page of the documentation, docs/benchmarks.md, and its chart.",
)
def main(names, quick, runs, match, out, page_file):
    """Measure skmnist beside its peers, in turn and in fresh processes."""
    suites = [importlib.import_module(f"benchmarks.{name}") for name in names or SUITES]
    chosen = [
        comparison
        for suite in suites
        for comparison in suite.comparisons(quick)
        if match in comparison.title
    ]
    if not chosen:
        raise click.UsageError(f"No comparison of these has {match!r} in its title.")
    if runs != 0 and not quick and any(suite.NEEDS_MNIST for suite in suites):
        _check_mnist()
    for file in (out, page_file):  # before the first run, which may take long
        if file and not file.parent.is_dir():
            raise click.UsageError(f"There is no folder {file.parent}.")
    try:
        document = read_document(out, quick) if out else make_document(quick)
    except ValueError as error:
        raise click.UsageError(str(error)) from None
    console = Console(highlight=False)
    if not console.is_terminal:
        console = Console(width=_PIPE_WIDTH, highlight=False)
    console.print("\n".join(machine_lines(document)), markup=False)
    if runs == 0:
        _write_page(page_file, document)
        return
    for comparison in chosen:
        n_runs = runs or (1 if quick else comparison.n_runs)
        rounds = run_rounds(comparison, n_runs, run_in_new_process, _progress(n_runs))
        entry = add_comparison(document, comparison, rounds, SUITES)
        console.print("", table(entry))
        # After each, so that nothing is lost if a later one is interrupted.
        if out:
            write_text(out, json.dumps(document, indent=1) + "\n")
        _write_page(page_file, document)


def _write_page(file, document):
    """Write the page of the documentation with its chart, if it is wanted."""
    if file:
        write_charts(document, file.parent)
        write_text(file, page(document))


def _check_mnist():
    """End with one line if MNIST cannot be had."""
    try:
        load("mnist")
    except (OSError, ValueError, RuntimeError) as error:
        raise click.ClickException(f"MNIST is needed: {error}") from None


def _progress(n_runs):
    def on_result(number, contestant, result):
        said = result.get("missing") or result.get("error") or "done"
        click.echo(
            f"round {number + 1} of {n_runs}: {contestant.name}: {said}", err=True
        )

    return on_result


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
