"""Fitted network classifiers as plain data."""

import re
from math import prod

from skmnist.classifiers import (
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist.networks import build_cnn, build_mlp
from skmnist.persistence._features import (
    FEATURES,
    describe_features,
    image_shape,
    set_features,
)
from skmnist.persistence._labels import describe_labels, rebuild_labels
from skmnist.persistence._networks import (
    BUILDERS,
    check_arguments,
    describe_network,
    rebuild_network,
)
from skmnist.persistence._parameters import (
    build,
    describe_parameters,
    not_writable,
)
from skmnist.persistence._schema import (
    ModelFileError,
    check,
    check_keys,
    is_count,
    is_number,
    shortened,
)
from skmnist.persistence._training import (
    describe_training,
    is_keras_optimizer,
    plain_optimizer,
    rebuild_training,
)
from skmnist.persistence._values import NotPlainError, decoded, encoded

__all__ = ["CLASSIFIERS", "describe_classifier", "rebuild_classifier"]

CLASSIFIERS = {
    cls.__name__: cls
    for cls in (
        KerasMLPClassifier,
        KerasDNNClassifier,
        KerasCNNClassifier,
        KerasImageClassifier,
    )
}
_OWN_BUILDER = {
    KerasMLPClassifier: build_mlp,
    KerasDNNClassifier: build_mlp,
    KerasCNNClassifier: build_cnn,
}
# Parameters of training that may be no plain data, and what stands in their place in a
# model that is loaded without them.
_REPLACED = {"optimizer": "adam", "callbacks": None, "random_state": None}
_FITTED = (
    *FEATURES,
    "classes_",
    "history_",
    "n_iter_",
    "fit_id_",
    "image_shape",
    "pixel_range",
)
# The attributes of a classifier, of which those that are not public begin with "_".
_ATTRIBUTES = {name if name.endswith("_") else f"_{name}" for name in _FITTED} | {
    "_network",
    "_split_seed",
    "_training",
}
_FIT_ID = re.compile(r"[0-9a-f]{1,64}")


def describe_classifier(classifier):
    """Return a fitted network classifier as plain data.

    Parameters
    ----------
    classifier : BaseKerasClassifier
        Fitted.

    Returns
    -------
    described : dict
        Ready for JSON.
    tensors : dict of str to ndarray
        Arrays by name.
    lost : list of str
        What only matters for further training, and is no plain data.

    Raises
    ------
    TypeError
        If it cannot be described.
    """
    network, tensors = describe_network(classifier)
    params, lost = _described_parameters(classifier)
    training, arrays, lost_state = describe_training(classifier)
    classes, labels = describe_labels(classifier.classes_)
    known = {*classifier.get_params(deep=False), *_ATTRIBUTES}
    more = [name for name in vars(classifier) if name not in known]
    lost += [*lost_state, *(name.strip("_").replace("_", " ") for name in more)]
    shape, ends = classifier._image_shape, classifier._pixel_range
    fitted = {
        **describe_features(classifier),
        "classes_": classes,
        **describe_parameters(classifier, {"history_": classifier.history_}),
        "n_iter_": int(classifier.n_iter_),
        "fit_id_": getattr(classifier, "fit_id_", None),
        "image_shape": None if shape is None else [int(side) for side in shape],
        "pixel_range": None if ends is None else [float(end) for end in ends],
    }
    described = {
        "class": type(classifier).__name__,
        "parameters": params,
        "fitted": fitted,
        "network": network,
        "training": training,
    }
    return described, {**tensors, **arrays, **labels}, lost


def _described_parameters(classifier):
    """Return the parameters ready for JSON, and those that were replaced."""
    params, lost = classifier.get_params(deep=False), []
    for name, otherwise in _REPLACED.items():
        given = params[name]
        params[name] = _plain(name, given)
        if params[name] is None and given is not None:
            lost.append(f"{name}={shortened(given)}")
            params[name] = otherwise
    if "builder" in params:
        name = getattr(params["builder"], "__name__", None)
        if BUILDERS.get(name) is not params["builder"]:
            raise not_writable(f"the builder {params['builder']!r}")
        params["builder"] = name
    return describe_parameters(classifier, params), lost


def _plain(name, value):
    """Return a parameter of training as plain data; None if it is not."""
    if name == "optimizer":
        return plain_optimizer(value)
    try:
        encoded(value)
    except NotPlainError:
        return None
    return value


def rebuild_classifier(described, tensors, place):
    """Return the fitted classifier of a description, after that was checked.

    Parameters
    ----------
    described : dict
        The description.
    tensors : dict of str to ndarray
        All tensors of the file; those of the classifier are taken out.
    place : str
        Where it is, for errors.

    Returns
    -------
    BaseKerasClassifier
        Fitted.
    """
    check_keys(
        described, place, ("class", "parameters", "fitted", "network", "training")
    )
    cls = CLASSIFIERS[described["class"]]
    classifier = _build(cls, described["parameters"], place)
    network = rebuild_network(described["network"], tensors, f"{place}.network")
    spec = network.spec
    if _OWN_BUILDER.get(cls, spec.builder) is not spec.builder:
        raise ModelFileError(f"{place} has the network of another class")
    training, split_seed = rebuild_training(
        described["training"], tensors, f"{place}.training"
    )
    place = f"{place}.fitted"
    fitted = check_keys(described["fitted"], place, _FITTED)
    set_features(classifier, fitted, place)
    n_features = classifier.n_features_in_
    if prod(spec.input_shape) != n_features:
        raise ModelFileError(
            f"{place}.n_features_in_ is {n_features}, and the network takes "
            f"{spec.input_shape}"
        )
    classifier.classes_ = rebuild_labels(
        fitted["classes_"], tensors, f"{place}.classes_"
    )
    if len(classifier.classes_) != spec.n_classes:
        raise ModelFileError(
            f"{place}.classes_ has {len(classifier.classes_)} labels, and the network "
            f"{spec.n_classes} classes"
        )
    classifier._image_shape = image_shape(
        fitted["image_shape"], f"{place}.image_shape", n_features
    )
    _set_history(classifier, fitted, place)
    classifier._network = network
    classifier._training, classifier._split_seed = training, split_seed
    return classifier


def _build(cls, described, place):
    """Return the classifier, not fitted."""
    given = {}
    if cls is KerasImageClassifier:
        check(
            described,
            f"{place}.parameters",
            f"an object with a builder that is one of {', '.join(BUILDERS)}",
            lambda value: (
                isinstance(value, dict)
                and isinstance(value.get("builder"), str)
                and value["builder"] in BUILDERS
            ),
        )
        given["builder"] = BUILDERS[described["builder"]]
    classifier = build(cls, described, place, **given)
    if cls is KerasImageClassifier:
        check_arguments(
            classifier.builder,
            {} if classifier.builder_params is None else classifier.builder_params,
            f"{place}.parameters.builder_params",
        )
    else:
        classifier._check_layers()
    check(
        classifier.optimizer,
        f"{place}.parameters.optimizer",
        "the name or description of an optimizer of Keras",
        lambda value: isinstance(value, str) or is_keras_optimizer(value),
    )
    return classifier


def _set_history(classifier, fitted, place):
    """Set what is known of the training."""
    history = check(
        decoded(fitted["history_"]),
        f"{place}.history_",
        "an object with a list of numbers for each name",
        lambda value: isinstance(value, dict) and all(map(_is_curve, value.items())),
    )
    n_iter = check(fitted["n_iter_"], f"{place}.n_iter_", "a whole number", is_count)
    fit_id = check(
        fitted["fit_id_"],
        f"{place}.fit_id_",
        "null or a name of hexadecimal digits",
        lambda value: (
            value is None or (isinstance(value, str) and _FIT_ID.fullmatch(value))
        ),
    )
    ends = check(
        fitted["pixel_range"],
        f"{place}.pixel_range",
        "null or the lowest and the highest pixel",
        lambda value: value is None or _is_range(value),
    )
    classifier.history_, classifier.n_iter_ = history, n_iter
    if fit_id is not None:
        classifier.fit_id_ = fit_id
    classifier._pixel_range = ends and (float(ends[0]), float(ends[1]))


def _is_curve(item):
    name, values = item
    return (
        isinstance(name, str)
        and isinstance(values, list)
        and all(type(value) in (int, float) for value in values)
    )


def _is_range(value):
    return (
        isinstance(value, list)
        and len(value) == 2
        and all(map(is_number, value))
        and value[0] <= value[1]
    )
