"""``skmnist evaluate``: the model in a file tested on images."""

import click

from skmnist.cli._options import (
    TRUST,
    dataset_option,
    force_option,
    json_option,
    report_option,
    subset_option,
)


@click.command("evaluate", epilog=TRUST)
@click.argument("model", type=click.Path())
@dataset_option(default=None, show_default="the set that the model was trained on")
@subset_option
@report_option
@force_option
@json_option
def command(model, dataset, subset, page, force, as_json):
    """Test a saved model: accuracy, scores of each label, confusions."""
    from skmnist.cli._messages import note
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._recognition import evaluate_file
    from skmnist.cli._results import print_results

    check_page(page, force=force)
    document, subject = evaluate_file(model, dataset, subset)
    if as_json and document["warning"]:
        note(f"Note: {document['warning']}")
    print_results(document, as_json=as_json)
    write_page(page, document, subject)
