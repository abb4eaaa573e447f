"""The picture of ``skmnist predict --show``: where digits were found."""

from skmnist.cli._errors import BadInput, Failure
from skmnist.cli._messages import note
from skmnist.cli._result_files import check_output

_SUFFIXES = (".png", ".svg", ".pdf")


def check_shown(path, *, force):
    """Make sure that the picture can be written, if one is wanted."""
    if path is None:
        return
    check_output(path, force=force, suffixes=_SUFFIXES, option="--show")
    from skmnist.plotting._figures import load_pyplot

    try:
        load_pyplot("--show")
    except ImportError as error:
        raise Failure(str(error)) from error


def show_digits(path, files, labels):
    """Draw the page on which digits were found, if that is wanted.

    Raises BadInput unless there is exactly one such page.
    """
    if path is None:
        return
    import matplotlib.pyplot as plt

    from skmnist.datasets._files import replacing
    from skmnist.plotting import ExtractedDigitsDisplay

    pages = [page for file in files for page in file.pages]
    if len(files) != 1 or len(pages) != 1:
        raise BadInput(
            "--show draws one picture that was searched for digits; "
            f"{len(files)} files with {len(pages)} such pages were given."
        )
    (page,) = pages
    display = ExtractedDigitsDisplay.from_predictions(page.picture, page.digits, labels)
    with replacing(path) as file:
        display.figure_.savefig(file, format=str(path)[-3:].lower(), dpi=150)
    plt.close(display.figure_)
    note(f"Picture written to {path}.")
