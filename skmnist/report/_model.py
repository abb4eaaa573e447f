"""Sections that look at a model and at images: mistakes, weights, feature maps."""

import logging

import numpy as np

from skmnist._estimators import last_step
from skmnist._numbers import confidence_text, counted
from skmnist.plotting import (
    DenseWeightsDisplay,
    FeatureMapsDisplay,
    FiltersDisplay,
    NetworkDiagram,
    OcclusionSaliencyDisplay,
)

from ._content import Figure, Gallery, Section, Text
from ._drawings import draw, inline_svg, picture, sketch
from ._histories import history_section
from ._subject import EvaluatedSubject
from ._words import printable

__all__ = ["looked_at", "model_sections", "recognition_section"]

_logger = logging.getLogger(__package__)

_N_WRONG = 24
_N_RIGHT = 12
_WIDTH = 5.2  # inches, of pictures of layers
_TITLE = 0.3


def recognition_section(subject):
    """Show the most confident mistakes, and the least confident correct predictions."""
    recognition = subject.recognition
    title = "Misclassified and correct"
    if not subject.has_pictures:
        words = "The rows are not images of a known shape, so they are not shown."
        return Section(title, (Text(words),))
    sure = recognition.confidence is not None
    wrong = _gallery(
        subject,
        recognition.wrong[:_N_WRONG],
        "Misclassified",
        f"{', the most confident first' if sure else ''}. Below each are its true "
        f"label, the predicted label{', and the confidence' if sure else ''}.",
        len(recognition.wrong),
    )
    right = _gallery(
        subject,
        recognition.right[:_N_RIGHT],
        "Correct",
        f"{', the least confident first' if sure else ''}.",
        len(recognition.right),
    )
    return Section(title, (wrong, right))


def _gallery(subject, rows, what, explanation, n):
    """Make a gallery of some of n images that are what is said of them."""
    recognition = subject.recognition
    caption = f"{what}: {n:,} of {counted(len(recognition.y_true), 'image')}"
    if not n:
        return Text(f"{caption}.")
    if len(rows) < n:
        caption += f", {len(rows):,} shown"
    pictures = []
    for row, image in zip(rows, subject.images(rows), strict=True):
        true, predicted = _labels(recognition, row)
        labels = f"{true}" if true == predicted else f"{true} → {predicted}"
        alt = f"Image {row}: {true}"
        alt += ", correct" if true == predicted else f", classified as {predicted}"
        lines = [labels]
        if recognition.confidence is not None:
            lines.append(confidence_text(recognition.confidence[row]))
            alt += f", confidence {lines[-1]}"
        pictures.append(picture(image, alt, *lines))
    return Gallery(tuple(pictures), f"{caption}{explanation}")


def _labels(recognition, row):
    """Return true and predicted label of an image as texts."""
    pair = recognition.y_true[row], recognition.y_pred[row]
    return [printable(str(label)) for label in pair]


def model_sections(subject, *, history=True):
    """Look into a model, as far as that is possible.

    Sections with learning curves, if `history` is true, and with the diagram, the
    saliency of a mistake, weights and feature maps.
    """
    sections = looked_at(_history, subject) if history else []
    # In this order they fill two columns of a wide page evenly.
    looks = [_diagram]
    if subject.has_pictures:
        looks += [_saliency, _weights, _feature_maps]
    blocks = [block for look in looks for block in looked_at(look, subject)]
    if not blocks:
        return sections
    return [*sections, Section("Inside the model", tuple(blocks))]


def looked_at(look, subject):
    """Return the sections or blocks that a function lists for a subject.

    For an `EvaluatedSubject`, one that fails leaves the others in the report.
    """
    if not isinstance(subject, EvaluatedSubject):
        return look(subject)
    try:
        parts = look(subject)
        for part in parts:
            for block in getattr(part, "blocks", [part]):
                if isinstance(block, Figure):
                    _ = block.svg  # drawn here, where an error can be told apart
    except Exception:
        _logger.warning("A picture is missing in the report", exc_info=True)
        return []
    return parts


def _history(subject):
    return history_section(_shown(lambda: model_history(subject.model)))


def model_history(model):
    """Return the learning curves that a fitted model keeps, or None."""
    return getattr(last_step(model), "history_", None)


def _shown(make):
    """Return what a display makes, or None where it says that it does not apply."""
    try:
        return make()
    except (TypeError, ValueError) as error:
        _logger.debug("A picture does not apply: %s", error)
        return None


def _example_words(subject):
    """Say which image is looked at closely, so that it is found in the galleries."""
    true, predicted = _labels(subject.recognition, subject.example)
    if true == predicted:
        return f"the first of the correctly classified images, {true}"
    return f"the first of the misclassified images, {true} classified as {predicted}"


def _saliency(subject):
    recognition, row = subject.recognition, subject.example
    predicted = _labels(recognition, row)[1]

    def plot(ax):
        return OcclusionSaliencyDisplay.from_estimator(
            subject.model,
            subject.X,
            row=row,
            image_shape=recognition.image_shape,
            ax=ax,
        )

    display = _shown(lambda: sketch(plot))
    if display is None:
        return []
    display.label = display.predicted = predicted
    which = _example_words(subject)
    top = np.unravel_index(np.nanargmax(display.saliency), display.saliency.shape)
    return [
        draw(
            display.plot,
            (5.4, 2.7),
            caption=f"Evidence for the prediction of {which}. Covering red parts "
            "lowers the confidence, covering blue parts raises it (occlusion, Zeiler "
            "and Fergus 2014).",
            alt=f"Saliency of {which}: row {top[0] + 1}, column {top[1] + 1} of the "
            f"image is the strongest evidence for {predicted}.",
        )
    ]


def _weights(subject):
    def plot(ax):
        return DenseWeightsDisplay.from_estimator(
            subject.model, n_units=16, image_shape=subject.image_shape, ax=ax
        )

    dense = _shown(lambda: sketch(plot))
    if dense is not None:
        dense.names = printable(dense.names)
        n = len(dense.weights)
        n_columns = 4 if n <= 16 else 6
        n_rows = -(-n // n_columns)
        return [
            draw(
                lambda ax: dense.plot(ax, n_columns=n_columns),
                (0.95 * n_columns + 0.9, 1.1 * n_rows + 0.1),
                caption="What the first layer learned: ink on red increases the "
                "activation of a unit, ink on blue decreases it. The units with the "
                "largest weights come first."
                if dense.names and dense.names[0].startswith("unit ")
                else "Evidence for each label: ink on red, and no ink on blue.",
                alt=f"Weights from the pixels to {n} units as pictures: "
                f"{', '.join(dense.names)}.",
            )
        ]

    filters = _shown(
        lambda: sketch(lambda ax: FiltersDisplay.from_estimator(subject.model, ax=ax))
    )
    if filters is None:
        return []
    layers = ", ".join(
        f"{name} ({array.shape[3]} of {array.shape[0]}×{array.shape[1]})"
        for name, array in filters.filters.items()
    )
    return [
        draw(
            filters.plot,
            _mosaic_size(filters.mosaics_.values()),
            caption="The filters of each convolution: red for positive weights, blue "
            "for negative ones. In layers with several input channels, each column "
            "is a filter and each row one of its channels.",
            alt=f"Filters of the convolutions as pictures: {layers}.",
        )
    ]


def _feature_maps(subject):
    row, which = subject.example, _example_words(subject)

    def plot(ax):
        return FeatureMapsDisplay.from_estimator(
            subject.model,
            subject.X,
            row=row,
            image_shape=subject.recognition.image_shape,
            ax=ax,
        )

    maps = _shown(lambda: sketch(plot))
    if maps is None:
        return []
    layers = ", ".join(
        f"{name} ({array.shape[2]} of {array.shape[0]}×{array.shape[1]})"
        for name, array in maps.feature_maps.items()
    )
    return [
        draw(
            maps.plot,
            _mosaic_size([maps.image, *maps.mosaics_.values()], first=0.8),
            caption=f"Feature maps of each layer for {which}, bright where the layer "
            "responds.",
            alt=f"Feature maps of {which}, after each layer: {layers}.",
        )
    ]


def _mosaic_size(pictures, first=None):
    """Return the size of a figure in which pictures stand one below the other."""
    heights = [
        float(np.clip(_WIDTH * p.shape[0] / p.shape[1], 0.25, 2.7)) for p in pictures
    ]
    if first is not None:
        heights[0] = first
    return _WIDTH, sum(heights) + _TITLE * len(heights)


def _diagram(subject):
    diagram = _shown(lambda: NetworkDiagram.from_estimator(subject.model))
    if diagram is None:
        return []
    layers = "; ".join(layer.summary for layer in diagram.layers)
    svg = inline_svg(
        diagram.to_svg(),
        f"Diagram of the network: {layers}; {diagram.n_parameters:,} parameters.",
    )
    return [
        Figure(
            lambda: svg,
            "The layers from the image to the probabilities, with output shapes and "
            "numbers of parameters.",
            float(svg.partition('viewBox="0 0 ')[2].split()[0]),
        )
    ]
