"""Dropout that draws as few random bits as it needs; TensorFlow only.

Keras draws 32 bits for each value, which takes a seventh of the time of training a
convolutional network in bfloat16. Here 16 bits decide whether a value is dropped, 8 in
bfloat16, whose numbers have no more digits, and 2 where the rate is 0.25, 0.5 or 0.75.
"""

import keras
import tensorflow as tf

__all__ = ["FewBits", "draw_few_bits", "drop_out_at", "is_in_quarters"]


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


def drop_out_at(layer, rate=None, *, quarters=False):
    """Let a dropout layer draw few bits.

    Parameters
    ----------
    layer : keras.layers.Dropout
        A layer with a rate above 0. It draws from its own generator, as before.
    rate : tf.Variable, default=None
        Share of the values to drop, in [0, 1), read anew in each step; the layer's own
        rate if None. It is rounded to a multiple of 1/256 below 1 in bfloat16, of
        1/65,536 in other types.
    quarters : bool, default=False
        Whether each value of the variable is one that :func:`is_in_quarters`.
    """
    # Past Keras, which would take the variable for a weight of the layer, and put into
    # no copy of it what it does not know.
    vars(layer)["call"] = FewBits(layer, rate, quarters)


def is_in_quarters(rate):
    """Tell whether 2 bits a value decide what is dropped at a rate."""
    return rate in (0.25, 0.5, 0.75)


class FewBits:
    """What a dropout layer does when it is called; see :func:`drop_out_at`."""

    def __init__(self, layer, rate, quarters):
        self._layer = layer
        self._rate = rate
        self._quarters = quarters

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
        if self._rate is None:
            # A conversion would go by way of float32.
            rate = tf.constant(self._layer.rate, tf.float64)
            quarters = is_in_quarters(self._layer.rate)
        else:
            rate, quarters = self._rate, self._quarters
        n_dropped = tf.minimum(tf.round(rate * n_levels), bits.max)
        # By the rate as it was rounded, so that the mean of the values stays as it is.
        scale = n_levels / (n_levels - n_dropped)
        seed = tf.cast(self._layer.seed_generator.next(), tf.int32)
        drawn = _random_bits(tf.shape(inputs), seed, bits, 2 if quarters else None)
        return drawn >= tf.cast(n_dropped, bits), scale


def _random_bits(shape, seed, dtype, n_bits=None):
    """Return unsigned integers of a shape, whose upper bits are random, or all."""
    n_values = tf.reduce_prod(shape)
    n_in_a_word = tf.int32.size // dtype.size
    n_uses = 8 * dtype.size // n_bits if n_bits else 1
    n_words = -(-n_values // (n_in_a_word * n_uses))
    words = tf.random.stateless_uniform([n_words], seed, None, None, tf.int32)
    if n_uses > 1:
        # Others of its bits become the upper ones of each integer. To multiply is far
        # quicker than to shift.
        words = tf.concat([words * 2 ** (n_bits * i) for i in range(n_uses)], axis=0)
    return tf.reshape(tf.reshape(tf.bitcast(words, dtype), [-1])[:n_values], shape)
