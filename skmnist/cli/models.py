"""``skmnist models``: the models that have a name, what they cost and reach."""

import click

from skmnist.cli._options import json_option


@click.command("models")
@json_option
def command(as_json):
    """List the models that the other commands know by name.

    Accuracy, time and number of parameters are those measured on MNIST.
    """
    from statistics import mean

    from skmnist.baselines import BASELINES
    from skmnist.cli._results import print_json
    from skmnist.networks import ARCHITECTURES
    from skmnist.pipelines import model_names, results_on_mnist

    described = {**ARCHITECTURES, **BASELINES}
    measured = results_on_mnist()
    results = measured.pop("models")
    models = [
        {"name": name, "kind": kind, "summary": described[name].summary, "mnist": None}
        for kind in ("network", "baseline")
        for name in model_names(kind)
    ]
    for model in models:
        if found := results.get(model["name"]):
            accuracy = mean(found["accuracies"])
            model["mnist"] = {"accuracy": accuracy, **measured, **found}
    if as_json:
        print_json(models)
    else:
        _print_tables(models, measured)


def _print_tables(models, measured):
    """Print a table of each kind of model, and how their results were measured."""
    from skmnist._numbers import count, duration, percent
    from skmnist.report._content import Cell, Column, Report, Section, Table, Text
    from skmnist.report._terminal import print_report

    columns = (
        Column("Name"),
        Column("Accuracy", number=True),
        Column("Fit", number=True),
        Column("Parameters", number=True, dispensable=1),
        Column("Description", wraps=True),
    )
    units = {"accuracy": percent, "fit_time": duration, "n_parameters": count}
    tables = []
    for kind, caption in ("network", "Networks"), ("baseline", "Classical baselines"):
        rows = []
        for model in (model for model in models if model["kind"] == kind):
            found = model["mnist"] or {}
            cells = [unit(found[k]) if k in found else "" for k, unit in units.items()]
            rows.append(tuple(map(Cell, (model["name"], *cells, model["summary"]))))
        tables.append(Table(caption, columns, tuple(rows)))
    numbers = [len(model["mnist"]["seeds"]) for model in models if model["mnist"]]
    elsewhere = {}
    for model in models:
        machine = (model["mnist"] or measured)["machine"]
        if machine != measured["machine"]:
            elsewhere.setdefault(machine, []).append(model["name"])
    machines = "".join(
        f"; {', '.join(names)} on {machine}" for machine, names in elsewhere.items()
    )
    over = f"mean of up to {max(numbers)} seeds"
    words = (
        f"Measured on MNIST: accuracy on {measured['n_test']:,} test images after "
        f"training on {measured['n_train']:,} ({over}), and the time of the fastest "
        f"fit ({measured['machine']}{machines}; {measured['made']}; "
        f"skmnist {measured['versions']['skmnist']}). “Results on MNIST” in the "
        "documentation has more."
    )
    section = Section("Models", (*tables, Text(words)), is_brief=True)
    print_report(Report("Models", (), (section,)))
