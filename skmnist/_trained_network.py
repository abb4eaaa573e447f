"""The fitted state of a network classifier, and how it predicts.

A trained network is plain data: Keras' description of the graph as JSON and the
weights as arrays. Nothing else is pickled, so a file is small, does not depend
on the backend that trained it, and gives the same probabilities, bit for bit, in
another process on the same machine. What runs is built from these data on demand:
one compiled forward program for each description, shared by all trained networks
of that shape and called with the weights of one of them.
"""

import copy
import functools
import threading
import weakref
from dataclasses import dataclass

import numpy as np

from skmnist._programs import ProgramCache

__all__ = ["TrainedNetwork", "TrainingState"]

# Rows go through programs of constant size, padded with zeros, so that a program
# is traced once for each size and never again, and a row's probabilities do not
# depend on how many rows stand beside it. How a kernel rounds may depend on the number
# of rows and on the place of a row among them. With AVX-512, rows come out alike in
# all places of blocks of 2, 8, 64 and 256; with AVX2, where matrix products take 6 rows
# at a time and softmax 8, mostly in blocks of 16, 64 and 256, else in multiples of 24.
# Each program tries which family holds; the first size of a family sets the standard.
# Single rows are the last resort.
_FAMILIES = ((8, 2, 64, 256), (16, 64, 256), (24, 96, 384), (1,))
# As few as 3 rows in 100 were seen to differ between blocks of two sizes, and one in
# 8 between two places of a block: so many rows are tried that such are found.
_N_COMPARED = 256
_N_ARRANGED = 4

_forward_programs = ProgramCache(max_programs=16, max_bytes=128 * 2**20)


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
        self._program = None
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
        model = self._live_model()
        if model is None or not all(
            map(np.array_equal, model.get_weights(), self.weights)
        ):
            model = rebuild(self.config, self.custom_objects)
            model.set_weights(self.weights)
            model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"])
            self._live_model = weakref.ref(model)
        return model

    def predict_proba(self, inputs):
        """Compute class probabilities.

        Parameters
        ----------
        inputs : ndarray of shape (n_samples, *input_shape), dtype float32 or uint8
            The input of the network.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), dtype float32
            The output of the network.
        """
        program = self._program
        if self.is_shared:
            program = _forward_programs.share(
                self.config,
                lambda: _ForwardProgram(self.config, {}),
                sum(array.nbytes for array in self.weights),
            )
        elif program is None:
            program = self._program = _ForwardProgram(self.config, self.custom_objects)
        if self._tensors is None:
            self._tensors = program.place(self.weights)
        outputs = program.run(self._tensors, inputs)
        # What else a network may compute in, such as bfloat16, NumPy hardly knows.
        is_usual = outputs.dtype in (np.float32, np.float64)
        return outputs if is_usual else outputs.astype(np.float32)


def rebuild(config, custom_objects):
    """Build an untrained Keras model from its description."""
    from skmnist._keras import isolated_build, keras

    with isolated_build(seed=0):
        return keras.models.model_from_json(config, custom_objects=custom_objects)


class _ForwardProgram:
    """Forward pass of one network description, compiled for constant block sizes."""

    def __init__(self, config, custom_objects):
        from skmnist._keras import keras

        self._model = rebuild(config, custom_objects)
        position = {id(v): i for i, v in enumerate(self._model.weights)}
        trainable = [position[id(v)] for v in self._model.trainable_variables]
        # States of random generators are no weights: they keep their own value.
        others = [
            (position.get(id(v)), v.value) for v in self._model.non_trainable_variables
        ]

        def forward(weights, inputs):
            outputs, _ = self._model.stateless_call(
                [weights[i] for i in trainable],
                [value if i is None else weights[i] for i, value in others],
                inputs,
                training=False,
            )
            return outputs

        self._to_tensor = keras.ops.convert_to_tensor
        self._forward = _compiled(forward, keras.backend.backend())
        self._usual_size = None
        self._sizes = ()
        self._unchecked = frozenset()
        self._lock = threading.Lock()

    def place(self, weights):
        """Copy weights to where the backend computes."""
        return [self._to_tensor(array) for array in weights]

    def run(self, weights, inputs):
        """Pass all rows through the network, block by block."""
        n_samples = len(inputs)
        if n_samples == 0:
            n_classes = self._model.output_shape[-1]
            return np.empty((0, n_classes), dtype=np.float32)
        if not self._sizes:
            self._choose_family(weights, inputs.shape[1:])
        pieces = []
        start = 0
        while start < n_samples:
            size = self._block_size(n_samples - start)
            block = inputs[start : start + size]
            if size in self._unchecked and not self._agrees(weights, block, size):
                continue  # this size has just been given up: choose another one
            pieces.append(self._run_block(weights, block, size))
            start += size
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _block_size(self, n_left):
        """Choose the smallest block that holds all rows and is more than half full."""
        fitting = self._sizes[0]
        for size in self._sizes:
            if n_left <= size:
                return size if n_left > size // 2 else fitting
            fitting = size
        return fitting

    def _run_block(self, weights, block, size):
        n_rows = len(block)
        if n_rows < size:
            padded = np.zeros((size, *block.shape[1:]), dtype=np.float32)
            padded[:n_rows] = block
            block = padded
        block = block.astype(np.float32, copy=False)
        return self._forward(weights, block)[:n_rows]

    def _choose_family(self, weights, shape):
        """Choose the sizes of blocks: those of the first family that treats rows alike.

        Blocks of noise are computed in several orders, and each row must come out as
        the same bits wherever it stands.
        """
        with self._lock:
            if self._sizes:  # another thread was here
                return
            for family in _FAMILIES:
                usual = family[0]
                blocks = _noise((_N_ARRANGED, usual, *shape))
                if all(self._ignores_places(weights, block) for block in blocks):
                    break
            self._usual_size = usual
            self._unchecked = frozenset(family[1:])
            self._sizes = tuple(sorted(family))

    def _ignores_places(self, weights, block):
        """Tell whether the rows of a block give the same bits in four orders."""
        size = len(block)
        outputs = self._run_block(weights, block, size)
        # A quarter and one: a row comes to early and late places, odd and even ones.
        shifts = [i * (size // 4 + 1) for i in range(1, 4)]
        return all(
            _same_bits(
                np.roll(outputs, shift, axis=0),
                self._run_block(weights, np.roll(block, shift, axis=0), size),
            )
            for shift in shifts
        )

    def _agrees(self, weights, block, size):
        """Tell whether blocks of this size and of the usual one give the same bits.

        Noise is computed in blocks of both sizes; where a bit differs, that size is
        not used.
        """
        rows = _noise((max(size, _N_COMPARED), *block.shape[1:]))
        by_size = [
            np.concatenate(
                [
                    self._run_block(weights, rows[i : i + n], n)
                    for i in range(0, len(rows), n)
                ]
            )
            for n in (size, self._usual_size)
        ]
        agrees = _same_bits(*by_size)
        with self._lock:
            self._unchecked = self._unchecked - {size}
            if not agrees:
                self._sizes = tuple(s for s in self._sizes if s != size)
        return agrees


def _noise(shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _same_bits(one, other):
    return np.array_equal(one, other, equal_nan=True)


def _compiled(forward, backend):
    """Compile ``forward(weights, inputs)``, of tensors, as the backend does it best.

    The function that is returned takes and gives the rows as an array.
    """
    if backend == "tensorflow":
        return _CompiledByTensorFlow(forward)
    if backend == "torch":
        return functools.partial(_call_torch, forward)
    if backend == "jax":
        import jax

        forward = jax.jit(forward)
    return functools.partial(_call, forward)


class _CompiledByTensorFlow:
    """A concrete function for each number of rows, called by the shortest way.

    Calling a function of TensorFlow checks each of its arguments anew, which takes
    longer than a small network. The operation that it comes down to does not.
    """

    def __init__(self, forward):
        import tensorflow as tf

        self._tf = tf
        self._function = tf.function(forward, autograph=False)
        self._concrete = {}

    def __call__(self, weights, rows):
        rows = self._tf.constant(rows)
        concrete = self._concrete.get(len(rows))
        if concrete is None:
            concrete = self._function.get_concrete_function(weights, rows)
            self._concrete[len(rows)] = concrete
        outputs = self._tf.raw_ops.StatefulPartitionedCall(
            args=[*weights, rows, *concrete.captured_inputs],
            Tout=[output.dtype for output in concrete.outputs],
            f=concrete,
        )
        return outputs[0].numpy()


def _call_torch(forward, weights, rows):
    import torch

    from skmnist._keras import keras

    # A copy: how its kernels round depends on where the array begins, and a tensor
    # that is made from an array shares its memory.
    inputs = keras.ops.convert_to_tensor(rows).clone()
    with torch.no_grad():
        return np.asarray(forward(weights, inputs).cpu())


def _call(forward, weights, rows):
    from skmnist._keras import keras

    return np.asarray(forward(weights, keras.ops.convert_to_tensor(rows)))
