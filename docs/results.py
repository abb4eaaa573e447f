"""Write the results on MNIST: those of the package, and the tables of the pages.

    skmnist compare --dataset mnist --seed 0 --out seed0.json   # and with 1 and 2
    skmnist reproduce cnn_small --seeds 5 --out small.json
    python docs/results.py "2 cores of an AMD EPYC" seed0.json seed1.json small.json

puts what was found into ``skmnist/results.json``, with the name of the machine, and
from there into the tables of README.md, docs/index.md and docs/results.md. Runs of
`reproduce` replace those of `compare` of the same model. With ``--keep`` results of
models that are in none of the files stay; the new ones may be from another machine,
which a note says then. Without files it only writes the tables.
"""

import argparse
import json
import re
from datetime import date
from pathlib import Path
from statistics import mean, stdev

from skmnist._numbers import duration, microseconds
from skmnist.pipelines import results_on_mnist
from skmnist.published import RESULTS

ROOT = Path(__file__).parent.parent
# What a newcomer sees first; the page of the results has all models.
SELECTION = (
    "cnn_best",
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
CIRCUMSTANCES = ("dataset", "n_train", "n_test", "image_shape", "versions")


def gather(machine, paths, kept=None):
    """Return what several seeds reached, as the package keeps it."""
    documents = [json.loads(Path(path).read_text(encoding="utf-8")) for path in paths]
    first = documents[0] if kept is None else kept
    most = first.get("machine", machine)
    elsewhere = {} if machine == most else {"machine": machine}
    for path, document in zip(paths, documents, strict=True):
        for key in CIRCUMSTANCES:
            if key == "versions":  # without networks Keras' is not among them
                shared = first[key].keys() & document[key].keys()
                equal = all(first[key][name] == document[key][name] for name in shared)
            else:
                equal = first[key] == document[key]
            if not equal:
                other = paths[0] if kept is None else "the kept results"
                raise SystemExit(f"{path} differs from {other} in {key}.")
    runs = {}
    for kind in "comparison", "reproduction":
        found = {}
        for document in documents:
            if document["kind"] == kind:
                for run in RUNS[kind](document):
                    found.setdefault(run["model"], {})[run["seed"]] = run
        runs |= found
    return {
        **{key: first[key] for key in CIRCUMSTANCES[:-1]},
        "made": max(document["made"] for document in documents)[:10],
        "machine": most,
        "versions": first["versions"],
        "models": ({} if kept is None else kept["models"])
        | {
            name: {
                "seeds": sorted(found),
                "accuracies": [found[seed]["accuracy"] for seed in sorted(found)],
                # What else the machine does makes a time longer, never shorter.
                "fit_time": round(min(run["fit_time"] for run in found.values()), 2),
                "predict_time_us": round(
                    min(run["predict_time_us"] for run in found.values()), 2
                ),
                "n_parameters": next(iter(found.values()))["n_parameters"],
                **elsewhere,
            }
            for name, found in runs.items()
        },
    }


def runs_of_comparison(document):
    """Yield what a comparison found of each model."""
    for row in document["models"]:
        if row["error_message"]:
            raise SystemExit(f"{row['model']}: {row['error_message']}")
        yield {**row, "seed": document["seed"]}


def runs_of_reproduction(document):
    """Yield the runs of networks by their own recipes."""
    for run in document["runs"]:
        if run["model"] in RESULTS:
            raise SystemExit(
                f"{run['model']} was trained by its published recipe, not with the "
                "settings of the package: take its results from a comparison."
            )
        if not run["varied"]:
            microseconds = 1e6 * run["predict_time"] / run["n_test"]
            yield {**run, "predict_time_us": microseconds}


RUNS = {"comparison": runs_of_comparison, "reproduction": runs_of_reproduction}


def table(models, details):
    """Return a table in Markdown, the most accurate model first."""
    heads = ["Model", "Test accuracy", "Fit", "Parameters"]
    if details:
        heads[2:2] = ["Seeds"]
        heads[4:4] = ["Predict one image"]
    lines = [f"| {' | '.join(heads)} |", f"| --- |{' ---: |' * (len(heads) - 1)}"]
    marks = machine_marks(models)
    for name in sorted(models, key=lambda name: -mean(models[name]["accuracies"])):
        model = models[name]
        percents = [100 * accuracy for accuracy in model["accuracies"]]
        varies = len(set(percents)) > 1
        n_parameters = model["n_parameters"]
        mark = marks.get(model.get("machine"), "")
        spread = f" ± {stdev(percents):.2f}" if varies and details else ""
        cells = [f"`{name}`", f"{mean(percents):.2f}{spread} %"]
        if details:
            cells.append(str(len(percents)) if varies else "")
        cells.append(duration(model["fit_time"]) + mark)
        if details:
            cells.append(microseconds(model["predict_time_us"]) + mark)
        cells.append("" if n_parameters is None else f"{n_parameters:,}")
        lines.append(f"| {' | '.join(cells)} |")
    # No line may end between a number and its unit.
    units = r"(?<=\d) (?=%|µs|ms\b|s\b|min\b)|(?<=min) (?=\d)"
    return re.sub(units, "\N{NO-BREAK SPACE}", "\n".join(lines))


def origin(results):
    """Return the sentence on where the results come from."""
    made = date.fromisoformat(results["made"])
    versions = ", ".join(f"{name} {n}" for name, n in results["versions"].items())
    return f"Seeds from 0 on; {results['machine']}; {versions}; {made:%-d %B %Y}."


def machine_marks(models):
    """Return a mark for each machine that only some of the models were trained on."""
    machines = dict.fromkeys(m["machine"] for m in models.values() if "machine" in m)
    return dict(zip(machines, "†‡", strict=False))


def with_notes(shown, models):
    """Add to a table what its marks mean."""
    notes = [f"{mark} {name}" for name, mark in machine_marks(models).items()]
    return f"{shown}\n\n{'; '.join(notes)}" if notes else shown


def replace_marked(path, text):
    """Replace what stands between the marks of the results on a page."""
    page = path.read_text(encoding="utf-8")
    begin, end = "<!-- results: docs/results.py -->", "<!-- end of results -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    if len(pattern.findall(page)) != 1:
        raise SystemExit(f"{path} must have {begin} and {end} once.")
    path.write_text(pattern.sub(lambda _: f"\n{text}\n\n", page), encoding="utf-8")


def main(arguments=None):
    """Keep new results, if there are any, and write the tables."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("machine", nargs="?")
    parser.add_argument("files", nargs="*", type=Path)
    parser.add_argument("--keep", action="store_true")
    given = parser.parse_args(arguments)
    if given.machine and not given.files:
        parser.error("name the files after the machine")
    if given.files:
        kept = results_on_mnist() if given.keep else None
        text = json.dumps(gather(given.machine, given.files, kept), indent=2) + "\n"
        (ROOT / "skmnist" / "results.json").write_text(text, encoding="utf-8")
    results = results_on_mnist()
    models = results["models"]
    selected = {name: models[name] for name in SELECTION}
    brief = with_notes(table(selected, False), selected)
    replace_marked(ROOT / "README.md", brief)
    replace_marked(ROOT / "docs" / "index.md", brief)
    full = f"{with_notes(table(models, True), models)}\n\n{origin(results)}"
    replace_marked(ROOT / "docs" / "results.md", full)


if __name__ == "__main__":
    main()
