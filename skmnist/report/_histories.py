"""Learning curves."""

from skmnist._numbers import is_missing
from skmnist.plotting import TrainingHistoryDisplay

from ._content import Cell, Column, Section, Table, Text
from ._drawings import draw

__all__ = ["history_section"]


def history_section(history):
    """Show learning curves, one value per epoch, in a list of one section or none."""
    history = {
        name: [float("nan") if value is None else value for value in values]
        for name, values in (history or {}).items()
        if values
    }
    if not history:
        return []
    metrics = list(dict.fromkeys(name.removeprefix("val_") for name in history))
    metrics.sort(key=lambda name: name != "loss")
    figures = []
    for metric in metrics:
        shown = [name for name in (metric, f"val_{metric}") if name in history]
        words = _curve_words({name: history[name] for name in shown}, metric)
        figures.append(
            draw(
                lambda ax, metric=metric: TrainingHistoryDisplay.from_history(
                    history, metrics=[metric], ax=ax
                ),
                (4.6, 3.1),
                caption=_caption(metric, f"val_{metric}" in history),
                alt=f"Chart of {metric.replace('_', ' ')} after each epoch. {words}.",
            )
        )
    n_epochs = len(next(iter(history.values())))
    columns = (
        Column("Epoch", number=True, sort="ascending"),
        *(Column(_curve_name(name), number=True) for name in history),
    )
    rows = tuple(
        (
            Cell(str(epoch + 1), epoch + 1),
            *(_value(values[epoch]) for values in history.values()),
        )
        for epoch in range(n_epochs)
    )
    table = Table(
        "Every epoch of the training",
        columns,
        rows,
        folded="The numbers of all epochs",
    )
    hint = Text(
        "Train with validation_fraction=0.1 (skmnist train --param "
        "validation_fraction=0.1) for curves on images held out from training."
    )
    hints = [] if any(name.startswith("val_") for name in history) else [hint]
    return [Section("Learning curves", (*figures, *hints, table))]


def _curve_words(curves, metric):
    """Say where curves begin and end."""
    parts = [
        f"{'validation' if name != metric else 'training'} from "
        f"{values[0]:.4g} to {values[-1]:.4g}"
        for name, values in curves.items()
    ]
    return "; ".join(parts)


def _caption(metric, validated):
    name = metric.replace("_", " ")
    where = (
        "on the training and validation images"
        if validated
        else "on the training images, during training"
    )
    return f"{name[:1].upper()}{name[1:]} of each epoch, {where}."


def _curve_name(name):
    bare = name.removeprefix("val_").replace("_", " ")
    return f"validation {bare}" if name.startswith("val_") else bare


def _value(value):
    if is_missing(value):
        return Cell("")
    return Cell(f"{value:.4f}" if abs(value) >= 1e-3 else f"{value:.3g}", value)
