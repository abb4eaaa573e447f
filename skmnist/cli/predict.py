"""``skmnist predict``: labels of images, by the model in a file."""

import click

from skmnist.cli._options import TRUST, json_option


@click.command("predict", epilog=TRUST)
@click.argument("model", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@click.option(
    "--proba",
    is_flag=True,
    help="Print CSV: the predicted label, then the probability of each label.",
)
@click.option(
    "--invert",
    is_flag=True,
    help="Invert images with dark ink on light paper; MNIST has light ink on dark.",
)
@json_option
def command(model, images, proba, invert, as_json):
    """Classify images with the model in a file: one label per line.

    IMAGES are NumPy arrays (.npy), IDX or CSV files (gzipped or not; CSV with one image
    per row; labels and an index are ignored), or pictures (.png and others) of the size
    that the model expects. --json numbers the images of each file from 0.
    """
    from skmnist.cli._image_files import read_images
    from skmnist.cli._recognition import predict, read_model
    from skmnist.cli._results import print_json

    model_file = read_model(model)
    X, counts = read_images(images, model_file, invert=invert)
    labels, classes, probabilities = predict(model_file, X, proba=proba)
    if as_json:
        rows = [
            {"file": str(path), "image": number}
            for path, n in zip(images, counts, strict=True)
            for number in range(n)
        ]
        for row, label in zip(rows, labels, strict=True):
            row["label"] = label
        for row, values in zip(rows, probabilities or (), strict=proba):
            row["probabilities"] = values
        print_json({"model": model_file.path, "classes": classes, "predictions": rows})
    elif proba:
        print(",".join(["label", *map(str, classes)]))
        for label, values in zip(labels, probabilities, strict=True):
            print(label, *(f"{value:.6g}" for value in values), sep=",")
    else:
        print("\n".join(map(str, labels)))
