"""Calibration: how often predictions of a given confidence are correct."""

import numpy as np

_N_BINS = 10


def calibration_table(right, confidence, n_bins=_N_BINS):
    """Compare the confidence of predictions with their accuracy.

    Parameters
    ----------
    right : ndarray of bool, shape (n_samples,)
        Which predicted labels are the true ones.
    confidence : ndarray of shape (n_samples,)
        Probability of each predicted label, in [0, 1].
    n_bins : int, default=10
        Number of bins of equal width between 0 and 1; a value on a border belongs
        to the bin below, as with C. Guo et al. (2017), "On calibration of modern
        neural networks", ICML.

    Returns
    -------
    table : DataFrame
        One row for each bin that is not empty: ``confidence`` and ``accuracy``, the
        means of its images, and ``n``, their number.
    """
    import pandas as pd

    edges = np.linspace(0, 1, n_bins + 1)[1:-1]
    bins = np.searchsorted(edges, confidence, side="left")
    frame = pd.DataFrame(
        {"bin": bins, "confidence": confidence, "accuracy": np.asarray(right, float)}
    )
    groups = frame.groupby("bin")
    table = groups.mean()
    table["n"] = groups.size()
    return table.reset_index(drop=True)


def calibration_error(table):
    """Return the expected calibration error of Guo et al. (2017), from 0 to 1.

    It is the mean distance between confidence and accuracy over the rows of a
    :func:`calibration_table`, weighted by their numbers of images.
    """
    distance = (table["accuracy"] - table["confidence"]).abs()
    return float((distance * table["n"]).sum() / table["n"].sum())
