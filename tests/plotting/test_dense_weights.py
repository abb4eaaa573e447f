import warnings

import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.decomposition import PCA
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.linear_model import LogisticRegression, Ridge
from sklearn.neighbors import KNeighborsClassifier
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import (
    FunctionTransformer,
    MaxAbsScaler,
    MinMaxScaler,
    Normalizer,
    RobustScaler,
    StandardScaler,
)
from sklearn.svm import SVC, LinearSVC

from skmnist import Deskewer, ImageScaler, KerasMLPClassifier
from skmnist.networks import build_mlp
from skmnist.plotting import DenseWeightsDisplay


def shown(display):
    return np.array([artist.get_array() for artist in display.images_])


def titles(display):
    return [ax.get_title() for ax in display.axes_]


def test_pictures_are_the_weights_of_the_units_largest_first(mlp, left_alone):
    model = mlp[-1].model_
    with left_alone(model), warnings.catch_warnings(action="error"):
        display = DenseWeightsDisplay.from_estimator(mlp, n_units=5)
    kernel = model.get_layer("hidden_1").get_weights()[0]
    largest = np.argsort(-np.linalg.norm(kernel.astype(float), axis=0))[:5]
    assert display.units.tolist() == largest.tolist()
    np.testing.assert_allclose(shown(display), kernel.T[largest].reshape(5, 8, 8))
    assert titles(display) == [f"unit {unit}" for unit in largest]


def test_colours_are_symmetric_about_zero_and_the_same_for_all(mlp):
    display = DenseWeightsDisplay.from_estimator(mlp, n_units=5)
    limits = {artist.get_clim() for artist in display.images_}
    assert len(limits) == 1
    low, high = limits.pop()
    assert low == -high
    assert 0 < high <= np.abs(display.weights).max()


def test_chosen_units_in_their_order(mlp):
    display = DenseWeightsDisplay.from_estimator(mlp, units=[7, 2])
    kernel = mlp[-1].model_.get_layer("hidden_1").get_weights()[0]
    np.testing.assert_allclose(shown(display), kernel.T[[7, 2]].reshape(2, 8, 8))
    assert titles(display) == ["unit 7", "unit 2"]


def test_keras_model_of_images_knows_their_shape():
    network = build_mlp((4, 6), 3, units=2)
    display = DenseWeightsDisplay.from_estimator(network)
    assert shown(display).shape == (2, 4, 6)


def test_weights_of_colour_images_are_drawn_in_colour():
    network = build_mlp((4, 6, 3), 3, units=2)
    display = DenseWeightsDisplay.from_estimator(network, units=[0, 1])
    kernel = network.get_layer("hidden_1").get_weights()[0]
    np.testing.assert_allclose(display.weights, kernel.T.reshape(2, 4, 6, 3))
    assert display.colorbar_ is None
    pictures = shown(display)
    assert pictures.min() >= 0
    assert pictures.max() <= 1
    assert np.corrcoef(pictures.ravel(), display.weights.ravel())[0, 1] > 0.99


def test_linear_classifier_has_a_picture_for_each_class(digits):
    X, y = digits
    names = np.array(list("abcdefghij"))[y]
    model = make_pipeline(LogisticRegression(max_iter=500)).fit(X / 255, names)
    display = DenseWeightsDisplay.from_estimator(model)
    assert titles(display) == list("abcdefghij")
    np.testing.assert_allclose(shown(display), model[-1].coef_.reshape(10, 8, 8))


def test_two_classes_share_one_picture(digits):
    X, y = digits
    model = LinearSVC().fit(X[y < 2] / 255, y[y < 2])
    display = DenseWeightsDisplay.from_estimator(model)
    assert titles(display) == ["1"]
    np.testing.assert_allclose(shown(display)[0], model.coef_.reshape(8, 8))


def test_sparse_coefficients(digits):
    model = LogisticRegression(max_iter=500).fit(digits[0] / 255, digits[1])
    expected = model.coef_.reshape(10, 8, 8)
    display = DenseWeightsDisplay.from_estimator(model.sparsify())
    np.testing.assert_allclose(shown(display), expected)


@pytest.mark.filterwarnings("ignore:Stochastic Optimizer")
def test_first_layer_of_scikit_learns_network(digits):
    X, y = digits
    network = MLPClassifier((6, 4), max_iter=20, random_state=0)
    model = network.fit(X[:50] / 255, y[:50])
    display = DenseWeightsDisplay.from_estimator(model)
    np.testing.assert_allclose(
        shown(display), model.coefs_[0].T[display.units].reshape(6, 8, 8)
    )


def test_drawing_anew_keeps_the_weights(mlp):
    display = DenseWeightsDisplay.from_estimator(mlp, n_units=2)
    before = display.weights.copy()
    _, axes = plt.subplots(1, 2)
    display.plot(ax=axes)
    assert display.axes_.tolist() == axes.tolist()
    np.testing.assert_array_equal(display.weights, before)


def test_refuses_networks_whose_dense_layer_sees_no_pixels(cnn):
    with pytest.raises(ValueError, match=r"convolution_1.*FiltersDisplay"):
        DenseWeightsDisplay.from_estimator(cnn)


def test_refuses_a_dense_layer_along_the_rows_of_images():
    import keras

    network = keras.Sequential([keras.Input((8, 8)), keras.layers.Dense(4)])
    with pytest.raises(ValueError, match="weights for 8 values of 64"):
        DenseWeightsDisplay.from_estimator(network)


# As many components as pixels are still no pixels.
@pytest.mark.parametrize(
    "step", [PCA(16), PCA(), FunctionTransformer(np.flip), FrozenEstimator(PCA())]
)
@pytest.mark.parametrize("frozen", [False, True])
def test_refuses_weights_of_features_that_are_no_pixels(digits, step, frozen):
    X, y = digits
    if isinstance(step, FrozenEstimator):
        step.estimator.fit(X / 255)
    model = make_pipeline(step, LogisticRegression()).fit(X / 255, y)
    model = FrozenEstimator(model) if frozen else model
    with pytest.raises(
        ValueError, match=r"step (PCA|FunctionTransformer), which may not"
    ):
        DenseWeightsDisplay.from_estimator(model)


def test_pixels_may_be_scaled_and_deskewed_before(digits):
    X, y = digits
    steps = [
        ImageScaler(),
        Deskewer(),
        "passthrough",
        StandardScaler(),
        MinMaxScaler(),
        MaxAbsScaler(),
        RobustScaler(),
        Normalizer(),
        FunctionTransformer(),
        None,
    ]
    model = make_pipeline(*steps, LogisticRegression(max_iter=500)).fit(X, y)
    display = DenseWeightsDisplay.from_estimator(model)
    np.testing.assert_allclose(shown(display), model[-1].coef_.reshape(10, 8, 8))


def test_frozen_model_is_shown_like_the_model(mlp):
    display = DenseWeightsDisplay.from_estimator(FrozenEstimator(mlp), n_units=3)
    expected = DenseWeightsDisplay.from_estimator(mlp, n_units=3)
    np.testing.assert_array_equal(shown(display), shown(expected))


def test_refuses_classifiers_without_weights(digits):
    X, y = digits
    with pytest.raises(TypeError, match="KNeighborsClassifier"):
        DenseWeightsDisplay.from_estimator(KNeighborsClassifier().fit(X, y))
    with pytest.raises(TypeError, match="needs a classifier; Ridge has no classes"):
        DenseWeightsDisplay.from_estimator(Ridge().fit(X, y))
    # Three classes have three pairs as well, and still no weights of their own.
    few = y < 3
    with pytest.raises(TypeError, match="SVC has no weights for each class"):
        DenseWeightsDisplay.from_estimator(SVC(kernel="linear").fit(X[few], y[few]))
    with pytest.raises(NotFittedError):
        DenseWeightsDisplay.from_estimator(KerasMLPClassifier())


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({"units": [12]}, "0 to 11"),
        ({"units": [-1]}, "0 to 11"),
        ({"units": [0.5]}, "0 to 11"),
        ({"n_units": 0}, "n_units"),
        ({"image_shape": (5, 5)}, "64 columns"),
        ({"n_columns": -1}, "n_columns"),
    ],
)
def test_refuses_units_and_shapes_that_are_not_there(mlp, params, message):
    with pytest.raises(ValueError, match=message):
        DenseWeightsDisplay.from_estimator(mlp, **params)
    assert plt.get_fignums() == []
