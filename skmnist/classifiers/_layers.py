"""Parameters that describe layers, and the base of the classifiers that have them."""

from collections.abc import Sequence
from numbers import Integral, Real

import numpy as np
from sklearn.utils._param_validation import Interval, StrOptions

from skmnist._habits import LAYERS, PARAMETERS, answers_habits
from skmnist.classifiers._base import BaseKerasClassifier
from skmnist.networks._specification import plain_numbers

__all__ = ["RATE", "WIDTH", "LayeredClassifier", "check_layers"]

WIDTH = Interval(Integral, 1, None, closed="left")
RATE = Interval(Real, 0, 1, closed="left")
# Names that were tried, which takes longer than a step of a small network.
_useful = set()
_PENALTY = Interval(Real, 0, None, closed="left")


def check_layers(estimator, parameter, constraint, *, pairs=False):
    """Check a parameter that holds one value for all layers, or one for each.

    With `pairs` the value of a layer may be a pair (height, width).
    """
    value = getattr(estimator, parameter)
    if value is None:  # where the constraints allow it
        return

    def is_allowed(entry):
        is_pair = pairs and isinstance(entry, Sequence) and len(entry) == 2
        return all(map(constraint.is_satisfied_by, entry if is_pair else (entry,)))

    is_one = not isinstance(value, Sequence) or isinstance(value, str)
    values = (value,) if is_one else value
    is_empty = not values and parameter not in ("units", "dropout")
    if is_empty or not all(map(is_allowed, values)):
        such = (
            "a pair (height, width) of such values, or a sequence of such values or "
            "pairs with one for each convolution"
            if pairs
            else "a sequence of such values with one for each layer"
        )
        raise ValueError(
            f"The {parameter!r} parameter of {type(estimator).__name__} must be "
            f"{constraint}, or {such}. Got {value!r} instead."
        )


def _check_keeps_shape(activation):
    """Try an activation: some need arguments, or join pairs of units into one."""
    from skmnist._training.keras import keras

    shape = (1, 2)
    if tuple(activation(keras.ops.zeros(shape)).shape) != shape:
        raise ValueError("The activation changes the number of units.")


class LayeredClassifier(BaseKerasClassifier):
    """What the classifiers with Dense layers have in common."""

    _habits = {**PARAMETERS, **LAYERS}

    _parameter_constraints = {
        **BaseKerasClassifier._parameter_constraints,
        "units": [WIDTH, list, tuple],
        "dropout": [RATE, list, tuple],
        "activation": [str],
        "batch_normalization": ["boolean"],
        "kernel_initializer": [str],
        "l1": [_PENALTY],
        "l2": [_PENALTY],
        "precision": [StrOptions({"auto", "float32", "bfloat16", "float64"})],
    }

    @answers_habits
    def decision_function(self, X):
        """Compute the logits, whose softmax gives the probabilities.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the same size as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,) or (n_samples, n_classes)
            Logits in float64. With two classes, the logit of ``classes_[1]`` minus that
            of ``classes_[0]``: it is above 0 where `predict` returns ``classes_[1]``.
            Otherwise one logit per class; `predict` returns the class of the largest.
        """
        logits = self._outputs(X)[0].astype(np.float64, copy=False)
        return logits[:, 1] - logits[:, 0] if logits.shape[1] == 2 else logits

    # A shape of each kind of weights.
    _weight_shapes = ((2, 3),)

    def _check_layers(self):
        """Check the parameters that may have a value for each layer."""
        check_layers(self, "units", WIDTH)
        check_layers(self, "dropout", RATE)

    def _layer_parameters(self):
        """Check and return what all builders take; names are checked by Keras."""
        from skmnist._training.keras import keras, resolve_name

        def makes_weights(initializer):
            for shape in self._weight_shapes:
                initializer(shape)

        self._check_layers()
        for parameter, module, trial in (
            ("activation", keras.activations, _check_keeps_shape),
            # Some make weights of certain shapes only.
            ("kernel_initializer", keras.initializers, makes_weights),
        ):
            name = getattr(self, parameter)
            key = parameter, name, self._weight_shapes
            # What users registered may be another thing the next time.
            if key not in _useful or keras.saving.get_registered_object(name):
                resolve_name(parameter, name, module, trial)
                _useful.add(key)
        return {
            "units": plain_numbers(self.units),
            "dropout": plain_numbers(self.dropout),
            "activation": self.activation,
            "batch_normalization": bool(self.batch_normalization),
            "kernel_initializer": self.kernel_initializer,
            "l1": float(self.l1),
            "l2": float(self.l2),
            # Of the trained network; training itself may compute otherwise.
            "dtype": "float64" if self.precision == "float64" else "float32",
        }
