import os

import numpy as np
import pytest
from scipy import ndimage
from sklearn.pipeline import make_pipeline

from skmnist import DigitNormalizer, ImageScaler
from skmnist.datasets import fetch_mnist
from skmnist.preprocessing.image_array import carried_images


def draw_digit(height, width, *, top=0, left=0, factor=1):
    """Draw a seven, 10 pixels high and 7 wide times a factor, in floats from 0 to 1."""
    seven = np.zeros((10, 7))
    seven[:2] = 1
    seven[2:, 4:6] = 1
    seven = np.kron(seven, np.ones((factor, factor)))
    image = np.zeros((height, width))
    image[top : top + len(seven), left : left + seven.shape[1]] = seven
    return image


def normalized(image, **params):
    result = DigitNormalizer(image_shape=image.shape, **params).fit_transform(
        image[None]
    )
    return carried_images(result)[0, :, :, 0]


def ink_box(image):
    rows, columns = np.nonzero(image > 0.5 * image.max())
    return np.ptp(rows) + 1, np.ptp(columns) + 1


@pytest.mark.parametrize("factor", [1, 2, 3, 13])
def test_digits_of_all_sizes_and_places_become_the_same(factor):
    expected = normalized(draw_digit(20, 20, factor=2))
    image = draw_digit(160, 120, top=3, left=11, factor=factor)
    result = normalized(image)
    assert result.shape == (28, 28)
    assert ink_box(result) == (20, 14)
    # Only the edges are softer, where a digit was scaled. One pixel aside is 0.06.
    assert np.abs(result - expected).mean() < 0.02


def test_a_digit_of_the_right_size_is_only_moved():
    digit = draw_digit(30, 40, top=1, left=22, factor=2)
    result = normalized(digit)
    top, left = np.argwhere(result)[:, 0].min(), np.argwhere(result)[:, 1].min()
    expected = draw_digit(28, 28, top=top, left=left, factor=2)
    np.testing.assert_array_equal(result, expected)


@pytest.mark.parametrize("factor", [1, 2, 3])
def test_the_centre_of_mass_is_at_the_middle_pixel(factor):
    result = normalized(draw_digit(60, 60, top=25, left=9, factor=factor))
    np.testing.assert_allclose(ndimage.center_of_mass(result), (14, 14), atol=0.51)


def test_normalizing_twice_changes_nothing():
    once = normalized(draw_digit(60, 60, top=25, left=9, factor=2))
    np.testing.assert_array_equal(normalized(once), once)


@pytest.mark.parametrize("output_shape", [(28, 28), (14, 28), (56, 35), (1, 1), [9, 5]])
@pytest.mark.parametrize("digit_size", [20 / 28, 1.0, 0.01])
def test_the_box_is_a_fraction_of_any_output(output_shape, digit_size):
    result = normalized(
        draw_digit(50, 50, top=30, factor=1),
        output_shape=output_shape,
        digit_size=digit_size,
    )
    assert result.shape == tuple(output_shape)
    box = [max(1, round(digit_size * side)) for side in output_shape]
    scale = min(box[0] / 10, box[1] / 7)
    np.testing.assert_allclose(ink_box(result), (10 * scale, 7 * scale), atol=1)
    assert result.max() == 1


def test_a_digit_with_its_mass_at_one_end_remains_whole():
    image = np.zeros((40, 40))
    image[:4, :14] = 1  # heavy
    image[4:, 6] = 1
    result = normalized(image, digit_size=1.0)
    assert ink_box(result) == (28, 10)


@pytest.mark.parametrize(
    ("shape", "digit_size"),
    [((1, 10_000), 20 / 28), ((10_000, 1), 20 / 28), ((500, 500), 0.01)],
    ids=["wide", "high", "tiny box"],
)
def test_what_lies_around_a_digit_takes_no_memory(shape, digit_size):
    result = normalized(np.pad(np.ones(shape), 1), digit_size=digit_size)
    box = max(1, round(28 * digit_size))
    sizes = np.ceil(box * np.array(shape) / max(shape))
    np.testing.assert_allclose(ink_box(result), sizes, atol=1)


@pytest.mark.parametrize(("threshold", "height"), [(0.1, 20), (0.0, 4)])
def test_faint_noise_does_not_count_as_ink(threshold, height):
    image = draw_digit(60, 60, top=20, left=20)
    image += 0.05 * np.random.default_rng(0).random((60, 60))
    result = normalized(image.clip(0, 1), threshold=threshold)
    assert ink_box(result)[0] == pytest.approx(height, abs=1)


@pytest.mark.parametrize("value", [0, 3, -2.5])
def test_blank_images_stay_blank(value):
    result = DigitNormalizer(output_shape=(3, 4)).fit_transform(
        np.full((2, 5, 5), value)
    )
    np.testing.assert_array_equal(result, np.full((2, 12), value))


def test_the_range_of_an_image_is_kept():
    digit = draw_digit(30, 30, top=4, left=9)
    result = normalized(100 * digit - 30)
    np.testing.assert_allclose(result, 100 * normalized(digit) - 30, atol=1e-4)


def test_each_image_is_normalized_by_itself():
    images = np.random.default_rng(0).random((200, 28, 28)) ** 8
    normalizer = DigitNormalizer().fit(images)
    together = normalizer.transform(images)
    alone = np.vstack([normalizer.transform(images[i : i + 1]) for i in (0, 83, 199)])
    np.testing.assert_array_equal(alone, together[[0, 83, 199]])


def test_colours_of_an_image_move_together():
    grey = draw_digit(20, 20, top=4, left=9)
    colour = np.stack([grey, 0.5 * grey, np.zeros_like(grey)], axis=-1)
    result = carried_images(DigitNormalizer().fit_transform(colour[None]))[0]
    expected = normalized(grey)
    np.testing.assert_allclose(result[..., 0], expected, atol=1e-6)
    np.testing.assert_allclose(result[..., 1], 0.5 * expected, atol=1e-6)
    assert not result[..., 2].any()


def test_the_next_step_learns_the_shape():
    rows = np.random.default_rng(0).random((3, 64))
    steps = make_pipeline(DigitNormalizer(output_shape=(6, 20)), ImageScaler())
    assert carried_images(steps.fit_transform(rows)).shape == (3, 6, 20, 1)
    assert steps.get_feature_names_out()[:2].tolist() == [
        "digitnormalizer0",
        "digitnormalizer1",
    ]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"output_shape": (28,)}, r"output_shape=\(28,\) is not allowed; it must be"),
        ({"output_shape": (28, 0)}, r"output_shape=\(28, 0\) is not allowed"),
        ({"output_shape": (28, 2.0)}, r"output_shape=\(28, 2.0\) is not allowed"),
        ({"output_shape": 28}, "'output_shape' parameter"),
        ({"digit_size": 1.5}, "'digit_size' parameter"),
        ({"threshold": 1.0}, "'threshold' parameter"),
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        DigitNormalizer(**params).fit(np.zeros((1, 25)))


@pytest.mark.skipif("SKMNIST_DATA" not in os.environ, reason="needs MNIST")
def test_images_of_mnist_hardly_change():
    images = fetch_mnist("test").data[:1000] / 255
    result = DigitNormalizer().fit_transform(images)
    assert (np.abs(result - images).max(axis=1) > 1e-6).mean() < 0.01
    assert np.abs(result - images).mean() < 1e-3
