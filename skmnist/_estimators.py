"""What kind of estimator a model is."""

from sklearn.utils import get_tags

__all__ = ["is_search", "members", "network_of", "other_kind"]


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


def network_of(model):
    """Return the classifier of a named model, or that which its ensemble is made of."""
    inner = getattr(model[-1], "estimator", None)
    return model[-1] if inner is None else inner


def members(model):
    """Return the fitted classifiers of a named model: one, or those of an ensemble."""
    is_ensemble = network_of(model) is not model[-1]
    return list(model[-1].estimators_) if is_ensemble else [model[-1]]
