"""Networks of fully connected layers."""

from skmnist.classifiers._layers import RATE, WIDTH, LayeredClassifier
from skmnist.networks import NetworkSpec, build_mlp

__all__ = ["KerasDNNClassifier", "KerasMLPClassifier"]


class KerasMLPClassifier(LayeredClassifier):
    """Multilayer perceptron with one hidden layer.

    Parameters
    ----------
    units : int, default=512
        Width of the hidden layer.
    dropout : float, default=0.2
        Share of the hidden layer's outputs that is dropped while training, in
        [0, 1).
    activation : str, default="relu"
        Keras name of the activation of the hidden layers.
    kernel_initializer : str, default="glorot_uniform"
        Keras name of the initializer of the weights, such as ``"he_normal"`` or
        ``"random_normal"``.
    l1, l2 : float, default=0.0
        Factors of the penalties on the sizes and the squares of the weights, at
        least 0.
    precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
        Arithmetic of training. "auto" means float32: without convolutions bfloat16
        saves a sixth of the time at most. It multiplies with 8 significant bits and
        keeps the weights in float32. Predictions are computed in float32. "float64"
        trains and predicts in double precision, with pixels that are rounded to
        float32 first. It is slow, is there for comparing networks in more digits than
        float32 has, and is not available with JAX as it is set up by default.
    optimizer : str, dict, callable or keras.optimizers.Optimizer, default="adam"
        Name, serialised configuration, or function that makes one. An instance
        is used as a template: every fit gets its own optimizer.
    learning_rate : float, default=None
        Step size of the optimizer, above 0; None keeps the optimizer's default.
    learning_rate_schedule : {"constant", "one_cycle", "cosine"}, default="constant"
        How the step size changes over a call of `fit`. "one_cycle" [1]_ rises to
        `learning_rate` over the first 30 % of the steps and falls to almost 0;
        "cosine" [2]_ falls from the start.
    epochs : int, default=20
        Number of passes over the training data, at least 1.
    batch_size : int, default=128
        Number of samples for each update of the weights.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data has not fallen for
        `n_iter_no_change` epochs, and to keep the weights of the best epoch.
    validation_fraction : float, default=None
        Fraction of the training data, in (0, 1), that is set aside for validation,
        stratified by class. Classes too rare to be on both sides stay in training,
        with a warning. None means 0.1 with early stopping and no validation without
        it.
    n_iter_no_change : int, default=5
        Patience of early stopping, in epochs.
    class_weight : dict or "balanced", default=None
        Weight of each class by label (1 where not given), or weights that are
        inversely proportional to the classes' shares. A dict may name labels that `y`
        lacks, as a fold may; if it has no weight for some class in `y`, a warning
        names them, as they may be misspelt.
    callbacks : keras.callbacks.Callback, callable or list of these, default=None
        Keras callbacks, or functions that make them. Every fit uses copies, which
        share what user-defined callbacks were given, such as a list or a client. A
        path that they write to gets a directory of that fit's own, ``fit_id_``.
    warm_start : bool, default=False
        Whether a further call of `fit` goes on with the weights and the state of
        the optimizer that the last one left, for `epochs` more epochs. With early
        stopping every call keeps the best of its own epochs. `y` must hold no other
        labels than before; it may lack some.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, dropout, the order of the samples and the
        validation split. Pass an int for the same result at each call.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 prints a line for each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of pixels of an image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if `X` had any that are strings.
    history_ : dict of str to list of float
        Loss and accuracy of each epoch, and with validation data ``val_loss`` and
        ``val_accuracy``; with a schedule also the ``learning_rate`` at its end. The
        losses of training are weighted as the samples are, the accuracies not.
        ``val_loss`` is weighted likewise if part of `X` was set aside, but not on
        `X_val`, which has no weights.
    n_iter_ : int
        Number of epochs trained, over all calls that went on from one another.
    n_parameters_ : int
        Number of weights of the network.
    model_ : keras.Model
        The trained network, built on demand. Changing it does not change the
        classifier.
    fit_id_ : str
        Name of the directories of this fit; only with callbacks that write.

    References
    ----------
    .. [1] L. N. Smith, N. Topin (2019). Super-convergence: very fast training of
       neural networks using large learning rates. SPIE 11006.
    .. [2] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with
       warm restarts. International Conference on Learning Representations.

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
        kernel_initializer="glorot_uniform",
        l1=0.0,
        l2=0.0,
        precision="auto",
        optimizer="adam",
        learning_rate=None,
        learning_rate_schedule="constant",
        epochs=20,
        batch_size=128,
        early_stopping=False,
        validation_fraction=None,
        n_iter_no_change=5,
        class_weight=None,
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.units = units
        self.dropout = dropout
        self.activation = activation
        self.kernel_initializer = kernel_initializer
        self.l1 = l1
        self.l2 = l2
        self.precision = precision
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _specify(self, n_features, image_shape, n_classes):
        return NetworkSpec(
            self._builder, (n_features,), n_classes, self._layer_parameters()
        )


class KerasDNNClassifier(LayeredClassifier):
    """Deep network of fully connected layers.

    Parameters
    ----------
    units : int or sequence of int, default=(512, 512)
        Width of each hidden layer.
    dropout : float or sequence of float, default=0.2
        Share of a hidden layer's outputs that is dropped while training, in
        [0, 1): one value for all layers, or one for each.
    activation : str, default="relu"
        Keras name of the activation of the hidden layers.
    kernel_initializer : str, default="glorot_uniform"
        Keras name of the initializer of the weights, such as ``"he_normal"`` or
        ``"random_normal"``.
    l1, l2 : float, default=0.0
        Factors of the penalties on the sizes and the squares of the weights, at
        least 0.
    precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
        Arithmetic of training. "auto" means float32: without convolutions bfloat16
        saves a sixth of the time at most. It multiplies with 8 significant bits and
        keeps the weights in float32. Predictions are computed in float32. "float64"
        trains and predicts in double precision, with pixels that are rounded to
        float32 first. It is slow, is there for comparing networks in more digits than
        float32 has, and is not available with JAX as it is set up by default.
    optimizer : str, dict, callable or keras.optimizers.Optimizer, default="adam"
        Name, serialised configuration, or function that makes one. An instance
        is used as a template: every fit gets its own optimizer.
    learning_rate : float, default=None
        Step size of the optimizer, above 0; None keeps the optimizer's default.
    learning_rate_schedule : {"constant", "one_cycle", "cosine"}, default="constant"
        How the step size changes over a call of `fit`. "one_cycle" [1]_ rises to
        `learning_rate` over the first 30 % of the steps and falls to almost 0;
        "cosine" [2]_ falls from the start.
    epochs : int, default=20
        Number of passes over the training data, at least 1.
    batch_size : int, default=128
        Number of samples for each update of the weights.
    early_stopping : bool, default=False
        Whether to stop when the loss on validation data has not fallen for
        `n_iter_no_change` epochs, and to keep the weights of the best epoch.
    validation_fraction : float, default=None
        Fraction of the training data, in (0, 1), that is set aside for validation,
        stratified by class. Classes too rare to be on both sides stay in training,
        with a warning. None means 0.1 with early stopping and no validation without
        it.
    n_iter_no_change : int, default=5
        Patience of early stopping, in epochs.
    class_weight : dict or "balanced", default=None
        Weight of each class by label (1 where not given), or weights that are
        inversely proportional to the classes' shares. A dict may name labels that `y`
        lacks, as a fold may; if it has no weight for some class in `y`, a warning
        names them, as they may be misspelt.
    callbacks : keras.callbacks.Callback, callable or list of these, default=None
        Keras callbacks, or functions that make them. Every fit uses copies, which
        share what user-defined callbacks were given, such as a list or a client. A
        path that they write to gets a directory of that fit's own, ``fit_id_``.
    warm_start : bool, default=False
        Whether a further call of `fit` goes on with the weights and the state of
        the optimizer that the last one left, for `epochs` more epochs. With early
        stopping every call keeps the best of its own epochs. `y` must hold no other
        labels than before; it may lack some.
    random_state : int, RandomState instance or None, default=None
        Decides the initial weights, dropout, the order of the samples and the
        validation split. Pass an int for the same result at each call.
    verbose : int, default=0
        0 is silent, 1 shows a progress bar, 2 prints a line for each epoch.

    Attributes
    ----------
    classes_ : ndarray of shape (n_classes,)
        The labels.
    n_features_in_ : int
        Number of pixels of an image.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Column names, if `X` had any that are strings.
    history_ : dict of str to list of float
        Loss and accuracy of each epoch, and with validation data ``val_loss`` and
        ``val_accuracy``; with a schedule also the ``learning_rate`` at its end. The
        losses of training are weighted as the samples are, the accuracies not.
        ``val_loss`` is weighted likewise if part of `X` was set aside, but not on
        `X_val`, which has no weights.
    n_iter_ : int
        Number of epochs trained, over all calls that went on from one another.
    n_parameters_ : int
        Number of weights of the network.
    model_ : keras.Model
        The trained network, built on demand. Changing it does not change the
        classifier.
    fit_id_ : str
        Name of the directories of this fit; only with callbacks that write.

    References
    ----------
    .. [1] L. N. Smith, N. Topin (2019). Super-convergence: very fast training of
       neural networks using large learning rates. SPIE 11006.
    .. [2] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with
       warm restarts. International Conference on Learning Representations.

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
        kernel_initializer="glorot_uniform",
        l1=0.0,
        l2=0.0,
        precision="auto",
        optimizer="adam",
        learning_rate=None,
        learning_rate_schedule="constant",
        epochs=20,
        batch_size=128,
        early_stopping=False,
        validation_fraction=None,
        n_iter_no_change=5,
        class_weight=None,
        callbacks=None,
        warm_start=False,
        random_state=None,
        verbose=0,
    ):
        self.units = units
        self.dropout = dropout
        self.activation = activation
        self.kernel_initializer = kernel_initializer
        self.l1 = l1
        self.l2 = l2
        self.precision = precision
        self.optimizer = optimizer
        self.learning_rate = learning_rate
        self.learning_rate_schedule = learning_rate_schedule
        self.epochs = epochs
        self.batch_size = batch_size
        self.early_stopping = early_stopping
        self.validation_fraction = validation_fraction
        self.n_iter_no_change = n_iter_no_change
        self.class_weight = class_weight
        self.callbacks = callbacks
        self.warm_start = warm_start
        self.random_state = random_state
        self.verbose = verbose

    def _specify(self, n_features, image_shape, n_classes):
        return NetworkSpec(
            self._builder, (n_features,), n_classes, self._layer_parameters()
        )
