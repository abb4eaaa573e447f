"""Where earlier versions had what their pickles refer to."""

import json
from dataclasses import replace

from skmnist._inference import network
from skmnist._inference.integrity import checksum, naming_damage
from skmnist._training.data import Description, TrainingState

__all__ = ["TrainedNetwork", "TrainingState", "complete_network"]


class TrainedNetwork(network.TrainedNetwork):
    """A network of an earlier version, which becomes one of this."""

    def __setstate__(self, state):
        with naming_damage():
            content = json.loads(state["config"])
            notes = content.pop("skmnist", {})
            description = Description(
                json.dumps(content),
                state["custom_objects"],
                notes.get("keras_version", ""),
            )
            is_ours, weights = bool(state["is_shared"]), state["weights"]
            config, custom_objects, keras_version = description
            facts = config, is_ours, keras_version, sorted(custom_objects)
            # The first version wrote none.
            if notes.get("sha256") not in (None, checksum(facts, weights)):
                raise ValueError("its parts do not agree with their checksum")
        self.__class__ = network.TrainedNetwork
        self.__init__(None, weights, None if is_ours else description)


def complete_network(classifier, spec):
    """Give the network of a classifier the specification that stood beside it."""
    if getattr(classifier, "precision", None) == "bfloat16":
        # It once was the precision of predictions too.
        spec = replace(spec, parameters={**spec.parameters, "dtype": "float32"})
    classifier._network.spec = spec
    classifier._network.check()
