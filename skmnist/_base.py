"""The estimator contract: validate, encode, seed, train, predict, keep the state.

What scikit-learn promises its users is kept here, for every network classifier;
what Keras does is behind :mod:`skmnist._engine`, which is imported when a network
is first trained.
"""

import contextlib
from math import prod
from numbers import Integral, Real

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context
from sklearn.model_selection import train_test_split
from sklearn.utils import check_array, check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import (
    check_is_fitted,
    column_or_1d,
    validate_data,
)

from skmnist._trained_network import TrainingState
from skmnist.preprocessing.layout import channels_come_first, validated

__all__ = ["BaseKerasClassifier"]

_DEFAULT_VALIDATION_FRACTION = 0.1

# All else becomes float32. Bytes stay bytes, a quarter of the memory, until they are
# in a batch.
_INPUT_DTYPES = (np.float32, np.uint8)


class BaseKerasClassifier(ClassifierMixin, BaseEstimator):
    """Base of the network classifiers; not for use by itself.

    A subclass stores its parameters and tells by ``_specify`` which network they
    mean for images of a given size.
    """

    _parameter_constraints = {
        # Keras optimizers are told by their methods, before Keras is imported.
        "optimizer": [str, dict, callable, HasMethods(["apply", "get_config"])],
        "learning_rate": [None, Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions({"constant", "one_cycle", "cosine"})],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [None, Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [None, dict, StrOptions({"balanced"})],
        "callbacks": [None, list, tuple],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, as rows of pixels or as they are. Any numeric type; best scaled
            to [0, 1].
        y : array-like of shape (n_samples,)
            Labels of any one kind: numbers, strings, booleans.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0. Only ratios matter. A sample of
            weight 0 is left out.
        X_val : array-like, default=None
            Images for validation, of the form of `X`. Loss and accuracy on them
            are kept in ``history_``; early stopping looks at them, and no part of
            `X` is set aside. In a :class:`~sklearn.pipeline.Pipeline` with
            ``transform_input=["X_val"]`` they pass the steps before, as `X` does.
        y_val : array-like, default=None
            Labels of `X_val`, each of them among those in `y`.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If data or parameters are not as described.
        FloatingPointError
            If training diverges. The classifier stays as it was before.
        """
        if (X_val is None) != (y_val is None):
            given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(f"{given} was given without {missing}: give both or none.")
        resume = self.warm_start and self.__sklearn_is_fitted__()
        with self._all_or_nothing():
            training = self._checked_training_data(X, y, sample_weight, resume=resume)
            training = self._with_mean_weight_of_1(*training)
            seeds = self._draw_seeds()
            if not resume:
                self._split_seed = seeds[2]
            validation = None
            if X_val is not None:
                validation = self._checked_validation_data(X_val, y_val)
            elif self.early_stopping or self.validation_fraction is not None:
                fraction = self.validation_fraction or _DEFAULT_VALIDATION_FRACTION
                # Going on splits as before: the network must not be trained on
                # what it is then validated with.
                training, validation = _stratified_split(
                    training, fraction, self._split_seed
                )
            self._train(training, validation, seeds, epochs=self.epochs, resume=resume)
            self._training.is_kept = self.warm_start
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch, with the weights and optimizer state so far.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, as in `fit`.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever be given. Needed at the first call only.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0. As other samples may come later, the
            weights are taken as they are: one of 2 counts twice, and if all are 0,
            nothing is learned.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If data or parameters are not as described, or with early stopping,
            balanced class weights or a schedule of learning rates, which need all
            data and epochs at once.

        Notes
        -----
        The state of the optimizer is kept from call to call, and goes into files
        and pickles once `partial_fit` has been called. That of a classifier that
        was only fitted (without `warm_start`) does not, as it is twice as large as
        the network: after loading such a one, the optimizer starts anew.
        """
        self._validate_params()  # which scikit-learn leaves out once it is fitted
        for parameter, allowed in (
            ("early_stopping", not self.early_stopping),
            ("class_weight", self.class_weight != "balanced"),
            ("learning_rate_schedule", self.learning_rate_schedule == "constant"),
        ):
            if not allowed:
                raise ValueError(
                    f"partial_fit does not work with {parameter}="
                    f"{getattr(self, parameter)!r}, which needs to know all data or "
                    "epochs beforehand. Use fit, or another value."
                )
        resume = self.__sklearn_is_fitted__()
        if not resume and classes is None:
            raise ValueError("classes must be passed on the first call to partial_fit.")
        if (
            resume
            and classes is not None
            and not np.array_equal(np.unique(classes), self.classes_)
        ):
            raise ValueError(
                f"classes={classes!r} is not the same as on the last call to "
                f"partial_fit, was: {self.classes_!r}."
            )
        with self._all_or_nothing():
            inputs, labels, weights = self._checked_training_data(
                X, y, sample_weight, resume=resume, classes=classes, partial=True
            )
            if len(labels) == 0 or (weights is not None and not weights.any()):
                if not resume:
                    raise ValueError(
                        "The first call to partial_fit needs some sample of a weight "
                        "above 0."
                    )
                return self
            seeds = self._draw_seeds()
            if not resume:
                self._split_seed = seeds[2]
            self._train((inputs, labels, weights), None, seeds, epochs=1, resume=resume)
            self._training.is_kept = True
        return self

    def predict_proba(self, X):
        """Compute the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the size seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of ``classes_``, in float32, or in float64 if
            that is the precision. Those of an image do not depend on the images
            beside it.
        """
        check_is_fitted(self)
        rows, image_shape = _as_rows(X)
        rows = validated(self, rows, dtype=_INPUT_DTYPES)
        probabilities = self._network.predict_proba(self._as_inputs(rows, image_shape))
        if np.isnan(probabilities).any():
            row = int(np.isnan(probabilities).any(axis=1).argmax())
            raise ValueError(
                f"The probabilities of row {row} of X are no numbers: its pixels, up "
                f"to {np.abs(rows[row]).max():.3g}, are too large for the network."
            )
        return probabilities

    def predict_log_proba(self, X):
        """Compute the logarithm of the probability of each class.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the size seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Natural logarithms in the order of ``classes_``; minus infinity where a
            probability is 0.
        """
        with np.errstate(divide="ignore"):
            return np.log(self.predict_proba(X))

    def predict(self, X):
        """Recognise images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, of the size seen in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            The most probable class of each image.
        """
        probabilities = self.predict_proba(X)
        return self.classes_[probabilities.argmax(axis=1)]

    @property
    def model_(self):
        """The trained network as a live :class:`keras.Model`, built on demand.

        A copy: what is done to it does not reach the classifier.
        """
        check_is_fitted(self)
        return self._network.to_keras()

    @property
    def n_parameters_(self):
        """Number of weights of the network."""
        check_is_fitted(self)
        return self._network.n_parameters

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags.three_d_array = True
        return tags

    def __sklearn_is_fitted__(self):
        return hasattr(self, "_network")

    def _specify(self, n_features, image_shape, n_classes):
        """Return the :class:`~skmnist.networks.NetworkSpec` for images of a size.

        `image_shape` is None where the images came as rows of pixels.
        """
        raise NotImplementedError

    def _training_precision(self):
        """Return the arithmetic of training, where it may differ from the network's."""
        return "float32"

    @contextlib.contextmanager
    def _all_or_nothing(self):
        """Leave the estimator as it was if training fails or is interrupted."""
        before = vars(self).copy()
        try:
            yield
        except BaseException:
            vars(self).clear()
            vars(self).update(before)
            raise

    def _draw_seeds(self):
        """Draw the seeds of weights, order and split: always all of them."""
        generator = check_random_state(self.random_state)
        return [int(s) for s in generator.randint(np.iinfo(np.int32).max, size=3)]

    def _checked_training_data(
        self, X, y, sample_weight, *, resume, classes=None, partial=False
    ):
        """Check data and network; return inputs, encoded labels and weights."""
        rows, image_shape = _as_rows(X)
        rows, y = validate_data(self, rows, y, dtype=_INPUT_DTYPES, reset=not resume)
        check_classification_targets(y)
        if not resume:
            self.classes_ = _distinct(y if classes is None else classes)
        if sample_weight is not None:
            sample_weight = _checked_weights(sample_weight, len(rows))
            kept = sample_weight > 0
            if not kept.all():
                rows, y, sample_weight = rows[kept], y[kept], sample_weight[kept]
            if not partial and not kept.any():
                raise ValueError(
                    "sample_weight must be above zero for some samples; all are zero."
                )
        n_classes = len(self.classes_ if classes is not None else np.unique(y))
        if not resume and n_classes < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes; "
                f"got only one class: {y[0]}."
            )
        labels = self._encoded(y, "y")
        spec = self._specify(self.n_features_in_, image_shape, len(self.classes_))
        if resume and spec != self._spec:
            raise ValueError(
                "Training cannot go on: the parameters that make the network, or the "
                f"shape of the images, have changed from {self._spec.parameters} on "
                f"{self._spec.input_shape} to {spec.parameters} on "
                f"{spec.input_shape}. Set them back, or fit anew with "
                "warm_start=False."
            )
        if not resume:
            # Networks of rows do not know it, but pixels must not change places.
            self._image_shape = (*image_shape, 1)[:3] if image_shape else None
            if image_shape and channels_come_first(image_shape, spec.input_shape):
                self._image_shape = spec.input_shape
        self._spec = spec
        inputs = self._as_inputs(rows, image_shape)
        return inputs, labels, self._training_weights(labels, sample_weight)

    def _checked_validation_data(self, X_val, y_val):
        try:
            rows, image_shape = _as_rows(X_val)
            rows = validated(self, rows, dtype=_INPUT_DTYPES)
            inputs = self._as_inputs(rows, image_shape)
        except ValueError as error:
            raise ValueError(f"X_val, as an X: {error}") from error
        y_val = column_or_1d(y_val)
        check_consistent_length(rows, y_val)
        return inputs, self._encoded(y_val, "y_val"), None

    def _encoded(self, y, name):
        """Return labels as their positions in ``classes_``."""
        self._check_known(_distinct(y).tolist(), name)
        return np.searchsorted(self.classes_, y).astype(np.int32)

    def _check_known(self, labels, name):
        """Refuse labels that are no classes, as Python compares them.

        NumPy would take the label "10" for the label 10.
        """
        known = set(self.classes_.tolist())
        unknown = [label for label in labels if label not in known]
        if unknown:
            other_kind = {isinstance(label, str) for label in unknown}.isdisjoint(
                isinstance(label, str) for label in known
            )
            hint = " Strings and numbers are different labels." if other_kind else ""
            raise ValueError(
                f"{name} holds labels that are not among the classes: {unknown}; "
                f"the classes are {self.classes_.tolist()}.{hint}"
            )

    def _as_inputs(self, rows, image_shape):
        """Give rows of pixels the shape that the network takes."""
        wanted = self._image_shape or self._spec.input_shape
        if image_shape is not None and len(wanted) > 1:
            channels_first = channels_come_first(image_shape, wanted)
            if channels_first is None:
                raise ValueError(
                    f"The images have the shape {image_shape}, but the network takes "
                    f"(height, width, channels) = {wanted}."
                )
            if channels_first:
                images = rows.reshape(len(rows), *image_shape)
                rows = np.moveaxis(images, 1, -1)
        return rows.reshape(len(rows), *self._spec.input_shape)

    def _training_weights(self, labels, sample_weight):
        """Multiply the weights of samples and classes; None if all count alike."""
        if self.class_weight is None:
            return sample_weight
        if self.class_weight == "balanced":
            share = np.bincount(
                labels, weights=sample_weight, minlength=len(self.classes_)
            )
            per_class = 1 / np.maximum(share, np.finfo(float).tiny)
        else:
            per_class = self._given_class_weights()
        weights = per_class[labels]
        return weights if sample_weight is None else weights * sample_weight

    def _with_mean_weight_of_1(self, inputs, labels, weights):
        """Scale the weights of a fit.

        The scale of the loss, and so the meaning of learning rate and penalties, must
        not depend on the unit of the weights.
        """
        if weights is None:
            return inputs, labels, None
        if not weights.any():
            raise ValueError(
                "class_weight leaves no sample any weight: it must be more than "
                f"0 for some class in y; got {self.class_weight}."
            )
        weights = weights / weights.max()  # whose sum might be too large
        return inputs, labels, weights / weights.mean()

    def _given_class_weights(self):
        """Return the weights of a dict in the order of ``classes_``, 1 by default."""
        # Refuses a class that is not there, whose weight would be lost.
        self._check_known(self.class_weight, "class_weight")
        labels = self.classes_.tolist()
        try:
            per_class = np.array(
                [self.class_weight.get(label, 1) for label in labels], dtype=float
            )
            allowed = np.isfinite(per_class).all() and (per_class >= 0).all()
        except (TypeError, ValueError):
            allowed = False
        if not allowed:
            raise ValueError(
                "class_weight must hold finite weights of at least 0; got "
                f"{self.class_weight}."
            )
        return per_class

    def _train(self, training, validation, seeds, *, epochs, resume):
        """Train by the engine and set the fitted attributes."""
        from skmnist import _engine
        from skmnist._callbacks import callbacks_for_fit
        from skmnist._optimizers import make_optimizer

        optimizer = make_optimizer(self.optimizer, self.learning_rate)
        callbacks, fit_id = callbacks_for_fit(self.callbacks)
        network, state, history = _engine.train(
            self._spec,
            _engine.TrainingData(*training),
            _engine.TrainingSettings(
                optimizer=optimizer,
                schedule=self.learning_rate_schedule,
                epochs=int(epochs),
                batch_size=min(int(self.batch_size), len(training[0])),
                patience=self.n_iter_no_change if self.early_stopping else None,
                callbacks=callbacks,
                precision=self._training_precision(),
                verbose=int(self.verbose),
            ),
            self._training if resume else TrainingState(seeds[0], seeds[1]),
            validation=validation and _engine.TrainingData(*validation),
            network=self._network if resume else None,
        )
        if resume:
            # Metrics that only one of the parts has, such as those of validation
            # data that came later, are kept with a gap, so that lengths agree.
            history = _joined(self.history_, history)
        self._network, self._training = network, state
        self.history_, self.n_iter_ = history, state.n_epochs
        if fit_id is not None:
            self.fit_id_ = fit_id
        elif hasattr(self, "fit_id_"):
            del self.fit_id_


def _as_rows(X):
    """Flatten images to rows of pixels; return them and the shape of an image."""
    if isinstance(X, list | tuple):
        try:
            X = np.asarray(X)
        except ValueError:
            raise ValueError(
                "X is a list of rows or images of different sizes; all must have the "
                "same size."
            ) from None
    shape = getattr(X, "shape", ())
    if len(shape) < 3:
        return X, None
    if len(shape) > 4:
        raise ValueError(
            "X must have the shape (n_samples, n_features), (n_samples, height, "
            "width) or (n_samples, height, width, channels); "
            f"found an array with dim {len(shape)}: {shape}."
        )
    return np.asarray(X).reshape(shape[0], prod(shape[1:])), tuple(shape[1:])


def _checked_weights(sample_weight, n_samples):
    """Return weights, one for each sample and at least 0; one number stands for all."""
    if isinstance(sample_weight, Real):
        sample_weight = np.full(n_samples, sample_weight)
    weights = check_array(
        sample_weight, ensure_2d=False, dtype=np.float64, input_name="sample_weight"
    )
    if weights.shape != (n_samples,):
        raise ValueError(
            f"sample_weight must have the shape ({n_samples},), one for each sample; "
            f"got {weights.shape}."
        )
    if weights.min() < 0:
        raise ValueError(
            "sample_weight must be at least 0; got values from "
            f"{weights.min()} to {weights.max()}."
        )
    return weights


def _distinct(labels):
    """Return the sorted distinct labels; they must be of kinds that can be sorted."""
    try:
        return np.unique(labels)
    except TypeError as error:
        raise ValueError(
            "Labels must be of one kind, such as all numbers or all strings; "
            f"got a mixture ({error})."
        ) from error


def _stratified_split(arrays, fraction, seed):
    """Split arrays into a training and a validation part with equal class shares."""
    labels = arrays[1]
    try:
        parts = train_test_split(
            np.arange(len(labels)),
            test_size=fraction,
            stratify=labels,
            random_state=seed,
        )
    except ValueError as error:
        raise ValueError(
            f"validation_fraction={fraction} of {len(labels)} samples cannot be set "
            "aside so that each class is on both sides. Give more samples, another "
            f"fraction, or X_val and y_val. ({error})"
        ) from error
    return tuple(
        tuple(None if array is None else array[part] for array in arrays)
        for part in parts
    )


def _joined(earlier, later):
    """Join two histories of the same network."""
    n_earlier, n_later = len(earlier["loss"]), len(later["loss"])
    return {
        name: earlier.get(name, [float("nan")] * n_earlier)
        + later.get(name, [float("nan")] * n_later)
        for name in [*earlier, *(name for name in later if name not in earlier)]
    }
