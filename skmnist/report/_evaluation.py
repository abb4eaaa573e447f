"""The report of an evaluation: how well a model classifies images."""

from skmnist._numbers import count, counted, is_missing, percent
from skmnist.pipelines import registered_name
from skmnist.plotting import RejectionCurveDisplay

from ._content import (
    Cell,
    Column,
    KeyFigure,
    Matrix,
    Report,
    Section,
    Table,
    Text,
)
from ._drawings import draw
from ._model import looked_at, model_sections, recognition_section
from ._words import (
    accuracy_words,
    interval,
    listed,
    on_dataset,
    title_of,
)

__all__ = ["evaluation_report", "evaluation_sections", "key_figures"]

_MAX_MATRIX = 62  # labels; those of the largest relative of MNIST, EMNIST by class
_MAX_CONFUSIONS = 10
_MAX_NAMED = 3  # labels or confusions in a sentence
_N_BRIEF = 5  # of them in a terminal
_N_TONES = 4
_REJECTED = 0.05  # fraction of the images in a sentence
_SCORES = ("Precision", "Recall", "F1", "Images")


def evaluation_report(results, subject=None):
    """Make the report of an evaluation, with pictures if there is a subject."""
    part = {"all": "all images", "train": "the training part", "test": "the test part"}
    what = part.get(results.get("subset"), "images")
    name = title_of(results)
    if name is None:
        name = "A model" if subject is None else registered_name(subject.model)
    title = f"{name}{on_dataset(results)}"
    of = "" if results["dataset"] is None else f" of {results['dataset']}"
    where = f"The model was tested on {what}{of}."
    words = " ".join(
        filter(None, [where, results.get("warning"), accuracy_words(results)])
    )
    sections = evaluation_sections(results, subject, is_brief=True)
    if subject is not None:
        sections += model_sections(subject)
    summary = (words, *weakness_words(results))
    return Report(title, summary, tuple(sections), key_figures(results))


def key_figures(evaluation):
    """Return the most important numbers of an evaluation."""
    meaning = "accuracy on these images"
    if not evaluation.get("warning"):
        bounds = interval(evaluation["accuracy_interval"])
        meaning = f"accuracy (95 % interval {bounds})"
    figures = [
        KeyFigure(percent(evaluation["accuracy"]), meaning),
        KeyFigure(
            f"{evaluation['n_wrong']:,}",
            f"of {counted(evaluation['n'], 'image')} misclassified",
        ),
    ]
    if not is_missing(evaluation.get("log_loss")):
        figures.append(KeyFigure(f"{evaluation['log_loss']:.4f}", "log loss"))
    return tuple(figures)


def weakness_words(evaluation):
    """Say what a model finds hardest, in a list; an empty one if nothing is hard."""
    confusions = _confusions(evaluation)
    if not confusions:
        return []
    recalls = [
        (row["recall"], row["label"])
        for row in evaluation["per_class"]
        if not is_missing(row["recall"])
    ]
    lowest = min(recall for recall, _ in recalls)
    labels = [label for recall, label in recalls if recall == lowest]
    words = f"The hardest label is {labels[0]}, with a recall of {percent(lowest)}."
    if len(labels) == len(recalls) > 1:
        words = f"All labels have a recall of {percent(lowest)}."
    elif len(labels) > 1:
        words = (
            f"The hardest labels are {_some(labels)}, each with a recall of "
            f"{percent(lowest)}."
        )
    n = confusions[0][0]
    most = [f"{true} classified as {p}" for m, true, p in confusions if m == n]
    if n > 1 and len(most) == 1:
        words += f" The most frequent confusion: {most[0]} ({n:,} images)."
    elif n > 1:
        words += (
            f" The most frequent confusions, equally often: {_some(most)} "
            f"({n:,} images each)."
        )
    error = evaluation.get("calibration_error")
    if not is_missing(error):
        words += (
            f" The confidence of the model is off by {100 * error:.1f} percentage "
            "points on average (expected calibration error)."
        )
    rejections = evaluation.get("rejection") or ()
    few = [row for row in rejections if 0 < row["rejected"] <= _REJECTED]
    if few:
        words += (
            f" Without the least confident {100 * few[-1]['rejected']:.3g} % of the "
            f"images, the accuracy is {percent(few[-1]['accuracy'])}."
        )
    return [words]


def _some(things):
    """List things as a sentence has them, the first few of many."""
    left = len(things) - _MAX_NAMED
    return listed([*things[:_MAX_NAMED], *([f"{left:,} more"] if left > 0 else [])])


def evaluation_sections(evaluation, subject=None, *, is_brief=False):
    """Make the sections of an evaluation, as `Evaluation.to_dict` describes it.

    `is_brief` puts labels and confusions into a brief report.
    """
    sections = []
    if subject is not None:
        sections += looked_at(lambda s: [recognition_section(s)], subject)
    # On a wide page two blocks stand side by side.
    blocks = (
        *_matrix(evaluation),
        *_confusion_table(evaluation),
        _labels(evaluation),
        *_calibration(evaluation),
        *_rejection(evaluation),
    )
    return [*sections, Section("Labels, confusions and confidence", blocks, is_brief)]


def _labels(evaluation):
    columns = (
        Column("Label", sort="ascending"),
        *(
            Column(name, number=True)
            for name in ("Precision", "Recall", "F1", "Images")
        ),
    )
    rows = tuple(
        (
            _label(row["label"]),
            *(
                Cell("") if is_missing(row[key]) else Cell(percent(row[key]), row[key])
                for key in ("precision", "recall", "f1")
            ),
            Cell(count(row["support"]), row["support"]),
        )
        for row in evaluation["per_class"]
    )
    return Table(
        "Each label: precision is the fraction of correct predictions among all "
        "predictions of it, recall the fraction of its images classified correctly, F1 "
        "their harmonic mean",
        columns,
        rows,
    )


def _label(label):
    number = isinstance(label, int | float) and not isinstance(label, bool)
    return Cell(str(label), label if number else None)


def _confusions(evaluation):
    """List number, true and predicted label of all confusions, most frequent first."""
    labels = evaluation["labels"]
    wrong = [
        (n, true, predicted)
        for true, row in zip(labels, evaluation["confusion"], strict=True)
        for predicted, n in zip(labels, row, strict=True)
        if n and true != predicted
    ]
    return sorted(wrong, key=lambda confusion: -confusion[0])


def _confusion_table(evaluation):
    confusions = _confusions(evaluation)
    if not confusions:
        return [Text("No image was misclassified.")]
    totals = {row["label"]: row["support"] for row in evaluation["per_class"]}
    columns = (
        Column("Confusion"),
        Column("Images", number=True, sort="descending"),
        Column("Fraction of the true label", number=True, dispensable=1),
    )
    rows = tuple(
        (
            Cell(f"{true} classified as {predicted}"),
            Cell(f"{n:,}", n),
            Cell(percent(n / totals[true]), n / totals[true]),
        )
        for n, true, predicted in confusions[:_MAX_CONFUSIONS]
    )
    caption = "Most frequent confusions" if confusions[0][0] > 1 else "Confusions"
    if len(confusions) > len(rows):
        caption += f": the first {len(rows)} of {len(confusions)}"
    return [Table(caption, columns, rows, n_brief=_N_BRIEF)]


def _matrix(evaluation):
    labels, confusion = evaluation["labels"], evaluation["confusion"]
    if len(labels) > _MAX_MATRIX:
        return []
    most = max((n for n, _, _ in _confusions(evaluation)), default=1)
    rows = []
    for i, row in enumerate(confusion):
        cells = []
        for j, n in enumerate(row):
            tone = "right" if i == j else "none"
            if n and i != j:
                tone = f"wrong-{-(-_N_TONES * n // most)}"
            # Four digits without a comma: ten such columns fit on a phone.
            cells.append(((str(n) if n < 10_000 else count(n)) if n else "·", tone))
        rows.append(tuple(cells))
    caption = (
        "Numbers of images by true label (down) and predicted label (across). Correct "
        "predictions are on the diagonal"
    )
    return [Matrix(caption, tuple(map(str, labels)), tuple(rows))]


def _calibration(evaluation):
    bins = evaluation.get("calibration")
    if not bins:
        return []
    confidence = [row["confidence"] for row in bins]
    accuracy = [row["accuracy"] for row in bins]

    def plot(ax):
        from sklearn.calibration import CalibrationDisplay

        from skmnist.plotting._figures import BLUE, GREY, legend_above, tidy_axes

        ax.plot([0, 1], [0, 1], color=GREY, linestyle=":", label="perfectly calibrated")
        display = CalibrationDisplay(accuracy, confidence, None)
        display.plot(ax=ax, name="the model", ref_line=False, color=BLUE)
        ax.set(
            xlabel="confidence: probability of the predicted label",
            ylabel="fraction of correct predictions",
            xlim=(-0.02, 1.02),
            ylim=(-0.02, 1.02),
        )
        tidy_axes(ax, grid="both")
        legend_above(ax)

    values = "; ".join(
        f"confidence {percent(row['confidence'])}, correct {percent(row['accuracy'])}, "
        f"{counted(row['n'], 'image')}"
        for row in bins
    )
    words = ""
    if not is_missing(evaluation.get("calibration_error")):
        words = (
            " The mean distance from the diagonal, weighted by the numbers of images, "
            f"is {100 * evaluation['calibration_error']:.2f} percentage points."
        )
    figure = draw(
        plot,
        (4.8, 4.2),
        caption="Calibration: on the diagonal, the fraction of correct predictions is "
        f"the confidence of the model. Below it, the model is overconfident.{words}",
        alt="Chart of the fraction of correct predictions against confidence. "
        f"{values}.",
    )
    columns = (
        Column("Mean confidence", number=True, sort="ascending"),
        Column("Correct", number=True),
        Column("Images", number=True),
    )
    table = Table(
        "Predictions by confidence",
        columns,
        tuple(
            (
                Cell(percent(row["confidence"]), row["confidence"]),
                Cell(percent(row["accuracy"]), row["accuracy"]),
                Cell(count(row["n"]), row["n"]),
            )
            for row in bins
        ),
        folded="The numbers of the calibration",
    )
    return [figure, table]


def _rejection(evaluation):
    rows = evaluation.get("rejection") or ()
    if len(rows) < 2:  # nothing to choose from: the model is equally confident in all
        return []
    rejected = [row["rejected"] for row in rows]
    accuracy = [row["accuracy"] for row in rows]
    values = "; ".join(
        f"{percent(row['rejected'])} rejected, accuracy {percent(row['accuracy'])}"
        for row in rows
    )
    figure = draw(
        lambda ax: RejectionCurveDisplay(rejected, accuracy).plot(ax=ax),
        (4.8, 4.2),
        caption="Accuracy–rejection curve: accuracy on the other images if the least "
        "confident ones are rejected. A perfect order would reach the dotted line.",
        alt=f"Chart of accuracy against the fraction of images rejected. {values}.",
    )
    columns = (
        Column("Lowest confidence", number=True, sort="ascending"),
        Column("Rejected", number=True),
        Column("Accuracy", number=True),
        Column("Images", number=True),
    )
    table = Table(
        "Accuracy on the images that are not rejected",
        columns,
        tuple(
            (
                Cell(f"{row['threshold']:.6f}", row["threshold"]),
                Cell(percent(row["rejected"]), row["rejected"]),
                Cell(percent(row["accuracy"]), row["accuracy"]),
                Cell(count(row["n"]), row["n"]),
            )
            for row in rows
        ),
        folded="The numbers of the accuracy–rejection curve",
    )
    return [figure, table]
