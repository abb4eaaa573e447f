"""The graphs of multilayer perceptrons and convolutional networks."""

from collections.abc import Callable
from typing import NamedTuple

from skmnist._loading import loading_keras

from ._layers import (
    Activation,
    BatchNormalization,
    Convolution,
    Dense,
    Dropout,
    Flatten,
    GlobalPooling,
    Pooling,
)
from ._plans import cnn_layers, mlp_layers

# Share of the old mean and variance that batch normalization keeps at each step. With
# Keras' default, 0.99, a network that is trained for some hundred steps would predict
# with what it began with.
_MOMENTUM = 0.9

# Keras is imported inside the functions: what stands here must be importable
# without loading a deep learning framework.


def build_mlp(
    input_shape,
    n_classes,
    *,
    units=(512,),
    dropout=0.2,
    activation="relu",
    batch_normalization=False,
    kernel_initializer="glorot_uniform",
    l1=0.0,
    l2=0.0,
    dtype="float32",
):
    """Build a multilayer perceptron: hidden layers with dropout, then softmax.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample, without the batch axis: ``(n_features,)``, or the shape of
        an image, which is flattened.
    n_classes : int
        Number of classes, at least 2.
    units : int or sequence of int, default=(512,)
        Width of each hidden layer; ``()`` for none.
    dropout : float or sequence of float, default=0.2
        Dropout rate after each hidden layer, in [0, 1): one value for all layers, or
        one per layer. A rate of 0 adds no layer.
    activation : str, default="relu"
        Name of the Keras activation of the hidden layers.
    batch_normalization : bool, default=False
        Whether to normalize the output of each hidden layer over the batch before the
        activation [1]_. These layers then have no biases.
    kernel_initializer : str, default="glorot_uniform"
        Name of the Keras initializer of all weight matrices.
    l1, l2 : float, default=0.0
        Strength of the L1 and L2 regularization of all weight matrices.
    dtype : str, default="float32"
        Type of the weights and of all computations, or the name of a Keras policy.

    Returns
    -------
    keras.Model
        The uncompiled network.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy (2015). Batch normalization: accelerating deep network
       training by reducing internal covariate shift. International Conference on
       Machine Learning.

    Examples
    --------
    >>> from skmnist.networks import build_mlp
    >>> build_mlp((784,), 10, units=512).count_params()
    407050
    """
    shape = tuple(input_shape)
    plan = mlp_layers(
        shape,
        n_classes,
        units=units,
        dropout=dropout,
        activation=activation,
        batch_normalization=batch_normalization,
    )
    return _assemble(
        "mlp",
        shape,
        plan,
        kernel_initializer=kernel_initializer,
        penalty=_penalty(l1, l2),
        dtype=dtype,
    )


def build_cnn(
    input_shape,
    n_classes,
    *,
    filters=(32, 64),
    kernel_size=3,
    strides=1,
    pool_size=None,
    pooling="max",
    padding="valid",
    global_pooling=None,
    units=(128,),
    dropout=None,
    activation="relu",
    batch_normalization=False,
    kernel_initializer="glorot_uniform",
    l1=0.0,
    l2=0.0,
    dtype="float32",
):
    """Build a convolutional network: convolutions and pooling, then an MLP.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, channels)`` of an image, or ``(height, width)`` for one
        channel.
    n_classes : int
        Number of classes, at least 2.
    filters : int or sequence of int, default=(32, 64)
        Number of feature maps of each convolution.
    kernel_size : int or sequence of int or pairs, default=3
        Size of the filters in pixels, a number or a pair (height, width): one for all
        convolutions, or one per convolution. Two numbers are a pair, except with two
        convolutions, where ``(5, 3)`` means 5×5, then 3×3.
    strides : int or sequence of int or pairs, default=1
        Steps of the filters in pixels, in the same form as `kernel_size`.
    pool_size : int or sequence of int or pairs, default=None
        Size of the pooling after each convolution, in the same form as `kernel_size`; 1
        means no pooling. None pools by 2 after the last convolution only. A window is
        never larger than the feature maps that it pools.
    pooling : {"max", "average"}, default="max"
        Whether pooling takes the maximum or the mean of a window.
    padding : {"valid", "same"} or sequence of these, default="valid"
        Whether convolutions shrink the image or pad it with zeros: one value for all of
        them, or one per convolution.
    global_pooling : {"average", "max"}, default=None
        Reduce each feature map of the last convolution to its mean or maximum. None
        flattens the maps.
    units : int or sequence of int, default=(128,)
        Width of each hidden layer after the convolutions; ``()`` for none.
    dropout : float or sequence of float, default=None
        Dropout rates in [0, 1): the first after the last pooling, then one per hidden
        layer. A single value applies to all of these. None means 0.25 after the pooling
        and 0.5 after each hidden layer.
    activation : str, default="relu"
        Name of the Keras activation of the convolutions and hidden layers.
    batch_normalization : bool, default=False
        Whether to normalize the output of each convolution and hidden layer over the
        batch before the activation [1]_. These layers then have no biases.
    kernel_initializer : str, default="glorot_uniform"
        Name of the Keras initializer of all filters and weight matrices.
    l1, l2 : float, default=0.0
        Strength of the L1 and L2 regularization of all filters and weight matrices.
    dtype : str, default="float32"
        Type of the weights and of all computations, or the name of a Keras policy.

    Returns
    -------
    keras.Model
        The uncompiled network.

    Raises
    ------
    ValueError
        If the image is too small for the convolutions, or the activation is unknown or
        changes the shape of its input.

    References
    ----------
    .. [1] S. Ioffe, C. Szegedy (2015). Batch normalization: accelerating deep network
       training by reducing internal covariate shift. International Conference on
       Machine Learning.

    Examples
    --------
    >>> from skmnist.networks import build_cnn
    >>> build_cnn((28, 28, 1), 10).count_params()
    1199882
    """
    shape = (*input_shape, 1)[:3]
    plan = cnn_layers(
        shape,
        n_classes,
        filters=filters,
        kernel_size=kernel_size,
        strides=strides,
        pool_size=pool_size,
        pooling=pooling,
        padding=padding,
        global_pooling=global_pooling,
        units=units,
        dropout=dropout,
        activation=activation,
        batch_normalization=batch_normalization,
    )
    return _assemble(
        "cnn",
        shape,
        plan,
        kernel_initializer=kernel_initializer,
        penalty=_penalty(l1, l2),
        dtype=dtype,
    )


def _assemble(
    name,
    input_shape,
    plan,
    *,
    kernel_initializer,
    penalty,
    dtype,
    dropout_seed=None,
):
    """Make a Keras model of planned layers."""
    with loading_keras():
        import keras

    def trained(layer, **settings):
        return {
            **settings,
            "activation": layer.activation,
            "use_bias": layer.use_bias,
            "kernel_initializer": kernel_initializer,
            "kernel_regularizer": penalty,
        }

    def made(layer):
        common = {"dtype": dtype, "name": layer.name}
        match layer:
            case Convolution():
                return keras.layers.Conv2D(
                    layer.filters,
                    layer.kernel_size,
                    strides=layer.strides,
                    padding=layer.padding,
                    data_format="channels_last",
                    **trained(layer, **common),
                )
            case Pooling():
                return getattr(keras.layers, f"{layer.kind.title()}Pooling2D")(
                    layer.pool_size, data_format="channels_last", **common
                )
            case GlobalPooling():
                return getattr(keras.layers, f"Global{layer.kind.title()}Pooling2D")(
                    data_format="channels_last", **common
                )
            case BatchNormalization():
                return keras.layers.BatchNormalization(
                    momentum=_MOMENTUM, epsilon=layer.epsilon, **common
                )
            case Activation():
                return keras.layers.Activation(layer.activation, **common)
            case Dropout():
                return keras.layers.Dropout(layer.rate, seed=dropout_seed, **common)
            case Flatten():
                return keras.layers.Flatten(data_format="channels_last", **common)
            case Dense():
                if layer is plan[-1]:
                    # Probabilities near 0 and 1, and so the loss, need all digits.
                    common["dtype"] = "float64" if dtype == "float64" else "float32"
                return keras.layers.Dense(layer.units, **trained(layer, **common))

    known = [None, "linear", "relu", "softmax"]
    for activation in (getattr(layer, "activation", None) for layer in plan):
        # A layer would be built for the shape of the trial.
        if activation not in known and not isinstance(activation, keras.Layer):
            _check_activation(activation)
            known.append(activation)
    inputs = tensor = keras.Input(input_shape, dtype="float32", name="pixels")
    for layer in plan:
        tensor = made(layer)(tensor)
    return keras.Model(inputs, tensor, name=name)


def _check_activation(activation):
    """Refuse an activation that needs arguments, or joins pairs of units into one."""
    import keras

    why = "it changes the number of units"
    try:
        found = keras.activations.get(activation)(keras.ops.zeros((1, 2)))
        keeps_shape = tuple(found.shape) == (1, 2)
    except Exception as error:  # whatever Keras or a user-defined function raises
        why, keeps_shape = error, False
    if not keeps_shape:
        raise ValueError(
            f"activation={activation!r} must be an activation of Keras that takes its "
            f"input alone and keeps its shape, such as 'relu' or 'gelu' ({why})."
        )


def _penalty(l1, l2):
    if not (l1 or l2):
        return None
    with loading_keras():
        import keras

    return keras.regularizers.L1L2(l1=float(l1), l2=float(l2))


def is_planned(spec):
    """Return whether :func:`network_layers` knows the layers of a network."""
    return spec.builder in PLANS


def network_layers(spec):
    """Plan the layers of a network of this package.

    Parameters
    ----------
    spec : NetworkSpec
        With one of the builders here.

    Returns
    -------
    input_shape : tuple of int
        Shape of one input.
    plan : list
        Layers of :mod:`skmnist.networks._layers`, in the order of their weights.
    """
    shape = tuple(spec.input_shape)
    plan = PLANS[spec.builder]
    if plan.takes_images:
        shape = (*shape, 1)[:3]
    return shape, plan.layers(shape, spec.n_classes, **builder_arguments(spec))


def builder_arguments(spec):
    """Return all arguments of a builder of this package, with its defaults."""
    return {**spec.builder.__kwdefaults__, **spec.parameters}


def build_blank(spec, dtype, penalty=None):
    """Build a network of this package for training: its weights are 0.

    Parameters
    ----------
    spec : NetworkSpec
        With one of the builders here.
    dtype : str
        Type of all arithmetic, or the name of a Keras policy.
    penalty : keras.regularizers.Regularizer, default=None
        On all kernels; None for that of the specification.

    Returns
    -------
    keras.Model
        Its layers and their names are those of the network.
    """
    arguments = builder_arguments(spec)
    if penalty is None:
        penalty = _penalty(arguments["l1"], arguments["l2"])
    name = spec.builder.__name__.removeprefix("build_")
    return _assemble(
        name,
        *network_layers(spec),
        kernel_initializer="zeros",
        penalty=penalty,
        dtype=dtype,
        dropout_seed=0,  # training sets the states
    )


class Plan(NamedTuple):
    """What plans the layers of a builder, and whether it needs images, not rows."""

    layers: Callable
    takes_images: bool = False


# The builders of this package. Training, prediction, model files and the export know a
# builder by its line here.
PLANS = {build_mlp: Plan(mlp_layers), build_cnn: Plan(cnn_layers, takes_images=True)}
