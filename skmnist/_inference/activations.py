"""The activations of Keras as operations of ONNX.

Each function adds an activation to a graph and returns the name of its output. `shape`
is that of a sample in Keras, with the units last; in ONNX they are on axis 1.
"""

import numpy as np

__all__ = ["ACTIVATIONS"]


def _operation(op_type, **attributes):
    """Return an activation that is a single operation of ONNX."""

    def add(graph, tensor, shape):
        return graph.add(op_type, tensor, **attributes)

    return add


def _clip(low, high):
    def add(graph, tensor, shape):
        return graph.add("Clip", tensor, graph.number(low), graph.number(high))

    return add


def _silu(graph, tensor, shape):
    return graph.add("Mul", tensor, graph.add("Sigmoid", tensor))


def _log_sigmoid(graph, tensor, shape):
    return graph.add("Neg", graph.add("Softplus", graph.add("Neg", tensor)))


def _tanh_shrink(graph, tensor, shape):
    return graph.add("Sub", tensor, graph.add("Tanh", tensor))


def _square_plus(graph, tensor, shape):
    square = graph.add("Add", graph.add("Mul", tensor, tensor), graph.number(4))
    total = graph.add("Add", tensor, graph.add("Sqrt", square))
    return graph.add("Mul", total, graph.number(0.5))


def _sparse_plus(graph, tensor, shape):
    """Add a parabola from -1 to 1 and the identity above, as a sum of two parts."""
    below = graph.add("HardSigmoid", tensor, alpha=0.5, beta=0.5)
    above = graph.add("Relu", graph.add("Sub", tensor, graph.number(1)))
    return graph.add("Add", graph.add("Mul", below, below), above)


def _sparsemax(graph, tensor, shape):
    """Project onto the simplex (Martins and Astudillo, ICML 2016)."""
    n_units = shape[-1]
    ranks = np.arange(1, n_units + 1, dtype=np.float32)
    ranks = ranks.reshape(n_units, *[1] * (len(shape) - 1))
    ordered, _ = graph.add(
        "TopK", tensor, graph.integers([n_units]), axis=1, n_outputs=2
    )
    sums = graph.add("CumSum", ordered, graph.integers(1))
    # The largest values, which exceed their common threshold; it is subtracted.
    bound = graph.add(
        "Add", graph.add("Mul", ordered, graph.constant(ranks)), graph.number(1)
    )
    is_support = graph.add("Cast", graph.add("Greater", bound, sums), to=1)
    axes = graph.integers([1])
    n_support = graph.add("ReduceSum", is_support, axes)
    # The paper sums the largest values. Networks are trained as in Keras, which sums
    # their cumulative sums.
    # Not by ReduceSum, which adds in an order that depends on the number of rows.
    running = graph.add("CumSum", graph.add("Mul", is_support, sums), graph.integers(1))
    last = graph.integers([n_units - 1])
    total = graph.add("Gather", running, last, axis=1)
    threshold = graph.add("Div", graph.add("Sub", total, graph.number(1)), n_support)
    return graph.add("Relu", graph.add("Sub", tensor, threshold))


ACTIVATIONS = {
    "celu": _operation("Celu", alpha=1.0),
    "elu": _operation("Elu", alpha=1.0),
    "exponential": _operation("Exp"),
    "gelu": _operation("Gelu"),
    "hard_shrink": _operation("Shrink", lambd=0.5, bias=0.0),
    "hard_sigmoid": _operation("HardSigmoid", alpha=1 / 6, beta=0.5),
    "hard_silu": _operation("HardSwish"),
    "hard_swish": _operation("HardSwish"),
    "hard_tanh": _clip(-1, 1),
    "leaky_relu": _operation("LeakyRelu", alpha=0.2),
    "log_sigmoid": _log_sigmoid,
    "log_softmax": _operation("LogSoftmax", axis=1),
    "mish": _operation("Mish"),
    "relu": _operation("Relu"),
    "relu6": _clip(0, 6),
    "selu": _operation("Selu"),
    "sigmoid": _operation("Sigmoid"),
    "silu": _silu,
    "soft_shrink": _operation("Shrink", lambd=0.5, bias=0.5),
    "softmax": _operation("Softmax", axis=1),
    "softplus": _operation("Softplus"),
    "softsign": _operation("Softsign"),
    "sparse_plus": _sparse_plus,
    "sparse_sigmoid": _operation("HardSigmoid", alpha=0.5, beta=0.5),
    "sparsemax": _sparsemax,
    "squareplus": _square_plus,
    "swish": _silu,
    "tanh": _operation("Tanh"),
    "tanh_shrink": _tanh_shrink,
}
