"""The seam to scikeras, which compiles and fits Keras models inside our classifiers.

Nothing else in the package imports scikeras. Its faults end here: it changes how
Keras objects are pickled when it is imported, makes the whole process
deterministic while it fits with a seed, shuffles by the global generators, and
checks arrays by rules of its own.
"""

import itertools

import numpy as np

from skmnist._keras import keras

_PICKLED = (
    keras.Model,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)
_METHODS = ("__reduce__", "__deepcopy__")
_own_methods = [
    (cls, name, cls.__dict__.get(name)) for cls in _PICKLED for name in _METHODS
]
from scikeras.wrappers import BaseWrapper  # noqa: E402 - after the methods were kept

for _cls, _name, _method in _own_methods:
    if _method is not None:
        setattr(_cls, _name, _method)
    elif _name in _cls.__dict__:
        delattr(_cls, _name)

__all__ = ["fit_model"]


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

    def __init__(self, arrays, batch_size, seed, first_epoch):
        self.arrays = arrays
        self.batch_size = batch_size
        self.seed = seed
        self.first_epoch = first_epoch
        self.n_rows = len(arrays[0])
        self.steps_per_epoch = -(-self.n_rows // batch_size)

    def orders(self):
        """Yield the order of the rows in one epoch after the other."""
        for epoch in itertools.count(self.first_epoch):
            yield np.random.default_rng([self.seed, epoch]).permutation(self.n_rows)

    def __iter__(self):
        for order in self.orders():
            for start in range(0, self.n_rows, self.batch_size):
                rows = order[start : start + self.batch_size]
                yield tuple(array[rows] for array in self.arrays)

    def stream(self):
        """Return the batches of all epochs in the form that Keras reads fastest."""
        if keras.backend.backend() != "tensorflow":
            return iter(self)
        import tensorflow as tf

        tensors = tuple(tf.convert_to_tensor(array) for array in self.arrays)
        return (
            tf.data.Dataset.from_generator(
                self.orders, output_signature=tf.TensorSpec([self.n_rows], tf.int64)
            )
            .flat_map(
                lambda order: tf.data.Dataset.from_tensor_slices(order).batch(
                    self.batch_size
                )
            )
            .map(lambda rows: tuple(tf.gather(tensor, rows) for tensor in tensors))
            .prefetch(2)
        )


class _Wrapper(BaseWrapper):
    """A scikeras estimator that is fed with seeded batches of checked arrays."""

    def _ensure_compiled_model(self):
        super()._ensure_compiled_model()
        self.prepare(self.model_)

    def _validate_data(self, X=None, y=None, reset=False, y_numeric=False):
        return X, y

    def _check_model_compatibility(self, y):
        pass

    def _fit_keras_model(self, X, y, sample_weight, **kwargs):
        super()._fit_keras_model(
            self.batches.stream(),
            None,
            None,
            steps_per_epoch=self.batches.steps_per_epoch,
            **kwargs,
        )


def fit_model(
    model,
    prepare,
    batches,
    *,
    optimizer,
    loss,
    epochs,
    initial_epoch,
    validation_data,
    validation_batch_size,
    callbacks,
    verbose,
):
    """Compile and fit a Keras model by way of scikeras.

    Parameters
    ----------
    model : keras.Model
        The model; one that is compiled already is not compiled again.
    prepare : callable
        Called with the compiled model before it is fitted.
    batches : ShuffledBatches
        Training data.
    optimizer : keras.optimizers.Optimizer
        For a model that is not compiled.
    loss : keras.losses.Loss
        Likewise.
    epochs, initial_epoch : int
        Number of epochs to train, and of those trained before.
    validation_data : tuple of ndarray or None
        Inputs, encoded labels and, maybe, weights.
    validation_batch_size : int
        Rows a step of the validation.
    callbacks : list of keras.callbacks.Callback
        Used as they are.
    verbose : {0, 1, 2}
        As in :meth:`keras.Model.fit`.

    Returns
    -------
    dict of str to list of float
        One value an epoch for loss and metrics.
    """
    wrapper = _Wrapper(
        model,
        optimizer=optimizer,
        loss=loss,
        metrics=["accuracy"],
        shuffle=False,  # the batches come shuffled
        callbacks=callbacks,
        verbose=verbose,
    )
    wrapper.prepare, wrapper.batches = prepare, batches
    wrapper.fit(
        batches.arrays[0],
        batches.arrays[1],
        epochs=epochs,
        initial_epoch=initial_epoch,
        validation_data=validation_data,
        validation_batch_size=validation_batch_size,
    )
    return {
        name: [float(value) for value in values]
        for name, values in wrapper.history_.items()
    }
