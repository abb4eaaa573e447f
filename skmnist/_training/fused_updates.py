"""Updates of common optimizers as one kernel of TensorFlow a variable.

Keras writes them as up to a dozen operations, each of which goes through all weights in
memory: those of Adam together take longer than the multiplications of a dense network.
All else that an optimizer may do, such as clipping, decay and averages, stays Keras'.
"""

import functools

import keras
import tensorflow as tf

__all__ = ["fuse_updates"]

# With fewer digits, the decay rates would be rounded to 1.
_DTYPES = (tf.float32, tf.float64)


def fuse_updates(optimizer):
    """Let an optimizer update each variable by one kernel, if TensorFlow has it.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Built for its variables. It computes the same but for rounding: Keras rounds the
        decay rates of Adam to float32 in one of two places.
    """
    prepare = _preparation(optimizer)
    if prepare is not None:
        # Keras has backends override this method, and calls it where the gradients
        # are clipped, the weights are decayed and it is time for an update.
        vars(optimizer)["_backend_update_step"] = functools.partial(
            _update, optimizer, prepare
        )


def _preparation(optimizer):
    """Return the function below that prepares the updates of a kind of optimizer."""
    kind = type(optimizer)
    if kind in (keras.optimizers.Adam, keras.optimizers.AdamW):
        return None if optimizer.amsgrad else _prepare_adam
    if kind is keras.optimizers.SGD:
        return _prepare_momentum if optimizer.momentum else _prepare_descent
    return None


def _update(optimizer, prepare, gradients, variables, rate):
    """Update variables as the method of Keras does that this one takes the place of."""
    apply = prepare(optimizer, rate)
    for gradient, variable in zip(gradients, variables, strict=True):
        variable = variable.value
        of_some_rows = isinstance(gradient, tf.IndexedSlices)  # of an embedding
        if of_some_rows or variable.dtype not in _DTYPES:
            optimizer.update_step(gradient, variable, rate)
        else:
            apply(
                optimizer._get_variable_index(variable),
                variable.handle,
                tf.cast(gradient, variable.dtype),
                functools.partial(_cast, dtype=variable.dtype),
            )


def _cast(number, dtype):
    """Cast a tensor, or a number, which TensorFlow would round to float32 first."""
    if isinstance(number, float):
        return tf.constant(number, dtype)
    return tf.cast(number, dtype)


def _prepare_adam(optimizer, rate):
    """Adam [1]_.

    References
    ----------
    .. [1] D. P. Kingma, J. Ba (2015). Adam: a method for stochastic optimization.
       International Conference on Learning Representations.
    """
    step = tf.cast(optimizer.iterations + 1, tf.float64)
    power_1 = tf.pow(_cast(optimizer.beta_1, tf.float64), step)
    power_2 = tf.pow(_cast(optimizer.beta_2, tf.float64), step)

    def apply(index, handle, gradient, cast):
        tf.raw_ops.ResourceApplyAdam(
            var=handle,
            m=optimizer._momentums[index].value.handle,
            v=optimizer._velocities[index].value.handle,
            beta1_power=cast(power_1),
            beta2_power=cast(power_2),
            lr=cast(rate),
            beta1=cast(optimizer.beta_1),
            beta2=cast(optimizer.beta_2),
            epsilon=cast(optimizer.epsilon),
            grad=gradient,
        )

    return apply


def _prepare_descent(optimizer, rate):
    """Plain stochastic gradient descent."""

    def apply(index, handle, gradient, cast):
        tf.raw_ops.ResourceApplyGradientDescent(
            var=handle, alpha=cast(rate), delta=gradient
        )

    return apply


def _prepare_momentum(optimizer, rate):
    """Stochastic gradient descent with momentum, that of Nesterov [1]_ or the usual.

    References
    ----------
    .. [1] I. Sutskever, J. Martens, G. Dahl, G. Hinton (2013). On the importance of
       initialization and momentum in deep learning. International Conference on
       Machine Learning.
    """

    def apply(index, handle, gradient, cast):
        tf.raw_ops.ResourceApplyKerasMomentum(
            var=handle,
            accum=optimizer.momentums[index].value.handle,
            lr=cast(rate),
            grad=gradient,
            momentum=cast(optimizer.momentum),
            use_nesterov=optimizer.nesterov,
        )

    return apply
