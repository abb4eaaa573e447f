"""Transformers and classifiers as parts of ONNX graphs.

The arithmetic is that of their `transform` and `predict_proba`, in the same precision.
"""

from math import prod
from typing import NamedTuple

import numpy as np
from onnx import TensorProto

from skmnist._inference.graph import add_network
from skmnist.networks._graphs import is_planned, network_layers
from skmnist.preprocessing import ImageScaler
from skmnist.preprocessing.layout import locate, resolve_image_shape

__all__ = [
    "Images",
    "UnwritableModelError",
    "add_classifier",
    "add_label",
    "add_probabilities",
    "add_transformer",
    "output_of",
]


class UnwritableModelError(TypeError):
    """A part of a model cannot be written as ONNX.

    Its text is `problem`, and then `advice` for those who write Python.
    """

    def __init__(self, problem, advice):
        super().__init__(f"{problem} {advice}")
        self.problem = problem


class Images(NamedTuple):
    """What is known of a tensor of images.

    Parameters
    ----------
    shape : tuple of int
        Shape of one sample.
    kind : int
        Its element type, of :class:`onnx.TensorProto`.
    channels_first : bool, default=None
        Whether the channels come first where `shape` has three numbers; None to find
        out as the estimators do.
    """

    shape: tuple
    kind: int = TensorProto.FLOAT
    channels_first: bool | None = None


def add_transformer(graph, tensor, images, step):
    """Add an ImageScaler or a Deskewer to a graph.

    Parameters
    ----------
    graph : Graph
        The graph.
    tensor : str
        Name of the images.
    images : Images
        What they are.
    step : ImageScaler or Deskewer
        Fitted.

    Returns
    -------
    tensor : str
        Name of the transformed images.
    images : Images
        What these are.
    """
    _check_size(images, step)
    channels_first = False
    if len(images.shape) > 1:
        channels_first = images.channels_first
        if channels_first is None or step.image_shape == "row":
            channels_first, _ = locate(images.shape, step.image_shape_)
    tensor = _channels_last(graph, tensor, images, channels_first)
    tensor = _cast(graph, tensor, images.kind, TensorProto.DOUBLE)
    if isinstance(step, ImageScaler):
        tensor = _scaled(graph, tensor, step)
    else:
        tensor = _deskewed(graph, tensor, step)
    tensor = _cast(graph, tensor, TensorProto.DOUBLE, TensorProto.FLOAT)
    result = output_of(step)
    if getattr(step, "layout", None) == "channels_first":
        channels, *columns = result.shape
        tensor = _reshaped(graph, tensor, (*columns, channels))
        tensor = graph.add("Transpose", tensor, perm=[0, 3, 1, 2])
    else:
        tensor = _reshaped(graph, tensor, result.shape)
    return tensor, result


def output_of(step):
    """Return what images an ImageScaler or a Deskewer makes."""
    layout = getattr(step, "layout", "flat")
    if layout == "flat":
        return Images((step.n_features_in_,))
    height, width, channels = resolve_image_shape(
        step.n_features_in_, step.image_shape_
    )
    channels_first = layout == "channels_first"
    shape = (channels, height, width) if channels_first else (height, width, channels)
    # Models of earlier versions had to find out themselves.
    return Images(
        shape,
        channels_first=None if step._shape_is_known is None else channels_first,
    )


def add_classifier(graph, tensor, images, classifier):
    """Add the network of a classifier to a graph.

    Parameters
    ----------
    graph : Graph
        The graph.
    tensor : str
        Name of the images.
    images : Images
        What they are.
    classifier : classifier
        A fitted one of this package.

    Returns
    -------
    str
        Name of the logits, in float32.

    Raises
    ------
    TypeError
        If its network is from a user-defined builder, or has user-defined arguments.
    """
    spec = classifier._spec
    if not is_planned(spec) or classifier._network.description is not None:
        what = f"the builder of this one is {spec.builder!r}"
        if is_planned(spec):
            what = f"{spec.builder.__name__} made this one with {spec.parameters!r}"
        raise UnwritableModelError(
            "Networks of your own builder cannot be written as ONNX, only those of "
            f"build_mlp and build_cnn with plain arguments; {what}.",
            "Keras may know its layers: model_.export('network.onnx', format='onnx'), "
            "which needs tf2onnx.",
        )
    _check_size(images, classifier)
    input_shape, plan = network_layers(spec)
    channels_first = False
    if len(images.shape) > 1:
        channels_first = images.channels_first
        if channels_first is None:
            channels_first = classifier._channels_come_first(images.shape, input_shape)
    tensor = _channels_last(graph, tensor, images, channels_first)
    tensor = _cast(graph, tensor, images.kind, TensorProto.FLOAT)
    if channels_first or images.shape != input_shape:
        tensor = _reshaped(graph, tensor, input_shape)
    weights = [np.asarray(w, np.float32) for w in classifier._network.weights]
    return add_network(graph, tensor, input_shape, plan, weights)


def add_probabilities(graph, logits, kind=TensorProto.FLOAT):
    """Add the mean softmax of the logits of some networks, in double precision."""
    total = None
    for tensor in logits:
        exact = _cast(graph, tensor, TensorProto.FLOAT, TensorProto.DOUBLE)
        probabilities = graph.add("Softmax", exact, axis=1)
        # ONNX Runtime has no Sum or Mean in double precision.
        total = graph.add("Add", total, probabilities) if total else probabilities
    if len(logits) > 1:
        total = graph.add("Div", total, graph.constant(np.float64(len(logits))))
    return _cast(graph, total, TensorProto.DOUBLE, kind)


def add_label(graph, scores, classes):
    """Add the label of the largest score.

    Parameters
    ----------
    graph : Graph
        The graph.
    scores : str
        Name of logits or probabilities.
    classes : ndarray of shape (n_classes,)
        The labels.

    Returns
    -------
    tensor : str
        Name of the labels.
    kind : int
        Their element type.
    """
    kinds = {"b": TensorProto.BOOL, "f": TensorProto.FLOAT}
    kinds |= dict.fromkeys("iu", TensorProto.INT64)
    kind = kinds.get(classes.dtype.kind, TensorProto.STRING)
    if kind == TensorProto.STRING:
        classes = np.array([str(label) for label in classes], object)
    else:
        classes = classes.astype(
            {"b": bool, "f": np.float32}.get(classes.dtype.kind, int)
        )
    place = graph.add("ArgMax", scores, axis=1, keepdims=0)
    return graph.add("Gather", graph.constant(classes), place), kind


def _check_size(images, step):
    """Refuse images that have not the number of pixels that were seen at fit."""
    if prod(images.shape) != step.n_features_in_:
        raise ValueError(
            f"X has samples of shape {images.shape}, {prod(images.shape)} numbers, but "
            f"{type(step).__name__} was fitted on {step.n_features_in_}."
        )


def _cast(graph, tensor, kind, wanted):
    return tensor if kind == wanted else graph.add("Cast", tensor, to=wanted)


def _reshaped(graph, tensor, shape):
    return graph.add("Reshape", tensor, graph.integers([-1, *shape]))


def _channels_last(graph, tensor, images, channels_first):
    """Put the channels last, if they are first."""
    if channels_first and len(images.shape) == 3:
        return graph.add("Transpose", tensor, perm=[0, 2, 3, 1])
    return tensor


def _scaled(graph, tensor, scaler):
    """Add the arithmetic of an ImageScaler."""
    span = (scaler.data_max_ - scaler.data_min_) or 1.0
    tensor = graph.add("Sub", tensor, _double(graph, scaler.data_min_))
    tensor = graph.add("Div", tensor, _double(graph, span))
    if scaler.clip:
        tensor = graph.add("Clip", tensor, *(_double(graph, end) for end in (0, 1)))
    return tensor


def _double(graph, values):
    return graph.constant(np.asarray(values, np.float64))


def _deskewed(graph, tensor, deskewer):
    """Add the arithmetic of a Deskewer, whose methods explain it."""
    height, width, channels = deskewer.image_shape_
    y, x = (np.arange(size, dtype=np.float64) for size in (height, width))
    flat = _reshaped(graph, tensor, (height * width * channels,))
    axis = {number: graph.integers([number]) for number in (1, 2, 3)}
    background = graph.add("ReduceMin", flat, axis[1])
    flat = graph.add("Sub", flat, background)
    images = _reshaped(graph, flat, (height, width, channels))

    mass = graph.add("ReduceSum", images, axis[3], keepdims=0)
    row_mass = graph.add("ReduceSum", mass, axis[2], keepdims=0)
    column_mass = graph.add("ReduceSum", mass, axis[1], keepdims=0)
    total = graph.add("ReduceSum", row_mass, axis[1])
    is_blank = graph.add("Equal", total, _double(graph, 0))
    total = graph.add("Where", is_blank, _double(graph, 1), total)

    def mean(masses, places):
        moment = graph.add("MatMul", masses, _double(graph, places[:, None]))
        middle = _double(graph, (len(places) - 1) / 2)
        return graph.add("Where", is_blank, middle, graph.add("Div", moment, total))

    y_mean, x_mean = mean(row_mass, y), mean(column_mass, x)
    offset = graph.add("Sub", _double(graph, y[None]), y_mean)
    x_sum = graph.add("MatMul", mass, _double(graph, x[:, None]))
    x_sum = graph.add("Squeeze", x_sum, axis[2])
    x_sum = graph.add("Sub", x_sum, graph.add("Mul", x_mean, row_mass))

    def moment(values):
        products = graph.add("Mul", values, offset)
        return graph.add("Div", graph.add("ReduceSum", products, axis[1]), total)

    variance = moment(graph.add("Mul", row_mass, offset))
    is_one_row = graph.add("Less", variance, _double(graph, 1e-9))
    slant = graph.add(
        "Div",
        graph.add("Where", is_one_row, _double(graph, 0), moment(x_sum)),
        graph.add("Where", is_one_row, _double(graph, 1), variance),
    )
    limit = float(deskewer.max_shear)
    slant = graph.add("Clip", slant, _double(graph, -limit), _double(graph, limit))

    if deskewer.center:
        y_shift = graph.add("Sub", y_mean, _double(graph, (height - 1) / 2))
        x_shift = graph.add("Sub", x_mean, _double(graph, (width - 1) / 2))
        rows = _reshaped(graph, y_shift, (1, 1, 1))
        images = _shifted(graph, images, rows, axis=1, length=height)
        row_shift = graph.add("Mul", slant, graph.add("Add", offset, y_shift))
        row_shift = graph.add("Add", row_shift, x_shift)
    else:
        row_shift = graph.add("Mul", slant, offset)
    columns = _reshaped(graph, row_shift, (height, 1, 1))
    images = _shifted(graph, images, columns, axis=2, length=width)
    flat = _reshaped(graph, images, (height * width * channels,))
    return graph.add("Add", flat, background)


def _shifted(graph, images, shifts, axis, length):
    """Read images at places moved along an axis, by interpolation and 0 outside."""
    pads = np.zeros((2, 4), np.int64)
    pads[:, axis] = 1
    padded = graph.add("Pad", images, graph.integers(pads.ravel()), _double(graph, 0))
    whole = graph.add("Floor", shifts)
    weight = graph.add("Sub", shifts, whole)
    ends = _double(graph, -length - 1), _double(graph, length)
    whole = graph.add("Clip", whole, *ends)
    whole = graph.add("Cast", whole, to=TensorProto.INT64)
    shape = graph.add("Shape", images)
    places = np.arange(length).reshape([-1 if n == axis else 1 for n in range(4)])

    def read(first, weight):
        place = graph.add("Add", whole, graph.constant(places + first))
        place = graph.add("Clip", place, graph.integers(0), graph.integers(length + 1))
        place = graph.add("Expand", place, shape)
        values = graph.add("GatherElements", padded, place, axis=axis)
        return graph.add("Mul", values, weight)

    left = read(1, graph.add("Sub", _double(graph, 1), weight))
    return graph.add("Add", left, read(2, weight))
