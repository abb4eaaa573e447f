"""The forward pass: one compiled program for each structure of a network.

All trained networks of that structure share it and call it with their own weights. It
ends in logits where the network ends in a plain softmax: float32 cannot tell
probabilities near 1 apart.
"""

import functools
import itertools
import weakref
from itertools import chain

import numpy as np
from scipy.special import softmax

from skmnist._interrupts import keep_interrupts
from skmnist._training.description import trainable_in, without_softmax
from skmnist._training.reuse import ForkSafeLock, ProgramCache

__all__ = [
    "TRACED_BYTES",
    "ForwardProgram",
    "forward_programs",
    "rebuild",
    "trainable_flags",
]

# Rows go through programs of constant size, padded with zeros, so that a program
# is traced once for each size and never again, and a row's probabilities do not
# depend on how many rows stand beside it. How a kernel rounds may depend on the number
# of rows and on the place of a row among them. With AVX-512, rows come out alike in
# all places of blocks of 2, 8, 64 and 256; with AVX2, where matrix products take 6 rows
# at a time and softmax 8, mostly in blocks of 16, 64 and 256, else in multiples of 24.
# Each program tries which family holds; the first size of a family sets the standard.
# Single rows are the last resort. The choice must not depend on whose weights come
# first: the networks of a shape share it, in every process that loads one of them.
_FAMILIES = ((8, 2, 64, 256), (16, 64, 256), (24, 96, 192), (1,))
# For convolutions each place of an image is a row, and most sizes agree, small ones
# too. So few images are hardly padded. The layers behind the convolutions take their
# features in blocks of the usual size, or, where that gives the same bits, all those of
# a larger block at once.
_FEW_IMAGES = (1, 2, 6, 12)
# As few as 3 rows in 100 were seen to differ between blocks of two sizes, and one in
# 8 between two places of a block: so many rows are tried that such are found.
_N_COMPARED = 256
_N_COMPARED_FEW = 32
_N_ARRANGED = 4
# Weights are tried with ever smaller ones until few rows are of one class for certain.
_N_SCALES = 20
_CERTAIN = 0.999

# What TensorFlow keeps for a program grows with the operations that were traced, about
# 0.1 MB for each array of weights and size of block: 5.2 MB were measured for 8 arrays
# of a CNN in all of 7 sizes, 1.9 MB for 12 of an MLP in 2.
TRACED_BYTES = 2**19  # for each array

forward_programs = ProgramCache(max_programs=64, max_bytes=128 * 2**20)


def rebuild(config, custom_objects, seed=0):
    """Build an untrained Keras model from its description."""
    from skmnist._training.keras import all_layers, isolated_build, keras

    with isolated_build(seed):
        model = keras.models.model_from_json(config, custom_objects=custom_objects)
    flags = trainable_in(config)
    if flags is not None:
        # A layer hands its own on to those inside of it, which come behind it.
        parts = all_layers(model), model.weights
        for part, flag in zip(chain(*parts), chain(*flags), strict=True):
            part.trainable = flag
    return model


def trainable_flags(model):
    """Return which layers of a model are trained, and which weights."""
    from skmnist._training.keras import all_layers

    return [
        [layer.trainable for layer in all_layers(model)],
        [variable.trainable for variable in model.weights],
    ]


class ForwardProgram:
    """Forward pass of one network description, compiled for constant block sizes.

    Parameters
    ----------
    config : str
        The graph as JSON, as written by :meth:`keras.Model.to_json`.
    custom_objects : dict, default=None
        Layer classes that are not Keras' own, by name.
    trial_weights : list of ndarray, default=None
        Weights that sizes of blocks are tried with, where not any numbers will do.
        None takes random ones, always the same.

    Attributes
    ----------
    gives_logits : bool
        Whether the outputs are logits: those of a network that ends in a plain softmax,
        as all of this package do. Else they are what the network gives.
    """

    def __init__(self, config, custom_objects=None, trial_weights=None):
        from skmnist._training.keras import keras

        config, self.gives_logits = without_softmax(config)
        self._model = rebuild(config, custom_objects)
        self._given_trial_weights = trial_weights
        # What a layer of the user's own makes of a row is not known.
        front, back = ([], []) if trial_weights else _split(self._model)
        self._sizes_for_few = _FEW_IMAGES if front else ()

        def forward(weights, rows, n_at_once):
            # States of random generators are no weights: they keep their own value.
            values = zip(self._model.weights, weights, strict=True)
            with keras.StatelessScope(state_mapping=values):
                if not front:
                    return self._model(rows, training=False)
                features = _pass(rows, front)
                return _pass_in_blocks(features, back, n_at_once)

        self._to_tensor = keras.ops.convert_to_tensor
        self._forward = _compiled(forward, keras.backend.backend())
        self._trial_scale = 1.0  # of random ones, as long as they saturate nothing
        self._usual_size = None  # the first of the family
        self._sizes = ()  # from which a block's is chosen
        # Those that are known to give the same bits, with the number of rows that the
        # layers behind convolutions take at a time.
        self._agreed = {}
        self._lock = ForkSafeLock()  # of whoever tries sizes

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
            self._choose_family(inputs.shape[1:])
        pieces = []
        start = 0
        while start < n_samples:
            size = self._block_size(n_samples - start)
            if size not in self._agreed:
                self._try_size(inputs.shape[1:], size)
                continue  # it may have been given up: choose again
            block = inputs[start : start + size]
            pieces.append(self._run_block(weights, block, size, self._agreed[size]))
            start += size
        return pieces[0] if len(pieces) == 1 else np.concatenate(pieces)

    def _block_size(self, n_left):
        """Choose the smallest block that holds all rows and is two thirds full.

        Up to the usual size, one call costs less than two of smaller blocks, as the
        weights go through the processor once for a call, however few the rows are.
        """
        fitting = self._sizes[0]
        for size in self._sizes:
            if n_left <= size:
                is_good = size <= self._usual_size or 3 * n_left > 2 * size
                return size if is_good else fitting
            fitting = size
        return fitting

    def _run_block(self, weights, block, size, n_at_once):
        n_rows = len(block)
        if n_rows < size:
            padded = np.zeros((size, *block.shape[1:]), dtype=np.float32)
            padded[:n_rows] = block
            block = padded
        block = block.astype(np.float32, copy=False)
        return self._forward(weights, block, n_at_once)[:n_rows]

    @keep_interrupts()
    def _choose_family(self, shape):
        """Choose the sizes of blocks: those of the first family that treats rows alike.

        Blocks of noise are computed in several orders, and each row must come out as
        the same bits wherever it stands.
        """
        with self._lock:
            if self._sizes:  # another thread was here
                return
            self._usual_size = _FAMILIES[0][0]
            weights = self._telling_weights(shape)
            for family in _FAMILIES:
                self._usual_size = usual = family[0]
                blocks = _noise((_N_ARRANGED, usual, *shape))
                if all(self._ignores_places(weights, block) for block in blocks):
                    break
            self._agreed = {usual: usual}
            few = [size for size in self._sizes_for_few if size < usual]
            self._sizes = tuple(sorted({*few, *family}))

    def _telling_weights(self, shape):
        """Choose how large trial weights are; return them.

        Where almost all rows come out as one class for certain, or as no numbers, they
        come out alike whatever the kernels do.
        """
        weights = self._trial_weights()
        if self._given_trial_weights is not None:
            return weights
        size = self._usual_size
        block = _noise((size, *shape))
        for _ in range(_N_SCALES):
            outputs = self._run_block(weights, block, size, size)
            with np.errstate(invalid="ignore"):  # of infinite ones
                largest = softmax(outputs, axis=1).max(axis=1)
            if np.mean(largest < _CERTAIN) > 0.5:
                break
            self._trial_scale /= 2
            weights = self._trial_weights()
        return weights

    def _ignores_places(self, weights, block):
        """Tell whether the rows of a block give the same bits in four orders."""
        size = len(block)
        outputs = self._run_block(weights, block, size, size)
        # A quarter and one: a row comes to early and late places, odd and even ones.
        shifts = [i * (size // 4 + 1) for i in range(1, 4)]
        return all(
            _same_bits(
                np.roll(outputs, shift, axis=0),
                self._run_block(weights, np.roll(block, shift, axis=0), size, size),
            )
            for shift in shifts
        )

    @keep_interrupts()
    def _try_size(self, shape, size):
        """Agree to a size of block, or give it up.

        Noise is computed in blocks of this size and of the usual one; where a bit
        differs, the size is not used.
        """
        with self._lock:
            if size in self._agreed or size not in self._sizes:
                return  # another thread was here
            weights = self._trial_weights()
            is_few = size in self._sizes_for_few
            n_rows = _N_COMPARED_FEW if is_few else max(size, _N_COMPARED)
            rows = _noise((n_rows, *shape))
            usual = self._usual_size
            wanted = self._run_blocks(weights, rows, usual, usual)
            # At once, if may be: the weights of dense layers go through the processor
            # as often as they are called. With AVX2, many rows come out otherwise.
            has_back = bool(self._sizes_for_few)
            for n_at_once in [size, usual] if has_back and size > usual else [usual]:
                given = self._run_blocks(weights, rows, size, n_at_once)
                if _same_bits(given, wanted):
                    self._agreed = {**self._agreed, size: n_at_once}
                    return
            self._sizes = tuple(s for s in self._sizes if s != size)

    def _run_blocks(self, weights, rows, size, n_at_once):
        """Pass rows through the network in blocks of one size."""
        return np.concatenate(
            [
                self._run_block(weights, rows[i : i + size], size, n_at_once)
                for i in range(0, len(rows), size)
            ]
        )

    def _trial_weights(self):
        """Return the weights that sizes are tried with.

        Random ones are as large as an initializer makes them, or smaller, so that no
        unit is saturated. They have all digits of their type: in float64, products of
        shorter ones are exact. Vectors are positive, as scales and variances must be.
        """
        if self._given_trial_weights is not None:
            return self.place(self._given_trial_weights)
        generator = np.random.default_rng(0)
        weights = []
        for variable in self._model.weights:
            dtype = np.float64 if variable.dtype == "float64" else np.float32
            array = generator.random(variable.shape, dtype)
            if array.ndim < 2:
                array = 0.1 + 0.4 * array
            else:  # the limits of Glorot's uniform initializer
                *field, fan_in, fan_out = array.shape
                limit = np.sqrt(6 / (np.prod(field) * (fan_in + fan_out)))
                array = dtype(limit * self._trial_scale) * (2 * array - 1)
            weights.append(self._to_tensor(array, dtype=variable.dtype))
        return weights


def _split(model):
    """Split the layers of a network of ours where images become rows of features.

    Returns
    -------
    front, back : list of keras.Layer
        The layers until there, and those behind; none at all if the images are
        flattened before any weights.
    """
    layers = model.layers[1:]  # the first one is the input
    is_behind_weights = False
    for index, layer in enumerate(layers):
        if len(layer.output.shape) == 2:
            n_front = index + 1
            if is_behind_weights:
                return layers[:n_front], layers[n_front:]
            break
        is_behind_weights = is_behind_weights or bool(layer.weights)
    return [], []


def _pass(tensor, layers):
    """Pass rows through layers one after the other, as prediction does."""
    for layer in layers:
        tensor = layer(tensor)
    return tensor


def _pass_in_blocks(features, layers, size):
    """Pass rows through layers ``size`` at a time, padded with zeros."""
    from skmnist._training.keras import keras

    n_rows = features.shape[0]
    n_blocks = -(-n_rows // size)
    features = keras.ops.pad(features, ((0, n_blocks * size - n_rows), (0, 0)))
    blocks = keras.ops.split(features, n_blocks)
    outputs = keras.ops.concatenate([_pass(block, layers) for block in blocks])
    return outputs[:n_rows]


def _noise(shape):
    return np.random.default_rng(0).random(shape, dtype=np.float32)


def _same_bits(one, other):
    return np.array_equal(one, other, equal_nan=True)


def _compiled(forward, backend):
    """Compile ``forward(weights, inputs, n_at_once)`` as the backend does it best.

    The function that is returned takes and gives the rows as an array.
    """
    if backend == "tensorflow":
        return _CompiledByTensorFlow(forward)
    if backend == "torch":
        return functools.partial(_call_torch, forward)
    if backend == "jax":
        import jax

        forward = jax.jit(forward, static_argnums=2)
    return functools.partial(_call, forward)


class _CompiledByTensorFlow:
    """A concrete function for each size of block, called by the shortest way.

    Calling a function of TensorFlow checks each of its arguments anew, which takes
    longer than a small network. The operation that it comes down to does not.
    """

    def __init__(self, forward):
        import tensorflow as tf

        self._tf = tf
        self._function = tf.function(forward, autograph=False)
        self._concrete = {}
        weakref.finalize(self, _free_kernels).atexit = False

    def __call__(self, weights, rows, n_at_once):
        rows = self._tf.constant(rows)
        concrete = self._concrete.get((len(rows), n_at_once))
        if concrete is None:
            trace = self._function.get_concrete_function
            concrete = trace(weights, rows, n_at_once)
            self._concrete[len(rows), n_at_once] = concrete
        outputs = self._tf.raw_ops.StatefulPartitionedCall(
            args=[*weights, rows, *concrete.captured_inputs],
            Tout=[output.dtype for output in concrete.outputs],
            f=concrete,
        )
        return outputs[0].numpy()


_n_dropped = itertools.count(1)


def _free_kernels():
    """Let TensorFlow forget what it prepared for programs that are gone.

    It keeps that for operations that call a function, up to 1 MB for each of them, and
    never frees it by itself. To forget all takes each program some 20 ms at its next
    call, so it is done for a few at a time.
    """
    if next(_n_dropped) % 8 == 0:
        from tensorflow.python.eager import context  # there is no public way

        context.context().clear_kernel_cache()


def _call_torch(forward, weights, rows, n_at_once):
    import torch

    from skmnist._training.keras import keras

    # A copy: how its kernels round depends on where the array begins, and a tensor
    # that is made from an array shares its memory.
    inputs = keras.ops.convert_to_tensor(rows).clone()
    with torch.no_grad():
        return np.asarray(forward(weights, inputs, n_at_once).cpu())


def _call(forward, weights, rows, n_at_once):
    from skmnist._training.keras import keras

    inputs = keras.ops.convert_to_tensor(rows)
    return np.asarray(forward(weights, inputs, n_at_once))
