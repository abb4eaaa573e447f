"""The report of a comparison of models."""

from skmnist._numbers import (
    count,
    counted,
    duration,
    is_missing,
    microseconds,
    percent,
    pixels,
    with_error,
)
from skmnist.evaluation._table import ranked_accuracy
from skmnist.networks import ARCHITECTURES
from skmnist.plotting import ModelComparisonDisplay

from ._content import Cell, Column, KeyFigure, Report, Section, Table, Text
from ._drawings import draw
from ._words import listed, on_dataset

__all__ = [
    "best_rows",
    "comparison_report",
    "failures_section",
    "method_words",
    "models_table",
    "reading_texts",
]

_MAX_NAMED = 3  # models in a sentence
_TONES = {"best": "good", "worse": "faint", "failed": "bad"}
_TIMES = {
    "fit_time": ("fit time", "fits fastest", duration),
    "predict_time_us": (
        "prediction time per image",
        "predicts fastest",
        microseconds,
    ),
}


def _p_value(p):
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


# Heading, key, how it is written, and the rank by which narrow terminals leave it out.
_MEASURES = (
    ("p (adjusted)", "p_adjusted", _p_value, 6),
    ("Fit", "fit_time", duration, 2),
    ("Predict", "predict_time_us", microseconds, 3),
    ("Log loss", "log_loss", "{:.4f}".format, 5),
    ("Parameters", "n_parameters", count, 4),
)


def comparison_report(results, subject=None):
    """Make the report of a comparison; it has no subject."""
    models = results["models"]
    done = [row for row in models if not is_missing(row.get("accuracy"))]
    sections = [*_charts(done), _table_section(results, models, done)]
    sections += failures_section(results, models)
    what = f"{len(models):,} models compared"
    if len(models) == 1:
        what = f"Accuracy of {models[0]['model']}"
    title = f"{what}{on_dataset(results)}"
    return Report(title, _summary(results, done), tuple(sections), _key_figures(done))


def _key_figures(done):
    if not done:
        return ()
    best = best_rows(done)
    what = f"accuracy of {_named(best)}{', the best' if done[1:] else ''}"
    figures = [KeyFigure(percent(done[0]["accuracy"]), what)]
    if len(best) == 1:
        figures += [
            KeyFigure(duration(best[0]["fit_time"]), "to fit"),
            KeyFigure(microseconds(best[0]["predict_time_us"]), "to predict an image"),
        ]
    return tuple(figures)


def best_rows(done):
    """Return the rows that share the accuracy of the first one."""
    best = [ranked_accuracy(row["accuracy"]) for row in done[:1]]
    return [row for row in done if ranked_accuracy(row["accuracy"]) in best]


def _named(rows):
    many = len(rows) > _MAX_NAMED
    return f"{len(rows):,} models" if many else listed(row["model"] for row in rows)


def _summary(results, done):
    if not done:
        return ("No model has a result.",)
    best = best_rows(done)
    others = done[len(best) :]
    first = done[0]
    reached = f"{with_error(first['accuracy'], first['accuracy_se'])}"
    if len(done) == 1:
        what = f"{first['model']} has an accuracy of {reached}"
    elif len(best) == 1:
        what = f"{first['model']} is the most accurate: {reached}"
    else:
        most = "the most accurate, and equally so" if others else "equally accurate"
        what = f"{_named(best)} are {most}: {percent(first['accuracy'])}"
    words = [f"{what} ({method_words(results)})."]
    # A part of a table may lack the best model, which verdicts are about.
    judged = others if first["verdict"] == "best" else []
    unclear = [r["model"] for r in judged if r["verdict"] == "no clear difference"]
    worse = [r["model"] for r in judged if r["verdict"] == "worse"]
    if unclear:
        words.append(
            f"{listed(unclear)} may be as accurate: the difference may be chance."
        )
    candidates = [*best, *(r for r in others if r["model"] in unclear)]
    if len(candidates) > 1:
        words.append(_speed_words(candidates))
    if worse:
        if len(worse) == len(others) > 1:
            subject = "All others"
        else:
            many = len(worse) > _MAX_NAMED
            subject = f"The other {len(worse)}" if many else listed(worse)
        verb = "is" if len(worse) == 1 else "are"
        words.append(f"{subject} {verb} less accurate, by more than chance explains.")
    paragraphs = [" ".join(filter(None, words))]
    failed = [r["model"] for r in results["models"] if r["verdict"] == "failed"]
    if failed:
        paragraphs.append(f"Failed: {listed(failed)}.")
    if results.get("interrupted"):
        paragraphs.append(
            "The comparison was interrupted: not all models are finished."
        )
    return tuple(paragraphs)


def _speed_words(candidates):
    """Say which model is the fastest of those that may be the most accurate."""
    parts, named = [], None
    for key, (_, verb, unit) in _TIMES.items():
        timed = [row for row in candidates if not is_missing(row.get(key))]
        if timed:
            fastest = min(timed, key=lambda row: row[key])
            name = "" if fastest["model"] == named else f"{fastest['model']} "
            parts.append(f"{name}{verb} ({unit(fastest[key])})")
            named = fastest["model"]
    return f"Of these {' and '.join(parts)}." if parts else ""


def method_words(results):
    """Say how accuracies were measured, and on what."""
    about = on_dataset(results)
    details = []
    if not is_missing(results.get("n_train")):
        details.append(counted(results["n_train"], "image"))
    if results.get("image_shape"):
        details.append(pixels(results["image_shape"]))
    if not is_missing(results.get("n_labels")):
        details.append(counted(results["n_labels"], "label"))
    n_folds, n_splits, n_test = (
        None if is_missing(results.get(name)) else results[name]
        for name in ("n_folds", "n_splits", "n_test")
    )
    mean = "mean ± standard error" if _has_errors(results) else "mean"
    if n_folds is None and n_splits is not None and (n_splits > 1 or n_test is None):
        sizes = ""
        if n_test is not None and not is_missing(results.get("n_train")):
            sizes = (
                f", each of {results['n_train']:,} training and {n_test:,} test images"
            )
        return f"{mean} of {counted(n_splits, 'split')}{about}{sizes}"
    if n_folds is None:
        images = "the test images" if n_test is None else f"{n_test:,} test images"
        trained = f", after training on {', '.join(details)}" if details else ""
        of = f" of {results['dataset']}" if about else ""
        return f"± standard error, on {images}{of}{trained}"
    inside = f", {', '.join(details)}" if details else ""
    n_repeats = results.get("n_repeats") or 1
    times = f", repeated {n_repeats:,} times" if n_repeats > 1 else ""
    return f"{mean} of {n_folds}-fold cross-validation{about}{times}{inside}"


def reading_texts(results):
    """Say how verdicts and standard errors are to be read, as a list of texts."""
    words = [_verdict_words(results), _error_words(results), _settings_words(results)]
    return [Text(text) for text in words if text]


def _rows(results):
    return results.get("models") or results.get("candidates") or ()


def _has_errors(results):
    return any(not is_missing(row.get("accuracy_se")) for row in _rows(results))


def _verdict_words(results):
    """Say what the verdicts mean; None where there are none."""
    verdicts = [r["verdict"] for r in _rows(results) if r["verdict"] != "failed"]
    if not results.get("test") or "best" not in verdicts or len(verdicts) < 2:
        return None
    confidence = f"{100 * (1 - results['alpha']):.0f} %"
    return (
        f"How to read the verdicts: worse means less accurate, with {confidence} "
        "confidence; with no clear difference, a model may be as accurate as the best "
        f"({results['test']}; corrected for the number of models)."
    )


def _error_words(results):
    """Say what stands after ±; None where nothing does."""
    if not _has_errors(results):
        return None
    if is_missing(results.get("n_folds")) and (results.get("n_splits") or 1) == 1:
        return (
            "After ± is the binomial standard error: how much the accuracy varies with "
            "the choice of the test images."
        )
    return (
        "After ± is the standard error of Nadeau and Bengio (2003): how much the "
        "accuracy varies with the choice of training and test images."
    )


def _settings_words(results):
    """Say what named networks were made for where the images are smaller; else None."""
    named = {row.get("model") for row in _rows(results)} & ARCHITECTURES.keys()
    shape = results.get("image_shape")
    if not named or is_missing(shape) or min(shape[:2]) >= 28:
        return None
    return (
        "The named networks have the settings published for the 28×28 pixels of MNIST; "
        "smaller images need other ones."
    )


def _charts(done):
    if not done:
        return []
    import pandas as pd

    frame = pd.DataFrame(done).set_index("model")
    number_columns = ("accuracy", "accuracy_se", "fit_time", "predict_time_us")
    for column in number_columns:
        frame[column] = frame[column].astype(float)
    figures = []
    for key, (what, _, unit) in _TIMES.items():
        values = "; ".join(
            f"{row['model']} {percent(row['accuracy'])}, {unit(row[key])}"
            for row in done
        )
        kind = key.removesuffix("_us")
        figures.append(
            draw(
                lambda ax, kind=kind: ModelComparisonDisplay.from_table(
                    frame, kind=kind, ax=ax
                ),
                (5.4, 4.4),
                caption=f"Accuracy against {what}. The best models are at the top "
                "left; bars are standard errors.",
                alt=f"Chart of accuracy against {what}. {values}.",
            )
        )
    return [Section("Accuracy and time", tuple(figures))]


def _table_section(results, models, done):
    caption = f"Models{on_dataset(results)}, best first"
    if len(models) == 1:
        caption = f"The model{on_dataset(results)}"
    blocks = [
        models_table(models, caption),
        *reading_texts(results),
        Text(_times_words(results)),
        *_folds_table(results, done),
    ]
    return Section("All models", tuple(blocks), is_brief=True)


def _times_words(results):
    words = "Fit: time of one fit; predict: time for one image when many are predicted"
    if results.get("n_jobs", 1) != 1:
        words += "; fits shared the CPUs, so they took longer than alone"
    elif results.get("n_threads") == 1:
        words += "; on one thread, except for Keras networks"
    return f"{words}."


def models_table(rows, caption, labels=None):
    """Make the table of models, or of candidates of a search.

    `labels` are, for each row, the columns that say what it is, in place of the name of
    the model. Columns that would be empty are left out.
    """
    labels = labels or [{"Model": row["model"]} for row in rows]
    heads = list(dict.fromkeys(head for label in labels for head in label))
    shown = [
        measure
        for measure in _MEASURES
        if any(not is_missing(row.get(measure[1])) for row in rows)
    ]
    # A search of scikit-learn gives no verdict but on the best one, which is the first.
    judged = not {row["verdict"] for row in rows} <= {"best", ""}
    columns = [Column(head) for head in heads]
    columns.append(Column("Accuracy", number=True, sort="descending"))
    columns += [Column("Verdict", dispensable=1)] if judged else []
    columns += [
        Column(name, number=True, dispensable=rank) for name, _, _, rank in shown
    ]
    table = []
    for row, label in zip(rows, labels, strict=True):
        cells = [_label_cell(label.get(head)) for head in heads]
        accuracy, verdict = row.get("accuracy"), row["verdict"]
        cells.append(
            Cell("")
            if is_missing(accuracy)
            else Cell(with_error(accuracy, row["accuracy_se"]), accuracy)
        )
        cells += [Cell(verdict, tone=_TONES.get(verdict, ""))] if judged else []
        cells += [_number(row.get(key), unit) for _, key, unit, _ in shown]
        table.append(tuple(cells))
    return Table(caption, tuple(columns), tuple(table))


def _label_cell(value):
    if is_missing(value):
        return Cell("–" if value is None else str(value))
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = ", ".join(map(str, value)) if isinstance(value, list) else str(value)
    return Cell(text, value if number else None)


def _number(value, unit):
    return Cell("") if is_missing(value) else Cell(unit(value), value)


def _folds_table(results, done):
    """List the accuracy on every fold, where there are several."""
    n_splits = max((len(row.get("accuracies") or ()) for row in done), default=0)
    if n_splits < 2:
        return []
    part = "fold" if results.get("n_folds", n_splits) == n_splits else "split"
    columns = (
        Column("Model"),
        *(Column(f"{part.title()} {i}", number=True) for i in range(1, n_splits + 1)),
    )
    rows = tuple(
        (Cell(row["model"]), *(Cell(percent(a), a) for a in row["accuracies"] or ()))
        for row in done
        if row.get("accuracies")
    )
    caption = f"Accuracy on each of the {n_splits} {part}s"
    return [Table(caption, columns, rows, folded=f"Accuracy on each {part}")]


def failures_section(results, rows, name="model"):
    """Say which models failed and why, and which were left out, in a list of sections.

    `name` is where a row has what it is about.
    """
    failed = [row for row in rows if not is_missing(row.get("error_message"))]
    left_out = results.get("left_out") or []
    blocks = []
    if failed:
        blocks.append(
            Table(
                "What failed, and why",
                (Column("Model"), Column("Error", wraps=True)),
                tuple((Cell(str(r[name])), Cell(r["error_message"])) for r in failed),
            )
        )
    if left_out:
        reasons = left_out if isinstance(left_out, dict) else dict.fromkeys(left_out)
        blocks.append(
            Table(
                "What was left out",
                (Column("Model"), Column("Why", wraps=True)),
                tuple(
                    (
                        Cell(str(left)),
                        Cell(str(why or "interrupted")),
                    )
                    for left, why in reasons.items()
                ),
            )
        )
    return [Section("What is missing", tuple(blocks), is_brief=True)] if blocks else []
