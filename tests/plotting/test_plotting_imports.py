import inspect
import subprocess
import sys

import pytest

from skmnist import plotting
from skmnist.plotting import LabelHistogramDisplay, NetworkDiagram


def test_importing_the_displays_loads_neither_matplotlib_nor_keras():
    script = (
        "import skmnist.plotting, sys; "
        "print(sorted({'matplotlib', 'keras', 'tensorflow'} & set(sys.modules)))"
    )
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout.strip() == "[]"


def test_without_matplotlib_the_error_says_who_needs_it_and_how_to_get_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib.pyplot", None)
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(ImportError) as caught:
        LabelHistogramDisplay.from_labels([1, 2])
    assert "LabelHistogramDisplay.plot" in str(caught.value)
    assert 'pip install "skmnist[plot]"' in str(caught.value)


def test_diagrams_do_without_matplotlib(monkeypatch, mlp):
    for name in [name for name in sys.modules if name.startswith("matplotlib")]:
        monkeypatch.setitem(sys.modules, name, None)
    assert NetworkDiagram.from_estimator(mlp).to_svg().startswith("<svg")


@pytest.mark.parametrize("name", [n for n in plotting.__all__ if n.endswith("Display")])
def test_displays_follow_the_pattern_of_scikit_learn(name):
    display = getattr(plotting, name)
    makers = [
        maker
        for maker_name, maker in inspect.getmembers(display, inspect.ismethod)
        if maker_name.startswith("from_")
    ]
    assert makers
    assert list(inspect.signature(display.plot).parameters)[:2] == ["self", "ax"]
    assert inspect.signature(display.plot).parameters["ax"].default is None
