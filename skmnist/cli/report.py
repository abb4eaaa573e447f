"""``skmnist report``: a page about a model, or about results."""

import click

from skmnist.cli._options import TRUST, dataset_option, force_option, subset_option


@click.command("report", epilog=TRUST)
@click.argument("source", metavar="MODEL_OR_RESULTS", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="The page to write; by default named like the source, in this folder.",
)
@dataset_option(default=None, show_default="the set that the model was trained on")
@subset_option
@force_option
def command(source, out, dataset, subset, force):
    """Write one HTML page about a model or about results.

    Results are a JSON file: the --json output of compare, train, evaluate, search or
    reproduce, or the --out FILE.json of compare or reproduce. A model is tested first;
    the page then shows images that it classifies correctly, images that it
    misclassifies, and what it looks at, as the --report pages of the other commands do.
    The page is a single file that works offline.
    """
    from pathlib import Path

    from skmnist.cli._errors import BadInput
    from skmnist.cli._messages import note
    from skmnist.cli._pages import check_page, is_results, read_results, write_page
    from skmnist.cli._recognition import evaluate_file

    page = out or f"{Path(source).stem}.html"
    check_page(page, force=force, option="--out")
    if is_results(source):
        if dataset is not None or subset is not None:
            raise BadInput(
                f"{source} holds results; --dataset and --subset are for models."
            )
        write_page(page, read_results(source), source=source)
        return
    document, looked_at = evaluate_file(source, dataset, subset)
    if document["warning"]:
        note(f"Note: {document['warning']}")
    write_page(page, document, looked_at)
