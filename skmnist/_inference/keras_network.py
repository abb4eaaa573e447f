"""Networks that run in Keras: those of user-defined builders."""

import functools

import numpy as np

from skmnist._interrupts import keep_interrupts
from skmnist._training.keras import as_arrays, keras

__all__ = ["KerasNetwork"]

# Rows per block, padded with zeros, so that a network is traced only for these sizes.
_SIZES = (1, 4, 16, 64, 256)


class KerasNetwork:
    """A trained network that is ready to predict, from a model that it may change."""

    def __init__(self, model):
        # float32 cannot distinguish probabilities near 1.
        self.gives_logits = _leave_out_softmax(model)
        self._forward = _compiled(model)

    @keep_interrupts()
    def run(self, inputs):
        """Compute the outputs of inputs in float32 or uint8, at least one row."""
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
        # NumPy hardly supports other types, such as bfloat16.
        return outputs if outputs.dtype == np.float64 else outputs.astype(np.float32)


def _block_size(n_left):
    """Return the smallest size that holds all rows, unless half of it is empty."""
    fitting = (size for size in _SIZES if size < 2 * n_left <= 2 * size)
    return next(fitting, max(size for size in _SIZES if size <= n_left))


def _leave_out_softmax(model):
    """Remove the softmax at the end of a model; return whether that was possible."""
    layer = model.outputs[0]._keras_history.operation
    # A user-defined class, or a layer that is called twice, may need it elsewhere.
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
    """Compile a forward pass that does not change the model."""
    # Tensors, because TensorFlow takes several times as long to read variables.
    values = list(map(keras.ops.convert_to_tensor, model.variables))

    def forward(rows, values=values):
        mapping = zip(model.variables, values, strict=True)
        with keras.StatelessScope(state_mapping=mapping):
            return model(rows, training=False)

    backend = keras.backend.backend()
    if backend == "tensorflow":
        import tensorflow as tf

        # Called directly, because TensorFlow would warn of a function that is traced by
        # many networks.
        trace = tf.function(lambda rows: forward(rows), autograph=False)
        traced = functools.cache(
            lambda shape: trace.get_concrete_function(tf.TensorSpec(shape, "float32"))
        )
        return lambda rows: traced(tuple(rows.shape))(rows)
    if backend == "jax":
        import jax

        # As arguments, because constants would be compiled into the program.
        return functools.partial(jax.jit(forward), values=values)
    import torch

    return torch.no_grad()(forward)
