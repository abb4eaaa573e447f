"""``skmnist predict``: labels of images, by the model in a file."""

import click

from skmnist._numbers import counted, percent
from skmnist.cli._options import TRUST, force_option, json_option


@click.command("predict", epilog=TRUST)
@click.argument("model", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@click.option(
    "--proba",
    is_flag=True,
    help="Print CSV: the predicted label, then the probability of each label.",
)
@click.option(
    "--min-confidence",
    type=click.FloatRange(0, 1),
    metavar="P",
    help="Print '?' instead of labels whose probability is below P, and the two "
    "likeliest labels unless the digit is one of a row.",
)
@click.option(
    "--invert",
    is_flag=True,
    help="Invert images with dark ink on light paper; MNIST has light ink on dark.",
)
@click.option(
    "--show",
    "show",
    type=click.Path(),
    metavar="FILE",
    help="Also draw where digits were found, and the images that the model classified; "
    "for one picture of one page.",
)
@force_option
@json_option
def command(model, images, proba, min_confidence, invert, show, force, as_json):
    """Classify images with the model in a file: one label per line.

    IMAGES are NumPy arrays (.npy), IDX or CSV files (gzipped or not; CSV with one image
    per row; labels and an index are ignored), or pictures (.png, .jpg and others).
    Pictures of any size are searched for digits, unless they have the size that the
    model expects; each row of digits is printed on one line. --json says which file
    and page a label is from, numbers the images of each file from 0, and has the box of
    each digit: top, left, bottom and right. Files that cannot be read are named on
    standard error; the others are classified, and the exit code is 2.
    """
    import numpy as np

    from skmnist._confidence import label_confidence, reject
    from skmnist.cli._errors import BAD_INPUT, bad_input
    from skmnist.cli._found_digits import check_searched, check_shown, show_digits
    from skmnist.cli._image_files import read_images
    from skmnist.cli._messages import note
    from skmnist.cli._recognition import predict, read_model
    from skmnist.cli._results import print_json

    rejects = min_confidence is not None
    model_file = read_model(model)
    check_shown(show, model, images, force=force)
    files = read_images(images, model_file, invert=invert)
    if show is not None:
        check_searched(files[0])
    X = np.concatenate([file.X for file in files])
    is_rated = (
        (as_json or show is not None)
        and any(file.pages for file in files)
        and hasattr(model_file.model, "predict_proba")
    )
    labels, classes, values = predict(model_file, X, proba=proba or rejects or is_rated)
    columns = {"label": labels}
    if is_rated:
        columns["confidence"] = label_confidence(labels, values, classes).tolist()
    if proba:
        columns["probabilities"] = values.tolist()
    if rejects:
        with bad_input():
            columns |= reject(labels, values, classes, min_confidence)
    places = [row for file in files for row in _rows(file.columns)]
    rows = [place | row for place, row in zip(places, _rows(columns), strict=True)]
    if as_json:
        print_json({"model": model_file.path, "classes": classes, "predictions": rows})
    elif proba:
        print(",".join(["label", *map(str, classes)]))
        for row in rows:
            print(_mark(row), *(f"{p:.6g}" for p in row["probabilities"]), sep=",")
    else:
        separator = " " if any(len(str(label)) > 1 for label in classes) else ""
        start = 0
        for file in files:
            own = rows[start : (start := start + len(file.X))]
            if file.pages:
                lines = file.join(list(map(_mark, own)), separator)
            else:
                lines = map(_answer, own)
            print("\n".join(lines))
    if rejects:
        note(
            f"Rejected, with a confidence below {min_confidence}: "
            f"{sum(columns['is_rejected']):,} of {counted(len(rows), 'image')}."
        )
    if show is not None:
        confidence = columns.get("confidence")
        show_digits(show, files[0], list(map(_mark, rows)), confidence)
    return BAD_INPUT if len(files) < len(images) else 0


def _rows(columns):
    """Return columns as rows."""
    return [
        dict(zip(columns, row, strict=True))
        for row in zip(*columns.values(), strict=True)
    ]


def _mark(row):
    """Write the label of a digit among others."""
    return "?" if row.get("is_rejected") else str(row["label"])


def _answer(row):
    """Write the label of an image, or the likeliest ones if it is rejected."""
    if not row.get("is_rejected"):
        return str(row["label"])
    words = (f"{c['label']} ({percent(c['probability'])})" for c in row["candidates"])
    return f"? {' or '.join(words)}"
