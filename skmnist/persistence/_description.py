"""Fitted models as plain data: a description for JSON, and arrays by name."""

from sklearn.pipeline import Pipeline

from skmnist.persistence._classifiers import (
    CLASSIFIERS,
    describe_classifier,
    rebuild_classifier,
)
from skmnist.persistence._parameters import build, describe_parameters, not_writable
from skmnist.persistence._schema import ModelFileError, check, check_keys, shortened
from skmnist.persistence._transformers import (
    TRANSFORMERS,
    describe_transformer,
    rebuild_transformer,
)

__all__ = ["check_parts", "describe", "rebuild"]

_PIPELINE_PARAMETERS = ("transform_input", "verbose")


def check_parts(model):
    """Refuse a model with parts that a safetensors file cannot hold.

    Parameters
    ----------
    model : estimator
        Fitted or not.

    Raises
    ------
    TypeError
        If a part is of another class than those that can be described.
    """
    *before, (_, classifier) = _steps(model)
    for _, step in before:
        if (
            step not in (None, "passthrough")
            and type(step) not in TRANSFORMERS.values()
        ):
            raise not_writable(
                f"the step {type(step).__name__}, only "
                f"{' and '.join(TRANSFORMERS)} of this package"
            )
    if type(classifier) not in CLASSIFIERS.values():
        name = type(classifier).__name__
        if hasattr(classifier, "best_estimator_"):
            raise not_writable(
                f"a search such as {name}",
                "Save its best_estimator_, or save the search to a .joblib file.",
            )
        raise not_writable(f"{name}, only network classifiers of this package")


def _steps(model):
    return model.steps if type(model) is Pipeline else [(None, model)]


def describe(model):
    """Return a fitted model as plain data.

    Parameters
    ----------
    model : classifier or Pipeline
        A network classifier of this package, alone or after transformers of it.

    Returns
    -------
    described : dict
        Ready for JSON.
    tensors : dict of str to ndarray
        Arrays by name.
    lost : list of str
        Settings of training that are no plain data, and are left out.

    Raises
    ------
    TypeError
        If a part cannot be described.
    """
    check_parts(model)
    *before, (last_name, classifier) = _steps(model)
    last, tensors, lost = describe_classifier(classifier)
    if type(model) is not Pipeline:
        return last, tensors, lost
    params = {name: getattr(model, name, None) for name in _PIPELINE_PARAMETERS}
    if model.memory is not None:
        lost.append(f"memory={shortened(model.memory)}")
    known = {"steps", "memory", *_PIPELINE_PARAMETERS}
    lost += [name for name in vars(model) if name not in known]
    steps = [
        [name, describe_transformer(s) if type(s) in TRANSFORMERS.values() else s]
        for name, s in before
    ]
    described = {
        "class": "Pipeline",
        "parameters": describe_parameters(model, params),
        "steps": [*steps, [last_name, last]],
    }
    return described, tensors, lost


def rebuild(described, tensors):
    """Return the fitted model of a description, after all of it was checked.

    Parameters
    ----------
    described : object
        The description.
    tensors : dict of str to ndarray
        Arrays by name, which are all of the model's.

    Returns
    -------
    classifier or Pipeline
        The model.

    Raises
    ------
    ModelFileError
        If something is missing, unknown or not as it must be.
    """
    tensors = dict(tensors)
    if _class_of(described, "model") == "Pipeline":
        model = _rebuild_pipeline(described, tensors)
    else:
        model = _rebuild_step(described, tensors, "model", CLASSIFIERS)
    if tensors:
        raise ModelFileError(
            f"it has the tensor {shortened(min(tensors))}, which the model does not use"
        )
    return model


def _class_of(described, place):
    if not isinstance(described, dict) or not isinstance(described.get("class"), str):
        raise ModelFileError(f"{place} must be an object with the name of a class")
    return described["class"]


def _rebuild_step(described, tensors, place, allowed):
    name = _class_of(described, place)
    if name not in allowed:
        raise ModelFileError(
            f"{place}.class must be one of {', '.join(allowed)}; got {shortened(name)}"
        )
    if name in CLASSIFIERS:
        return rebuild_classifier(described, tensors, place)
    return rebuild_transformer(described, place)


def _rebuild_pipeline(described, tensors):
    check_keys(described, "model", ("class", "parameters", "steps"))
    steps = check(
        described["steps"],
        "model.steps",
        "a list of pairs of a name and a step, each name once, without '__'",
        _are_steps,
    )
    fitted = []
    for place, (name, step) in enumerate(steps):
        allowed = TRANSFORMERS if place < len(steps) - 1 else CLASSIFIERS
        if not (allowed is TRANSFORMERS and step in (None, "passthrough")):
            step = _rebuild_step(step, tensors, f"model.steps[{place}]", allowed)
        fitted.append((name, step))
    sizes = {s.n_features_in_ for _, s in fitted if s not in (None, "passthrough")}
    if len(sizes) > 1:
        raise ModelFileError(f"the steps take images of different sizes: {sizes}")
    check_keys(described["parameters"], "model.parameters", _PIPELINE_PARAMETERS)
    return build(Pipeline, described["parameters"], "model", steps=fitted)


def _are_steps(value):
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(p, list) and len(p) == 2 for p in value):
        return False
    names = [name for name, _ in value]
    return (
        all(isinstance(name, str) and name and "__" not in name for name in names)
        and len(set(names)) == len(names)
        and not {"steps", "memory", *_PIPELINE_PARAMETERS} & set(names)
    )
