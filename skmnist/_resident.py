"""Training with the data resident: many steps in one call of a compiled graph.

Keras' own loop feeds one batch after the other through an input pipeline and returns
to Python behind each. Here the data are one tensor, a call gathers and trains a run of
batches, and the update of the common optimizers is one fused kernel a variable.
TensorFlow only. What callbacks may expect at the end of each epoch holds here too.
"""

import keras
import numpy as np
import tensorflow as tf

__all__ = ["ResidentLoop"]

# Control returns to Python behind so many steps, for Ctrl-C and the progress bar.
_STEPS_A_CALL = 64
_TEST_BATCH_SIZE = 512
_BATCH_HOOKS = (
    "on_batch_begin",
    "on_batch_end",
    "on_train_batch_begin",
    "on_train_batch_end",
    "on_test_begin",
    "on_test_end",
    "on_test_batch_begin",
    "on_test_batch_end",
)


class ResidentLoop:
    """Compiles one model, and trains it anew with each call of `fit`.

    Parameters
    ----------
    model : keras.Model
        The model.
    optimizer : keras.optimizers.Optimizer
        Its optimizer from now on.
    loss : keras.losses.Loss
        Its loss.
    """

    def __init__(self, model, optimizer, loss):
        self.model = model
        model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"])
        optimizer.build(model.trainable_variables)
        self._update = _fused_update(optimizer, model) or optimizer.apply
        # Of any number of rows, so that there is one trace: tracing for each number
        # takes time and memory, and may not round alike.
        rows = tf.TensorSpec([None], tf.int32)
        data = [tf.TensorSpec(model.inputs[0].shape, tf.float32), rows]
        weighted = [*data, tf.TensorSpec([None], tf.float64)]
        batch_size = tf.TensorSpec([], tf.int32)
        self._train = {
            len(arrays): _compiled(self._train_steps, rows, batch_size, *arrays)
            for arrays in (data, weighted)
        }
        self._test = {
            len(arrays): _compiled(self._test_batches, *arrays)
            for arrays in (data, weighted)
        }

    @staticmethod
    def suits(model, callbacks):
        """Tell whether a model and callbacks need no loop but this.

        They do where a model has training steps of its own, or a callback looks at
        single batches.
        """
        own_steps = any(
            getattr(type(model), method) is not getattr(keras.Model, method)
            for method in ("train_step", "test_step", "fit", "compute_loss")
        )
        own_hooks = any(
            hook in vars(callback)
            or getattr(type(callback), hook)
            is not getattr(keras.callbacks.Callback, hook)
            for callback in callbacks
            for hook in _BATCH_HOOKS
        )
        return not (own_steps or own_hooks)

    def fit(self, batches, *, epochs, initial_epoch, validation, callbacks, verbose):
        """Train; see :meth:`skmnist._scikeras.ScikerasLoop.fit`."""
        model = self.model
        data = tuple(map(tf.convert_to_tensor, batches.arrays))
        held_out = tuple(map(tf.convert_to_tensor, validation)) if validation else None
        callbacks = keras.callbacks.CallbackList(
            callbacks,
            add_history=True,
            add_progbar=verbose != 0,
            verbose=verbose,
            epochs=initial_epoch + epochs,
            steps=batches.steps_per_epoch,
            model=model,
        )
        orders = batches.orders()
        logs = None
        model.stop_training = False
        callbacks.on_train_begin()
        for epoch in range(initial_epoch, initial_epoch + epochs):
            callbacks.on_epoch_begin(epoch)
            logs = self._run_epoch(data, next(orders), batches, callbacks)
            if held_out:
                sums = self._test[len(held_out)](*held_out).numpy()
                means = _means(sums, len(validation[0]))
                logs |= {f"val_{name}": value for name, value in means.items()}
            callbacks.on_epoch_end(epoch, logs)
            if model.stop_training:
                break
        # Such as averages of the weights, which take their place only now.
        model.optimizer.finalize_variable_values(model.trainable_weights)
        callbacks.on_train_end(logs)
        return model.history.history

    def _run_epoch(self, data, order, batches, callbacks):
        order = tf.convert_to_tensor(order.astype(np.int32))
        steps, size = batches.steps_per_epoch, batches.batch_size
        sums = np.zeros(2)
        for first in range(0, steps, _STEPS_A_CALL):
            last = min(first + _STEPS_A_CALL, steps)
            callbacks.on_train_batch_begin(first)
            rows = order[first * size : last * size]
            sums += self._train[len(data)](rows, tf.constant(size), *data).numpy()
            logs = _means(sums, min(last * size, batches.n_rows))
            callbacks.on_train_batch_end(last - 1, logs)
        return logs

    def _train_steps(self, rows, size, inputs, labels, weights=None):
        """Train on the rows in their order; return the sums of loss and hits."""
        n_rows = tf.shape(rows)[0]

        def step(start, sums):
            batch = rows[start : start + size]
            sums += self._train_batch(
                tf.gather(inputs, batch),
                tf.gather(labels, batch),
                None if weights is None else tf.gather(weights, batch),
            )
            return start + size, sums

        return _loop(n_rows, step)

    def _train_batch(self, inputs, labels, weights):
        variables = self.model.trainable_variables
        with tf.GradientTape() as tape:
            probabilities = self.model(inputs, training=True)
            loss = self.model.compute_loss(
                inputs, labels, probabilities, weights, training=True
            )
        gradients = tape.gradient(loss, [variable.value for variable in variables])
        self._update(gradients, variables)
        return _sums(loss, labels, probabilities)

    def _test_batches(self, inputs, labels, weights=None):
        """Return the sums of loss and hits, without training."""

        def step(start, sums):
            rows = slice(start, start + _TEST_BATCH_SIZE)
            probabilities = self.model(inputs[rows], training=False)
            loss = self.model.compute_loss(
                inputs[rows],
                labels[rows],
                probabilities,
                None if weights is None else weights[rows],
                training=False,
            )
            sums += _sums(loss, labels[rows], probabilities)
            return start + _TEST_BATCH_SIZE, sums

        return _loop(tf.shape(inputs)[0], step)


def _compiled(function, *signature):
    """Compile a function at its first call, for arguments of one signature.

    What is traced is called directly: TensorFlow takes networks of many shapes for
    one that is traced too often, and warns.
    """
    traced = None

    def call(*args):
        nonlocal traced
        if traced is None:
            traced = tf.function(
                function, input_signature=signature, autograph=False
            ).get_concrete_function()
        return traced(*args)

    return call


def _loop(stop, step):
    """Run a step ``(start, sums) → (start, sums)`` until start reaches stop."""
    return tf.while_loop(
        lambda start, _: start < stop,
        step,
        (tf.constant(0), tf.zeros(2, tf.float64)),
        parallel_iterations=1,
    )[1]


def _sums(mean_loss, labels, probabilities):
    """Return loss and hits of a batch, both summed over its rows."""
    n_rows = tf.cast(tf.shape(labels)[0], tf.float64)
    found = tf.argmax(probabilities, axis=-1, output_type=labels.dtype)
    n_right = tf.reduce_sum(tf.cast(tf.equal(found, labels), tf.float64))
    return tf.stack([tf.cast(mean_loss, tf.float64) * n_rows, n_right])


def _means(sums, n_rows):
    return {"accuracy": sums[1] / n_rows, "loss": sums[0] / n_rows}


def _fused_update(optimizer, model):
    """Return an update that is one kernel a variable, or None if there is none.

    The kernels compute what Keras' optimizers do from the same state variables.
    """
    plain = not (
        optimizer.weight_decay
        or optimizer.clipnorm
        or optimizer.clipvalue
        or optimizer.global_clipnorm
        or optimizer.use_ema
        or optimizer.loss_scale_factor
        or optimizer.gradient_accumulation_steps
        or any(variable.constraint for variable in model.trainable_variables)
    )
    if not plain:
        return None
    if type(optimizer) is keras.optimizers.Adam and not optimizer.amsgrad:
        return _Adam(optimizer)
    return None


class _Adam:
    """Adam [1]_ as one kernel a variable.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba (2015). Adam: a method for stochastic optimization.
       International Conference on Learning Representations.
    """

    def __init__(self, optimizer):
        self.optimizer = optimizer

    def __call__(self, gradients, variables):
        optimizer = self.optimizer
        iterations = optimizer.iterations.value
        step = tf.cast(iterations + 1, tf.float64)
        rate = optimizer.learning_rate
        for gradient, variable in zip(gradients, variables, strict=True):
            if gradient is None:
                continue
            index = optimizer._get_variable_index(variable)
            dtype = variable.value.dtype

            def cast(value, dtype=dtype):
                return tf.cast(value, dtype)

            tf.raw_ops.ResourceApplyAdam(
                var=variable.value.handle,
                m=optimizer._momentums[index].value.handle,
                v=optimizer._velocities[index].value.handle,
                beta1_power=cast(tf.pow(tf.cast(optimizer.beta_1, tf.float64), step)),
                beta2_power=cast(tf.pow(tf.cast(optimizer.beta_2, tf.float64), step)),
                lr=cast(rate),
                beta1=cast(optimizer.beta_1),
                beta2=cast(optimizer.beta_2),
                epsilon=cast(optimizer.epsilon),
                grad=cast(gradient),
            )
        iterations.assign_add(1)
