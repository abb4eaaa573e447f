"""Layers and regularization of our networks in training; TensorFlow only.

Dropout draws 8 random bits per value in bfloat16, which has no more digits, and 16
otherwise. Keras draws 32, a seventh of the training time of a convolutional network in
bfloat16. Batch normalization is one TensorFlow operation. Keras uses a dozen, always in
float32, which take as long as all other layers in bfloat16. Rates and strengths are
variables, so that fits which differ only in these share a compiled step.
"""

from dataclasses import replace

import keras
import tensorflow as tf

from skmnist.networks._graphs import build_blank, builder_arguments, network_layers
from skmnist.networks._layers import Dropout

# Channels that oneDNN takes at once. It normalizes other numbers of them in bfloat16
# so slowly that training takes three times as long.
_BLOCK = 16

__all__ = ["TrainingNumbers", "structure", "use_own_calls"]


def structure(spec):
    """Describe a network of this package without dropout rates and L1/L2 strengths."""
    input_shape, plan = network_layers(spec)
    layers = [replace(p, rate=0.5) if isinstance(p, Dropout) else p for p in plan]
    # A strength of 0 needs no operation.
    return spec.builder.__name__, input_shape, layers, *map(bool, _numbers(spec))


class TrainingNumbers:
    """The dropout rates and L1/L2 strengths of a network, which each fit sets."""

    def __init__(self, spec):
        # Not of Keras, which would convert through float32.
        self._variables = [
            tf.Variable(number, trainable=False, dtype=tf.float64) if number else None
            for number in _numbers(spec)
        ]

    def set(self, spec):
        """Use those of another network with the same structure."""
        for variable, number in zip(self._variables, _numbers(spec), strict=True):
            if variable is not None:
                variable.assign(number)

    def build(self, spec, dtype):
        """Build a Keras model that reads them, with all weights 0."""
        *rates, l1, l2 = self._variables
        penalty = None if l1 is l2 is None else _Penalty(l1, l2)
        model = build_blank(spec, dtype, penalty)
        use_own_calls(model, rates)
        return model


def _numbers(spec):
    """Return the dropout rates of a network and its L1 and L2 strengths."""
    _, plan = network_layers(spec)
    rates = [layer.rate for layer in plan if isinstance(layer, Dropout)]
    arguments = builder_arguments(spec)
    return [*rates, float(arguments["l1"]), float(arguments["l2"])]


class _Penalty(keras.regularizers.Regularizer):
    """L1 and L2 regularization with strengths that are variables or None."""

    def __init__(self, l1, l2):
        self._l1, self._l2 = l1, l2

    def __call__(self, weights):
        weights = tf.convert_to_tensor(weights)
        penalty = tf.zeros([], weights.dtype)
        for factor, size in (self._l1, tf.abs), (self._l2, tf.square):
            if factor is not None:
                factor = tf.cast(factor, weights.dtype)
                penalty += factor * tf.reduce_sum(size(weights))
        return penalty


def use_own_calls(model, rates=None):
    """Replace the calls of layers; dropout uses its own rates or given variables."""
    rates = iter(rates or ())
    for layer in model.layers:
        if isinstance(layer, keras.layers.Dropout):
            call = _FewBits(layer, next(rates, None))
        elif isinstance(layer, keras.layers.BatchNormalization):
            call = _FusedNormalization(layer)
        else:
            continue
        # Past Keras, which would treat variables as weights of the layer. Saved or
        # copied, the layer is Keras' own.
        vars(layer)["call"] = call


class _FusedNormalization:
    """The call of a batch normalization layer."""

    def __init__(self, layer):
        self._layer = layer

    def __call__(self, inputs, training=False, mask=None):
        layer = self._layer
        if not training or inputs.dtype not in (tf.float32, tf.bfloat16):
            return type(layer).call(layer, inputs, training=training)
        shape = tf.shape(inputs)
        images = inputs if inputs.shape.rank == 4 else inputs[:, None, None, :]
        if images.shape[-1] % _BLOCK:
            images = tf.cast(images, tf.float32)
        outputs, mean, variance, *_ = tf.raw_ops.FusedBatchNormV3(
            x=images,
            scale=tf.convert_to_tensor(layer.gamma.value),
            offset=tf.convert_to_tensor(layer.beta.value),
            mean=[],
            variance=[],
            epsilon=layer.epsilon,
            is_training=True,
        )
        # TensorFlow divides the sum of squares by n - 1, Keras by n.
        n_values = tf.cast(tf.reduce_prod(shape[:-1]), tf.float32)
        variance *= (n_values - 1) / n_values
        for kept, found in (
            (layer.moving_mean.value, mean),
            (layer.moving_variance.value, variance),
        ):
            kept.assign_sub((kept - found) * (1 - layer.momentum))
        return tf.reshape(tf.cast(outputs, inputs.dtype), shape)


class _FewBits:
    """The call of a dropout layer, with rates rounded to 1/256 or 1/65,536."""

    def __init__(self, layer, rate):
        self._layer = layer
        self._rate = rate

    def __call__(self, inputs, training=False):
        if not training:
            return inputs
        bits = tf.uint8 if inputs.dtype == tf.bfloat16 else tf.uint16
        n_levels = bits.max + 1
        rate = self._rate
        if rate is None:
            rate = tf.constant(self._layer.rate, tf.float64)
        n_dropped = tf.minimum(tf.round(rate * n_levels), bits.max)
        seed = tf.cast(self._layer.seed_generator.next(), tf.int32)
        drawn = _random_bits(tf.shape(inputs), seed, bits)
        # With the rounded rate, which keeps the mean of the values.
        scale = tf.cast(n_levels / (n_levels - n_dropped), inputs.dtype)
        is_kept = drawn >= tf.cast(n_dropped, bits)
        return inputs * tf.where(is_kept, scale, tf.zeros([], inputs.dtype))


def _random_bits(shape, seed, dtype):
    """Draw unsigned integers."""
    n_values = tf.reduce_prod(shape)
    n_words = -(-n_values // (tf.int32.size // dtype.size))
    words = tf.random.stateless_uniform([n_words], seed, None, None, tf.int32)
    return tf.reshape(tf.reshape(tf.bitcast(words, dtype), [-1])[:n_values], shape)
