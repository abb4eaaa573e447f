"""Models by name: pipelines of networks and baselines, and their search spaces."""

import json
from copy import deepcopy
from pathlib import Path
from typing import Any, Literal

from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline

from . import classifiers
from ._estimators import is_search, network_of
from ._suggestions import suggestion
from .baselines import BASELINES
from .networks import ARCHITECTURES
from .preprocessing import Augmentation, ImageScaler

__all__ = ["make_model", "model_names", "search_space"]

# By the name in an architecture: "mlp" is KerasMLPClassifier.
_CLASSIFIERS = {
    name.removeprefix("Keras").removesuffix("Classifier").lower(): getattr(
        classifiers, name
    )
    for name in classifiers.__all__
    if name.startswith("Keras")
}
# Parameters that differ between models of a name: of training, and of the images.
_TRAINING = {
    "batch_size",
    "callbacks",
    "data_range",
    "epochs",
    "image_shape",
    "n_jobs",
    "random_state",
    "verbose",
}
_KINDS = {"network": ARCHITECTURES, "baseline": BASELINES}


def model_names(kind: Literal["network", "baseline"] | None = None) -> list[str]:
    """List the models that :func:`make_model` knows.

    Parameters
    ----------
    kind : {"network", "baseline"} or None, default=None
        List only the Keras networks or only the classical classifiers.

    Returns
    -------
    list of str
        The names, networks first.

    Raises
    ------
    ValueError
        If there is no such `kind`.

    Examples
    --------
    >>> from skmnist.pipelines import model_names
    >>> "cnn_32_64" in model_names()
    True
    >>> model_names("baseline")[:2]
    ['logistic_regression', 'linear_svm']
    """
    if kind is None:
        return [name for models in _KINDS.values() for name in models]
    if kind not in _KINDS:
        raise ValueError(f"There is no kind {kind!r} of model{_hint(kind, _KINDS)}")
    return list(_KINDS[kind])


def make_model(name: str, **params: Any) -> Pipeline:
    """Make an unfitted pipeline for a named model.

    The step ``scale`` is an :class:`~skmnist.ImageScaler`, the step ``clf`` the
    classifier. The scaler passes images to networks with convolutions, and rows of
    pixels to all others. A model may have steps in between, which make features of
    the pixels. An ensemble is a :class:`~skmnist.DeepEnsembleClassifier`.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.
    **params
        Parameters of the classifier or of an ensemble's networks, such as
        ``epochs=3``, and of any step as
        ``step__parameter``, such as ``scale__data_range=(0, 16)``. The `image_shape` of
        a network with convolutions is passed to the scaler too.

    Returns
    -------
    sklearn.pipeline.Pipeline
        A new pipeline with the settings of the named model and `params`.

    Raises
    ------
    ValueError
        If the model or one of its parameters does not exist.

    See Also
    --------
    search_space : Candidates for the parameters of the pipeline.

    Examples
    --------
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.pipelines import make_model
    >>> X, y = load_digits(return_X_y=True)
    >>> model = make_model("nearest_neighbors", n_neighbors=1)
    >>> model.fit(X[:1000], y[:1000]).score(X[1000:], y[1000:]) > 0.95
    True
    """
    check_name(name)
    layout = "flat"
    if name in BASELINES:
        registered = BASELINES[name]
        classifier = registered.make()
    else:
        registered = architecture = ARCHITECTURES[name]
        classifier_class = _CLASSIFIERS[architecture.classifier]
        classifier = classifier_class(**deepcopy(architecture.parameters))
        if architecture.n_networks > 1:
            classifier = classifiers.DeepEnsembleClassifier(
                classifier, architecture.n_networks
            )
        if any(key.endswith("image_shape") for key in classifier.get_params()):
            # So the network learns the shape of images that are no squares.
            layout = "channels_last"
    scaler, transformers = ImageScaler(layout=layout), deepcopy(registered.transformers)
    model = Pipeline([("scale", scaler), *transformers, ("clf", classifier)])
    return set_parameters(name, model, params)


def registered_name(model):
    """Return the name of a model that `make_model` makes, or the name of its class.

    How a model of that name is trained may differ: its seed and epochs, for example.
    """
    while is_search(model) or isinstance(model, FrozenEstimator):
        model = model.estimator
    if not isinstance(model, Pipeline):
        return type(model).__name__
    settings = _settings(model)
    names = (n for n in model_names() if _settings(make_model(n)) == settings)
    return next(names, type(model[-1]).__name__)


def _settings(model):
    """Return the classes of the steps of a pipeline, and what is known by a name."""
    return [(name, type(step)) for name, step in model.steps], {
        key: repr(value)
        for key, value in model.get_params().items()
        if "__" in key and key.rpartition("__")[2] not in _TRAINING
    }


def set_parameters(name, model, params):
    """Set parameters of the pipeline of a name, as `make_model` takes them."""
    resolved = {}
    known = model.get_params()
    for param, value in params.items():
        key = full_name(param, known)
        if key in resolved:
            raise ValueError(f"{key} is given twice, with the step's name and without.")
        resolved[key] = value
        owner, is_augmentation, _ = key.rpartition("augmentation__")
        if is_augmentation and known.get(f"{owner}augmentation", 0) is None:
            model.set_params(**{f"{owner}augmentation": Augmentation()})
    _check_parameters(name, model, params)
    of_network = full_name("image_shape", known)
    if of_network in resolved:  # the steps before the network need it as well
        resolved.setdefault("scale__image_shape", resolved[of_network])
    return model.set_params(**resolved)


def full_name(param, known):
    """Return the name in a pipeline of what may be a parameter of its classifier.

    `known` are the parameters of the pipeline. Those of an ensemble precede those of
    its networks.
    """
    if "__" in param and not param.startswith("augmentation__"):
        return param
    nested = f"clf__estimator__{param.partition('__')[0]}"
    is_nested = nested in known and f"clf__{param}" not in known
    return f"clf__{'estimator__' if is_nested else ''}{param}"


def _check_parameters(name, model, params):
    """Raise ValueError unless the pipeline `model` has all the parameters."""
    nested = [key for key in model.get_params() if "__" in key]
    clf = [key for key in nested if key.startswith("clf__")]
    others = [key for key in nested if key not in clf]
    for param in params:
        step, delimiter, _ = param.partition("__")
        allowed = [key.removeprefix("clf__").removeprefix("estimator__") for key in clf]
        allowed = list(dict.fromkeys(allowed)) + others
        if delimiter and step != "augmentation":
            allowed = clf + others
            if step != "clf" and step in model.named_steps:
                allowed = [key for key in others if key.startswith(f"{step}__")]
        if param not in allowed:
            habits = getattr(network_of(model), "_habits", {})
            habit = habits.get(param.removeprefix("clf__"))
            hint = f": {habit}" if habit else _hint(param, allowed)
            if param in Augmentation().get_params() and "augmentation" in allowed:
                hint = f". Did you mean 'augmentation__{param}'?"
            raise ValueError(f"The model {name!r} has no parameter {param!r}{hint}")


def search_space(name: str) -> dict[str, list]:
    """Return candidate parameter values of a named model, for a grid search.

    Parameters
    ----------
    name : str
        One of :func:`model_names`.

    Returns
    -------
    dict of str to list
        Candidate values, the model's own among them, by the parameter names of the
        :func:`make_model` pipeline: for a network ``clf__units`` (or ``clf__filters``
        if it has no hidden layers), ``clf__dropout`` and ``clf__epochs``; for an
        ensemble the number of its networks. A new dict, which you may change.

    Raises
    ------
    ValueError
        If there is no such model.

    Examples
    --------
    >>> from sklearn.model_selection import GridSearchCV
    >>> from skmnist.pipelines import make_model, search_space
    >>> search_space("logistic_regression")
    {'clf__C': [0.01, 0.1, 1.0, 10.0]}
    >>> search = GridSearchCV(make_model("mlp_512"), search_space("mlp_512"))
    >>> search.param_grid["clf__units"]
    [256, 512, 1024]
    """
    check_name(name)
    if name in BASELINES:
        space = deepcopy(BASELINES[name].search_space)
    else:
        # A recipe may leave parameters at the defaults of its classifier.
        parameters = make_model(name)[-1].get_params()
        if parameters.get("units"):
            parameters.pop("filters", None)
        space = {
            parameter: _distinct(candidates(parameters[parameter]))
            for parameter, candidates in _CANDIDATES.items()
            if parameters.get(parameter, ()) != ()
        }
    return {
        key if "__" in key else f"clf__{key}": values for key, values in space.items()
    }


def _alike(dropout, rate):
    """Give `rate` to every layer that has a rate of its own in `dropout`."""
    return _for_each_layer(lambda _: rate, dropout)


def _scaled(number, factor):
    """Scale a number, or that of every layer, to an integer of at least 1."""
    return _for_each_layer(lambda each: max(1, int(each * factor)), number)


def _for_each_layer(change, value):
    """Change the one value of all layers, or the value of each of them."""
    if isinstance(value, list | tuple):
        return type(value)(map(change, value))
    return change(value)


def _distinct(values):
    """Drop repeated values, which may be lists."""
    return [value for i, value in enumerate(values) if value not in values[:i]]


# Around the settings of a network, with as many layers.
_CANDIDATES = {
    "n_estimators": lambda number: [_scaled(number, 0.5), number, _scaled(number, 2)],
    "filters": lambda filters: [_scaled(filters, 0.5), filters],
    "units": lambda units: [_scaled(units, 0.5), units, _scaled(units, 2)],
    "dropout": lambda rate: [*(_alike(rate, new) for new in (0.0, 0.2, 0.5)), rate],
    "epochs": lambda epochs: [_scaled(epochs, 0.5), epochs],
}


def results_on_mnist():
    """Return what the named models reached on the whole of MNIST, and where it is from.

    Reads ``results.json``: `made` (a date), `machine`, `versions`, and in `models` by
    name `seeds`, `accuracies` (on the test images, by seed), `fit_time` (seconds, the
    shortest of all), `predict_time_us` (likewise, microseconds), `n_parameters`
    (None where a model has no weights to count) and, where it is another one than that
    of the other models, `machine`.
    """
    path = Path(__file__).with_name("results.json")
    return json.loads(path.read_text(encoding="utf-8"))


def check_name(name):
    """Raise ValueError unless there is a model of that name."""
    if name not in model_names():
        raise ValueError(f"There is no model {name!r}{_hint(name, model_names())}")


def _hint(given, allowed):
    """Return what may have been meant by an unknown name, and what is allowed."""
    return f".{suggestion(given, allowed)} Allowed are {', '.join(allowed)}."
