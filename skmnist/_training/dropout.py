"""Dropout that draws as few random bits as it needs; TensorFlow only.

Keras draws 32 bits for each value, which takes a seventh of the time of training a
convolutional network in bfloat16. Here 16 bits decide whether a value is dropped, and 8
in bfloat16, whose numbers have no more digits: or 2, for rates of 0.25, 0.5 and 0.75.
"""

import functools

import keras
import tensorflow as tf

__all__ = ["FewBits", "draw_few_bits", "drop_out_at"]


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
    vars(layer)["call"] = FewBits(layer, rate)


class FewBits:
    """What a dropout layer does when it is called; see :func:`drop_out_at`."""

    def __init__(self, layer, rate):
        self._layer = layer
        self._rate = rate

    def __call__(self, inputs, training=False):
        """Drop values in training, and scale the others."""
        if not training:
            return inputs
        kept, scale = self.draw(inputs)
        dtype = inputs.dtype
        return inputs * tf.where(kept, tf.cast(scale, dtype), tf.zeros([], dtype))

    def draw(self, inputs):
        """Return which values are kept, as bools, and what they are multiplied by."""
        bits = tf.uint8 if inputs.dtype == tf.bfloat16 else tf.uint16
        n_levels = bits.max + 1
        # A conversion of the layer's rate would go by way of float32.
        is_fixed = self._rate is None
        rate = tf.constant(self._layer.rate, tf.float64) if is_fixed else self._rate
        n_dropped = tf.minimum(tf.round(rate * n_levels), bits.max)
        # By the rate as it was rounded, so that the mean of the values stays as it is.
        scale = n_levels / (n_levels - n_dropped)
        seed = tf.cast(self._layer.seed_generator.next(), tf.int32)
        draw = functools.partial(_random_bits, tf.shape(inputs), seed, bits)
        if bits == tf.uint8:
            # Multiples of a quarter are decided by the two upper bits of each integer.
            is_easy = tf.equal(n_dropped % (n_levels / 4), 0)
            drawn = tf.cond(is_easy, lambda: draw(4), lambda: draw(1))
        else:
            drawn = draw(1)
        return drawn >= tf.cast(n_dropped, bits), scale


def _random_bits(shape, seed, dtype, n_uses):
    """Return unsigned integers of a shape, all of whose bits are random.

    If each word is used several times, that holds for the two upper bits alone.
    """
    n_values = tf.reduce_prod(shape)
    n_in_a_word = tf.int32.size // dtype.size
    n_words = -(-n_values // (n_in_a_word * n_uses))
    words = tf.random.stateless_uniform([n_words], seed, None, None, tf.int32)
    if n_uses > 1:
        # To multiply is far quicker than to shift.
        words = tf.concat([words * 4**i for i in range(n_uses)], axis=0)
    return tf.reshape(tf.reshape(tf.bitcast(words, dtype), [-1])[:n_values], shape)
