"""Choice of the loop that trains a network, and of loops that fits share."""

import os

from skmnist._training.build import is_ours, rebuild, trained_layers
from skmnist._training.callbacks import leaves_models_alone, only_watches
from skmnist._training.keras import all_layers, has_replicas, isolated_names, keras
from skmnist._training.losses import make_loss
from skmnist._training.optimizers import first_state, is_of_keras, program_key
from skmnist._training.processor import bfloat16_is_quick
from skmnist._training.reuse import idle_loops
from skmnist.networks._graphs import build_blank, builder_arguments

if keras.backend.backend() == "tensorflow":
    from skmnist._training.layers import TrainingNumbers, structure, use_own_calls
    from skmnist._training.memory_loop import MemoryLoop

__all__ = ["give_back", "surroundings", "take_loop", "training_dtype"]


def take_loop(spec, start, settings, callbacks):
    """Return a loop with a model of a network, which no other fit uses."""
    key = None
    if (  # user-defined code may change under the same name, or keep the model
        is_ours(spec)
        and not has_replicas()  # a model belongs to one strategy
        and all(map(leaves_models_alone, settings.callbacks))
        and is_of_keras(settings.optimizer)
    ):
        key = repr(
            [
                _loop_class(callbacks).__name__,
                structure(spec) if _has_numbers(settings) else spec,
                training_dtype(spec, settings.precision),
                keras.config.floatx(),  # of metrics
                program_key(settings.optimizer),
                settings.label_smoothing,
            ]
        )
    loop = idle_loops.take(key)
    if loop is None:
        loop = _compile_loop(spec, start, settings, callbacks)
        loop.key = key if loop.first_state is not None else None
    else:
        start.put_into(loop.model)
        if loop.numbers is not None:
            loop.numbers.set(spec)
    return loop


def _compile_loop(spec, start, settings, callbacks):
    """Return a new loop with a new model."""
    numbers = None
    if is_ours(spec):
        dtype = training_dtype(spec, settings.precision)
        with isolated_names():
            if _has_numbers(settings):
                numbers = TrainingNumbers(spec)
                model = numbers.build(spec, dtype)
            else:
                model = build_blank(spec, dtype)
                if keras.backend.backend() == "tensorflow":
                    use_own_calls(model)
    elif start.model is not None:
        model = start.model
    else:
        model = rebuild(start.description.config, start.description.custom_objects)
    # Callbacks may keep them for a builder, which must not return them.
    trained_layers.update(layer for layer in all_layers(model) if layer.weights)
    start.put_into(model)  # first, because the optimizer may copy the weights
    # The policy of the process could wrap the optimizer.
    model.dtype_policy = keras.dtype_policies.DTypePolicy("float32")
    loop_class = _loop_class(callbacks, model)
    loss = make_loss(settings.label_smoothing, dtype=model.outputs[0].dtype)
    loop = loop_class(model, settings.optimizer, loss)
    loop.numbers = numbers
    loop.first_state = first_state(loop.optimizer)
    return loop


def give_back(loop, callbacks):
    """Keep a loop for later fits, if they may use it."""
    if loop.key is not None:
        for callback in callbacks:  # which the user may keep
            callback.set_model(None)
        idle_loops.put(loop.key, loop)


def _has_numbers(settings):
    """Return whether a step reads dropout rates and penalties from variables."""
    # Other backends compile them.
    return keras.backend.backend() == "tensorflow" and all(
        map(only_watches, settings.callbacks)
    )


def training_dtype(spec, precision):
    """Return the Keras policy for training a network of this package."""
    is_quick = (
        precision == "auto"
        and "filters" in builder_arguments(spec)  # dense layers gain nothing
        and keras.backend.backend() == "tensorflow"
        and bfloat16_is_quick()
        # GPUs were not measured; many emulate bfloat16.
        and not keras.distribution.list_devices("gpu")
    )
    if is_quick or precision == "bfloat16":
        return "mixed_bfloat16"
    return builder_arguments(spec)["dtype"]


def surroundings():
    """Return the settings of the process on which training depends."""
    names = "backend", "epsilon", "floatx", "image_data_format"
    found = {name: getattr(keras.config, name)() for name in names}
    policy = keras.dtype_policies.serialize(keras.config.dtype_policy())
    return found | {"policy": policy, "memory_loop": _may_use_memory_loop()}


def _may_use_memory_loop():
    switch = os.environ.get("SKMNIST_KERAS_LOOP", "").lower()
    return (
        keras.backend.backend() == "tensorflow"
        and not has_replicas()
        and switch in ("", "0", "false", "no", "off")
    )


def _loop_class(callbacks, model=None):
    """Return the fastest loop for callbacks and a model, None for one of ours."""
    if _may_use_memory_loop() and MemoryLoop.suits(callbacks, model):
        return MemoryLoop
    from skmnist._training.keras_loop import KerasLoop

    return KerasLoop
