"""Options that several commands have."""

import click

TRUST = """
Loading a .joblib file can run any code: load only files from sources you trust.
A .safetensors file runs no code.
"""
_LARGEST_SEED = 2**32 - 1


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
        metavar="digits|mnist|PATH",
        help="Images: the bundled 8×8 digits, MNIST, a folder of IDX or CSV files, or "
        "a CSV file.",
        **shown,
        **settings,
    )


def folds_option(default, help):  # noqa: A002 (click calls it so)
    """Make the option for the number of folds."""
    return click.option(
        "--cv",
        "n_folds",
        type=click.IntRange(2),
        metavar="N",
        default=default,
        show_default=default is not None,
        help=help,
    )


seed_option = click.option(
    "--seed",
    type=click.IntRange(0, _LARGEST_SEED),
    metavar="N",
    default=0,
    show_default=True,
    help="Seed of splits, initial weights and sample order.",
)
jobs_option = click.option(
    "--jobs",
    type=int,
    metavar="N",
    default=1,
    show_default=True,
    callback=_not_zero,
    help="Number of parallel fits; -1 means one per CPU.",
)
epochs_option = click.option(
    "--epochs",
    type=click.IntRange(1),
    metavar="N",
    help="Number of epochs of the networks, instead of their defaults.",
)


def runs_option(more="", **settings):
    """Make the option for a folder of fits, with more words of help."""
    return click.option(
        "--runs",
        type=click.Path(),
        metavar="FOLDER",
        help=f"Folder of finished fits, which are not made again.{more}",
        **settings,
    )


json_option = click.option(
    "--json", "as_json", is_flag=True, help="Print the results as one JSON document."
)
subset_option = click.option(
    "--subset",
    type=click.Choice(["train", "test", "all"]),
    default=None,
    show_default="test",
    help="The part to test on. In a data set without a test part, 'test' means the "
    "images that 'skmnist train' sets aside.",
)
report_option = click.option(
    "--report",
    "page",
    type=click.Path(),
    metavar="FILE",
    help="Also write a report: one HTML page with text, figures and tables.",
)
force_option = click.option("--force", is_flag=True, help="Replace existing files.")
