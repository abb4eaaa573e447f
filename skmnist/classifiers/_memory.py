"""Fits that are kept in a folder, so that none is made twice."""

from operator import attrgetter
from typing import NamedTuple

from skmnist._fingerprints import fingerprint
from skmnist._interrupts import uninterrupted
from skmnist._kept_fits import FitFolder
from skmnist._provenance import used_versions
from skmnist._training.data import Description, TrainingState

__all__ = ["Trained", "remembered"]

# Predictions do not depend on these, nor does training.
_NOT_INVOLVED = ("python", "scikit-learn", "onnxruntime")


class Trained(NamedTuple):
    """A trained network without its specification, and where its training stands.

    It is not complete if somebody ended it before its last epoch.
    """

    weights: list
    description: Description | None
    history: dict
    state: TrainingState
    is_complete: bool = True


def remembered(memory, fit, spec, n_epochs, optimizer, settings, data):
    """Return a fit from a memory, or make it and keep it there.

    Parameters
    ----------
    memory : str or path-like
        Folder.
    fit : callable
        ``fit(n_epochs, earlier)`` trains for some epochs, from new weights or on from
        an earlier Trained, and returns a Trained.
    spec : NetworkSpec
        The network.
    n_epochs : int
        Number of epochs.
    optimizer : tuple
        Arguments of ``make_optimizer``.
    settings : dict
        Other parameters and seeds of the training.
    data : tuple of TrainingData or None
        Training and validation.

    Returns
    -------
    Trained
    """
    with uninterrupted():
        from skmnist._training.build import is_ours
        from skmnist._training.loops import surroundings, training_dtype
        from skmnist._training.optimizers import make_optimizer, resumes_exactly

    folder, optimizer = FitFolder(memory), make_optimizer(*optimizer)
    precision = settings.pop("precision")
    key = fingerprint(
        [
            [spec.builder, spec.input_shape, spec.n_classes, spec.parameters],
            optimizer,
            training_dtype(spec, precision) if is_ours(spec) else None,
            settings,
            [part and part.arrays for part in data],
            surroundings(),
            _versions(),
        ]
    )

    def kept(n_epochs, *fit_arguments):
        def make():
            trained = fit(*fit_arguments)
            trained.state.is_kept = True  # with the optimizer's, to resume from here
            return trained

        is_complete = attrgetter("is_complete")
        return folder.get([key, n_epochs], make, is_complete=is_complete)

    earlier, n_earlier = None, 0
    if (
        is_ours(spec)
        and resumes_exactly(optimizer)
        and settings["learning_rate_schedule"] == "constant"
        and settings["ema_momentum"] is None
        and settings["patience"] is None
    ):
        fewer = range(n_epochs, 0, -1)
        known = (n for n in fewer if folder.path([key, n]).exists())
        n_earlier = next(known, 0)
        if 0 < n_earlier < n_epochs:  # made anew if its file is damaged
            earlier = kept(n_earlier, n_earlier, None)
            if not earlier.is_complete:
                return earlier
    if earlier is None:
        return kept(n_epochs, n_epochs, None)
    return kept(n_epochs, n_epochs - n_earlier, earlier)


def _versions():
    found = used_versions(networks=True)
    return {name: found[name] for name in found if name not in _NOT_INVOLVED}
