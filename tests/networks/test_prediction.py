"""Prediction: compiled once, and one image at a time as well as many."""

import threading

import numpy as np
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from scipy.special import softmax

import skmnist
from skmnist import KerasCNNClassifier, KerasDNNClassifier, KerasImageClassifier
from skmnist._forward import ForwardProgram, _pass_in_blocks, _split

# Around the sizes of the blocks that go through the network.
SIZES = [1, 7, 8, 9, 63, 64, 65, 255, 256, 257, 600]


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((600, 784), dtype=np.float32)


@pytest.mark.parametrize(
    "model", [small_mlp(units=300), small_cnn(filters=(8, 16), units=64)], ids=repr
)
def test_probabilities_of_an_image_do_not_depend_on_its_neighbours(model, images):
    y = np.arange(600) % 10
    model.set_params(epochs=1).fit(images[:40], y[:40])
    alone = np.concatenate([model.predict_proba(image[None]) for image in images[:70]])
    whole = model.predict_proba(images)
    assert np.array_equal(whole[:70], alone)
    for size in SIZES:
        assert np.array_equal(model.predict_proba(images[:size]), whole[:size])
        assert np.array_equal(model.predict_proba(images[-size:]), whole[-size:])


@pytest.mark.parametrize(
    ("odd_places", "odd_sizes"),
    [
        (lambda size: np.full(size, size < 8), {2, 1}),
        (lambda size: np.full(size, size == 256), {256}),
        (lambda size: np.arange(size) >= size // 6 * 6, {2, 8, 16, 64, 256}),
    ],
    ids=["small blocks", "large blocks", "the last rows"],
)
def test_blocks_that_round_a_few_rows_in_another_way_are_not_used(
    odd_places, odd_sizes, digits
):
    X, y = digits
    model = small_mlp().fit(X, y)
    program = ForwardProgram(model._network.config)
    sizes = []

    def forward(weights, rows, n_at_once):
        rows = np.asarray(rows)
        sizes.append(len(rows))
        odd = odd_places(len(rows)) & (rows[:, 0] * 1000 % 1 < 0.05)
        return rows[:, :2] * np.where(odd, 1 + 2**-20, 1)[:, None].astype(np.float32)

    program._forward = forward
    for n_rows in (1, 2, 8, 20, 40, 150, 300):
        program.run([], X[:n_rows])
    sizes.clear()
    outputs = [program.run([], X[:n]) for n in (1, 2, 8, 20, 40, 150, 300)]
    assert not odd_sizes & set(sizes)
    assert all(np.array_equal(some, outputs[-1][: len(some)]) for some in outputs)


@pytest.mark.parametrize(
    ("model", "odd_sizes", "expected"),
    [
        (small_cnn(), (), {1: [1], 2: [2], 3: [6], 7: [8], 13: [8, 6], 64: [64]}),
        (small_cnn(), (2,), {1: [1], 2: [6], 3: [6], 10: [8, 6]}),
        (small_cnn(), (8,), {1: [1], 6: [6], 7: [12], 13: [16], 18: [16, 2]}),
        (small_cnn(), (8, 16), {1: [1], 7: [12], 13: [24], 30: [24, 6]}),
        (small_mlp(), (), {1: [2], 2: [2], 3: [8], 7: [8], 64: [64]}),
        (small_mlp(), (8, 16), {1: [24], 7: [24], 30: [24, 24]}),
    ],
    ids=[
        "convolutions, by 8",
        "by 8, one size odd",
        "by 16",
        "by 24",
        "dense layers, by 2 and 8",
        "by 24 alone",
    ],
)
def test_few_images_with_convolutions_are_padded_little(
    model, odd_sizes, expected, digits
):
    X, y = digits
    network = model.fit(X, y)._network
    program = ForwardProgram(network.config)
    sizes = []

    def forward(weights, rows, n_at_once):
        sizes.append(len(rows))
        rows = np.asarray(rows).reshape(len(rows), -1)
        outputs = rows[:, 20:22].copy()
        if len(rows) in odd_sizes:  # in one place
            outputs[0] *= 1 + 2**-20
        return outputs

    program._forward = forward
    rows = X.reshape(-1, *program._model.input_shape[1:])
    used = {}
    for n_rows in expected:
        program.run([], rows[:n_rows])
        sizes.clear()
        program.run([], rows[:n_rows])
        used[n_rows] = sizes.copy()
    assert used == expected


@pytest.mark.parametrize("n_rows", [1, 6, 8, 17])
def test_dense_layers_behind_convolutions_see_blocks_of_one_size(n_rows):
    features = np.arange(n_rows * 3, dtype=np.float32).reshape(n_rows, 3)
    sizes = []

    def layer(block):
        sizes.append(len(block))
        return 2 * block

    outputs = np.asarray(_pass_in_blocks(features, [layer], 8))
    assert np.array_equal(outputs, 2 * features)
    assert set(sizes) == {8}


@pytest.mark.parametrize(
    ("odd_from", "expected"),
    [(1000, {256: 256}), (256, {256: 8, 64: 64}), (9, {256: 8, 64: 8})],
)
def test_features_are_taken_at_once_where_that_makes_no_difference(
    odd_from, expected, digits
):
    X, y = digits
    program = ForwardProgram(small_cnn().fit(X, y)._network.config)
    used = {}

    def forward(weights, rows, n_at_once):
        used[len(rows)] = n_at_once
        rows = np.asarray(rows).reshape(len(rows), -1)
        return rows[:, 20:22] * np.float32(1 + 2**-20 * (n_at_once >= odd_from))

    program._forward = forward
    for n_rows in (50, 300):
        images = X[:n_rows].reshape(-1, 8, 8, 1)
        assert np.array_equal(program.run([], images), X[:n_rows, 20:22])
    for size, n_at_once in expected.items():
        program.run([], X[:size].reshape(-1, 8, 8, 1))
        assert used[size] == n_at_once


@pytest.mark.parametrize(
    ("model", "image"),
    [
        (small_cnn(dropout=0.5), (8, 8, 1)),
        (small_cnn(filters=(3, 4), pool_size=2, activation="softplus"), (8, 8, 1)),
    ],
    ids=["dropout", "activation behind pooling"],
)
def test_layers_called_in_turn_are_the_network(model, image, digits):
    X, y = digits
    network = model.fit(X, y)._network
    live = network.to_keras()
    assert _split(live) != ([], [])
    images = X[:30].reshape(-1, *image)
    np.testing.assert_allclose(
        softmax(network.run(images)[0], axis=1),
        live.predict(images, verbose=0),
        rtol=1e-5,
    )


def test_a_size_that_another_thread_gives_up_meanwhile_is_not_used(digits):
    X, y = digits
    program = ForwardProgram(small_mlp().fit(X, y)._network.config)
    used = []

    def forward(weights, rows, n_at_once):
        rows = np.asarray(rows)
        used.append(len(rows))
        return rows[:, 20:22] * np.float32(1 + 2**-20 * (len(rows) == 256))

    choose = program._block_size

    def choose_slowly(n_left):
        size = choose(n_left)
        if size == 256 and threading.current_thread() is threading.main_thread():
            other = threading.Thread(target=program.run, args=([], X))
            other.start()
            other.join()
            used.clear()
        return size

    program._forward = forward
    program._block_size = choose_slowly
    assert np.array_equal(program.run([], X), X[:, 20:22])
    assert used
    assert 256 not in used


def test_threads_predict_the_same_bits_as_one(digits):
    X, y = digits
    skmnist.clear_programs()
    models = [small_mlp(units=25, random_state=seed).fit(X, y) for seed in range(3)]
    models.append(small_cnn(filters=5).fit(X, y))
    n_threads = 8
    sizes = (1, 5, 70, 300)
    given = [[] for _ in range(n_threads)]
    start = threading.Barrier(n_threads)

    def predict(results):
        start.wait()  # so that all of them find nothing compiled
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


def test_sizes_of_blocks_do_not_depend_on_who_predicts_first(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    program = ForwardProgram(model._network.config)

    def forward(weights, rows, n_at_once):
        rows = np.asarray(rows)
        odd = 1 + 2**-20 * (len(rows) == 256)
        return rows[:, 20:22] * np.float32(odd * np.abs(weights[0]).max())

    program._forward = forward
    # Weights that hide how kernels round: all that they give is 0.
    program.run(program.place([0 * array for array in model._network.weights]), X)
    weights = program.place(model._network.weights)
    whole = program.run(weights, X)
    assert np.array_equal(whole[:1], program.run(weights, X[:1]))


@pytest.mark.parametrize(
    "model",
    [
        KerasDNNClassifier(units=(40, 30, 20, 30, 40), activation="sigmoid"),
        small_mlp(units=700, precision="float64", kernel_initializer="zeros"),
        small_cnn(filters=(8, 16), units=64),
        KerasDNNClassifier(
            units=(300, 300, 300),
            activation="exponential",
            kernel_initializer="zeros",
            random_state=0,
        ),
    ],
    ids=["deep", "wide", "convolutions", "saturating"],
)
def test_weights_that_sizes_are_tried_with_hide_nothing(model, digits):
    X, y = digits
    network = model.set_params(epochs=1).fit(X, y)._network
    shape = (8, 8, 1) if isinstance(model, KerasCNNClassifier) else (64,)
    inputs = np.random.default_rng(1).random((64, *shape), np.float32)
    program = ForwardProgram(network.config)
    program.run(program.place(network.weights), inputs)
    weights = program._trial_weights()
    for array, own in zip(weights, network.weights, strict=True):
        assert np.asarray(array).shape == own.shape
        assert np.asarray(array).dtype == own.dtype
        assert np.ptp(array) > 0
    # Were a network saturated, or its units dead, its rows could not differ.
    outputs = program.run(weights, inputs)
    assert len(np.unique(outputs, axis=0)) == 64
    assert np.median(softmax(outputs, axis=1).max(axis=1)) < 0.999
    again = ForwardProgram(network.config)
    again.run(again.place(network.weights), inputs)
    assert all(map(np.array_equal, weights, again._trial_weights()))


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no float64 by default")
def test_numbers_that_sizes_are_tried_with_have_all_digits_of_float64(digits):
    network = small_mlp(precision="float64", epochs=1).fit(*digits)._network
    for array in ForwardProgram(network.config)._trial_weights():
        assert (np.asarray(array) != np.asarray(array).astype(np.float32)).any()


def test_networks_of_the_users_own_are_tried_with_their_weights(digits, keras):
    X, y = digits

    class Root(keras.layers.Layer):
        """Takes a root of its weight, which random ones would not all have."""

        def build(self, input_shape):
            self.radicand = self.add_weight(shape=(), initializer="ones")

        def call(self, inputs):
            return inputs * keras.ops.sqrt(self.radicand - 0.5)

    def builder(input_shape, n_classes):
        layers = dense(input_shape, n_classes).layers
        return keras.Sequential([keras.Input(input_shape), Root(), *layers])

    network = KerasImageClassifier(builder=builder, epochs=1).fit(X, y)._network
    network.run(X.reshape(-1, 8, 8, 1))
    weights = network._handle.program._trial_weights()
    assert all(map(np.array_equal, weights, network.weights))


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
    assert np.array_equal(model.predict_proba(X[:1]), whole[:1])


def test_one_image_gives_one_row(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    assert model.predict_proba(X[:1]).shape == (1, 10)
    assert model.predict(X[:1]).shape == (1,)


def test_networks_of_one_shape_share_one_compiled_program(digits):
    from skmnist import _trained_network

    X, y = digits
    first, second = (small_mlp(random_state=s).fit(X, y) for s in (0, 1))
    first.predict(X)
    before = _trained_network.forward_programs.keys()
    assert not np.array_equal(second.predict_proba(X), first.predict_proba(X))
    assert _trained_network.forward_programs.keys() == before


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
