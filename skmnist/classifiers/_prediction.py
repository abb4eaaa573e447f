"""Prediction by a fitted network classifier."""

import copy
import functools
import inspect
from abc import ABCMeta

import numpy as np
from scipy.special import log_softmax, softmax
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.utils.validation import check_is_fitted

from skmnist._habits import HabitsMixin, answers_habits, missing_attribute
from skmnist._warnings import warn_caller
from skmnist.classifiers._labels import label_column
from skmnist.preprocessing.layout import as_rows, channels_come_first, in_order
from skmnist.preprocessing.scaling import other_range
from skmnist.preprocessing.validation import validated

__all__ = ["INPUT_DTYPES", "NetworkPredictor"]

# Other features may also be scaled to [0, 1], with later values slightly outside.
_RANGE_SLACK = 0.5

# Other types become float32. Bytes, a quarter of the memory, become float32 in batches.
INPUT_DTYPES = (np.float32, np.uint8)


class NetworkPredictor(HabitsMixin, ClassifierMixin, BaseEstimator, metaclass=ABCMeta):
    """Prediction by a trained network; not for direct use.

    A subclass sets ``_network``, ``classes_``, and ``_image_shape``, the shape of an
    image with the channels last, or None for rows of pixels.
    """

    # None in files of earlier versions.
    _pixel_range = None  # lowest and highest pixel in training
    _sample_shape = None  # of an image as it was given

    @answers_habits
    def predict_proba(self, X):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the same size as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``: the softmax of the network's
            logits, computed in float64, which distinguishes probabilities near 1. The
            probabilities of an image do not depend on the other images, except for
            rounding with your own builder and in double precision. A network from your
            own builder that does not end in a plain softmax returns its probabilities
            in its own precision.

        Warns
        -----
        UserWarning
            If the pixels of `X` clearly have another range than in `fit`.
        """
        outputs, are_logits = self._outputs(X)
        if are_logits:
            return softmax(outputs.astype(np.float64, copy=False), axis=1)
        return outputs

    @answers_habits
    def predict_log_proba(self, X):
        """Compute the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the same size as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Natural logarithms in the order of ``classes_``. They are computed from the
            logits, so they are finite even where a probability is too small for
            float64. A network from your own builder that does not end in a plain
            softmax may return minus infinity, for a probability of 0.
        """
        outputs, are_logits = self._outputs(X)
        if are_logits:
            return log_softmax(outputs.astype(np.float64, copy=False), axis=1)
        with np.errstate(divide="ignore"):
            return np.log(outputs)

    @answers_habits
    def predict(self, X):
        """Classify images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the same size as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class of each image.
        """
        outputs, _ = self._outputs(X)
        return self.classes_[outputs.argmax(axis=1)]

    @answers_habits
    def score(self, X, y, sample_weight=None):
        """Compute the accuracy.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the same size as in `fit`.
        y : array-like of shape (n_samples,)
            Their true labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample.

        Returns
        -------
        float
            Fraction of the images classified correctly.
        """
        return super().score(X, label_column(y, "y"), sample_weight)

    @property
    def model_(self):
        """The trained network as a live :class:`keras.Model`, built on demand.

        Every access returns a new copy: changing it does not change the classifier. It
        is compiled with the optimizer and learning rate of the fit. If the classifier
        keeps the optimizer state (with `warm_start`, or after `partial_fit`), the copy
        has it too, and ``model_.fit`` resumes from there.
        """
        check_is_fitted(self)

        def optimizer(model):
            from skmnist._training.optimizers import make_optimizer, optimizer_of

            make = functools.partial(make_optimizer, self.optimizer)
            return optimizer_of(self._training, model, otherwise=make)

        return self._network.to_keras(optimizer)

    @property
    def n_parameters_(self):
        """Number of weights of the network."""
        check_is_fitted(self)
        return self._network.n_parameters

    @property
    def _spec(self):
        return self._network.spec

    def __setstate__(self, state):
        spec = state.pop("_spec", None)
        # Files of earlier versions do not have later parameters.
        defaults = {
            name: parameter.default
            for name, parameter in inspect.signature(type(self)).parameters.items()
        }
        super().__setstate__({**defaults, **state})
        if spec is not None:
            from skmnist._trained_network import complete_network

            complete_network(self, spec)

    def __dir__(self):
        # That of scikit-learn tries each name, which would import Keras for model_.
        return object.__dir__(self)

    def _get_fitted_attr_html(self, *args, **kwargs):
        # In a notebook, scikit-learn shows the values of all names that dir() lists.
        def without_model(twin):
            return set(object.__dir__(twin)) - {"model_"}

        cls, twin = type(self), copy.copy(self)
        twin.__class__ = type(cls.__name__, (cls,), {"__dir__": without_model})
        return super(NetworkPredictor, twin)._get_fitted_attr_html(*args, **kwargs)

    def __getattr__(self, name):
        return missing_attribute(self, name)

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_network")

    def _outputs(self, X):
        """Return the logits or probabilities of images, and whether they are logits."""
        check_is_fitted(self)
        inputs = self._inputs(X, self._spec.input_shape)
        self._warn_of_range(inputs)
        outputs, are_logits = self._network.run(inputs)
        # NaN if any output is NaN; single logits may be minus infinity.
        is_usable = np.isfinite(outputs.max(axis=1))
        if not is_usable.all():
            row = int(is_usable.argmin())
            raise ValueError(
                f"The probabilities of row {row} of X are not finite: its pixels, up "
                f"to {np.abs(inputs[row]).max():.3g}, are too large for the network."
            )
        return outputs, are_logits

    def _inputs(self, X, input_shape):
        """Check images of the size seen in fit; return the inputs of the network."""
        rows, image_shape = as_rows(X, n_features=self.n_features_in_)
        rows = validated(self, rows, dtype=INPUT_DTYPES)
        return self._in_shape(rows, image_shape, input_shape)

    def _in_shape(self, rows, image_shape, input_shape):
        """Give rows of pixels the shape that the network takes."""
        if image_shape is not None:
            channels_first = self._channels_come_first(image_shape, input_shape)
            rows = in_order(rows, image_shape, channels_first)
        return rows.reshape(len(rows), *input_shape)

    def _channels_come_first(self, image_shape, input_shape):
        """Whether images have their channels first; refuse images of other shapes."""
        if self._image_shape is None and not self._knows_images(input_shape):
            return False  # it was trained with rows
        return channels_come_first(image_shape, self._image_shape or input_shape)

    def _knows_images(self, input_shape):
        """Whether the network has images as its input."""
        return len(input_shape) == 3 and getattr(self, "image_shape", None) != "row"

    def _warn_of_range(self, pixels, name="X", how=""):
        """Warn of pixels that clearly have another range than in training."""
        problem = self._pixel_range and other_range(
            pixels, *self._pixel_range, may_be_whole=name != "X", slack=_RANGE_SLACK
        )
        if problem is not None:
            low, high = self._pixel_range
            warn_caller(
                f"{name} holds {problem}: the network is trained on pixels from "
                f"{low:g} to {high:g}. Scale {name} in the same way; a Pipeline "
                f"with ImageScaler does so automatically{how}."
            )
