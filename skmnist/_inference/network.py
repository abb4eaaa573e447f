"""Trained networks: plain data, and what predicts from it.

A network of this package is its specification and its weights; ONNX Runtime runs it.
One of a user-defined builder is Keras' description of it and its weights; Keras
runs it. Nothing else is pickled, so a file is small and does not depend on the backend
that trained the network. What runs is made on demand.
"""

import copy
import importlib.metadata
import os
import re

import numpy as np

from skmnist._inference.activations import ACTIVATIONS
from skmnist._inference.integrity import NetworkStateError, checksum, naming_damage
from skmnist._inference.session import NetworkSession
from skmnist._interrupts import keep_interrupts
from skmnist._processes import check_fork
from skmnist._training.data import Description
from skmnist.networks._graphs import network_layers
from skmnist.networks._plans import weight_shapes
from skmnist.networks._specification import plain_numbers

__all__ = ["TrainedNetwork"]

_ACTIVATIONS = {None, "linear", *ACTIVATIONS}


class TrainedNetwork:
    """A network with the weights that training gave it.

    Parameters
    ----------
    spec : NetworkSpec
        What was built.
    weights : list of ndarray
        The weights in the order of :meth:`keras.Model.get_weights`.
    description : Description, default=None
        None where the specification says all about the network.
    """

    def __init__(self, spec, weights, description=None):
        self.spec = spec
        self.weights = weights
        self.description = description
        self._runner = None, None  # a process, and what it predicts with

    def __deepcopy__(self, memo):
        # By hand: there is nothing in memory that a checksum could tell us.
        parts = self.spec, self.weights, self.description
        return type(self)(*copy.deepcopy(parts, memo))

    def __getstate__(self):
        return {
            "spec": self.spec,
            "weights": self.weights,
            "description": self.description and tuple(self.description),
            "sha256": checksum(self._facts(), self.weights),
        }

    def __setstate__(self, state):
        with naming_damage():
            description = state["description"]
            self.__init__(
                state["spec"],
                state["weights"],
                description and Description(*description),
            )
            if state["sha256"] != checksum(self._facts(), self.weights):
                raise ValueError("its parts do not agree with their checksum")
        self.check()

    def _facts(self):
        """Return all that decides what the network does, besides the weights."""
        if self.description is not None:
            config, custom_objects, keras_version = self.description
            return config, False, keras_version, sorted(custom_objects)
        parameters = sorted(self.spec.parameters.items())
        facts = self.spec.input_shape, self.spec.n_classes, parameters
        return self.spec.builder.__name__, *map(plain_numbers, facts)

    def check(self):
        """Refuse weights that are not those of the layers, and what Keras cannot build.

        To build a network takes the import of Keras, so it is done only for what a
        newer Keras wrote than the one that is installed.
        """
        if self.description is None:
            with naming_damage():
                expected = weight_shapes(*network_layers(self.spec))
                given = [tuple(array.shape) for array in self.weights]
                if given != expected:
                    raise ValueError(
                        f"its weights have the shapes {given}, its layers call for "
                        f"{expected}"
                    )
            return
        written = self.description.keras_version
        installed = importlib.metadata.version("keras")
        if _numbers(written) <= _numbers(installed):
            return
        try:
            self._build()
        except Exception as error:
            raise NetworkStateError(
                f"its network was written by Keras {written}, and Keras {installed}, "
                f"which is installed, cannot build it: upgrade Keras ({error})"
            ) from error

    @property
    def n_parameters(self):
        """Number of weights, trainable or not."""
        return sum(array.size for array in self.weights)

    def to_keras(self, make_optimizer=None):
        """Build a live Keras model that holds these weights.

        It is compiled with the loss of a classifier so that ``evaluate`` works, and
        with ``make_optimizer(model)`` if that is given.
        """
        check_fork()
        model = self._build()
        # Keras exports only what was called.
        model(np.zeros((1, *self.spec.input_shape), np.float32), training=False)
        model.compile(
            optimizer=make_optimizer(model) if make_optimizer else "rmsprop",
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    def run(self, inputs):
        """Pass inputs through the network, in float32 or uint8 and of its shape.

        Returns outputs of shape (n_samples, n_classes), in float32 or float64, and
        whether they are logits, as of a network that ends in a plain softmax. Else they
        are probabilities.
        """
        process, runner = self._runner
        if process != os.getpid():  # a fork makes its own
            runner = self._make_runner()
            self._runner = os.getpid(), runner
        return runner.run(inputs), runner.gives_logits

    @keep_interrupts()
    def _make_runner(self):
        """Return what to predict with: ONNX Runtime, or Keras where that is needed."""
        is_double = self.spec.parameters.get("dtype") == "float64"
        if self.description is None and not is_double:
            input_shape, plan = network_layers(self.spec)
            # A newer Keras may know an activation that is not known here.
            used = {getattr(layer, "activation", None) for layer in plan}
            if used <= _ACTIVATIONS:
                return NetworkSession(input_shape, plan, self.weights)
        check_fork()
        from skmnist._inference.keras_network import KerasNetwork

        return KerasNetwork(self._build())

    def _build(self):
        """Return a Keras model with these weights."""
        from skmnist._training.build import build, rebuild

        if self.description is None:
            model = build(self.spec, seed=0)
        else:
            model = rebuild(self.description.config, self.description.custom_objects)
        model.set_weights(self.weights)
        return model


def _numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
