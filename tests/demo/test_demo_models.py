"""Which models become a page to draw on, and what the files are like."""

import json
import re
import runpy
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from skmnist import (
    Deskewer,
    DigitExtractor,
    DigitNormalizer,
    HOGTransformer,
    ImageScaler,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._inference.activations import ACTIVATIONS
from skmnist.cli._commands import skmnist
from skmnist.datasets import load_digits
from skmnist.demo import _model, write_demo
from skmnist.demo._weights import rounded_weights
from skmnist.networks import _layers, build_mlp
from skmnist.persistence import save_model

from .conftest import made_up

DOCS = Path(__file__).parents[2] / "docs"
IMAGES = np.random.default_rng(0).integers(0, 256, (20, 8, 8)).astype(np.uint8)


class Inverter(ImageScaler):
    """A subclass of which a page would not know what it does."""

    def transform(self, X):
        return 1 - super().transform(X)


def piped(*steps, input_shape=(8, 8, 1)):
    """Put a network after transformers that are fitted on images."""
    network = made_up(input_shape, filters=2, units=())
    model = make_pipeline(*steps, network)
    images = IMAGES
    for step in steps:
        images = step.fit_transform(images)
    return model


def own_builder():
    classifier = made_up((64,), builder=build_mlp)
    classifier._network.spec.parameters["activation"] = np.tanh
    return classifier


class MLP(KerasMLPClassifier):
    def predict_proba(self, X):
        return super().predict_proba(X)[:, ::-1]


def own_classifier():
    classifier = made_up((64,), builder=build_mlp)
    classifier.__class__ = MLP
    return classifier


def searched():
    search = GridSearchCV(KerasMLPClassifier(), {"units": [1]})
    search.best_estimator_ = made_up((8, 8, 1), filters=2)
    return search


SUPPORTED = "A page can hold a network of build_mlp or build_cnn"


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: piped(HOGTransformer()), TypeError, f"{SUPPORTED}.*; got HOGTra"),
        (lambda: piped(Inverter()), TypeError, "; got Inverter"),
        (lambda: make_pipeline(PCA(), own_builder()), TypeError, "; got PCA"),
        (lambda: LogisticRegression(), TypeError, "; got LogisticRegression"),
        (lambda: make_pipeline(ImageScaler()), TypeError, "; got ImageScaler"),
        (lambda: own_classifier(), TypeError, "; got MLP"),
        (lambda: own_builder(), TypeError, "The activation <ufunc .tanh.> cannot be"),
        (lambda: searched(), TypeError, "got GridSearchCV. Give its best_estimator_"),
        (lambda: "digits", TypeError, "; got str"),
        (lambda: KerasMLPClassifier(), NotFittedError, "not fitted"),
        (
            lambda: made_up((8, 8, 3), filters=2),
            ValueError,
            "8×8 pixels with 3 channels; a page can be drawn on only for .* one",
        ),
        (lambda: made_up((63,), builder=build_mlp), ValueError, "rows of 63 pixels"),
        (lambda: made_up((1, 8, 1), padding="same"), ValueError, "1×8 pixels, .* 2×2"),
    ],
    ids=[
        "HOGTransformer",
        "transformer of a subclass",
        "PCA",
        "baseline",
        "no classifier",
        "classifier of a subclass",
        "own activation",
        "search",
        "no model",
        "not fitted",
        "colours",
        "rows",
        "one row",
    ],
)
def test_other_models_are_refused(make, error, message, tmp_path):
    with pytest.raises(error, match=message):
        write_demo(make(), tmp_path / "page.html")
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("model", "normalizer", "message"),
    [
        (piped(ImageScaler()), DigitNormalizer(), r"give output_shape=\(8, 8\)"),
        (
            piped(ImageScaler()),
            DigitNormalizer(output_shape=(8, 8), digit_size=0),
            "digit_size",
        ),
        (
            piped(DigitNormalizer(output_shape=(8, 8))),
            DigitNormalizer(output_shape=(8, 8)),
            "Pipeline has a DigitNormalizer",
        ),
    ],
    ids=["size", "parameter", "two"],
)
def test_unsuitable_normalizers_are_refused(model, normalizer, message, tmp_path):
    with pytest.raises(ValueError, match=message):
        write_demo(model, tmp_path / "page.html", normalizer=normalizer)
    assert [*tmp_path.iterdir()] == []


class Mirror(DigitNormalizer):
    def _place(self, images):
        return super()._place(images)[:, :, ::-1]


@pytest.mark.parametrize(
    "normalizer",
    [
        DigitExtractor(output_shape=(8, 8)),
        Mirror(output_shape=(8, 8)),
        DigitNormalizer,
        "x",
    ],
    ids=["DigitExtractor", "subclass", "class", "str"],
)
def test_what_a_page_would_not_do_is_no_normalizer(normalizer, tmp_path):
    with pytest.raises(TypeError, match=r"normalizer must be a DigitNormalizer.*; got"):
        write_demo(piped(ImageScaler()), tmp_path / "page.html", normalizer=normalizer)
    assert [*tmp_path.iterdir()] == []


@pytest.mark.parametrize(
    ("normalizer", "digit_size"),
    [
        (None, 1.0),
        (DigitNormalizer(output_shape=(8, 8), digit_size=0.5), 0.5),
        (DigitNormalizer(output_shape=(8, 8), image_shape=(280, 280)), 20 / 28),
    ],
    ids=["usual", "given", "given, for sheets"],
)
def test_rounding_is_measured_on_images_as_the_page_makes_them(
    normalizer, digit_size, tmp_path
):
    model, rounded = (made_up((64,), builder=build_mlp, units=8000) for _ in range(2))
    demo = write_demo(model, tmp_path / "page.html", normalizer=normalizer)
    assert demo.bits == 16
    own = DigitNormalizer(output_shape=(8, 8), digit_size=digit_size)
    images = own.fit_transform(load_digits().data[:500]) / 255
    weights = rounded._network.weights
    weights[:] = [rounded_weights(array, 16) for array in weights]
    change = np.abs(rounded.predict_proba(images) - model.predict_proba(images))
    assert demo.largest_change == pytest.approx(change.max(), rel=0.01)


def test_a_page_allows_only_what_is_in_it(tmp_path):
    write_demo(piped(ImageScaler()), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', text)
    rules = dict(rule.split(" ", 1) for rule in policy.split("; "))
    assert rules.pop("default-src") == rules.pop("base-uri") == "'none'"
    assert rules.pop("form-action") == "'none'"
    assert rules.pop("img-src") == "data:"
    for name in ("script-src", "style-src"):
        assert re.fullmatch(r"'sha256-[\w+/]+='", rules.pop(name))
    assert rules == {}
    assert re.findall(r"""(?:src|href|url)\s*[=(]\s*["']?([^"')>\s]+)""", text) == [
        "data:,"
    ]
    assert "http" not in text.replace("http-equiv", "")


@pytest.mark.parametrize("steps", [[], [Deskewer()]], ids=["plain", "deskewed"])
def test_a_page_says_what_happens_to_a_drawing(tmp_path, steps):
    write_demo(piped(*steps), tmp_path / "page.html")
    text = (tmp_path / "page.html").read_text(encoding="utf-8")
    assert "centre of mass is in the middle" in text
    assert ("Then it is deskewed" in text) == bool(steps)


def test_the_help_names_every_step_that_a_page_can_hold():
    words = CliRunner().invoke(skmnist, ["demo", "--help"]).output
    assert all(step.__name__ in words for step in _model._TRANSFORMERS)


def test_the_page_in_the_documentation_is_as_it_is_written_now():
    script = runpy.run_path(str(DOCS / "demo_picture.py"))
    page = script["PAGE"].read_text(encoding="utf-8")
    is_current = script["renewed"](page) == page  # not in the assert: it is long
    assert is_current, "run python docs/demo_picture.py --keep-network"


def test_the_script_has_every_layer_and_activation():
    script = (files("skmnist.demo") / "page/network.js").read_text(encoding="utf-8")
    layers = {*_layers.__all__} - {"Dropout"}
    missing = {
        name
        for name in layers | {*ACTIVATIONS}
        if not re.search(rf"^  {name}[:,(]", script, re.MULTILINE)
    }
    assert missing == set()


@pytest.mark.parametrize("bits", [32, 16, 8])
def test_rounded_weights_are_near(bits):
    rng = np.random.default_rng(0)
    kernel = rng.normal(size=(3, 3, 4, 5)).astype(np.float32)
    kernel[..., 2] *= 1000
    kernel[..., 3] = 0
    error = np.abs(rounded_weights(kernel, bits) - kernel).max(axis=(0, 1, 2))
    largest = np.abs(kernel).max(axis=(0, 1, 2))
    allowed = 0 if bits == 32 else 0.51 / (2 ** (bits - 1) - 1) * largest
    assert (error <= allowed).all()
    bias = rng.normal(size=5).astype(np.float32)
    assert np.array_equal(rounded_weights(bias, bits), bias)


@pytest.fixture
def run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    save_model(piped(ImageScaler()), "small.joblib")
    save_model(made_up((800,), builder=build_mlp), "rows.joblib")
    return lambda *words: CliRunner().invoke(skmnist, ["demo", *words])


def test_the_command_writes_a_page(run, tmp_path):
    result = run("small.joblib", "--out", "page.html")
    assert (result.exit_code, result.stdout) == (0, "page.html\n"), result.output
    assert result.stderr == ""
    write_demo(piped(ImageScaler()), tmp_path / "other.html")
    assert (tmp_path / "page.html").read_bytes() == (
        tmp_path / "other.html"
    ).read_bytes()


def test_the_command_says_what_the_page_costs(run, tmp_path):
    large = made_up((28, 28, 1), filters=64, units=(64,))
    save_model(large, "large.joblib")
    result = run("large.joblib", "--out", "page.html", "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    n_bytes = (tmp_path / "page.html").stat().st_size
    assert document.pop("n_bytes") == n_bytes < 2_000_000
    assert 0 < document.pop("largest_change") < 0.05
    assert document.pop("n_changed") < 100
    assert document == {"file": "page.html", "bits": 16}
    (line,) = result.stderr.splitlines()
    assert line.startswith("The page has 1.")
    assert "with weights of 16 bits" in line


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["small.joblib", "--out", "page.png"], "must end in .html or .htm"),
        (["small.joblib", "--out", "old.html"], "--force"),
        (["small.joblib", "--out", "no/page.html"], "no folder no"),
        (["missing.joblib", "--out", "page.html"], "missing.joblib"),
        (["rows.joblib", "--out", "page.html"], "rows.joblib: The network takes rows"),
    ],
    ids=["ending", "existing", "folder", "missing", "model"],
)
def test_the_command_refuses_bad_input(words, message, run, tmp_path):
    (tmp_path / "old.html").write_text("old")
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    assert message in line
    assert not (tmp_path / "page.html").exists()
    assert (tmp_path / "old.html").read_text() == "old"


def test_pages_need_only_the_packages_of_the_core():
    script = (
        "import sys\n"
        "from skmnist.demo import write_demo\n"
        "optional = {'jinja2', 'matplotlib', 'skl2onnx', 'tensorflow', 'keras'}\n"
        "assert not optional & set(sys.modules), optional & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", script], check=True)


def test_classifiers_of_own_builders_are_refused_by_their_builder(tmp_path):
    classifier = made_up((64,), builder=build_mlp)
    assert isinstance(classifier, KerasImageClassifier)
    write_demo(classifier, tmp_path / "page.html")
    classifier._network.description = "of Keras"
    with pytest.raises(TypeError, match="the builder of this one"):
        write_demo(classifier, tmp_path / "other.html")
