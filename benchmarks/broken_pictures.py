"""Damaged pictures: what is read or refused, how fast, and in how much memory.

``python -m benchmarks.broken_pictures`` damages pages of digits in many formats, of
half a megapixel and of 12, and reads each of them as ``skmnist predict`` does. It also
searches textures of many parts and lines, and a plain stroke to compare them with.
"""

import multiprocessing
import random
import resource
import sys
import tempfile
import time
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

import click
import numpy as np
from PIL import Image

from skmnist import DigitExtractor
from skmnist.datasets import DataFormatError, load_digits
from skmnist.datasets._pictures import picture_pages

_FORMATS = {
    "PNG": {},
    "JPEG": {},
    "JPEG, progressive": {"progressive": True},
    "WEBP": {"method": 0},
    "GIF": {},
    "TIFF": {"compression": "tiff_lzw"},
    "BMP": {},
    "JPEG2000": {},
    "AVIF": {"speed": 10},
}
_SHAPES = {"0.5 megapixels": (600, 800), "12 megapixels": (3000, 4000)}
_KIB = 1 if sys.platform == "darwin" else 1024  # units of ru_maxrss in bytes


def make_pages(folder):
    """Write a page in all formats and sizes; return the paths by name."""
    paths = {}
    for size, shape in _SHAPES.items():
        page = make_page(shape)
        for name, options in _FORMATS.items():
            path = paths[f"{name}, {size}"] = Path(folder) / f"sound{len(paths)}"
            page.save(path, name.split(",")[0], **options)
    return paths


def make_page(shape):
    """Draw rows of digits, dark on light and noisy paper, in colour."""
    height, width = shape
    digits, _ = load_digits(return_X_y=True)
    rows = [np.hstack(digits.reshape(-1, 8, 8)[10 * i :][:10]) for i in range(6)]
    ink = Image.fromarray(np.vstack(rows).astype(np.uint8)).resize((width, height))
    noise = np.random.default_rng(0).normal(0, 4, (height, width))
    grey = np.clip(230 - 0.8 * np.asarray(ink) + noise, 0, 255)
    return Image.fromarray(grey.astype(np.uint8)).convert("RGB")


def make_textures(side=1200):
    """Draw what has many parts or lines, and a stroke; return pictures by name."""
    y, x = np.indices((side, side))
    at_edge = np.minimum(np.minimum(y, x), side - 1 - np.maximum(y, x)) < 6
    stroke = (abs(y - side // 2) < side // 12) & (abs(x - side // 2) < side // 60)
    inks = {
        "stroke": stroke,
        "dots along the edges": at_edge & (x % 8 < 3) & (y % 8 < 3) | stroke,
        "halftone": (x % 6 < 2) & (y % 6 < 2),
        "grid": (x % 12 < 2) | (y % 12 < 2),
        "stripes": y % 6 < 2,
        "noise": np.random.default_rng(0).random((side, side)) < 0.02,
    }
    return {name: np.where(ink, 20, 230).astype(np.uint8) for name, ink in inks.items()}


def damage(data, rng):
    """Change some bytes, mostly of the header, and sometimes cut the end off."""
    data = bytearray(data)
    for _ in range(rng.randint(1, 6)):
        end = len(data) if rng.random() < 0.5 else min(len(data), 512)
        data[rng.randrange(end)] = rng.randrange(256)
    if rng.random() < 0.3:
        del data[rng.randrange(len(data)) :]
    return bytes(data)


def read(path):
    """Find the digits of all pages of a file; return what came of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Pillow's, about damaged metadata
        try:
            for picture, _ in picture_pages(path, longest=1600):
                DigitExtractor().extract(np.asarray(picture))
        except DataFormatError:
            return "refused"
    return "read"


def peak():
    """Return the largest memory that this process had, in MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _KIB / 1e6


@click.command()
@click.option("--n-files", default=500, show_default=True, help="Damaged files.")
@click.option("--seed", default=0, show_default=True)
def main(n_files, seed):
    """Read damaged pictures, and print the slowest and the memory that it took."""
    rng = random.Random(seed)
    other = multiprocessing.get_context("spawn")  # what it takes does not count
    with tempfile.TemporaryDirectory() as folder:
        with ProcessPoolExecutor(1, mp_context=other) as pool:
            sound = pool.submit(make_pages, folder).result()
        read(sound["PNG, 0.5 megapixels"])  # nor what is loaded once
        before = largest = peak()
        found, outcomes, hungriest = [], Counter(), None
        broken = Path(folder) / "broken"
        for number in range(n_files):
            name = list(sound)[number % len(sound)]
            broken.write_bytes(damage(sound[name].read_bytes(), rng))
            start = time.perf_counter()
            outcome = read(broken)
            found.append((time.perf_counter() - start, name, outcome))
            outcomes[outcome] += 1
            if peak() > largest:
                largest, hungriest = peak(), f"{name}, {outcome}"
    print("\n" + ", ".join(f"{n} {outcome}" for outcome, n in outcomes.items()))
    for seconds, name, outcome in sorted(found, reverse=True)[:5]:
        print(f"{seconds:.2f} s  {name}, {outcome}")
    print(f"memory: at most {largest - before:.0f} MB more ({hungriest})")
    for name, texture in make_textures().items():
        start = time.perf_counter()
        DigitExtractor().extract(texture)
        print(f"{time.perf_counter() - start:.2f} s  {name}")


if __name__ == "__main__":
    main()
