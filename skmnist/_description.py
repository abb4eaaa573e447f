"""Descriptions of networks as JSON: what is structure in them, and what is a number.

Networks that differ only in rates of dropout and factors of penalties have the same
structure: the same operations on the same shapes, which need compiling once.
"""

import json

__all__ = ["split_description"]

# In place of the numbers. A rate of 0 would be a layer that draws nothing.
_RATE = 0.5
_FACTOR = 0.0


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


def _is(value, module, class_name):
    """Tell whether a value of a description is an object of a class of Keras."""
    return isinstance(value, dict) and (
        (value.get("module"), value.get("class_name")) == (module, class_name)
    )
