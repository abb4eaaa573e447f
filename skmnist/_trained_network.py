"""The fitted state of a network classifier, and how it predicts.

A trained network is plain data: Keras' description of the graph as JSON and the
weights as arrays. Nothing else is pickled, so a file is small, does not depend
on the backend that trained it, and gives the same probabilities, bit for bit, in
another process on the same machine. What runs is built from these data on demand:
one compiled forward program for each structure, shared by all trained networks of
that shape and called with the weights of one of them.
"""

import copy
import functools
import hashlib
import importlib.metadata
import json
import math
import re
import weakref
from dataclasses import dataclass

import numpy as np

from skmnist._forward import TRACED_BYTES, ForwardProgram, forward_programs, rebuild
from skmnist._interrupts import keep_interrupts
from skmnist._processes import check_fork
from skmnist._training.description import mismatch, split_description
from skmnist._training.reuse import memory_of_program

__all__ = ["NetworkStateError", "TrainedNetwork", "TrainingState"]

# Where a pickled description has what else is known of it. Versions that know nothing
# of it, and Keras, do not look there.
_NOTES = "skmnist"


class NetworkStateError(ValueError):
    """A pickled network is damaged, or no network for this version of Keras."""


@dataclass
class TrainingState:
    """Where training stands: what is needed to go on with it, as plain data.

    Parameters
    ----------
    weights_seed, shuffle_seed : int
        Seeds of the initial weights and of the order of the rows.
    n_epochs : int
        Number of epochs done.
    optimizer_variables : list of ndarray, default=None
        Step count, learning rate and moments of the optimizer; None to start anew.
    optimizer_kind : str, default=None
        Kind and settings of that optimizer; for another one they mean nothing.
    initial_rate : float, default=None
        Learning rate that it began with.
    random_states : list of ndarray, default=None
        States of the random generators of dropout and the like.
    is_kept : bool, default=False
        Whether the optimizer's variables, which are often twice as large as the
        network, are pickled too.
    learning_rate : float, default=None
        The rate of the fit, or the highest of a course with a name. None for a
        schedule of the optimizer's own, and in files of earlier versions.
    """

    weights_seed: int
    shuffle_seed: int
    n_epochs: int = 0
    optimizer_variables: list | None = None
    optimizer_kind: str | None = None
    initial_rate: float | None = None
    random_states: list | None = None
    is_kept: bool = False
    learning_rate: float | None = None

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin

    def __getstate__(self):
        state = vars(self).copy()
        if not self.is_kept:
            state["optimizer_variables"] = None
        return state


class TrainedNetwork:
    """A network description with the weights that training gave it.

    Parameters
    ----------
    config : str
        The graph as JSON, as written by :meth:`keras.Model.to_json`.
    weights : list of ndarray
        The weights in the order of :meth:`keras.Model.get_weights`.
    custom_objects : dict, default=None
        Layer classes that are not Keras' own, by name.
    is_shared : bool, default=False
        Whether the description says all about the network, so that others of the
        same description may predict by one program.
    keras_version : str, default=None
        Version of Keras that wrote the description; None for the one that is
        installed, "" if nobody knows.
    """

    def __init__(
        self,
        config,
        weights,
        custom_objects=None,
        is_shared=False,
        keras_version=None,
    ):
        self.config = config
        self.weights = weights
        self.custom_objects = custom_objects or {}
        self.is_shared = is_shared
        self.keras_version = (
            _installed_keras() if keras_version is None else keras_version
        )
        # A program that nobody else has a use for is not kept when this one goes.
        self._handle = None if is_shared else forward_programs.share(object(), math.inf)
        self._tensors = None
        self._live_model = lambda: None

    def __deepcopy__(self, memo):
        # By hand: there is nothing in memory that a checksum could tell us.
        return type(self)(
            self.config,
            copy.deepcopy(self.weights, memo),
            copy.deepcopy(self.custom_objects, memo),
            self.is_shared,
            self.keras_version,
        )

    def __getstate__(self):
        notes = {"keras_version": self.keras_version, "sha256": self._checksum()}
        description = {**json.loads(self.config), _NOTES: notes}
        return {
            "config": json.dumps(description),
            "weights": self.weights,
            "custom_objects": self.custom_objects,
            "is_shared": self.is_shared,
        }

    def __setstate__(self, state):
        try:
            description = json.loads(state["config"])
            notes = description.pop(_NOTES, {})
            self.__init__(
                **state | {"config": json.dumps(description)},
                keras_version=notes.get("keras_version", ""),
            )
            checksum = notes.get("sha256")
            if checksum is None:  # of an earlier version: look at what can be seen
                problem = self.is_shared and mismatch(description, self.weights)
            elif checksum != self._checksum():
                problem = "its description and weights do not agree with their checksum"
            else:
                problem = None
        except (TypeError, ValueError, LookupError, AttributeError) as error:
            problem = f"{type(error).__name__}: {error}"
            raise NetworkStateError(f"its network is damaged ({problem})") from error
        if problem:
            raise NetworkStateError(f"its network is damaged ({problem})")
        self._check_keras_version()

    def _checksum(self):
        """Return the SHA-256 of all that decides what the network predicts."""
        digest = hashlib.sha256()
        facts = self.config, bool(self.is_shared), self.keras_version
        digest.update(repr((*facts, sorted(self.custom_objects))).encode())
        for array in self.weights:
            array = np.asarray(array)
            if array.dtype.byteorder == ">":  # pickle keeps it, joblib turns it round
                array = array.astype(array.dtype.newbyteorder("<"))
            digest.update(repr((array.dtype.name, array.shape)).encode())
            digest.update(np.ascontiguousarray(array).reshape(-1).view(np.uint8))
        return digest.hexdigest()

    def _check_keras_version(self):
        """Refuse what a newer Keras wrote, if the one that is installed cannot read it.

        Building takes the import of Keras, so it is done for these alone.
        """
        installed = _installed_keras()
        written = self.keras_version
        if not installed or _numbers(written) <= _numbers(installed):
            return
        try:
            rebuild(self.config, self.custom_objects).set_weights(self.weights)
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

        Parameters
        ----------
        make_optimizer : callable, default=None
            ``make_optimizer(model)`` gives what the model is compiled with; None
            leaves that to Keras.

        Returns
        -------
        keras.Model
            The same model as long as anybody holds it and does not change it,
            compiled with the loss of a classifier so that ``evaluate`` works.
        """
        check_fork()
        model = self._live_model()
        if model is None or not all(
            map(np.array_equal, model.get_weights(), self.weights)
        ):
            model = rebuild(self.config, self.custom_objects)
            model.set_weights(self.weights)
            model.compile(
                optimizer=make_optimizer(model) if make_optimizer else "rmsprop",
                loss="sparse_categorical_crossentropy",
                metrics=["accuracy"],
            )
            self._live_model = weakref.ref(model)
        return model

    def run(self, inputs):
        """Pass inputs through the network.

        Parameters
        ----------
        inputs : ndarray of shape (n_samples, *input_shape), dtype float32 or uint8
            The input of the network.

        Returns
        -------
        outputs : ndarray of shape (n_samples, n_classes), dtype float32 or float64
            Logits, or probabilities.
        are_logits : bool
            Which of the two: logits of a network that ends in a plain softmax.
        """
        check_fork()
        program = self._handle and self._handle.program
        if program is None:
            program = self._compile()
        if self._tensors is None:
            self._tensors = program.place(self.weights)
        outputs = program.run(self._tensors, inputs)
        # What else a network may compute in, such as bfloat16, NumPy hardly knows.
        if outputs.dtype not in (np.float32, np.float64):
            outputs = outputs.astype(np.float32)
        return outputs, program.gives_logits

    @keep_interrupts()
    def _compile(self):
        """Return the program to predict with, which it holds from now on."""
        if self.is_shared:
            # Dropout and penalties are for training: whatever they are, one program.
            structure, _ = split_description(self.config)
            n_bytes = memory_of_program(self.weights, TRACED_BYTES)
            self._handle = forward_programs.share(structure, n_bytes)
            return self._handle.get(lambda: ForwardProgram(structure))
        # What numbers its layers can do with, nobody but the user knows.
        return self._handle.get(
            lambda: ForwardProgram(
                self.config, self.custom_objects, trial_weights=self.weights
            )
        )


@functools.cache
def _installed_keras():
    """Return the version of Keras, without importing it; "" if there is none."""
    try:
        return importlib.metadata.version("keras")
    except importlib.metadata.PackageNotFoundError:
        return ""


def _numbers(version):
    return [int(number) for number in re.findall(r"\d+", version)[:3]]
