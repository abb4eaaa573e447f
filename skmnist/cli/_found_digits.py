"""The picture of ``skmnist predict --show``: where digits were found."""

from pathlib import Path

from skmnist._numbers import counted
from skmnist.cli._errors import BadInput, Failure
from skmnist.cli._messages import note
from skmnist.cli._result_files import check_output

_SUFFIXES = (".png", ".svg", ".pdf")


def check_shown(path, model, images, *, force):
    """Make sure that a picture of the digits in files can be written, if wanted."""
    if path is None:
        return
    if len(images) != 1:
        raise BadInput(f"--show draws one picture; {len(images)} files were given.")
    shown = check_output(path, force=force, suffixes=_SUFFIXES, option="--show")
    for read in model, *images:
        if shown.exists() and Path(read).exists() and shown.samefile(read):
            raise BadInput(f"--show {path} would replace a file that is read.")
    from skmnist.plotting._figures import load_pyplot

    try:
        load_pyplot("--show")
    except ImportError as error:
        raise Failure(str(error)) from error


def check_searched(file):
    """Raise BadInput unless one page of a file was searched for digits."""
    if len(file.pages) != 1:
        found = (
            f"{file.path} has {counted(len(file.pages), 'such page')}."
            if file.pages
            else f"the images in {file.path} are classified as they are."
        )
        raise BadInput(
            f"--show draws one picture that was searched for digits; {found}"
        )


def show_digits(path, file, labels, confidence):
    """Draw the page of a file on which digits were found."""
    import matplotlib.pyplot as plt
    import numpy as np

    from skmnist.cli._image_files import LONGEST
    from skmnist.datasets._files import replacing
    from skmnist.datasets._pictures import picture_pages
    from skmnist.plotting import ExtractedDigitsDisplay

    # It is NaN for a label that is no class, as in from_estimator.
    if confidence is not None and not np.isfinite(confidence).all():
        confidence = None
    ((picture, _),) = picture_pages(file.path, longest=LONGEST)
    (page,) = file.pages
    display = ExtractedDigitsDisplay.from_predictions(
        picture, page.digits, labels, confidence=confidence
    )
    try:
        with replacing(path) as stream:
            display.figure_.savefig(stream, format=str(path)[-3:].lower(), dpi=150)
    finally:
        plt.close(display.figure_)
    note(f"Picture written to {path}.")
