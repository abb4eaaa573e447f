"""Tensors of other libraries as images and labels."""

import numpy as np
import pytest
from builders import small_cnn, small_mlp


def tensorflow_tensor(array):
    return pytest.importorskip("tensorflow").convert_to_tensor(array)


def torch_tensor(array):
    return pytest.importorskip("torch").as_tensor(np.array(array))


def jax_array(array):
    return pytest.importorskip("jax.numpy").asarray(array)


@pytest.mark.parametrize("convert", [tensorflow_tensor, torch_tensor, jax_array])
@pytest.mark.parametrize("small", [small_mlp, small_cnn])
def test_tensors_are_taken_as_the_arrays_they_hold(convert, small, digits):
    X, y = digits
    expected = small().fit(X, y).predict_proba(X)
    images, labels = convert(X.reshape(-1, 8, 8)), convert(y)
    model = small().fit(images, labels)
    assert np.array_equal(model.classes_, np.arange(10))
    probabilities = model.predict_proba(images)
    assert type(probabilities) is np.ndarray
    assert np.array_equal(probabilities, expected)
    assert model.score(images, labels) == np.mean(expected.argmax(axis=1) == y)


@pytest.mark.parametrize("convert", [tensorflow_tensor, torch_tensor, jax_array])
def test_validation_data_and_weights_may_be_tensors(convert, digits):
    X, y = digits
    weights = np.linspace(1, 2, 200, dtype=np.float32)
    expected = small_mlp().fit(X[:200], y[:200], weights, X_val=X[200:], y_val=y[200:])
    model = small_mlp().fit(
        convert(X[:200]),
        convert(y[:200]),
        convert(weights),
        X_val=convert(X[200:]),
        y_val=convert(y[200:]),
    )
    assert model.history_ == expected.history_
