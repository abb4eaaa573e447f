"""The loss of a classifier."""

from skmnist._training.keras import keras

__all__ = ["make_loss"]


def make_loss(label_smoothing, dtype):
    """Return the cross-entropy of integer labels."""
    if not label_smoothing:
        return keras.losses.SparseCategoricalCrossentropy(dtype=dtype)
    return SmoothedCrossentropy(label_smoothing=label_smoothing, dtype=dtype)


@keras.saving.register_keras_serializable("skmnist")
class SmoothedCrossentropy(keras.losses.CategoricalCrossentropy):
    """Cross-entropy of integer labels with label smoothing, which Keras lacks."""

    def call(self, y_true, y_pred):
        labels = keras.ops.cast(keras.ops.reshape(y_true, (-1,)), "int32")
        targets = keras.ops.one_hot(labels, y_pred.shape[-1], dtype=y_pred.dtype)
        return super().call(targets, y_pred)
