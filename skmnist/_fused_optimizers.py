"""Updates of common optimizers as one kernel of TensorFlow a variable.

Keras writes them as a dozen operations, each of which goes through all weights in
memory: together they take longer than the multiplications of a dense network.
"""

import keras
import tensorflow as tf

__all__ = ["fused_update"]


def fused_update(optimizer, model):
    """Return an update that is one kernel a variable, or None if there is none.

    Parameters
    ----------
    optimizer : keras.optimizers.Optimizer
        Built for the variables of the model. Its state variables are used.
    model : keras.Model
        What is trained.

    Returns
    -------
    callable or None
        ``update(gradients, variables)``, for a graph of TensorFlow; for dense gradients
        it computes what ``optimizer.apply`` does.
    """
    plain = not (
        optimizer.weight_decay
        or optimizer.clipnorm
        or optimizer.clipvalue
        or optimizer.global_clipnorm
        or optimizer.use_ema
        or optimizer.loss_scale_factor
        or optimizer.gradient_accumulation_steps
        or any(
            variable.constraint or variable.overwrite_with_gradient
            for variable in model.trainable_variables
        )
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
