"""The layers of a Keras model and how they are connected."""

from dataclasses import dataclass

__all__ = ["LayerNode", "read_graph"]


@dataclass(frozen=True)
class LayerNode:
    """One layer of a network diagram.

    Parameters
    ----------
    name : str
        Name of the layer.
    kind : str
        Class of the layer, such as "Conv2D".
    details : str
        Most important settings.
    output_shape : tuple of int or None
        Output shape without the batch axis, with None for any size. None instead of the
        tuple if the layer has no single output.
    n_parameters : int
        Number of weights, trainable or not.
    family : {"input", "convolution", "pooling", "dense", "other"}
        Kind of layer, which determines the colour.
    """

    name: str
    kind: str
    details: str
    output_shape: tuple | None
    n_parameters: int
    family: str = "other"

    @property
    def shape_text(self):
        """Output shape, such as 26×26×32."""
        if self.output_shape is None:
            return ""
        return "×".join("?" if s is None else str(s) for s in self.output_shape) or "1"

    @property
    def parameters_text(self):
        """Number of parameters; empty if there are none."""
        if not self.n_parameters:
            return ""
        return f"{self.n_parameters:,} parameter{'s' * (self.n_parameters != 1)}"

    @property
    def description(self):
        """Class and settings."""
        return f"{self.kind}, {self.details}" if self.details else self.kind

    @property
    def summary(self):
        """The layer in one phrase."""
        parts = [f"{self.name} ({self.description})", self.shape_text]
        return ", ".join(filter(None, [*parts, self.parameters_text]))


def read_graph(model):
    """List the layers of a model, and which of them feeds which.

    Parameters
    ----------
    model : keras.Model
        Sequential or functional.

    Returns
    -------
    layers : list of LayerNode
        Each after those that feed it.
    edges : list of (int, int)
        By positions in that list, each once.
    """
    from skmnist._training.keras import keras

    if isinstance(model, keras.Sequential):
        shape = tuple(model.inputs[0].shape)[1:]
        nodes = [LayerNode("input", "InputLayer", "", shape, 0, "input")]
        nodes += [_node(layer) for layer in model.layers]
        return nodes, [(i, i + 1) for i in range(len(nodes) - 1)]
    # Operations are layers and plain functions of keras.ops.
    operations = {operation.name: operation for operation in model.operations}
    described = {
        layer["config"]["name"]: layer["inbound_nodes"]
        for layer in model.get_config()["layers"]
    }
    feeds = {name: list(_sources(calls)) for name, calls in described.items()}
    order = _sorted_by_feeding(feeds)
    place = {name: i for i, name in enumerate(order)}
    # A layer that is called again further down would need an arrow upwards: its box
    # tells how often it is called.
    edges = {
        (place[source], place[name])
        for name in order
        for source in feeds[name]
        if place[source] < place[name]
    }
    nodes = [_node(operations[name], len(described[name])) for name in order]
    return nodes, sorted(edges)


def _sources(serialized):
    """Yield the names of the layers in the description of a layer's calls."""
    if isinstance(serialized, dict):
        if "keras_history" in serialized:
            yield serialized["keras_history"][0]
            return
        serialized = list(serialized.values())
    if isinstance(serialized, list | tuple):
        for part in serialized:
            yield from _sources(part)


def _sorted_by_feeding(feeds):
    """Order names so that each comes after those that feed it, as far as can be."""
    order, seen = [], set()

    def visit(name):
        if name not in seen:
            seen.add(name)
            for source in feeds[name]:
                visit(source)
            order.append(name)

    for name in feeds:
        visit(name)
    return order


def _node(operation, n_calls=1):
    """Describe one layer or operation."""
    output = getattr(operation, "output", None)
    shape = getattr(output, "shape", None)
    count = getattr(operation, "count_params", lambda: 0)
    return LayerNode(
        name=operation.name,
        kind=type(operation).__name__,
        details=", ".join(_details(operation, n_calls)),
        output_shape=None if shape is None else tuple(shape)[1:],
        n_parameters=int(count()),
        family=_family(operation),
    )


def _family(operation):
    """Return the kind of a layer."""
    from keras import layers

    if isinstance(operation, layers.InputLayer):
        return "input"
    if isinstance(operation, layers.Dense):
        return "dense"
    name = type(operation).__name__
    if "Conv" in name:
        return "convolution"
    return "pooling" if "Pooling" in name else "other"


def _details(layer, n_calls):
    """Yield the most important settings of a layer."""
    kernel = getattr(layer, "kernel_size", None)
    if getattr(layer, "filters", None) and kernel:
        yield f"{layer.filters} filters of {_size(kernel)}"
    elif kernel:
        yield f"filters of {_size(kernel)}"
    pool = getattr(layer, "pool_size", None)
    if pool:
        yield _size(pool)
    if hasattr(layer, "rate"):
        yield f"rate {layer.rate:g}"
    activation = getattr(getattr(layer, "activation", None), "__name__", None)
    if activation and activation != "linear":
        yield activation
    if n_calls > 1:
        yield f"called {n_calls} times"


def _size(window):
    """Write the size of a window."""
    return "×".join(map(str, window)) if isinstance(window, tuple) else str(window)
