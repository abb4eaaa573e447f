"""That the examples of CONTRIBUTING.md work, and touch as few files as they say."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import skmnist

PACKAGE = Path(skmnist.__file__).parent
GUIDE = Path(__file__).parent.parent / "CONTRIBUTING.md"

SECTION = re.compile(r"^### (.*)\n((?:(?!^##).*\n)+)", re.MULTILINE)
# The blocks of an example: the file, and what is added to it.
CHANGE = re.compile(r"^```py\n# (skmnist/\S+)\n(.*?)^```", re.MULTILINE | re.DOTALL)

DIGITS = """\
from skmnist.datasets import load_digits
X, y = load_digits(return_X_y=True)
X, y = X[:200] / 16, y[:200]
"""
KEPT = """\
from skmnist.persistence import load_model, save_model
loaded = load_model(save_model(model, "model.safetensors"))
assert (loaded.predict(X) == model.predict(X)).all()
"""
# By the title of the example: how many files it may touch, and what then works.
EXAMPLES = {
    "A builder": (
        3,
        f"""{DIGITS}
from skmnist import KerasImageClassifier
from skmnist.networks import build_pyramid
assert build_pyramid((64,), 10, width=8).count_params() == 606
model = KerasImageClassifier(
    builder=build_pyramid, builder_params={{"width": 8}}, image_shape="flat", epochs=1
).fit(X, y)
{KEPT}
from skmnist.export import to_onnx
assert to_onnx(model).graph.node
""",
    ),
    "A classifier": (
        3,
        f"""{DIGITS}
from skmnist import KerasWideClassifier
model = KerasWideClassifier(units=2, epochs=1).fit(X, y)
assert model.model_.layers[1].units == 8
{KEPT}
assert type(loaded) is KerasWideClassifier
from skmnist.networks import ARCHITECTURES, Architecture
from skmnist.pipelines import make_model
ARCHITECTURES["wide_4"] = Architecture("wide", "four", {{"units": 4}})
assert type(make_model("wide_4")[-1]) is KerasWideClassifier
""",
    ),
    "A named network": (
        1,
        """
from skmnist.pipelines import make_model, search_space
assert make_model("mlp_tiny").get_params()["clf__units"] == 32
assert search_space("mlp_tiny")["clf__units"] == [16, 32, 64]
from skmnist.cli import main
sys.argv[1:] = ["models"]
main()
""",
    ),
    "A kind of result": (
        2,
        """
import numpy as np
from skmnist.report import kinds_of_results, make_report
from skmnist.report._agreement import Agreement
from skmnist.report._documents import document_of
assert "agreement" in kinds_of_results()
results = Agreement(np.array([1, 2, 3, 4]), np.array([1, 2, 3, 5]))
words = "Both models predict the same label for 75.00 % of 4 images."
for results in results, document_of(results):
    for format in "html", "markdown", "text":
        assert words in make_report(results, format=format).replace("\\xa0", " ")
""",
    ),
    "A command": (
        1,
        """
from click.testing import CliRunner
from skmnist.cli._commands import skmnist
assert "  count " in CliRunner().invoke(skmnist, ["--help"]).stdout
from skmnist.cli import main
sys.argv[1:] = ["count"]
main()
""",
    ),
}
PRINTED = {
    "A named network": "one hidden layer of 32",
    "A command": "0: 178\n1: 182\n2: 177",
}


def run(script, folder):
    """Run a script with the package that lies in a folder."""
    environment = os.environ | {"PYTHONPATH": str(folder), "COLUMNS": "120"}
    script = f"import sys\nsys.path[0] = {str(folder)!r}\n{script}"
    return subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        encoding="utf-8",
        env=environment,
        cwd=folder,
    )


@pytest.fixture
def folder(tmp_path):
    """A folder with a copy of the package."""
    without = shutil.ignore_patterns("__pycache__")
    shutil.copytree(PACKAGE, tmp_path / "skmnist", ignore=without)
    return tmp_path


def test_all_examples_are_tried():
    assert [title for title, _ in SECTION.findall(GUIDE.read_text("utf-8"))] == list(
        EXAMPLES
    )


@pytest.mark.parametrize("title", EXAMPLES)
def test_an_example_works_and_touches_few_files(folder, title):
    n_files, script = EXAMPLES[title]
    example = dict(SECTION.findall(GUIDE.read_text("utf-8")))[title]
    changes = CHANGE.findall(example)
    assert example.count("```py\n") == len(changes)
    assert 1 <= len({name for name, _ in changes}) <= n_files
    for name, code in changes:
        with (folder / name).open("a", encoding="utf-8") as file:
            file.write(f"\n{code}" if file.tell() else code)
    done = run(script, folder)
    assert done.returncode == 0, done.stderr
    assert PRINTED.get(title, "") in done.stdout


@pytest.mark.parametrize("title", ["A named network", "A command"])
def test_nothing_of_an_example_is_there_without_it(folder, title):
    _, script = EXAMPLES[title]
    done = run(script, folder)
    assert done.returncode != 0 or PRINTED[title] not in done.stdout
