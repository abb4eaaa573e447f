"""Keras' descriptions of networks, as JSON: of those of the user's own builders."""

import json

__all__ = [
    "trainable_in",
    "with_trainable",
    "without_softmax",
]

# What is added to the description, of which Keras leaves unknown entries alone.
_TRAINABLE = "skmnist_trainable"


def without_softmax(config):
    """Let a network end in its logits, where its last step is a plain softmax.

    Returns the description of that network, with the same weights, and True; or the
    description as it is, and False.
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
    is_of_keras = description["module"].startswith("keras.")
    if is_of_keras and description["class_name"] == "Functional":
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
    """
    return json.dumps({**json.loads(config), _TRAINABLE: flags})


def trainable_in(config):
    """Return what `with_trainable` has added to a description, or None."""
    return json.loads(config).get(_TRAINABLE) if _TRAINABLE in config else None
