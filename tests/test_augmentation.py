"""Random changes of images, without any network."""

import numpy as np
import pytest
from sklearn.base import clone
from sklearn.utils._param_validation import InvalidParameterError

from skmnist import Augmentation
from skmnist.datasets import load_digits
from skmnist.preprocessing.augmentation import AugmentedImages

EVERYTHING = {
    "rotation": 20,
    "translation": 0.1,
    "zoom": 0.2,
    "shear": 0.2,
    "elastic": 0.04,
    "erasing": 0.5,
}


@pytest.fixture(scope="module")
def images():
    return load_digits().images[:100].astype(np.float32)


def blob(height=41, width=41, row=20.0, column=20.0, spread=3.0):
    """One smooth spot, whose place and size can be measured."""
    y, x = np.mgrid[:height, :width]
    return np.exp(-((y - row) ** 2 + (x - column) ** 2) / (2 * spread**2))


def centre(image):
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    return (image * y).sum() / image.sum(), (image * x).sum() / image.sum()


def spreads(image):
    row, column = centre(image)
    y, x = np.mgrid[: image.shape[0], : image.shape[1]]
    variances = image * (y - row) ** 2, image * (x - column) ** 2
    return [np.sqrt(v.sum() / image.sum()) for v in variances]


def changed(image, n_copies=400, **params):
    copies = np.repeat(image[None].astype(np.float32), n_copies, axis=0)
    return Augmentation(**params).augment(copies, random_state=0)


def test_nothing_changes_by_default(images):
    assert np.array_equal(Augmentation().augment(images), images)


@pytest.mark.parametrize("name", EVERYTHING)
def test_every_parameter_changes_images_alone(images, name):
    one = Augmentation(**{name: EVERYTHING[name]}).augment(images, random_state=0)
    assert not np.array_equal(one, images)


def test_translation_moves_by_at_most_that_fraction_in_all_directions():
    image = blob(height=41, width=61, column=30.0)
    moves = np.array([centre(copy) for copy in changed(image, translation=0.1)])
    moves -= 20, 30
    assert np.abs(moves[:, 0]).max() == pytest.approx(4.1, rel=0.05)
    assert np.abs(moves[:, 1]).max() == pytest.approx(6.1, rel=0.05)
    assert np.abs(moves.mean(axis=0)).max() < 0.5
    assert abs(np.corrcoef(moves.T)[0, 1]) < 0.2


def test_rotation_turns_about_the_middle_by_at_most_so_many_degrees():
    image = blob(column=30.0)  # right of the middle
    places = np.array([centre(copy) for copy in changed(image, rotation=30)]) - 20
    assert np.hypot(*places.T) == pytest.approx(10.0, rel=0.03)
    angles = np.rad2deg(np.arctan2(*places.T))
    assert angles.max() == pytest.approx(30, rel=0.05)
    assert angles.min() == pytest.approx(-30, rel=0.05)


def test_zoom_changes_height_and_width_independently():
    sizes = np.array([spreads(copy) for copy in changed(blob(), zoom=0.2)]) / 3
    assert sizes.max(axis=0) == pytest.approx([1.2, 1.2], rel=0.03)
    assert sizes.min(axis=0) == pytest.approx([0.8, 0.8], rel=0.03)
    assert abs(np.corrcoef(sizes.T)[0, 1]) < 0.2


def test_shear_slants_vertical_lines_and_keeps_rows():
    image = blob(row=10.0)  # 10 rows above the middle
    places = np.array([centre(copy) for copy in changed(image, shear=0.5)])
    assert places[:, 0] == pytest.approx(10.0, abs=0.1)
    assert np.abs(places[:, 1] - 20).max() == pytest.approx(5.0, rel=0.05)


def test_elastic_displacements_have_the_size_asked_for():
    image = blob(spread=1.5)
    moves = np.array([centre(copy) for copy in changed(image, elastic=0.05)]) - 20
    assert moves.std(axis=0) == pytest.approx([2.05, 2.05], rel=0.15)


def test_elastic_displacements_differ_within_an_image():
    image = blob(row=8.0) + blob(row=32.0)
    moves = []
    for copy in changed(image, elastic=0.05):
        moves.append((centre(copy[:20])[1] - 20, centre(copy[21:])[1] - 20))
    assert abs(np.corrcoef(np.transpose(moves))[0, 1]) < 0.3


def test_erasing_hits_that_part_of_the_images_with_their_mean():
    image = np.random.default_rng(0).random((20, 20)).astype(np.float32)
    copies = changed(image, n_copies=600, erasing=0.3)
    erased = copies != image
    counts = erased.sum(axis=(1, 2))
    assert (counts > 0).mean() == pytest.approx(0.3, abs=0.06)
    assert copies[erased] == pytest.approx(image.mean(), rel=1e-5)
    assert counts[counts > 0].min() >= 0.01 * 400
    assert counts.max() <= 0.36 * 400
    rows, columns = erased[counts.argmax()].any(axis=1), erased[counts.argmax()].any(0)
    assert counts.max() == rows.sum() * columns.sum()  # a rectangle


def test_pixels_from_outside_are_background_or_as_the_nearest():
    white = np.ones((9, 9), np.float32)
    dark = changed(white, translation=0.5)
    assert dark.min() == 0
    grey = changed(white, translation=0.5, fill_value=0.25)
    assert grey.min() == pytest.approx(0.25)
    assert (changed(white, translation=0.5, fill_mode="nearest") == 1).all()


def test_far_outside_there_is_nothing_but_background():
    white = np.ones((9, 9), np.float32)
    copies = changed(white, translation=1.0, rotation=180, zoom=0.9, shear=1.0)
    assert copies.min() == 0
    assert copies.max() <= 1


def test_images_change_alike_in_whatever_groups_they_come(images):
    stack = images.reshape(-1, 8, 8, 1)
    augmentation = Augmentation(**EVERYTHING)
    whole = AugmentedImages(augmentation, (8, 8, 1), [0]).next(stack)
    stream = AugmentedImages(augmentation, (8, 8, 1), [0])
    groups = np.split(stack, [1, 2, 66, 90])
    parts = np.concatenate([stream.next(group) for group in groups])
    assert np.array_equal(whole, parts)


def test_one_kind_does_not_change_what_another_draws(images):
    turned = Augmentation(rotation=20).augment(images, random_state=0)
    both = Augmentation(rotation=20, erasing=0.5).augment(images, random_state=0)
    is_whole = (turned == both).all(axis=(1, 2))
    assert 0.3 < is_whole.mean() < 0.7


def test_a_seed_gives_the_same_images(images):
    augmentation = Augmentation(**EVERYTHING)
    one, same, other = (augmentation.augment(images, random_state=s) for s in (0, 0, 1))
    assert np.array_equal(one, same)
    assert not np.array_equal(one, other)


def test_nothing_global_is_touched(images):
    before = images.copy()
    state = np.random.get_state()[1].copy()  # noqa: NPY002
    Augmentation(**EVERYTHING).augment(images, random_state=0)
    assert np.array_equal(images, before)
    assert np.array_equal(np.random.get_state()[1], state)  # noqa: NPY002


@pytest.mark.parametrize("dtype", [np.uint8, np.int64, np.float32, np.float64])
@pytest.mark.parametrize(
    "shape", [(-1, 64), (-1, 8, 8), (-1, 8, 8, 1), (-1, 1, 8, 8)], ids=str
)
def test_shape_and_type_stay(images, dtype, shape):
    given = images.astype(dtype).reshape(shape)
    result = Augmentation(rotation=20).augment(given, random_state=0)
    assert result.dtype == dtype
    assert result.shape == given.shape
    reference = Augmentation(rotation=20).augment(images, random_state=0)
    assert np.abs(result.reshape(images.shape) - reference).max() <= 0.5


@pytest.mark.parametrize("channels_first", [False, True])
def test_colours_move_together(images, channels_first):
    colour = np.stack([images, images / 2, 16 - images], axis=-1)
    given = np.moveaxis(colour, -1, 1) if channels_first else colour
    result = Augmentation(rotation=20, fill_mode="nearest").augment(
        given, random_state=0
    )
    if channels_first:
        result = np.moveaxis(result, 1, -1)
    grey = Augmentation(rotation=20, fill_mode="nearest").augment(
        images, random_state=0
    )
    expected = np.stack([grey, grey / 2, 16 - grey], axis=-1)
    assert np.allclose(result, expected, atol=1e-5)


def test_images_that_are_not_square(images):
    wide = images.reshape(-1, 4, 16)
    rows = Augmentation(translation=0.2).augment(
        wide.reshape(-1, 64), image_shape=(4, 16), random_state=0
    )
    stack = Augmentation(translation=0.2).augment(wide, random_state=0)
    assert np.array_equal(rows.reshape(stack.shape), stack)


@pytest.mark.parametrize(
    ("params", "words"),
    [
        ({"rotation": -1}, "rotation"),
        ({"rotation": 181}, "rotation"),
        ({"translation": 1.5}, "translation"),
        ({"zoom": 1.0}, "zoom"),
        ({"shear": "0.1"}, "shear"),
        ({"elastic": None}, "elastic"),
        ({"erasing": 2}, "erasing"),
        ({"fill_mode": "reflect"}, "fill_mode"),
        ({"fill_value": np.nan}, "fill_value"),
    ],
)
def test_bad_parameters_are_named(images, params, words):
    with pytest.raises(InvalidParameterError, match=words):
        Augmentation(**params).augment(images)


@pytest.mark.parametrize(
    ("X", "words"),
    [
        (np.zeros((3, 63)), "not the size of a square image"),
        (np.full((3, 64), np.nan), "NaN"),
        (np.zeros((3, 8, 8, 5)), "channels"),
        (np.zeros(64), "one image"),
    ],
    ids=["no square", "not finite", "five channels", "one image"],
)
def test_bad_images_are_explained(X, words):
    with pytest.raises(ValueError, match=words):
        Augmentation(rotation=5).augment(X)


def test_it_is_an_estimator_with_parameters():
    augmentation = Augmentation(rotation=5, zoom=0.1)
    twin = clone(augmentation).set_params(rotation=7)
    assert augmentation.get_params()["rotation"] == 5
    assert twin.get_params()["rotation"] == 7
    assert repr(twin) == "Augmentation(rotation=7, zoom=0.1)"
