"""Prediction: one image at a time as well as many, in any thread and process."""

import os
import pickle
import subprocess
import sys
import threading

import numpy as np
import pytest
from builders import dense, small_cnn, small_mlp

from skmnist import KerasImageClassifier
from skmnist._inference import network
from skmnist._inference.activations import ACTIVATIONS
from skmnist._inference.session import NetworkSession
from skmnist.networks import NetworkSpec, build_cnn, build_mlp
from skmnist.networks._graphs import network_layers

NETWORKS = [
    (build_mlp, (784,), {"units": 512}),
    (build_mlp, (64,), {"units": (300, 7), "activation": "softmax"}),
    (build_cnn, (28, 28, 1), {"filters": (8, 16), "units": 64}),
    (build_cnn, (9, 7, 3), {"filters": 5, "units": (), "activation": "gelu"}),
    (
        build_cnn,
        (28, 28, 1),
        {
            "filters": (9, 16),
            "strides": 2,
            "batch_normalization": True,
            "global_pooling": "average",
        },
    ),
]
NAMES = ["mlp", "softmax inside", "cnn", "three channels", "normalized"]
SIZES = [1, 2, 3, 7, 8, 31, 32, 33, 64, 65, 255, 256, 257, 300]


def trained_network(builder, shape, parameters):
    """Return the layers of a network, and weights that saturate nothing."""
    input_shape, plan = network_layers(NetworkSpec(builder, shape, 10, parameters))
    rng = np.random.default_rng(0)
    weights, shape = [], input_shape
    for layer in plan:
        for name, size in layer.weight_shapes(shape).items():
            array = rng.normal(0, 0.1, size)
            weights.append(np.abs(array) if name == "moving_variance" else array)
        shape = layer.output_shape(shape)
    return input_shape, plan, weights


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_odd_widths_give_the_same_bits_in_any_company(activation):
    for builder, shape, params in (
        (build_mlp, (20,), {"units": (7, 13)}),
        (build_cnn, (9, 9, 1), {"units": (), "filters": 5, "pooling": "average"}),
    ):
        params = {**params, "activation": activation, "batch_normalization": True}
        input_shape, plan, weights = trained_network(builder, shape, params)
        session = NetworkSession(input_shape, plan, weights)
        inputs = np.random.default_rng(1).random((37, *shape), dtype=np.float32)
        alone = np.concatenate([session.run(row[None]) for row in inputs])
        for ends in ([37], [5, 18, 37], [1, 3, 9, 37]):
            parts = np.split(inputs, ends[:-1])
            assert np.array_equal(np.concatenate([*map(session.run, parts)]), alone)


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_a_row_gives_the_same_bits_in_any_company(network):
    session = NetworkSession(*trained_network(*network))
    inputs = np.random.default_rng(1).random((600, *network[1]), dtype=np.float32)
    alone = np.concatenate([session.run(row[None]) for row in inputs[:300]])
    assert len(np.unique(alone, axis=0)) == 300
    whole = session.run(inputs)
    assert np.array_equal(whole[:300], alone)
    for size in range(1, 301) if network[0] is build_mlp else SIZES:
        assert np.array_equal(session.run(inputs[:size]), alone[:size])
    for size in SIZES:
        assert np.array_equal(session.run(inputs[-size:]), whole[-size:])
        start = 300 - size
        assert np.array_equal(session.run(inputs[start:300]), alone[start:])


@pytest.mark.parametrize("network", NETWORKS, ids=NAMES)
def test_bytes_and_inputs_of_any_layout_are_taken_as_they_are(network):
    session = NetworkSession(*trained_network(*network))
    pixels = np.random.default_rng(1).integers(256, size=(70, *network[1]), dtype="u1")
    expected = session.run(pixels.astype(np.float32))
    assert expected.dtype == np.float32
    assert np.array_equal(session.run(pixels), expected)
    assert np.array_equal(session.run(np.asfortranarray(pixels)), expected)
    assert np.array_equal(session.run(pixels[::-2]), expected[::-2])
    assert session.run(pixels[:0]).shape == (0, 10)


def test_weights_of_any_layout_are_taken_as_they_are():
    input_shape, plan, weights = trained_network(*NETWORKS[0])
    weights = [array.astype(np.float32) for array in weights]
    inputs = np.random.default_rng(1).random((9, *input_shape), dtype=np.float32)
    expected = NetworkSession(input_shape, plan, weights).run(inputs)

    def unaligned(array):
        buffer = np.empty(array.nbytes + 1, np.uint8)
        twin = buffer[1:].view(np.float32).reshape(array.shape)
        twin[:] = array
        twin.setflags(write=False)  # as in memory that processes share
        return twin

    for change in (unaligned, np.asfortranarray, lambda array: array.astype(">f4")):
        session = NetworkSession(input_shape, plan, list(map(change, weights)))
        assert np.array_equal(session.run(inputs), expected)


def test_an_error_in_a_thread_ends_the_call():
    session = NetworkSession(*trained_network(*NETWORKS[2]))
    inputs = np.zeros((2000, *NETWORKS[2][1]), np.float32)
    run_block, rows = session._run_block, []

    def failing(block):
        rows.append(len(block))
        if len(rows) == 2:
            raise MemoryError
        return run_block(block)

    session._run_block = failing
    with pytest.raises(MemoryError):
        session.run(inputs)
    assert sum(rows) < 1000


SHARES = """
import pickle, sys
import numpy as np
from skmnist._inference.session import NetworkSession, _threads

network, inputs = pickle.load(sys.stdin.buffer)
_, n_threads = _threads(0)
result = NetworkSession(*network).run(inputs), n_threads
sys.stdout.buffer.write(pickle.dumps(result))
"""


@pytest.mark.parametrize("network", NETWORKS[::2], ids=NAMES[::2])
@pytest.mark.parametrize("allotted", ["1", "2", "", "many"])
def test_another_process_gives_the_same_bits_with_any_number_of_threads(
    network, allotted
):
    network = trained_network(*network)
    inputs = np.random.default_rng(1).random((300, *network[0]), dtype=np.float32)
    environment = os.environ | {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "OMP_NUM_THREADS": allotted,
        "LOKY_MAX_CPU_COUNT": "3",
    }
    run = subprocess.run(
        [sys.executable, "-c", SHARES],
        input=pickle.dumps((network, inputs)),
        env=environment,
        capture_output=True,
        check=True,
    )
    given, n_threads = pickle.loads(run.stdout)
    assert np.array_equal(given, NetworkSession(*network).run(inputs))
    n_cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else 3
    assert n_threads == min(3, n_cores, int(allotted) if allotted.isdecimal() else 3)


def test_threads_predict_the_same_bits_as_one(digits):
    X, y = digits
    models = [small_mlp(units=25, random_state=seed).fit(X, y) for seed in range(3)]
    models.append(small_cnn(filters=5).fit(X, y))
    n_threads = 8
    sizes = (1, 5, 70, 300)
    given = [[] for _ in range(n_threads)]
    start = threading.Barrier(n_threads)

    def predict(results):
        start.wait()  # so that all of them find no session
        for size in sizes:
            for model in models:
                results.append(model.predict_proba(X[:size]))

    threads = [threading.Thread(target=predict, args=(results,)) for results in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    expected = [model.predict_proba(X[:size]) for size in sizes for model in models]
    for results in given:
        assert len(results) == len(expected)
        assert all(map(np.array_equal, results, expected))


@pytest.mark.parametrize("n_rows", [1, 2, 16, 17, 256, 257, 300])
def test_networks_of_the_users_own_take_any_number_of_rows(n_rows, digits):
    X, y = digits
    model = KerasImageClassifier(builder=dense, epochs=1, random_state=0).fit(X, y)
    inputs = X[:n_rows].reshape(-1, 8, 8, 1)
    outputs, are_logits = model._network.run(inputs)
    assert are_logits
    assert outputs.shape == (n_rows, 10)
    assert outputs.dtype == np.float32
    wanted = model.model_.predict(inputs, verbose=0)
    np.testing.assert_allclose(model.predict_proba(X[:n_rows]), wanted, atol=1e-6)


def test_predicting_changes_nothing_in_a_network_of_the_users_own(digits, keras):
    X, y = digits

    @keras.saving.register_keras_serializable()
    class Counter(keras.layers.Layer):
        def build(self, input_shape):
            self.count = self.add_weight(shape=(), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.count.assign(self.count + 1.0)
            return inputs / self.count

    def builder(input_shape, n_classes):
        layers = dense(input_shape, n_classes).layers
        return keras.Sequential([keras.Input(input_shape), Counter(), *layers])

    model = KerasImageClassifier(builder=builder, epochs=1).fit(X, y)
    first = model.predict_proba(X)
    assert np.array_equal(model.predict_proba(X), first)


def test_a_network_may_leave_the_size_of_images_open(digits, keras):
    X, y = digits

    def builder(input_shape, n_classes):
        return keras.Sequential(
            [
                keras.Input((None, None, 1)),
                keras.layers.Conv2D(4, 3),
                keras.layers.GlobalAveragePooling2D(),
                keras.layers.Dense(n_classes, activation="softmax"),
            ]
        )

    model = KerasImageClassifier(builder=builder, epochs=1).fit(X, y)
    whole = model.predict_proba(X)
    np.testing.assert_allclose(model.predict_proba(X[:1]), whole[:1], rtol=1e-5)


def test_one_image_gives_one_row(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    assert model.predict_proba(X[:1]).shape == (1, 10)
    assert model.predict(X[:1]).shape == (1,)


def test_model_is_a_live_keras_model_that_agrees(digits, keras):
    X, y = digits
    model = small_cnn().fit(X, y)
    live = model.model_
    assert isinstance(live, keras.Model)
    np.testing.assert_allclose(
        live.predict(X.reshape(-1, 8, 8, 1), verbose=0),
        model.predict_proba(X),
        rtol=1e-4,
        atol=1e-6,
    )
    loss, accuracy = live.evaluate(X.reshape(-1, 8, 8, 1), y, verbose=0)
    assert accuracy == pytest.approx(model.score(X, y), abs=1e-6)
    assert loss > 0


def test_changing_the_live_model_does_not_change_the_classifier(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    expected = model.predict_proba(X)
    live = model.model_
    live.set_weights([0 * weights for weights in live.get_weights()])
    assert np.array_equal(model.predict_proba(X), expected)
    before = live.get_weights()
    model.partial_fit(X, y)
    assert all(map(np.array_equal, live.get_weights(), before))
    assert not np.array_equal(model.model_.get_weights()[0], before[0])


def test_fitting_again_does_not_change_networks_fitted_before(digits):
    X, y = digits
    first = small_mlp().fit(X, y)
    expected = first.predict_proba(X)
    small_mlp(random_state=1).fit(X, y).predict(X)
    assert np.array_equal(first.predict_proba(X), expected)


def test_log_probabilities_are_the_logarithms(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    np.testing.assert_allclose(
        model.predict_log_proba(X), np.log(model.predict_proba(X)), rtol=1e-12
    )


def test_many_rows_are_computed_when_the_interpreter_ends():
    script = """
import atexit
import numpy as np
from skmnist._inference.network import TrainedNetwork
from skmnist.networks import NetworkSpec, build_mlp
from skmnist.networks._graphs import network_layers
from skmnist.networks._plans import weight_shapes

spec = NetworkSpec(build_mlp, (4,), 3, {"units": 5})
shapes = weight_shapes(*network_layers(spec))
network = TrainedNetwork(spec, [np.ones(shape, np.float32) for shape in shapes])
rows = np.ones((600, 4), np.float32)
network.run(rows)
atexit.register(lambda: print(network.run(rows)[0].shape))
"""
    run = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert run.stdout == "(600, 3)\n", run.stderr


def test_an_activation_that_onnx_lacks_is_computed_by_keras(digits, monkeypatch):
    X, y = digits
    model = small_mlp(activation="mish").fit(X, y)
    expected = model.predict_proba(X)
    monkeypatch.setattr(network, "_ACTIVATIONS", {None, "softmax"})
    np.testing.assert_allclose(clone_state(model).predict_proba(X), expected, atol=1e-6)


def clone_state(model):
    """Return a copy that has made nothing to predict with."""
    return pickle.loads(pickle.dumps(model))


@pytest.mark.parametrize(
    ("n_left", "size"),
    [(1, 1), (2, 1), (3, 4), (17, 16), (33, 64), (200, 256), (999, 256)],
)
def test_blocks_of_user_defined_networks_are_hardly_padded(n_left, size):
    from skmnist._inference.keras_network import _block_size

    assert _block_size(n_left) == size
