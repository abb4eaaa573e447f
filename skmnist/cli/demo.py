"""``skmnist demo``: a page to draw on, with the network in a file."""

import click

from skmnist._numbers import counted
from skmnist.cli._options import TRUST, force_option, json_option


@click.command(
    "demo", epilog=TRUST, short_help="Write a page to draw on, with the network inside."
)
@click.argument("model", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    required=True,
    help="The HTML file to write.",
)
@force_option
@json_option
def command(model, out, force, as_json):
    """Write one HTML page on which anyone can draw and see what a network makes of it.

    The page holds the network and works offline, on phones too. It is for networks of
    this package and images with one channel, alone or after ImageScaler, Deskewer
    and DigitNormalizer. Weights are rounded to 16 or 8 bits if the page would otherwise
    exceed 2 MB.
    """
    from skmnist.cli._errors import BadInput, bad_input
    from skmnist.cli._messages import note
    from skmnist.cli._recognition import read_model
    from skmnist.cli._result_files import check_output
    from skmnist.cli._results import print_files, print_json
    from skmnist.demo import write_demo

    path = check_output(out, force=force, suffixes=(".html", ".htm"))
    fitted = read_model(model).model
    try:
        with bad_input():
            demo = write_demo(getattr(fitted, "best_estimator_", fitted), path)
    except BadInput as error:
        raise BadInput(f"{model}: {error.format_message()}") from error.__cause__
    if demo.bits < 32:
        note(
            f"The page has {demo.n_bytes / 1e6:.2f} MB, with weights of {demo.bits} "
            "bits. On 500 bundled digits, their rounding changes probabilities "
            f"by at most {demo.largest_change:.2g}, and "
            f"{counted(demo.n_changed, 'label')}."
        )
    if as_json:
        print_json(
            {
                "file": str(demo.path),
                "n_bytes": demo.n_bytes,
                "bits": demo.bits,
                "largest_change": demo.largest_change,
                "n_changed": demo.n_changed,
            }
        )
    else:
        print_files([demo.path], as_json=False)
