"""Digits of other hands: how many a model classifies correctly, by preparation.

``python -m benchmarks.handwriting MODEL FOLDER`` needs a model of MNIST's digits, and a
folder with pictures and ``labels.csv``, whose columns ``file`` and ``label`` name each
picture and what is written on it; ``/`` parts rows.
"""

import csv
from pathlib import Path

import click
import numpy as np
from PIL import Image

from skmnist import DigitExtractor, DigitNormalizer
from skmnist.datasets import fetch_mnist, read_picture
from skmnist.persistence import load_model

__all__ = ["PREPARATIONS", "count", "sheet"]

_SIDE = 200  # pixels of a sheet with one digit of MNIST


def _light_ink(picture):
    """Return a picture in grey, inverted if it is mostly light."""
    grey = np.asarray(Image.fromarray(picture).convert("L"))
    return 255 - grey if grey.mean() > 127 else grey


def _resized(picture):
    small = Image.fromarray(_light_ink(picture)).resize((28, 28))
    return np.asarray(small).reshape(1, -1), None


def _normalized(picture):
    return DigitNormalizer(threshold=0.3).fit_transform(_light_ink(picture)[None]), None


def _extracted(picture):
    digits = DigitExtractor().extract(picture)
    return digits.images.reshape(len(digits), -1), digits


PREPARATIONS = {
    "only resized": _resized,
    "DigitNormalizer": _normalized,
    "DigitExtractor": _extracted,
}


def _text(model, picture, prepare):
    """Return what a model reads in a picture, with ``/`` between rows."""
    X, digits = prepare(picture)
    if not len(X):
        return ""
    labels = model.predict(X)
    return str(labels[0]) if digits is None else "/".join(digits.join(labels))


def count(model, pictures, labels, prepare):
    """Return what was read instead of the label, by the number of the picture."""
    read = (_text(model, picture, prepare) for picture in pictures)
    return {
        number: text
        for number, (text, label) in enumerate(zip(read, labels, strict=True))
        if text != label
    }


def sheet(image, rng):
    """Place a digit of MNIST on a sheet of uneven, noisy paper, dark on light."""
    side = int(rng.integers(100, 160))
    digit = Image.fromarray(image).resize((side, side), Image.Resampling.BICUBIC)
    ink = np.zeros((_SIDE, _SIDE))
    y, x = rng.integers(0, _SIDE - side + 1, 2)
    ink[y : y + side, x : x + side] = np.asarray(digit) / 255
    angle = rng.uniform(0, 2 * np.pi)
    place = np.linspace(-0.5, 0.5, _SIDE)
    slope = np.cos(angle) * place[:, None] + np.sin(angle) * place
    paper = (0.8 - 0.25 * slope) * (1 - rng.uniform(0.5, 0.9) * ink)
    paper += rng.normal(0, 0.03, paper.shape)
    return np.rint(255 * np.clip(paper, 0, 1)).astype(np.uint8)


def draw_misread(misread, path):
    """Store pictures with what is written there and what was read instead."""
    import matplotlib.pyplot as plt

    n_columns = min(6, len(misread))
    n_rows = -(-len(misread) // n_columns)
    size = 1.8 * n_columns, 2.1 * n_rows
    fig, axes = plt.subplots(n_rows, n_columns, figsize=size, squeeze=False)
    for ax in axes.flat:
        ax.set_axis_off()
    for ax, (picture, label, text) in zip(axes.flat, misread, strict=False):
        ax.imshow(picture, cmap="gray")
        ax.set_title(f"{label} read as {text or 'nothing'}", fontsize=8)
    fig.savefig(path, dpi=120, bbox_inches="tight")
    plt.close(fig)


def _fraction(n_right, n):
    return f"{n_right:,} of {n:,} ({100 * n_right / n:.2f} %)"


@click.command()
@click.argument("model_file", type=click.Path(exists=True))
@click.argument("folder", type=click.Path(exists=True))
@click.option("--n-sheets", default=10_000, show_default=True, help="Digits of MNIST.")
@click.option("--misread", type=click.Path(), help="Picture of all that is misread.")
def main(model_file, folder, n_sheets, misread):
    """Count the pictures in FOLDER, and the sheets, that a model reads right."""
    model, folder = load_model(model_file), Path(folder)
    with open(folder / "labels.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))
    shown = []
    for name, is_wanted in (
        ("single digits", lambda label: len(label) == 1),
        ("several digits, read whole", lambda label: len(label) > 1),
    ):
        chosen = [row for row in rows if is_wanted(row["label"])]
        pictures = [read_picture(folder / row["file"]) for row in chosen]
        labels = [row["label"] for row in chosen]
        for preparation, prepare in PREPARATIONS.items():
            if len(labels[0]) > 1 and prepare is not _extracted:
                continue
            wrong = count(model, pictures, labels, prepare)
            found = _fraction(len(labels) - len(wrong), len(labels))
            print(f"{name}, {preparation}: {found}", flush=True)
        for number, text in wrong.items():
            print(f"  {chosen[number]['file']}: {labels[number]} read as {text or '-'}")
            shown.append((pictures[number], labels[number], text))
    if misread and shown:
        draw_misread(shown, misread)
    X, y = fetch_mnist("test", return_X_y=True)
    images, y = X[:n_sheets].reshape(-1, 28, 28), y[:n_sheets].astype(str)
    n_plain = int((model.predict(X[:n_sheets]).astype(str) == y).sum())
    print(f"MNIST's test images: {_fraction(n_plain, len(y))}", flush=True)
    rng = np.random.default_rng(0)
    wrong = count(model, (sheet(image, rng) for image in images), y, _extracted)
    print(f"on sheets of {_SIDE}×{_SIDE}: {_fraction(len(y) - len(wrong), len(y))}")


if __name__ == "__main__":
    main()
