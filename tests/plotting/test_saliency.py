import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.exceptions import NotFittedError
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import SVC, LinearSVC

from skmnist.plotting import OcclusionSaliencyDisplay


class OnePixel(ClassifierMixin, BaseEstimator):
    """Probability of "ink" is the value of one pixel of 5×6 images."""

    def __init__(self, row=2, column=3):
        self.row = row
        self.column = column

    def fit(self, X, y):
        self.classes_ = np.array(["ink", "paper"])
        return self

    def predict_proba(self, X):
        self.seen_ = X
        ink = np.asarray(X).reshape(len(X), -1)[:, self.row * 6 + self.column]
        return np.column_stack([ink, 1 - ink])

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmax(axis=1)]


IMAGES = np.full((2, 30), 0.75)


def explain(model, X=IMAGES, **params):
    return OcclusionSaliencyDisplay.from_estimator(
        model, X, **{"image_shape": (5, 6), **params}
    )


def expected(patch_size, fall):
    """Mean drop of the patches over each pixel, when one pixel decides."""
    total, covers = np.zeros((5, 6)), np.zeros((5, 6))
    for top in range(5 - patch_size + 1):
        for left in range(6 - patch_size + 1):
            patch = np.s_[top : top + patch_size, left : left + patch_size]
            covers[patch] += 1
            inside = top <= 2 < top + patch_size and left <= 3 < left + patch_size
            total[patch] += fall * inside
    return total / covers


@pytest.mark.parametrize("patch_size", [1, 2, 3])
def test_only_what_covers_the_deciding_pixel_counts(patch_size):
    display = explain(OnePixel().fit(None, None), patch_size=patch_size)
    assert display.label == "ink"
    assert display.response == 0.75
    np.testing.assert_allclose(display.saliency, expected(patch_size, 0.75), atol=1e-12)


def test_the_other_label_falls_the_other_way():
    model = OnePixel().fit(None, None)
    display = explain(model, label="paper", patch_size=2)
    np.testing.assert_allclose(display.saliency, expected(2, -0.75), atol=1e-12)
    assert display.response == 0.25


def test_fill_is_what_covered_pixels_become():
    model = OnePixel().fit(None, None)
    display = explain(model, patch_size=1, fill=0.5)
    np.testing.assert_allclose(display.saliency, expected(1, 0.25), atol=1e-12)


def test_a_fraction_covers_bytes_too():
    model = OnePixel().fit(None, None)
    display = explain(model, X=np.ones((1, 30), np.uint8), patch_size=1, fill=0.5)
    assert display.saliency[2, 3] == 0.5
    explain(model, X=np.ones((1, 30), np.uint8))
    assert model.seen_.dtype == np.uint8


def test_long_strides_reach_every_edge_and_leave_gaps_open():
    display = explain(OnePixel().fit(None, None), patch_size=1, stride=3)
    known = ~np.isnan(display.saliency)
    assert np.flatnonzero(known.any(axis=1)).tolist() == [0, 3, 4]
    assert np.flatnonzero(known.any(axis=0)).tolist() == [0, 3, 5]


@pytest.mark.parametrize("layout", ["channels last", "channels first", "flat"])
def test_a_patch_covers_all_channels_in_every_layout(layout):
    images = np.random.default_rng(0).random((3, 5, 6, 3))

    class Corner(OnePixel):
        """Probability is the mean of the colours of the first pixel."""

        def predict_proba(self, X):
            first = {
                "channels last": lambda: X[:, 0, 0],
                "channels first": lambda: X[:, :, 0, 0],
                "flat": lambda: X[:, :3],
            }[layout]()
            ink = first.mean(axis=1)
            return np.column_stack([ink, 1 - ink])

    X = images
    if layout == "channels first":
        X = np.moveaxis(images, -1, 1)
    elif layout == "flat":
        X = images.reshape(3, -1)
    display = explain(
        Corner().fit(None, None),
        X,
        row=1,
        label="ink",
        image_shape=(5, 6, 3),
        patch_size=1,
    )
    fall = np.zeros((5, 6))
    fall[0, 0] = images[1, 0, 0].mean()
    np.testing.assert_allclose(display.saliency, fall, atol=1e-12)


def test_data_frames_keep_their_column_names():
    model = OnePixel().fit(None, None)
    frame = pd.DataFrame(IMAGES, columns=[f"p{i}" for i in range(30)])
    display = explain(model, frame, patch_size=1)
    np.testing.assert_allclose(display.saliency, expected(1, 0.75), atol=1e-12)
    assert model.seen_.columns.tolist() == frame.columns.tolist()


def test_lists_of_rows():
    display = explain(OnePixel().fit(None, None), IMAGES.tolist(), patch_size=1)
    np.testing.assert_allclose(display.saliency, expected(1, 0.75), atol=1e-12)


def test_network_in_a_pipeline_stays_as_it_is(digits, cnn, left_alone):
    X, _ = digits
    before = X.copy()
    with left_alone(cnn[-1].model_):
        display = OcclusionSaliencyDisplay.from_estimator(cnn, X, row=5, patch_size=8)
    np.testing.assert_array_equal(X, before)
    # One patch covers everything: the fall is that to the probability of paper.
    label = cnn.predict(X[[5]])[0]
    column = list(cnn.classes_).index(label)
    whole, paper = cnn.predict_proba(np.stack([X[5], 0 * X[5]]))[:, column]
    np.testing.assert_allclose(display.saliency, whole - paper, atol=1e-6)
    assert display.label == label
    assert display.images_[0].get_array().shape == (8, 8)


def test_decision_values_where_there_are_no_probabilities(digits):
    X, y = digits
    model = LinearSVC().fit(X / 255, y)
    display = OcclusionSaliencyDisplay.from_estimator(
        model, X / 255, row=0, patch_size=1
    )
    label = model.predict(X[[0]] / 255)[0]
    contributions = model.coef_[label] * X[0] / 255
    np.testing.assert_allclose(display.saliency.ravel(), contributions, atol=1e-9)
    assert display.response_name == "decision value"


def test_decision_values_of_two_classes(digits):
    X, y = digits
    model = LinearSVC().fit(X[y < 2] / 255, y[y < 2])
    for label, sign in ((1, 1), (0, -1)):
        display = OcclusionSaliencyDisplay.from_estimator(
            model, X[y < 2] / 255, row=1, label=label, patch_size=1
        )
        contributions = sign * model.coef_[0] * X[1] / 255
        np.testing.assert_allclose(display.saliency.ravel(), contributions, atol=1e-9)


def test_drawn_are_the_image_and_the_saliency_about_zero():
    X = np.linspace(0, 0.9, 60).reshape(2, 30)
    X[:, 15] = 0.75  # the pixel that decides
    display = explain(OnePixel().fit(None, None), X, patch_size=1)
    image, saliency = display.images_
    expected = X[0].reshape(5, 6) / 0.9
    np.testing.assert_allclose(image.get_array(), expected, atol=1e-6)
    np.testing.assert_allclose(saliency.get_array(), display.saliency)
    assert saliency.get_clim() == (-0.75, 0.75)
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles == ["ink: 75.0 %", "evidence for ink"]


def test_title_says_what_was_predicted_in_place_of_the_label():
    display = explain(OnePixel().fit(None, None), label="paper")
    assert display.predicted == "ink"
    titles = [ax.get_title(loc="left") for ax in display.axes_]
    assert titles == ["paper: 25.0 % (predicted: ink)", "evidence for paper"]


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"label": "stone"}, ValueError, "'ink', 'paper'"),
        ({"row": 2}, ValueError, "row must be from 0 to 1.*got 2\\."),
        ({"patch_size": 6}, ValueError, "patch_size.*1 to 5"),
        ({"patch_size": 0}, ValueError, "patch_size"),
        ({"stride": 0}, ValueError, "stride"),
        ({"fill": "grey"}, ValueError, "fill"),
        ({"response_method": "predict"}, ValueError, "response_method"),
        ({"response_method": "decision_function"}, TypeError, "OnePixel is none"),
    ],
)
def test_refuses_what_makes_no_sense(params, error, message):
    with pytest.raises(error, match=message):
        explain(OnePixel().fit(None, None), **params)
    assert plt.get_fignums() == []


def test_refuses_classifiers_that_cannot_be_asked(digits):
    X, y = digits
    with pytest.raises(NotFittedError):
        OcclusionSaliencyDisplay.from_estimator(GaussianNB(), X)
    few = y < 4
    model = SVC(decision_function_shape="ovo").fit(X[few], y[few])
    with pytest.raises(TypeError, match="6 values for 4 classes"):
        OcclusionSaliencyDisplay.from_estimator(model, X)
