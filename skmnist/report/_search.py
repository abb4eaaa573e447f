"""The report of a search for the parameters of a model."""

from dataclasses import replace
from statistics import mean

from skmnist._numbers import counted, is_missing, joined, percent, with_error
from skmnist.evaluation._table import ranked_accuracy
from skmnist.plotting import CandidateHistoriesDisplay, SearchResultsDisplay

from ._comparison import (
    best_rows,
    failures_section,
    method_words,
    models_table,
    reading_texts,
)
from ._content import Cell, Column, KeyFigure, Report, Section, Table
from ._drawings import draw, sketch
from ._evaluation import evaluation_sections
from ._histories import history_section
from ._model import model_sections
from ._words import accuracy_words, on_dataset

__all__ = ["search_report"]

_N_BRIEF = 10  # candidates in a terminal
_N_NEAR = 3  # candidates named beside the best


def search_report(results, subject=None):
    """Make the report of a search; the subject is the refitted best model."""
    candidates, evaluation = results["candidates"], results.get("evaluation")
    best = next((c for c in candidates if not is_missing(c["accuracy"])), None)
    named = [{**c, "model": joined(c["params"])} for c in candidates]
    sections = [*_best_section(results, candidates), _table(results, candidates)]
    sections += _histories_section(candidates)
    sections += history_section(results.get("history"))
    if evaluation is not None:
        sections += evaluation_sections(evaluation, subject)
    if subject is not None:
        sections += model_sections(subject, history=False)
    sections += failures_section(results, named)
    title = f"Parameter search for {results['model']}{on_dataset(results)}"
    figures = []
    if best is not None:
        words = f"accuracy of the {_rank(results)} candidate"
        figures = [KeyFigure(percent(best["accuracy"]), words)]
    if evaluation is not None:
        figures.append(
            KeyFigure(
                percent(evaluation["accuracy"]), "on the test images, after refitting"
            )
        )
    n_tried = _n_tried(results)
    figures.append(
        KeyFigure(
            f"{n_tried:,}", "candidate tried" if n_tried == 1 else "candidates tried"
        )
    )
    summary = _summary(results, best)
    return Report(title, tuple(summary), tuple(sections), tuple(figures))


def _n_tried(results):
    """Return the number of candidates tried, of which a halving search shows a part."""
    n_done = len(results["candidates"])
    interrupted = results.get("interrupted")
    return n_done if interrupted else results.get("n_candidates", n_done)


def _rank(results):
    """Say in a word what the first candidate is among those tried."""
    if _n_tried(results) == 1:
        return "only"
    return "chosen" if _more_accurate(results) else "best"


def _more_accurate(results):
    """List the accuracies above that of the first candidate, which a search chose."""
    done = [ranked_accuracy(c["accuracy"]) for c in _done(results)]
    return [accuracy for accuracy in done if accuracy > done[0]]


def _done(results):
    return [c for c in results["candidates"] if not is_missing(c["accuracy"])]


def _simplest(best, candidates):
    """Name the candidate with the fewest parameters of those that may be as good."""
    tied = [c for c in candidates if c["verdict"] in ("best", "no clear difference")]
    counts = [c.get("n_parameters") for c in [best, *tied]]
    if not tied or any(map(is_missing, counts)):
        return ""
    simplest = min(tied, key=lambda c: c["n_parameters"])  # the most accurate of these
    if simplest["n_parameters"] >= best["n_parameters"]:
        return ""
    return (
        f" The simplest of them, {joined(simplest['params'])}, has "
        f"{simplest['n_parameters']:,} parameters instead of "
        f"{best['n_parameters']:,}."
    )


def _within_one_error(best, candidates):
    """Name the candidates near the best one of a search that gives no verdicts."""
    if is_missing(best["accuracy_se"]):
        return ""
    limit = ranked_accuracy(best["accuracy"] - best["accuracy_se"])
    unjudged = [c for c in candidates if c["verdict"] == ""]
    near = [c for c in unjudged if ranked_accuracy(c["accuracy"]) >= limit]
    if not near:
        return ""
    shown = "; ".join(joined(c["params"]) for c in near[:_N_NEAR])
    more = f"; and {len(near) - _N_NEAR:,} more" if len(near) > _N_NEAR else ""
    verb = "is" if len(near) == 1 else "are"
    return (
        f" {counted(len(near), 'other candidate')} {verb} within one standard error of "
        f"it: {shown}{more}."
    )


def _summary(results, best):
    if best is None:
        return ["All candidates failed."]
    candidates, evaluation = results["candidates"], results.get("evaluation")
    n_all = results.get("n_candidates", len(candidates))
    n_tried, rank = _n_tried(results), _rank(results)
    n_best = len(best_rows(_done(results)))
    which = f"Of {n_tried:,} candidates the best is"
    if rank == "only":
        which = "The only candidate is"
    elif rank == "chosen":
        which = f"Of {n_tried:,} candidates the search chose"
    elif n_best > 1:
        which = (
            f"Of {n_tried:,} candidates {n_best:,} are the best, all equally accurate; "
            "the first is"
        )
    words = (
        f"{which} {joined(best['params'])}, with an accuracy of "
        f"{with_error(best['accuracy'], best['accuracy_se'])} "
        f"({method_words(results)})."
    )
    if rank == "chosen":
        n_better = len(_more_accurate(results))
        verb = "is" if n_better == 1 else "are"
        words += f" {counted(n_better, 'other candidate')} {verb} more accurate."
    if n_tried > len(candidates):
        words += (
            " Only the last round is shown, with "
            f"{counted(len(candidates), 'candidate')}."
        )
    unclear = sum(c["verdict"] == "no clear difference" for c in candidates)
    if unclear:
        verb = "differs" if unclear == 1 else "differ"
        words += (
            f" {counted(unclear, 'other candidate')} {verb} from it by no more than "
            "chance explains."
        )
    words += _simplest(best, candidates) or _within_one_error(best, candidates)
    paragraphs = [words]
    if evaluation is not None:
        paragraphs.append(
            "Refitted on all training images, it was tested on images that were not "
            f"used in the search. {accuracy_words(evaluation)}"
        )
    if results.get("interrupted"):
        n_done = len(candidates)
        words = f"The search was interrupted: {n_done} of {n_all} candidates were done."
        if n_done == n_all:
            lost = "there is no model" if evaluation is None else "not all epochs ran"
            words = f"The refit was interrupted: {lost}."
        paragraphs.append(words)
    if results.get("file"):
        paragraphs.append(f"The model is saved in {results['file']}.")
    return paragraphs


def _best_section(results, candidates):
    rows = tuple(
        (Cell(str(name)), Cell(_text(value)))
        for name, value in (results["best_params"] or {}).items()
    )
    columns = Column("Parameter"), Column("Value")
    best = Table(f"The {_rank(results)} candidate", columns, rows)
    return [Section("What makes a difference", (lambda: _chart(candidates), best))]


def _histories_section(candidates):
    """Show the training loss of all candidates; nothing if they have no epochs."""
    varied = {
        name
        for name in candidates[0]["params"]
        if len({str(c["params"].get(name)) for c in candidates}) > 1
    }
    histories = {
        joined({name: v for name, v in c["params"].items() if name in varied}): [
            {"loss": [float("nan") if v is None else v for v in history["loss"]]}
            for history in c["histories"]
            if history and any(v is not None for v in history.get("loss", ()))
        ]
        for c in candidates
        if c.get("histories")
    }
    histories = {name: each for name, each in histories.items() if each}
    if len(histories) < 2:
        return []

    def plot(ax):
        CandidateHistoriesDisplay.from_histories(histories, metric="loss", ax=ax)

    last = {
        name: mean([v for v in h["loss"] if v == v][-1] for h in each)
        for name, each in histories.items()
    }
    lowest = min(last, key=last.get)
    words = (
        "Training loss of each candidate after each epoch, a line for each fold; the "
        "best candidates are coloured."
    )
    figure = draw(
        plot,
        (6.4, 3.8),
        caption=words,
        alt=f"Chart of the training loss of {len(histories)} candidates. The lowest at "
        f"the end is that of {lowest}, {last[lowest]:.3f} on average.",
    )
    return [Section("Learning curves of the candidates", (figure,))]


def _text(value):
    return ", ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _chart(candidates):
    """Draw accuracy over the parameters that matter most; nothing if none varies."""
    import numpy as np

    folds = [c.get("accuracies") or [] for c in candidates]
    # Lists of JSON were tuples, which can be sorted.
    params = [
        {k: tuple(v) if isinstance(v, list) else v for k, v in c["params"].items()}
        for c in candidates
    ]
    cv_results = {
        "params": params,
        "mean_test_accuracy": [
            np.nan if is_missing(c["accuracy"]) else ranked_accuracy(c["accuracy"])
            for c in candidates
        ],
        "std_test_accuracy": [np.std(values) if values else 0.0 for values in folds],
    }

    def plot(ax):
        return SearchResultsDisplay.from_results(cv_results, metric="accuracy", ax=ax)

    try:
        display = sketch(plot)
    except ValueError:  # nothing varies, or nothing came of it
        return []
    names = [str(name) for name in display.params_]
    best = ", ".join(f"{name} {_text(value)}" for name, value in display.best_.items())
    shown = "each place" if len(names) == 2 else "each point"
    more = ""
    if len({key for p in params for key in p}) > len(names):
        more = f" Where more parameters differ, {shown} is the best candidate there."
    over = " and ".join(names)
    n_best = np.sum(display.scores_ == np.nanmax(display.scores_))
    marked = "the best" if n_best == 1 else f"one of the {n_best} best"
    return [
        draw(
            plot,
            _chart_size(display),
            caption=f"Mean accuracy over the folds, by {over}; {marked} is marked."
            f"{more}",
            alt=f"Chart of the mean accuracy over {over}, from "
            f"{percent(np.nanmin(display.scores_))} to "
            f"{percent(np.nanmax(display.scores_))}; best at {best}.",
        )
    ]


def _chart_size(display):
    if display.kind_ != "heatmap":
        return 5.2, 3.7
    n_columns, n_rows = (len(values) for values in display.values_)
    width = min(max(0.85 * n_columns + 2.0, 4.2), 7.0)
    return width, min(max(0.6 * n_rows + 1.1, 2.6), 9.0)


def _table(results, candidates):
    first = "the chosen one" if _rank(results) == "chosen" else "best"
    caption = f"Candidates for {results['model']}, {first} first"
    table = models_table(candidates, caption, [c["params"] for c in candidates])
    blocks = (replace(table, n_brief=_N_BRIEF), *reading_texts(results))
    return Section("All candidates", blocks, is_brief=True)
