"""What training takes and leaves, as plain data; importing it imports no Keras."""

import copy
import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Description", "ShuffledBatches", "TrainingData", "TrainingState"]


class TrainingData(NamedTuple):
    """Arrays that are checked and encoded.

    Inputs in float32 or uint8, int labels from 0.
    """

    inputs: np.ndarray
    labels: np.ndarray
    weights: np.ndarray | None = None

    @property
    def samples(self):
        """A few inputs as a network takes them, to try it with."""
        return self.inputs[:8].astype(np.float32)

    @property
    def trials(self):
        """A few inputs, and noise of their range, to see all that a network does.

        The first images may be blank, or alike.
        """
        samples = self.samples
        low, high = float(self.inputs.min()), float(self.inputs.max())
        noise = np.random.default_rng(0).random(samples.shape, dtype=np.float32)
        # Where all inputs are the same number, there is no range.
        noise = low + noise * ((high - low) or 1)
        return np.concatenate([samples, noise.astype(np.float32)])

    def rows(self, rows):
        """Return some of the rows."""
        return TrainingData(*(array[rows] for array in self.arrays))

    @property
    def arrays(self):
        """The arrays that are there, in the order that Keras expects."""
        return tuple(array for array in self if array is not None)


class ShuffledBatches:
    """Batches in an order that depends on a seed and the number of the epoch only.

    `arrays` are inputs, labels and, maybe, weights; `first_epoch` is the number of
    epochs that went before. The last batch of an epoch may be smaller.
    ``augmented(seed)`` gives what changes the inputs of an epoch, an
    :class:`~skmnist.preprocessing.augmentation.AugmentedImages`.
    """

    test_batch_size = 512  # of validation data

    def __init__(self, arrays, batch_size, seed, first_epoch, augmented=None):
        # Rows of others lie all over the memory.
        self.arrays = [np.ascontiguousarray(array) for array in arrays]
        self.batch_size = batch_size
        self.seed = seed
        self.first_epoch = first_epoch
        self.augmented = augmented
        self.n_rows = len(arrays[0])
        self.steps_per_epoch = -(-self.n_rows // batch_size)

    def order(self, epoch):
        """Return the order of the rows in an epoch, counted from the first fit on."""
        return np.random.default_rng([self.seed, epoch]).permutation(self.n_rows)

    def reader(self, epoch):
        """Return a function of a number, which returns the next rows of an epoch."""
        order = self.order(epoch)
        n_read = 0
        images = self.augmented and self.augmented([self.seed, epoch])

        def read(n_rows):
            nonlocal n_read
            rows = order[n_read : n_read + n_rows]
            n_read += n_rows
            inputs, *others = (array[rows] for array in self.arrays)
            return images.next(inputs) if images else inputs, *others

        return read

    def __iter__(self):
        for epoch in itertools.count(self.first_epoch):
            read = self.reader(epoch)
            for _ in range(self.steps_per_epoch):
                inputs, *others = read(self.batch_size)
                yield inputs.astype(np.float32, copy=False), *others


class Description(NamedTuple):
    """What Keras says of a network that its specification does not say all about.

    Attributes
    ----------
    config : str
        The graph as JSON, as written by :meth:`keras.Model.to_json`.
    custom_objects : dict
        Layer classes that are not Keras' own, by name.
    keras_version : str
        Version of Keras that wrote it; "" if nobody knows.
    """

    config: str
    custom_objects: dict
    keras_version: str


@dataclass
class TrainingState:
    """Where training stands: what is needed to go on with it, as plain data.

    Parameters
    ----------
    weights_seed, shuffle_seed : int
        Seeds of the initial weights and of the order of the rows.
    n_epochs : int
        Number of epochs done.
    optimizer_variables : list of ndarray, default=None
        Step count, learning rate and moments of the optimizer; None for a new one.
    optimizer_kind : str, default=None
        Kind and settings of that optimizer; for another one they mean nothing.
    initial_rate : float, default=None
        Learning rate that it began with.
    random_states : list of ndarray, default=None
        States of the random generators of dropout and the like.
    is_kept : bool, default=False
        Whether the optimizer's variables, which are often twice as large as the
        network, are pickled too.
    learning_rate : float, default=None
        The rate of the fit, or the highest of a course with a name. None for a
        schedule of the optimizer's own, and in files of earlier versions.
    """

    weights_seed: int
    shuffle_seed: int
    n_epochs: int = 0
    optimizer_variables: list | None = None
    optimizer_kind: str | None = None
    initial_rate: float | None = None
    random_states: list | None = None
    is_kept: bool = False
    learning_rate: float | None = None

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin

    def __getstate__(self):
        state = vars(self).copy()
        if not self.is_kept:
            state["optimizer_variables"] = None
        return state
