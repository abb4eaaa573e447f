"""Descriptions of networks, split into structure and numbers."""

import numpy as np
import pytest

from skmnist._construction import rebuild
from skmnist._description import split_description
from skmnist.networks import build_cnn, build_mlp


def described(builder, shape, **parameters):
    return builder(shape, 3, **parameters).to_json()


def test_numbers_are_found_in_their_places():
    config = described(
        build_cnn, (8, 8, 1), filters=2, units=4, dropout=(0.25, 0.5), l1=0.1, l2=0.2
    )
    _, values = split_description(config)
    layers = ("convolution_1", "hidden_1", "probabilities")
    factors = [("l1", 0.1), ("l2", 0.2)]
    assert values == {
        ("dropout", "rate"): 0.25,
        ("dropout_1", "rate"): 0.5,
    } | {(name, "kernel_regularizer", f): v for name in layers for f, v in factors}


@pytest.mark.parametrize(
    ("parameters", "is_same"),
    [
        ({"dropout": 0.1}, True),
        ({"l1": 0.3, "l2": 0.0}, True),
        ({"units": 5}, False),
        ({"activation": "tanh"}, False),
        ({"dtype": "float64"}, False),
    ],
)
def test_numbers_alone_make_no_other_structure(parameters, is_same):
    usual = {"units": 4, "dropout": 0.2, "l2": 0.1}
    one, other = (
        split_description(described(build_mlp, (9,), **{**usual, **changed}))[0]
        for changed in ({}, parameters)
    )
    assert (one == other) == is_same


def test_a_structure_predicts_as_the_network_does():
    config = described(build_mlp, (9,), units=4, dropout=0.9, l1=0.1)
    structure, _ = split_description(config)
    assert split_description(structure)[0] == structure
    network, rebuilt = rebuild(config, None), rebuild(structure, None)
    rebuilt.set_weights(network.get_weights())
    rows = np.random.default_rng(0).random((20, 9), dtype=np.float32)
    assert np.array_equal(
        rebuilt.predict(rows, verbose=0), network.predict(rows, verbose=0)
    )
    # What draws in training draws here too.
    assert len(rebuilt.variables) == len(network.variables)
