"""Convolutional networks."""

from collections.abc import Sequence
from numbers import Integral

from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from skmnist._warnings import warn_caller
from skmnist.classifiers._docs import documented
from skmnist.classifiers._images import network_image_shape
from skmnist.classifiers._layers import RATE, WIDTH, LayeredClassifier, check_layers
from skmnist.networks import NetworkSpec, build_cnn
from skmnist.networks._plans import are_two_numbers, window_sizes
from skmnist.networks._specification import plain_numbers

__all__ = ["KerasCNNClassifier"]

_PADDING = StrOptions({"valid", "same"})


@documented
class KerasCNNClassifier(LayeredClassifier):
    """Convolutional network: convolutions and pooling, then hidden layers.

    Parameters
    ----------
    filters : int or sequence of int, default=(32, 64)
        Number of feature maps of each convolution.
    kernel_size : int or sequence, default=3
        Size of the filters in pixels, a number or a pair (height, width): one for all
        convolutions, or one per convolution. As in Keras, ``(1, 3)`` is a pair. But
        with two convolutions ``(5, 3)`` means 5×5, then 3×3, with a warning. To avoid
        it, write ``((5, 5), (3, 3))``, or ``((5, 3), (5, 3))`` for the pair.
    strides : int or sequence, default=1
        Steps of the filters in pixels, in the same form as `kernel_size`.
    pool_size : int or sequence, default=None
        Size of the pooling after each convolution, in the same form as `kernel_size`; 1
        means no pooling. None pools by 2 after the last convolution only.
    pooling : {"max", "average"}, default="max"
        Whether pooling takes the maximum or the mean of a window.
    padding : {"valid", "same"} or sequence of these, default="valid"
        Whether convolutions shrink the image or pad it with zeros: one value for all of
        them, or one per convolution.
    global_pooling : {"average", "max"}, default=None
        Reduce each feature map of the last convolution to its mean or maximum. None
        passes on all pixels of the maps.
    units : int or sequence of int, default=128
        Width of each hidden layer after the convolutions; ``()`` for none.
    dropout : float or sequence of float, default=None
        Dropout rates in [0, 1): the first after the last pooling, then one per hidden
        layer. A single value applies to all of these. None means 0.25 after the pooling
        and 0.5 after each hidden layer.
    image_shape : tuple of int or "row", default=None
        ``(height, width)`` or ``(height, width, channels)`` of the images. If `X` holds
        images, they must have this shape, or ``(channels, height, width)``, which is
        transposed; three equal numbers mean channels last. None infers the shape from
        `X`, even if an :class:`~skmnist.ImageScaler` flattened the images; rows of
        unknown shape are treated as square images. "row" treats any number of features
        as an image of one row.
    $layers
    precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
        Precision of training. "bfloat16" multiplies with 8 significant bits and keeps
        the weights in float32. It takes about half the time on CPUs with native
        bfloat16 instructions, and much longer on others. "auto" chooses bfloat16 with
        TensorFlow on CPUs where it is faster, and float32 elsewhere. All of these
        predict in float32. "float64" trains and predicts in double precision, on pixels
        rounded to float32. It is slow and meant for comparing networks to more digits
        than float32 has. JAX does not support it in its default configuration.
    $training

    Attributes
    ----------
    $attributes
    image_shape_ : tuple of int
        ``(height, width, channels)`` of the images.

    References
    ----------
    $references
    $layer_references

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmnist import ImageScaler, KerasCNNClassifier
    >>> from skmnist.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> network = KerasCNNClassifier(filters=(16, 32), batch_size=32, random_state=0)
    >>> model = make_pipeline(ImageScaler(), network)
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    """

    _parameter_constraints = {
        **LayeredClassifier._parameter_constraints,
        "filters": [WIDTH, list, tuple],
        "kernel_size": [WIDTH, list, tuple],
        "strides": [WIDTH, list, tuple],
        "pool_size": [None, WIDTH, list, tuple],
        "dropout": [None, RATE, list, tuple],
        "pooling": [StrOptions({"max", "average"})],
        "padding": [_PADDING, list, tuple],
        "global_pooling": [None, StrOptions({"average", "max"})],
        "image_shape": [None, StrOptions({"row"}), list, tuple],
    }

    _builder = staticmethod(build_cnn)
    _weight_shapes = (*LayeredClassifier._weight_shapes, (2, 2, 1, 3))

    def __init__(
        self,
        *,
        filters=(32, 64),
        kernel_size=3,
        strides=1,
        pool_size=None,
        pooling="max",
        padding="valid",
        global_pooling=None,
        units=128,
        dropout=None,
        image_shape=None,
        activation="relu",
        batch_normalization=False,
        kernel_initializer="glorot_uniform",
        l1=0.0,
        l2=0.0,
        precision="auto",
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
        self.filters = filters
        self.kernel_size = kernel_size
        self.strides = strides
        self.pool_size = pool_size
        self.pooling = pooling
        self.padding = padding
        self.global_pooling = global_pooling
        self.units = units
        self.dropout = dropout
        self.image_shape = image_shape
        self.activation = activation
        self.batch_normalization = batch_normalization
        self.kernel_initializer = kernel_initializer
        self.l1 = l1
        self.l2 = l2
        self.precision = precision
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

    @property
    def image_shape_(self):
        """``(height, width, channels)`` of the images."""
        check_is_fitted(self)
        return self._spec.input_shape

    def _check_layers(self):
        check_layers(self, "filters", WIDTH)
        check_layers(self, "kernel_size", WIDTH, pairs=True)
        check_layers(self, "strides", WIDTH, pairs=True)
        check_layers(self, "pool_size", WIDTH, pairs=True)
        check_layers(self, "padding", _PADDING)
        super()._check_layers()

    def _specify(self, n_features, image_shape, n_classes):
        layer_parameters = self._layer_parameters()
        input_shape = network_image_shape(self.image_shape, n_features, image_shape)
        parameters = {
            **layer_parameters,
            "filters": plain_numbers(self.filters),
            "kernel_size": plain_numbers(self.kernel_size),
            "strides": plain_numbers(self.strides),
            "pool_size": plain_numbers(self.pool_size),
            "pooling": self.pooling,
            "padding": plain_numbers(self.padding),
            "global_pooling": self.global_pooling,
        }
        n_convolutions = _count(self.filters)
        for name in ("kernel_size", "strides", "pool_size"):
            if parameters[name] is not None:
                # In the words of the user, before anything is made of them.
                window_sizes(parameters[name], n_convolutions, name)
                if self.image_shape == "row":
                    parameters[name] = _along_a_row(parameters[name], n_convolutions)
        if n_convolutions == 2:
            self._warn_of_two_numbers()
        return NetworkSpec(self._builder, input_shape, n_classes, parameters)

    def _warn_of_two_numbers(self):
        """Say what they mean for two convolutions, where Keras means a pair."""
        for name in ("kernel_size", "strides", "pool_size"):
            value = plain_numbers(getattr(self, name))
            if are_two_numbers(value) and value[0] != value[1]:
                is_row = self.image_shape == "row"
                each = _along_a_row(value, 2) if is_row else [(v, v) for v in value]
                warn_caller(
                    f"{name}={value} with two convolutions means {each[0]} for the "
                    f"first and {each[1]} for the second. Write {name}={tuple(each)} "
                    f"for that, or {name}={(value, value)} for this pair in both."
                )


def _count(filters):
    return len(filters) if isinstance(filters, Sequence) else 1


def _along_a_row(value, n_convolutions):
    """Let a number mean a window along the row; a pair stays one."""
    if are_two_numbers(value) and n_convolutions != 2:
        return value
    if isinstance(value, Integral):
        value = (value,) * n_convolutions
    return tuple((1, v) if isinstance(v, Integral) else v for v in value)
