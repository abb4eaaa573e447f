"""The display of digits found in a picture."""

import numpy as np
import pandas as pd
import pytest
from sklearn.neighbors import KNeighborsClassifier

from skmnist import DigitExtractor
from skmnist.datasets import load_digits
from skmnist.plotting import ExtractedDigitsDisplay

DIGITS = load_digits()
ROW = np.hstack([np.pad(image, 3) for image in DIGITS.images[21:24]])
PICTURE = 255 - np.kron(ROW, np.ones((4, 4))).astype(np.uint8)
EXTRACTOR = DigitExtractor(output_shape=(8, 8), digit_size=1.0)


@pytest.fixture(scope="module")
def model():
    return KNeighborsClassifier(3).fit(DIGITS.data[100:], DIGITS.target[100:])


def test_picture_boxes_and_images_are_shown(model):
    display = ExtractedDigitsDisplay.from_estimator(model, PICTURE, extractor=EXTRACTOR)
    assert display.lines == ["123"]
    np.testing.assert_array_equal(display.ax_.images[0].get_array(), PICTURE)
    for patch, box in zip(display.boxes_, display.digits.boxes, strict=True):
        top, left, bottom, right = box
        np.testing.assert_allclose(patch.get_xy(), (left - 0.5, top - 0.5))
        assert (patch.get_width(), patch.get_height()) == (right - left, bottom - top)
    captions = [ax.get_title() for ax in display.axes_]
    assert [caption.split("\n")[0] for caption in captions] == ["1", "2", "3"]
    assert all(caption.endswith("%") for caption in captions)
    shown = [ax.images[0].get_array() for ax in display.axes_]
    np.testing.assert_allclose(shown, display.digits.images / 255)
    assert [text.get_text() for text in display.ax_.texts] == ["1", "2", "3"]


def test_digits_are_shown_without_labels():
    digits = EXTRACTOR.extract(PICTURE)
    display = ExtractedDigitsDisplay.from_predictions(PICTURE, digits)
    assert display.lines == []
    assert [ax.get_title() for ax in display.axes_] == [""] * 3
    assert not display.ax_.texts


def test_a_picture_without_digits_says_so(model):
    blank = np.full((40, 50, 3), 220, np.uint8)
    display = ExtractedDigitsDisplay.from_estimator(model, blank)
    assert display.ax_.get_title() == "No digit was found"
    assert len(display.axes_) == 0


def test_the_display_can_be_drawn_on_given_axes():
    from matplotlib.figure import Figure

    axes = Figure().subplots(2)
    digits = EXTRACTOR.extract(PICTURE)
    display = ExtractedDigitsDisplay.from_predictions(PICTURE, digits, ax=axes)
    assert display.ax_ is axes[0]
    assert display.figure_ is axes[0].figure
    single = Figure().subplots()
    display.plot(single)
    assert display.figure_ is single.figure


@pytest.mark.parametrize(
    "labels",
    [
        pd.Series([1, 2, 3], index=[7, 8, 9]),
        np.array([[1], [2], [3]]),
        ["1", "2", "3"],
    ],
    ids=["Series", "column", "list"],
)
def test_labels_come_in_many_forms(labels):
    digits = EXTRACTOR.extract(PICTURE)
    shown = [
        ExtractedDigitsDisplay.from_predictions(PICTURE, digits, labels),
        ExtractedDigitsDisplay(PICTURE.tolist(), digits, labels=labels).plot(),
    ]
    for display in shown:
        assert display.lines == ["123"]
        assert [ax.get_title() for ax in display.axes_] == ["1", "2", "3"]
        assert [text.get_text() for text in display.ax_.texts] == ["1", "2", "3"]


def coloured(alpha=None):
    colours = np.stack([PICTURE, PICTURE // 2, PICTURE // 3], axis=2)
    if alpha is None:
        return colours
    return np.dstack([colours, np.full_like(PICTURE, alpha)])


PICTURES = {
    "grey": (PICTURE, PICTURE),
    "grey with opacity": (
        np.dstack([PICTURE, np.full_like(PICTURE, 255)]),
        np.dstack([PICTURE] * 3 + [np.full_like(PICTURE, 255)]),
    ),
    "one channel": (PICTURE[..., None], PICTURE),
    "RGBA": (coloured(200), coloured(200)),
    "uint16": (coloured().astype(np.uint16) * 257, coloured() / 255),
    "fractions": (coloured() / 255, coloured() / 255),
    "floats to 255": (coloured().astype(float), coloured() / 255),
    "integers": (coloured().astype(int), coloured() / 255),
    "wide floats": (coloured() * 4.0 - 510, coloured() / 255),
}


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_that_digits_are_found_in_is_shown(name):
    picture, expected = PICTURES[name]
    assert {0, 255} <= {*np.unique(PICTURE)}
    digits = EXTRACTOR.extract(picture)
    assert len(digits) == 3
    display = ExtractedDigitsDisplay.from_predictions(picture, digits)
    display.figure_.draw_without_rendering()
    shown = display.ax_.images[0].get_array()
    np.testing.assert_allclose(shown, expected, atol=1e-6)


@pytest.mark.parametrize("confidence", [[7, -3, 1], [0.5, np.nan, 1]])
def test_confidences_that_are_no_probabilities_are_refused(confidence):
    digits = EXTRACTOR.extract(PICTURE)
    with pytest.raises(ValueError, match="confidence must hold probabilities"):
        ExtractedDigitsDisplay.from_predictions(PICTURE, digits, confidence=confidence)


@pytest.mark.parametrize("name", ["labels", "confidence"])
def test_values_of_other_digits_are_refused(name):
    digits = EXTRACTOR.extract(PICTURE)
    with pytest.raises(
        ValueError, match=f"{name} must have one value for each of the 3"
    ):
        ExtractedDigitsDisplay.from_predictions(PICTURE, digits, **{name: [1.0]})
