"""Draw the pictures of a terminal in the guide: ``python docs/terminal_pictures.py``.

Runs commands and stores what they print as ``_static/*.svg``.
"""

import os
import re
import signal
import subprocess
import sys
import tempfile
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

STATIC = Path(__file__).parent / "_static"
WIDTH = 84
# What rich prints before it draws a display that changes once more.
REDRAW = re.compile(r"\r?(?:\x1b\[\?25[hl]|\x1b\[2K|\x1b\[1A|\r)+")

COMPARISON = "skmnist compare --models logistic_regression,random_forest,cnn_32_64"
SEARCH = "skmnist search mlp_512"
PROGRESS = """\
from sklearn.callback import ProgressBar
from sklearn.model_selection import GridSearchCV
from skmnist.datasets import load_digits
from skmnist.pipelines import make_model

grid = {"clf__units": [64, 256], "clf__dropout": [0.0, 0.3]}
search = GridSearchCV(make_model("mlp_512", epochs=200), grid, cv=2, refit=False)
search.set_callbacks(ProgressBar(max_propagation_depth=None))
search.fit(*load_digits(return_X_y=True))
"""


def start(arguments, folder=None, width=WIDTH):
    """Run Python as in a terminal of this width, in a process of its own."""
    environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(width)}
    if folder is not None:  # where no fits are kept yet
        environment["XDG_CACHE_HOME"] = folder
    return subprocess.Popen(
        [sys.executable, *arguments],
        env=environment,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


def frames(stream):
    """Yield each state of a display that changes, as it is printed."""
    text = ""
    while part := os.read(stream.fileno(), 1 << 16).decode():
        *complete, text = REDRAW.split(text + part)
        yield from filter(str.strip, complete)
    yield text


def save(name, printed):
    """Write text with colours as a picture of a terminal."""
    text = Text.from_ansi(printed)
    width = max(line.cell_len for line in text.split())
    console = Console(record=True, width=width, file=StringIO())
    console.print(text)
    svg = console.export_svg(title="")
    # A page that is opened without a network has none of these fonts.
    svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
    (STATIC / name).write_text(svg, encoding="utf-8")


def compared():
    """Give the first lines of a comparison."""
    printed, _ = start(["-m", *COMPARISON.split()]).communicate()
    return "\n".join([f"$ {COMPARISON}", *printed.splitlines()[:14]])


def resumed():
    """Give what a search prints that is interrupted and started again."""
    lines = []
    with tempfile.TemporaryDirectory() as folder:
        search = start(["-m", *SEARCH.split()], folder)
        for frame in frames(search.stderr):
            if "20 of 54 fits" in frame and len(lines) < 2:
                lines += [f"$ {SEARCH}", f"{frame.strip()}^C"]
                search.send_signal(signal.SIGINT)
        search.stdout.read()
        lines += ["…", frame.strip().splitlines()[-1]]
        search = start(["-m", *SEARCH.split()], folder)
        first = next(frame for frame in frames(search.stderr) if "epoch" in frame)
        printed, _ = search.communicate()
    lines += [f"$ {SEARCH}", first.strip(), "", *printed.splitlines()[:18]]
    return "\n".join(lines)


def nested():
    """Give the progress of a search in the middle."""
    shown = list(frames(start(["-c", PROGRESS], width=96).stdout))
    return shown[len(shown) * 2 // 3].strip("\n")


def main():
    """Draw all pictures, or those that are named."""
    pictures = {
        "command_line.svg": compared,
        "search_resumed.svg": resumed,
        "search_progress.svg": nested,
    }
    for name in sys.argv[1:] or pictures:
        save(name, pictures[name]())


if __name__ == "__main__":
    main()
