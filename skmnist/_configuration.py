"""Models by name, set up for images and for reports of their progress."""

from skmnist.pipelines import make_model

__all__ = ["configured_model", "has_epochs", "misfit", "n_epochs", "report_epochs"]


def configured_model(name, image_set, *, seed=None, epochs=None, params=None):
    """Make a model for an image set.

    Parameters
    ----------
    name : str
        Name of the model.
    image_set : ImageSet
        Says the height and width of the images.
    seed : int, default=None
        Random state of the classifier, if it has one.
    epochs : int, default=None
        Passes over the training data, for a network.
    params : dict, default=None
        Parameters by name; they have precedence.

    Returns
    -------
    Pipeline
        Not fitted.

    Raises
    ------
    ValueError
        If there is no such model or parameter.
    """
    known = make_model(name).get_params()
    height, width = image_set.image_shape
    settings = {}
    if "clf__random_state" in known:
        settings["clf__random_state"] = seed
    if "clf__image_shape" in known and height != width:
        settings["clf__image_shape"] = image_set.image_shape
    if epochs is not None and has_epochs(known):
        settings["clf__epochs"] = epochs
    for key, value in (params or {}).items():
        # Under the name that was given, so that an error tells that one.
        settings.pop(f"clf__{key}", None)
        settings[key] = value
    return make_model(name, **settings)


def has_epochs(model_params):
    """Whether a model with these parameters is trained in epochs."""
    return "clf__epochs" in model_params


def n_epochs(model):
    """Return for how many epochs a model will be trained; None if it has none."""
    return model.get_params().get("clf__epochs")


def misfit(model, image_set):
    """Say why a network is too deep for images of this size; None if it is not."""
    from skmnist.networks._plans import convolution_plan

    names = ("filters", "kernel_size", "pool_size", "padding")
    params = model[-1].get_params()
    if not params.keys() >= set(names):
        return None
    try:
        convolution_plan((*image_set.image_shape, 1), *(params[name] for name in names))
    except ValueError as error:
        return f"{error} The named networks are made for images of 28×28 pixels."
    except TypeError:
        return None  # a parameter of a wrong kind, which fit explains better
    return None


def report_epochs(model, on_epoch):
    """Let a network call ``on_epoch(n_done, n_epochs, logs)`` after each epoch.

    What `on_epoch` returns ends training with this epoch if it is true.

    Parameters
    ----------
    model : Pipeline
        Changed in place; a model that has no epochs stays as it is.
    on_epoch : callable
        Not copied by the fit.
    """
    if not has_epochs(model.get_params()):
        return

    # A function: unlike an object it is not copied with the model.
    def make_callback():
        from skmnist._training.callbacks import EpochReport

        return EpochReport(on_epoch)

    model.set_params(clf__callbacks=[make_callback])
