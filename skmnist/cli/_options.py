"""Options that several commands have."""

import click

TRUST = """
Model files run code when they are loaded: load only files that come from a source
you trust.
"""


def _not_zero(ctx, param, value):
    if value == 0:
        raise click.BadParameter("0 jobs do nothing; give 1 or more, or -1 for all.")
    return value


def dataset_option(default="digits", **settings):
    """Make the option that chooses an image set."""
    shown = {"show_default": True} if default else {}
    return click.option(
        "--dataset",
        default=default,
        metavar="digits|mnist|FOLDER",
        help="Images: the embedded 8×8 digits, MNIST, or a folder of IDX files.",
        **shown,
        **settings,
    )


def folds_option(default, help):  # noqa: A002 (click calls it so)
    """Make the option for the number of folds."""
    return click.option(
        "--cv",
        "n_folds",
        type=click.IntRange(min=2),
        metavar="N",
        default=default,
        show_default=default is not None,
        help=help,
    )


seed_option = click.option(
    "--seed",
    type=click.IntRange(min=0),
    metavar="N",
    default=0,
    show_default=True,
    help="Decides splits, initial weights and order.",
)
jobs_option = click.option(
    "--jobs",
    type=int,
    metavar="N",
    default=1,
    show_default=True,
    callback=_not_zero,
    help="Fits at the same time; -1 for one a processor.",
)
epochs_option = click.option(
    "--epochs",
    type=click.IntRange(min=1),
    metavar="N",
    help="Epochs of the networks, in place of their own.",
)
json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON document as the result."
)
subset_option = click.option(
    "--subset",
    type=click.Choice(["train", "test", "all"]),
    default=None,
    show_default="test",
    help="The part to test on; of a set without a test part, the images that "
    "'skmnist train' kept back.",
)
report_option = click.option(
    "--report",
    "page",
    type=click.Path(),
    metavar="FILE",
    help="Write a report too: one HTML page with words, figures and tables.",
)
force_option = click.option("--force", is_flag=True, help="Replace what exists.")
