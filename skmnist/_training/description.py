"""Descriptions of networks as JSON: what is structure in them, and what is a number.

Networks that differ only in dropout rates and penalty strengths have the same
structure: the same operations on the same shapes, which need compiling once. And a
network that ends in a softmax has a twin that ends in its logits.
"""

import json

__all__ = [
    "split_description",
    "trainable_in",
    "with_trainable",
    "without_softmax",
]

# In place of the numbers. A rate of 0 would be a layer that draws nothing.
_RATE = 0.5
_FACTOR = 0.0
# What is added to the description, of which Keras leaves unknown entries alone.
_TRAINABLE = "skmnist_trainable"


def split_description(config):
    """Split a description into the structure and the numbers that are none of it.

    Parameters
    ----------
    config : str
        A network of Keras' own layers as JSON, as written by
        :meth:`keras.Model.to_json`.

    Returns
    -------
    structure : str
        The same description, with the same numbers for every network: rates of
        dropout of 0.5, factors of L1 and L2 penalties of 0.
    values : dict of tuple of str to float
        The numbers that stood there, by layer and parameter: such as
        ``("dropout_1", "rate")`` and ``("hidden_1", "kernel_regularizer", "l2")``.
    """
    description = json.loads(config)
    values = {}
    for layer in description["config"]["layers"]:
        name, settings = layer["config"]["name"], layer["config"]
        if _is(layer, "keras.layers", "Dropout"):
            values[name, "rate"] = settings["rate"]
            settings["rate"] = _RATE
        for parameter, value in settings.items():
            if _is(value, "keras.regularizers", "L1L2"):
                for factor, number in value["config"].items():
                    values[name, parameter, factor] = number
                    value["config"][factor] = _FACTOR
    return json.dumps(description), values


def without_softmax(config):
    """Let a network end in its logits, where its last step is a plain softmax.

    Parameters
    ----------
    config : str
        A network with one output as JSON, as written by :meth:`keras.Model.to_json`.

    Returns
    -------
    config : str
        The same network, with the same weights, up to the softmax.
    ends_in_logits : bool
        Whether there was one. If not, the description is returned as it is.
    """
    description = json.loads(config)
    last = _last_layer(description)
    if last is None:
        return config, False
    settings = last["config"]
    if any(_is(last, "keras.layers", name) for name in ("Dense", "Activation")):
        if settings["activation"] != "softmax":
            return config, False
        settings["activation"] = "linear"
    elif _is(last, "keras.layers", "Softmax") and settings["axis"] in (1, -1):
        last["class_name"] = "Activation"
        del settings["axis"]
        settings["activation"] = "linear"
    else:
        return config, False
    return json.dumps(description), True


def _last_layer(description):
    """Return the layer that gives the output of a network of Keras' own kinds.

    None where it may be needed with its activation elsewhere: in a class of the user's,
    which may do more than its layers do, or as it is called more than once.
    """
    layers = description["config"].get("layers") or [None]
    if _is(description, "keras", "Sequential"):
        return layers[-1]
    if _is(description, "keras.src.models.functional", "Functional"):
        output = description["config"]["output_layers"]
        name = output[0][0] if isinstance(output[0], list) else output[0]
        (layer,) = (layer for layer in layers if layer["name"] == name)
        return layer if len(layer["inbound_nodes"]) == 1 else None
    return None


def _is(value, module, class_name):
    """Tell whether a value of a description is an object of a class of Keras."""
    return isinstance(value, dict) and (
        (value.get("module"), value.get("class_name")) == (module, class_name)
    )


def with_trainable(config, flags):
    """Add to a description which layers and which weights are trained.

    Keras describes that for layers one by one: a model inside of another one, or a
    single weight, may come out otherwise.

    Parameters
    ----------
    config : str
        A network as JSON.
    flags : list of list of bool
        Those of all layers, and of all weights.

    Returns
    -------
    str
        The description with them.
    """
    return json.dumps({**json.loads(config), _TRAINABLE: flags})


def trainable_in(config):
    """Return what :func:`with_trainable` has added to a description.

    Parameters
    ----------
    config : str
        A network as JSON.

    Returns
    -------
    list of list of bool or None
        None if nothing was added.
    """
    return json.loads(config).get(_TRAINABLE) if _TRAINABLE in config else None
