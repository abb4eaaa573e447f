"""What matters of the results at one look: a chart, and a table of ratios."""

from typing import NamedTuple

__all__ = ["CHARTS", "draw_chart", "verdict_lines", "write_charts"]

# Beside the page of the documentation, for light and dark mode.
CHARTS = ("_static/benchmarks.svg", "_static/benchmarks_dark.svg")

_OURS = "skmnist"
_PEERS = ("Keras", "scikeras", "skorch", "MLPClassifier")
# Both stand out from white and from black.
_BLUE, _GREY = "#2A8FCC", "#8C8C8C"


class _Task(NamedTuple):
    suite: str
    start: str  # of the comparison's title
    measure: str
    title: str
    detail: str
    unit: str


_TASKS = (
    _Task("training", "mlp_512, 60,000", "fit_s", "Train an MLP", "5 epochs", "s"),
    _Task("training", "cnn_32_64, 20,000", "fit_s", "Train a CNN", "2 epochs", "s"),
    _Task("search", "24 MLPs × 3", "fit_ms", "Search a grid", "per fit, digits", "ms"),
    _Task("prediction", "one image, mlp", "call_ms", "Predict", "one image, MLP", "ms"),
    _Task("prediction", "one image, cnn", "call_ms", "Predict", "one image, CNN", "ms"),
)


def _measured(document):
    """Return each task that was measured, with what each contestant took."""
    found = []
    for task in _TASKS:
        for comparison in document["comparisons"]:
            title = comparison["title"]
            if comparison["suite"] != task.suite or not title.startswith(task.start):
                continue
            spreads = {}
            for name in (_OURS, *_PEERS):
                entry = comparison["summary"].get(name, {"measures": {}})
                measure = entry["measures"].get(task.measure, {})
                if measure.get("values") is not None:
                    spreads[name] = measure
            if _OURS in spreads and len(spreads) > 1:
                found.append((task, spreads))
                break
    return found


def _time(spreads, name, task):
    """Write a median time with two or three digits."""
    value = spreads[name]["values"]["median"]
    digits = 0 if value >= 10 else 1 if value >= 1 else 2
    return f"{value:,.{digits}f} {task.unit}"


def _ratio(spreads, name):
    """Write how many times as long as skmnist a peer took, the median of the rounds."""
    if name not in spreads:
        return ""
    value = spreads[name]["ratio"]["median"]
    return f"{value:.0f} ×" if value >= 10 else f"{value:.1f} ×"


def verdict_lines(document):
    """Return where peers are faster, and a table of how many times as long they take.

    Parameters
    ----------
    document : dict
        Results, as ``python -m benchmarks --out`` keeps them.

    Returns
    -------
    list of str
        The lines, in Markdown; none if no task of the table was measured.
    """
    measured = _measured(document)
    if not measured:
        return []
    faster = [
        f"“{task.title}: {task.detail}”, where {peer} is faster"
        for task, spreads in measured
        for peer in _PEERS
        if peer in spreads and spreads[peer]["ratio"]["median"] < 1
    ]
    lines = [
        f"**{_OURS} is the fastest in all of these tasks"
        f"{' except ' + '; '.join(faster) if faster else ''}.** The table has its "
        "median time, and how many times as long the peers take, within a round.",
        "",
        f"| | {_OURS} | {' | '.join(_PEERS)} |",
        f"|---|---:|{'---:|' * len(_PEERS)}",
    ]
    for task, spreads in measured:
        ratios = " | ".join(_ratio(spreads, peer) for peer in _PEERS)
        ours = _time(spreads, _OURS, task)
        lines.append(f"| {task.title}: {task.detail} | {ours} | {ratios} |")
    return lines


def write_charts(document, folder):
    """Write the pictures of a page in a folder, if there is anything to show."""
    if not _measured(document):
        return
    for file, dark in zip(CHARTS, (False, True), strict=True):
        path = folder / file
        path.parent.mkdir(exist_ok=True)
        draw_chart(document, path, dark)


def draw_chart(document, path, dark=False):
    """Write a picture with the times of the tasks, one panel each; shorter is faster.

    Parameters
    ----------
    document : dict
        Results, as ``python -m benchmarks --out`` keeps them.
    path : Path
        Where to; the ending chooses the format.
    dark : bool, default=False
        Whether the picture is for a dark page. The background is transparent.

    Raises
    ------
    ValueError
        If no task of the chart was measured.
    """
    import matplotlib.pyplot as plt

    measured = _measured(document)
    if not measured:
        raise ValueError("The results have none of the tasks that the chart shows.")
    names = (_OURS, *_PEERS)
    colors = [_BLUE, *[_GREY] * len(_PEERS)]
    style = "dark_background" if dark else "default"
    with plt.style.context(style), plt.rc_context({"svg.hashsalt": "skmnist"}):
        figure, axes = plt.subplots(
            1,
            len(measured),
            figsize=(9.6, 1.75),
            sharey=True,
            squeeze=False,
            layout="constrained",
        )
        for ax, (task, spreads) in zip(axes[0], measured, strict=True):
            medians = [
                spreads[name]["values"]["median"] if name in spreads else 0
                for name in names
            ]
            bars = ax.barh(names, medians, color=colors)
            texts = [
                _time(spreads, name, task) if name in spreads else "–" for name in names
            ]
            ax.bar_label(bars, texts, padding=3, fontsize=9)
            ax.set_title(f"{task.title}\n", fontsize=10, loc="left", weight="bold")
            ax.text(0, 1.04, task.detail, fontsize=9, transform=ax.transAxes)
            ax.set(xlim=(0, 1.6 * max(medians)), xticks=[])
            ax.tick_params(left=False, labelsize=9)
            ax.spines[["top", "right", "bottom"]].set_visible(False)
        axes[0, 0].invert_yaxis()  # of all, which share it
        axes[0, 0].get_yticklabels()[0].set_fontweight("bold")
        figure.savefig(path, transparent=True, dpi=160, metadata={"Date": None})
        plt.close(figure)
