"""Write the tables of results on MNIST, from comparisons with several seeds.

    skmnist compare --dataset mnist --seed 0 --out seed0.json   # and with 1 and 2
    python docs/results.py seed0.json seed1.json seed2.json

puts them between the marks in README.md, docs/index.md and docs/results.md.
"""

import json
import re
import statistics
import sys
from datetime import date
from pathlib import Path

ROOT = Path(__file__).parent.parent
# What a newcomer sees first; the page of the results has all models.
SELECTION = (
    "cnn_fast",
    "cnn_32_64",
    "mlp_512",
    "rbf_svm",
    "sklearn_mlp",
    "nearest_neighbors",
    "random_forest",
    "logistic_regression",
)
# What must be the same in all comparisons.
CIRCUMSTANCES = ("dataset", "n_train", "n_test", "platform", "n_cpus", "versions")


def read_comparisons(paths):
    """Return comparisons of the same models on the same data, one for each seed."""
    documents = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    first, *others = documents
    names = {row["model"] for row in first["models"]}
    for path, document in zip(paths[1:], others, strict=True):
        differing = [key for key in CIRCUMSTANCES if document[key] != first[key]]
        if differing or {row["model"] for row in document["models"]} != names:
            what = ", ".join(differing) or "models"
            raise SystemExit(f"{path} differs from {paths[0]} in {what}.")
    if len({document["seed"] for document in documents}) < len(documents):
        raise SystemExit("Two comparisons have one seed.")
    return documents


def summarize(documents):
    """Return what each model reached over the seeds, the most accurate first."""
    rows = {}
    for document in documents:
        for row in document["models"]:
            if row["error_message"]:
                raise SystemExit(f"{row['model']}: {row['error_message']}")
            rows.setdefault(row["model"], []).append(row)
    models = {
        name: {
            "accuracies": [row["accuracy"] for row in found],
            "accuracy": statistics.mean(row["accuracy"] for row in found),
            # What else the machine does makes a time longer, never shorter.
            "fit_time": min(row["fit_time"] for row in found),
            "predict_time_us": min(row["predict_time_us"] for row in found),
            "n_parameters": found[0]["n_parameters"],
        }
        for name, found in rows.items()
    }
    return dict(sorted(models.items(), key=lambda item: -item[1]["accuracy"]))


def duration(seconds):
    """Write a time as a reader would say it."""
    if seconds >= 90:
        return f"{seconds / 60:.1f} min"
    return f"{seconds:.0f} s" if seconds >= 10 else f"{seconds:.1f} s"


def table(models, names, details):
    """Return a table in Markdown."""
    heads = ["Model", "Test accuracy", "Fit", "Parameters"]
    if details:
        heads[2:2] = ["lowest to highest"]
        heads[4:4] = ["Predict, an image"]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    for name in names:
        model = models[name]
        low, high = min(model["accuracies"]), max(model["accuracies"])
        n_parameters = model["n_parameters"]
        cells = [f"`{name}`", f"{100 * model['accuracy']:.2f} %"]
        if details:
            same = low == high
            cells.append("" if same else f"{100 * low:.2f} to {100 * high:.2f}")
        cells.append(duration(model["fit_time"]))
        if details:
            time = model["predict_time_us"]
            cells.append(f"{time:,.0f} µs" if time >= 10 else f"{time:.1f} µs")
        cells.append("" if n_parameters is None else f"{n_parameters:,}")
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def circumstances(documents):
    """Return the sentence on where the results come from."""
    days = sorted(date.fromisoformat(document["made"][:10]) for document in documents)
    first = documents[0]
    versions = ", ".join(f"{name} {n}" for name, n in first["versions"].items())
    seeds = ", ".join(str(document["seed"]) for document in documents)
    return (
        f"Seeds {seeds}; {first['n_cpus']} CPUs, {first['platform']}; {versions}; "
        f"{days[-1]:%-d %B %Y}."
    )


def replace_marked(path, name, text):
    """Replace what stands between the marks of that name on a page."""
    page = path.read_text(encoding="utf-8")
    begin, end = f"<!-- {name}: docs/results.py -->", f"<!-- end of {name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise SystemExit(f"{path} must have {begin} and {end} once.")
    path.write_text(pattern.sub(lambda _: f"\n{text}\n\n", page), encoding="utf-8")


def main(paths):
    """Write all tables."""
    documents = read_comparisons(paths)
    models = summarize(documents)
    brief = table(models, [name for name in models if name in SELECTION], False)
    full = table(models, models, True)
    replace_marked(ROOT / "README.md", "results", brief)
    replace_marked(ROOT / "docs" / "index.md", "results", brief)
    replace_marked(
        ROOT / "docs" / "results.md", "results", f"{full}\n\n{circumstances(documents)}"
    )


if __name__ == "__main__":
    if len(sys.argv) < 2:
        raise SystemExit(__doc__)
    main(sys.argv[1:])
