"""Models by name, set up for an image set and told to report their progress."""

import ast
import math
from dataclasses import dataclass
from difflib import get_close_matches

from skmnist.cli._errors import BadInput, bad_input

_PLAIN = (bool, int, float, str)
_WORDS = {"true": True, "false": False, "none": None}
_OPENING = "([{'\""
# Parameters that a command line cannot give, and what does.
_ELSEWHERE = {
    "callbacks": "it takes objects of Keras; give them in Python, to the classifier",
    "random_state": "--seed sets it",
}


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


def resolve_names(text=None):
    """Resolve a list of models with commas, where "networks" and "baselines" mean all.

    Parameters
    ----------
    text : str, default=None
        The list; None means all models.

    Returns
    -------
    dict of str to bool
        For every model whether it was asked for by its own name, and not as one of
        a group.

    Raises
    ------
    BadInput
        If a name is unknown or given twice, or there is none.
    """
    from skmnist.pipelines import make_model, model_names

    if text is None:
        return dict.fromkeys(model_names(), False)
    groups = {f"{kind}s": model_names(kind) for kind in ("network", "baseline")}
    chosen = {}
    for word in filter(None, map(str.strip, text.split(","))):
        for name in groups.get(word, [word]):
            if name in chosen:
                raise BadInput(f"The model {name!r} is given more than once.")
            chosen[name] = word not in groups
    if not chosen:
        raise BadInput("--models names no model.")
    for name in chosen:
        close = get_close_matches(name, groups, n=1)
        if close:
            raise BadInput(f"There is no model {name!r}: did you mean {close[0]!r}?")
        with bad_input():
            make_model(name)
    return chosen


def fitting_names(chosen, image_set):
    """Leave out the models of a group that cannot take images of this size.

    Parameters
    ----------
    chosen : dict of str to bool
        As :func:`resolve_names` makes it.
    image_set : ImageSet
        Says the height and width of the images.

    Returns
    -------
    names : list of str
        The models that can.
    left_out : dict of str to str
        The others, and why.

    Raises
    ------
    BadInput
        If a model that was asked for by its own name cannot.
    """
    names, left_out = [], {}
    for name, by_name in chosen.items():
        model = configured_model(name, image_set)
        misfit = _misfit(model, image_set)
        if misfit is None:
            names.append(name)
        elif by_name:
            check_fit(name, model, image_set)
        else:
            # The rest is advice for those who make a network of their own.
            left_out[name] = f"{str(misfit).partition('. ')[0].rstrip('.')}."
    return names, left_out


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
        # Under the name that was given, so that an error tells that one.
        settings.pop(f"clf__{key}", None)
        settings[key] = value
    with bad_input():
        return make_model(name, **settings)


def has_epochs(model_params):
    """Whether a model with these parameters is trained in epochs."""
    return "clf__epochs" in model_params


def n_epochs(model):
    """Return for how many epochs a model will be trained; None if it has none."""
    return model.get_params().get("clf__epochs")


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


def plain_history(model):
    """Return the learning curves of a fitted pipeline as JSON can hold them.

    Parameters
    ----------
    model : Pipeline
        Fitted.

    Returns
    -------
    dict of str to list, or None
        Values by epoch, None in place of NaN and infinity; None for a model without
        epochs.
    """
    history = getattr(model[-1], "history_", None)
    if history is None:
        return None
    return {
        name: [float(v) if math.isfinite(v) else None for v in values]
        for name, values in history.items()
    }


def check_fit(name, model, image_set):
    """Refuse a network that is too deep for images of this size."""
    misfit = _misfit(model, image_set)
    if misfit is not None:
        raise BadInput(
            f"{name}: {misfit} The named networks are made for images of 28×28 pixels, "
            "such as --dataset mnist has."
        )


def _misfit(model, image_set):
    """Say why a model cannot take images of this size, or return None."""
    from skmnist.networks._plans import convolution_plan

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
        from skmnist._training.callbacks import EpochReport

        return EpochReport(on_epoch)

    model.set_params(clf__callbacks=[make_callback])


def parse_params(texts):
    """Turn texts such as "dropout=0.3" into a dict of names and values.

    Values are numbers, strings, true, false, none, or lists of these with commas.

    Raises
    ------
    BadInput
        If a text has no "=", a name comes twice or cannot be given like this, or a
        value begins like a list or a string and is none.
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
        elsewhere = _ELSEWHERE.get(name.removeprefix("clf__"))
        if elsewhere is not None:
            raise BadInput(f"--param {name} cannot be given here: {elsewhere}.")
        try:
            params[name] = _parse_value(value)
        except ValueError:
            raise BadInput(
                f"--param {text} is not a number, word, list, tuple or dict as Python "
                "writes them; is a bracket or a quotation mark missing?"
            ) from None
    return params


def _parse_value(text):
    if text.lower() in _WORDS:
        return _WORDS[text.lower()]
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError) as error:
        if text[0] in _OPENING:
            raise ValueError(text) from error
        return text
