"""From a fitted model to the text of a page."""

import base64
import copy
import hashlib
import json
import logging
from dataclasses import dataclass
from importlib.resources import files
from os import PathLike
from pathlib import Path
from string import Template
from typing import Any

import numpy as np
from sklearn.base import clone

from skmnist._estimators import averaged
from skmnist._inference.network import TrainedNetwork
from skmnist._numbers import counted
from skmnist.datasets import load_digits
from skmnist.datasets._files import replacing
from skmnist.preprocessing import DigitNormalizer

from ._model import checked_parts, described, first_steps, image_size, pixel_range
from ._weights import BITS, rounded_weights

__all__ = ["Demo", "page_of", "write_demo"]

_logger = logging.getLogger(__package__)

_MAX_BYTES = 2_000_000
_N_DIGITS = 500  # that measure what rounding changes
_SCRIPTS = ("network.js", "steps.js", "explanation.js", "drawing.js", "page.js")


@dataclass(frozen=True)
class Demo:
    """A page that was written, and what its size cost.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    n_bytes : int
        Its size.
    bits : {32, 16, 8}
        Bits of a weight. Less than 32 are used only if the page would otherwise exceed
        2 MB.
    largest_change : float
        The largest change of a probability by the rounding of the weights, among all
        classes of 500 bundled digits; 0.0 with 32 bits.
    n_changed : int
        Number of these digits whose predicted label changes.
    """

    path: Path
    n_bytes: int
    bits: int
    largest_change: float
    n_changed: int


def write_demo(
    model: Any,
    path: str | PathLike,
    *,
    normalizer: DigitNormalizer | None = None,
) -> Demo:
    """Write a page on which anyone can draw and see what a network makes of it.

    The page is one HTML file with the network inside. It computes in the browser,
    loads nothing and sends nothing. It shows the probabilities while somebody draws,
    the image that the network gets, and which parts of it speak for the answer.

    Parameters
    ----------
    model : KerasMLPClassifier, KerasDNNClassifier, KerasCNNClassifier, \
            KerasImageClassifier, DeepEnsembleClassifier, BaggingClassifier, \
            VotingClassifier or Pipeline
        A fitted classifier with a network of :func:`~skmnist.networks.build_mlp` or
        :func:`~skmnist.networks.build_cnn`, or an ensemble of such classifiers which
        averages their probabilities, or a :class:`~sklearn.pipeline.Pipeline` that ends
        in one of these. Its other steps may be :class:`~skmnist.ImageScaler`,
        :class:`~skmnist.Deskewer` and :class:`~skmnist.DigitNormalizer`. The images
        must have one channel.
    path : str or path-like
        The file to write, usually named ``.html``. An existing file is replaced.
    normalizer : DigitNormalizer, default=None
        What brings a drawing to the size and position of the training images; its
        `output_shape` must be theirs. None means the DigitNormalizer of the Pipeline,
        or else one as for MNIST (for images of 8×8 pixels, one that fills the image, as
        the bundled digits do).

    Returns
    -------
    Demo
        The file, its size, and the change of probabilities if the weights had to be
        rounded.

    Raises
    ------
    sklearn.exceptions.NotFittedError
        If the model is not fitted.
    TypeError
        If a page cannot hold a part of the model: another step, another classifier, or
        a network from your own builder; or if `normalizer` is not a DigitNormalizer.
    ValueError
        If the network takes images with several channels, or rows that are not images,
        or if `normalizer` makes images of another size.
    FileNotFoundError
        If the folder does not exist.

    See Also
    --------
    skmnist.export.to_onnx : Convert a network to ONNX, for other programs.

    Notes
    -----
    The probabilities equal those of `predict_proba` for the same drawing to within
    1e-4, unless the weights are rounded.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.demo import write_demo
    >>> from skmnist.pipelines import make_model
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_model("mlp_512", units=64, epochs=3, random_state=0).fit(X, y)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     demo = write_demo(model, Path(folder) / "digits.html")
    >>> demo.bits, demo.n_bytes < 100_000
    (32, True)
    """
    transformers, classifier = checked_parts(model)
    n_weights = sum(network.n_parameters_ for network in averaged(classifier))
    for bits in BITS:
        description = described(transformers, classifier, normalizer, bits)
        page = page_of(description, n_weights).encode()
        if len(page) <= _MAX_BYTES:
            break
    largest_change, n_changed = 0.0, 0
    if bits < BITS[0]:
        largest_change, n_changed = _changes(transformers, classifier, normalizer, bits)
    path = Path(path)
    with replacing(path) as file:
        file.write(page)
    _logger.info("%s written to %s", type(model).__name__, path)
    return Demo(path, len(page), bits, largest_change, n_changed)


def page_of(model, n_weights):
    """Return the page of a described model."""
    folder = files(__package__) / "page"

    def read(name):
        return (folder / name).read_text(encoding="utf-8").strip()

    style, script = read("page.css"), "\n".join(map(read, _SCRIPTS))
    thing = "digit" if set(model["classes"]) <= set("0123456789") else "character"
    return Template(read("page.html")).substitute(
        # Nothing else runs, and nothing is fetched.
        policy=(
            f"default-src 'none'; img-src data:; style-src {_source(style)}; "
            f"script-src {_source(script)}; base-uri 'none'; form-action 'none'"
        ),
        style=style,
        script=script,
        title=f"Draw a {thing}",
        preparation=_preparation(model),
        weights=counted(n_weights, "weight"),
        # No label of a class can end the element.
        model=json.dumps(model, separators=(",", ":")).replace("<", "\\u003c"),
    )


def _preparation(model):
    """Say what happens to a drawing before the network."""
    height, width = model["size"]
    boxes = [step["box"] for step in model["steps"] if step["op"] == "normalize"]
    box_height, box_width = boxes[-1]
    text = (
        f"The drawing is scaled to fit into a box of {box_height}×{box_width} pixels, "
        f"and placed into an image of {height}×{width} pixels so that its centre of "
        "mass is in the middle."
    )
    if any(step["op"] == "deskew" for step in model["steps"]):
        text += (
            " Then it is deskewed: its rows are shifted sideways until the ink as a "
            "whole has no slant, which may slant strokes that were upright."
        )
    return text


def _source(text):
    """Allow one script or style sheet."""
    digest = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
    return f"'sha256-{digest}'"


def _changes(transformers, classifier, normalizer, bits):
    """Return the largest change of a probability by rounding, and of how many labels.

    It is measured on the bundled digits, which are made into images as drawings are.
    """
    networks = averaged(classifier)
    image_shape = image_size(transformers, networks[0])
    black, white = pixel_range(transformers, networks[0])
    X, _ = load_digits(return_X_y=True)
    X = X[:_N_DIGITS] / 255 * (white - black) + black
    # A normalizer of the Pipeline takes images of the size in fit, too.
    first = first_steps(transformers, normalizer, image_shape) or [
        DigitNormalizer(output_shape=image_shape)
    ]
    for step in first:
        X = np.asarray(clone(step).set_params(image_shape=(8, 8)).fit_transform(X))
    for step in transformers:
        X = step.transform(X)
    exact = np.mean([network.predict_proba(X) for network in networks], axis=0)
    rounded = np.mean([_rounded(n, bits).predict_proba(X) for n in networks], axis=0)
    n_changed = int((exact.argmax(axis=1) != rounded.argmax(axis=1)).sum())
    return float(np.abs(exact - rounded).max()), n_changed


def _rounded(classifier, bits):
    """Return a classifier whose weights are those that a page has."""
    twin = copy.copy(classifier)
    weights = [rounded_weights(array, bits) for array in classifier._network.weights]
    twin._network = TrainedNetwork(classifier._spec, weights)
    return twin
