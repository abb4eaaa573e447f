"""Training with Keras' own loop, through scikeras.

Nothing else in the package imports scikeras, which changes how Keras objects are
pickled when it is imported. It also seeds the process, shuffles and checks arrays in
its own way, so it is given neither seeds nor arrays, but batches.
"""

import numpy as np

from skmnist._interrupts import raise_interrupt, uninterrupted
from skmnist._training.keras import keras

__all__ = ["KerasLoop"]

_own = {
    (cls, name): vars(cls).get(name)
    for cls in (
        keras.Model,
        keras.losses.Loss,
        keras.metrics.Metric,
        keras.optimizers.Optimizer,
    )
    for name in ("__reduce__", "__deepcopy__")
}
with uninterrupted():  # else its methods could be mistaken for Keras' own the next time
    from scikeras.wrappers import BaseWrapper

    for (_cls, _name), _method in _own.items():
        if _method is not None:
            setattr(_cls, _name, _method)
        elif _name in vars(_cls):
            delattr(_cls, _name)


class _Constant:
    """A transformer that returns the same value for any input."""

    def __init__(self, value):
        self._value = value

    def fit(self, X):
        return self

    def transform(self, X):
        return self._value


class _Wrapper(BaseWrapper):
    """A scikeras estimator whose inputs are batches, which hold the labels too."""

    feature_encoder = None  # set for each fit
    target_encoder = _Constant(None)


def _feed(batches):
    """Return batches as Keras reads them, steps in an epoch, and callbacks for them."""
    if keras.backend.backend() != "tensorflow" or batches.augmented:
        return iter(batches), batches.steps_per_epoch, []
    # No part in Python, which makes steps return their memory to the system: they then
    # take at least half as long again.
    import tensorflow as tf

    size = batches.batch_size
    with tf.device("cpu"):
        inputs, *others = map(tf.convert_to_tensor, batches.arrays)
        order = tf.Variable(np.arange(batches.n_rows), trainable=False)

    def fetch(first):
        rows = order[first : first + size]
        return (
            tf.cast(tf.gather(inputs, rows), tf.float32),
            *(tf.gather(tensor, rows) for tensor in others),
        )

    def shuffle(epoch, logs):
        order.assign(batches.order(epoch))

    firsts = tf.data.Dataset.range(0, batches.n_rows, size)
    shuffling = keras.callbacks.LambdaCallback(on_epoch_begin=shuffle)
    return firsts.map(fetch).prefetch(2), None, [shuffling]


def _let_types_differ(model, loss):
    """Let loss and penalties of a model have another type than that of the process."""
    # Keras would compute these in different types and could not add them.
    dtype = model.outputs[0].dtype
    has_own = type(model).compute_loss is not keras.Model.compute_loss
    if dtype == keras.config.floatx() or has_own:
        return

    def compute_loss(x=None, y=None, y_pred=None, sample_weight=None, training=True):
        penalties = [keras.ops.sum(keras.ops.cast(p, dtype)) for p in model.losses]
        return loss(y, y_pred, sample_weight=sample_weight) + sum(penalties)

    model.compute_loss = compute_loss


class KerasLoop:
    """Compiles one model, and trains it from given weights with each call of `fit`."""

    is_between_steps = False  # unknown

    def __init__(self, model, optimizer, loss):
        self.model = model
        self.optimizer = optimizer
        self._loss = loss
        _let_types_differ(model, loss)
        optimizer.build(model.trainable_variables)

    def fit(self, batches, *, epochs, initial_epoch, validation, callbacks, verbose):
        """Train the model as it stands; return the history.

        `validation` holds inputs, encoded labels and, maybe, weights; `epochs` come
        after `initial_epoch` earlier ones; the callbacks are used as they are.
        """
        data, steps_per_epoch, feeding = _feed(batches)
        ending = keras.callbacks.LambdaCallback(
            on_train_batch_end=lambda batch, logs: raise_interrupt()
        )
        if validation is not None:
            inputs, *others = validation
            validation = inputs.astype(np.float32, copy=False), *others
        wrapper = _Wrapper(
            self.model,  # which is compiled once
            optimizer=self.optimizer,
            loss=self._loss,
            metrics=["accuracy"],
            callbacks=[ending, *feeding, *callbacks],
            verbose=verbose,
            shuffle=False,  # the batches come shuffled
            epochs=epochs,
            fit__steps_per_epoch=steps_per_epoch,
            fit__validation_data=validation,
            fit__validation_batch_size=batches.test_batch_size,
        )
        wrapper.feature_encoder = _Constant(data)
        wrapper.fit(np.zeros((1, 1)), np.zeros(1), initial_epoch=initial_epoch)
        return dict(wrapper.history_)
