"""The seam to scikeras, which compiles and fits Keras models inside our classifiers.

Nothing else in the package imports scikeras. Its faults end here: it changes how
Keras objects are pickled when it is imported, makes the whole process
deterministic while it fits with a seed, shuffles by the global generators, and
checks arrays by rules of its own.
"""

import numpy as np

from skmnist._interrupts import raise_interrupt, uninterrupted
from skmnist._training.keras import keras

__all__ = ["KerasLoop"]

_METHODS = ("__reduce__", "__deepcopy__")
_pickled = (
    keras.Model,
    keras.losses.Loss,
    keras.metrics.Metric,
    keras.optimizers.Optimizer,
)
_own = {(cls, name): vars(cls).get(name) for cls in _pickled for name in _METHODS}
with uninterrupted():  # else its methods could be mistaken for Keras' own the next time
    from scikeras.wrappers import BaseWrapper

    for (_cls, _name), _method in _own.items():
        if _method is not None:
            setattr(_cls, _name, _method)
        elif _name in vars(_cls):
            delattr(_cls, _name)


class _Wrapper(BaseWrapper):
    """A scikeras estimator that is trained on batches which hold the labels too."""

    batches = None

    @property
    def feature_encoder(self):
        """What makes the input of Keras, in place of the arrays that are checked."""
        return _Constant(self.batches)

    @property
    def target_encoder(self):
        """What makes the labels, which are in the batches."""
        return _Constant(None)


class _Constant:
    """A transformer of scikit-learn that gives the same whatever it is given."""

    def __init__(self, value):
        self._value = value

    def fit(self, X):
        return self

    def transform(self, X):
        return self._value


class _RaiseInterrupt(keras.callbacks.Callback):
    """Ends training where Ctrl-C got lost."""

    def on_train_batch_end(self, batch, logs=None):
        raise_interrupt()


class _Shuffle(keras.callbacks.Callback):
    """Puts a new order of the rows into a variable for each epoch."""

    def __init__(self, variable, batches):
        super().__init__()
        self._variable = variable
        self._batches = batches

    def on_epoch_begin(self, epoch, logs=None):
        self._variable.assign(self._batches.order(epoch))


def _feed(batches):
    """Return batches as Keras reads them, steps in an epoch, and callbacks for them.

    TensorFlow fetches them by itself, an epoch at a time. Where a part of that is
    Python, all steps give their memory back to the system, and take half as long again
    or more.
    """
    if keras.backend.backend() != "tensorflow" or batches.augmented:
        return iter(batches), batches.steps_per_epoch, []
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

    firsts = tf.data.Dataset.range(0, batches.n_rows, size)
    return firsts.map(fetch).prefetch(2), None, [_Shuffle(order, batches)]


def _let_types_differ(model, loss):
    """Let a model have a loss and penalties of another type than that of the process.

    Keras adds the one in the type of the process to the others in that of the network.
    """
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
        if validation is not None:
            inputs, *others = validation
            validation = inputs.astype(np.float32, copy=False), *others
        wrapper = _Wrapper(
            self.model,  # which is compiled once
            optimizer=self.optimizer,
            loss=self._loss,
            metrics=["accuracy"],
            callbacks=[_RaiseInterrupt(), *feeding, *callbacks],
            verbose=verbose,
            shuffle=False,  # the batches come shuffled
            epochs=epochs,
            fit__steps_per_epoch=steps_per_epoch,
            fit__validation_data=validation,
            fit__validation_batch_size=batches.test_batch_size,
        )
        wrapper.batches = data
        wrapper.fit(np.zeros((1, 1)), np.zeros(1), initial_epoch=initial_epoch)
        return dict(wrapper.history_)
