"""The models that a command is given by name, and their parameters."""

import ast

from skmnist._configuration import configure, misfit
from skmnist._suggestions import suggestion
from skmnist.cli._errors import BadInput, bad_input

_WORDS = {"true": True, "false": False, "none": None}
_OPENING = "([{'\""
# Parameters that a command line cannot give, and what does.
_ELSEWHERE = {
    "callbacks": "it takes objects of Keras; give them in Python, to the classifier",
    "random_state": "--seed sets it",
}


def resolve_names(text=None):
    """Resolve names with commas, where "networks" and "baselines" mean all of them.

    Without a text all models are meant but the costly ones. Returns for each name
    whether it was given itself, and not as one of a group.
    """
    from skmnist.networks import ARCHITECTURES
    from skmnist.pipelines import check_name, model_names

    if text is None:
        costly = {name for name, made in ARCHITECTURES.items() if made.is_costly}
        return {name: False for name in model_names() if name not in costly}
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
        if hint := suggestion(name, groups):
            raise BadInput(f"There is no model {name!r}.{hint}")
        with bad_input():
            check_name(name)
    return chosen


def fitting_models(chosen, image_set, **settings):
    """Make the models that can take images of this size.

    Returns them by name, and why the others of a group are left out. A model that was
    given by its own name is refused.
    """
    from skmnist.pipelines import make_model

    models, left_out = {}, {}
    for name, by_name in chosen.items():
        model = configure(name, make_model(name), image_set, **settings)
        problem = misfit(model, image_set)
        if problem is None:
            models[name] = model
        elif by_name:
            check_fit(name, model, image_set)
        else:
            # The rest is advice for those who make a network of their own.
            left_out[name] = f"{problem.partition('. ')[0].rstrip('.')}."
    return models, left_out


def check_fit(name, model, image_set):
    """Refuse a network that is too deep for images of this size."""
    problem = misfit(model, image_set)
    if problem is not None:
        raise BadInput(f"{name}: {problem}")


def parse_params(texts):
    """Turn texts such as "dropout=0.3" into a dict of names and values.

    Values are numbers, strings, true, false, none, or lists of these with commas.
    Raises BadInput if a text has no "=", a name comes twice or cannot be given like
    this, or a bracket or quotation mark is missing.
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
