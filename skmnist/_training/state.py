"""What training leaves as plain data: where it stands, and what it trained."""

import copy
from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Description", "TrainingState"]


class Description(NamedTuple):
    """What Keras says of a network that its specification does not say all about.

    Parameters
    ----------
    config : str
        The graph as JSON, as written by :meth:`keras.Model.to_json`.
    custom_objects : dict
        Layer classes that are not Keras' own, by name.
    keras_version : str
        Version of Keras that wrote it; "" if nobody knows.
    """

    config: str
    custom_objects: dict
    keras_version: str


@dataclass
class TrainingState:
    """Where training stands: what is needed to go on with it, as plain data.

    Parameters
    ----------
    weights_seed, shuffle_seed : int
        Seeds of the initial weights and of the order of the rows.
    n_epochs : int
        Number of epochs done.
    optimizer_variables : list of ndarray, default=None
        Step count, learning rate and moments of the optimizer; None to start anew.
    optimizer_kind : str, default=None
        Kind and settings of that optimizer; for another one they mean nothing.
    initial_rate : float, default=None
        Learning rate that it began with.
    random_states : list of ndarray, default=None
        States of the random generators of dropout and the like.
    is_kept : bool, default=False
        Whether the optimizer's variables, which are often twice as large as the
        network, are pickled too.
    learning_rate : float, default=None
        The rate of the fit, or the highest of a course with a name. None for a
        schedule of the optimizer's own, and in files of earlier versions.
    """

    weights_seed: int
    shuffle_seed: int
    n_epochs: int = 0
    optimizer_variables: list | None = None
    optimizer_kind: str | None = None
    initial_rate: float | None = None
    random_states: list | None = None
    is_kept: bool = False
    learning_rate: float | None = None

    def __deepcopy__(self, memo):
        twin = object.__new__(type(self))
        vars(twin).update(copy.deepcopy(vars(self), memo))
        return twin

    def __getstate__(self):
        state = vars(self).copy()
        if not self.is_kept:
            state["optimizer_variables"] = None
        return state
