"""What kind of estimator a model is."""

from sklearn.utils import get_tags

__all__ = ["other_kind"]


def other_kind(model):
    """Return the kind of a model that is not a classifier; None if it may be one."""
    try:
        kind = get_tags(model).estimator_type
    except AttributeError:  # no tags, which a classifier may do without
        return None
    return None if kind in (None, "classifier") else kind.replace("_", " ")
