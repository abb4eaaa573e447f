"""What kind of estimator a model is."""

import numpy as np
from sklearn.frozen import FrozenEstimator
from sklearn.pipeline import Pipeline
from sklearn.utils import get_tags
from sklearn.utils.validation import check_is_fitted

__all__ = [
    "averaged",
    "is_known",
    "is_search",
    "last_step",
    "members",
    "network_of",
    "other_kind",
    "parts_of",
    "steps_of",
]


def other_kind(model):
    """Return the kind of a model that is not a classifier; None if it may be one."""
    try:
        kind = get_tags(model).estimator_type
    except AttributeError:  # no tags, which a classifier may do without
        return None
    return None if kind in (None, "classifier") else kind.replace("_", " ")


def is_search(model):
    """Return whether an estimator, fitted or not, is a search such as GridSearchCV."""
    # The base class of scikit-learn's searches has no public name, and before `fit`
    # nothing else tells them from other meta-estimators. Imported here, as it is slow.
    from sklearn.model_selection._search import BaseSearchCV

    return isinstance(model, BaseSearchCV) or (
        hasattr(model, "best_estimator_") and hasattr(model, "estimator")
    )


def _unwrapped(estimator):
    """Return what a search found or was frozen; other estimators as they are."""
    while True:
        if isinstance(estimator, FrozenEstimator):
            estimator = estimator.estimator
        elif hasattr(estimator, "best_estimator_"):
            estimator = estimator.best_estimator_
        else:
            return estimator


def steps_of(estimator):
    """List the steps of a Pipeline or search, the last one being the classifier."""
    estimator = _unwrapped(estimator)
    if not isinstance(estimator, Pipeline):
        return [estimator]
    return [
        step
        for _, part in estimator.steps
        if part is not None and part != "passthrough"
        for step in steps_of(part)
    ]


def last_step(estimator):
    """Return the fitted classifier at the end of a Pipeline or inside a search."""
    classifier = steps_of(estimator)[-1]
    check_is_fitted(classifier)
    return classifier


def network_of(model):
    """Return the classifier of a named model, or that which its ensemble is made of."""
    inner = getattr(model[-1], "estimator", None)
    return model[-1] if inner is None else inner


def members(model):
    """Return the fitted classifiers of a named model: one, or those of an ensemble."""
    is_ensemble = network_of(model) is not model[-1]
    return list(model[-1].estimators_) if is_ensemble else [model[-1]]


def parts_of(model, transformers, classifiers):
    """Return the transformers of a model, its classifier, and the unknown among them.

    The steps of Pipelines in the Pipeline are listed too. Known are the classes in two
    dictionaries, each with the methods that a subclass must not have of its own.
    """
    *steps, classifier = _flattened(model) or [model]
    unknown = [step for step in steps if not is_known(step, transformers)]
    unknown += [
        part for part in averaged(classifier) if not is_known(part, classifiers)
    ]
    return steps, classifier, unknown


def averaged(classifier):
    """List the classifiers that an ensemble averages, or the one that is given."""
    from sklearn.ensemble import BaggingClassifier, VotingClassifier

    if hasattr(type(classifier), "_averaged"):  # an ensemble of ours
        check_is_fitted(classifier)
        return classifier._averaged
    if isinstance(classifier, BaggingClassifier | VotingClassifier):
        check_is_fitted(classifier)
    if type(classifier) is BaggingClassifier:
        every = np.arange(classifier.n_features_in_)
        n_classes = len(classifier.classes_)
        if all(
            np.array_equal(used, every) and len(member.classes_) == n_classes
            for used, member in zip(
                classifier.estimators_features_, classifier.estimators_, strict=True
            )
        ):
            return classifier.estimators_
    if type(classifier) is VotingClassifier and classifier.weights is None:
        return classifier.estimators_ if classifier.voting == "soft" else [classifier]
    return [classifier]


def _flattened(model):
    if not isinstance(model, Pipeline):
        return [] if model is None or model == "passthrough" else [model]
    return [part for _, step in model.steps for part in _flattened(step)]


def is_known(step, known):
    """Return whether a step does what one of the known classes does."""
    return any(
        isinstance(step, kind)
        and all(getattr(type(step), name) is getattr(kind, name) for name in methods)
        for kind, methods in known.items()
    )
