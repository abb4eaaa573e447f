"""The ONNX graph of a network gives what Keras gives."""

import numpy as np
import onnx
import onnxruntime
import pytest
from scipy.special import softmax

from skmnist._inference.activations import ACTIVATIONS
from skmnist._inference.graph import Graph, add_network
from skmnist._inference.network import TrainedNetwork
from skmnist.networks import ARCHITECTURES, NetworkSpec, build_cnn, build_mlp
from skmnist.networks._graphs import network_layers

LAYERS = build_cnn.__kwdefaults__.keys()


def randomized(model, rng):
    """Give a Keras model weights that saturate nothing, biases included."""
    for weight in model.weights:
        values = rng.standard_normal(weight.shape)
        if "variance" in weight.name:
            values = np.abs(values) * 20  # a tenth of it below
        n_inputs = np.prod(weight.shape[:-1])
        weight.assign(values / np.sqrt(n_inputs) if n_inputs > 1 else values / 10)
    return model.get_weights()


def logits_by_onnx(input_shape, plan, weights, images):
    graph = Graph()
    logits = add_network(graph, "images", input_shape, plan, weights)
    model = graph.model(
        {"images": (onnx.TensorProto.FLOAT, input_shape)},
        {"logits": (logits, onnx.TensorProto.FLOAT, (plan[-1].units,))},
        version="0",
    )
    onnx.checker.check_model(model, full_check=True)
    session = onnxruntime.InferenceSession(model.SerializeToString())
    return session.run(None, {"images": images})[0]


def assert_same(builder, input_shape, n_classes, parameters, rng):
    model = builder(input_shape, n_classes, **parameters)
    weights = randomized(model, rng)
    spec = NetworkSpec(builder, input_shape, n_classes, parameters)
    shape, plan = network_layers(spec)
    inputs = rng.random((8, *shape), dtype=np.float32)
    logits = logits_by_onnx(shape, plan, weights, inputs)
    wanted = np.asarray(model(inputs.reshape(8, *input_shape)))
    np.testing.assert_allclose(softmax(logits, axis=1), wanted, atol=1e-5)
    outputs, are_logits = TrainedNetwork(spec, weights).run(inputs)
    assert are_logits
    assert np.array_equal(outputs, logits, equal_nan=True)


@pytest.mark.parametrize("activation", [*ACTIVATIONS, "linear"])
@pytest.mark.parametrize("builder", [build_mlp, build_cnn])
def test_every_activation_is_that_of_keras(builder, activation):
    parameters = {"activation": activation, "units": (9, 5)}
    if builder is build_cnn:
        parameters.update(filters=(3, 4), pool_size=(1, 2))
    rng = np.random.default_rng(0)
    assert_same(builder, (8, 7, 2), 3, parameters, rng)


def test_every_activation_that_keras_knows_can_be_written():
    import keras

    from skmnist.classifiers._layers import _check_keeps_shape

    def is_useful(name):
        try:
            _check_keeps_shape(keras.activations.get(name))
        except Exception:
            return False
        return True

    names = [
        n for n, f in vars(keras.activations).items() if n.islower() and callable(f)
    ]
    useful = {name for name in names if is_useful(name)}
    assert useful - {"linear"} == set(ACTIVATIONS)


@pytest.mark.parametrize("name", ARCHITECTURES)
def test_every_named_network_can_be_written(name):
    architecture = ARCHITECTURES[name]
    builder = build_cnn if architecture.classifier == "cnn" else build_mlp
    shape = (28, 28, 1) if builder is build_cnn else (784,)
    settings = {k: v for k, v in architecture.parameters.items() if k in LAYERS}
    assert_same(builder, shape, 10, settings, np.random.default_rng(0))


@pytest.mark.parametrize("builder", [build_mlp, build_cnn])
@pytest.mark.parametrize(
    "parameters",
    [
        {"kernel_initializer": "he_normal", "l1": 1e-3, "l2": 0.1},
        {"dropout": 0.5, "units": 7},
        {"units": ()},
    ],
    ids=str,
)
def test_options_for_training_make_no_difference(builder, parameters):
    if builder is build_cnn:
        parameters = {"filters": 3, **parameters}
    assert_same(builder, (8, 7, 1), 3, parameters, np.random.default_rng(0))


@pytest.mark.filterwarnings("ignore:You are using a softmax over axis:UserWarning")
@pytest.mark.parametrize("seed", range(4))
def test_random_networks_are_those_of_keras(seed):
    rng = np.random.default_rng(seed)
    names = [*ACTIVATIONS, None]
    poolings = None, "average", "max"
    for _ in range(50):
        n_convolutions = int(rng.integers(1, 3))
        parameters = {
            "units": tuple(rng.integers(1, 30, rng.integers(0, 3)).tolist()),
            "activation": names[rng.integers(len(names))],
            "dropout": float(rng.choice([0.0, 0.3])),
            "batch_normalization": bool(rng.random() < 0.3),
        }
        if rng.random() < 0.3:
            shape = tuple(rng.integers(1, 9, rng.integers(1, 4)).tolist())
            assert_same(build_mlp, shape, 4, parameters, rng)
            continue
        pairs = [
            tuple(pair) for pair in rng.integers(1, 4, (n_convolutions, 2)).tolist()
        ]
        pools = [
            tuple(pair) for pair in rng.integers(1, 3, (n_convolutions, 2)).tolist()
        ]
        parameters.update(
            filters=tuple(rng.integers(1, 9, n_convolutions).tolist()),
            kernel_size=tuple(pairs),
            pool_size=tuple(pools) if rng.random() < 0.7 else None,
            padding=tuple(rng.choice(["valid", "same"], n_convolutions).tolist()),
            pooling=str(rng.choice(["max", "average"])),
            strides=tuple(rng.integers(1, 3, n_convolutions).tolist()),
            global_pooling=poolings[rng.integers(3)],
        )
        shape = (*rng.integers(14, 21, 2).tolist(), int(rng.integers(1, 4)))
        assert_same(build_cnn, shape, int(rng.integers(2, 12)), parameters, rng)
