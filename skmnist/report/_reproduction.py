"""The report of published results that were reproduced."""

from skmnist._numbers import (
    count,
    counted,
    duration,
    is_missing,
    joined,
    percent,
    with_error,
)

from ._content import Cell, Column, KeyFigure, Report, Section, Table, Text
from ._drawings import draw
from ._words import listed

__all__ = ["reproduction_report"]


def reproduction_report(results, subject=None):
    """Make the report of a reproduction; it has no subject."""
    networks, studies = results["networks"], results["studies"]
    sections = []
    if networks:
        sections.append(_networks_section(networks, results))
    sections += [_study_section(study) for study in studies]
    sections += _missing_section(results)
    sections.append(_runs_section(results))
    published = [row for row in networks if row["published"]]
    if published:
        sections.append(_sources_section(published, results["sources"]))
    title = "Published results reproduced"
    if networks and not published:
        title = "Named networks trained"
    elif results["quick"]:
        title = "Shortened run that reproduces nothing: published networks"
    elif not results["comparable"]:
        title = "Published networks trained"
    return Report(
        f"{title} on {results['dataset']}",
        _summary(networks, studies, results),
        tuple(sections),
        _key_figures(networks, results),
    )


def _judged(networks):
    return [row for row in networks if row["verdict"] is not None]


def _summary(networks, studies, results):
    paragraphs = []
    if not results["comparable"]:
        why = (
            "This was a shortened run (--quick) with few epochs on few images"
            if results["quick"]
            else f"{results['dataset']} is not MNIST as it was published"
        )
        paragraphs.append(
            f"{why}: its figures cannot be compared with the published ones."
        )
    judged = _judged(networks)
    if judged:
        paragraphs.append(_verdict_words(judged, results["tolerance"]))
    sized = [row for row in networks if row["same_n_parameters"] is not None]
    if sized:
        wrong = [row["name"] for row in sized if not row["same_n_parameters"]]
        paragraphs.append(
            f"The number of parameters is not the published one in {listed(wrong)}."
            if wrong
            else "The numbers of parameters are exactly the published ones."
        )
    if results["comparable"]:
        paragraphs += [words for words in map(_study_words, studies) if words]
    if results["interrupted"]:
        paragraphs.append(
            "The command was interrupted: not all runs are finished. The same command "
            "resumes them."
        )
    paragraphs.append(_runs_words(results))
    return tuple(paragraphs)


def _runs_words(results):
    words = f"{counted(results['n_trained'], 'run')} trained now"
    if results["n_earlier"]:
        words += f", {results['n_earlier']:,} found finished"
    return f"{words}."


def _verdict_words(judged, tolerance):
    short = [row for row in judged if row["verdict"] == "below"]
    words = (
        f"Of {counted(len(judged), 'network')} with a published accuracy "
        f"{len(judged) - len(short)} reach it: the mean over the seeds is above it or "
        f"within {100 * tolerance:.1f} percentage points."
    )
    if short:
        gaps = [f"{row['name']} by {-100 * row['difference']:.2f}" for row in short]
        words += f" Below it are {listed(gaps)} points."
    return words


def _study_words(study):
    done = [row for row in study["variants"] if row["seeds"]]
    if len(done) < 2:
        return None
    highest = max(row["accuracy"] for row in done)
    best = [row for row in done if row["accuracy"] == highest]
    words = f"the most accurate is {best[0]['name']} ({_accuracy(best[0])})"
    if len(best) > 1:
        names = listed(row["name"] for row in best)
        words = f"the most accurate are {names}, equally ({percent(highest)})"
    return f"{study['title']}: {words}.{_claim(study, ' ')}"


def _key_figures(networks, results):
    figures = []
    judged = _judged(networks)
    if judged:
        n_reached = sum(row["verdict"] != "below" for row in judged)
        figures.append(
            KeyFigure(f"{n_reached} of {len(judged)}", "published accuracies reached")
        )
    sized = [row for row in networks if row["same_n_parameters"] is not None]
    if sized:
        n_same = sum(row["same_n_parameters"] for row in sized)
        figures.append(
            KeyFigure(f"{n_same} of {len(sized)}", "numbers of parameters agree")
        )
    total = sum(run["fit_time"] for run in results["runs"])
    figures.append(KeyFigure(duration(total), "to train all runs, one after another"))
    return tuple(figures)


def _networks_section(networks, results):
    blocks = []
    judged = _judged(networks)
    if judged:
        blocks.append(_difference_figure(judged, results["tolerance"]))
    else:
        blocks += _accuracy_figure(networks, "each network")
    published = any(row["published"] for row in networks)
    columns = (
        Column("Network"),
        *([Column("Published accuracy", number=True)] if published else []),
        Column("Ours" if published else "Accuracy", number=True),
        *([Column("Difference", number=True), Column("Verdict")] if judged else []),
        Column("Time", number=True, dispensable=1),
    )
    rows = tuple(_accuracy_row(row, published, bool(judged)) for row in networks)
    blocks.append(Table("Accuracy, and the time of one training", columns, rows))
    ours = "Ours are" if published else "Accuracies are"
    over = "from one seed"
    if any(len(row["seeds"]) > 1 for row in networks):
        over = "means ± standard deviations over the seeds"
    blocks.append(
        Text(
            f"{'Published figures are from single runs. ' if published else ''}{ours} "
            f"{over}, on the {counted(results['n_test'], 'test image')} of "
            f"{results['dataset']}."
        )
    )
    columns = (
        Column("Network"),
        *(
            [Column("Published parameters", number=True, dispensable=1)]
            if published
            else []
        ),
        Column("Parameters", number=True),
        *([Column("Published loss", number=True, dispensable=2)] if published else []),
        Column("Loss", number=True, dispensable=2),
    )
    rows = tuple(_size_row(row, published) for row in networks)
    blocks.append(
        Table("Number of parameters, and loss on the test images", columns, rows)
    )
    return Section("Networks", tuple(blocks), is_brief=True)


def _accuracy_row(row, published, judged):
    verdict = row["verdict"] or ""
    return (
        Cell(row["name"]),
        *([_number(_published(row, "accuracy"), percent)] if published else []),
        Cell(_accuracy(row), row["accuracy"]),
        *(
            [_number(row["difference"], _points), Cell(verdict, tone=_tone(verdict))]
            if judged
            else []
        ),
        _number(row["fit_time"], duration),
    )


def _published(row, name):
    """Return a published figure of a network; None where nothing was published."""
    return row["published"] and row["published"][name]


def _size_row(row, published):
    same = row["same_n_parameters"]
    return (
        Cell(row["name"]),
        *([_number(_published(row, "n_parameters"), count)] if published else []),
        _number(row["n_parameters"], count, "bad" if same is False else ""),
        *([_number(_published(row, "loss"), "{:.4f}".format)] if published else []),
        _number(row["loss"], "{:.4f}".format),
    )


def _tone(verdict):
    return {"": "", "below": "bad"}.get(verdict, "good")


def _difference_figure(judged, tolerance):
    """Draw how far each network is from its published accuracy."""
    rows = judged[::-1]
    names = [row["name"] for row in rows]
    differences = [100 * row["difference"] for row in rows]
    spreads = [100 * (row["accuracy_sd"] or 0) for row in rows]

    def plot(ax):
        ax.axvspan(-100 * tolerance, 100 * tolerance, alpha=0.15, linewidth=0)
        ax.axvline(0, linewidth=1, linestyle="--", alpha=0.6)
        ax.errorbar(differences, names, xerr=spreads, fmt="o", capsize=3)
        ax.set_xlabel("ours minus published, percentage points")
        ax.margins(y=0.1)

    values = "; ".join(f"{row['name']} {_points(row['difference'])}" for row in judged)
    return draw(
        plot,
        (5.6, 0.9 + 0.4 * len(rows)),
        caption="How far our mean is from the published accuracy. Bars are standard "
        f"deviations over the seeds; the band is {100 * tolerance:.1f} points wide to "
        "either side.",
        alt=f"Chart of our accuracy minus the published one, in points. {values}.",
    )


def _accuracy_figure(rows, of_what):
    """Draw accuracies where none is published; nothing if there are none."""
    done = [row for row in rows if row["seeds"]]
    if not done:
        return []
    shown = done[::-1]
    names = [row["name"] for row in shown]
    accuracies = [100 * row["accuracy"] for row in shown]
    spreads = [100 * (row["accuracy_sd"] or 0) for row in shown]

    def plot(ax):
        ax.errorbar(accuracies, names, xerr=spreads, fmt="o", capsize=3)
        ax.set_xlabel("accuracy on the test images, %")
        ax.grid(axis="x", alpha=0.3)
        ax.margins(y=0.1)

    several = any(len(row["seeds"]) > 1 for row in done)
    bars = ": means over the seeds, with standard deviations" if several else ""
    values = "; ".join(f"{row['name']} {_accuracy(row)}" for row in done)
    return [
        draw(
            plot,
            (5.6, 0.9 + 0.4 * len(shown)),
            caption=f"Accuracy of {of_what}{bars}.",
            alt=f"Chart of the accuracy of {of_what}. {values}.",
        )
    ]


def _claim(study, before=""):
    return f"{before}Published: {study['claim']}" if study["claim"] else ""


def _study_section(study):
    columns = (
        Column("Variant"),
        Column("Accuracy", number=True),
        Column(f"Difference from {study['reference']}", number=True),
        Column("Loss", number=True, dispensable=3),
        Column("Parameters", number=True, dispensable=1),
        Column("Time", number=True, dispensable=2),
    )
    rows = tuple(
        (
            Cell(row["name"]),
            Cell(_accuracy(row), row["accuracy"]),
            Cell("published recipe" if study["source"] else "the recipe itself")
            if row["name"] == study["reference"]
            else _number(row["difference"], _points),
            _number(row["loss"], "{:.4f}".format),
            _number(row["n_parameters"], count),
            _number(row["fit_time"], duration),
        )
        for row in study["variants"]
    )
    caption = f"{study['title']}, otherwise the recipe of {study['model']}"
    words = " ".join(filter(None, [_claim(study), study["note"]]))
    figure = _accuracy_figure(study["variants"], "each variant")
    table = Table(caption, columns, rows)
    return Section(study["title"], (*figure, table, Text(words)), is_brief=True)


def _missing_section(results):
    failures, left_out = results["failures"], results["left_out"]
    reasons = {**dict.fromkeys(left_out, "interrupted"), **failures}
    if not reasons:
        return []
    rows = tuple((Cell(name), Cell(why)) for name, why in reasons.items())
    columns = (Column("Run"), Column("Why", wraps=True))
    table = Table("Runs that gave no result", columns, rows)
    return [Section("What is missing", (table,), is_brief=True)]


def _runs_section(results):
    columns = (
        Column("Network"),
        Column("Varied"),
        Column("Seed", number=True),
        Column("Accuracy", number=True),
        Column("Loss", number=True),
        Column("Epochs", number=True),
        Column("Training images", number=True),
        Column("Time", number=True),
    )
    rows = tuple(
        (
            Cell(run["model"]),
            Cell(joined(run["varied"])),
            Cell(str(run["seed"]), run["seed"]),
            _number(run["accuracy"], percent),
            _number(run["loss"], "{:.4f}".format),
            _number(run["n_epochs"], count),
            _number(run["n_train"], count),
            _number(run["fit_time"], duration),
        )
        for run in results["runs"]
    )
    table = Table("Every run", columns, rows, folded=counted(len(rows), "run"))
    return Section("Runs", (table,))


def _sources_section(networks, sources):
    rows = []
    for row in networks:
        published = row["published"]
        source = sources[published["source"]]
        named = [source["author"], source["title"] or source["description"]]
        year = "" if source["year"] is None else str(source["year"])
        text = ", ".join(filter(None, [*named, year]))
        rows.append((Cell(row["name"]), Cell(text), Cell(published["note"])))
    columns = (Column("Network"), Column("Source"), Column("Notes"))
    table = Table("Where the published figures come from", columns, tuple(rows))
    return Section("Sources", (table,))


def _accuracy(row):
    if not row["seeds"]:
        return ""
    if row["accuracy_sd"] is None:
        return percent(row["accuracy"])
    return with_error(row["accuracy"], row["accuracy_sd"])


def _points(difference):
    return f"{100 * difference:+.2f}"


def _number(value, unit, tone=""):
    return Cell("") if is_missing(value) else Cell(unit(value), value, tone)
