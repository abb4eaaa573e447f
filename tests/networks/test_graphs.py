"""Network graphs: their sizes, what they are built from, and what does not fit."""

import warnings

import numpy as np
import pytest
from builders import small_cnn

from skmnist import KerasCNNClassifier, KerasDNNClassifier, KerasMLPClassifier
from skmnist.networks import ARCHITECTURES, build_cnn, build_mlp

PUBLISHED_SIZES = {
    "mlp_512": 407_050,
    "dnn_512_512": 669_706,
    "cnn_32_64": 1_199_882,
    "mlp_512_256": 535_818,
    "mlp_256_256": 269_322,
    "mlp_784": 623_290,
    "cnn_simple": 592_074,
    "cnn_large": 59_933,
    "lenet5": 61_706,
}
CLASSIFIERS = {
    "mlp": KerasMLPClassifier,
    "dnn": KerasDNNClassifier,
    "cnn": KerasCNNClassifier,
}


@pytest.mark.parametrize("name", PUBLISHED_SIZES)
def test_a_named_architecture_has_exactly_its_published_size(name):
    architecture = ARCHITECTURES[name]
    classifier = CLASSIFIERS[architecture.classifier](**architecture.parameters)
    classifier.set_params(epochs=1)
    rng = np.random.default_rng(0)
    X = rng.random((20, 784), dtype=np.float32)
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)  # of ambiguous parameters
        classifier.fit(X, np.arange(20) % 10)
    assert classifier.n_parameters_ == PUBLISHED_SIZES[name]
    assert classifier.model_.count_params() == PUBLISHED_SIZES[name]


def layer_types(model):
    return [type(layer).__name__ for layer in model.layers[1:]]


@pytest.mark.parametrize("activation", ["relu", "tanh", "gelu"])
def test_pooling_before_the_activation_changes_nothing(activation, keras):
    params = {"filters": (3, 4), "pool_size": 2, "activation": activation}
    model = build_cnn((14, 14), 10, **params, units=(), dropout=0.0)
    images = np.random.default_rng(0).normal(size=(5, 14, 14, 1)).astype("float32")
    tensor = keras.ops.convert_to_tensor(images)
    activate = keras.activations.get(activation)
    for layer in model.layers[1:]:
        if isinstance(layer, keras.layers.Activation):
            continue
        tensor = layer(tensor)
        if isinstance(layer, keras.layers.Conv2D) and layer.activation is not activate:
            tensor = activate(tensor)
    np.testing.assert_allclose(
        keras.ops.convert_to_numpy(tensor),
        keras.ops.convert_to_numpy(model(images)),
        rtol=1e-5,
        atol=1e-6,
    )


def test_mlp_drops_out_behind_each_hidden_layer_that_asks_for_it():
    model = build_mlp((64,), 10, units=(8, 6, 4), dropout=(0.5, 0.0, 0.1))
    assert layer_types(model) == ["Dense", "Dropout", "Dense", "Dense", "Dropout"] + [
        "Dense"
    ]
    assert [layer.rate for layer in model.layers if hasattr(layer, "rate")] == [
        0.5,
        0.1,
    ]


def test_cnn_gives_each_convolution_its_own_kernel_and_pooling():
    model = build_cnn(
        (28, 20),
        10,
        filters=(3, 5),
        kernel_size=(5, (3, 1)),
        pool_size=(2, 1),
        units=(),
        dropout=0.3,
    )
    assert layer_types(model) == [
        "Conv2D",
        "MaxPooling2D",
        "Activation",
        "Conv2D",
        "Dropout",
        "Flatten",
        "Dense",
    ]
    assert [tuple(layer.output.shape[1:]) for layer in model.layers[1:5]] == [
        (24, 16, 3),
        (12, 8, 3),
        (12, 8, 3),
        (10, 8, 5),
    ]


@pytest.mark.parametrize(
    ("filters", "units"), [(4, 8), ((4, 4, 4), (8, 8)), ((4,), ())]
)
def test_pooling_and_dropout_of_a_cnn_follow_its_depth(filters, units):
    types = layer_types(build_cnn((12, 12), 10, filters=filters, units=units))
    n_convolutions = types.count("Conv2D")
    assert n_convolutions == (1 if filters == 4 else len(filters))
    assert types[n_convolutions] == "MaxPooling2D"
    assert types.count("MaxPooling2D") == 1
    assert types.count("Dropout") == 1 + (1 if units == 8 else len(units))


@pytest.mark.parametrize("build", [build_mlp, build_cnn])
def test_penalties_and_initializer_reach_all_weight_matrices(build):
    model = build((8, 8, 1), 3, l1=0.25, l2=0.5, kernel_initializer="he_normal")
    weighted = [layer for layer in model.layers if hasattr(layer, "kernel")]
    assert len(weighted) >= 2
    for layer in weighted:
        assert layer.kernel_regularizer.get_config() == {"l1": 0.25, "l2": 0.5}
        assert type(layer.kernel_initializer).__name__ == "HeNormal"


@pytest.mark.parametrize("build", [build_mlp, build_cnn])
@pytest.mark.parametrize(
    ("dtype", "expected"),
    [("float32", "float32"), ("float64", "float64")]
    + [
        (f"{mixed}{half}float16", "float32")
        for mixed in ("", "mixed_")
        for half in ("", "b")
    ],
)
def test_probabilities_have_all_the_digits(build, dtype, expected):
    last = build((8, 8, 1), 10, dtype=dtype).layers[-1]
    assert (last.compute_dtype, last.kernel.dtype) == (expected, expected)


def test_one_value_too_few_names_the_parameter():
    with pytest.raises(ValueError, match=r"dropout=\(0.5,\) gives 1 value\(s\) for 2"):
        build_mlp((64,), 10, units=(8, 8), dropout=(0.5,))


def test_an_image_that_the_convolutions_use_up_is_refused_with_the_place():
    message = "Images of 6×6 pixels are too small .* 2×2 pixels reach convolution 3"
    with pytest.raises(ValueError, match=message):
        build_cnn((6, 6, 1), 10, filters=(2, 2, 2), pool_size=1)


def test_strides_count_for_what_is_left_of_an_image():
    model = build_cnn((9, 9, 1), 2, filters=(2, 2), strides=(2, 1), pool_size=1)
    assert [layer.output.shape[1:3] for layer in model.layers[1:3]] == [(4, 4), (2, 2)]
    with pytest.raises(ValueError, match="2×2 pixels reach convolution 2"):
        build_cnn((9, 9, 1), 2, filters=(2, 2), strides=4, pool_size=1)


def test_each_convolution_may_have_its_own_padding():
    model = build_cnn(
        (28, 28),
        10,
        filters=(6, 16),
        kernel_size=5,
        pool_size=2,
        padding=("same", "valid"),
        units=(120, 84),
    )
    shapes = [layer.output.shape[1:] for layer in model.layers if "conv" in layer.name]
    assert shapes == [(28, 28, 6), (10, 10, 16)]
    assert model.count_params() == 61_706
    with pytest.raises(ValueError, match=r"padding=\('same',\) gives 1 value"):
        build_cnn((28, 28), 10, padding=("same",))


def test_average_pooling_takes_means(keras):
    model = build_cnn((4, 4), 2, filters=1, padding="same", pooling="average", units=())
    layer = model.get_layer("pooling_1")
    assert isinstance(layer, keras.layers.AveragePooling2D)
    # A mean of activations is not the activation of a mean.
    convolution = model.get_layer("convolution_1")
    assert convolution.activation is keras.activations.relu


def test_each_part_is_normalized_before_its_activation(keras):
    model = build_cnn(
        (8, 8, 1), 3, filters=(2, 4), units=6, dropout=0, batch_normalization=True
    )
    kinds = [type(layer) for layer in model.layers]
    layers = keras.layers
    for index, kind in enumerate(kinds):
        if kind in (layers.Conv2D, layers.Dense) and index < len(kinds) - 1:
            assert kinds[index + 1] is layers.BatchNormalization
            assert not model.layers[index].use_bias
            assert model.layers[index].activation is keras.activations.linear
    assert kinds.count(layers.BatchNormalization) == 3
    assert kinds.count(layers.Activation) == 3


@pytest.mark.parametrize("kind", ["average", "max"])
def test_global_pooling_leaves_one_number_of_each_feature_map(kind, keras):
    model = build_cnn((8, 8, 1), 3, filters=(2, 5), units=(), global_pooling=kind)
    assert model.layers[-1].input.shape == (None, 5)
    # Dropout comes behind it: else maps would lose pixels in place of being left out.
    assert isinstance(model.layers[-2], keras.layers.Dropout)


def test_pooling_never_takes_more_than_there_is():
    model = build_cnn((1, 10, 1), 2, filters=2, kernel_size=(((1, 3)),), pool_size=2)
    assert model.output_shape == (None, 2)


def test_classifier_fits_images_of_any_size_and_channels():
    X = np.random.default_rng(0).random((20, 6, 9, 3))
    y = np.arange(20) % 2
    model = small_cnn(epochs=1).fit(X, y)
    assert model.image_shape_ == (6, 9, 3)
    assert model.predict(X.reshape(20, -1)).tolist() == model.predict(X).tolist()


def test_builders_work_under_plain_scikeras(digits):
    from scikeras.wrappers import KerasClassifier

    X, y = digits

    def build(meta, units):
        return build_mlp(meta["X_shape_"][1:], meta["n_classes_"], units=units)

    plain = KerasClassifier(
        build,
        model__units=16,
        optimizer="adam",
        loss="sparse_categorical_crossentropy",
        epochs=10,
        verbose=0,
        optimizer__learning_rate=0.01,
    )
    assert plain.fit(X, y).score(X, y) > 0.5


def windows_of(model):
    """The kernels and pooling windows that a classifier trains with, as built."""
    layers = model.model_.layers
    return [
        tuple(getattr(layer, "kernel_size", None) or layer.pool_size)
        for layer in layers
        if type(layer).__name__ in ("Conv2D", "MaxPooling2D")
    ]


@pytest.mark.parametrize("filters", [3, (3,), (3, 3, 3)], ids=str)
@pytest.mark.parametrize("pair", [(1, 3), [3, 1], (2, 2), (np.int64(1), 2)], ids=str)
def test_two_numbers_are_a_pair_unless_there_are_two_convolutions(
    filters, pair, digits
):
    X, y = digits
    model = small_cnn(
        filters=filters, kernel_size=pair, pool_size=1, padding="same", epochs=1
    )
    n_convolutions = 1 if isinstance(filters, int) else len(filters)
    assert windows_of(model.fit(X, y)) == [tuple(pair)] * n_convolutions
    model.set_params(kernel_size=1, pool_size=pair).fit(X, y)
    assert windows_of(model)[1] == tuple(pair)


@pytest.mark.parametrize(
    ("parameter", "image_shape", "expected"),
    [
        ("kernel_size", None, [(2, 2), (1, 1), (1, 1), (1, 1)]),
        ("pool_size", None, [(1, 1), (2, 2), (1, 1)]),
        ("kernel_size", "row", [(1, 2), (1, 1), (1, 1), (1, 1)]),
    ],
)
def test_two_numbers_for_two_convolutions_are_one_for_each_and_bring_a_warning(
    parameter, image_shape, expected, digits
):
    X, y = digits
    params = {"kernel_size": 1, "pool_size": 1, "image_shape": image_shape}
    model = small_cnn(filters=(3, 4), epochs=1, **{**params, parameter: (2, 1)})
    with pytest.warns(UserWarning, match=rf"{parameter}=\(2, 1\) .*=\(\(2, 1\), \(2, "):
        model.fit(X, y)
    given = [size for size in windows_of(model) if size != (1, 1)]
    assert given == [size for size in expected if size != (1, 1)]
    # Written out, or where both readings agree, there is nothing to say.
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        model.set_params(**{parameter: ((2, 1), (1, 2))}, image_shape=None).fit(X, y)
        assert [size for size in windows_of(model) if size != (1, 1)] == [
            (2, 1),
            (1, 2),
        ]
        model.set_params(**{parameter: (2, 2)}).fit(X, y)


def test_a_pair_of_one_row_is_a_pair(digits):
    X, y = digits
    model = small_cnn(kernel_size=(1, 3), pool_size=(1, 2), image_shape="row", epochs=1)
    assert windows_of(model.fit(X, y)) == [(1, 3), (1, 2)]


def test_the_fast_network_says_what_it_means():
    params = {**ARCHITECTURES["cnn_fast"].parameters, "epochs": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        KerasCNNClassifier(**params).fit(np.zeros((20, 784)), np.arange(20) % 2)
