"""The scikit-learn contract of all network classifiers: validate, seed, train.

Training itself is in :mod:`skmnist._training`, which is imported when it is needed.
"""

import contextlib
import copy
from abc import abstractmethod
from functools import partial
from numbers import Integral, Real
from os import PathLike

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils import check_consistent_length, check_random_state
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import column_or_1d, validate_data

from skmnist._fit_tasks import CallbackSupportMixin, EpochTasks, with_callbacks
from skmnist._habits import PARAMETERS, answers_habits
from skmnist._kept_fits import check_callbacks
from skmnist._processes import check_fork
from skmnist._training.data import TrainingData, TrainingState
from skmnist._warnings import warn_caller
from skmnist.classifiers._labels import label_column
from skmnist.classifiers._prediction import INPUT_DTYPES
from skmnist.classifiers._targets import (
    checked_weights,
    encoded,
    stratified_split,
    training_weights,
    unknown_labels,
    with_mean_of_1,
)
from skmnist.classifiers._trainer import NetworkTrainer
from skmnist.networks._memory import check_memory
from skmnist.preprocessing import Augmentation
from skmnist.preprocessing.image_array import ImageShape
from skmnist.preprocessing.layout import as_rows
from skmnist.preprocessing.validation import naming_overflow

__all__ = ["BaseKerasClassifier"]

_DEFAULT_VALIDATION_FRACTION = 0.1


class BaseKerasClassifier(CallbackSupportMixin, NetworkTrainer):
    """Base class of the network classifiers; not for direct use.

    A subclass stores its parameters; its ``_specify`` returns the network that they
    describe for images of a given size.
    """

    _habits = PARAMETERS

    _parameter_constraints = {
        # Keras is not imported yet: its optimizers are known by their methods.
        "optimizer": [str, dict, callable, HasMethods(["apply", "get_config"])],
        "learning_rate": [None, Interval(Real, 0, None, closed="neither")],
        "learning_rate_schedule": [StrOptions({"constant", "one_cycle", "cosine"})],
        "weight_decay": [None, Interval(Real, 0, None, closed="left")],
        "ema_momentum": [None, Interval(Real, 0, 1, closed="left")],
        "label_smoothing": [Interval(Real, 0, 1, closed="left")],
        "augmentation": [None, Augmentation],
        "epochs": [Interval(Integral, 1, None, closed="left")],
        "batch_size": [Interval(Integral, 1, None, closed="left")],
        "early_stopping": ["boolean"],
        "validation_fraction": [None, Interval(Real, 0, 1, closed="neither")],
        "n_iter_no_change": [Interval(Integral, 1, None, closed="left")],
        "class_weight": [None, dict, StrOptions({"balanced"})],
        "callbacks": "no_validation",  # training checks them
        "memory": [None, str, PathLike],
        "warm_start": ["boolean"],
        "random_state": ["random_state"],
        "verbose": ["verbose"],
    }

    # How to clone parameters that scikit-learn would copy deeply.
    _copied = {"callbacks": lambda v: list(v) if isinstance(v, list) else v}

    @with_callbacks
    @answers_habits
    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X, y, sample_weight=None, *, X_val=None, y_val=None):
        """Train the network.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, as rows of pixels or as arrays of images, of any numeric type. Best
            scaled to [0, 1].
        y : array-like of shape (n_samples,)
            Labels: all numbers, all strings or all booleans.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0. Only ratios matter. Samples of weight 0
            are left out, but their labels still count as classes, for bootstraps that
            draw a single class.
        X_val : array-like, default=None
            Images for validation, in the same form as `X`. ``history_`` keeps the loss
            and accuracy on them, early stopping uses them, and no part of `X` is set
            aside. In a :class:`~sklearn.pipeline.Pipeline`, the previous steps
            transform them like `X` if it has ``transform_input=["X_val"]``, metadata
            routing is enabled and the classifier has
            ``set_fit_request(X_val=True, y_val=True)``. Passed as ``clf__X_val``, they
            must be scaled already.
        y_val : array-like, default=None
            Labels of `X_val`. Images whose label is not in `y` are left out, with a
            warning.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If data or parameters are not as described.
        FloatingPointError
            If training diverges. The classifier is left unchanged.

        Warns
        -----
        UserWarning
            If the pixels of `X_val`, or of `X` when training resumes, clearly have
            another range than the training images so far, for example because they are
            not scaled; if `y_val` or a partial `class_weight` contains labels that `y`
            lacks; if the part set aside for validation has very few images or lacks a
            class.
        """
        if (X_val is None) != (y_val is None):
            given, missing = ("X_val", "y_val") if y_val is None else ("y_val", "X_val")
            raise ValueError(f"{given} was given without {missing}: give both or none.")
        is_validated = (
            X_val is not None
            or self.early_stopping
            or self.validation_fraction is not None
        )
        data = _for_callbacks(X, y, sample_weight)
        task = self._init_callback_context(
            max_subtasks=int(self.epochs) * (1 + is_validated)
        ).call_on_fit_task_begin(estimator=self, **data)
        resume = self.warm_start and self.__sklearn_is_fitted__()
        with self._all_or_nothing():
            spec, training = self._prepare(X, y, sample_weight, resume=resume)
            validation = None
            if X_val is not None:
                validation = self._validation_data(X_val, y_val, spec.input_shape)
            elif is_validated:
                training, validation = stratified_split(
                    training,
                    self.validation_fraction or _DEFAULT_VALIDATION_FRACTION,
                    self._split_seed,
                    self.classes_,
                )
            make_tasks = partial(
                EpochTasks,
                self,
                task,
                self._for_callbacks(training, sample_weight is not None),
                validation and self._for_callbacks(validation, False),
            )
            self._train(
                spec,
                training,
                validation,
                epochs=self.epochs,
                resume=resume,
                make_tasks=make_tasks,
            )
            self._training.is_kept = self.warm_start
        task.call_on_fit_task_end(estimator=self, reconstruction_attributes={}, **data)
        return self

    @answers_habits
    @_fit_context(prefer_skip_nested_validation=True)
    def partial_fit(self, X, y, classes=None, sample_weight=None):
        """Train for one more epoch, from the current weights and optimizer state.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or \
                (n_samples, height, width[, channels])
            Images, as in `fit`.
        y : array-like of shape (n_samples,)
            Labels.
        classes : array-like of shape (n_classes,), default=None
            All labels that will ever occur. Required at the first call only.
        sample_weight : array-like of shape (n_samples,), default=None
            Weight of each sample, at least 0. They are not normalised, as other samples
            may follow: a sample of weight 2 counts twice, and if all weights are 0,
            nothing is learned.

        Returns
        -------
        self
            The fitted classifier.

        Raises
        ------
        ValueError
            If data or parameters are not as described; or with early stopping, balanced
            class weights or a learning rate schedule, which need all data and epochs at
            once.

        Notes
        -----
        The optimizer state is kept between calls. Once `partial_fit` has been called,
        it is also saved in files and pickles. After `fit` alone (without `warm_start`)
        it is not saved, because it is twice as large as the network: the optimizer of a
        loaded classifier then starts from scratch.
        """
        self._validate_params()  # which scikit-learn skips once it is fitted
        for parameter, allowed in (
            ("early_stopping", not self.early_stopping),
            ("class_weight", self.class_weight != "balanced"),
            ("learning_rate_schedule", self.learning_rate_schedule == "constant"),
            ("ema_momentum", self.ema_momentum is None),
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
            spec, training = self._prepare(
                X, y, sample_weight, resume=resume, classes=classes, partial=True
            )
            if training.weights is None or training.weights.any():
                self._train(
                    spec, training, None, epochs=1, resume=resume, is_partial=True
                )
                self._training.is_kept = True
            elif not resume:
                raise ValueError(
                    "The first call to partial_fit needs a sample with a weight "
                    "above 0."
                )
        return self

    def __sklearn_clone__(self):
        names = self._copied.keys() & self.get_params(deep=False)
        own = {name: self._copied[name](getattr(self, name)) for name in names}
        shell = copy.copy(self)
        vars(shell).update(dict.fromkeys(own))
        twin = super(BaseKerasClassifier, shell).__sklearn_clone__()
        vars(twin).update(own)
        return twin

    @abstractmethod
    def _specify(self, n_features, image_shape, n_classes):
        """Return the NetworkSpec for images of a shape, which is None for rows."""

    def _validate_params(self):
        if isinstance(self.learning_rate, str):
            schedules = self._parameter_constraints["learning_rate_schedule"][0].options
            raise ValueError(
                "learning_rate must be None or a number above 0, not "
                f"{self.learning_rate!r}. How it changes over a fit is set by "
                f"learning_rate_schedule: {', '.join(map(repr, sorted(schedules)))}."
            )
        super()._validate_params()
        if self.augmentation is not None:
            self.augmentation._validate_params()
            if (
                type(self.augmentation) is not Augmentation
            ):  # training would not call it
                raise TypeError(
                    "The 'augmentation' parameter must be an Augmentation itself, not "
                    f"of a subclass; got {self.augmentation!r}."
                )
        if self.memory is not None:
            check_callbacks(self.callbacks)
        for name in "early_stopping", "warm_start":
            if getattr(self, name) and self.ema_momentum is not None:
                raise ValueError(
                    f"ema_momentum={self.ema_momentum} does not go with {name}: the "
                    "weights are averaged when training ends, and training cannot go "
                    "on from averages. Leave one of them out."
                )

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

    def _prepare(self, X, y, sample_weight, *, resume, classes=None, partial=False):
        """Check data and parameters; return the network to train and its data."""
        check_fork()
        n_features = self.n_features_in_ if resume else None
        y = label_column(y, "y")
        rows, image_shape = as_rows(X, n_features=n_features, y=y)
        with naming_overflow(rows):
            rows, y = validate_data(self, rows, y, dtype=INPUT_DTYPES, reset=not resume)
        check_classification_targets(y)
        if not resume:
            labels = y if classes is None else label_column(classes, "classes")
            self.classes_ = np.unique(labels)
        # Samples of nonzero weight may have one class, as in a bootstrap.
        if len(self.classes_) < 2:
            raise ValueError(
                f"{type(self).__name__} needs samples of at least 2 classes; "
                f"got only one class: {self.classes_[0]}."
            )
        if sample_weight is not None:
            sample_weight = checked_weights(sample_weight, len(rows))
            kept = sample_weight > 0
            if not kept.all():
                rows, y, sample_weight = rows[kept], y[kept], sample_weight[kept]
        labels = encoded(y, self.classes_, "y")
        weights = training_weights(
            labels, sample_weight, self.class_weight, self.classes_
        )
        if not partial:
            weights = with_mean_of_1(weights, self.class_weight)
        spec = self._checked_spec(image_shape, resume)
        inputs = self._in_shape(rows, image_shape, spec.input_shape)
        self._learn_range(inputs, resume)
        self._draw_seeds(resume)
        return spec, TrainingData(inputs, labels, weights)

    def _checked_spec(self, image_shape, resume):
        """Return the network for images of a shape, or rows; note their layout."""
        seen_shape = image_shape
        if resume and image_shape is None and getattr(self, "image_shape", 0) is None:
            # Rows of images for which the network was made.
            seen_shape = ImageShape(*self._spec.input_shape)
        spec = self._specify(self.n_features_in_, seen_shape, len(self.classes_))
        check_memory(spec)
        if resume and spec != self._spec:
            raise ValueError(
                "Training cannot resume, because the network has changed: "
                f"{self._spec.changes_to(spec)}. Change it back, or fit from scratch "
                "with warm_start=False."
            )
        if not resume:
            self._sample_shape, self._image_shape = image_shape, None
            if image_shape is not None:
                # Also of networks for rows, because later images must have the same.
                is_known = self._knows_images(spec.input_shape)
                shape = spec.input_shape if is_known else (*image_shape, 1)[:3]
                self._image_shape = shape
        return spec

    def _learn_range(self, inputs, resume):
        """Keep the lowest and highest pixel of all training images so far."""
        if not resume:
            self._pixel_range = None
        if len(inputs):
            self._warn_of_range(inputs)
            ends = inputs.min(), inputs.max(), *(self._pixel_range or ())
            self._pixel_range = float(min(ends)), float(max(ends))

    def _draw_seeds(self, resume):
        """Draw the seeds of weights, order and split, always all of them."""
        generator = check_random_state(self.random_state)
        *seeds, split_seed = generator.randint(np.iinfo(np.int32).max, size=3).tolist()
        if not resume:
            self._training = TrainingState(*seeds)
            # Resumed training uses the same split, to validate on images that it was
            # not trained on.
            self._split_seed = split_seed

    def _validation_data(self, X_val, y_val, input_shape):
        """Check validation data; leave out images of labels that are not in `y`."""
        try:
            inputs = self._inputs(X_val, input_shape)
        except ValueError as error:
            raise ValueError(f"X_val is not a valid X: {error}") from error
        self._warn_of_range(
            inputs, "X_val", ' with transform_input=["X_val"] and metadata routing'
        )
        y_val = column_or_1d(label_column(y_val, "y_val"))
        check_consistent_length(inputs, y_val)
        unknown = unknown_labels(np.unique(y_val).tolist(), self.classes_)
        known = ~np.isin(y_val, unknown)
        if unknown and known.any():  # such as rare labels, which a fold may lack
            warn_caller(
                f"{len(y_val) - known.sum()} of {len(y_val)} images in X_val are left "
                f"out: y holds none of their labels {unknown}."
            )
            inputs, y_val = inputs[known], y_val[known]
        return TrainingData(inputs, encoded(y_val, self.classes_, "y_val"))

    def _for_callbacks(self, data, is_weighted):
        """Return training or validation data as X, y and metadata."""
        weights = data.weights if is_weighted else None
        return _for_callbacks(data.inputs, self.classes_[data.labels], weights)


def _for_callbacks(X, y, sample_weight):
    metadata = None if sample_weight is None else {"sample_weight": sample_weight}
    return {"X": X, "y": y, "metadata": metadata}
