"""Updates of common optimizers as one kernel of TensorFlow a variable.

Keras writes them as up to a dozen operations, each of which goes through all weights in
memory: those of Adam together take longer than the multiplications of a dense network.
All else that an optimizer may do, such as clipping, decay and averages, stays Keras'.
"""

import contextlib

import keras
import tensorflow as tf

__all__ = ["fused_update"]

# With fewer digits, the decay rates would be rounded to 1.
_DTYPES = (tf.float32, tf.float64)


def fused_update(optimizer, variables):
    """Let an optimizer update each variable by one kernel, if TensorFlow has it.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Built for the variables. It computes the same but for rounding: Keras rounds the
        decay rates of Adam to float32 in one of two places.
    variables : list of keras.Variable
        What it trains.

    Returns
    -------
    context manager
        To be entered where the optimizer is applied.
    """
    kind, update = type(optimizer), None
    if kind in (keras.optimizers.Adam, keras.optimizers.AdamW):
        if not optimizer.amsgrad:
            update = _Adam(optimizer, variables, ["momentum", "velocity"])
    elif kind is keras.optimizers.SGD:
        slots = ["momentum"] if optimizer.momentum else []
        update = _Descent(optimizer, variables, slots)
    if update is None or not update.is_complete:
        return contextlib.nullcontext()
    optimizer.update_step = update.step
    return update


class _Update:
    """An update of one variable, in place of that of an optimizer."""

    def __init__(self, optimizer, variables, slots):
        self._optimizer = optimizer
        # Keras keeps moments under the names of the variables and their own.
        moments = [
            [v.value for v in optimizer.variables if v.name.endswith(f"_{name}")]
            for name in slots
        ]
        self.is_complete = all(len(slot) == len(variables) for slot in moments)
        self._moments = {
            variable.value.ref(): values
            for variable, *values in zip(variables, *moments, strict=False)
        }

    def __enter__(self):
        """Compute what all variables have in common."""

    def __exit__(self, *error):
        """Forget it: it belongs to one graph."""

    def step(self, gradient, variable, learning_rate):
        """Update a variable; takes the place of the optimizer's ``update_step``."""
        of_some_rows = isinstance(gradient, tf.IndexedSlices)  # of an embedding
        if of_some_rows or variable.dtype not in _DTYPES:
            kind = type(self._optimizer)
            kind.update_step(self._optimizer, gradient, variable, learning_rate)
            return

        def cast(number):
            # TensorFlow would round a number to float32 first.
            if isinstance(number, float):
                return tf.constant(number, variable.dtype)
            return tf.cast(number, variable.dtype)

        moments = [moment.handle for moment in self._moments[variable.ref()]]
        self._apply(variable.handle, moments, cast(gradient), cast(learning_rate), cast)


class _Adam(_Update):
    """Adam [1]_.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba (2015). Adam: a method for stochastic optimization.
       International Conference on Learning Representations.
    """

    def __enter__(self):
        optimizer = self._optimizer
        step = tf.cast(optimizer.iterations + 1, tf.float64)
        self._powers = [
            tf.pow(tf.constant(beta, tf.float64), step)
            for beta in (optimizer.beta_1, optimizer.beta_2)
        ]

    def __exit__(self, *error):
        del self._powers

    def _apply(self, handle, moments, gradient, rate, cast):
        tf.raw_ops.ResourceApplyAdam(
            var=handle,
            m=moments[0],
            v=moments[1],
            beta1_power=cast(self._powers[0]),
            beta2_power=cast(self._powers[1]),
            lr=rate,
            beta1=cast(self._optimizer.beta_1),
            beta2=cast(self._optimizer.beta_2),
            epsilon=cast(self._optimizer.epsilon),
            grad=gradient,
        )


class _Descent(_Update):
    """Stochastic gradient descent: plain, with momentum, or with that of Nesterov [1]_.

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl, G. Hinton (2013). On the importance of
       initialization and momentum in deep learning. International Conference on
       Machine Learning.
    """

    def _apply(self, handle, moments, gradient, rate, cast):
        if not moments:
            tf.raw_ops.ResourceApplyGradientDescent(
                var=handle, alpha=rate, delta=gradient
            )
            return
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=handle,
            accum=moments[0],
            lr=rate,
            grad=gradient,
            momentum=cast(self._optimizer.momentum),
            use_nesterov=self._optimizer.nesterov,
        )
