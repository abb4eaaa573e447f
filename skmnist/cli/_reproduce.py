"""The command that trains the published networks; its work is imported when it runs."""

import click

from skmnist.cli._errors import FAILURE, INTERRUPTED, BadInput
from skmnist.cli._options import (
    dataset_option,
    force_option,
    json_option,
    report_option,
)


@click.command(short_help="Train the published networks as they were published.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@dataset_option(default="mnist")
@click.option(
    "--quick",
    is_flag=True,
    help="Two epochs on few images, to see in a minute or two that it works; the "
    "figures are not comparable.",
)
@click.option(
    "--seeds",
    metavar="N|LIST",
    help="How many seeds, the published one or 0 and those that follow; or the seeds "
    "themselves, as in 0,1,2.  [default: 3; 1 with --quick]",
)
@click.option(
    "--runs",
    type=click.Path(),
    metavar="FOLDER",
    default="skmnist-runs",
    show_default=True,
    help="Where finished runs are kept, which are not made again.",
)
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Write the results too, as the name ends: .json (with every run and its "
    "epochs), .md or .txt.",
)
@report_option
@force_option
@json_option
def reproduce(names, dataset, quick, seeds, runs, out, page, force, as_json):
    """Train the published networks by their own recipes and compare the results.

    NAME is one of the eight published networks, or a study of what happens when one
    part of a recipe is varied: units (128 to 1024), optimizers (SGD, Adam, RMSprop)
    or regularization (dropout, L1, L2). 'networks', the default, means all of
    these networks, 'studies' all studies.

    Everything with three seeds takes an hour or more on two processors. Whatever
    ends it, Ctrl-C or worse, the same command goes on with the runs that are not
    finished.
    """
    from skmnist.cli._data import training_set
    from skmnist.cli._errors import bad_input
    from skmnist.cli._messages import note
    from skmnist.cli._pages import check_page
    from skmnist.cli._reproduction_report import run_reproduction
    from skmnist.cli._result_files import check_output
    from skmnist.reproduction._plan import resolve_targets

    with bad_input():
        networks, studies = resolve_targets(names)
    if seeds is not None:
        seeds = parse_seeds(seeds)
    if out is not None:
        check_output(out, force=force, suffixes=(".json", ".md", ".txt"))
    check_page(page, force=force)
    image_set = training_set(dataset)
    try:
        document = run_reproduction(
            networks,
            studies,
            image_set,
            seeds=seeds,
            quick=quick,
            runs=runs,
            out=out,
            page=page,
            as_json=as_json,
        )
    except KeyboardInterrupt:  # with nothing to show
        note("The same command goes on with the runs that are not finished.")
        raise
    if document["interrupted"]:
        return INTERRUPTED
    return FAILURE if document["failures"] else 0


def parse_seeds(text):
    """Turn what ``--seeds`` says into a number of seeds, or a list of them.

    Parameters
    ----------
    text : str
        A number of seeds, such as "5", or seeds with commas, such as "0,1,2" or
        "7,".

    Returns
    -------
    int or tuple of int
        The number, at least 1, or the seeds, each in [0, 2**32).

    Raises
    ------
    BadInput
        If it is neither.
    """
    words = [word.strip() for word in text.split(",")]
    if len(words) > 1 and words[-1] == "":
        words.pop()
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise BadInput(
            "--seeds needs a number of seeds, such as 5, or seeds with commas, such "
            f"as 0,1,2 or 7, (with a comma behind a single one); got {text!r}."
        )
    numbers = tuple(map(int, words))
    if "," not in text:
        if numbers[0] < 1:
            raise BadInput("--seeds 0 trains nothing; give 1 or more.")
        return numbers[0]
    if max(numbers) >= 2**32:
        raise BadInput(f"--seeds: {max(numbers)} is too large; seeds are below 2**32.")
    if len(set(numbers)) < len(numbers):
        raise BadInput(f"--seeds {text} names a seed twice.")
    return numbers
