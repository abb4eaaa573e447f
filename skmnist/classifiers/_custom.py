"""User-defined networks."""

from sklearn.utils._param_validation import InvalidParameterError, StrOptions
from sklearn.utils.validation import check_is_fitted

from skmnist.classifiers._base import BaseKerasClassifier
from skmnist.classifiers._builders import (
    check_arguments,
    check_names,
    cloned,
    defaults,
    is_of_keras,
)
from skmnist.classifiers._docs import documented
from skmnist.classifiers._images import network_image_shape
from skmnist.networks import NetworkSpec

__all__ = ["KerasImageClassifier"]

_PREFIX = "builder_params__"


@documented
class KerasImageClassifier(BaseKerasClassifier):
    """Classifier for your own Keras network.

    Parameters
    ----------
    builder : callable
        Function ``builder(input_shape, n_classes, **builder_params)`` that returns a
        :class:`keras.Model` with one probability per class. The model need not be
        compiled: the classifier sets loss and optimizer. It is never trained itself.
        Every fit trains a copy with the same weights, so that layers which the builder
        reuses, such as pretrained ones, are the same in all fits. To save the
        classifier, define the builder in an importable module, not in a script or
        notebook.
    builder_params : dict, default=None
        Further arguments of the builder. In `set_params` and searches, each of them is
        a parameter of the classifier, such as ``builder_params__width``.
    image_shape : tuple of int, "row" or "flat", default=None
        The `input_shape` of the builder: ``(height, width)`` or
        ``(height, width, channels)``; "row" for an image of one row; "flat" for
        ``(n_features,)``. None infers the shape from `X`, with its channels, even if an
        :class:`~skmnist.ImageScaler` flattened the images; rows of unknown shape are
        treated as square images. Images in `X` must have the given shape, or
        ``(channels, height, width)``, which is transposed; three equal numbers mean
        channels last.
    $training

    Attributes
    ----------
    $attributes
    image_shape_ : tuple of int
        The `input_shape` that the builder was given, such as
        ``(height, width, channels)``.

    References
    ----------
    $references

    Examples
    --------
    >>> import keras
    >>> from skmnist import KerasImageClassifier
    >>> from skmnist.datasets import load_digits
    >>> def linear(input_shape, n_classes, scale=255.0):
    ...     return keras.Sequential(
    ...         [
    ...             keras.Input(input_shape),
    ...             keras.layers.Rescaling(1 / scale),
    ...             keras.layers.Flatten(),
    ...             keras.layers.Dense(n_classes, activation="softmax"),
    ...         ]
    ...     )
    >>> X, y = load_digits(return_X_y=True)
    >>> model = KerasImageClassifier(builder=linear, epochs=30, random_state=0)
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.8
    True
    """

    _parameter_constraints = {
        **BaseKerasClassifier._parameter_constraints,
        "builder": [callable],
        "builder_params": [None, dict],
        "image_shape": [None, StrOptions({"row", "flat"}), list, tuple],
    }

    _builder = None  # any

    def __init__(
        self,
        *,
        builder,
        builder_params=None,
        image_shape=None,
        optimizer="adam",
        learning_rate=None,
        learning_rate_schedule="constant",
        weight_decay=None,
        ema_momentum=None,
        label_smoothing=0.0,
        augmentation=None,
        epochs=20,
        batch_size=128,
        early_stopping=False,
        validation_fraction=None,
        n_iter_no_change=5,
        class_weight=None,
        callbacks=None,
        memory=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.builder = builder
        self.builder_params = builder_params
        self.image_shape = image_shape
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.weight_decay = weight_decay
        self.ema_momentum = ema_momentum
        self.label_smoothing = label_smoothing
        self.augmentation = augmentation
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.memory = memory
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    _copied = {
        **BaseKerasClassifier._copied,
        "builder": cloned,
        "builder_params": cloned,
    }

    @property
    def image_shape_(self):
        """Shape of one image, as passed to the builder."""
        check_is_fitted(self)
        return self._spec.input_shape

    def get_params(self, deep=True):
        """Get the parameters.

        Parameters
        ----------
        deep : bool, default=True
            Whether to include the arguments of the builder, as
            ``builder_params__<name>``: those in `builder_params`, and the defaults of
            the others.

        Returns
        -------
        dict
            Values by name.
        """
        params = super().get_params(deep=deep)
        if deep:
            given = self.builder_params
            given = given if isinstance(given, dict) else {}
            arguments = {**defaults(self.builder), **given}
            params |= {f"{_PREFIX}{name}": value for name, value in arguments.items()}
        return params

    def set_params(self, **params):
        """Set parameters.

        Parameters
        ----------
        **params
            Values by name. ``builder_params__<name>`` sets one argument of the builder
            and keeps the others.

        Returns
        -------
        self
            The classifier.

        Raises
        ------
        ValueError
            If a parameter or an argument of the builder does not exist.
        """
        arguments = {
            name.removeprefix(_PREFIX): params.pop(name)
            for name in list(params)
            if name.startswith(_PREFIX)
        }
        if not arguments:
            return super().set_params(**params)
        builder = params.get("builder", self.builder)
        others = params.get("builder_params", self.builder_params)
        if others is not None and not isinstance(others, dict):
            raise ValueError(
                f"{_PREFIX}{next(iter(arguments))} cannot be set: builder_params must "
                f"be a dict or None; got {others!r}."
            )
        check_names(builder, arguments, _PREFIX)
        super().set_params(**params)
        # A new dict: the caller or a clone may have the old one.
        self.builder_params = {**(others or {}), **arguments}
        return self

    def _validate_params(self):
        if is_of_keras(self.builder):
            raise InvalidParameterError(
                "builder must be a function builder(input_shape, n_classes, "
                "**builder_params) that returns a keras.Model; got the "
                f"{type(self.builder).__name__} {self.builder.name!r} itself. To "
                "train it further, or to use it in a network, write a function that "
                "returns it: every fit then trains a copy."
            )
        super()._validate_params()

    def _specify(self, n_features, image_shape, n_classes):
        if self.image_shape == "flat":
            input_shape = (n_features,)
        else:
            input_shape = network_image_shape(self.image_shape, n_features, image_shape)
        parameters = dict(self.builder_params or {})
        check_arguments(self.builder, input_shape, n_classes, parameters)
        return NetworkSpec(self.builder, input_shape, n_classes, parameters)
