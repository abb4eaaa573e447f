"""The inputs and results of training, as plain data; this module imports no Keras."""

import copy
import itertools
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

__all__ = ["Description", "ShuffledBatches", "TrainingData", "TrainingState"]


class TrainingData(NamedTuple):
    """Arrays that are checked and encoded."""

    inputs: np.ndarray  # in float32 or uint8
    labels: np.ndarray  # ints from 0
    weights: np.ndarray | None = None

    @property
    def samples(self):
        """A few inputs, as a network takes them."""
        return self.inputs[:8].astype(np.float32)

    @property
    def trials(self):
        """A few inputs, and noise in their range, as inputs may be blank or alike."""
        samples = self.samples
        low, high = float(self.inputs.min()), float(self.inputs.max())
        noise = np.random.default_rng(0).random(samples.shape, dtype=np.float32)
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
    """Batches in an order that depends only on a seed and the number of the epoch.

    `arrays` are inputs, labels and optional weights; `first_epoch` is the number of
    earlier epochs. The last batch of an epoch may be smaller; with fewer rows than
    `smallest` it is left out. ``augmented(seed)`` returns
    :class:`~skmnist.preprocessing.augmentation.AugmentedImages` for an epoch.
    """

    test_batch_size = 512  # of validation data

    def __init__(
        self, arrays, batch_size, seed, first_epoch, *, augmented=None, smallest=1
    ):
        # So that the pixels of a row are next to each other in memory.
        self.arrays = [np.ascontiguousarray(array) for array in arrays]
        self.batch_size = batch_size
        self.seed = seed
        self.first_epoch = first_epoch
        self.augmented = augmented
        self._n_given = self.n_rows = len(arrays[0])
        if self.n_rows % batch_size < smallest:
            self.n_rows -= self.n_rows % batch_size
        self.steps_per_epoch = -(-self.n_rows // batch_size)

    def order(self, epoch):
        """Return the order of the rows in an epoch, counted from the first fit."""
        order = np.random.default_rng([self.seed, epoch]).permutation(self._n_given)
        return order[: self.n_rows]

    def reader(self, epoch):
        """Return a function that reads a number of rows of an epoch, in their order."""
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
    """Keras' description of a network from a user-defined builder."""

    config: str  # JSON of keras.Model.to_json
    custom_objects: dict  # classes of layers that are not from Keras, by name
    keras_version: str  # that wrote it; "" if unknown


@dataclass
class TrainingState:
    """All that is needed to resume training, as plain data."""

    weights_seed: int
    shuffle_seed: int
    n_epochs: int = 0
    # Step count, learning rate and moments; None for a new optimizer.
    optimizer_variables: list | None = None
    # Optimizer and settings that these belong to, as JSON.
    optimizer_kind: str | None = None
    initial_rate: float | None = None
    # Of generators, such as those of dropout.
    random_states: list | None = None
    # Whether optimizer_variables, often twice as large as the network, are pickled.
    is_kept: bool = False
    # Of the fit, or the highest of a named schedule. None for a schedule of the
    # optimizer, and in files of earlier versions.
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
