import numpy as np
import pytest

from skmnist import KerasImageClassifier
from skmnist._inference.network import TrainedNetwork
from skmnist.networks import NetworkSpec, build_cnn
from skmnist.networks._graphs import network_layers
from skmnist.networks._plans import weight_shapes

from .browser import PROGRAM, Browser


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    """A running browser without a window."""
    if PROGRAM is None:
        pytest.skip("no Chromium or Chrome is installed")
    running = Browser(tmp_path_factory.mktemp("browser"))
    yield running
    running.close()


@pytest.fixture
def open_page(browser):
    """Open a page, of which nothing may have failed or been loaded at the end."""
    tabs = []

    def opened(path):
        tab = browser.open(path)
        tabs.append((tab, path))
        return tab

    yield opened
    for tab, path in tabs:
        assert tab.run("document.readyState") == "complete"  # events come before
        assert tab.errors == []
        assert tab.requests == [path.absolute().as_uri()]
        tab.call("Page.close")


def give_weights(classifier, spec, classes, seed=0):
    """Give a classifier random weights, and what else a fit would leave."""
    rng = np.random.default_rng(seed)
    weights = []
    for shape in weight_shapes(*network_layers(spec)):
        n_inputs = int(np.prod(shape[:-1]))
        values = rng.standard_normal(shape)
        # Of vectors, positive ones may be a variance.
        values = values / np.sqrt(n_inputs) if n_inputs > 1 else np.abs(values) + 0.1
        if spec.parameters.get("activation") == "exponential":
            values /= 4  # or they exceed float32
        weights.append(values.astype(np.float32))
    classifier._network = TrainedNetwork(spec, weights)
    classifier.classes_ = np.asarray(classes)
    classifier.n_features_in_ = int(np.prod(spec.input_shape))
    classifier._image_shape = spec.input_shape if len(spec.input_shape) == 3 else None
    classifier._pixel_range = 0.0, 1.0
    return classifier


def made_up(input_shape, classes=range(10), *, builder=build_cnn, seed=0, **parameters):
    """Make a fitted classifier of random weights, without training."""
    classifier = KerasImageClassifier(builder=builder, builder_params=parameters)
    spec = NetworkSpec(builder, tuple(input_shape), len(classes), parameters)
    return give_weights(classifier, spec, classes, seed)
