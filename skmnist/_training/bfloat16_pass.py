"""The forward pass of training in bfloat16; TensorFlow only.

Its products, convolutions and pooling use all that a processor has. Its operations on
single values do not: relu, its gradient and the masks of dropout take two to three
times as long as in float32. So there are as few of them as can be. Relu comes before
pooling, where TensorFlow has it for nothing, as a part of the convolution. What relu or
dropout made zero has no gradient: both pass gradients on as they are, and one mask
behind the two is enough. And what dropout lets through is scaled behind the next
product, which has fewer values.
"""

import re

import keras
import tensorflow as tf
from keras import layers
from tensorflow.python.eager import record

from skmnist._training.dropout import FewBits

__all__ = ["training_pass"]

_DTYPE = "bfloat16"
# The layers of the networks that are taken, by letters:
#   C  convolution with relu                c  convolution without activation
#   P  max pooling                          A  relu alone
#   D  dropout by few bits                  F  flattening
#   H  dense layer with relu                O  dense layer with another activation
_NETWORKS = re.compile("((C|cPA)+D?)?F?(HD?)*O")


def training_pass(model, inputs):
    """Compute the outputs of a model in training.

    Parameters
    ----------
    model : keras.Model
        Any model. It is called as it is, but for networks of this package that compute
        in bfloat16 with relu and dropout.
    inputs : tf.Tensor
        A batch. The gradients of the outputs hold for the weights, not for these.

    Returns
    -------
    tf.Tensor
        The outputs.
    """
    chain = model.layers[1:]  # the first one is the input
    letters = "".join(map(_letter, chain))
    # Only networks of this package have dropout by few bits. No layer of theirs does
    # more than these letters say.
    if "D" in letters and _NETWORKS.fullmatch(letters):
        return _run(chain, inputs)
    return model(inputs, training=True)


def _letter(layer):
    """Return the letter of a layer in `_NETWORKS`, or "?" for any other layer."""
    kind = type(layer)
    activation = getattr(layer, "activation", None)
    is_relu = activation is keras.activations.relu
    if kind is layers.Dense and not is_relu:
        return "O"
    if layer.compute_dtype != _DTYPE:
        return "?"
    if kind is layers.Dense:
        return "H"
    if kind is layers.Conv2D:
        is_linear = activation is keras.activations.linear
        return "C" if is_relu else "c" if is_linear else "?"
    if kind is layers.Activation and is_relu:
        return "A"
    if kind is layers.Dropout and isinstance(vars(layer).get("call"), FewBits):
        return "D"
    return {layers.MaxPooling2D: "P", layers.Flatten: "F"}.get(kind, "?")


def _run(chain, inputs):
    """Pass a batch through layers that `_NETWORKS` describes."""
    *chain, last = chain
    tensor, scale, pooled = tf.cast(inputs, _DTYPE), None, None
    for layer in chain:
        with tf.name_scope(layer.name):
            if isinstance(layer, layers.Dense | layers.Conv2D):
                tensor = _relu(_product(layer, tensor, scale, pooled))
                scale = None
            elif isinstance(layer, layers.Dropout):
                kept, scale = layer.call.draw(tensor)
                tensor = _dropped(tensor, kept)
            elif isinstance(layer, layers.MaxPooling2D):
                tensor = pooled = layer(tensor)
            elif isinstance(layer, layers.Flatten):
                tensor = layer(tensor)
            # The relu of an activation layer has been already.
    with tf.name_scope(last.name):
        return last.activation(_product(last, tensor, scale, pooled))


def _product(layer, tensor, scale, pooled):
    """Multiply what a layer gets by its weights and a number; add its biases."""
    dtype = layer.compute_dtype
    tensor = tf.cast(_masked(tensor), dtype)
    if isinstance(layer, layers.Conv2D):
        kernel = tf.cast(layer.kernel.value, dtype)
        product = tf.nn.conv2d(tensor, kernel, 1, layer.padding.upper())
    else:
        # Many weights are converted while little else is to be done, not when the
        # first convolution of a step waits for a processor.
        with tf.control_dependencies([] if pooled is None else [pooled]):
            kernel = tf.cast(layer.kernel.value, dtype)
        product = tf.matmul(tensor, kernel)
    if scale is not None:
        product *= tf.cast(scale, dtype)
    return tf.nn.bias_add(product, tf.cast(layer.bias.value, dtype))


def _relu(tensor):
    """Compute relu; the gradient is for `_masked`, maybe behind pooling and dropout."""
    with record.stop_recording():
        outputs = tf.nn.relu(tensor)
    return _with_gradient(outputs, tensor, lambda gradients: [gradients])


def _dropped(tensor, kept):
    """Put zeros where values are not kept; the gradient is for `_masked`."""
    with record.stop_recording():
        # The kernel that chooses is quick for tensors alone, not for one and a zero.
        zeros = tf.zeros_like(tensor)
        outputs = tf.raw_ops.Select(condition=kept, x=tensor, y=zeros)
    return _with_gradient(outputs, tensor, lambda gradients: [gradients])


def _masked(tensor):
    """Return the same values; those that are zero get no gradient."""

    def gradient(gradients):
        # Half of the time of the gradient of relu that TensorFlow has.
        is_there = tf.cast(tensor, tf.bool)
        return [tf.raw_ops.Select(condition=is_there, x=gradients, y=tensor)]

    with record.stop_recording():
        outputs = tf.identity(tensor)
    return _with_gradient(outputs, tensor, gradient)


def _with_gradient(outputs, tensor, gradient):
    """Let tapes take a function for the gradient of outputs that they did not see.

    `tf.custom_gradient` would register the function, and all that was traced with it,
    for as long as the process lives.
    """
    record.record_operation("skmnist", [outputs], [tensor], gradient)
    return outputs
