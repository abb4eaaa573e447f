"""The order in which training sees the rows, whichever loop runs."""

import itertools

import numpy as np

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

    def order(self, epoch):
        """Return the order of the rows in an epoch, counted from the first fit on."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.n_rows)

    def __iter__(self):
        for epoch in itertools.count(self.first_epoch):
            order = self.order(epoch)
            for start in range(0, self.n_rows, self.batch_size):
                rows = order[start : start + self.batch_size]
                inputs, *others = (array[rows] for array in self.arrays)
                yield inputs.astype(np.float32, copy=False), *others
