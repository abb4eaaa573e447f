"""Results as tables: for terminals of any width, and for pipes without colours."""

import io

from rich import box
from rich.console import Console, ConsoleDimensions
from rich.measure import Measurement
from rich.table import Table
from rich.text import Text

from skmnist._numbers import (
    count,
    duration,
    is_missing,
    microseconds,
    percent,
    with_error,
)

_PIPE_WIDTH = 10_000
_MAX_MATRIX = 12  # classes whose confusion matrix is shown whole
_MAX_CONFUSIONS = 10
_VERDICT_STYLES = {"best": "bold green", "worse": "dim", "failed": "bold red"}


class _ProgressConsole(Console):
    """Leaves room at the right for the ^C that a terminal echoes.

    It would otherwise begin a new line, and the lines of a bar be counted wrongly
    when they are erased.
    """

    @property
    def size(self):
        width, height = super().size
        return ConsoleDimensions(max(width - 4, 1), height)


def stderr_console():
    """Make a console for progress."""
    return _ProgressConsole(stderr=True, highlight=False)


def print_result(*parts):
    """Print texts, tables, and functions that make a table for a width."""
    console = Console(highlight=False)
    if not console.is_terminal:
        print(plain_text(*parts))
        return
    for part in parts:
        console.print(_drawn(part, console.width))


def plain_text(*parts):
    """Return texts and tables without colours, and without a limit to their width."""
    stream = io.StringIO()
    console = Console(file=stream, width=_PIPE_WIDTH, color_system=None)
    for part in parts:
        console.print(_drawn(part, _PIPE_WIDTH))
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())


def _drawn(part, width):
    if isinstance(part, str):
        return Text(part)
    return part(width) if callable(part) else part


def new_table(*columns, **options):
    """Make an empty table; a ">" in front of a column's name aligns it right."""
    table = Table(
        box=box.SIMPLE_HEAD,
        show_edge=False,
        pad_edge=False,
        padding=(0, 1, 0, 0),
        header_style="bold",
        **options,
    )
    for name in columns:
        justify = "right" if name.startswith(">") else "left"
        table.add_column(name.removeprefix(">"), justify=justify, no_wrap=True)
    return table


def comparison_view(table, label_columns=None):
    """Return a function that draws a comparison as a width allows.

    Parameters
    ----------
    table : DataFrame
        As :func:`skmnist.evaluation.comparison_table` makes it.
    label_columns : dict of str to dict, default=None
        For every model the columns that tell what it is, in place of its name.

    Returns
    -------
    callable
        Takes the width in characters and returns a table.
    """
    rows = comparison_cells(table, label_columns)
    # What is missed least goes first.
    least = (">Parameters", ">Predict", ">Fit", "Verdict")
    ruler = Console(file=io.StringIO(), width=_PIPE_WIDTH)

    def draw(width):
        for n_hidden in range(len(least) + 1):
            drawn = _comparison(rows, least[:n_hidden])
            if Measurement.get(ruler, ruler.options, drawn).maximum <= width:
                break
        return drawn

    return draw


def comparison_cells(table, label_columns=None):
    """Return the rows of a comparison as texts, by the names of the columns.

    A ">" in front of a name means that the column is aligned to the right.
    """
    rows = []
    for row in table.reset_index().to_dict("records"):
        name = row["model"]
        labels = label_columns[name] if label_columns else {"Model": name}
        cells = dict.fromkeys((">Accuracy", ">Fit", ">Predict", ">Parameters"), "")
        if row["verdict"] != "failed":
            cells = {
                ">Accuracy": with_error(row["accuracy"], row["accuracy_se"]),
                ">Fit": duration(row["fit_time"]),
                ">Predict": microseconds(row["predict_time_us"]),
                ">Parameters": count(row["n_parameters"]),
            }
        labels = {label: str(value) for label, value in labels.items()}
        rows.append({**labels, **cells, "Verdict": row["verdict"]})
    return rows


def _comparison(rows, hidden):
    columns = [column for column in rows[0] if column not in hidden]
    table = new_table(*columns)
    for row in rows:
        table.add_row(
            *(row[column] for column in columns),
            style=_VERDICT_STYLES.get(row["Verdict"]),
        )
    if hidden:
        names = ", ".join(column.removeprefix(">") for column in reversed(hidden))
        table.caption = f"In a wider window: {names}"
        table.caption_justify = "left"
    return table


def evaluation_view(result, *, new_images=True):
    """Return the parts that show an Evaluation, for `print_result`.

    Only where the images are new to the model, its accuracy on further ones is in
    an interval about that on these.
    """
    low, high = result.accuracy_interval
    interval = f" (95 % interval {100 * low:.2f} to {percent(high)})"
    lines = [
        f"Accuracy  {percent(result.accuracy)}{interval if new_images else ''}",
        f"Images    {result.n:,}: {result.n_right:,} recognised, "
        f"{result.n_wrong:,} not ({percent(result.error)})",
    ]
    if not is_missing(result.log_loss):
        lines.append(f"Log loss  {result.log_loss:.4f}")
    table = new_table("Label", ">Precision", ">Recall", ">F1", ">Images")
    for label, row in result.per_class.iterrows():
        scores = (
            "" if is_missing(row[name]) else percent(row[name])
            for name in ("precision", "recall", "f1")
        )
        table.add_row(str(label), *scores, count(row["support"]))
    return ["\n".join(lines), "", table, "", *_confusion_view(result)]


def _confusion_view(result):
    matrix = result.confusion
    if len(matrix) <= _MAX_MATRIX:
        table = new_table("", *(f">{label}" for label in matrix.columns))
        for true, row in matrix.iterrows():
            table.add_row(
                str(true),
                *(
                    Text(f"{n:,}", "green" if true == predicted else "red")
                    if n
                    else Text("·", "dim")
                    for predicted, n in row.items()
                ),
            )
        return ["Images by true label (down) and predicted label (across)", table]
    wrong = [
        (n, true, predicted)
        for true, row in matrix.iterrows()
        for predicted, n in row.items()
        if n and true != predicted
    ]
    wrong.sort(key=lambda confusion: -confusion[0])
    table = new_table("True", "Predicted", ">Images")
    for n, true, predicted in wrong[:_MAX_CONFUSIONS]:
        table.add_row(str(true), str(predicted), count(n))
    return ["Most frequent confusions", table]
