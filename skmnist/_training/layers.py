"""Dropout and penalties of networks of this package in training; TensorFlow only.

Their dropout draws 8 random bits a value in bfloat16, whose numbers have no more
digits, and 16 otherwise. Keras draws 32, which takes a seventh of the time of training
a convolutional network in bfloat16. A compiled step reads rates and penalties from
variables, so that fits which differ in these alone share it.
"""

from dataclasses import replace

import keras
import tensorflow as tf

from skmnist.networks._graphs import build_blank, builder_arguments, network_layers
from skmnist.networks._layers import Dropout

__all__ = ["TrainingNumbers", "draw_few_bits", "structure"]


def structure(spec):
    """Describe a network of this package but for its dropout rates and penalties.

    Networks of the same structure are the same operations on the same shapes.
    """
    input_shape, plan = network_layers(spec)
    layers = [replace(p, rate=0.5) if isinstance(p, Dropout) else p for p in plan]
    # What is 0 asks for no operation.
    return spec.builder.__name__, input_shape, layers, *map(bool, _numbers(spec))


class TrainingNumbers:
    """The dropout rates and penalties of a network, which each fit sets."""

    def __init__(self, spec):
        # In float64: a conversion by Keras would go through float32.
        self._variables = [
            tf.Variable(number, trainable=False, dtype=tf.float64) if number else None
            for number in _numbers(spec)
        ]

    def set(self, spec):
        """Take those of another network of the same structure."""
        for variable, number in zip(self._variables, _numbers(spec), strict=True):
            if variable is not None:
                variable.assign(number)

    def build(self, spec, dtype):
        """Build a Keras model that reads them, with weights of 0."""
        *rates, l1, l2 = self._variables
        penalty = None if l1 is l2 is None else _Penalty(l1, l2)
        model = build_blank(spec, dtype, penalty)
        draw_few_bits(model, rates)
        return model


def _numbers(spec):
    """Return the dropout rates of a network and its L1 and L2 strengths."""
    _, plan = network_layers(spec)
    rates = [layer.rate for layer in plan if isinstance(layer, Dropout)]
    arguments = builder_arguments(spec)
    return [*rates, float(arguments["l1"]), float(arguments["l2"])]


class _Penalty(keras.regularizers.Regularizer):
    """A penalty on sizes and squares of weights, with variables for its factors."""

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


def draw_few_bits(model, rates=None):
    """Let the dropout layers of a network of this package draw few bits.

    Their rates are variables that are given, or else their own.
    """
    layers = [part for part in model.layers if isinstance(part, keras.layers.Dropout)]
    for layer, rate in zip(layers, rates or [None] * len(layers), strict=True):
        # Past Keras, which would take the variable for a weight of the layer. What is
        # saved or copied of the model is Keras' own layer.
        vars(layer)["call"] = _FewBits(layer, rate)


class _FewBits:
    """What a dropout layer does when it is called.

    Rates are rounded to multiples of 1/256 below 1 in bfloat16, of 1/65,536 in other
    types.
    """

    def __init__(self, layer, rate):
        self._layer = layer
        self._rate = rate

    def __call__(self, inputs, training=False):
        """Drop values in training, and scale the others."""
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
        # By the rate as it was rounded, so that the mean of the values stays as it is.
        scale = tf.cast(n_levels / (n_levels - n_dropped), inputs.dtype)
        is_kept = drawn >= tf.cast(n_dropped, bits)
        return inputs * tf.where(is_kept, scale, tf.zeros([], inputs.dtype))


def _random_bits(shape, seed, dtype):
    """Return unsigned integers of a shape, all of whose bits are random."""
    n_values = tf.reduce_prod(shape)
    n_words = -(-n_values // (tf.int32.size // dtype.size))
    words = tf.random.stateless_uniform([n_words], seed, None, None, tf.int32)
    return tf.reshape(tf.reshape(tf.bitcast(words, dtype), [-1])[:n_values], shape)
