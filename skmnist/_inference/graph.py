"""Networks of this package as parts of ONNX graphs, from images to logits.

Images have the channels last, as in Keras. In ONNX they come first, so images and the
outputs of convolutions are transposed.
"""

from math import prod

import numpy as np
from onnx import TensorProto, helper, numpy_helper

from skmnist._inference.activations import ACTIVATIONS
from skmnist.networks._layers import (
    BatchNormalization,
    Convolution,
    Dense,
    Flatten,
    GlobalPooling,
    Pooling,
)

__all__ = ["BoundGraph", "Graph", "add_network"]

_OPSET = 20  # of ONNX 1.15, the first with Gelu
_IR_VERSION = 9
_LARGE = 2**10  # bytes
_PADDINGS = {"valid": "VALID", "same": "SAME_UPPER"}
_POOLINGS = {"average": "AveragePool", "max": "MaxPool"}


class Graph:
    """Nodes and constants of a graph under construction."""

    def __init__(self):
        self.nodes = []
        self.constants = []
        self._n_names = 0

    def add(self, op_type, *inputs, n_outputs=1, **attributes):
        """Add a node; return the name of its output, or of each of several."""
        outputs = [self._name() for _ in range(n_outputs)]
        self.nodes.append(helper.make_node(op_type, inputs, outputs, **attributes))
        return outputs[0] if n_outputs == 1 else outputs

    def constant(self, array):
        """Add an array; return its name."""
        name = self._name()
        self.constants.append(
            numpy_helper.from_array(np.ascontiguousarray(array), name)
        )
        return name

    def number(self, value):
        """Add a float."""
        return self.constant(np.array(value, np.float32))

    def integers(self, values):
        """Add integers, such as axes and shapes."""
        return self.constant(np.array(values, np.int64))

    def model(self, inputs, outputs, version):
        """Return the ONNX model of the graph.

        `inputs` maps names to element type and shape of a sample, `outputs` to a tensor
        and these two.
        """
        for name, (tensor, _, _) in outputs.items():
            self.nodes.append(helper.make_node("Identity", [tensor], [name]))
        described = [
            [
                helper.make_tensor_value_info(name, kind, ["n", *shape])
                for name, (*_, kind, shape) in values.items()
            ]
            for values in (inputs, outputs)
        ]
        return helper.make_model(
            helper.make_graph(self.nodes, "network", *described, self.constants),
            opset_imports=[helper.make_opsetid("", _OPSET)],
            ir_version=_IR_VERSION,
            producer_name="skmnist",
            producer_version=version,
        )

    def _name(self):
        self._n_names += 1
        return f"t{self._n_names}"


class BoundGraph(Graph):
    """A graph whose large constants, ``arrays`` by name, are given to the session.

    The session uses their memory, while it copies constants of a graph several times.
    """

    def __init__(self):
        super().__init__()
        self.arrays = {}

    def constant(self, array):
        """Add an array; return its name."""
        if array.nbytes < _LARGE:  # such as shapes, which ONNX Runtime must read
            return super().constant(array)
        array = np.require(array, requirements="CA")
        name = self._name()
        kind = helper.np_dtype_to_tensor_dtype(array.dtype)
        tensor = TensorProto(name=name, data_type=kind, dims=array.shape)
        tensor.data_location = TensorProto.EXTERNAL
        tensor.external_data.add(key="location", value="memory")
        self.constants.append(tensor)
        self.arrays[name] = array
        return name


def add_network(graph, tensor, input_shape, plan, weights):
    """Add the layers of a network to a graph; return the name of the logits.

    `tensor` is the name of float32 images of shape (n, *input_shape); `weights` are the
    kernel and biases of each layer of the plan that has them.
    """
    weights = iter(weights)
    shape = tuple(input_shape)
    has_convolutions = any(isinstance(layer, Convolution) for layer in plan)
    if has_convolutions:
        tensor = graph.add("Transpose", tensor, perm=[0, 3, 1, 2])
    for layer in plan:
        arrays = [next(weights) for _ in layer.weight_shapes(shape)]
        if isinstance(layer, Convolution):
            kernel, *bias = arrays
            tensor = graph.add(
                "Conv",
                tensor,
                graph.constant(kernel.transpose(3, 2, 0, 1)),
                *map(graph.constant, bias),
                kernel_shape=layer.kernel_size,
                strides=layer.strides,
                auto_pad=_PADDINGS[layer.padding],
            )
        elif isinstance(layer, BatchNormalization):
            tensor = graph.add(
                "BatchNormalization",
                tensor,
                *map(graph.constant, arrays),
                epsilon=layer.epsilon,
            )
        elif isinstance(layer, Pooling):
            size = layer.pool_size
            kind = _POOLINGS[layer.kind]
            tensor = graph.add(kind, tensor, kernel_shape=size, strides=size)
        elif isinstance(layer, GlobalPooling):
            tensor = graph.add(f"Global{_POOLINGS[layer.kind]}", tensor)
            tensor = graph.add("Flatten", tensor)
        elif isinstance(layer, Flatten):
            if has_convolutions:
                tensor = graph.add("Transpose", tensor, perm=[0, 2, 3, 1])
            tensor = graph.add("Reshape", tensor, graph.integers([-1, prod(shape)]))
        elif isinstance(layer, Dense):
            kernel, *bias = arrays
            tensor = graph.add(
                "Gemm", tensor, graph.constant(kernel), *map(graph.constant, bias)
            )
        shape = layer.output_shape(shape)
        if layer is not plan[-1]:
            tensor = _activate(graph, tensor, layer, shape)
    return tensor


def _activate(graph, tensor, layer, shape):
    """Add the activation of a layer, if it has one."""
    activation = getattr(layer, "activation", None)
    if activation in (None, "linear"):
        return tensor
    if activation not in ACTIVATIONS:
        raise TypeError(
            f"The activation {activation!r} cannot be written as ONNX; allowed are "
            f"{', '.join(ACTIVATIONS)}."
        )
    return ACTIVATIONS[activation](graph, tensor, shape)
