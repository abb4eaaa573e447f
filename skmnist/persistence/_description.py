"""Fitted models as plain data: a description for JSON, and arrays by name."""

import inspect
import re
from itertools import pairwise
from math import prod

import numpy as np
from sklearn.pipeline import Pipeline

from skmnist import classifiers
from skmnist._fit_tasks import is_for_callbacks
from skmnist.classifiers import KerasImageClassifier
from skmnist.persistence._networks import (
    BUILDER,
    LABELS,
    NETWORK,
    TRAINING,
    check_arguments,
    describe_labels,
    describe_network,
    describe_training,
    is_keras_optimizer,
    plain_optimizer,
    rebuild_labels,
    rebuild_network,
    rebuild_training,
)
from skmnist.persistence._schema import (
    ANYTHING,
    BOOL,
    NAME,
    NUMBER,
    OBJECT,
    PLAIN,
    ModelFileError,
    Rule,
    check,
    count,
    is_list,
    is_name,
    is_number,
    is_string,
    not_writable,
    one_of,
    or_null,
    plain,
    shape,
    shortened,
    written,
)
from skmnist.persistence._values import NotPlainError, encoded
from skmnist.preprocessing import (
    Augmentation,
    Deskewer,
    DigitExtractor,
    DigitNormalizer,
    HOGTransformer,
    ImageScaler,
)

__all__ = ["check_parts", "describe", "rebuild"]

_CLASSIFIERS = {
    name: getattr(classifiers, name)
    for name in classifiers.__all__
    if name.startswith("Keras")
}
_TRANSFORMERS = {
    cls.__name__: cls
    for cls in (ImageScaler, Deskewer, DigitNormalizer, HOGTransformer, DigitExtractor)
}
_PIPELINE_PARAMETERS = ("transform_input", "verbose")
_NO_STEPS = (None, "passthrough")
# Parameters of training that may be no plain data, and what replaces them in a
# model that is loaded without them.
_REPLACED = {
    "optimizer": "adam",
    "callbacks": None,
    "memory": None,
    "random_state": None,
}


def _not_plain(value):
    """Refuse a memory: a file that is safe to load must not lead to its pickles."""
    raise NotPlainError(f"got {shortened(value)}")


# Of the constructor parameters, those that the classes themselves check too little.
_PARAMETERS = {
    "activation": NAME,
    "kernel_initializer": NAME,
    "optimizer": plain(
        "a plain name or the description of an optimizer of Keras",
        lambda value: is_name(value) or is_keras_optimizer(value),
        plain_optimizer,
    ),
    "builder": BUILDER,
    "memory": or_null(Rule("null", lambda value: False, write=_not_plain)),
    "augmentation": or_null(
        Rule(
            "the parameters of an Augmentation",
            lambda value: isinstance(value, dict) and _is_augmentation(value),
            lambda value: Augmentation(**value),
            lambda augmentation: encoded(augmentation.get_params()),
        )
    ),
}
# Types of pixels, by the names of NumPy.
_DTYPES = {
    dtype.str: dtype
    for code in "?bBhHiIqQefd"
    for dtype in (np.dtype(f"<{code}"), np.dtype(f">{code}"))
}


def _is_augmentation(parameters):
    try:
        Augmentation(**parameters)._validate_params()
    except (TypeError, ValueError):
        return False
    return True


def _name_of(dtype):
    if dtype.str not in _DTYPES:
        raise NotPlainError(f"{dtype} is not a type of pixels")
    return dtype.str


def _names(read):
    n_features = read["n_features_in_"]
    names = Rule(
        f"a list of {n_features} strings",
        lambda value: is_list(value, is_string, (n_features,)),
        lambda names: np.array(names, dtype=object),
        lambda names: [str(name) for name in names],
    )
    return or_null(names, is_left_out=True)


def _image_shape(read):
    return or_null(shape(3, size=read["n_features_in_"]))


def _sample_shape(read):
    return or_null(shape(1, 2, 3, size=read["n_features_in_"]), is_left_out=True)


def _is_history(value):
    return isinstance(value, dict) and all(
        is_string(name) and is_list(curve, lambda number: type(number) in (int, float))
        for name, curve in value.items()
    )


_DTYPE = one_of(_DTYPES, _name_of, "a numeric type of NumPy")
_FIT_ID = Rule(
    "a name of hexadecimal digits",
    lambda value: is_string(value) and re.fullmatch("[0-9a-f]{1,64}", value),
)
_PIXEL_RANGE = Rule(
    "the lowest and the highest pixel",
    lambda value: is_list(value, is_number, (2,)) and value[0] <= value[1],
    lambda ends: tuple(map(float, ends)),
    lambda ends: list(map(float, ends)),
)
_CONTAINER = or_null(one_of(("default", "pandas", "polars")))
# What each class learns in a fit. The attributes are called the same, but begin with
# "_" where they do not end in it. One image of 2**28 pixels takes a gigabyte, and what
# a file says of its images may be more than it holds in weights.
_INPUT = {
    "n_features_in_": count(1, 2**28),
    "feature_names_in_": _names,
    "sample_shape": _sample_shape,
}
_CLASSIFIER = {
    **_INPUT,
    "classes_": LABELS,
    "history_": plain("an object with a list of numbers for each name", _is_history),
    "n_iter_": count(),
    "fit_id_": or_null(_FIT_ID, is_left_out=True),
    "image_shape": _image_shape,
    "pixel_range": or_null(_PIXEL_RANGE),
}
_TRANSFORMER = {
    **_INPUT,
    "image_shape_": _image_shape,
    "shape_is_known": or_null(BOOL),
    "sample_dtype": or_null(_DTYPE, is_left_out=True),
}
_SCALER = {**_TRANSFORMER, "dtype_": _DTYPE, "data_min_": NUMBER, "data_max_": NUMBER}


def _are_steps(value):
    if not value or not is_list(value, lambda v: is_list(v, lambda _: True, (2,))):
        return False
    names = [name for name, _ in value]
    return (
        all(is_string(name) and name and "__" not in name for name in names)
        and len(set(names)) == len(names)
        and not {"steps", "memory", *_PIPELINE_PARAMETERS} & set(names)
    )


_STEPS = Rule(
    "a list of pairs of a name and a step, each name once, without '__'", _are_steps
)


def _whole(**more):
    return {"class": ANYTHING, "parameters": OBJECT, **more}


# All that a description has of an object of each class.
_RULES = {
    **dict.fromkeys(
        _CLASSIFIERS.values(),
        _whole(fitted=_CLASSIFIER, network=NETWORK, training=TRAINING),
    ),
    **dict.fromkeys(
        _TRANSFORMERS.values(), _whole(fitted=_TRANSFORMER, output=_CONTAINER)
    ),
    ImageScaler: _whole(fitted=_SCALER, output=_CONTAINER),
    Pipeline: _whole(steps=_STEPS),
}


def check_parts(model):
    """Refuse a model with parts that a safetensors file cannot hold, fitted or not."""
    *before, (_, classifier) = _steps(model)
    for _, step in before:
        if step not in _NO_STEPS and type(step) not in _TRANSFORMERS.values():
            raise not_writable(
                f"the step {type(step).__name__}, only "
                f"{', '.join(_TRANSFORMERS)} of this package"
            )
    if type(classifier) not in _CLASSIFIERS.values():
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
    """Return a fitted model for JSON, its arrays by name, and what is lost of it."""
    check_parts(model)
    *before, (last_name, classifier) = _steps(model)
    last, tensors, lost = _described_classifier(classifier)
    if type(model) is not Pipeline:
        return last, tensors, lost
    params = {name: getattr(model, name, None) for name in _PIPELINE_PARAMETERS}
    if model.memory is not None:
        lost.append(f"memory={shortened(model.memory)}")
    known = {"steps", "memory", *_PIPELINE_PARAMETERS}
    lost += _others(model, known)
    steps = [
        [name, step if step in _NO_STEPS else _described_transformer(step)]
        for name, step in before
    ]
    described, _ = _described(model, params)
    return described | {"steps": [*steps, [last_name, last]]}, tensors, lost


def _described(estimator, params, **ready):
    """Return class, parameters and what was fitted for JSON, and what is lost."""
    cls, lost = type(estimator), []
    rules = {name: _PARAMETERS.get(name, PLAIN) for name in params}
    for name in [name for name in _REPLACED if name in params]:
        try:
            written(params, {name: rules[name]}, cls.__name__)
        except TypeError:
            lost.append(f"{name}={shortened(params[name])}")
            params = params | {name: _REPLACED[name]}
    params = written(params, rules, cls.__name__)
    described = {"class": cls.__name__, "parameters": params}
    if rules := _RULES[cls].get("fitted"):
        values = {name: getattr(estimator, _attribute(name), None) for name in rules}
        described["fitted"] = written(values | ready, rules, cls.__name__)
    return described, lost


def _others(estimator, known):
    """List the attributes that a file does not hold. Callbacks are not missed."""
    return [
        name
        for name in vars(estimator)
        if name not in known and not is_for_callbacks(name)
    ]


def _attribute(name):
    return name if name.endswith("_") else f"_{name}"


def _described_classifier(classifier):
    network, tensors = describe_network(classifier)
    training, arrays, lost_state = describe_training(classifier)
    classes, labels = describe_labels(classifier.classes_)
    params = classifier.get_params(deep=False)
    described, lost = _described(classifier, params, classes_=classes)
    known = {*params, *map(_attribute, _CLASSIFIER)}
    known |= {"_network", "_split_seed", "_training"}
    more = _others(classifier, known)
    lost += [*lost_state, *(name.strip("_").replace("_", " ") for name in more)]
    described |= {"network": network, "training": training}
    return described, {**tensors, **arrays, **labels}, lost


def _described_transformer(transformer):
    described, _ = _described(transformer, transformer.get_params(deep=False))
    # What set_output was given, for which scikit-learn has no public name.
    config = getattr(transformer, "_sklearn_output_config", {})
    return described | {"output": config.get("transform")}


def rebuild(described, tensors):
    """Return the fitted model of a description and all its arrays, after a check."""
    tensors = dict(tensors)
    if _class_of(described, "model") == "Pipeline":
        model = _rebuilt_pipeline(described, tensors)
    else:
        model = _rebuilt_step(described, tensors, "model", _CLASSIFIERS)
    if tensors:
        raise ModelFileError(
            f"it has the tensor {shortened(min(tensors))}, which the model does not use"
        )
    return model


def _class_of(described, place):
    if not isinstance(described, dict) or not is_string(described.get("class")):
        raise ModelFileError(f"{place} must be an object with the name of a class")
    return described["class"]


def _rebuilt_pipeline(described, tensors):
    read = check(described, _RULES[Pipeline], "model")
    fitted, last = [], len(read["steps"]) - 1
    for index, (name, step) in enumerate(read["steps"]):
        classes = _TRANSFORMERS if index < last else _CLASSIFIERS
        if index == last or step not in _NO_STEPS:
            step = _rebuilt_step(step, tensors, f"model.steps[{index}]", classes)
        fitted.append((name, step))
    steps = [step for _, step in fitted if step not in _NO_STEPS]
    for step, following in pairwise(steps):
        made = getattr(step, "_n_features_out", step.n_features_in_)
        if made != following.n_features_in_:
            raise ModelFileError(
                f"{type(step).__name__} makes rows of {made} numbers, but "
                f"{type(following).__name__} takes {following.n_features_in_}"
            )
    return _build(
        Pipeline, read["parameters"], "model", _PIPELINE_PARAMETERS, steps=fitted
    )


def _rebuilt_step(described, tensors, place, classes):
    """Return a fitted step of one of some classes, after a check."""
    cls = check(_class_of(described, place), one_of(classes), f"{place}.class")
    read = check(described, _RULES[cls], place)
    step = _build(cls, read["parameters"], place, inspect.signature(cls).parameters)
    for name, value in read["fitted"].items():
        setattr(step, _attribute(name), value)
    if classes is _CLASSIFIERS:
        _set_network(step, read, tensors, place)
    else:
        _check_transformer(step, f"{place}.fitted")
        if read["output"] is not None:
            step.set_output(transform=read["output"])
    return step


def _build(cls, described, place, names, **given):
    """Return an estimator with parameters of a description, after a check."""
    place = f"{place}.parameters"
    rules = {name: _PARAMETERS.get(name, PLAIN) for name in names}
    params = check(described, rules, place, optional=True)
    try:
        estimator = cls(**params, **given)
        estimator._validate_params()
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{place}: {error}") from error
    return estimator


def _set_network(classifier, read, tensors, place):
    """Set what a classifier has learned, after a check that all of it agrees."""
    if isinstance(classifier, KerasImageClassifier):
        where = f"{place}.parameters.builder_params"
        params = classifier.builder_params
        check_arguments(classifier.builder, {} if params is None else params, where)
    else:
        classifier._check_layers()
    network = rebuild_network(read["network"], tensors, f"{place}.network")
    spec, n_features = network.spec, classifier.n_features_in_
    if classifier._builder not in (None, spec.builder):
        raise ModelFileError(f"{place} has the network of another class")
    if prod(spec.input_shape) != n_features:
        raise ModelFileError(
            f"{place}.fitted.n_features_in_ is {n_features}, and the network takes "
            f"{spec.input_shape}"
        )
    where = f"{place}.fitted.classes_"
    labels = rebuild_labels(**classifier.classes_, tensors=tensors, place=where)
    if len(labels) != spec.n_classes:
        raise ModelFileError(
            f"{where} has {len(labels)} labels, and the network {spec.n_classes} "
            "classes"
        )
    training, where = read["training"], f"{place}.training"
    classifier.classes_, classifier._network = labels, network
    classifier._split_seed = training.pop("split_seed")
    classifier._training = rebuild_training(training, tensors, where)


def _check_transformer(transformer, place):
    is_scaler = isinstance(transformer, ImageScaler)
    is_flat = is_scaler and transformer.layout == "flat"
    if transformer.image_shape_ is None and not is_flat:
        raise ModelFileError(f"{place}.image_shape_ must not be null")
    if is_scaler and transformer.data_min_ > transformer.data_max_:
        raise ModelFileError(f"{place}.data_min_ is above data_max_")
