"""Models by name, set up for images and for reports of their progress."""

from math import prod

from skmnist._estimators import members, network_of
from skmnist.networks._graphs import network_layers
from skmnist.pipelines import full_name, set_parameters

__all__ = [
    "configure",
    "end_reports",
    "has_epochs",
    "keep_fits",
    "misfit",
    "n_epochs",
    "report_epochs",
    "training_work",
]


def configure(name, model, image_set, *, seed=None, epochs=None, params=None):
    """Set up the pipeline of a name for an image set, in place, and return it.

    The seed and the number of epochs are for classifiers that have them; `params` have
    precedence. Raises ValueError if there is no such parameter.
    """
    known = model.get_params()
    height, width = image_set.image_shape
    settings = {}
    if "clf__random_state" in known:
        settings["clf__random_state"] = seed
    # The scaler passes the shape on to the features of a baseline.
    shapes = [key for key in known if key.endswith("__image_shape")]
    if height != width and len(shapes) > 1:
        of_network = full_name("image_shape", known)
        key = of_network if of_network in known else "scale__image_shape"
        settings[key] = image_set.image_shape
    if epochs is not None and has_epochs(model):
        settings[full_name("epochs", known)] = epochs
    for key, value in (params or {}).items():
        # Under the name that was given, so that an error names that one.
        settings.pop(full_name(key, known), None)
        settings[key] = value
    return set_parameters(name, model, settings)


def has_epochs(model):
    """Return whether a pipeline is trained in epochs."""
    return n_epochs(model) is not None


def n_epochs(model):
    """Return for how many epochs in all a pipeline will be trained; None if without."""
    network = network_of(model)
    n_networks = 1 if network is model[-1] else model[-1].n_estimators
    return n_networks * network.epochs if hasattr(network, "epochs") else None


def misfit(model, image_set):
    """Say why a network is too deep for images of this size; None if it is not."""
    from skmnist.networks._plans import convolution_plan

    names = ("filters", "kernel_size", "strides", "pool_size", "padding")
    params = network_of(model).get_params()
    if not params.keys() >= set(names):
        return None
    try:
        convolution_plan((*image_set.image_shape, 1), *(params[name] for name in names))
    except ValueError as error:
        return f"{error} The named networks are made for images of 28×28 pixels."
    except (TypeError, ZeroDivisionError):
        return None  # a parameter of a wrong kind or size, which fit explains better
    return None


def training_work(model, image_set, n_images):
    """Estimate the work of training a named network on so many images of a set.

    The unit is a multiplication of the forward pass. Each image costs as much as
    300,000 of them besides.
    """
    spec = network_of(model)._specify(
        prod(image_set.image_shape), (*image_set.image_shape, 1), len(image_set.labels)
    )
    shape, layers = network_layers(spec)
    products = 0
    for layer in layers:
        kernel = layer.weight_shapes(shape).get("kernel")
        shape = layer.output_shape(shape)
        if kernel is not None:
            products += prod(kernel) * prod(shape[:-1])
    return (products + 300_000) * n_images * n_epochs(model)


def report_epochs(model, on_epoch):
    """Let a network call ``on_epoch(n_done, n_epochs, logs)`` after each epoch.

    If that returns true, training ends. The epochs of an ensemble are those of all its
    networks, which are trained in turn. A model without epochs stays as it is.
    """
    if not has_epochs(model):
        return
    n_in_all, n_before = n_epochs(model), 0

    # A function: unlike an object it is not copied with the model.
    def make_callback():
        from skmnist._training.callbacks import EpochReport

        nonlocal n_before
        n_earlier = n_before % n_in_all
        n_before = n_earlier + network_of(model).epochs
        return EpochReport(
            lambda n_done, _, logs: on_epoch(n_earlier + n_done, n_in_all, logs)
        )

    network_of(model).set_params(callbacks=[make_callback])


def keep_fits(model, folder):
    """Let a network load a fit from a folder, or keep it there."""
    if has_epochs(model):
        network_of(model).set_params(memory=folder)


def end_reports(model):
    """Take what the functions above added from a fitted model, which may be saved."""
    if has_epochs(model):
        for network in (network_of(model), *members(model)):
            network.set_params(callbacks=None, memory=None)
