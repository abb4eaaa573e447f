"""Confidence: the probability of the predicted label, and what it is used for."""

import numpy as np

# From 0.1 to 80 %, at ratios that look evenly spaced on any part of the curve.
_STEPS = (10, 12, 15, 20, 25, 30, 40, 50, 60, 80)
_FRACTIONS = [0.0, *(n / scale for scale in (10_000, 1000, 100) for n in _STEPS)]


def label_confidence(predicted, probabilities, classes):
    """Return the probability of each predicted label.

    It is not the largest one with every classifier. A label that is no class, such as
    one that stands for rejected images, has the confidence NaN.
    """
    columns = {label: i for i, label in enumerate(np.asarray(classes).tolist())}
    labels = np.asarray(predicted).tolist()
    chosen = np.array([columns.get(label, -1) for label in labels], dtype=int)
    confidence = probabilities[np.arange(len(chosen)), chosen].astype(float)
    return np.where(chosen < 0, np.nan, confidence)


def reject(predicted, probabilities, classes, min_confidence):
    """Return lists, one element per image: its confidence, and what follows from it.

    An image is rejected if its confidence is lower than the minimum, or NaN. The
    candidates are the two likeliest labels. All values are ready for JSON.
    """
    if not 0 <= min_confidence <= 1:
        raise ValueError(f"min_confidence must be in [0, 1]; got {min_confidence!r}.")
    confidence = label_confidence(predicted, probabilities, classes).tolist()
    likeliest = np.argsort(-probabilities, axis=1, kind="stable")[:, :2]
    labels = np.asarray(classes).tolist()
    return {
        "confidence": [None if np.isnan(value) else value for value in confidence],
        "is_rejected": [not value >= min_confidence for value in confidence],
        "candidates": [
            [{"label": labels[i], "probability": float(row[i])} for i in columns]
            for row, columns in zip(probabilities, likeliest, strict=True)
        ],
    }


def rejection_table(right, confidence):
    """Compute the accuracy that is left when the least confident images are rejected.

    Parameters
    ----------
    right : ndarray of bool, shape (n_samples,)
        Which predicted labels are the true ones.
    confidence : ndarray of shape (n_samples,)
        Probability of each predicted label, in [0, 1]. Images whose confidence is NaN
        are rejected at any threshold.

    Returns
    -------
    table : DataFrame
        One row for each confidence that occurs, in ascending order: ``threshold``, of
        which images with a lower confidence are rejected; ``rejected``, their fraction
        of all images; ``accuracy`` on the others, and ``n``, the number of these.
    """
    import pandas as pd

    answered = ~np.isnan(confidence)
    thresholds, rows = np.unique(confidence[answered], return_inverse=True)
    n, n_right = (
        np.bincount(rows, weights)[::-1].cumsum()[::-1]
        for weights in (None, right[answered])
    )
    return pd.DataFrame(
        {
            "threshold": thresholds,
            "rejected": (len(right) - n) / len(right),
            "accuracy": n_right / n,
            "n": n,
        }
    )


def some_rejections(table):
    """Return the rows of a rejection table that show its course, 31 at most."""
    if table is None:
        return None
    rows = np.searchsorted(table["rejected"], _FRACTIONS, side="right") - 1
    return table.iloc[np.unique(rows.clip(0))]
