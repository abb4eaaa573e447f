"""The layers of a Keras model that work on images, and what they compute."""

import numpy as np

__all__ = ["convolutions", "feature_maps_of", "filters_of", "named_layers"]


def convolutions():
    """Classes of the layers whose filters are shown."""
    from keras import layers

    return layers.Conv2D, layers.DepthwiseConv2D, layers.SeparableConv2D


def poolings():
    """Classes of the layers that pool images into images."""
    from keras import layers

    return layers.MaxPooling2D, layers.AveragePooling2D


def activations():
    """Classes of the layers that are an activation by itself."""
    from keras import layers

    return layers.Activation, layers.ReLU, layers.LeakyReLU, layers.PReLU, layers.ELU


def filters_of(layer):
    """Return the variable (height, width, channels, n_filters) of a convolution."""
    kernel = getattr(layer, "depthwise_kernel", None)
    return layer.kernel if kernel is None else kernel


def named_layers(model, prefix=""):
    """Yield the layers of a network, with names that tell where nested ones are."""
    for layer in model.layers:
        if _is_nested(layer):
            yield from named_layers(layer, f"{prefix}{layer.name}/")
        else:
            yield prefix + layer.name, layer


def _is_nested(layer):
    """Tell whether a layer is itself a graph of layers."""
    return hasattr(layer, "layers") and bool(getattr(layer, "inputs", None))


def feature_maps_of(model, image, prefix=""):
    """Compute what the layers that make images of images make of one image.

    The layers are read through a second model on the same graph, which leaves the
    network as it is.
    """
    from skmnist._keras import isolated_build, keras

    kinds = (*convolutions(), *poolings(), *activations())
    probed, nested = {}, {}
    for layer in model.layers:
        if _is_nested(layer):
            nested[layer] = layer.input  # what the outer network feeds it
        elif isinstance(layer, kinds) and len(layer.output.shape) == 4:
            probed[layer] = layer.output
    if not probed and not nested:
        return {}
    tensors = {layer.name: tensor for layer, tensor in (probed | nested).items()}
    with isolated_build(seed=0):  # names of models come from a counter of Keras
        probe = keras.Model(model.inputs[0], tensors)
    outputs = {
        name: np.array(keras.ops.convert_to_numpy(value), dtype=np.float32)
        for name, value in probe(
            keras.ops.convert_to_tensor(image), training=False
        ).items()
    }
    maps, data_format = {}, None
    for layer in model.layers:  # in the order of the network
        if layer in probed:
            value = outputs[layer.name][0]
            # An activation has no order of its own and keeps that of its input.
            data_format = getattr(layer, "data_format", data_format)
            if data_format == "channels_first":
                value = np.moveaxis(value, 0, -1)
            maps[prefix + layer.name] = value
        elif layer in nested:
            maps |= feature_maps_of(
                layer, outputs[layer.name], f"{prefix}{layer.name}/"
            )
    return maps
