"""Networks of fully connected layers."""

from skmnist.classifiers._docs import documented
from skmnist.classifiers._layers import RATE, WIDTH, LayeredClassifier
from skmnist.networks import NetworkSpec, build_mlp

__all__ = ["KerasDNNClassifier", "KerasMLPClassifier"]


@documented
class KerasMLPClassifier(LayeredClassifier):
    """Multilayer perceptron with one hidden layer.

    Parameters
    ----------
    units : int, default=512
        Width of the hidden layer.
    dropout : float, default=0.2
        Dropout rate after the hidden layer, in [0, 1).
    $layers
    $dense_precision
    $training

    Attributes
    ----------
    $attributes

    References
    ----------
    $references
    $layer_references

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmnist import ImageScaler, KerasMLPClassifier
    >>> from skmnist.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_pipeline(ImageScaler(), KerasMLPClassifier(random_state=0))
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.9
    True
    """

    _parameter_constraints = {
        **LayeredClassifier._parameter_constraints,
        "units": [WIDTH],
        "dropout": [RATE],
    }

    _builder = staticmethod(build_mlp)

    def __init__(
        self,
        *,
        units=512,
        dropout=0.2,
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
        self.units = units
        self.dropout = dropout
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

    def _specify(self, n_features, image_shape, n_classes):
        return NetworkSpec(
            self._builder, (n_features,), n_classes, self._layer_parameters()
        )


@documented
class KerasDNNClassifier(LayeredClassifier):
    """Deep network of fully connected layers.

    Parameters
    ----------
    units : int or sequence of int, default=(512, 512)
        Width of each hidden layer; ``()`` for none, which is multinomial logistic
        regression.
    dropout : float or sequence of float, default=0.2
        Dropout rate after each hidden layer, in [0, 1): one value for all layers, or
        one per layer.
    $layers
    $dense_precision
    $training

    Attributes
    ----------
    $attributes

    References
    ----------
    $references
    $layer_references

    Examples
    --------
    >>> from sklearn.pipeline import make_pipeline
    >>> from skmnist import ImageScaler, KerasDNNClassifier
    >>> from skmnist.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> network = KerasDNNClassifier(units=(128, 64), dropout=(0.3, 0.1))
    >>> model = make_pipeline(ImageScaler(), network)
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.85
    True
    """

    _builder = staticmethod(build_mlp)

    def __init__(
        self,
        *,
        units=(512, 512),
        dropout=0.2,
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
        self.units = units
        self.dropout = dropout
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

    def _specify(self, n_features, image_shape, n_classes):
        return NetworkSpec(
            self._builder, (n_features,), n_classes, self._layer_parameters()
        )
