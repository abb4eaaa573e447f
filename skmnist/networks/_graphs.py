"""The graphs of multilayer perceptrons and convolutional networks."""

from collections.abc import Sequence
from math import prod

from skmnist._loading import loading_keras

from ._specification import plain_numbers

# Keras is imported inside the functions: what stands here must be importable
# without loading a deep learning framework.

_NEVER_FALLING = {"elu", "leaky_relu", "relu", "relu6", "selu", "sigmoid", "tanh"}


def _per_layer(value, n_layers, name, places, *, hint=""):
    """Return one value per layer: a scalar is repeated, a sequence must fit."""
    value = plain_numbers(value)
    if isinstance(value, tuple):
        if len(value) != n_layers:
            raise ValueError(
                f"{name}={value!r} gives {len(value)} value(s) for {places}: "
                f"give one value for all of them, or one for each{hint}."
            )
        return value
    return (value,) * n_layers


def _counted(number, noun):
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def window_sizes(value, n_convolutions, name):
    """Resolve a parameter of convolutions that says the size of windows.

    Parameters
    ----------
    value : int or sequence of int or pairs
        One size or pair (height, width) for all convolutions, or one for each. Two
        numbers are a pair, but for two convolutions a number for each.
    n_convolutions : int
        Number of convolutions.
    name : str
        What the parameter is called in an error.

    Returns
    -------
    list of tuple of 2 int
        Height and width for each convolution.

    Raises
    ------
    ValueError
        If there are more or fewer values than convolutions.
    """
    value = plain_numbers(value)
    if are_two_numbers(value) and n_convolutions != 2:
        return [value] * n_convolutions
    places = _counted(n_convolutions, "convolution")
    hint = ", or one pair (height, width)"
    values = _per_layer(value, n_convolutions, name, places, hint=hint)
    return [v if isinstance(v, tuple) else (v, v) for v in values]


def are_two_numbers(value):
    """Return whether a value looks like one pair (height, width)."""
    return (
        isinstance(value, Sequence)
        and len(value) == 2
        and not any(isinstance(entry, Sequence) for entry in value)
    )


def _sequence(value):
    value = plain_numbers(value)
    return value if isinstance(value, tuple) else (value,)


def _regularizer(l1, l2):
    from keras import regularizers

    return regularizers.L1L2(l1=float(l1), l2=float(l2)) if l1 or l2 else None


def _hidden_layers(
    tensor, units, dropout, activation, kernel_initializer, l1, l2, dtype
):
    """Stack ``Dense`` layers, each followed by ``Dropout`` where its rate is > 0."""
    from keras import layers

    for index, (width, rate) in enumerate(zip(units, dropout, strict=True), start=1):
        tensor = layers.Dense(
            width,
            activation=activation,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=_regularizer(l1, l2),
            dtype=dtype,
            name=f"hidden_{index}",
        )(tensor)
        if rate:
            tensor = layers.Dropout(rate, dtype=dtype, name=f"dropout_{index}")(tensor)
    return tensor


def _probabilities(tensor, n_classes, kernel_initializer, l1, l2, dtype):
    from keras import layers

    return layers.Dense(
        n_classes,
        activation="softmax",
        kernel_initializer=kernel_initializer,
        kernel_regularizer=_regularizer(l1, l2),
        # Probabilities near 0 and 1, and so the loss, need all the digits.
        dtype="float64" if dtype == "float64" else "float32",
        name="probabilities",
    )(tensor)


def build_mlp(
    input_shape,
    n_classes,
    *,
    units=(512,),
    dropout=0.2,
    activation="relu",
    kernel_initializer="glorot_uniform",
    l1=0.0,
    l2=0.0,
    dtype="float32",
):
    """Build a multilayer perceptron: hidden layers with dropout, then softmax.

    Parameters
    ----------
    input_shape : tuple of int
        Shape of one sample without the batch axis: ``(n_features,)``, or the
        shape of an image, which is flattened first.
    n_classes : int
        Number of classes, at least 2.
    units : int or sequence of int, default=(512,)
        Width of each hidden layer.
    dropout : float or sequence of float, default=0.2
        Share of the outputs of a hidden layer that is dropped while training,
        in [0, 1); one value for all layers or one for each. No layer is added
        for a rate of 0.
    activation : str, default="relu"
        Name of the Keras activation of the hidden layers.
    kernel_initializer : str, default="glorot_uniform"
        Name of the Keras initializer of all weight matrices.
    l1, l2 : float, default=0.0
        Factors of the L1 and L2 penalties on all weight matrices.
    dtype : str, default="float32"
        Type of the weights and of all arithmetic, or the name of a Keras policy.

    Returns
    -------
    keras.Model
        The uncompiled network.

    Examples
    --------
    >>> from skmnist.networks import build_mlp
    >>> build_mlp((784,), 10, units=512).count_params()
    407050
    """
    with loading_keras():
        import keras

    units = _sequence(units)
    places = _counted(len(units), "hidden layer")
    dropout = _per_layer(dropout, len(units), "dropout", places)
    inputs = keras.Input(tuple(input_shape), dtype="float32", name="pixels")
    tensor = inputs
    if len(input_shape) > 1:
        tensor = keras.layers.Flatten(
            data_format="channels_last", dtype=dtype, name="flatten"
        )(tensor)
    tensor = _hidden_layers(
        tensor, units, dropout, activation, kernel_initializer, l1, l2, dtype
    )
    outputs = _probabilities(tensor, n_classes, kernel_initializer, l1, l2, dtype)
    return keras.Model(inputs, outputs, name="mlp")


def build_cnn(
    input_shape,
    n_classes,
    *,
    filters=(32, 64),
    kernel_size=3,
    pool_size=None,
    padding="valid",
    units=(128,),
    dropout=None,
    activation="relu",
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
        Height and width of the filters in pixels: one size or pair (height, width)
        for all convolutions, or one for each. Two numbers are a pair; only with two
        convolutions is ``(5, 3)`` 5×5, then 3×3.
    pool_size : int or sequence of int or pairs, default=None
        Window of the max pooling after each convolution, in pixels, as `kernel_size`;
        1 means no pooling. None pools by 2 after the last one alone. A window is never
        larger than what is left of the image.
    padding : {"valid", "same"}, default="valid"
        Whether convolutions shrink the image or pad it with zeros.
    units : int or sequence of int, default=(128,)
        Width of each hidden layer behind the convolutions.
    dropout : float or sequence of float, default=None
        Dropout rates in [0, 1): the first behind the last pooling, then one for
        each hidden layer. One value alone counts for all of these; None means 0.25
        and then 0.5.
    activation : str, default="relu"
        Name of the Keras activation of convolutions and hidden layers.
    kernel_initializer : str, default="glorot_uniform"
        Name of the Keras initializer of all filters and weight matrices.
    l1, l2 : float, default=0.0
        Factors of the L1 and L2 penalties on all filters and weight matrices.
    dtype : str, default="float32"
        Type of the weights and of all arithmetic, or the name of a Keras policy.

    Returns
    -------
    keras.Model
        The uncompiled network.

    Raises
    ------
    ValueError
        If the image is too small for the convolutions.

    Examples
    --------
    >>> from skmnist.networks import build_cnn
    >>> build_cnn((28, 28, 1), 10).count_params()
    1199882
    """
    with loading_keras():
        import keras
        from keras import layers

    shape = tuple(input_shape) if len(input_shape) == 3 else (*input_shape, 1)
    units = _sequence(units)
    convolutions = convolution_plan(shape, filters, kernel_size, pool_size, padding)
    if dropout is None:
        dropout = (0.25,) + (0.5,) * len(units)
    places = f"the last pooling and {_counted(len(units), 'hidden layer')}"
    image_dropout, *hidden_dropout = _per_layer(
        dropout, 1 + len(units), "dropout", places
    )

    inputs = keras.Input(shape, dtype="float32", name="pixels")
    tensor = inputs
    for index, (n_filters, kernel, pool) in enumerate(convolutions, start=1):
        is_pooled = pool != (1, 1)
        # The larger of two values stays the larger one under an activation that
        # does not fall: pooling first gives the same result for less work.
        activate_last = is_pooled and activation in _NEVER_FALLING
        tensor = layers.Conv2D(
            n_filters,
            kernel,
            padding=padding,
            activation=None if activate_last else activation,
            kernel_initializer=kernel_initializer,
            kernel_regularizer=_regularizer(l1, l2),
            data_format="channels_last",
            dtype=dtype,
            name=f"convolution_{index}",
        )(tensor)
        if is_pooled:
            tensor = layers.MaxPooling2D(
                pool,
                data_format="channels_last",
                dtype=dtype,
                name=f"pooling_{index}",
            )(tensor)
        if activate_last:
            tensor = layers.Activation(
                activation, dtype=dtype, name=f"activation_{index}"
            )(tensor)
    if image_dropout:
        tensor = layers.Dropout(image_dropout, dtype=dtype, name="dropout")(tensor)
    tensor = layers.Flatten(data_format="channels_last", dtype=dtype, name="flatten")(
        tensor
    )
    tensor = _hidden_layers(
        tensor, units, hidden_dropout, activation, kernel_initializer, l1, l2, dtype
    )
    outputs = _probabilities(tensor, n_classes, kernel_initializer, l1, l2, dtype)
    return keras.Model(inputs, outputs, name="cnn")


def convolution_plan(image_shape, filters, kernel_size, pool_size, padding):
    """Resolve the convolutions of :func:`build_cnn` for one size of image.

    Parameters
    ----------
    image_shape : tuple of int
        ``(height, width, channels)`` of the images.
    filters, kernel_size, pool_size, padding
        As in :func:`build_cnn`.

    Returns
    -------
    list of (int, tuple of int, tuple of int)
        Filters, kernel and pooling window of each convolution.

    Raises
    ------
    ValueError
        If a convolution does not fit into what is left of the image.
    """
    filters = _sequence(filters)
    kernels = window_sizes(kernel_size, len(filters), "kernel_size")
    if pool_size is None:
        pool_size = ((1, 1),) * (len(filters) - 1) + ((2, 2),)
    pools = window_sizes(pool_size, len(filters), "pool_size")
    height, width = image_shape[:2]
    plan = []
    for index, (n_filters, kernel, pool) in enumerate(
        zip(filters, kernels, pools, strict=True), start=1
    ):
        if padding == "valid":
            if kernel[0] > height or kernel[1] > width:
                raise ValueError(
                    f"Images of {image_shape[0]}×{image_shape[1]} pixels are too "
                    f"small for this network: {height}×{width} pixels reach "
                    f"convolution {index}, whose kernel is {kernel[0]}×{kernel[1]}. "
                    "Use fewer convolutions, a smaller kernel_size or pool_size, or "
                    "padding='same'."
                )
            height, width = height - kernel[0] + 1, width - kernel[1] + 1
        pool = (min(pool[0], height), min(pool[1], width))
        height, width = height // pool[0], width // pool[1]
        plan.append((n_filters, kernel, pool))
    return plan


def count_mlp_weights(input_shape, n_classes, *, units=(512,), **_):
    """Count the weights of :func:`build_mlp`, without building it."""
    return _count_dense(prod(input_shape), (*_sequence(units), n_classes))


def count_cnn_weights(
    input_shape,
    n_classes,
    *,
    filters=(32, 64),
    kernel_size=3,
    pool_size=None,
    padding="valid",
    units=(128,),
    **_,
):
    """Count the weights of :func:`build_cnn`, without building it."""
    height, width, n_channels = (*input_shape, 1)[:3]
    n_weights = 0
    for n_filters, kernel, pool in convolution_plan(
        (height, width, n_channels), filters, kernel_size, pool_size, padding
    ):
        n_weights += n_filters * (prod(kernel) * n_channels + 1)
        n_channels = n_filters
        if padding == "valid":
            height, width = height - kernel[0] + 1, width - kernel[1] + 1
        height, width = height // pool[0], width // pool[1]
    n_features = height * width * n_channels
    return n_weights + _count_dense(n_features, (*_sequence(units), n_classes))


def _count_dense(n_inputs, widths):
    n_weights = 0
    for width in widths:
        n_weights += width * (n_inputs + 1)
        n_inputs = width
    return n_weights
