"""That all contestants of a benchmark train the same network in the same way."""

from collections import Counter

import numpy as np
import pytest

from benchmarks import memory, training
from benchmarks.data import pixels
from benchmarks.peers import Recipe, import_peer, layout, make_classifier

# Weights, those of Dense(512) or of two convolutions and Dense(128), and nonlinear
# layers before the last.
SIZES = {"mlp": (407_050, 1), "cnn": (1_199_882, 3)}


def described_keras(model, optimizer):
    layers = model._flatten_layers(include_self=False, recursive=True)
    names = [
        getattr(getattr(each, "activation", None), "__name__", "") for each in layers
    ]
    return {
        "n_weights": model.count_params(),
        "n_relu": names.count("relu"),
        "dropout": [each.rate for each in layers if getattr(each, "rate", 0)],
        "optimizer": type(optimizer).__name__.lower(),
        "learning_rate": float(optimizer.learning_rate),
    }


def described_torch(net):
    layers = list(net.module_.modules())
    kinds = [type(each).__name__ for each in layers]
    return {
        "n_weights": sum(weights.numel() for weights in net.module_.parameters()),
        "n_relu": kinds.count("ReLU"),
        "dropout": [each.p for each in layers if getattr(each, "p", 0)],
        "optimizer": type(net.optimizer_).__name__.lower(),
        "learning_rate": net.optimizer_.param_groups[0]["lr"],
    }


def described_mlp(classifier):
    return {
        "n_weights": sum(a.size for a in classifier.coefs_ + classifier.intercepts_),
        "n_relu": len(classifier.hidden_layer_sizes)
        * (classifier.activation == "relu"),
        "dropout": [],
        "optimizer": classifier.solver,
        "learning_rate": classifier.learning_rate_init,
    }


@pytest.fixture
def train(monkeypatch):
    """Train a contestant on a few images; describe the network that it trained."""
    import keras

    policy = keras.config.dtype_policy()

    class Recorder(keras.callbacks.Callback):
        def on_train_end(self, logs=None):
            self.found = described_keras(self.model, self.model.optimizer)

    def train(contestant, recipe):
        settings = dict(contestant.settings)
        peer = settings.pop("peer")
        for name, value in contestant.environment.items():
            monkeypatch.setenv(name, value)
        recorder = Recorder()
        if peer == "skmnist":
            settings["callbacks"] = [lambda: recorder]
        images = np.random.default_rng(0).integers(0, 256, (20, 28, 28), np.uint8)
        import_peer(peer)
        classifier = make_classifier(peer, recipe, **settings)
        classifier.fit(pixels(images, layout(peer, recipe)), np.arange(20) % 10)
        if peer == "skmnist":
            return recorder.found
        if peer == "skorch":
            return described_torch(classifier)
        if peer == "mlp_classifier":
            return described_mlp(classifier)
        model = classifier.model if peer == "keras" else classifier.model_
        return described_keras(model, model.optimizer)

    yield train
    keras.config.set_dtype_policy(policy)


def cases():
    """Yield each contestant of training once with each network."""
    seen = []
    for comparison in training.comparisons(quick=False):
        network = comparison.settings["network"]
        dropout = comparison.settings.get("dropout", Recipe.dropout)
        for one in comparison.contestants:
            case = (network, dropout, one.settings, one.environment)
            if case not in seen:
                seen.append(case)
                name = f"{network}, dropout {dropout}: {one.name}"
                yield pytest.param(network, dropout, one, id=name)


@pytest.mark.parametrize(("network", "dropout", "contestant"), list(cases()))
def test_all_train_the_same_network(train, network, dropout, contestant):
    for package in contestant.requires:
        pytest.importorskip(package)
    expected = [dropout] if network == "mlp" and dropout else []
    if network == "cnn":
        expected = [0.25, 0.5]
    if contestant.settings["peer"] == "mlp_classifier":
        expected = []  # it knows none, as the notes say
    found = train(contestant, Recipe(network, 1, 0, batch_size=10, dropout=dropout))
    assert found == {
        "n_weights": SIZES[network][0],
        "n_relu": SIZES[network][1],
        "dropout": expected,
        "optimizer": "adam",
        "learning_rate": pytest.approx(0.001),
    }


@pytest.mark.parametrize("peer", ["skmnist", "scikeras"])
def test_memory_is_measured_over_networks_of_72_shapes(peer):
    shapes = set()
    for number in range(300):
        recipe = memory.recipe_of_fit(number, seed=0)
        made = make_classifier(peer, recipe).get_params()
        shapes.add((recipe.network, made["units"]))
    assert Counter(network for network, _ in shapes) == {"mlp": 54, "cnn": 18}
