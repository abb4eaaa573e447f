import warnings

import keras
import matplotlib.pyplot as plt
import numpy as np
import pytest
from keras import layers
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler, KerasCNNClassifier
from skmnist.networks import build_mlp
from skmnist.plotting import FeatureMapsDisplay, FiltersDisplay


def titles(display):
    return [ax.get_title(loc="left").replace("\n", " ") for ax in display.axes_]


def tiles(picture, shape, n_columns):
    """Cut a picture into its tiles, and see that blanks lie between them."""
    height, width = shape
    kept = np.ones(picture.shape, bool)
    kept[height :: height + 1] = False
    kept[:, width :: width + 1] = False
    assert np.isnan(picture[~kept]).all()
    n_rows = (picture.shape[0] + 1) // (height + 1)
    inner = picture[kept].reshape(n_rows, height, n_columns, width)
    return inner.transpose(0, 2, 1, 3)


def test_filters_are_those_of_every_convolution(cnn, left_alone):
    model = cnn[-1].model_
    with left_alone(model), warnings.catch_warnings(action="error"):
        display = FiltersDisplay.from_estimator(cnn)
    assert list(display.filters) == ["convolution_1", "convolution_2"]
    for name, filters in display.filters.items():
        np.testing.assert_array_equal(filters, model.get_layer(name).get_weights()[0])
    largest = [abs(filters).max() for filters in display.filters.values()]
    assert titles(display) == [
        f"convolution_1: 3 filters of 3×3, within ±{largest[0]:.2g}",
        f"convolution_2: 5 filters of 2×2, 3 input channels, within ±{largest[1]:.2g}",
    ]


def test_picture_of_filters_shows_each_where_it_belongs(cnn):
    display = FiltersDisplay.from_estimator(cnn)
    first, second = (np.ma.filled(a.get_array(), np.nan) for a in display.images_)
    kernel = display.filters["convolution_1"]
    np.testing.assert_array_equal(
        tiles(first, (3, 3), 3)[0], kernel[:, :, 0].transpose(2, 0, 1)
    )
    kernel = display.filters["convolution_2"]
    np.testing.assert_array_equal(
        tiles(second, (2, 2), 5), kernel.transpose(2, 3, 0, 1)
    )
    for artist, kernel in zip(display.images_, display.filters.values(), strict=True):
        limit = np.abs(kernel).max()
        assert artist.get_clim() == (-limit, limit)


def test_more_filters_than_asked_for_are_left_out(cnn):
    display = FiltersDisplay.from_estimator(cnn, max_filters=2, max_channels=1)
    assert display.mosaics_["convolution_2"].shape == (2, 5)
    assert titles(display)[1].startswith(
        "convolution_2: the first 2 of 5 filters of 2×2, "
        "the first 1 of 3 input channels"
    )


def test_filters_of_many_channels_are_large_enough_to_see():
    network = keras.Sequential(
        [
            keras.Input((8, 8, 1)),
            layers.Conv2D(32, 3, name="wide"),
            layers.Conv2D(64, 3, name="deep"),
        ]
    )
    display = FiltersDisplay.from_estimator(network)
    assert display.mosaics_["wide"].shape == (2 * 4 - 1, 16 * 4 - 1)
    assert display.mosaics_["deep"].shape == (8 * 4 - 1, 16 * 4 - 1)
    assert "the first 16 of 64 filters" in titles(display)[1]


@pytest.mark.parametrize("layout", [None, "constrained", "tight"])
def test_titles_inside_one_axes_keep_clear_of_the_pictures(digits, cnn, layout):
    figure, (_, ax) = plt.subplots(1, 2, figsize=(10, 4), layout=layout)
    display = FeatureMapsDisplay.from_estimator(cnn, digits[0], ax=ax)
    figure.canvas.draw()
    texts = [ax._left_title.get_window_extent() for ax in display.axes_]
    pictures = [ax.get_window_extent() for ax in display.axes_]
    assert not any(text.overlaps(box) for text in texts for box in pictures)
    assert all(figure.bbox.containsx(text.x1) for text in texts)


def outputs(model, image, name):
    probe = keras.Model(model.inputs[0], model.get_layer(name).output)
    return keras.ops.convert_to_numpy(probe(image[None]))[0]


def test_maps_are_the_outputs_of_convolutions_poolings_and_activations(
    digits, cnn, left_alone
):
    X, _ = digits
    model = cnn[-1].model_
    before = X.copy()
    with left_alone(model):
        display = FeatureMapsDisplay.from_estimator(cnn, X, row=11)
    np.testing.assert_array_equal(X, before)
    image = (X[11] / 255).reshape(8, 8, 1).astype(np.float32)
    names = ["convolution_1", "pooling_1", "activation_1", "convolution_2"]
    assert list(display.feature_maps) == names
    for name in names:
        np.testing.assert_allclose(
            display.feature_maps[name], outputs(model, image, name), atol=1e-6
        )
    assert [title.partition(",")[0] for title in titles(display)] == [
        "image: 8×8",
        "convolution_1: 3 maps of 6×6",
        "pooling_1: 3 maps of 3×3",
        "activation_1: 3 maps of 3×3",
        "convolution_2: 5 maps of 2×2",
    ]
    maps = display.feature_maps["convolution_2"]
    assert titles(display)[-1].endswith(f", {maps.min():.2g} to {maps.max():.2g}")


def test_pictures_of_maps_show_image_and_maps(digits, cnn):
    display = FeatureMapsDisplay.from_estimator(cnn, digits[0], row=-1, n_columns=2)
    image, first, *_ = (np.ma.filled(a.get_array(), np.nan) for a in display.images_)
    np.testing.assert_allclose(image, digits[0][299].reshape(8, 8) / 255, atol=1e-6)
    maps = display.feature_maps["convolution_1"]
    placed = tiles(first, (6, 6), 2).reshape(4, 6, 6)
    np.testing.assert_array_equal(placed[:3], np.moveaxis(maps, -1, 0))
    assert np.isnan(placed[3]).all()  # three maps in two columns leave one blank
    assert display.images_[1].get_clim() == (maps.min(), maps.max())


def test_predictions_are_the_same_afterwards(digits, cnn):
    X, _ = digits
    before = cnn.predict_proba(X)
    FiltersDisplay.from_estimator(cnn)
    FeatureMapsDisplay.from_estimator(cnn, X)
    np.testing.assert_array_equal(cnn.predict_proba(X), before)


def test_chosen_layers_and_some_of_their_maps(digits, cnn):
    display = FeatureMapsDisplay.from_estimator(
        cnn, digits[0], layers=["convolution_2"], max_maps=4
    )
    assert list(display.mosaics_) == ["convolution_2"]
    assert display.mosaics_["convolution_2"].shape == (2, 11)
    assert "convolution_2: the first 4 of 5 maps of 2×2" in titles(display)[1]


def nested_model():
    inner = keras.Sequential(
        [
            keras.Input((8, 8, 2)),
            layers.Conv2D(3, 3, name="deep"),
            layers.AveragePooling2D(2, name="mean"),
        ],
        name="inner",
    )
    pixels = keras.Input((8, 8, 1))
    start = layers.Conv2D(2, 3, padding="same", name="start")(pixels)
    end = layers.DepthwiseConv2D(2, depth_multiplier=2, name="end")(inner(start))
    return keras.Model(pixels, layers.Flatten()(end))


def test_layers_inside_a_nested_model(left_alone):
    model = nested_model()
    image = np.random.default_rng(0).random((1, 8, 8)).astype(np.float32)
    with left_alone(model):
        display = FeatureMapsDisplay.from_estimator(model, image)
        filters = FiltersDisplay.from_estimator(model).filters
    assert list(display.feature_maps) == ["start", "inner/deep", "inner/mean", "end"]
    start = outputs(model, image[0][..., None], "start")
    deep = outputs(model.get_layer("inner"), start, "deep")
    np.testing.assert_allclose(display.feature_maps["inner/deep"], deep, atol=1e-6)
    np.testing.assert_allclose(
        display.feature_maps["end"].ravel(),
        keras.ops.convert_to_numpy(model(image[..., None])).ravel(),
        atol=1e-6,
    )
    assert {name: kernel.shape for name, kernel in filters.items()} == {
        "start": (3, 3, 1, 2),
        "inner/deep": (3, 3, 2, 3),
        "end": (2, 2, 3, 2),
    }


@pytest.mark.parametrize("inner", ["sequential", "functional"])
def test_maps_of_every_call_of_a_layer(inner, left_alone):
    """Weights of a layer are shared with another network, which is no part of it."""
    convolution = layers.Conv2D(1, 3, padding="same", name="convolution")
    part = keras.Sequential([keras.Input((4, 4, 1)), convolution], name="part")
    if inner == "functional":
        pixels = keras.Input((4, 4, 1))
        part = keras.Model(pixels, convolution(pixels), name="part")
    pixels = keras.Input((4, 4, 1))
    once = convolution(pixels)
    model = keras.Model(pixels, part(part(convolution(once))))
    image = np.random.default_rng(0).random((1, 4, 4, 1)).astype(np.float32)
    with left_alone(model):
        maps = FeatureMapsDisplay.from_estimator(model, image).feature_maps
    assert list(maps) == [
        "convolution",
        "convolution (call 2)",
        "part/convolution",
        "part (call 2)/convolution",
    ]
    value = image
    for shown in maps.values():
        value = keras.ops.convert_to_numpy(convolution(value))
        np.testing.assert_allclose(shown, value[0], atol=1e-6)


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize("channels", [1, 3])
def test_plain_network_of_images_with_their_channels_first(channels, flat):
    network = keras.Sequential(
        [
            keras.Input((channels, 4, 6)),
            layers.AveragePooling2D(2, data_format="channels_first", name="mean"),
        ]
    )
    X = np.random.default_rng(0).random((3, channels, 4, 6)).astype(np.float32)
    X.flat[0], X.flat[1] = 0, 1  # the range that is shown
    given = X.reshape(3, -1) if flat else X
    display = FeatureMapsDisplay.from_estimator(network, given, row=2)
    image = np.moveaxis(X[2], 0, -1)
    np.testing.assert_allclose(display.image, np.squeeze(image), atol=1e-6)
    means = image.reshape(2, 2, 3, 2, channels).mean(axis=(1, 3))
    np.testing.assert_allclose(display.feature_maps["mean"], means, atol=1e-6)


def test_maps_are_those_of_prediction_not_of_training():
    network = keras.Sequential(
        [
            keras.Input((4, 4, 1)),
            layers.Dropout(0.5, seed=0),
            layers.BatchNormalization(epsilon=0),
            layers.AveragePooling2D(1, name="same"),
        ]
    )
    X = np.random.default_rng(0).random((1, 4, 4, 1)).astype(np.float32)
    maps = FeatureMapsDisplay.from_estimator(network, X).feature_maps
    np.testing.assert_allclose(maps["same"], X[0], atol=1e-6)


def test_colour_images_through_a_plain_network():
    network = keras.Sequential(
        [keras.Input((6, 5, 3)), layers.Conv2D(2, 2, name="convolution")]
    )
    images = np.random.default_rng(0).random((2, 6, 5, 3)).astype(np.float32)
    display = FeatureMapsDisplay.from_estimator(network, images, row=1)
    assert display.image.shape == (6, 5, 3)
    np.testing.assert_allclose(
        display.feature_maps["convolution"],
        outputs(network, images[1], "convolution"),
        atol=1e-6,
    )


def test_refuses_networks_without_images(mlp, digits):
    with pytest.raises(ValueError, match="no convolution layer"):
        FiltersDisplay.from_estimator(mlp)
    with pytest.raises(ValueError, match="no convolution or pooling"):
        FeatureMapsDisplay.from_estimator(mlp, digits[0])
    with pytest.raises(ValueError, match="no convolution layer"):
        FiltersDisplay.from_estimator(build_mlp((4,), 2))
    assert plt.get_fignums() == []


def test_refuses_what_is_no_fitted_network(digits):
    with pytest.raises(NotFittedError):
        FiltersDisplay.from_estimator(KerasCNNClassifier())
    with pytest.raises(TypeError, match=r"FiltersDisplay.*KNeighborsClassifier"):
        FiltersDisplay.from_estimator(KNeighborsClassifier().fit(*digits))
    with pytest.raises(TypeError, match="graph of layers"):
        FiltersDisplay.from_estimator(keras.Sequential([layers.Conv2D(1, 1)]))


@pytest.mark.parametrize(
    ("params", "error", "message"),
    [
        ({"row": 300}, ValueError, "0 to 299"),
        ({"row": 1.5}, TypeError, "row"),
        ({"layers": ["convolution_3"]}, ValueError, "'convolution_1', 'pooling_1'"),
        ({"layers": []}, ValueError, "layers must be among"),
        ({"max_maps": 0}, ValueError, "max_maps"),
    ],
)
def test_refuses_rows_and_layers_that_are_not_there(
    digits, cnn, params, error, message
):
    with pytest.raises(error, match=message):
        FeatureMapsDisplay.from_estimator(cnn, digits[0], **params)
    assert plt.get_fignums() == []


def test_refuses_an_image_that_does_not_fit():
    network = keras.Sequential([keras.Input((6, 5, 3)), layers.Conv2D(2, 2)])
    with pytest.raises(ValueError, match=r"shape \(6, 5, 3\).*\(7, 5, 3\)"):
        FeatureMapsDisplay.from_estimator(network, np.zeros((1, 7, 5, 3)))


def test_a_network_sees_its_own_images_whatever_the_layout_of_the_scaler(digits):
    images = np.repeat(digits[0].reshape(-1, 8, 8, 1), 3, axis=-1)[:40, :6]
    shown = []
    for layout in ("flat", "channels_last", "channels_first"):
        network = KerasCNNClassifier(filters=2, units=4, epochs=1, random_state=0)
        model = make_pipeline(ImageScaler(layout=layout), network)
        model.fit(images, np.arange(40) % 2)
        shown.append(FeatureMapsDisplay.from_estimator(model, images, row=3))
    for display in shown[1:]:
        np.testing.assert_array_equal(display.image, shown[0].image)
        for name, maps in display.feature_maps.items():
            np.testing.assert_array_equal(maps, shown[0].feature_maps[name])


@pytest.mark.parametrize("one", [np.asarray, list])
def test_one_image_without_its_row_is_refused(digits, cnn, one):
    with pytest.raises(ValueError, match=r"one image.*X\[None\] is a batch"):
        FeatureMapsDisplay.from_estimator(cnn, one(digits[0][0]))
