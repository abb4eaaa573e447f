"""The update of Adam as one TensorFlow kernel per variable.

Keras uses a dozen operations, each of which reads all weights from memory. Together
they take longer than the multiplications of a dense network.
"""

import keras
import tensorflow as tf

__all__ = ["FusedAdam"]

# The kernel splits arrays of about 640 numbers or more among the threads, which takes
# longer than the update: 35 µs for 2,048 numbers, where single operations take 13. For
# 32,768 numbers both take about 50 µs; above, the kernel is faster.
_SPLIT_TOO_EARLY = range(512, 2**15)

# Other types would round the decay rates to 1.
_DTYPES = (tf.float32, tf.float64)


class FusedAdam:
    """The ``update_step`` of Adam (Kingma and Ba, ICLR 2015) or AdamW, if it is one.

    Results are those of Keras except for rounding, because Keras rounds the decay rates
    to float32 in one of two places. Clipping, weight decay and averages remain Keras'.
    The optimizer, built for the variables, is applied in a ``with`` block.
    """

    def __init__(self, optimizer, variables):
        self._optimizer = optimizer
        # Keras keeps moments under the names of the variables and their own.
        moments = [
            [v.value for v in optimizer.variables if v.name.endswith(suffix)]
            for suffix in ("momentum", "velocity")
        ]
        is_adam = type(optimizer) in (keras.optimizers.Adam, keras.optimizers.AdamW)
        are_found = all(len(found) == len(variables) for found in moments)
        self._is_used = is_adam and are_found and not optimizer.amsgrad
        if self._is_used:
            handles = zip(variables, *moments, strict=True)
            self._moments = {v.value.ref(): pair for v, *pair in handles}
            optimizer.update_step = self._update

    def __enter__(self):
        # Shared by all variables of a step.
        if self._is_used:
            step = tf.cast(self._optimizer.iterations + 1, tf.float64)
            betas = self._optimizer.beta_1, self._optimizer.beta_2
            self._powers = [tf.pow(tf.constant(b, tf.float64), step) for b in betas]

    def __exit__(self, *error):
        self._powers = None  # they belong to one graph

    def _update(self, gradient, variable, learning_rate):
        optimizer = self._optimizer
        of_some_rows = isinstance(gradient, tf.IndexedSlices)  # of an embedding
        if of_some_rows or variable.dtype not in _DTYPES:
            type(optimizer).update_step(optimizer, gradient, variable, learning_rate)
            return
        momentum, velocity = self._moments[variable.ref()]
        if variable.shape.num_elements() in _SPLIT_TOO_EARLY:
            self._update_by_operations(
                gradient, variable, momentum, velocity, learning_rate
            )
            return

        def cast(number):
            # tf.cast would round a number to float32 first.
            if isinstance(number, float):
                return tf.constant(number, variable.dtype)
            return tf.cast(number, variable.dtype)

        tf.raw_ops.ResourceApplyAdam(
            var=variable.handle,
            m=momentum.handle,
            v=velocity.handle,
            beta1_power=cast(self._powers[0]),
            beta2_power=cast(self._powers[1]),
            lr=cast(learning_rate),
            beta1=cast(optimizer.beta_1),
            beta2=cast(optimizer.beta_2),
            epsilon=cast(optimizer.epsilon),
            grad=cast(gradient),
        )

    def _update_by_operations(self, gradient, variable, momentum, velocity, rate):
        optimizer = self._optimizer
        rate = tf.cast(rate, tf.float64)
        corrected = rate * tf.sqrt(1 - self._powers[1]) / (1 - self._powers[0])
        first = momentum.assign_add((gradient - momentum) * (1 - optimizer.beta_1))
        second = velocity.assign_add(
            (tf.square(gradient) - velocity) * (1 - optimizer.beta_2)
        )
        step = tf.cast(corrected, variable.dtype) * first
        variable.assign_sub(step / (tf.sqrt(second) + optimizer.epsilon))
