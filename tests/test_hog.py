import math

import numpy as np
import pytest
from sklearn.pipeline import make_pipeline

from skmnist import HOGTransformer, ImageScaler

IMAGES = np.random.default_rng(0).random((3, 10, 13))


def by_definition(image, n_cells, block_size, n_orientations, signed):
    """Compute the features of one image, pixel by pixel."""
    height, width = image.shape
    cells = np.zeros((n_cells, n_cells, n_orientations))
    for i in range(height):
        for j in range(width):
            y = image[min(i + 1, height - 1), j] - image[max(i - 1, 0), j]
            x = image[i, min(j + 1, width - 1)] - image[i, max(j - 1, 0)]
            degrees = math.degrees(math.atan2(y, x)) % (360 if signed else 180)
            direction = degrees / (360 if signed else 180) * n_orientations
            row = (i + 0.5) * n_cells / height - 0.5
            column = (j + 0.5) * n_cells / width - 0.5
            for r in (math.floor(row), math.floor(row) + 1):
                for c in (math.floor(column), math.floor(column) + 1):
                    for d in (math.floor(direction), math.floor(direction) + 1):
                        if 0 <= r < n_cells and 0 <= c < n_cells:
                            cells[r, c, d % n_orientations] += (
                                math.hypot(y, x)
                                * (1 - abs(row - r))
                                * (1 - abs(column - c))
                                * (1 - abs(direction - d))
                            )
    features = []
    for r in range(n_cells - block_size + 1):
        for c in range(n_cells - block_size + 1):
            block = cells[r : r + block_size, c : c + block_size].ravel()
            block = block / math.sqrt((block**2).sum() + 0.01)
            block = np.minimum(block, 0.2)
            features.append(block / math.sqrt((block**2).sum() + 0.01))
    return np.concatenate(features)


@pytest.mark.parametrize(
    ("n_cells", "block_size", "n_orientations", "signed"),
    [(4, 2, 8, True), (3, 1, 9, False), (5, 3, 2, True), (1, 1, 7, False)],
)
def test_features_are_those_of_the_definition(
    n_cells, block_size, n_orientations, signed
):
    transformer = HOGTransformer(
        n_cells=n_cells,
        block_size=block_size,
        n_orientations=n_orientations,
        signed=signed,
    )
    expected = [
        by_definition(image, n_cells, block_size, n_orientations, signed)
        for image in IMAGES
    ]
    features = transformer.fit_transform(IMAGES)
    assert features.dtype == np.float32
    np.testing.assert_allclose(features, expected, atol=1e-6)
    assert len(transformer.get_feature_names_out()) == features.shape[1]


@pytest.mark.parametrize("signed", [True, False])
def test_opposite_directions_differ_if_signed(signed):
    transformer = HOGTransformer(signed=signed)
    features = transformer.fit_transform(IMAGES)
    inverted = transformer.transform(1 - IMAGES)
    assert np.allclose(features, inverted, atol=1e-6) != signed


def test_brightness_and_contrast_hardly_count():
    transformer = HOGTransformer().fit(IMAGES)
    features = transformer.transform(IMAGES)
    np.testing.assert_allclose(
        transformer.transform(0.3 + 0.5 * IMAGES), features, atol=0.01
    )


def test_faint_noise_remains_faint():
    noise = 1e-3 * np.random.default_rng(0).random((2, 28, 28))
    features = HOGTransformer().fit_transform(noise)
    assert features.max() < 0.5
    assert not HOGTransformer().fit_transform(np.full((2, 28, 28), 0.5)).any()


def test_the_strongest_channel_counts():
    colour = np.stack([0.5 * IMAGES, IMAGES, np.zeros_like(IMAGES)], axis=-1)
    expected = HOGTransformer().fit_transform(IMAGES)
    np.testing.assert_array_equal(HOGTransformer().fit_transform(colour), expected)


def test_features_carry_no_shape():
    features = make_pipeline(ImageScaler(), HOGTransformer()).fit_transform(IMAGES)
    assert type(features) is np.ndarray


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"block_size": 6}, "block_size=6 must be at most n_cells=5"),
        ({"n_cells": 0}, "'n_cells' parameter"),
        ({"n_orientations": 1}, "'n_orientations' parameter"),
        ({"signed": 1.5}, "'signed' parameter"),
    ],
    ids=repr,
)
def test_bad_parameters_are_refused(params, message):
    with pytest.raises(ValueError, match=message):
        HOGTransformer(**params).fit(IMAGES)
