"""Networks that no machine could hold are refused before anything is built."""

import inspect

import numpy as np
import pytest

from skmnist import KerasCNNClassifier, KerasDNNClassifier, KerasMLPClassifier
from skmnist.networks import ARCHITECTURES, NetworkSpec, _memory, build_cnn, build_mlp
from skmnist.networks._graphs import network_layers
from skmnist.networks._plans import weight_shapes

HUGE = 10**12


@pytest.mark.parametrize(
    ("build", "shape", "params"),
    [
        (build_mlp, (64,), {"units": 3}),
        (build_mlp, (6, 5, 3), {"units": (4, 2), "dropout": 0.5}),
        (build_mlp, (7,), {"units": ()}),
        (build_cnn, (9, 7), {}),
        (build_cnn, (9, 7, 3), {"padding": "same"}),
        (
            build_cnn,
            (12, 11, 1),
            {"filters": (2, 3), "kernel_size": ((1, 3), 2), "pool_size": (2, (3, 1))},
        ),
        (
            build_cnn,
            (1, 30),
            {"filters": 2, "kernel_size": ((1, 3),)},
        ),
    ],
)
def test_weights_are_known_before_they_are_built(build, shape, params):
    planned = weight_shapes(*network_layers(NetworkSpec(build, shape, 4, params)))
    built = build(shape, 4, **params).weights
    assert planned == [tuple(weight.shape) for weight in built]


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_named_networks_pass(name):
    architecture = ARCHITECTURES[name]
    builder = build_cnn if architecture.classifier == "cnn" else build_mlp
    signature = inspect.signature(builder).parameters
    params = {k: v for k, v in architecture.parameters.items() if k in signature}
    _memory.check_memory(NetworkSpec(builder, (28, 28, 1), 10, params))


@pytest.mark.parametrize(
    ("classifier", "words"),
    [
        (KerasMLPClassifier(units=HUGE), "units=1000000000000"),
        (KerasMLPClassifier(units=10**30), "units=1000"),
        (KerasDNNClassifier(units=(4, HUGE, 4)), r"units=\(4, 1000000000000, 4\)"),
        (KerasDNNClassifier(units=(10**6,) * 3), "units="),
        (KerasCNNClassifier(filters=HUGE), "filters=1000000000000, kernel_size=3"),
        (KerasCNNClassifier(filters=2, units=HUGE), "units=1000000000000"),
        (
            KerasCNNClassifier(filters=2, kernel_size=HUGE, padding="same"),
            "kernel_size=1000000000000",
        ),
    ],
    ids=str,
)
@pytest.mark.parametrize("method", ["fit", "partial_fit"])
def test_weights_beyond_the_memory_are_refused_by_number(classifier, words, method):
    X, y = np.zeros((4, 8, 8), dtype=np.float32), np.array([0, 1, 0, 1])
    arguments = {"classes": [0, 1]} if method == "partial_fit" else {}
    with pytest.raises(ValueError, match=rf"too large .* take [\d,]+ bytes.*{words}"):
        getattr(classifier, method)(X, y, **arguments)
    assert not hasattr(classifier, "classes_")


@pytest.mark.parametrize(("limit", "fits"), [("100000", False), ("max", True)])
def test_the_limit_of_a_container_counts(limit, fits, tmp_path, monkeypatch):
    monkeypatch.setattr(_memory, "_CGROUP_LIMIT", tmp_path / "memory.max")
    (tmp_path / "memory.max").write_text(f"{limit}\n")
    spec = NetworkSpec(build_mlp, (64,), 10, {"units": 512})
    if fits:
        _memory.check_memory(spec)
    else:
        with pytest.raises(ValueError, match=r"38,410 weights .* there are 100,000"):
            _memory.check_memory(spec)
