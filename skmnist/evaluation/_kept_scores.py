"""What the scores that a comparison keeps depend on, and which it does not keep."""

from sklearn.base import clone
from sklearn.pipeline import Pipeline

from .._kept_fits import check_callbacks
from .._provenance import used_versions

__all__ = ["check_models", "is_complete", "is_network", "is_seeded", "model_facts"]


def is_network(model):
    """Return whether a model, or a part of it, is a network of this package."""
    parts = [model]
    if hasattr(model, "get_params"):
        parts += model.get_params().values()
    return any(type(p).__module__.startswith("skmnist.classifiers.") for p in parts)


def check_models(models):
    """Refuse models with callbacks that a memory would not call."""
    for name, model in models.items():
        try:
            for callbacks in _callbacks(model).values():
                check_callbacks(callbacks)
        except ValueError as error:
            raise ValueError(f"{name}: {error}") from None


def model_facts(model):
    """Return what the scores of a model depend on, besides the data."""
    # Reports of the progress change nothing, and have state of their own.
    unwatched = clone(model).set_params(**dict.fromkeys(_callbacks(model)))
    facts = [unwatched, used_versions(is_network(model))]
    if is_network(model):
        from .._training.loops import surroundings
        from .._training.processor import bfloat16_is_quick

        facts += [surroundings(), bfloat16_is_quick()]
    return facts


def _callbacks(model):
    return {
        name: value
        for name, value in model.get_params().items()
        if name.rpartition("__")[2] == "callbacks"
    }


def is_seeded(part):
    """Return whether each fit of a model, or of a part of it, is the same."""
    if isinstance(part, list | tuple):
        return all(map(is_seeded, part))
    if isinstance(part, type) or not hasattr(part, "get_params"):
        return True
    params = part.get_params(deep=False)
    if "random_state" in params:  # which seeds its parts as well
        return params["random_state"] is not None
    return all(map(is_seeded, params.values()))


def is_complete(model):
    """Return whether no callback of scikit-learn ended the training of a network."""
    network = model[-1] if isinstance(model, Pipeline) else model
    if not hasattr(network, "history_") or network.early_stopping:
        return True
    return network.n_iter_ == network.epochs
