"""Logits: decision values, and probabilities in all the digits that they need."""

import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from scipy.special import expit, softmax
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.metrics import get_scorer, log_loss
from sklearn.neural_network import MLPClassifier

from skmnist import KerasDNNClassifier, KerasImageClassifier

NETWORKS = {
    "mlp": small_mlp(),
    "dnn": KerasDNNClassifier(units=(16, 8), epochs=3, random_state=0),
    "cnn": small_cnn(),
    "bfloat16": small_mlp(precision="bfloat16"),
}
if BACKEND != "jax":  # which has no float64 by default
    NETWORKS["float64"] = small_mlp(precision="float64")


@pytest.mark.parametrize("n_classes", [2, 3])
@pytest.mark.parametrize("name", NETWORKS)
def test_decision_values_agree_with_classes_and_probabilities(name, n_classes, digits):
    X, y = digits
    X, y = X[y < n_classes], np.array(["c", "b", "a"])[y[y < n_classes]]
    model = NETWORKS[name].fit(X, y)
    values = model.decision_function(X)
    probabilities = model.predict_proba(X)
    assert values.dtype == probabilities.dtype == np.float64
    predicted = model.predict(X)
    if n_classes == 2:
        assert values.shape == (len(X),)
        assert np.array_equal(predicted == "c", values > 0)
        np.testing.assert_allclose(probabilities[:, 1], expit(values), rtol=1e-12)
    else:
        assert values.shape == (len(X), 3)
        assert np.array_equal(predicted, model.classes_[values.argmax(axis=1)])
        np.testing.assert_allclose(probabilities, softmax(values, axis=1), rtol=1e-12)
    assert np.array_equal(predicted, model.classes_[probabilities.argmax(axis=1)])
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)
    # In double precision Keras computes, as it does for any number of rows.
    rtol = 1e-12 if name == "float64" else 0
    np.testing.assert_allclose(model.decision_function(X[:1]), values[:1], rtol=rtol)


def sure_of_two_classes(model, digits):
    """Fit 0 against 1; return images of which the network is more than certain."""
    X, y = digits
    two = y < 2
    model.fit(X[two], y[two])
    return 60 * X[two], y[two]


def softmax_as_a_layer(input_shape, n_classes):
    import keras

    layers = dense(input_shape, n_classes).layers[:-1]
    last = [keras.layers.Dense(n_classes), keras.layers.Softmax()]
    return keras.Sequential([keras.Input(input_shape), *layers, *last])


def softmax_as_a_layer_of_a_graph(input_shape, n_classes):
    import keras

    inputs = keras.Input(input_shape)
    tensor = keras.layers.Dense(n_classes)(keras.layers.Flatten()(inputs))
    return keras.Model(inputs, keras.layers.Softmax()(tensor))


def softmax_as_an_activation(input_shape, n_classes):
    import keras

    inputs = keras.Input(input_shape)
    tensor = keras.layers.Flatten()(inputs)
    tensor = keras.layers.Dense(n_classes)(tensor)
    return keras.Model(inputs, [keras.layers.Activation("softmax")(tensor)])


@pytest.mark.parametrize(
    "model",
    [
        small_mlp(epochs=20),
        small_cnn(epochs=20),
        *(
            KerasImageClassifier(builder=builder, epochs=20, random_state=0)
            for builder in (
                dense,
                softmax_as_a_layer,
                softmax_as_a_layer_of_a_graph,
                softmax_as_an_activation,
            )
        ),
    ],
    ids=["mlp", "cnn", "dense", "layer", "layer of a graph", "activation"],
)
def test_probabilities_near_0_and_1_keep_their_digits(model, digits):
    X, _ = sure_of_two_classes(model, digits)
    probabilities = model.predict_proba(X)
    assert probabilities.dtype == np.float64
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-14)
    # In float32 many were 1, all alike.
    saturated = probabilities.max(axis=1).astype(np.float32) == 1
    assert saturated.sum() > 10
    least = probabilities[saturated].min(axis=1)
    assert len(np.unique(least)) == saturated.sum()
    logarithms = model.predict_log_proba(1e3 * X)
    assert np.isfinite(logarithms).all()
    assert (logarithms < -800).any()  # where exp gives 0


def attention(input_shape, n_classes):
    """A layer with a softmax that is needed twice."""
    import keras

    inputs = keras.Input(input_shape)
    tensor = keras.layers.Flatten()(inputs)
    tensor = keras.layers.Dense(n_classes)(tensor)
    shared = keras.layers.Dense(n_classes, activation="softmax")
    return keras.Model(inputs, shared(shared(tensor)))


def mean_of_two(input_shape, n_classes):
    import keras

    inputs = keras.Input(input_shape)
    tensor = keras.layers.Flatten()(inputs)
    heads = [keras.layers.Dense(n_classes, "softmax")(tensor) for _ in range(2)]
    return keras.Model(inputs, keras.layers.Average()(heads))


def nested(input_shape, n_classes):
    import keras

    return keras.Sequential([keras.Input(input_shape), dense(input_shape, n_classes)])


def sigmoids(input_shape, n_classes):
    """Probabilities without a softmax: of two classes alone."""
    import keras

    inputs = keras.Input(input_shape)
    tensor = keras.layers.Flatten()(inputs)
    one = keras.layers.Dense(1, activation="sigmoid")(tensor)
    other = keras.layers.Rescaling(-1.0, 1.0)(one)
    return keras.Model(inputs, keras.layers.Concatenate()([other, one]))


@pytest.mark.parametrize("builder", [attention, mean_of_two, nested, sigmoids])
def test_other_networks_of_the_users_own_predict_what_they_give(builder, digits):
    X, y = digits
    X, y = X[y < 2], y[y < 2]
    model = KerasImageClassifier(builder=builder, epochs=2, random_state=0).fit(X, y)
    given = model.model_.predict(X.reshape(-1, 8, 8, 1), verbose=0)
    np.testing.assert_allclose(model.predict_proba(X), given, rtol=1e-5, atol=1e-7)
    np.testing.assert_array_equal(model.predict(X), given.argmax(axis=1))
    np.testing.assert_array_equal(
        model.predict_log_proba(X), np.log(model.predict_proba(X))
    )


def test_a_network_of_the_users_own_has_probabilities_before_and_after_fit(digits):
    # Meta-estimators choose a method before they fit, and again after it.
    model = KerasImageClassifier(builder=dense, epochs=1)
    for _ in range(2):
        assert hasattr(model, "predict_proba")
        assert not hasattr(model, "decision_function")
        model.fit(*digits)


def as_a_peer(model, X, y):
    """Return scikit-learn's classifier with the weights of a fitted `small_mlp`."""
    hidden, biases, last, last_biases = model.model_.get_weights()
    peer = MLPClassifier((hidden.shape[1],), max_iter=1).partial_fit(
        X, y, classes=[0, 1]
    )
    peer.coefs_ = [hidden.astype(float), np.diff(last.astype(float))]
    peer.intercepts_ = [biases.astype(float), np.diff(last_biases.astype(float))]
    return peer


@pytest.mark.parametrize("ensemble", [True, False])
def test_a_saturated_network_is_calibrated_as_that_of_scikit_learn(ensemble, digits):
    pytest.importorskip("sklearn", minversion="1.8")  # has temperature scaling
    model = small_mlp(epochs=20)
    X, y = sure_of_two_classes(model, digits)
    X = X.astype(float)
    X *= 24 / np.abs(model.decision_function(X)).max()
    probabilities = model.predict_proba(X)
    assert (probabilities.astype(np.float32) == 1).any()
    peer = as_a_peer(model, X, y)
    np.testing.assert_allclose(peer.predict_proba(X), probabilities, rtol=1e-3)
    y = np.where(np.arange(len(y)) % 10 == 0, 1 - y, y)  # a tenth is wrong
    calibrated, expected = (
        CalibratedClassifierCV(
            FrozenEstimator(sure), method="temperature", cv=2, ensemble=ensemble
        )
        .fit(X, y)
        .predict_proba(X)
        for sure in (model, peer)
    )
    assert log_loss(y, calibrated) < log_loss(y, probabilities) / 2
    np.testing.assert_allclose(calibrated, expected, rtol=1e-2)
    assert len(np.unique(calibrated[:, 1])) == len(X)


@pytest.mark.parametrize("scoring", ["roc_auc", "average_precision"])
def test_scores_by_decision_values_are_those_by_probabilities(scoring, digits):
    model = small_mlp(epochs=1)
    X, y = digits
    y = y % 2
    model.fit(X, y)
    scorer = get_scorer(scoring)
    by_hand = scorer._score_func(y, model.predict_proba(X)[:, 1])
    assert scorer(model, X, y) == pytest.approx(by_hand, abs=1e-12)
