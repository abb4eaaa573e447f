"""The report of the training of a model."""

import shlex

from skmnist._numbers import counted, duration, is_missing

from ._content import Cell, Column, KeyFigure, Report, Section, Table
from ._evaluation import evaluation_sections, key_figures, weakness_words
from ._histories import history_section
from ._model import model_sections
from ._words import accuracy_words, title_of

__all__ = ["training_report"]


def training_report(results, subject=None):
    """Make the report of a training, with pictures if there is a subject."""
    evaluation = results["evaluation"]
    epochs = ""
    if not is_missing(results.get("n_epochs")):
        epochs = f", {counted(results['n_epochs'], 'epoch')}"
    name = title_of(results)
    words = (
        f"{name} was trained on {counted(results['n_train'], 'image')} of "
        f"{results['dataset']}{epochs}, in {duration(results['fit_time'])}, and tested "
        f"on images that it had not seen. {accuracy_words(evaluation)}"
    )
    summary = [words, *weakness_words(evaluation)]
    if results.get("interrupted"):
        summary.append("Training was interrupted before its last epoch.")
    sections = [
        *history_section(results.get("history")),
        *evaluation_sections(evaluation, subject),
    ]
    if subject is not None:
        sections += model_sections(subject, history=False)
    figures = (
        *key_figures(evaluation),
        KeyFigure(duration(results["fit_time"]), "to train it"),
    )
    title = f"{name} trained on {results['dataset']}"
    sections += _next_section(results.get("file"))
    return Report(title, tuple(summary), tuple(sections), figures)


def _next_section(file):
    """Say what can be done with the file of a model; nothing if there is none."""
    if file is None:
        return []
    name = shlex.quote(file)
    commands = {
        f"skmnist evaluate {name}": "test it again, or on other images",
        f"skmnist predict {name} IMAGE...": "classify images",
        f"skmnist report {name}": "see what it does on one page",
    }
    rows = tuple((Cell(command), Cell(what)) for command, what in commands.items())
    columns = Column("Command"), Column("What it is for", wraps=True)
    table = Table(f"The model is saved in {file}. What next", columns, rows)
    return [Section("What next", (table,), is_brief=True)]
