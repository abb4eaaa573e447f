"""Results for reading: a table in the terminal, a page of the documentation."""

from datetime import datetime

from rich import box
from rich.table import Table

from benchmarks.chart import CHARTS, verdict_lines

__all__ = ["machine_lines", "page", "table"]

_RATIO = ("minimum", "median", "maximum")
# More columns of figures than these are hard to read side by side.
_MAX_FIGURES = 6
_CHART, _DARK_CHART = CHARTS


def number(value, unit):
    """Write a number with about three digits, and shares in per cent."""
    if unit == "share":
        return f"{100 * value:.2f} %"
    size = abs(value)
    digits = 0 if size >= 100 else 1 if size >= 10 else 2 if size >= 0.1 else 4
    return f"{value:,.{digits}f}"


def columns(comparison):
    """Return the heads of the columns."""
    heads = ["contestant"]
    for measure in comparison["measures"]:
        unit = measure["unit"]
        ending = ": mean, min" if unit == "share" else f", {unit}" if unit else ""
        heads.append(measure["label"] + ending)
        if measure["has_ratio"]:
            heads.append("ratio: min, median, max")
    return heads


def cells(comparison):
    """Yield the row of each contestant, as texts."""
    for name, entry in comparison["summary"].items():
        reason = entry.get("missing") or entry.get("error")
        row = [name]
        for measure in comparison["measures"]:
            found = entry["measures"][measure["name"]]
            row.append(_value(found["values"], measure))
            if measure["has_ratio"]:
                row.append(_ratio(found.get("ratio")))
        if reason:
            n_failed, n_runs = entry["n_failed"], len(comparison["rounds"])
            often = "" if n_failed == n_runs else f" ({n_failed} of {n_runs} runs)"
            row[0] = f"{name}: {reason}{often}"
        yield row


def rows(comparison):
    """Return heads and rows, as texts; with many measures, one row for each of them."""
    found = [columns(comparison), *cells(comparison)]
    if len(found[0]) - 1 <= _MAX_FIGURES:
        return found
    (_, *names), *measures = zip(*found, strict=True)
    return [["measure", *names], *map(list, measures)]


def _value(spread, measure):
    """Write a mean and the least of shares, a median of all else.

    With its range where no ratio tells how far runs differ.
    """
    if spread is None:
        return "–"
    unit = measure["unit"]
    if unit == "share":
        return ", ".join(number(spread[key], unit) for key in ("mean", "minimum"))
    text = number(spread["median"], unit)
    if measure["has_ratio"] or spread["minimum"] == spread["maximum"]:
        return text
    limits = (number(spread[key], unit) for key in ("minimum", "maximum"))
    return f"{text} ({' to '.join(limits)})"


def _load(load):
    return "" if load is None else f", when the load of the machine was {load:.1f}"


def _revision(revision):
    """Name the measured code; older results do not know it."""
    return "" if revision is None else f", with revision {revision}"


def _ratio(spread):
    if spread is None:
        return ""
    return ", ".join(f"{spread[key]:.2f}" for key in _RATIO)


def table(comparison):
    """Draw a comparison for the terminal."""
    drawn = Table(
        title=f"{comparison['suite']}: {comparison['title']}",
        title_justify="left",
        title_style="bold",
        caption=comparison["note"],
        caption_justify="left",
        box=box.SIMPLE_HEAD,
    )
    heads, *figures = rows(comparison)
    for index, head in enumerate(heads):
        drawn.add_column(head, justify="right" if index else "left")
    for row in figures:
        drawn.add_row(*row)
    return drawn


def machine_lines(document):
    """Return what the benchmarks ran on, one fact a line."""
    machine = document["machine"]
    flags = [
        f"{flag}: {'yes' if has else 'no'}" for flag, has in machine["flags"].items()
    ]
    threads = [f"{k}={v}" for k, v in machine["thread_variables"].items()]
    versions = [f"{name} {number}" for name, number in document["versions"].items()]
    return [
        f"Processor: {machine['processor']}, {machine['platform']}; {', '.join(flags)}",
        f"Cores: {machine['n_usable_cores']} of {machine['n_cores']}; "
        f"threads: {', '.join(threads) or 'as each library chooses'}",
        f"Versions: {', '.join(versions)}",
    ]


def page(document):
    """Write results as a page of the documentation, in Markdown.

    It begins with the pictures that :func:`benchmarks.chart.draw_chart` makes.
    """
    verdict = verdict_lines(document)
    lines = ["# Benchmarks", ""]
    if verdict:
        lines += [
            *_picture(_CHART, "only-light"),
            *_picture(_DARK_CHART, "only-dark"),
            *verdict,
            "",
        ]
    lines += [
        "In each round every row runs once, in a rotating order, each in a new "
        "process, on the same data, with the same network, optimizer and batch size "
        "unless a note says otherwise. Times are medians of the rounds. A ratio is a "
        "row's time divided by the first row's in the same round: above 1, the first "
        "row is faster. Accuracies are means.",
        "",
    ]
    if document["quick"]:
        lines += [
            "**A quick run on few images, which only shows that the benchmarks work. "
            "Its figures are no results.**",
            "",
        ]
    lines += [f"- {line}" for line in machine_lines(document)]
    suite = None
    for comparison in document["comparisons"]:
        if comparison["suite"] != suite:
            suite = comparison["suite"]
            lines += ["", f"## {suite.replace('_', ' ').capitalize()}"]
        n_runs = len(comparison["rounds"])
        heads, *figures = rows(comparison)
        ended = datetime.fromisoformat(comparison["ended"])
        lines += [
            "",
            f"### {comparison['title']}",
            "",
            f"{comparison['note']} Rounds: {n_runs}; ended {ended:%Y-%m-%d %H:%M} UTC"
            f"{_revision(comparison.get('revision'))}{_load(comparison['load'])}.",
            "",
            f"| {' | '.join(heads)} |",
            f"|---|{'---:|' * (len(heads) - 1)}",
            *(f"| {' | '.join(map(_cell, row))} |" for row in figures),
        ]
    lines += [
        "",
        "## How to run them",
        "",
        "From a checkout, with MNIST where `fetch_mnist` finds it:",
        "",
        "```sh",
        'pip install -e ".[bench]"',
        "python -m benchmarks --out benchmarks.json --page docs/benchmarks.md",
        "```",
        "",
        "`--help` tells how to choose some. `--quick` runs all of it on few images, to "
        "see that it works. A peer that is not installed is left out, and reported as "
        "such. With `--out`, the results of other suites that the file holds are kept.",
        "",
    ]
    return "\n".join(lines)


def _picture(file, kind):
    """Show a chart in one of the light and dark modes of the documentation."""
    return [
        f"```{{image}} {file}",
        f":class: {kind}",
        ":alt: Times of skmnist and its peers, which the table below has too",
        "```",
        "",
    ]


def _cell(text):
    """Write a cell of a table, where no line breaks between a number and its unit."""
    return text.replace("|", " ").replace(" %", "\N{NO-BREAK SPACE}%")
