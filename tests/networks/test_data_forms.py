"""The forms that images and labels may come in."""

import numpy as np
import pandas as pd
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from sklearn.pipeline import make_pipeline
from sklearn.utils import get_tags

from skmnist import ImageScaler, KerasImageClassifier


@pytest.mark.parametrize("small", [small_mlp, small_cnn])
def test_rows_and_images_give_equal_predictions(small, digits):
    X, y = digits
    expected = small().fit(X, y).predict_proba(X)
    for shape in [(-1, 8, 8), (-1, 8, 8, 1)]:
        images = X.reshape(shape)
        model = small().fit(images, y)
        assert np.array_equal(model.predict_proba(images), expected)
        assert np.array_equal(model.predict_proba(X), expected)


@pytest.mark.parametrize("small", [small_mlp, small_cnn])
def test_behind_the_scaler_channels_may_come_first(small, digits):
    X, y = digits
    expected = small().fit(X, y).predict_proba(X)
    images = X.reshape(-1, 1, 8, 8)
    model = make_pipeline(ImageScaler(data_range=(0, 1)), small()).fit(images, y)
    assert np.array_equal(model.predict_proba(images), expected)


@pytest.mark.parametrize("image_shape", [(8, 4, 2), (4, 2, 8)])
def test_channels_may_come_first_where_the_shape_is_declared(
    image_shape, digits, trainings
):
    X, y = digits
    last = X.reshape(-1, *image_shape)
    first = np.moveaxis(last, -1, 1)
    models = {
        "last": small_cnn(image_shape=image_shape, kernel_size=1, epochs=1),
        "first": small_cnn(image_shape=image_shape, kernel_size=1, epochs=1),
    }
    models["last"].fit(last, y, X_val=first[:9], y_val=y[:9])
    models["first"].fit(first, y, X_val=last[:9], y_val=y[:9])
    for data, validation in trainings:
        np.testing.assert_array_equal(data.inputs, last)
        np.testing.assert_array_equal(validation.inputs, last[:9])
    expected = models["last"].predict_proba(X)
    for model in models.values():
        assert model.image_shape_ == image_shape
        for images in (X, last, first):
            assert np.array_equal(model.predict_proba(images), expected)


def test_channels_are_last_where_either_layout_fits_the_declared_shape(
    digits, trainings
):
    X, y = digits
    images = X[:, :27].reshape(-1, 3, 3, 3)
    small_cnn(image_shape=(3, 3, 3), epochs=1).fit(images, y)
    np.testing.assert_array_equal(trainings[0][0].inputs, images)


def test_tags_tell_that_images_are_taken():
    for model in (small_mlp(), small_cnn(), KerasImageClassifier(builder=dense)):
        tags = get_tags(model).input_tags
        assert tags.two_d_array
        assert tags.three_d_array


def test_networks_of_rows_recognise_images_in_either_layout(digits):
    X, y = digits
    last = X.reshape(-1, 8, 4, 2)
    model = small_mlp(epochs=1).fit(last, y)
    expected = model.predict_proba(last)
    assert np.array_equal(model.predict_proba(np.moveaxis(last, -1, 1)), expected)


def test_types_of_pixels_do_not_matter(digits):
    X, y = digits
    pixels = (X * 16).astype(np.uint8)
    expected = None
    for fitted_on in (np.uint8, np.int64, np.float32, np.float64):
        model = small_mlp().fit(pixels.astype(fitted_on), y)
        for given in (np.uint8, np.int64, np.float32, ">f4", np.float64, object):
            probabilities = model.predict_proba(pixels.astype(given))
            assert probabilities.dtype == np.float64
            expected = probabilities if expected is None else expected
            assert np.array_equal(probabilities, expected)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no double precision by default")
def test_double_precision_is_kept(digits):
    X, y = digits
    single = small_mlp().fit(X, y).predict_proba(X)
    double = small_mlp(precision="float64").fit(X, y).predict_proba(X)
    assert double.dtype == np.float64
    np.testing.assert_allclose(double.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(single.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no double precision by default")
def test_pixels_are_rounded_even_for_double_precision(digits):
    X, y = digits
    model = small_mlp(precision="float64").fit(X, y)
    finer = X.astype(np.float64) * (1 + 1e-9)
    assert np.array_equal(model.predict_proba(finer), model.predict_proba(X))


def test_memory_layout_does_not_matter(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    expected = model.predict_proba(X)
    assert np.array_equal(model.predict_proba(np.asfortranarray(X)), expected)
    assert np.array_equal(model.predict_proba(X[::-1])[::-1], expected)
    assert np.array_equal(model.predict_proba(X.tolist()), expected)


@pytest.mark.parametrize(
    "relabel",
    [
        pytest.param(lambda y: np.array([f"digit {d}" for d in y]), id="strings"),
        pytest.param(
            lambda y: np.array([f"digit {d}" for d in y], object), id="object"
        ),
        pytest.param(lambda y: pd.Series([f"digit {d}" for d in y]), id="series"),
        pytest.param(lambda y: pd.Categorical([f"d{d}" for d in y]), id="categories"),
        pytest.param(lambda y: 7 * y - 30, id="negative integers with gaps"),
        pytest.param(lambda y: y.astype(float), id="floats"),
        pytest.param(lambda y: y > 4, id="booleans"),
    ],
)
def test_labels_may_be_of_any_kind(digits, relabel):
    X, y = digits
    labels = relabel(y)
    values = np.asarray(labels)
    model = small_mlp(epochs=60, learning_rate=0.01, early_stopping=True)
    model.fit(X, labels)
    assert np.array_equal(model.classes_, np.unique(values))
    predicted = model.predict(X)
    assert predicted.dtype == model.classes_.dtype
    assert np.mean(predicted == values) > 0.8
    assert model.score(X, labels) == np.mean(predicted == values)
    encoded = small_mlp(epochs=60, learning_rate=0.01, early_stopping=True)
    encoded.fit(X, np.searchsorted(model.classes_, values))
    assert np.array_equal(encoded.predict_proba(X), model.predict_proba(X))


def test_a_digit_that_is_not_in_y_has_no_column(digits):
    X, y = digits
    model = small_mlp().fit(X[y < 9], y[y < 9])
    assert model.classes_.tolist() == list(range(9))
    assert model.predict_proba(X).shape == (len(X), 9)


def test_two_classes_have_two_columns(digits):
    X, y = digits
    probabilities = small_mlp().fit(X[y < 2], y[y < 2]).predict_proba(X)
    assert probabilities.shape == (len(X), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_column_names_are_kept_and_compared(digits):
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    model = small_mlp().fit(frame, y)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[frame.columns[::-1]])


def test_images_that_are_no_squares_need_their_shape(digits):
    X, y = digits
    model = small_cnn(image_shape=(4, 16)).fit(X, y)
    assert model.image_shape_ == (4, 16, 1)
    row = small_cnn(image_shape="row").fit(X, y)
    assert row.image_shape_ == (1, 64, 1)
