"""The order in which training sees the rows, whichever loop runs."""

import itertools
from functools import partial

import numpy as np

from skmnist._keras import keras

__all__ = ["ShuffledBatches"]


class ShuffledBatches:
    """Batches in an order that depends on a seed and the number of the epoch only.

    Parameters
    ----------
    arrays : tuple of ndarray
        Inputs, labels and, maybe, weights, all of the same length.
    batch_size : int
        Rows in a batch; the last one of an epoch may be smaller.
    seed : int
        Seed of the order.
    first_epoch : int
        Number of epochs that went before.
    """

    test_batch_size = 512  # of validation data

    def __init__(self, arrays, batch_size, seed, first_epoch):
        self.arrays = arrays
        self.batch_size = batch_size
        self.seed = seed
        self.first_epoch = first_epoch
        self.n_rows = len(arrays[0])
        self.steps_per_epoch = -(-self.n_rows // batch_size)

    def orders(self):
        """Iterate over the orders of the rows, one for each epoch."""
        return _orders(self.n_rows, self.seed, self.first_epoch)

    def __iter__(self):
        for order in self.orders():
            for start in range(0, self.n_rows, self.batch_size):
                rows = order[start : start + self.batch_size]
                inputs, *others = (array[rows] for array in self.arrays)
                yield inputs.astype(np.float32, copy=False), *others

    def stream(self):
        """Return the batches of all epochs in the form that Keras reads fastest."""
        if keras.backend.backend() != "tensorflow":
            return iter(self)
        import tensorflow as tf

        inputs, *others = map(tf.convert_to_tensor, self.arrays)
        # Not a method: TensorFlow keeps generators for good, and so what they hold.
        orders = partial(_orders, self.n_rows, self.seed, self.first_epoch)
        return (
            tf.data.Dataset.from_generator(
                orders, output_signature=tf.TensorSpec([self.n_rows], tf.int64)
            )
            .flat_map(
                lambda order: tf.data.Dataset.from_tensor_slices(order).batch(
                    self.batch_size
                )
            )
            .map(
                lambda rows: (
                    tf.cast(tf.gather(inputs, rows), tf.float32),
                    *(tf.gather(tensor, rows) for tensor in others),
                )
            )
            .prefetch(2)
        )


def _orders(n_rows, seed, first_epoch):
    for epoch in itertools.count(first_epoch):
        yield np.random.default_rng([seed, epoch]).permutation(n_rows)
