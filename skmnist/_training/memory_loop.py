"""Training with the data in memory: many steps in one call of a compiled graph.

Keras' own loop reads batches from an input pipeline and returns to Python after each.
TensorFlow only. Callbacks get the same ``logs`` after each epoch; the metrics of the
model are not updated.
"""

import functools

import keras
import numpy as np
import tensorflow as tf

from skmnist._interrupts import raise_interrupt
from skmnist._training.updates import FusedAdam

__all__ = ["MemoryLoop"]

# Rows per call of the graph, or one batch if that has more: of pixels, and of images,
# which take longer. Between calls, Python handles Ctrl-C and the progress bar.
_N_ROWS = 4096
_N_IMAGES = 512
# Methods of keras.Model that this loop replaces; models must not override them.
_STEPS = (
    "fit",
    "evaluate",
    "train_step",
    "test_step",
    "make_train_function",
    "make_test_function",
    "compute_loss",
    "compute_metrics",
    "get_metrics_result",
    "metrics",
)
_BATCH_HOOKS = [
    name
    for name in dir(keras.callbacks.Callback)
    if name.startswith("on_") and ("batch" in name or "test" in name)
    if "predict" not in name
]


class MemoryLoop:
    """Compiles one model, and trains it from given weights with each call of `fit`."""

    def __init__(self, model, optimizer, loss):
        self.model = model
        self.optimizer = optimizer
        self.is_between_steps = False
        self._loss = loss
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
        optimizer.build(model.trainable_variables)
        # Callbacks that watch a metric ask the model for it.
        probabilities = np.ones((1, model.output_shape[-1]))
        model.compute_metrics(None, np.zeros(1, np.int32), probabilities)
        model.reset_metrics()
        self._fused_adam = FusedAdam(optimizer, model.trainable_variables)
        self._train = _traced(self._train_batch)
        self._test = _traced(lambda *batch: self._judge(*batch, training=False)[1])

    @staticmethod
    def suits(callbacks, model=None):
        """Return whether this loop can train a model with callbacks.

        Not if a callback uses batches, or a model its own training steps or metrics.
        The models of this package, for which None is given, have neither.
        """
        base = keras.callbacks.Callback
        if any(_has_own(callback, base, _BATCH_HOOKS) for callback in callbacks):
            return False
        if model is None:
            return True
        # Before it is compiled, a model has only its own.
        has_metrics = bool(model.metrics) and not model.compiled
        return not has_metrics and not _has_own(model, keras.Model, _STEPS)

    def fit(self, batches, *, epochs, initial_epoch, validation, callbacks, verbose):
        """Train; see :meth:`skmnist._training.keras_loop.KerasLoop.fit`."""
        model = self.model
        callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=initial_epoch + epochs,
            steps=batches.steps_per_epoch,
            model=model,
        )
        logs = None
        model.stop_training = False
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, initial_epoch + epochs):
            self.is_between_steps = False
            callbacks.on_epoch_begin(epoch)
            logs = self._run_epoch(batches, epoch, callbacks)
            if validation:
                means = self._evaluate(validation, batches.test_batch_size)
                # A new dict, because a callback may still use the other one.
                logs = {**logs, **{f"val_{name}": v for name, v in means.items()}}
            self.is_between_steps = True
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        # Averages of the weights may replace them now.
        model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.on_train_end(logs)
        return model.history.history

    def _run_epoch(self, batches, epoch, callbacks):
        size = batches.batch_size
        read = batches.reader(epoch)
        sums = np.zeros(2)
        n_done = 0
        while n_done < batches.n_rows:
            callbacks.on_train_batch_begin(n_done // size)
            # One batch, as in Keras, if a callback has already stopped training.
            n_rows = _rows_of_call(batches.arrays, size)
            arrays = read(size if self.model.stop_training else n_rows)
            sums = self._train(size, sums, *arrays)
            raise_interrupt()
            n_done += len(arrays[0])
            logs = _means(sums, n_done)
            callbacks.on_train_batch_end(-(-n_done // size) - 1, logs)
            if self.model.stop_training:
                break
        return logs

    def _evaluate(self, arrays, batch_size):
        sums = np.zeros(2)
        n_rows = _rows_of_call(arrays, batch_size)
        for first in range(0, len(arrays[0]), n_rows):
            chunk = (array[first : first + n_rows] for array in arrays)
            sums = self._test(batch_size, sums, *chunk)
            raise_interrupt()
        return _means(sums, len(arrays[0]))

    def _train_batch(self, inputs, labels, weights=None):
        optimizer, variables = self.model.optimizer, self.model.trainable_variables
        with tf.GradientTape() as tape:
            loss, sums = self._judge(inputs, labels, weights, training=True)
            scaled = optimizer.scale_loss(loss)
        gradients = tape.gradient(scaled, [variable.value for variable in variables])
        with self._fused_adam:
            optimizer.apply(gradients, variables)
        return sums

    def _judge(self, inputs, labels, weights=None, *, training):
        """Return the mean loss of a batch, and the sums that `_sums` computes."""
        probabilities = self.model(inputs, training=training)
        loss = self._loss(labels, probabilities, sample_weight=weights)
        penalties = [tf.reduce_sum(tf.cast(p, loss.dtype)) for p in self.model.losses]
        loss = tf.add_n([loss, *penalties])
        return loss, _sums(loss, labels, probabilities)


def _has_own(thing, base, names):
    """Return whether an object or its class overrides any of these of a base."""
    return any(
        name in vars(thing) or getattr(type(thing), name) is not getattr(base, name)
        for name in names
    )


def _rows_of_call(arrays, batch_size):
    """Return the number of rows per call: whole batches, and at least one."""
    n_rows = _N_ROWS if arrays[0].ndim == 2 else _N_IMAGES
    return max(1, n_rows // batch_size) * batch_size


def _traced(visit):
    """Compile the sum of ``visit(inputs, labels, …)`` over batches of rows.

    The function takes the batch size, the sums of earlier calls, and arrays. So the
    sums of an epoch do not depend, to the bit, on how it is divided into calls.
    """

    def add(size, sums, *arrays):
        def step(start, sums):
            inputs, *others = (array[start : start + size] for array in arrays)
            return start + size, sums + visit(tf.cast(inputs, tf.float32), *others)

        n_rows = tf.shape(arrays[1])[0]
        return tf.while_loop(
            lambda start, _: start < n_rows,
            step,
            (tf.constant(0), sums),
            parallel_iterations=1,
        )[1]

    # One trace for any number of rows: more take time and memory, and may round in
    # another way. It is called directly, because TensorFlow would warn that networks of
    # many shapes are one that is traced too often.
    @functools.cache
    def trace(*kinds):
        signature = [
            tf.TensorSpec([], tf.int32),
            tf.TensorSpec([2], tf.float64),
            *(tf.TensorSpec([None, *shape], dtype) for shape, dtype in kinds),
        ]
        traced = tf.function(add, input_signature=signature, autograph=False)
        return traced.get_concrete_function()

    def call(*arguments):
        step = trace(*((array.shape[1:], array.dtype) for array in arguments[2:]))
        return step(*map(tf.constant, arguments)).numpy()

    return call


def _sums(mean_loss, labels, probabilities):
    """Return the loss and the correct predictions of a batch, summed over its rows."""
    n_rows = tf.cast(tf.shape(labels)[0], tf.float64)
    # Neither the maximum nor the loss needs the softmax. It is not computed, because it
    # would take a quarter of a step of a small network.
    operation = probabilities.op
    scores = operation.inputs[0] if operation.type == "Softmax" else probabilities
    found = tf.argmax(scores, axis=-1, output_type=labels.dtype)
    n_right = tf.reduce_sum(tf.cast(tf.equal(found, labels), tf.float64))
    return tf.stack([tf.cast(mean_loss, tf.float64) * n_rows, n_right])


def _means(sums, n_rows):
    return {"accuracy": sums[1] / n_rows, "loss": sums[0] / n_rows}
