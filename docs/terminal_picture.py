"""The picture of a terminal in the guide: ``python docs/terminal_picture.py``.

Runs a command of this package and stores what it prints first as
``_static/command_line.svg``.
"""

import os
import re
import subprocess
import sys
from io import StringIO
from pathlib import Path

from rich.console import Console
from rich.text import Text

COMMAND = "skmnist compare --models logistic_regression,random_forest,cnn_32_64"
WIDTH, LINES = 84, 14

environment = os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(WIDTH)}
arguments = [sys.executable, "-m", *COMMAND.split()]
printed = subprocess.run(
    arguments, env=environment, stdout=subprocess.PIPE, encoding="utf-8", check=True
).stdout
first_lines = "\n".join(printed.splitlines()[:LINES])

console = Console(record=True, width=WIDTH, file=StringIO())
console.print(Text.from_ansi(f"$ {COMMAND}\n{first_lines}"))
svg = console.export_svg(title="")
# A page that is opened without a network has none of these fonts.
svg = re.sub(r"@font-face \{.*?\}", "", svg, flags=re.DOTALL)
(Path(__file__).parent / "_static/command_line.svg").write_text(svg, encoding="utf-8")
