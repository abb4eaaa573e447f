"""``skmnist models``: the models that have a name."""

import click

from skmnist.cli._options import json_option


@click.command("models")
@json_option
def command(as_json):
    """List the models that the other commands know by name."""
    from skmnist.baselines import BASELINES
    from skmnist.cli._results import print_json
    from skmnist.networks import ARCHITECTURES
    from skmnist.pipelines import model_names
    from skmnist.report._content import Cell, Column, Report, Section, Table
    from skmnist.report._terminal import print_report

    described = {**ARCHITECTURES, **BASELINES}
    models = [
        {"name": name, "kind": kind, "summary": described[name].summary}
        for kind in ("network", "baseline")
        for name in model_names(kind)
    ]
    if as_json:
        print_json(models)
        return
    columns = Column("Name"), Column("Kind"), Column("Description", wraps=True)
    rows = tuple(tuple(map(Cell, model.values())) for model in models)
    table = Table("Networks and classical baselines", columns, rows)
    print_report(Report("Models", (), (Section("Models", (table,), is_brief=True),)))
