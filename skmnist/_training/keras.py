"""The import of Keras and its backend, and isolation of networks from the process."""

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
    """Give TensorFlow the number of threads that this process was allotted."""
    # joblib and Dask set this variable in workers; TensorFlow does not read it.
    allotted = os.environ.get("OMP_NUM_THREADS", "")
    if not allotted.isdecimal() or "TF_NUM_INTRAOP_THREADS" in os.environ:
        return
    threading_options = tf.config.threading
    # A RuntimeError means that TensorFlow already runs, with its threads.
    with contextlib.suppress(RuntimeError):
        if threading_options.get_intra_op_parallelism_threads() == 0:
            threading_options.set_intra_op_parallelism_threads(int(allotted))
        if threading_options.get_inter_op_parallelism_threads() == 0:
            threading_options.set_inter_op_parallelism_threads(int(allotted))


watch_parent()  # again, in case the package was imported before loky set up its worker
with loading_keras():
    import keras

    # Under other backends too, because Keras loads it when it describes a network.
    import tensorflow as tf
    from keras.src.backend.common import global_state

    if keras.backend.backend() == "tensorflow":
        _share_cores()
        # Initialize the device now, while its messages can still be held back.
        tf.config.list_logical_devices()


# State that Keras keeps for the process: counters for names of layers, and a generator
# for layers without their own.
_GENERATOR = "global_seed_generator"
_KEPT_BY_KERAS = ("object_name_uids", _GENERATOR)


@contextlib.contextmanager
def isolated_names():
    """Name layers from new counters, and leave those of the process unchanged."""
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
    """Build a network from a seed in [0, 2**32), and leave the process unchanged."""
    # Keras draws missing seeds of layers from Python's generator, and builders may draw
    # from NumPy's. All threads share these generators, so one build waits for another.
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
    """Replace generators of the process in the block; yield the one of Keras."""
    # User-defined layers may draw from that. PyTorch draws dropout from its own.
    with isolated_names(), contextlib.ExitStack() as stack:
        generator = keras.random.SeedGenerator(0, name=_GENERATOR)
        global_state.set_global_attribute(_GENERATOR, generator)
        if keras.backend.backend() == "torch":
            import torch

            stack.enter_context(torch.random.fork_rng(devices=[]))
        yield generator


def seed_draws(seed):
    """Seed the generators of `own_draws`."""
    state = global_state.get_global_attribute(_GENERATOR).state
    state.assign(np.array([seed % 2**31, 0]))
    if keras.backend.backend() == "torch":
        import torch

        torch.manual_seed(seed)


def has_replicas():
    """Return whether the caller is in the scope of a ``tf.distribute.Strategy``."""
    return keras.backend.backend() == "tensorflow" and tf.distribute.has_strategy()


def all_layers(model):
    """Return a model and all layers in it, including those within layers."""
    return model._flatten_layers()


def as_arrays(variables):
    """Copy variables or tensors of the backend to NumPy arrays."""
    values = [getattr(variable, "value", variable) for variable in variables]
    if keras.backend.backend() == "tensorflow":
        # Keras converts by a method that NumPy warns about.
        values = [value.numpy() for value in values]
    return [np.array(keras.ops.convert_to_numpy(value)) for value in values]


def assign(variables, arrays):
    """Give variables of the backend the values of arrays."""
    for variable, array in zip(variables, arrays, strict=True):
        if keras.backend.backend() == "tensorflow":
            variable = variable.value  # five times as fast as through Keras
        variable.assign(array)


def resolve_name(parameter, name, module, trial=None):
    """Return the object of a name in a module of Keras, such as ``keras.activations``.

    If it is not known or ``trial(found)`` raises, a ValueError lists usable names.
    """

    def find(name):
        # Isolated: optimizers are named by counters, and initializers draw seeds.
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
        if not names:  # optimizers are classes, whose names work in lower case
            names = [n.lower() for n in vars(module) if is_useful(n.lower())]
        raise ValueError(
            f"The {parameter!r} parameter must be one of the names that Keras knows "
            f"and such a network can use; got {name!r}."
            f"{suggestion(name, names)} These are: {', '.join(sorted(names))}."
        ) from error
