import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from skmnist.plotting import RecognitionDisplay

X = np.arange(6 * 4).reshape(6, 4) / 23
Y_TRUE = np.array([0, 1, 2, 0, 1, 2])
Y_PRED = np.array([0, 2, 1, 1, 1, 2])
CONFIDENCE = np.array([0.9, 0.6, 0.8, 0.8, 0.5, 0.99999])


def titles(axes):
    return [ax.get_title() for ax in axes]


def headings(display):
    return [
        text.get_text().replace("\n", " ")
        for ax in display.figure_.axes
        for text in ax.texts
    ]


def test_most_confident_mistakes_come_first():
    display = RecognitionDisplay.from_predictions(
        X, Y_TRUE, Y_PRED, confidence=CONFIDENCE
    )
    assert display.shown_["wrong"].tolist() == [2, 3, 1]
    assert titles(display.axes_["wrong"]) == [
        "2 → 1\n80.0 %",
        "0 → 1\n80.0 %",
        "1 → 2\n60.0 %",
    ]


def test_least_confident_right_answers_come_first():
    display = RecognitionDisplay.from_predictions(
        X, Y_TRUE, Y_PRED, confidence=CONFIDENCE
    )
    assert display.shown_["right"].tolist() == [4, 0, 5]
    assert titles(display.axes_["right"]) == ["1\n50.0 %", "0\n90.0 %", "2\n> 99.9 %"]


def test_each_caption_stands_above_its_own_image():
    display = RecognitionDisplay.from_predictions(
        X, Y_TRUE, Y_PRED, confidence=CONFIDENCE
    )
    for kind in ("wrong", "right"):
        for row, ax in zip(display.shown_[kind], display.axes_[kind], strict=True):
            np.testing.assert_allclose(
                ax.images[0].get_array(), X[row].reshape(2, 2), atol=1e-6
            )


@pytest.mark.parametrize(
    ("confidence", "text"),
    [
        (1.0, "> 99.9 %"),
        (0.9995, "> 99.9 %"),
        (0.9994, "99.9 %"),
        (0.0005, "0.1 %"),
        (0.0004, "< 0.1 %"),
        (0.0, "< 0.1 %"),
    ],
)
def test_no_confidence_is_rounded_to_certainty(confidence, text):
    display = RecognitionDisplay.from_predictions(
        X[:1], [0], [0], confidence=[confidence], kind="right"
    )
    assert titles(display.axes_["right"]) == [f"0\n{text}"]


def test_headings_count_all_not_only_those_shown():
    display = RecognitionDisplay.from_predictions(
        X, Y_TRUE, Y_PRED, confidence=CONFIDENCE, n_images=1
    )
    assert headings(display) == [
        "Misclassified (true → predicted): 3 of 6 images, 1 shown, most confident "
        "first",
        "Correct: 3 of 6 images, 1 shown, least confident first",
    ]
    assert len(display.axes_["wrong"]) == len(display.axes_["right"]) == 1


def test_without_confidence_images_stay_in_order():
    display = RecognitionDisplay.from_predictions(X, Y_TRUE, Y_PRED, kind="wrong")
    assert display.shown_["wrong"].tolist() == [1, 2, 3]
    assert titles(display.axes_["wrong"]) == ["1 → 2", "2 → 1", "0 → 1"]
    assert list(display.axes_) == ["wrong"]
    assert headings(display) == ["Misclassified (true → predicted): 3 of 6 images"]


def test_nothing_wrong_leaves_an_empty_gallery():
    display = RecognitionDisplay.from_predictions(X, Y_TRUE, Y_TRUE)
    assert len(display.axes_["wrong"]) == 0
    assert headings(display)[0].endswith("0 of 6 images")
    assert display.shown_["right"].tolist() == list(range(6))
    # And no room for it: the headings follow each other.
    display.figure_.canvas.draw()
    first, second = (t for ax in display.figure_.axes for t in ax.texts)
    gap = first.get_window_extent().y0 - second.get_window_extent().y1
    assert gap < display.axes_["right"][0].get_window_extent().height / 2


def test_network_in_a_pipeline(digits, mlp):
    X, y = digits
    display = RecognitionDisplay.from_estimator(mlp, X, y, n_images=5)
    predicted, probabilities = mlp.predict(X), mlp.predict_proba(X)
    wrong = np.flatnonzero(predicted != y)
    expected = wrong[np.argsort(-probabilities[wrong].max(axis=1), kind="stable")]
    assert display.wrong.tolist() == expected.tolist()
    np.testing.assert_allclose(display.confidence, probabilities.max(axis=1))


class Contrary(KNeighborsClassifier):
    """Predicts the least probable class, with labels of its own."""

    def predict(self, X):
        return self.classes_[self.predict_proba(X).argmin(axis=1)]


def test_confidence_is_that_of_the_predicted_label(digits):
    X, y = digits
    names = np.array(["zero", "one", "two", "three", "four"] * 2)[y]
    model = Contrary(3).fit(X, names)
    display = RecognitionDisplay.from_estimator(model, X[:20], names[:20])
    expected = model.predict_proba(X[:20]).min(axis=1)
    np.testing.assert_allclose(display.confidence, expected)


def test_classifier_without_probabilities(digits):
    X, y = digits
    model = LinearSVC().fit(X / 255, y)
    display = RecognitionDisplay.from_estimator(model, X / 255, y)
    assert display.confidence is None
    assert len(display.wrong) == int((model.predict(X / 255) != y).sum())


def test_data_frames_and_images_that_are_no_squares():
    frame = pd.DataFrame(np.tile(X, 2))
    display = RecognitionDisplay.from_predictions(
        frame, Y_TRUE, Y_PRED, image_shape=(2, 4), kind="right"
    )
    assert display.axes_["right"][0].images[0].get_array().shape == (2, 4)


def test_the_classifier_tells_the_shape_of_its_images(digits, cnn):
    X = np.repeat(digits[0], 2, axis=1).reshape(-1, 8, 16)
    model = type(cnn)([("scale", type(cnn[0])(image_shape=(8, 16)))])
    model.steps.append(("clf", KNeighborsClassifier(1)))
    flat = X.reshape(len(X), -1)
    model.fit(flat, digits[1])
    display = RecognitionDisplay.from_estimator(model, flat, digits[1], kind="right")
    np.testing.assert_allclose(
        display.axes_["right"][0].images[0].get_array(),
        X[display.shown_["right"][0]] / 255,
        atol=1e-6,
    )


def test_data_stay_as_they_are(digits, mlp, left_alone):
    X, y = digits
    before = X.copy()
    with left_alone(mlp[-1].model_):
        RecognitionDisplay.from_estimator(mlp, X, y)
    np.testing.assert_array_equal(X, before)


def test_given_axes():
    figure, axes = plt.subplots(2, 1)
    display = RecognitionDisplay.from_predictions(X, Y_TRUE, Y_PRED, ax=axes)
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
@pytest.mark.parametrize("confidence", [None, np.tile(CONFIDENCE, 4)])
def test_texts_inside_one_axes_keep_clear_of_each_other_and_the_images(
    layout, confidence
):
    figure, (_, ax) = plt.subplots(1, 2, figsize=(10, 4), layout=layout)
    display = RecognitionDisplay.from_predictions(
        np.tile(X, (4, 1)),
        np.tile(Y_TRUE, 4),
        np.tile(Y_PRED, 4),
        confidence=confidence,
        ax=ax,
    )
    figure.canvas.draw()
    tiles = np.concatenate(list(display.axes_.values()))
    texts = [text for ax in figure.axes for text in ax.texts]
    texts += [tile.title for tile in tiles]
    boxes = [text.get_window_extent().padded(-1) for text in texts]
    images = [tile.get_window_extent() for tile in tiles]
    assert len(images) == 24
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[:i] + images)
        assert figure.bbox.containsx(box.x0)
        assert figure.bbox.containsx(box.x1)
    assert min(image.height for image in images) > 0.2 * figure.dpi


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"confidence": [0.5] * 5}, "inconsistent"),
        ({"confidence": [1.5] * 6}, "from 0 to 1"),
        ({"confidence": [np.nan] * 6}, "from 0 to 1"),
        ({"confidence": np.full((6, 3), 0.3)}, r"confidence.*\(6, 3\).*max\(axis=1\)"),
        ({"kind": "mistakes"}, "'both', 'wrong' or 'right'"),
        ({"n_images": 0}, "n_images"),
        ({"n_columns": 0}, "n_columns"),
    ],
)
def test_refuses_what_makes_no_sense(params, message):
    with pytest.raises(ValueError, match=message):
        RecognitionDisplay.from_predictions(X, Y_TRUE, Y_PRED, **params)
    assert plt.get_fignums() == []


def test_no_figure_is_left_where_images_are_refused():
    with pytest.raises(ValueError, match="NaN"):
        RecognitionDisplay.from_predictions(np.full((3, 4), np.nan), [0] * 3, [0] * 3)
    assert plt.get_fignums() == []


def test_refuses_labels_of_which_one_kind_is_text(digits):
    X, y = digits
    model = KNeighborsClassifier(1).fit(X, y)
    with pytest.raises(ValueError, match="string and number"):
        RecognitionDisplay.from_estimator(model, X, y.astype(str))
    with pytest.raises(ValueError, match="string and number"):
        RecognitionDisplay.from_predictions(X, y.astype(str), y)
    assert plt.get_fignums() == []


def test_refuses_a_classifier_that_is_not_fitted():
    with pytest.raises(NotFittedError):
        RecognitionDisplay.from_estimator(KNeighborsClassifier(), X, Y_TRUE)
