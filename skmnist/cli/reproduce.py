"""``skmnist reproduce``: published networks trained again, beside their results."""

import click

from skmnist.cli._errors import FAILURE, INTERRUPTED, BadInput, Failure
from skmnist.cli._options import (
    dataset_option,
    force_option,
    json_option,
    report_option,
    runs_option,
)


@click.command("reproduce", short_help="Reproduce the published networks.")
@click.argument("names", nargs=-1, metavar="[NAME]...")
@dataset_option(default="mnist")
@click.option(
    "--quick",
    is_flag=True,
    help="A shortened run that reproduces nothing: two epochs on few images, as a test "
    "of a minute or two.",
)
@click.option(
    "--seeds",
    metavar="N|LIST",
    help="Number of seeds, counted up from the published one or 0; or the seeds, as in "
    "0,1,2.  [default: 3; 1 with --quick]",
)
@runs_option(default="skmnist-runs", show_default=True)
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Also write the results to a .json (with every run and its epochs), .md or "
    ".txt file.",
)
@report_option
@force_option
@json_option
def command(names, dataset, quick, seeds, runs, out, page, force, as_json):
    """Train the published networks by their own recipes and compare the results.

    NAME is a network that `skmnist models` lists, or a study that varies one part of a
    recipe: units (128 to 1024), optimizers (SGD, Adam, RMSprop), regularization
    (dropout, L1, L2), or ablation, which leaves out one part of cnn_best after
    another. 'networks', the default, means the eight published networks, 'studies' the
    first three.

    A full run with three seeds takes an hour or more on two CPUs, ablation two hours to
    a day. If it is interrupted, the same command resumes with the runs that are not
    finished.
    """
    from skmnist.cli._data import training_set
    from skmnist.cli._errors import bad_input, describe
    from skmnist.cli._group import command_line
    from skmnist.cli._messages import note
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._result_files import check_output
    from skmnist.cli._results import print_results, write_results
    from skmnist.cli._run_progress import run_progress
    from skmnist.reproduction._plan import resolve_targets
    from skmnist.reproduction._reproduce import reproduce_targets

    with bad_input():
        networks, studies = resolve_targets(names)
    if seeds is not None:
        seeds = parse_seeds(seeds)
    if out is not None:
        check_output(out, force=force, suffixes=(".json", ".md", ".txt"))
    check_page(page, force=force)
    image_set = training_set(dataset)
    if quick:
        note("A shortened run: it shows that everything works, and reproduces nothing.")
    title = f"Training on {image_set.name}; finished runs are kept in {runs}"
    with bad_input():
        try:
            document = reproduce_targets(
                networks,
                studies,
                image_set,
                seeds=seeds,
                quick=quick,
                runs=runs,
                make_progress=lambda works: run_progress(title, works),
                command=command_line(),
            )
        except OSError as error:  # such as a disk that is full
            raise Failure(f"Cannot save a finished run: {describe(error)}") from error
        except KeyboardInterrupt:  # with nothing to show
            note("The same command resumes the runs that are not finished.")
            raise
    print_results(document, as_json=as_json)
    if document["interrupted"]:
        for path in filter(None, (out, page)):
            note(f"{path} is written when all runs are finished.")
        return INTERRUPTED
    write_results(document, out)
    write_page(page, document)
    return FAILURE if document["failures"] else 0


def parse_seeds(text):
    """Return the number of seeds, or the seeds, that ``--seeds`` gives.

    "5" is a number of seeds, "0,1,2" and "7," are seeds. Raises BadInput for anything
    else.
    """
    words = [word.strip() for word in text.split(",")]
    if len(words) > 1 and words[-1] == "":
        words.pop()
    if not all(word.isascii() and word.isdecimal() for word in words):
        raise BadInput(
            "--seeds needs a number of seeds, such as 5, or seeds with commas, such "
            f"as 0,1,2 or 7, (with a comma after a single one); got {text!r}."
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
