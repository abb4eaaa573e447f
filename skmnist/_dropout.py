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

    Parameters
    ----------
    model : keras.Model
        A network of this package, all of whose dropout layers have a rate above 0. Its
        description does not change, nor what is copied from it.
    """
    for layer in model.layers:
        if type(layer) is keras.layers.Dropout:
            drop_out_at(layer)


def drop_out_at(layer, rate=None):
    """Let a dropout layer draw few bits.

    Parameters
    ----------
    layer : keras.layers.Dropout
        A layer with a rate above 0. It draws from its own generator, as before.
    rate : tf.Variable, default=None
        Share of the values to drop, in [0, 1), read anew in each step; the layer's own
        rate if None. It is rounded to a multiple of 1/256 below 1 in bfloat16, of
        1/65,536 in other types.
    """
    # Past Keras, which would take the variable for a weight of the layer, and put into
    # no copy of it what it does not know.
    vars(layer)["call"] = functools.partial(_dropped, layer, rate)


def _dropped(layer, rate, inputs, training=False):
    if not training:
        return inputs
    dtype = inputs.dtype
    bits = tf.uint8 if dtype == tf.bfloat16 else tf.uint16
    n_levels = bits.max + 1
    rate = tf.cast(layer.rate if rate is None else rate, tf.float64)
    n_dropped = tf.minimum(tf.round(rate * n_levels), bits.max)
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
