"""Text that the documentation of several classifiers has in common."""

import inspect
import string

__all__ = ["documented"]


def documented(cls):
    """Insert what classifiers have in common into the docstring of one, a decorator."""
    if cls.__doc__ is not None:  # which Python leaves out with -OO
        text = inspect.cleandoc(
            cls.__doc__
        )  # Python 3.13 removes the indentation itself
        cls.__doc__ = string.Template(text).substitute(_TEXTS)
    return cls


_LAYERS = """\
activation : str, default="relu"
    Keras name of the activation of convolutions and hidden layers.
kernel_initializer : str, default="glorot_uniform"
    Keras name of the initializer of the weights, such as ``"he_normal"`` or
    ``"random_normal"``.
l1, l2 : float, default=0.0
    Strength of the L1 and L2 regularization, at least 0."""

_DENSE_PRECISION = """\
precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
    Arithmetic of training. "auto" means float32: without convolutions bfloat16
    saves a sixth of the time at most. It multiplies with 8 significant bits and
    keeps the weights in float32. Predictions are computed in float32. "float64"
    trains and predicts in double precision, with pixels that are rounded to
    float32 first. It is slow, is there for comparing networks in more digits than
    float32 has, and is not available with JAX as it is set up by default."""

_TRAINING = """\
optimizer : str, dict, callable or keras.optimizers.Optimizer, default="adam"
    Name, serialised configuration, or function that makes one. An instance
    is used as a template: every fit gets its own optimizer.
learning_rate : float, default=None
    Learning rate of the optimizer, above 0; None keeps the optimizer's default.
learning_rate_schedule : {"constant", "one_cycle", "cosine"}, default="constant"
    How the learning rate changes over a call of `fit`. "one_cycle" [1]_ rises to
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
    inversely proportional to the class frequencies. A dict may name labels that `y`
    lacks, as a fold may; if it has no weight for some class in `y`, a warning
    names them, as they may be misspelt.
callbacks : keras.callbacks.Callback, callable or list of these, default=None
    Keras callbacks, or functions that make them. Every fit uses copies, which
    share what user-defined callbacks were given, such as a list or a client. A
    path that they write to gets a directory of that fit's own, ``fit_id_``.
warm_start : bool, default=False
    Whether a further call of `fit` resumes with the weights and the state of
    the optimizer that the last one left, for `epochs` more epochs. With early
    stopping every call keeps the best of its own epochs. `y` must hold no other
    labels than before; it may lack some.
random_state : int, RandomState instance or None, default=None
    Decides the initial weights, dropout, the order of the samples and the
    validation split. Pass an int for the same result at each call.
verbose : int, default=0
    0 is silent, 1 shows a progress bar, 2 prints a line for each epoch."""

_ATTRIBUTES = """\
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
    Number of epochs trained, over all calls that resumed training.
n_parameters_ : int
    Number of weights of the network.
model_ : keras.Model
    The trained network, built on demand. Changing it does not change the
    classifier.
fit_id_ : str
    Name of the directories of this fit; only with callbacks that write."""

_REFERENCES = """\
.. [1] L. N. Smith, N. Topin (2019). Super-convergence: very fast training of
   neural networks using large learning rates. SPIE 11006.
.. [2] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with
   warm restarts. International Conference on Learning Representations."""

_TEXTS = {
    "layers": _LAYERS,
    "dense_precision": _DENSE_PRECISION,
    "training": _TRAINING,
    "attributes": _ATTRIBUTES,
    "references": _REFERENCES,
}
