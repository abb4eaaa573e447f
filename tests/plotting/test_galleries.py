import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest

from skmnist import Augmentation
from skmnist.evaluation import find_label_errors
from skmnist.plotting import (
    FeatureMapsDisplay,
    ImageGalleryDisplay,
    OcclusionSaliencyDisplay,
    RecognitionDisplay,
)


def shown(display):
    return np.array([artist.get_array() for artist in display.images_])


def titles(display):
    return [ax.get_title() for ax in display.axes_]


def test_rows_are_shown_in_their_order_with_their_labels(digits):
    X, y = digits
    display = ImageGalleryDisplay.from_rows(X, [5, 2, -1], y)
    expected = X[[5, 2, 299]].reshape(-1, 8, 8) / 255
    np.testing.assert_allclose(shown(display), expected, atol=1e-6)
    assert titles(display) == [str(label) for label in y[[5, 2, 299]]]
    assert display.rows.tolist() == [5, 2, 299]


def test_zero_is_paper_and_full_ink_is_dark(digits):
    X, _ = digits
    display = ImageGalleryDisplay.from_rows(X, [0])
    artist = display.images_[0]
    assert artist.get_clim() == (0, 1)
    assert artist.cmap(0.0)[:3] == (1, 1, 1)
    assert artist.cmap(1.0)[:3] == (0, 0, 0)


def test_random_images_are_distinct_and_decided_by_the_seed(digits):
    X, y = digits
    first, second, other = (
        ImageGalleryDisplay.from_random(X, y, n_images=20, random_state=seed)
        for seed in (0, 0, 1)
    )
    assert len(set(first.rows.tolist())) == 20
    assert first.rows.tolist() == second.rows.tolist() != other.rows.tolist()
    assert titles(first) == [str(label) for label in y[first.rows]]


def test_random_images_leave_the_global_generator_alone(digits):
    before = np.random.get_state()[1].copy()  # noqa: NPY002
    ImageGalleryDisplay.from_random(digits[0], n_images=3)
    assert (np.random.get_state()[1] == before).all()  # noqa: NPY002


def test_no_more_random_images_than_there_are(digits):
    display = ImageGalleryDisplay.from_random(digits[0][:4], n_images=25)
    assert sorted(display.rows.tolist()) == [0, 1, 2, 3]


def test_first_images_of_one_class(digits):
    X, y = digits
    display = ImageGalleryDisplay.from_classes(X, y, labels=[9], n_images=6)
    assert display.rows.tolist() == np.flatnonzero(y == 9)[:6].tolist()
    assert set(titles(display)) == {"9"}


def test_first_images_of_every_class_stand_in_a_row_each(digits):
    X, y = digits
    display = ImageGalleryDisplay.from_classes(X, y, n_images=3)
    assert y[display.rows].tolist() == np.repeat(range(10), 3).tolist()
    columns = [ax.get_subplotspec().colspan.start for ax in display.axes_]
    assert columns == [0, 1, 2] * 10


@pytest.mark.parametrize("channels", [3, 4])
@pytest.mark.parametrize("layout", ["channels last", "channels first", "flat"])
def test_colour_images_of_any_shape_and_layout(layout, channels):
    images = np.random.default_rng(0).integers(
        0, 256, (5, 6, 9, channels), dtype=np.uint8
    )
    X, image_shape = images, (6, 9, channels)
    if layout == "channels first":
        X = np.moveaxis(images, -1, 1)
    elif layout == "flat":
        X = images.reshape(5, -1)
    display = ImageGalleryDisplay.from_rows(X, [3, 0], image_shape=image_shape)
    np.testing.assert_allclose(shown(display), images[[3, 0]] / 255, atol=1e-6)


def test_all_images_share_the_range_of_the_whole_set():
    X = np.array([[0.0, 2.0, 1.0, 0.0], [0.0, 8.0, 4.0, 0.0]])
    display = ImageGalleryDisplay.from_rows(X, [0])
    np.testing.assert_allclose(shown(display)[0], [[0, 0.25], [0.125, 0]])


def test_takes_data_frames(digits):
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"p{i}" for i in range(64)])
    display = ImageGalleryDisplay.from_rows(frame, [7], pd.Series(y))
    np.testing.assert_allclose(shown(display)[0], X[7].reshape(8, 8) / 255, atol=1e-6)


def test_fills_a_given_axes_or_uses_given_ones(digits):
    X, _ = digits
    figure, (left, right) = plt.subplots(1, 2)
    display = ImageGalleryDisplay.from_rows(X, [0, 1, 2, 3], ax=left)
    assert not left.axison
    assert all(ax.figure is figure for ax in display.axes_)
    box = left.get_position()
    for ax in display.axes_:
        x0, y0, x1, y1 = ax.get_position().extents
        assert box.x0 - 1e-6 <= x0 < x1 <= box.x1 + 1e-6
        assert box.y0 - 1e-6 <= y0 < y1 <= box.y1 + 1e-6

    display.plot(ax=[right, *figure.add_gridspec(1, 3).subplots()])
    assert display.axes_[0] is right
    with pytest.raises(ValueError, match="draws 4 axes"):
        display.plot(ax=[left, right])


def test_axes_placed_by_hand_are_filled_too(digits):
    figure = plt.figure()
    ax = figure.add_axes((0.5, 0.5, 0.4, 0.4))
    display = ImageGalleryDisplay.from_rows(digits[0], [0, 1], ax=ax)
    assert min(a.get_position().x0 for a in display.axes_) >= 0.5 - 1e-6


@pytest.mark.parametrize(
    ("rows", "message"),
    [([300], "0 to 299"), ([], "row numbers"), ([0.5], "row numbers")],
)
def test_refuses_rows_that_are_not_there(digits, rows, message):
    with pytest.raises(ValueError, match=message):
        ImageGalleryDisplay.from_rows(digits[0], rows)
    assert plt.get_fignums() == []


def test_images_are_shown_beside_what_an_augmentation_makes_of_them(digits):
    X, _ = digits
    augmentation = Augmentation(rotation=30)
    display = ImageGalleryDisplay.from_augmentation(
        augmentation, X, rows=[4, 1], n_copies=3, random_state=0
    )
    pictures = shown(display).reshape(2, 4, 8, 8)
    originals = X[[4, 1]].reshape(-1, 8, 8) / 255
    np.testing.assert_allclose(pictures[:, 0], originals, atol=1e-6)
    copies = augmentation.augment(np.repeat(originals, 3, axis=0), random_state=0)
    np.testing.assert_allclose(pictures[:, 1:].reshape(-1, 8, 8), copies, atol=1e-5)
    assert titles(display) == ["original", "", "", ""] * 2
    assert display.rows.tolist() == [4] * 4 + [1] * 4
    for n_images, n_shown in (2, 2), (9, 4):
        display = ImageGalleryDisplay.from_augmentation(
            augmentation, X[:n_images], n_copies=1
        )
        assert len(display.images) == 2 * n_shown


def test_refuses_what_makes_no_gallery(digits):
    X, y = digits
    with pytest.raises(TypeError, match="must be an Augmentation; got str"):
        ImageGalleryDisplay.from_augmentation("rotation", X)
    with pytest.raises(ValueError, match="fill_value=255"):
        ImageGalleryDisplay.from_augmentation(Augmentation(fill_value=255), X)
    with pytest.raises(TypeError, match="find_label_errors returns; got ndarray"):
        ImageGalleryDisplay.from_label_errors(y, X)
    with pytest.raises(ValueError, match="no image has 11"):
        ImageGalleryDisplay.from_classes(X, y, labels=[1, 11])
    with pytest.raises(ValueError, match="labels must hold one label or more"):
        ImageGalleryDisplay.from_classes(X, y, labels=[])
    with pytest.raises(ValueError, match="X has no rows"):
        ImageGalleryDisplay.from_rows(X[:0], [0])
    with pytest.raises(ValueError, match="n_images"):
        ImageGalleryDisplay.from_random(X, n_images=0)
    with pytest.raises(ValueError, match="inconsistent"):
        ImageGalleryDisplay.from_rows(X, [0], y[:5])
    with pytest.raises(ValueError, match="label column"):
        ImageGalleryDisplay.from_rows(np.zeros((2, 65)), [0])
    with pytest.raises(ValueError, match="2 channels"):
        ImageGalleryDisplay.from_rows(np.zeros((2, 8)), [0], image_shape=(2, 2, 2))


@pytest.mark.parametrize("shape", [(64,), (8, 8), (8, 8, 1)], ids=str)
def test_one_image_is_refused_by_all_displays_alike(digits, cnn, shape):
    one = digits[0][0].reshape(shape)
    for show in (
        lambda: ImageGalleryDisplay.from_random(one),
        lambda: ImageGalleryDisplay.from_random(one, image_shape=(8, 8)),
        lambda: ImageGalleryDisplay.from_rows(one, [0]),
        lambda: RecognitionDisplay.from_predictions(one, [1], [1]),
        lambda: RecognitionDisplay.from_estimator(cnn, one, [1]),
        lambda: OcclusionSaliencyDisplay.from_estimator(cnn, one),
        lambda: FeatureMapsDisplay.from_estimator(cnn, one),
        lambda: FeatureMapsDisplay.from_estimator(cnn[-1].model_, one),
    ):
        with pytest.raises(ValueError, match=r"of one image.*X\[None\] is a batch"):
            show()


def test_gallery_of_label_errors_shows_the_most_suspicious_first():
    X = np.arange(4 * 4).reshape(4, 4) / 15
    p = [[0.9, 0.1], [0.1, 0.9], [0.03, 0.97], [0.2, 0.8]]
    errors = find_label_errors(None, X, ["3", "3", "3", "5"], y_proba=p)
    display = ImageGalleryDisplay.from_label_errors(X, errors, n_images=3)
    assert display.rows.tolist() == [2, 1, 3]
    assert titles(display) == [
        "given 3\nlooks like 5\n97.0 %",
        "given 3\nlooks like 5\n90.0 %",
        "given 5\nlooks like 5\n80.0 %",
    ]
    expected = X[[2, 1, 3]].reshape(-1, 2, 2)
    np.testing.assert_allclose(shown(display), expected, atol=1e-6)
    with pytest.raises(ValueError, match="X has 3 rows, but errors is about 4 images"):
        ImageGalleryDisplay.from_label_errors(X[:3], errors)
