"""Trained networks as plain data, from which predictions are made on demand.

Networks of this package are a specification and weights, and run in ONNX Runtime. Those
of user-defined builders are Keras' description and weights, and run in Keras.
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
    """A NetworkSpec, weights in the order of Keras, and a Description or None."""

    def __init__(self, spec, weights, description=None):
        self.spec = spec
        self.weights = weights
        self.description = description
        self._runner = None, None  # a process, and the network that it runs

    def __deepcopy__(self, memo):
        # Without the checksum of a pickle.
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
        """Return all that decides what the network does, except the weights."""
        if self.description is not None:
            config, custom_objects, keras_version = self.description
            return config, False, keras_version, sorted(custom_objects)
        parameters = sorted(self.spec.parameters.items())
        facts = self.spec.input_shape, self.spec.n_classes, parameters
        return self.spec.builder.__name__, *map(plain_numbers, facts)

    def check(self):
        """Refuse weights of wrong shapes, and networks of a Keras that is too new."""
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
            return  # without an import of Keras
        try:
            self._build()
        except Exception as error:
            raise NetworkStateError(
                f"its network was written by Keras {written}, and Keras {installed}, "
                f"which is installed, cannot build it: upgrade Keras ({error})"
            ) from error

    @property
    def n_parameters(self):
        """Number of weights."""
        return sum(array.size for array in self.weights)

    def to_keras(self, make_optimizer=None):
        """Build a compiled Keras model, with ``make_optimizer(model)`` if given."""
        check_fork()
        model = self._build()
        # Keras exports only models that were called.
        model(np.zeros((1, *self.spec.input_shape), np.float32), training=False)
        model.compile(
            optimizer=make_optimizer(model) if make_optimizer else "rmsprop",
            loss="sparse_categorical_crossentropy",
            metrics=["accuracy"],
        )
        return model

    def run(self, inputs):
        """Return the outputs for inputs in float32 or uint8, and if they are logits.

        If the network does not end in a plain softmax, they are probabilities.
        """
        process, runner = self._runner
        if process != os.getpid():  # a fork makes its own
            runner = self._make_runner()
            self._runner = os.getpid(), runner
        return runner.run(inputs), runner.gives_logits

    @keep_interrupts()
    def _make_runner(self):
        """Return the network in ONNX Runtime, or in Keras if necessary."""
        is_double = self.spec.parameters.get("dtype") == "float64"
        if self.description is None and not is_double:
            input_shape, plan = network_layers(self.spec)
            # A newer Keras may have activations that are not known here.
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
