"""The fitted state of a network classifier, and how it predicts.

A trained network is plain data: Keras' description of the graph as JSON and the
weights as arrays. Nothing else is pickled, so a file is small, does not depend
on the backend that trained it, and gives the same probabilities, bit for bit, in
another process on the same machine. What runs is built from these data on demand:
one compiled forward program for each structure, shared by all trained networks of
that shape and called with the weights of one of them.
"""

import copy
import math
import weakref
from dataclasses import dataclass

import numpy as np

from skmnist._description import split_description
from skmnist._forward import TRACED_BYTES, ForwardProgram, forward_programs, rebuild
from skmnist._interrupts import keep_interrupts
from skmnist._processes import check_fork
from skmnist._programs import memory_of_program

__all__ = ["TrainedNetwork", "TrainingState"]


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
    """

    weights_seed: int
    shuffle_seed: int
    n_epochs: int = 0
    optimizer_variables: list | None = None
    optimizer_kind: str | None = None
    initial_rate: float | None = None
    random_states: list | None = None
    is_kept: bool = False

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
    """

    def __init__(self, config, weights, custom_objects=None, is_shared=False):
        self.config = config
        self.weights = weights
        self.custom_objects = custom_objects or {}
        self.is_shared = is_shared
        # A program that nobody else has a use for is not kept when this one goes.
        self._handle = None if is_shared else forward_programs.share(object(), math.inf)
        self._tensors = None
        self._live_model = lambda: None

    def __getstate__(self):
        return {
            "config": self.config,
            "weights": self.weights,
            "custom_objects": self.custom_objects,
            "is_shared": self.is_shared,
        }

    def __setstate__(self, state):
        self.__init__(**state)

    @property
    def n_parameters(self):
        """Number of weights, trainable or not."""
        return sum(array.size for array in self.weights)

    def to_keras(self):
        """Build a live Keras model that holds these weights.

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
            model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
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
