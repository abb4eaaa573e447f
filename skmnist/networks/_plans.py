"""Layers of the networks of this package, as plain data.

Builders convert them to a Keras model, prediction to an ONNX graph.
"""

from collections.abc import Sequence

from skmnist._numbers import counted

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
from ._specification import plain_numbers

__all__ = [
    "are_two_numbers",
    "cnn_layers",
    "convolution_plan",
    "mlp_layers",
    "weight_shapes",
    "window_sizes",
]

# No set: an activation may be a dict of Keras, which has no hash.
_NEVER_FALLING = ("elu", "leaky_relu", "relu", "relu6", "selu", "sigmoid", "tanh")
_EPSILON = 1e-3  # Keras' default for batch normalization


def mlp_layers(
    input_shape,
    n_classes,
    *,
    units,
    dropout,
    activation,
    batch_normalization=False,
    **_,
):
    """Plan the layers of :func:`build_mlp`."""
    units = _sequence(units)
    places = counted(len(units), "hidden layer")
    dropout = _per_layer(dropout, len(units), "dropout", places)
    flatten = [Flatten("flatten")] if len(input_shape) > 1 else []
    return [
        *flatten,
        *_dense_layers(units, dropout, activation, batch_normalization, n_classes),
    ]


def cnn_layers(
    input_shape,
    n_classes,
    *,
    filters,
    kernel_size,
    strides,
    pool_size,
    pooling,
    padding,
    global_pooling,
    units,
    dropout,
    activation,
    batch_normalization,
    **_,
):
    """Plan the layers of :func:`build_cnn`."""
    units = _sequence(units)
    convolutions = convolution_plan(
        input_shape, filters, kernel_size, strides, pool_size, padding
    )
    if dropout is None:
        dropout = (0.25,) + (0.5,) * len(units)
    places = f"the last pooling and {counted(len(units), 'hidden layer')}"
    image_dropout, *hidden_dropout = _per_layer(
        dropout, 1 + len(units), "dropout", places
    )
    plan = []
    for index, (n_filters, kernel, steps, pool, pads) in enumerate(
        convolutions, start=1
    ):
        is_pooled = pool != (1, 1)
        # The larger of two values stays the larger one under an activation that
        # does not fall: pooling first gives the same result for less work.
        pool_first = is_pooled and pooling == "max" and activation in _NEVER_FALLING
        pools = [Pooling(f"pooling_{index}", pooling, pool)] if is_pooled else []
        activate_last = pool_first or batch_normalization
        plan.append(
            Convolution(
                f"convolution_{index}",
                n_filters,
                kernel,
                steps,
                pads,
                None if activate_last else activation,
                use_bias=not batch_normalization,
            )
        )
        if batch_normalization:
            plan.append(BatchNormalization(f"normalization_{index}", _EPSILON))
        if pool_first:
            plan += pools
        if activate_last:
            plan.append(Activation(f"activation_{index}", activation))
        if not pool_first:
            plan += pools
    if global_pooling is None:
        to_rows = Flatten("flatten")
    else:
        to_rows = GlobalPooling("global_pooling", global_pooling)
    if image_dropout and global_pooling is None:
        plan.append(Dropout("dropout", image_dropout))
    plan.append(to_rows)
    if image_dropout and global_pooling is not None:
        plan.append(Dropout("dropout", image_dropout))
    return [
        *plan,
        *_dense_layers(
            units, hidden_dropout, activation, batch_normalization, n_classes
        ),
    ]


def _dense_layers(units, dropout, activation, batch_normalization, n_classes):
    """Plan hidden layers, each with its dropout where the rate is > 0, and softmax."""
    plan = []
    for index, (width, rate) in enumerate(zip(units, dropout, strict=True), start=1):
        if batch_normalization:
            plan += [
                Dense(f"hidden_{index}", width, None, use_bias=False),
                BatchNormalization(f"hidden_normalization_{index}", _EPSILON),
                Activation(f"hidden_activation_{index}", activation),
            ]
        else:
            plan.append(Dense(f"hidden_{index}", width, activation))
        if rate:
            plan.append(Dropout(f"dropout_{index}", rate))
    return [*plan, Dense("probabilities", n_classes, "softmax")]


def weight_shapes(input_shape, plan):
    """Return the shapes of all weights of planned layers, without building them.

    Parameters
    ----------
    input_shape : tuple of int
        ``(height, width, channels)`` of an image, or ``(n_features,)``.
    plan : list
        Layers of a network of this package.

    Returns
    -------
    list of tuple of int
        In the order of Keras.
    """
    shape, shapes = tuple(input_shape), []
    for layer in plan:
        shapes += layer.weight_shapes(shape).values()
        shape = layer.output_shape(shape)
    return shapes


def convolution_plan(image_shape, filters, kernel_size, strides, pool_size, padding):
    """Resolve the convolutions of :func:`build_cnn` for one size of image.

    Parameters
    ----------
    image_shape : tuple of int
        ``(height, width, channels)`` of the images.
    filters, kernel_size, strides, pool_size, padding
        As in :func:`build_cnn`.

    Returns
    -------
    list of (int, tuple of int, tuple of int, tuple of int, str)
        Filters, kernel, strides, pooling window and padding of each convolution.

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
    steps = window_sizes(strides, len(filters), "strides")
    places = counted(len(filters), "convolution")
    paddings = _per_layer(padding, len(filters), "padding", places)
    height, width = image_shape[:2]
    plan = []
    for index, (n_filters, kernel, step, pool, pads) in enumerate(
        zip(filters, kernels, steps, pools, paddings, strict=True), start=1
    ):
        if pads == "valid":
            if kernel[0] > height or kernel[1] > width:
                raise ValueError(
                    f"Images of {image_shape[0]}×{image_shape[1]} pixels are too "
                    f"small for this network: {height}×{width} pixels reach "
                    f"convolution {index}, whose kernel is {kernel[0]}×{kernel[1]}. "
                    "Use fewer convolutions, a smaller kernel_size, strides or "
                    "pool_size, or padding='same'."
                )
            height, width = height - kernel[0] + 1, width - kernel[1] + 1
        height, width = -(-height // step[0]), -(-width // step[1])
        pool = (min(pool[0], height), min(pool[1], width))
        height, width = height // pool[0], width // pool[1]
        plan.append((n_filters, kernel, step, pool, pads))
    return plan


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


def window_sizes(value, n_convolutions, name):
    """Resolve a parameter of convolutions that has a height and a width.

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
    places = counted(n_convolutions, "convolution")
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
