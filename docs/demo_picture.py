"""The page to draw on of the documentation: ``python docs/demo_picture.py``.

Trains ``cnn_small``, writes the page to ``_static/drawing.html``, draws a digit on it
in Chromium, and stores what it shows as ``_static/demo.png``. MNIST is from the folder
``SKMNIST_DATA``, or downloaded.
"""

import sys
import tempfile
import time
from pathlib import Path

from PIL import Image

from skmnist.datasets import fetch_mnist
from skmnist.demo import write_demo
from skmnist.pipelines import make_model

DOCS = Path(__file__).parent
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
    network = make_model("cnn_small", random_state=0)
    network.fit(*fetch_mnist(return_X_y=True))
    write_demo(network, DOCS / "_static/drawing.html")
    draw(DOCS / "_static/drawing.html", DOCS / "_static/demo.png")
