"""Loading Keras, and keeping what a network does away from the rest of the process.

Importing this module imports Keras and its backend. The other modules that need
them import this one, inside the functions that build, train or run a network.
"""

import contextlib
import os
import random
import threading

import numpy as np

from skmnist._loading import loading_keras
from skmnist._processes import watch_parent
from skmnist._suggestions import suggestion

__all__ = [
    "PRIVATE_NAMES",
    "all_layers",
    "as_arrays",
    "assign",
    "has_replicas",
    "isolated_build",
    "isolated_names",
    "keras",
    "own_draws",
    "resolve_name",
    "seed_draws",
]

# All private names of Keras and TensorFlow that this package knows.
PRIVATE_NAMES = {
    "keras.src.backend.common.global_state": "counters of names, and the generator of "
    "layers that have none: kept as they were; there is no public way to set them back",
    "_flatten_layers": "`model.layers` has only those that the model itself calls, not "
    "the layers within a layer",
    "_learning_rate": "`learning_rate` gives a value in place of the schedule",
    "_exclude_from_weight_decay": "no configuration has it; it cannot be copied",
    "_exclude_from_weight_decay_pattern": "no configuration has it; it is copied",
    "_all_reduce_sum_gradients": "each trace of it keeps 2 to 3 MB for good",
    "_keras_history": "which call of a layer made a tensor, in pictures of networks",
    "_inbound_nodes": "the calls of a layer, in pictures of networks",
}

_building = threading.RLock()


def _share_cores():
    """Give TensorFlow the number of threads that this process was allotted.

    Workers of joblib and Dask receive their share of the cores in
    ``OMP_NUM_THREADS``, which TensorFlow does not read: without this every worker
    would start as many threads as the machine has cores.
    """
    allotted = os.environ.get("OMP_NUM_THREADS", "")
    if not allotted.isdecimal() or "TF_NUM_INTRAOP_THREADS" in os.environ:
        return
    threading_options = tf.config.threading
    # A RuntimeError means that TensorFlow runs already: its threads stay.
    with contextlib.suppress(RuntimeError):
        if threading_options.get_intra_op_parallelism_threads() == 0:
            threading_options.set_intra_op_parallelism_threads(int(allotted))
        if threading_options.get_inter_op_parallelism_threads() == 0:
            threading_options.set_inter_op_parallelism_threads(int(allotted))


watch_parent()  # if the package was imported before loky had set up its worker
with loading_keras():
    import keras

    # Under the other backends too: Keras loads it when it describes a network.
    import tensorflow as tf
    from keras.src.backend.common import global_state

    if keras.backend.backend() == "tensorflow":
        _share_cores()
        # Brings up the device now, while its greeting can still be held back.
        tf.config.list_logical_devices()


# What Keras keeps for the process: counters for the names of layers, and the generator
# of layers that have none of their own.
_GENERATOR = "global_seed_generator"
_KEPT_BY_KERAS = ("object_name_uids", _GENERATOR)


@contextlib.contextmanager
def isolated_names():
    """Let names come from counters of their own, so that the process sees no trace."""
    kept = [global_state.get_global_attribute(name) for name in _KEPT_BY_KERAS]
    for name in _KEPT_BY_KERAS:
        global_state.set_global_attribute(name, None)
    try:
        yield
    finally:
        for name, value in zip(_KEPT_BY_KERAS, kept, strict=True):
            global_state.set_global_attribute(name, value)


@contextlib.contextmanager
def isolated_build(seed):
    """Build a network from a seed without a trace in the process.

    Initializers and dropout layers without a seed of their own draw one from Python's
    generator, builders may draw from NumPy's. Inside the block both are seeded, as the
    names of layers do, so that the same seed gives the same weights; afterwards they
    are as they were before. One build waits for another, but user-defined code in
    another thread draws from the same generators. The seed is in [0, 2**32).
    """
    with _building, isolated_names():
        states = random.getstate(), np.random.get_state()  # noqa: NPY002
        random.seed(seed)
        np.random.seed(seed)  # noqa: NPY002
        try:
            yield
        finally:
            random.setstate(states[0])
            np.random.set_state(states[1])  # noqa: NPY002


@contextlib.contextmanager
def own_draws():
    """Keep what is drawn from generators of the process inside the block.

    User-defined layers may draw from Keras' generator. PyTorch draws dropout from
    its own, whatever generator Keras has for it. Afterwards both are as they were
    before. Yields Keras' generator of the process.
    """
    with isolated_names(), contextlib.ExitStack() as stack:
        generator = keras.random.SeedGenerator(0, name=_GENERATOR)
        global_state.set_global_attribute(_GENERATOR, generator)
        if keras.backend.backend() == "torch":
            import torch

            stack.enter_context(torch.random.fork_rng(devices=[]))
        yield generator


def seed_draws(seed):
    """Seed what is drawn from generators of the process inside `own_draws`."""
    state = global_state.get_global_attribute(_GENERATOR).state
    state.assign(np.array([seed % 2**31, 0]))
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(seed)


def has_replicas():
    """Return whether the caller is in the scope of a ``tf.distribute.Strategy``."""
    return keras.backend.backend() == "tensorflow" and tf.distribute.has_strategy()


def all_layers(model):
    """Return a model and all layers in it, those within layers and models too."""
    return model._flatten_layers()


def as_arrays(variables):
    """Copy variables or tensors of the backend in use to arrays of NumPy."""
    values = [getattr(variable, "value", variable) for variable in variables]
    if keras.backend.backend() == "tensorflow":
        # Keras converts by a method that NumPy warns of, for every variable.
        values = [value.numpy() for value in values]
    return [np.array(keras.ops.convert_to_numpy(value)) for value in values]


def assign(variables, arrays):
    """Give variables of the backend in use the values of arrays."""
    for variable, array in zip(variables, arrays, strict=True):
        if keras.backend.backend() == "tensorflow":
            variable = variable.value  # five times as quick as through Keras
        variable.assign(array)


def resolve_name(parameter, name, module, trial=None):
    """Return what a module of Keras, such as ``keras.activations``, knows by a name.

    ``trial(found)`` raises if that is of no use here. Then, or if the name is not
    known, a ValueError gives the names that are of use, and one that is close.
    """

    def find(name):
        # Apart: optimizers are named by counters, initializers draw a seed.
        with isolated_names():
            state = random.getstate()
            found = module.get(name)
            random.setstate(state)
            if trial is not None:
                trial(found)
            return found

    def is_useful(name):
        with contextlib.suppress(Exception):  # whatever Keras raises for it
            return find(name) is not None
        return False

    try:
        return find(name)
    except Exception as error:
        names = [n for n in vars(module) if n.islower() and is_useful(n)]
        if not names:  # optimizers have classes only, whose names work in small letters
            names = [n.lower() for n in vars(module) if is_useful(n.lower())]
        raise ValueError(
            f"The {parameter!r} parameter must be one of the names that Keras knows "
            f"and such a network can use; got {name!r}."
            f"{suggestion(name, names)} These are: "
            f"{', '.join(sorted(names))}."
        ) from error
