"""Building networks from a specification and a seed, and describing them as data."""

import contextlib
from numbers import Number

import numpy as np

from skmnist._forward import rebuild
from skmnist._keras import as_arrays, isolated_build, keras, seeded_globals
from skmnist.networks import build_cnn, build_mlp

__all__ = ["build", "describe", "is_ours"]


def build(spec, seed):
    """Call a builder with initial weights that depend on the seed alone.

    Parameters
    ----------
    spec : NetworkSpec
        The builder and its arguments.
    seed : int
        Seed of the initial weights.

    Returns
    -------
    keras.Model
        A model that is not compiled.

    Raises
    ------
    TypeError, ValueError
        If what the builder returns is no classifier of such images.
    """
    with contextlib.ExitStack() as stack:
        stack.enter_context(isolated_build(seed))
        if not is_ours(spec):
            stack.enter_context(seeded_globals(seed))
        model = spec.builder(spec.input_shape, spec.n_classes, **spec.parameters)
    if not isinstance(model, keras.Model):
        raise TypeError(
            f"The builder {spec.builder!r} must return a keras.Model; "
            f"got {type(model).__name__}."
        )
    takes = [tuple(tensor.shape) for tensor in getattr(model, "inputs", None) or ()]
    if not takes:
        raise ValueError(
            f"The builder {spec.builder!r} returned a model whose input shape is not "
            "known: let it be a functional or sequential model that begins with "
            f"keras.Input({spec.input_shape})."
        )
    if len(takes) != 1 or not _fits((None, *spec.input_shape), takes[0]):
        raise ValueError(
            f"The builder {spec.builder!r} must return a model with one input of the "
            f"shape {(None, *spec.input_shape)}; got {', '.join(map(str, takes))}."
        )
    if model.output_shape != (None, spec.n_classes):
        raise ValueError(
            f"The builder {spec.builder!r} must return a model whose output has the "
            f"shape (None, {spec.n_classes}), one probability a class; "
            f"got {model.output_shape}."
        )
    model.compiled = False  # loss and optimizer are the classifier's
    return model


def is_ours(spec):
    """Tell whether a network is of this package, without code of anybody else's.

    Its description then says all about it, today and in a later fit.

    Parameters
    ----------
    spec : NetworkSpec
        The builder and its arguments.

    Returns
    -------
    bool
        Whether the builder is ours and its arguments are plain data.
    """
    return spec.builder in (build_cnn, build_mlp) and all(
        map(_is_plain, spec.parameters.values())
    )


def _is_plain(value):
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    if isinstance(value, str):  # which may name something of the user's
        return keras.saving.get_registered_object(value) is None
    return value is None or isinstance(value, Number)


def _fits(shape, accepted):
    """Tell whether a shape is one that is accepted, where None stands for any size."""
    return len(shape) == len(accepted) and all(
        allowed in (None, size) for size, allowed in zip(shape, accepted, strict=True)
    )


def describe(model, samples):
    """Return the description of a model, and its layer classes that Keras lacks.

    Parameters
    ----------
    model : keras.Model
        The model.
    samples : ndarray or None
        With samples, what is rebuilt from the description must give for them what
        the model gives: it is the description that predicts.

    Returns
    -------
    config : str
        As :meth:`keras.Model.to_json` writes it.
    custom_objects : dict of str to type
        Layer classes by name.

    Raises
    ------
    ValueError
        If the description is not all of the network, or the network gives no
        probabilities.
    """
    custom_objects = {
        type(part).__name__: type(part)
        for part in (model, *model._flatten_layers())
        if not type(part).__module__.startswith("keras.")
    }
    try:
        config = model.to_json()
        if samples is None:
            return config, custom_objects
        rebuilt = rebuild(config, custom_objects)
        rebuilt.set_weights(model.get_weights())
    except Exception as error:
        raise ValueError(
            "The network cannot be described as data, which saving and predicting "
            "need: every layer must be one of Keras' own or a class with get_config, "
            "without Lambda layers or functions that Keras does not know. Keras says: "
            f"{error}"
        ) from error
    wanted, given = (
        as_arrays([network(samples, training=False)])[0].astype(np.float64)
        for network in (model, rebuilt)
    )
    if (wanted < 0).any() or not np.allclose(wanted.sum(axis=1), 1, atol=1e-2):
        raise ValueError(
            "The network must give probabilities, at least 0 and of the sum 1 for each "
            "image: end it with a softmax. For the first image it gives "
            f"{wanted[0].round(3).tolist()}."
        )
    if not np.allclose(wanted, given, rtol=1e-3, atol=1e-5):
        raise ValueError(
            "The description of the network does not give the same network, so it "
            "could not predict as it was trained. A get_config may leave out an "
            "argument, two layer classes may share a name, or a layer may have been "
            "adapted to data: give Normalization its mean and variance instead."
        )
    return config, custom_objects
