"""The page to draw on of the documentation: ``python docs/demo_picture.py``.

Trains ``cnn_small``, writes the page to ``_static/drawing.html``, draws a digit on it
in Chromium, and stores what it shows as ``_static/demo.png``. MNIST is from the folder
``SKMNIST_DATA``, or downloaded. With ``--keep-network`` the network in the page stays,
and only what is around it is written anew.
"""

import json
import re
import sys
import tempfile
import time
from math import prod
from pathlib import Path

from PIL import Image

from skmnist.datasets import fetch_mnist
from skmnist.demo import write_demo
from skmnist.demo._page import page_of
from skmnist.pipelines import make_model

DOCS = Path(__file__).parent
PAGE = DOCS / "_static/drawing.html"
sys.path.insert(0, str(DOCS.parent))

from tests.demo.browser import Browser  # noqa: E402 (it is not installed)

# Something between 4 and 9.
STROKES = [
    [
        *[(0.48, 0.25), (0.44, 0.26), (0.34, 0.36)],
        *[(0.36, 0.5), (0.5, 0.53), (0.66, 0.47)],
    ],
    [(0.69, 0.26), (0.66, 0.4), (0.63, 0.6), (0.62, 0.83)],
]


def renewed(page):
    """Return the text of a page as it is written now, with the same network."""
    (model,) = re.findall(r'id="model">(.*)</script>', page)
    model = json.loads(model)
    layers = [layer for network in model["networks"] for layer in network["layers"]]
    weights = [array for layer in layers for array in layer["weights"]]
    return page_of(model, sum(prod(array["shape"]) for array in weights))


def draw(page, path):
    """Store a picture of a page on which the strokes are drawn."""
    with tempfile.TemporaryDirectory() as folder:
        browser = Browser(folder)
        try:
            tab = browser.open(page)
            tab.resize(1100, 740, scale=1.2)
            tab.draw(STROKES)
            tab.wait("document.querySelector('#explained').ariaBusy === 'false'")
            time.sleep(0.5)  # while the bars grow
            tab.picture(path, width=1100, height=740, scale=1.2)
        finally:
            browser.close()
    with Image.open(path) as image:
        reduced = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    reduced.save(path)


if __name__ == "__main__":
    if sys.argv[1:] == ["--keep-network"]:
        PAGE.write_text(renewed(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
    else:
        network = make_model("cnn_small", random_state=0)
        network.fit(*fetch_mnist(return_X_y=True))
        write_demo(network, PAGE)
    draw(PAGE, DOCS / "_static/demo.png")
