"""Names that pickles of earlier versions refer to."""

import json
from dataclasses import replace

from skmnist._inference import network
from skmnist._inference.integrity import checksum, naming_damage
from skmnist._training.data import Description, TrainingState

__all__ = ["TrainedNetwork", "TrainingState", "complete_network"]


class TrainedNetwork(network.TrainedNetwork):
    """A network of an earlier version, which becomes one of this version."""

    def __setstate__(self, state):
        with naming_damage():
            content = json.loads(state["config"])
            notes = content.pop("skmnist", {})
            written = json.dumps(content), state["custom_objects"]
            description = Description(*written, notes.get("keras_version", ""))
            self.__init__(None, state["weights"], description)
            config, _, *others = self._facts()
            facts = config, bool(state["is_shared"]), *others
            # The first version wrote none.
            if notes.get("sha256") not in (None, checksum(facts, self.weights)):
                raise ValueError("its parts do not agree with their checksum")
        if state["is_shared"]:
            self.description = None
        self.__class__ = network.TrainedNetwork


def complete_network(classifier, spec):
    """Give the network of a classifier the specification that was stored apart."""
    if getattr(classifier, "precision", None) == "bfloat16":
        # This was once the precision of predictions too.
        spec = replace(spec, parameters={**spec.parameters, "dtype": "float32"})
    classifier._network.spec = spec
    classifier._network.check()
