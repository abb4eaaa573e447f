"""Documentation shared by several classifiers."""

import inspect
import string

__all__ = ["documented"]


def documented(cls):
    """Insert the shared texts into the docstring of a classifier, a decorator."""
    if cls.__doc__ is not None:  # which Python leaves out with -OO
        text = inspect.cleandoc(
            cls.__doc__
        )  # Python 3.13 removes the indentation itself
        cls.__doc__ = string.Template(text).substitute(_TEXTS)
    return cls


_LAYERS = """\
activation : str, default="relu"
    Name of the Keras activation of the convolutions and hidden layers.
batch_normalization : bool, default=False
    Whether to normalize the outputs of each layer before the activation [5]_: in
    training over the batch, in prediction by averages over up to 50 batches, which are
    computed when training ends, without `augmentation`; with early stopping and
    `partial_fit` by running averages, which keep 0.9 of their value at each step. These
    layers then have no biases. A single sample that is left over at the end of an epoch
    is left out.
kernel_initializer : str, default="glorot_uniform"
    Name of the Keras initializer of the weights, such as ``"he_normal"`` or
    ``"random_normal"``.
l1, l2 : float, default=0.0
    Strength of the L1 and L2 regularization, at least 0."""

_DENSE_PRECISION = """\
precision : {"auto", "float32", "bfloat16", "float64"}, default="auto"
    Precision of training. "auto" means float32. "bfloat16" multiplies with 8
    significant bits and keeps the weights in float32; without convolutions it saves at
    most a sixth of the time. Both predict in float32. "float64" trains and predicts in
    double precision, on pixels rounded to float32. It is slow and meant for comparing
    networks to more digits than float32 has. JAX does not support it in its default
    configuration."""

_TRAINING = """\
optimizer : str, dict, callable or keras.optimizers.Optimizer, default="adam"
    Keras optimizer: a name, a serialised configuration, a function that returns one, or
    an instance. An instance is used as a template: every fit gets its own optimizer.
learning_rate : float, default=None
    Learning rate, above 0. None keeps the optimizer's default.
learning_rate_schedule : {"constant", "one_cycle", "cosine"}, default="constant"
    How the learning rate changes during `fit`. "one_cycle" [1]_ raises it to
    `learning_rate` over the first 30 % of the steps, then lowers it to almost 0.
    "cosine" [2]_ lowers it from the start.
weight_decay : float, default=None
    Decoupled weight decay [3]_, at least 0: every step shrinks all weights by this
    part of the learning rate. None keeps the optimizer's default.
ema_momentum : float, default=None
    Average the weights over the steps of training with this momentum, in [0, 1), as
    Keras' optimizers do with ``use_ema``: each step keeps this part of the average,
    and at most ``1 - 10 / n_steps``, so that a short training averages its last tenth
    and not its beginning. The fitted network has the averages; ``history_`` is of the
    weights before they are averaged. Only for a whole `fit`, without early stopping or
    `warm_start`. None keeps what the optimizer does by default, no averaging.
label_smoothing : float, default=0.0
    Part of the target probability, in [0, 1), that is spread evenly over all classes
    [4]_. It enters ``loss`` and ``val_loss``.
augmentation : Augmentation, default=None
    Random changes of the training images, new in each epoch; see
    :class:`~skmnist.Augmentation`. Validation and prediction see unchanged images. Its
    parameters can be set and searched as ``augmentation__rotation`` and so on. Pixels
    may come as rows; rows of unknown shape are treated as square images.
epochs : int, default=20
    Number of passes over the training data, at least 1.
batch_size : int, default=128
    Number of samples per weight update, at least 1.
early_stopping : bool, default=False
    Whether to stop once the validation loss has not fallen for `n_iter_no_change`
    epochs, and keep the weights of the best epoch.
validation_fraction : float, default=None
    Fraction of the training data, in (0, 1), to set aside for validation, stratified by
    class. Classes too rare to be in both parts stay in the training part, with a
    warning. None means 0.1 with early stopping and no validation without it.
n_iter_no_change : int, default=5
    Patience of early stopping, in epochs.
class_weight : dict or "balanced", default=None
    Weight of each class by label (1 if not given), or "balanced" for weights inversely
    proportional to the class frequencies. A dict may contain labels that `y` lacks, as
    a fold may. If it also has no weight for some class in `y`, a warning lists these
    labels, as they may be misspelt.
callbacks : keras.callbacks.Callback, callable or list of these, default=None
    Keras callbacks, or functions that return them. Every fit uses copies. The copies of
    a user-defined callback share the objects that it was given, such as a list or a
    client. Callbacks that write files write to a separate directory in each fit, named
    by ``fit_id_``.
memory : str or path-like, default=None
    Folder that keeps finished fits. A fit with the same data, parameters, seeds and
    versions of packages is loaded from there, so that an interrupted search resumes.
    With a constant learning rate, a fit continues from one with fewer `epochs`. A fit
    takes about 12 bytes per weight. The files are pickles: load only your own. Without
    `callbacks`, and with a `random_state`, only.
warm_start : bool, default=False
    Whether the next call of `fit` resumes training, with the weights and the optimizer
    state of the last call, for `epochs` more epochs. With early stopping, every call
    keeps the best of its own epochs. `y` must not contain new labels; it may lack some.
random_state : int, RandomState instance or None, default=None
    Controls the initial weights, dropout, augmentation, the order of the samples and
    the validation split. Pass an int for reproducible results across calls.
verbose : int, default=0
    0 is silent, 1 shows a progress bar, 2 prints one line per epoch."""

_ATTRIBUTES = """\
classes_ : ndarray of shape (n_classes,)
    The class labels, sorted.
n_features_in_ : int
    Number of pixels of an image, all channels counted.
feature_names_in_ : ndarray of shape (`n_features_in_`,)
    Column names of `X`, if they are all strings.
history_ : dict of str to list of float
    ``loss`` and ``accuracy`` of each epoch. With validation data also ``val_loss`` and
    ``val_accuracy``; with a schedule also ``learning_rate``, at the end of the epoch.
    Sample and class weights apply to ``loss``, and to ``val_loss`` if part of `X` was
    set aside (`X_val` has no weights). Accuracies are unweighted.
n_iter_ : int
    Number of epochs trained, including those of earlier calls if training resumed.
n_parameters_ : int
    Number of weights of the network.
model_ : keras.Model
    The trained network, built on demand. Changing it does not change the
    classifier.
fit_id_ : str
    Name of the directory that callbacks wrote to. Only with callbacks that write
    files."""

_REFERENCES = """\
.. [1] L. N. Smith, N. Topin (2019). Super-convergence: very fast training of
   neural networks using large learning rates. SPIE 11006.
.. [2] I. Loshchilov, F. Hutter (2017). SGDR: stochastic gradient descent with
   warm restarts. International Conference on Learning Representations.
.. [3] I. Loshchilov, F. Hutter (2019). Decoupled weight decay regularization.
   International Conference on Learning Representations.
.. [4] C. Szegedy, V. Vanhoucke, S. Ioffe, J. Shlens, Z. Wojna (2016). Rethinking the
   Inception architecture for computer vision. Conference on Computer Vision and
   Pattern Recognition."""

_LAYER_REFERENCES = """\
.. [5] S. Ioffe, C. Szegedy (2015). Batch normalization: accelerating deep network
   training by reducing internal covariate shift. International Conference on
   Machine Learning."""

_TEXTS = {
    "layers": _LAYERS,
    "dense_precision": _DENSE_PRECISION,
    "training": _TRAINING,
    "attributes": _ATTRIBUTES,
    "references": _REFERENCES,
    "layer_references": _LAYER_REFERENCES,
}
