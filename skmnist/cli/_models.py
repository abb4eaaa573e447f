"""Models by name, set up for an image set and told to report their progress."""

import ast
import math
from dataclasses import dataclass

from skmnist.cli._errors import BadInput, bad_input

_PLAIN = (bool, int, float, str)
_WORDS = {"true": True, "false": False, "none": None}


@dataclass(frozen=True)
class ModelSummary:
    """Name, kind ("network" or "baseline") and description of a model."""

    name: str
    kind: str
    summary: str


def list_models():
    """Describe all models that can be made by name."""
    from skmnist.baselines import BASELINES
    from skmnist.networks import ARCHITECTURES
    from skmnist.pipelines import model_names

    described = {**ARCHITECTURES, **BASELINES}
    return [
        ModelSummary(name, kind, described[name].summary)
        for kind in ("network", "baseline")
        for name in model_names(kind)
    ]


def resolve_names(text):
    """Return the names in a list with commas; "networks" and "baselines" mean all.

    Raises
    ------
    BadInput
        If a name is unknown or given twice, or there is none.
    """
    from skmnist.pipelines import make_model, model_names

    groups = {f"{kind}s": model_names(kind) for kind in ("network", "baseline")}
    names = []
    for word in filter(None, map(str.strip, text.split(","))):
        names += groups.get(word, [word])
    if not names:
        raise BadInput("--models names no model.")
    for name in names:
        if names.count(name) > 1:
            raise BadInput(f"The model {name!r} is given more than once.")
        with bad_input():
            make_model(name)
    return names


def fitting_names(image_set):
    """Return the names of all models that can take images of this size."""
    from skmnist.pipelines import model_names

    return [
        name
        for name in model_names()
        if _misfit(configured_model(name, image_set), image_set) is None
    ]


def configured_model(name, image_set, *, seed=None, epochs=None, params=None):
    """Make a model for an image set.

    Parameters
    ----------
    name : str
        Name of the model.
    image_set : ImageSet
        Says the height and width of the images.
    seed : int, default=None
        Random state of the classifier, if it has one.
    epochs : int, default=None
        Passes over the training data, for a network.
    params : dict, default=None
        Parameters by name; they have precedence.

    Returns
    -------
    Pipeline
        Not fitted.

    Raises
    ------
    BadInput
        If there is no such model or parameter.
    """
    from skmnist.pipelines import make_model

    with bad_input():
        known = make_model(name).get_params()
    height, width = image_set.image_shape
    settings = {}
    if "clf__random_state" in known:
        settings["clf__random_state"] = seed
    if "clf__image_shape" in known and height != width:
        settings["clf__image_shape"] = image_set.image_shape
    if epochs is not None and has_epochs(known):
        settings["clf__epochs"] = epochs
    for key, value in (params or {}).items():
        settings[key if "__" in key else f"clf__{key}"] = value
    with bad_input():
        return make_model(name, **settings)


def has_epochs(model_params):
    """Whether a model with these parameters is trained in epochs."""
    return "clf__epochs" in model_params


def plain_parameters(model):
    """Return the parameters of a model's classifier as JSON can hold them.

    Parameters
    ----------
    model : classifier or Pipeline
        The model.

    Returns
    -------
    dict of str to object
        Numbers, texts, truth values and None as they are, lists of these likewise,
        everything else as text.
    """
    classifier = model[-1] if hasattr(model, "named_steps") else model
    return {
        name: _plain_value(value)
        for name, value in classifier.get_params(deep=False).items()
    }


def _plain_value(value):
    if isinstance(value, list | tuple):
        return [_plain_value(part) for part in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    return value if value is None or isinstance(value, _PLAIN) else str(value)


def check_fit(name, model, image_set):
    """Refuse a network that is too deep for images of this size."""
    misfit = _misfit(model, image_set)
    if misfit is not None:
        raise BadInput(f"{name}: {misfit}")


def _misfit(model, image_set):
    """Say why a model cannot take images of this size, or return None."""
    from skmnist.networks import convolution_plan

    names = ("filters", "kernel_size", "pool_size", "padding")
    params = model[-1].get_params()
    if not params.keys() >= set(names):
        return None
    try:
        convolution_plan((*image_set.image_shape, 1), *(params[name] for name in names))
    except ValueError as error:
        return error
    except TypeError:
        return None  # a parameter of a wrong kind, which fit explains better
    return None


def report_epochs(model, on_epoch):
    """Let a network call ``on_epoch(n_done, n_epochs, logs)`` after each epoch.

    What `on_epoch` returns ends training with this epoch if it is true.

    Parameters
    ----------
    model : Pipeline
        Changed in place; a model that has no epochs stays as it is.
    on_epoch : callable
        Not copied by the fit.
    """
    if not has_epochs(model.get_params()):
        return

    # A function: unlike an object it is not copied with the model.
    def make_callback():
        from skmnist._callbacks import EpochReport

        return EpochReport(on_epoch)

    model.set_params(clf__callbacks=[make_callback])


def parse_params(texts):
    """Turn texts such as "dropout=0.3" into a dict of names and values.

    Values are numbers, strings, true, false, none, or lists of these with commas.

    Raises
    ------
    BadInput
        If a text has no "=", or a name comes twice.
    """
    params = {}
    for text in texts:
        name, equals, value = text.partition("=")
        name, value = name.strip(), value.strip()
        if not equals or not name or not value:
            raise BadInput(
                f"--param needs KEY=VALUE, such as dropout=0.3; got {text!r}."
            )
        if name in params:
            raise BadInput(f"--param {name} is given more than once.")
        if name.removeprefix("clf__") in ("callbacks", "random_state"):
            raise BadInput(
                f"--param {name} cannot be given here; --seed sets the random state."
            )
        params[name] = _parse_value(value)
    return params


def _parse_value(text):
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
