"""Dropout that draws as few random bits as it needs; TensorFlow only.

Keras draws 32 bits for each value, which takes a seventh of the time of training a
convolutional network in bfloat16. Here 16 bits decide whether a value is dropped, and 8
in bfloat16, whose numbers have no more digits.
"""

import functools

import keras
import tensorflow as tf

__all__ = ["draw_few_bits", "drop_out_at"]


def draw_few_bits(model):
    """Let the dropout layers of a model draw few bits, whichever loop trains it.

    Those of a class derived from Keras' own, with a ``noise_shape`` or a rate of 0 are
    left as they are.

    Parameters
    ----------
    model : keras.Model
        The model, whose layers may have layers. Its description does not change.
    """
    for layer in model._flatten_layers():
        is_plain = type(layer) is keras.layers.Dropout and layer.noise_shape is None
        if is_plain and layer.rate:
            drop_out_at(layer, layer.rate)


def drop_out_at(layer, rate):
    """Let a dropout layer drop a share of the values.

    Parameters
    ----------
    layer : keras.layers.Dropout
        The layer. It draws from its own generator, as before.
    rate : float or tf.Variable
        The share, in [0, 1), rounded to a multiple of 1/256 in bfloat16 and of 1/65,536
        in other types, and to less than 1. A variable is read in each step.
    """
    # Past Keras, which would take the variable for a weight of the layer.
    vars(layer)["call"] = functools.partial(_dropped, layer, rate)


def _dropped(layer, rate, inputs, training=False):
    if not training:
        return inputs
    dtype = inputs.dtype
    bits = tf.uint8 if dtype == tf.bfloat16 else tf.uint16
    n_levels = bits.max + 1
    n_dropped = tf.minimum(tf.round(tf.cast(rate, tf.float64) * n_levels), bits.max)
    # By the rate as it was rounded, so that the mean of the values stays what it is.
    scale = tf.cast(n_levels / (n_levels - n_dropped), dtype)
    seed = tf.cast(layer.seed_generator.next(), tf.int32)
    kept = _random_bits(tf.shape(inputs), seed, bits) >= tf.cast(n_dropped, bits)
    return inputs * tf.where(kept, scale, tf.zeros([], dtype))


def _random_bits(shape, seed, dtype):
    """Return unsigned integers of a shape, all of whose bits are random."""
    n_values = tf.reduce_prod(shape)
    n_in_a_word = tf.int32.size // dtype.size
    n_words = -(-n_values // n_in_a_word)
    words = tf.random.stateless_uniform([n_words], seed, None, None, tf.int32)
    return tf.reshape(tf.reshape(tf.bitcast(words, dtype), [-1])[:n_values], shape)
