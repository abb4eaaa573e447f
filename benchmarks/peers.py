"""The contestants: one network as a classifier of skmnist and of each peer.

Each is written as its own documentation has it. All have ``fit(X, y)`` and
``predict(X)``, and train without validation data, with Adam at a rate of 0.001.
scikit-learn's `MLPClassifier` has no dropout.
"""

import contextlib
import io
import warnings
from dataclasses import dataclass
from functools import partial

from benchmarks.comparisons import Contestant
from benchmarks.networks import keras_network, torch_network
from skmnist._training.processor import bfloat16_is_quick

__all__ = [
    "NETWORKS",
    "Recipe",
    "contestant",
    "import_peer",
    "layout",
    "make_classifier",
    "precision_note",
]

NETWORKS = {"mlp": "mlp_512", "cnn": "cnn_32_64"}

_NAMES = {
    "skmnist": "skmnist",
    "keras": "Keras",
    "keras_call": "Keras model(X)",
    "scikeras": "scikeras",
    "keras_wrapper": "SKLearnClassifier",
    "skorch": "skorch",
    "mlp_classifier": "MLPClassifier",
}

_REQUIRES = {
    "skmnist": (),
    "keras": (),
    "keras_call": (),
    "scikeras": ("scikeras",),
    "keras_wrapper": (),
    "skorch": ("skorch", "torch"),
    "mlp_classifier": (),
}


@dataclass(frozen=True)
class Recipe:
    """A network and how it is trained.

    Parameters
    ----------
    network : {"mlp", "cnn"}
        One hidden layer; or two 3×3 convolutions of 32 and 64 filters, pooling, and a
        hidden layer.
    epochs : int
        Number of epochs.
    seed : int
        Seed.
    batch_size : int
        Number of images in a batch.
    units : int or None
        Width of the hidden layer; None means 512 for the MLP and 128 for the CNN.
    dropout : float
        Dropout rate of the MLP; those of the CNN are 0.25 and 0.5.
    """

    network: str
    epochs: int
    seed: int
    batch_size: int = 128
    units: int | None = None
    dropout: float = 0.2

    @property
    def width(self):
        """Width of the hidden layer."""
        return self.units or {"mlp": 512, "cnn": 128}[self.network]


def contestant(peer, *requires, **settings):
    """Return a peer as a contestant.

    Parameters
    ----------
    peer : str
        As for :func:`make_classifier`.
    *requires : str
        Packages that the benchmark itself needs.
    **settings
        What is particular to this one.

    Returns
    -------
    Contestant
        With the peer's name and packages.
    """
    return Contestant(
        _NAMES[peer], {"peer": peer, **settings}, (*_REQUIRES[peer], *requires)
    )


def precision_note(network):
    """Return a sentence on the arithmetic of training for a kind of network."""
    if network == "mlp":
        return "All train in float32 if nothing else is said."
    if bfloat16_is_quick():
        return (
            'skmnist trains with precision="auto", which means bfloat16 on this '
            "CPU; the others train in float32 if nothing else is said."
        )
    return (
        'All train in float32, which is what precision="auto" of skmnist means on '
        "this CPU; on one where bfloat16 is not slower it means bfloat16."
    )


def layout(peer, recipe):
    """Return the layout of images, as :func:`benchmarks.data.pixels` knows it."""
    if recipe.network == "mlp" or peer == "keras_wrapper":  # which refuses images
        return "flat"
    return "channels_first" if peer == "skorch" else "channels_last"


def import_peer(peer):
    """Import and start all that a peer needs, so that a measured time has none of it.

    TensorFlow brings up its devices for its first operation, and PyTorch imports most
    of itself for its first optimizer.
    """
    if peer == "mlp_classifier":
        import sklearn.neural_network
    elif peer == "skorch":
        import skorch  # noqa: F401
        import torch

        torch.optim.Adam([torch.ones(1, requires_grad=True)])
    else:
        import keras
        import sklearn.pipeline  # noqa: F401 - ours and the wrapper use it

        if peer == "skmnist":  # the first fit would import all this
            import skmnist._training.keras_loop
            import skmnist._training.memory_loop
            import skmnist._training.train  # noqa: F401
            from skmnist import KerasCNNClassifier, KerasMLPClassifier  # noqa: F401
        elif peer == "scikeras":
            import scikeras.wrappers  # noqa: F401
        keras.ops.ones(1) + 1


def make_classifier(peer, recipe, on_epoch_end=None, **params):
    """Make an unfitted classifier.

    Parameters
    ----------
    peer : str
        "skmnist", "keras", "scikeras" and so on, as in `_NAMES`.
    recipe : Recipe
        Network and training.
    on_epoch_end : callable or None
        Called without arguments after each epoch. skmnist keeps no compiled network
        that such a callback has had in hand.
    **params
        Further parameters of skmnist's classifier; for "keras" its ``dtype_policy``,
        and the number of images that it predicts at a time, ``predict_batch_size``.

    Returns
    -------
    object
        With ``fit(X, y)`` and ``predict(X)``.
    """
    return globals()[f"_{peer}"](recipe, on_epoch_end, **params)


def _skmnist(recipe, on_epoch_end, **params):
    from skmnist import KerasCNNClassifier, KerasMLPClassifier

    settings = {
        "epochs": recipe.epochs,
        "batch_size": recipe.batch_size,
        "random_state": recipe.seed,
        "callbacks": [partial(_keras_callback, on_epoch_end)] if on_epoch_end else None,
        **params,
    }
    if recipe.network == "cnn":
        return KerasCNNClassifier(
            filters=(32, 64), units=recipe.width, dropout=(0.25, 0.5), **settings
        )
    return KerasMLPClassifier(units=recipe.width, dropout=recipe.dropout, **settings)


def _keras_callback(on_epoch_end):
    import keras

    class Report(keras.callbacks.Callback):
        def on_epoch_end(self, epoch, logs=None):
            on_epoch_end()

    return Report()


def _keras_callbacks(on_epoch_end):
    return [_keras_callback(on_epoch_end)] if on_epoch_end else []


def _keras(recipe, on_epoch_end, **params):
    return _PlainKeras(recipe, on_epoch_end, **params)


class _PlainKeras:
    """`fit` and `predict` of a Keras model with default settings, or some others."""

    def __init__(
        self, recipe, on_epoch_end, dtype_policy=None, predict_batch_size=None
    ):
        self.recipe = recipe
        self.on_epoch_end = on_epoch_end
        self.dtype_policy = dtype_policy
        self.predict_batch_size = predict_batch_size

    def fit(self, X, y):
        import keras

        recipe = self.recipe
        keras.utils.set_random_seed(recipe.seed)
        if self.dtype_policy:
            keras.config.set_dtype_policy(self.dtype_policy)
        self.model = keras_network(
            X.shape[1:],
            10,
            network=recipe.network,
            units=recipe.width,
            dropout=recipe.dropout,
        )
        self.model.fit(
            X,
            y,
            epochs=recipe.epochs,
            batch_size=recipe.batch_size,
            verbose=0,
            callbacks=_keras_callbacks(self.on_epoch_end),
        )
        return self

    def predict(self, X):
        outputs = self.model.predict(X, self.predict_batch_size, verbose=0)
        return outputs.argmax(axis=1)


def _keras_call(recipe, on_epoch_end):
    return _CalledKeras(recipe, on_epoch_end)


class _CalledKeras(_PlainKeras):
    """Predicts by a call of the model, as Keras advises for few images."""

    def predict(self, X):
        return self.model(X, training=False).numpy().argmax(axis=1)


def _scikeras(recipe, on_epoch_end):
    import keras
    from scikeras.wrappers import KerasClassifier

    # A seed of its own would make TensorFlow deterministic, which costs time.
    keras.utils.set_random_seed(recipe.seed)
    return KerasClassifier(
        scikeras_network,
        network=recipe.network,
        units=recipe.width,
        dropout=recipe.dropout,
        learning_rate=0.001,
        epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        verbose=0,
        callbacks=_keras_callbacks(on_epoch_end),
    )


def scikeras_network(network, units, dropout, learning_rate, meta):
    """Build the network for scikeras."""
    return keras_network(
        meta["X_shape_"][1:],
        meta["n_classes_"],
        network=network,
        units=units,
        dropout=dropout,
        learning_rate=learning_rate,
    )


def _keras_wrapper(recipe, on_epoch_end):
    import keras
    from keras.wrappers import SKLearnClassifier

    def network(X, y):
        return keras_network(
            X.shape[1:],
            y.shape[1],
            network=recipe.network,
            units=recipe.width,
            dropout=recipe.dropout,
            loss="categorical_crossentropy",  # it hands labels on one-hot encoded
        )

    keras.utils.set_random_seed(recipe.seed)
    return SKLearnClassifier(
        network,
        fit_kwargs={
            "epochs": recipe.epochs,
            "batch_size": recipe.batch_size,
            "verbose": 0,
            "callbacks": _keras_callbacks(on_epoch_end),
        },
    )


def _skorch(recipe, on_epoch_end):
    import torch
    from skorch import NeuralNetClassifier
    from skorch.callbacks import Callback

    class Report(Callback):
        def on_epoch_end(self, net, **kwargs):
            on_epoch_end()

    torch.manual_seed(recipe.seed)
    return NeuralNetClassifier(
        torch_network,
        module__network=recipe.network,
        module__units=recipe.width,
        module__dropout=recipe.dropout,
        criterion=torch.nn.CrossEntropyLoss,
        optimizer=torch.optim.Adam,
        lr=0.001,
        max_epochs=recipe.epochs,
        batch_size=recipe.batch_size,
        iterator_train__shuffle=True,
        train_split=None,
        callbacks=[Report()] if on_epoch_end else None,
        verbose=0,
    )


def _mlp_classifier(recipe, on_epoch_end):
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.neural_network import MLPClassifier

    class Timed(MLPClassifier):
        """Tells of each epoch, which scikit-learn does by a printed line only."""

        def fit(self, X, y):
            with contextlib.redirect_stdout(_Lines(on_epoch_end)):
                return super().fit(X, y)

    # It warns when the epochs asked for are over.
    warnings.simplefilter("ignore", ConvergenceWarning)
    return (Timed if on_epoch_end else MLPClassifier)(
        (recipe.width,),
        alpha=0.0,
        batch_size=recipe.batch_size,
        max_iter=recipe.epochs,
        n_iter_no_change=recipe.epochs,
        random_state=recipe.seed,
        verbose=on_epoch_end is not None,
    )


class _Lines(io.TextIOBase):
    """A stream that calls a function for each "Iteration" that is printed."""

    def __init__(self, function):
        self.function = function

    def write(self, text):
        if "Iteration" in text:
            self.function()
        return len(text)
