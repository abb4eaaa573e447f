"""Fitted models as plain data: a description for JSON, and arrays by name."""

import inspect
from math import prod

import numpy as np
from sklearn.pipeline import Pipeline

from skmnist.classifiers import (
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist.networks import build_cnn, build_mlp
from skmnist.persistence._networks import (
    BUILDERS,
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
    OBJECT,
    ModelFileError,
    Rule,
    check,
    count,
    is_name,
    is_number,
    not_writable,
    one_of,
    or_null,
    plain,
    shape,
    shortened,
)
from skmnist.persistence._values import NotPlainError, decoded, encoded
from skmnist.preprocessing import Deskewer, ImageScaler

__all__ = ["check_parts", "describe", "rebuild"]

# Each class with the builder of its networks; None for any.
_OWN_BUILDER = {
    KerasMLPClassifier: build_mlp,
    KerasDNNClassifier: build_mlp,
    KerasCNNClassifier: build_cnn,
    KerasImageClassifier: None,
}
_CLASSIFIERS = {cls.__name__: cls for cls in _OWN_BUILDER}
_TRANSFORMERS = {cls.__name__: cls for cls in (ImageScaler, Deskewer)}
# Parameters of training that may be no plain data, and what stands in their place in a
# model that is loaded without them.
_REPLACED = {"optimizer": "adam", "callbacks": None, "random_state": None}
# Of the constructor parameters, those that the classes themselves check too little.
_PARAMETERS = {
    "activation": NAME,
    "kernel_initializer": NAME,
    "optimizer": Rule(
        "a plain name or the description of an optimizer of Keras",
        lambda value: is_name(value) or is_keras_optimizer(value),
    ),
    "builder": one_of(BUILDERS),
}

# Types of pixels, by the names of NumPy.
_DTYPES = {
    dtype.str: dtype
    for code in ("?", "b", "B", *"hHiIqQefd")
    for dtype in (np.dtype(f"<{code}"), np.dtype(f">{code}"))
}


def _name_of(dtype):
    if dtype.str not in _DTYPES:
        raise NotPlainError(f"{dtype} is no type of pixels")
    return dtype.str


def _is_history(value):
    return isinstance(value, dict) and all(
        isinstance(name, str)
        and isinstance(values, list)
        and all(type(value) in (int, float) for value in values)
        for name, values in value.items()
    )


# What fits set, by the names in a description. Those attributes that are not public
# begin with "_". One image of 2**28 pixels takes a gigabyte, and what a file says of
# its images may be more than it holds in weights.
_DTYPE = one_of(_DTYPES, _name_of)._replace(words="a numeric type of NumPy")
_END = Rule("a finite number", is_number, float, float)
_INPUT = {
    "n_features_in_": count(1, 2**28),
    "feature_names_in_": lambda read: or_null(
        _names(read["n_features_in_"]), is_left_out=True
    ),
    "sample_shape": lambda read: or_null(
        shape(1, 2, 3, size=read["n_features_in_"]), is_left_out=True
    ),
}
_CLASSIFIER = {
    **_INPUT,
    "classes_": ANYTHING,
    "history_": plain("an object with a list of numbers for each name", _is_history),
    "n_iter_": count(),
    "fit_id_": or_null(
        Rule(
            "a name of hexadecimal digits",
            lambda value: (
                isinstance(value, str)
                and 0 < len(value) <= 64
                and set(value) <= set("0123456789abcdef")
            ),
        ),
        is_left_out=True,
    ),
    "image_shape": lambda read: or_null(shape(3, size=read["n_features_in_"])),
    "pixel_range": or_null(
        Rule(
            "the lowest and the highest pixel",
            lambda value: (
                isinstance(value, list)
                and len(value) == 2
                and all(map(is_number, value))
                and value[0] <= value[1]
            ),
            lambda ends: tuple(map(float, ends)),
            lambda ends: list(map(float, ends)),
        )
    ),
}
_TRANSFORMER = {
    **_INPUT,
    "image_shape_": lambda read: or_null(shape(3, size=read["n_features_in_"])),
    "shape_is_known": or_null(BOOL),
    "sample_dtype": or_null(_DTYPE, is_left_out=True),
}
_FITTED = {
    **dict.fromkeys(_OWN_BUILDER, _CLASSIFIER),
    Deskewer: _TRANSFORMER,
    ImageScaler: {
        **_TRANSFORMER,
        "dtype_": _DTYPE,
        "data_min_": _END,
        "data_max_": _END,
    },
}


def _names(n_features):
    return Rule(
        f"a list of {n_features} strings",
        lambda value: (
            isinstance(value, list)
            and len(value) == n_features
            and all(isinstance(name, str) for name in value)
        ),
        lambda names: np.array(names, dtype=object),
        lambda names: [str(name) for name in names],
    )


def _attribute(name):
    return name if name.endswith("_") else f"_{name}"


def _described_fitted(estimator):
    """Return what a fit has set, ready for JSON; for labels None."""
    described = {}
    for name, rule in _FITTED[type(estimator)].items():
        rule = rule(described) if callable(rule) else rule
        value = (
            None if name == "classes_" else getattr(estimator, _attribute(name), None)
        )
        described[name] = (
            None if value is None else _plain(estimator, name, value, rule.write)
        )
    return described


def _set_fitted(estimator, described, place):
    """Set what a fit has set, after it was checked."""
    rules = _FITTED[type(estimator)]
    for name, value in check(described, rules, place).items():
        rule = rules[name]
        rule = (
            rule({"n_features_in_": estimator.n_features_in_})
            if callable(rule)
            else rule
        )
        if value is not None or not rule.is_left_out:
            setattr(estimator, _attribute(name), value)


def _plain(estimator, name, value, write=encoded):
    """Return a part of an estimator ready for JSON."""
    try:
        return write(value)
    except NotPlainError as error:
        raise not_writable(
            f"{name}={shortened(value)} of {type(estimator).__name__}, which is no "
            "plain data"
        ) from error


def _described_parameters(estimator, params):
    return {name: _plain(estimator, name, value) for name, value in params.items()}


def _build(cls, described, place, **given):
    """Return an estimator with parameters of a description, after a check."""
    place = f"{place}.parameters"
    check(described, OBJECT, place)
    known = inspect.signature(cls).parameters
    params = {}
    for name, value in described.items():
        if name not in known:
            raise ModelFileError(
                f"{place} has {shortened(name)}, and {cls.__name__} has no such "
                "parameter in this version of skmnist"
            )
        value = decoded(value)
        params[name] = check(value, _PARAMETERS.get(name, ANYTHING), f"{place}.{name}")
    try:
        estimator = cls(**params, **given)
        estimator._validate_params()
    except (TypeError, ValueError) as error:
        raise ModelFileError(f"{place}: {error}") from error
    return estimator


def _described_classifier(classifier):
    """Return a network classifier for JSON, its arrays by name, and what is lost."""
    network, tensors = describe_network(classifier)
    params, lost = classifier.get_params(deep=False), []
    known = {*params, *map(_attribute, _CLASSIFIER)}
    known |= {"_network", "_split_seed", "_training"}
    for name, otherwise in _REPLACED.items():
        given = params[name]
        params[name] = plain_optimizer(given) if name == "optimizer" else given
        try:
            is_lost = encoded(params[name]) is None and given is not None
        except NotPlainError:
            is_lost = True
        if is_lost:
            lost.append(f"{name}={shortened(given)}")
            params[name] = otherwise
    if "builder" in params:
        name = getattr(params["builder"], "__name__", None)
        if BUILDERS.get(name) is not params["builder"]:
            raise not_writable(f"the builder {params['builder']!r}")
        params["builder"] = name
    training, arrays, lost_state = describe_training(classifier)
    more = [name for name in vars(classifier) if name not in known]
    lost += [*lost_state, *(name.strip("_").replace("_", " ") for name in more)]
    fitted = _described_fitted(classifier)
    fitted["classes_"], labels = describe_labels(classifier.classes_)
    described = {
        "class": type(classifier).__name__,
        "parameters": _described_parameters(classifier, params),
        "fitted": fitted,
        "network": network,
        "training": training,
    }
    return described, {**tensors, **arrays, **labels}, lost


def _rebuilt_classifier(described, tensors, place):
    rules = dict.fromkeys(
        ("class", "parameters", "fitted", "network", "training"), ANYTHING
    )
    check(described, rules, place)
    cls = _CLASSIFIERS[described["class"]]
    classifier = _build(cls, described["parameters"], place)
    if cls is KerasImageClassifier:
        params = classifier.builder_params or {}
        where = f"{place}.parameters.builder_params"
        check_arguments(classifier.builder, params, where)
    else:
        classifier._check_layers()
    network = rebuild_network(described["network"], tensors, f"{place}.network")
    spec = network.spec
    if _OWN_BUILDER[cls] not in (None, spec.builder):
        raise ModelFileError(f"{place} has the network of another class")
    training = rebuild_training(described["training"], tensors, f"{place}.training")
    place = f"{place}.fitted"
    _set_fitted(classifier, described["fitted"], place)
    if prod(spec.input_shape) != classifier.n_features_in_:
        raise ModelFileError(
            f"{place}.n_features_in_ is {classifier.n_features_in_}, and the network "
            f"takes {spec.input_shape}"
        )
    labels = rebuild_labels(classifier.classes_, tensors, f"{place}.classes_")
    if len(labels) != spec.n_classes:
        raise ModelFileError(
            f"{place}.classes_ has {len(labels)} labels, and the network "
            f"{spec.n_classes} classes"
        )
    classifier.classes_, classifier._network = labels, network
    classifier._training, classifier._split_seed = training
    return classifier


def _described_transformer(transformer):
    # What set_output was given, for which scikit-learn has no public name.
    config = getattr(transformer, "_sklearn_output_config", {})
    params = transformer.get_params(deep=False)
    return {
        "class": type(transformer).__name__,
        "parameters": _described_parameters(transformer, params),
        "fitted": _described_fitted(transformer),
        "output": config.get("transform"),
    }


def _rebuilt_transformer(described, place):
    rules = {
        "class": ANYTHING,
        "parameters": ANYTHING,
        "fitted": ANYTHING,
        "output": or_null(one_of(("default", "pandas", "polars"))),
    }
    output = check(described, rules, place)["output"]
    transformer = _build(
        _TRANSFORMERS[described["class"]], described["parameters"], place
    )
    _set_fitted(transformer, described["fitted"], f"{place}.fitted")
    is_scaler = isinstance(transformer, ImageScaler)
    is_flat = is_scaler and transformer.layout == "flat"
    if transformer.image_shape_ is None and not is_flat:
        raise ModelFileError(f"{place}.fitted.image_shape_ must not be null")
    if is_scaler and transformer.data_min_ > transformer.data_max_:
        raise ModelFileError(f"{place}.fitted.data_min_ is above data_max_")
    if output is not None:
        transformer.set_output(transform=output)
    return transformer


_PIPELINE_PARAMETERS = ("transform_input", "verbose")


def _are_steps(value):
    if not isinstance(value, list) or not value:
        return False
    if not all(isinstance(pair, list) and len(pair) == 2 for pair in value):
        return False
    names = [name for name, _ in value]
    return (
        all(isinstance(name, str) and name and "__" not in name for name in names)
        and len(set(names)) == len(names)
        and not {"steps", "memory", *_PIPELINE_PARAMETERS} & set(names)
    )


_STEPS = Rule(
    "a list of pairs of a name and a step, each name once, without '__'", _are_steps
)


def check_parts(model):
    """Refuse a model with parts that a safetensors file cannot hold, fitted or not."""
    *before, (_, classifier) = _steps(model)
    for _, step in before:
        if (
            step not in (None, "passthrough")
            and type(step) not in _TRANSFORMERS.values()
        ):
            raise not_writable(
                f"the step {type(step).__name__}, only "
                f"{' and '.join(_TRANSFORMERS)} of this package"
            )
    if type(classifier) not in _OWN_BUILDER:
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
    lost += [name for name in vars(model) if name not in known]
    steps = [
        [name, step if step in (None, "passthrough") else _described_transformer(step)]
        for name, step in before
    ]
    described = {
        "class": "Pipeline",
        "parameters": _described_parameters(model, params),
        "steps": [*steps, [last_name, last]],
    }
    return described, tensors, lost


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
    if not isinstance(described, dict) or not isinstance(described.get("class"), str):
        raise ModelFileError(f"{place} must be an object with the name of a class")
    return described["class"]


def _rebuilt_step(described, tensors, place, classes):
    check(_class_of(described, place), one_of(classes), f"{place}.class")
    if classes is _CLASSIFIERS:
        return _rebuilt_classifier(described, tensors, place)
    return _rebuilt_transformer(described, place)


def _rebuilt_pipeline(described, tensors):
    rules = {"class": ANYTHING, "parameters": ANYTHING, "steps": _STEPS}
    steps = check(described, rules, "model")["steps"]
    fitted = []
    for place, (name, step) in enumerate(steps):
        classes = _TRANSFORMERS if place < len(steps) - 1 else _CLASSIFIERS
        if not (classes is _TRANSFORMERS and step in (None, "passthrough")):
            step = _rebuilt_step(step, tensors, f"model.steps[{place}]", classes)
        fitted.append((name, step))
    sizes = {s.n_features_in_ for _, s in fitted if s not in (None, "passthrough")}
    if len(sizes) > 1:
        raise ModelFileError(f"the steps take images of different sizes: {sizes}")
    params, rules = (
        described["parameters"],
        dict.fromkeys(_PIPELINE_PARAMETERS, ANYTHING),
    )
    check(params, rules, "model.parameters")
    return _build(Pipeline, params, "model", steps=fitted)
