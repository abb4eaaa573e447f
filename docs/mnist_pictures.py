"""Run the pages of the guide that show MNIST, and store their pictures and results.

``python docs/mnist_pictures.py`` takes MNIST from the folder ``SKMNIST_DATA``, or
downloads it. The documentation is built from what is stored in ``_static/mnist``, so
that a build needs no MNIST.
"""

import re
from contextlib import redirect_stdout
from io import StringIO
from pathlib import Path

import matplotlib.pyplot as plt
from PIL import Image

DOCS = Path(__file__).parent
STORE = DOCS / "_static/mnist"
PAGES = [
    "guide/augmentation.md",
    "guide/feature_maps.md",
    "guide/label_errors.md",
    "guide/scaling.md",
]
# A block of code, the text that it printed, or a picture of the figure that it drew.
PARTS = re.compile(
    r"^```py(?:thon)?\n(?P<code>.*?)^```"
    r"|^```{literalinclude} \S+/_static/mnist/(?P<text>\S+)"
    r"|^!\[[^\]]*\]\(\S+/_static/mnist/(?P<picture>\S+)\)",
    re.MULTILINE | re.DOTALL,
)


def save_picture(path):
    """Save the current figure with a palette, which makes the file a third as large."""
    plt.savefig(path, dpi=130)
    with Image.open(path) as image:
        reduced = image.convert("RGB").quantize(256, dither=Image.Dither.NONE)
    reduced.save(path)


def run_page(page, store=STORE):
    """Execute the code of a page from top to bottom, and store what it shows."""
    namespace, printed = {"__name__": "__page__"}, ""
    for part in PARTS.finditer(page.read_text(encoding="utf-8")):
        if part["code"]:
            with redirect_stdout(StringIO()) as output:
                exec(compile(part["code"], str(page), "exec"), namespace)
            printed = output.getvalue()
        elif part["text"]:
            (store / part["text"]).write_text(printed, encoding="utf-8")
        else:
            save_picture(store / part["picture"])
            plt.close("all")


if __name__ == "__main__":
    plt.switch_backend("Agg")
    for page in PAGES:
        run_page(DOCS / page)
