"""The layers of a Keras model that work on images, and what they compute."""

import numpy as np

__all__ = [
    "convolutions",
    "feature_maps_of",
    "filters_of",
    "named_layers",
    "takes_channels_first",
]


def convolutions():
    """Classes of the layers whose filters are shown."""
    from keras import layers

    return layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D


def poolings():
    """Classes of the layers that pool images into images."""
    from keras import layers

    return layers.MaxPooling2D, layers.AveragePooling2D


def activations():
    """Classes of the separate activation layers."""
    from keras import layers

    return layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU


def filters_of(layer):
    """Return the variable (height, width, channels, n_filters) of a convolution."""
    kernel = getattr(layer, "depthwise_kernel", None)
    return layer.kernel if kernel is None else kernel


def named_layers(model, prefix=""):
    """Yield the layers of a network, with names that locate nested ones."""
    for layer in model.layers:
        if _is_nested(layer):
            yield from named_layers(layer, f"{prefix}{layer.name}/")
        else:
            yield prefix + layer.name, layer


def _is_nested(layer):
    """Return whether a layer is itself a graph of layers."""
    return hasattr(layer, "layers") and bool(getattr(layer, "inputs", None))


def _calls(model):
    """Return the calls in the graph of a network by layer, in the order of the calls.

    A layer may be called several times, and in the graphs of other networks too.
    """
    numbers, pending = {}, list(model.outputs)
    entries = set(map(id, model.inputs))
    while pending:
        tensor = pending.pop()
        layer, number, _ = tensor._keras_history
        if layer is None or number in numbers.setdefault(layer, set()):
            continue
        numbers[layer].add(number)
        if id(tensor) not in entries:
            pending += layer._inbound_nodes[number].input_tensors
    return {
        layer: [layer._inbound_nodes[number] for number in sorted(called)]
        for layer, called in numbers.items()
    }


def feature_maps_of(model, inputs, prefix=""):
    """Compute the outputs of all layers that map images to images, for one image.

    The layers are read through a second model on the same graph, which leaves the
    network as it is. Of a layer that is called again, the name tells which call.
    """
    from skmnist._training.keras import isolated_names, keras

    kinds = (*convolutions(), *poolings(), *activations())
    calls, probed = _calls(model), []
    for layer in model.layers:
        for number, call in enumerate(calls.get(layer, ()), start=1):
            name = layer.name if number == 1 else f"{layer.name} (call {number})"
            if _is_nested(layer):  # what the outer network feeds it
                probed.append((name, layer, call.input_tensors))
            elif isinstance(layer, kinds) and len(call.output_tensors[0].shape) == 4:
                probed.append((name, layer, call.output_tensors))
    if not probed:
        return {}
    with isolated_names():  # names of models come from a counter of Keras
        probe = keras.Model(model.inputs, [tensors for _, _, tensors in probed])
    outputs = probe([keras.ops.convert_to_tensor(x) for x in inputs], training=False)
    remaining = iter(keras.tree.flatten(outputs))
    maps, data_format = {}, None
    for name, layer, tensors in probed:
        values = [next(remaining) for _ in tensors]
        if _is_nested(layer):
            maps |= feature_maps_of(layer, values, f"{prefix}{name}/")
            continue
        value = np.array(keras.ops.convert_to_numpy(values[0]), dtype=np.float32)[0]
        # An activation has no order of its own and keeps that of its input.
        data_format = getattr(layer, "data_format", data_format)
        if data_format == "channels_first":
            value = np.moveaxis(value, 0, -1)
        maps[prefix + name] = value
    return maps


def takes_channels_first(model, shape):
    """Return whether a network takes images of a shape with their channels first."""
    orders = (getattr(layer, "data_format", None) for _, layer in named_layers(model))
    order = next((order for order in orders if order is not None), None)
    return order == "channels_first" and shape[0] in (1, 3, 4)
