"""Pages to draw on compute what the models compute that they were made of."""

import base64
import json

import numpy as np
import pytest
from scipy.special import softmax
from sklearn.base import clone
from sklearn.ensemble import BaggingClassifier
from sklearn.pipeline import Pipeline, make_pipeline

from skmnist import Deskewer, DigitNormalizer, ImageScaler, KerasCNNClassifier
from skmnist._estimators import network_of
from skmnist._inference.activations import ACTIVATIONS
from skmnist.datasets import load_digits
from skmnist.demo import write_demo
from skmnist.demo._model import described
from skmnist.networks import build_cnn, build_mlp
from skmnist.pipelines import make_model, model_names

from .conftest import give_weights, made_up

# Puts an image of 8×8 pixels somewhere on the sheet; returns the ink that is there,
# and what becomes of it.
PUT = """
(([digit, left, top, side]) => {
  const small = document.createElement("canvas");
  small.width = small.height = 8;
  const context = small.getContext("2d");
  const pixels = context.createImageData(8, 8);
  digit.forEach((value, i) => (pixels.data[4 * i + 3] = value));
  context.putImageData(pixels, 0, 0);
  sheet.ink.clearRect(0, 0, SIDE, SIDE);
  sheet.ink.drawImage(small, left, top, side, side);
  const { probabilities } = classify(sheet.pixels);
  const ink = Array.from(sheet.pixels, (value) => String.fromCharCode(value)).join("");
  return JSON.stringify([btoa(ink), probabilities]);
})
"""


@pytest.fixture(scope="module")
def digits():
    X, y = load_digits(return_X_y=True)
    return X[:200], y[:200]


@pytest.fixture
def blank(open_page, tmp_path):
    """A page, of which only functions are used."""
    write_demo(made_up((8, 8, 1), filters=1, units=()), tmp_path / "blank.html")
    return open_page(tmp_path / "blank.html")


def answers(tab, digits, seed=0):
    """Return the ink of digits somewhere on the sheet, and the probabilities."""
    rng = np.random.default_rng(seed)
    inks, probabilities = [], []
    for digit in digits:
        side = int(rng.integers(60, 270))
        left, top = rng.integers(0, 280 - side, 2).tolist()
        given = json.dumps([digit.tolist(), left, top, side])
        ink, found = json.loads(tab.run(f"{PUT}({given})"))
        inks.append(np.frombuffer(base64.b64decode(ink), np.uint8).reshape(280, 280))
        probabilities.append(found)
    return np.stack(inks), np.array(probabilities)


def outputs(tab, classifier, images):
    """Return the probabilities that a page computes with a network."""
    (network,) = described([], classifier, None, 32)["networks"]
    given = json.dumps([network, images.reshape(len(images), -1).tolist()])
    script = (
        "(([network, images]) => { const made = networkOf(network); return images.map("
        "(pixels) => meanProbabilities([logitsOf(made, pixels)])); })"
    )
    return np.array(tab.run(f"{script}({given})"))


def assert_same_outputs(tab, input_shape, n_classes, builder, seed, **parameters):
    classifier = made_up(
        input_shape, range(n_classes), builder=builder, seed=seed, **parameters
    )
    shape = (4, *input_shape)
    images = np.random.default_rng(seed).normal(size=shape).astype(np.float32)
    logits, _ = classifier._network.run(images)
    expected = softmax(logits.astype(float), axis=1)
    assert np.isfinite(expected).all(), parameters
    found = outputs(tab, classifier, images).astype(float)
    np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(parameters))


@pytest.mark.parametrize("builder", [build_mlp, build_cnn])
def test_every_activation_is_computed(blank, builder):
    own = {"filters": (3, 4), "pool_size": (1, 2)} if builder is build_cnn else {}
    for seed, activation in enumerate([*ACTIVATIONS, "linear"]):
        assert_same_outputs(
            blank,
            (8, 7, 1) if own else (64,),
            3,
            builder,
            seed,
            activation=activation,
            units=(9, 5),
            **own,
        )


@pytest.mark.parametrize("seed", range(3))
def test_random_networks_are_computed(blank, seed):
    rng = np.random.default_rng(seed)
    for number in range(40):
        n = int(rng.integers(1, 4))

        def pairs(low, high, n=n):
            return tuple(map(tuple, rng.integers(low, high, (n, 2)).tolist()))

        assert_same_outputs(
            blank,
            (*rng.integers(14, 21, 2).tolist(), 1),
            int(rng.integers(2, 12)),
            build_cnn,
            100 * seed + number,
            activation=str(rng.choice([*ACTIVATIONS])),
            batch_normalization=bool(rng.random() < 0.4),
            filters=tuple(rng.integers(1, 9, n).tolist()),
            global_pooling=[None, "average", "max"][rng.integers(3)],
            kernel_size=pairs(1, 5),
            padding=tuple(map(str, rng.choice(["valid", "same"], n)))
            if n < 3
            else "same",
            pool_size=pairs(1, 3),
            pooling=str(rng.choice(["max", "average"])),
            strides=pairs(1, 3) if n < 3 else 1,
            units=tuple(rng.integers(1, 30, rng.integers(0, 3)).tolist()),
        )


def blots(rng, size):
    """Scatter rectangles on an image of a random shade."""
    image = np.zeros(size, np.float32)
    for _ in range(rng.integers(1, 5)):
        top, left = (rng.random(2) * size).astype(int)
        height, width = rng.integers(1, 60, 2)
        part = image[top : top + height, left : left + width]
        part += rng.random(part.shape) * rng.integers(1, 255)
    return image + rng.integers(0, 20)


def symmetric(rng, size):
    """Make an image whose centre of mass is the middle of its ink."""
    image = blots(rng, size)
    image += image[::-1]
    return image + image[:, ::-1]


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("draw", [blots, symmetric], ids=["any", "symmetric"])
def test_drawings_are_normalized_as_in_python(blank, draw, seed):
    rng = np.random.default_rng(seed)
    for _ in range(20):
        size = rng.integers(20, 200, 2)
        images = draw(rng, size)[None]
        output_shape = tuple(rng.integers(2, 40, 2).tolist())
        normalizer = DigitNormalizer(
            image_shape=tuple(size.tolist()),
            output_shape=output_shape,
            digit_size=float(rng.uniform(0.1, 1)),
            threshold=float(rng.choice([0, 0.1, 0.7])),
        )
        expected = normalizer.fit_transform(images).reshape(output_shape)
        step = {
            "size": output_shape,
            "box": [normalizer._box(side) for side in output_shape],
            "threshold": normalizer.threshold,
        }
        given = json.dumps([size.tolist(), images.ravel().tolist(), step])
        values = blank.run(
            "(([size, values, step]) => [...STEPS.normalize({ size, values: "
            f"Float32Array.from(values) }}, step).values])({given})"
        )
        np.testing.assert_allclose(
            np.reshape(values, output_shape),
            expected,
            atol=1e-3,
            err_msg=str(normalizer),
        )


@pytest.mark.parametrize("center", [True, False])
def test_drawings_are_deskewed_as_in_python(blank, center):
    rng = np.random.default_rng(0)
    kinds = {
        "noise": rng.random((8, 30, 20)),
        "stroke": np.stack([np.eye(9, 12, k) + np.eye(9, 12, k + 1) for k in (-2, 3)]),
        "other range": rng.integers(-90, 255, (2, 5, 30)),
        "blank": np.full((1, 6, 7), 3.0),
        "one row": np.pad(np.ones((1, 1, 9)), ((0, 0), (4, 2), (0, 5))),
        "one column": np.pad(np.ones((1, 9, 1)), ((0, 0), (0, 3), (5, 0))),
    }
    for kind, images in kinds.items():
        images = images.astype(np.float32)
        shape = images.shape[1:]
        for limit in 0.3, 1.0:
            deskewer = Deskewer(image_shape=shape, max_shear=limit, center=center)
            expected = deskewer.fit_transform(images)
            step = {"limit": limit, "center": center}
            given = json.dumps([shape, images.reshape(len(images), -1).tolist(), step])
            script = (
                "([size, images, step]) => images.map((values) => [...STEPS.deskew("
                "{ size, values: Float32Array.from(values) }, step).values])"
            )
            values = blank.run(f"({script})({given})")
            np.testing.assert_allclose(values, expected, atol=1e-4, err_msg=kind)


# Of the weights, where 32 would need more than 2 MB.
BITS = {
    "cnn_32_64": 8,
    "cnn_simple": 16,
    "dnn_512_512": 16,
    "ensemble_best": 8,
    "mlp_512": 16,
    "mlp_512_256": 16,
    "mlp_784": 16,
    "mlp_best": 8,
}


def give_weights_to_named(model, labels):
    """Give the network or networks of a named model for 28×28 pixels weights."""
    network = network_of(model)
    spec = network._specify(784, (28, 28), len(labels))
    if network is model[-1]:
        give_weights(network, spec, labels)
        return
    ensemble, n = model[-1], model[-1].n_estimators
    places = range(len(labels))
    ensemble.estimators_ = [
        give_weights(clone(network), spec, places, seed) for seed in range(n)
    ]
    ensemble.estimators_features_ = [np.arange(784)] * n
    ensemble.classes_, ensemble.n_classes_ = np.array(labels), len(labels)
    ensemble.n_features_in_ = 784


@pytest.mark.parametrize("name", model_names("network"))
def test_pages_of_named_networks_compute_predict_proba(
    name, digits, open_page, tmp_path
):
    X, _ = digits
    images = np.asarray(DigitNormalizer().fit_transform(X)).reshape(-1, 28, 28)
    model = make_model(name)
    model[:-1].fit(images.astype(np.uint8))
    give_weights_to_named(model, [f"digit {label}" for label in range(10)])
    path = tmp_path / "digits.html"
    demo = write_demo(model, path)
    inks, found = answers(open_page(path), X[:5])
    expected = model.predict_proba(DigitNormalizer().fit_transform(inks))
    atol = 1e-4 if demo.bits > 8 else demo.largest_change + 1e-4
    np.testing.assert_allclose(found, expected, atol=atol)
    assert demo.n_bytes == path.stat().st_size
    assert (demo.n_bytes < 2_000_000) == (name != "mlp_best")  # of 2.9 million weights
    assert demo.bits == BITS.get(name, 32)


def small_cnn(**params):
    return KerasCNNClassifier(filters=4, units=16, epochs=2, random_state=0, **params)


MODELS = {
    "no scaler": (small_cnn(), (8, 8), 1.0),
    "scaler": (make_pipeline(ImageScaler(), small_cnn()), (8, 8), 1.0),
    "range of pixels": (
        make_pipeline(ImageScaler(data_range=(-30, 200), clip=False), small_cnn()),
        (8, 8),
        1.0,
    ),
    "normalizer first": (
        make_pipeline(
            DigitNormalizer(output_shape=(12, 10), digit_size=0.9, threshold=0.3),
            ImageScaler(),
            small_cnn(),
        ),
        (12, 10),
        0.9,
    ),
    "deskewed": (make_pipeline(ImageScaler(), Deskewer(), small_cnn()), (8, 8), 1.0),
    "ensemble": (
        make_pipeline(
            ImageScaler(), BaggingClassifier(small_cnn(), 3, bootstrap=False)
        ),
        (8, 8),
        1.0,
    ),
}


@pytest.mark.parametrize("name", MODELS)
def test_pages_compute_whole_pipelines(name, digits, open_page, tmp_path):
    X, y = digits
    model, size, digit_size = MODELS[name]
    model = clone(model).fit(X.reshape(-1, 8, 8), y)
    has_own = isinstance(model, Pipeline) and "digitnormalizer" in model.named_steps
    normalizer = DigitNormalizer(
        output_shape=size, digit_size=digit_size, threshold=0.3 if has_own else 0.1
    )
    demo = write_demo(model, tmp_path / "page.html")
    n = 200 if name == "scaler" else 40
    inks, found = answers(open_page(tmp_path / "page.html"), X[:n])
    low, high = (-30, 200) if name == "range of pixels" else (0, 255)
    images = normalizer.fit_transform(inks / 255 * (high - low) + low)
    expected = (model[1:] if has_own else model).predict_proba(images)
    np.testing.assert_allclose(found, expected, atol=1e-4)
    assert demo.bits == 32
