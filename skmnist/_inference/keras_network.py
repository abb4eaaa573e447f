"""Networks that Keras itself runs: those of user-defined builders."""

import functools

import numpy as np

from skmnist._interrupts import keep_interrupts
from skmnist._training.keras import as_arrays, keras

__all__ = ["KerasNetwork"]

# Rows of a block, padded with zeros, so that a network is traced for these sizes alone.
_SIZES = (1, 4, 16, 64, 256)


class KerasNetwork:
    """A trained network that is ready to predict, of a model that nobody else has.

    ``gives_logits`` says whether the outputs are logits, as the network ends in a plain
    softmax. Else they are what the network gives.
    """

    def __init__(self, model):
        # float32 cannot distinguish probabilities near 1.
        self.gives_logits = _leave_out_softmax(model)
        self._n_classes = model.output_shape[-1]
        self._forward = _compiled(model)

    @keep_interrupts()
    def run(self, inputs):
        """Pass inputs in float32 or uint8 through the network."""
        if len(inputs) == 0:
            return np.empty((0, self._n_classes), np.float32)
        pieces, start = [], 0
        while start < len(inputs):
            size = _block_size(len(inputs) - start)
            block = inputs[start : start + size]
            start += size
            padded = np.zeros((size, *block.shape[1:]), np.float32)
            padded[: len(block)] = block
            tensor = self._forward(keras.ops.convert_to_tensor(padded))
            pieces.append(as_arrays([tensor])[0][: len(block)])
        outputs = np.concatenate(pieces)
        # What else a network may compute in, such as bfloat16, NumPy hardly knows.
        return outputs if outputs.dtype == np.float64 else outputs.astype(np.float32)


def _block_size(n_left):
    """Return the smallest size that holds all rows, unless half of it stays empty."""
    fitting = (size for size in _SIZES if size < 2 * n_left <= 2 * size)
    return next(fitting, max(size for size in _SIZES if size <= n_left))


def _leave_out_softmax(model):
    """Let a model give its logits where its last step is a plain softmax.

    Returns whether it is. Where the softmax may be needed elsewhere, the model is left
    as it is: in a user-defined class, which may do more than its layers do, or in a
    layer that is called more than once.
    """
    layer = model.outputs[0]._keras_history.operation
    is_of_keras = type(model).__module__.startswith("keras.")
    if not is_of_keras or len(layer._inbound_nodes) != 1:
        return False
    if type(layer) in (keras.layers.Dense, keras.layers.Activation):
        if layer.activation is keras.activations.softmax:
            layer.activation = keras.activations.linear
            return True
    elif type(layer) is keras.layers.Softmax and layer.axis in (1, -1):
        layer.call = lambda inputs, **_: inputs
        return True
    return False


def _compiled(model):
    """Compile a forward pass that changes nothing in the model."""
    # Tensors: programs of TensorFlow that read variables take several times as long.
    values = list(map(keras.ops.convert_to_tensor, model.variables))

    def forward(rows, values=values):
        mapping = zip(model.variables, values, strict=True)
        with keras.StatelessScope(state_mapping=mapping):
            return model(rows, training=False)

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # Each size is traced by itself: TensorFlow would warn of a function that many
        # networks trace when they are first called.
        trace = tf.function(lambda rows: forward(rows), autograph=False)
        traced = functools.cache(
            lambda shape: trace.get_concrete_function(tf.TensorSpec(shape, "float32"))
        )
        return lambda rows: traced(tuple(rows.shape))(rows)
    if backend == "jax":
        import jax

        # As arguments: constants would be compiled into the program.
        return functools.partial(jax.jit(forward), values=values)
    import torch

    return torch.no_grad()(forward)
