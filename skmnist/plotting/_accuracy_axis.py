"""The axis of accuracies, linear or spread by the error."""

import numpy as np

__all__ = ["scale_accuracy_axis"]


def scale_accuracy_axis(ax, bars, spread):
    """Scale the vertical axis for accuracies; return its ticks and its limits.

    Parameters
    ----------
    ax : Axes
        Its scale is set.
    bars : ndarray
        All accuracies, with both ends of their error bars.
    spread : bool
        Whether to spread them by the logarithm of the error.

    Returns
    -------
    ticks : ndarray
        Accuracies.
    limits : tuple of 2 float
        The lowest and the highest place on the axis.
    """
    from matplotlib.ticker import MaxNLocator

    low, high = bars.min(), bars.max()
    if not spread:
        margin = 0.08 * max(high - low, 0.005)
        limits = low - margin, min(high + margin, 1 + margin / 4)
        ticks = MaxNLocator(6).tick_values(*limits)
        return _within(ticks, limits), limits
    # Not Matplotlib's logit scale: it has no place for 100 %, spreads accuracies near
    # those of a dummy as widely as the best ones, and labels one tick per decade.
    errors = 1 - bars.ravel()
    # An error of 0, whose logarithm is not finite, takes a place a little beyond the
    # smallest of the others.
    shift = max(errors[errors > 1e-9].min(initial=1.0) / 3, 1e-5)

    def forward(accuracy):
        return -np.log10(np.maximum(1 - np.asarray(accuracy), -0.9 * shift) + shift)

    def inverse(value):
        return 1 + shift - 10.0 ** -np.asarray(value)

    ax.set_yscale("function", functions=(forward, inverse))
    margin = 0.06 * max(forward(high) - forward(low), 0.5)
    limits = (
        float(inverse(forward(low) - margin)),
        float(inverse(forward(high) + margin)),
    )
    for digits in ((1, 2, 5), (1, 2, 3, 4, 5, 7)):
        ticks = [1 - d * 10.0**-k for k in range(6, 0, -1) for d in digits]
        ticks = _within([0.0, *ticks, 1.0], limits)
        ticks = _apart(ticks, forward, limits)
        if len(ticks) >= 4:
            break
    else:
        ticks = _within(MaxNLocator(6).tick_values(*limits), limits)
    return ticks, limits


def _apart(ticks, forward, limits):
    """Leave out ticks whose numbers would touch, from the highest down."""
    nearest = 0.05 * float(forward(limits[1]) - forward(limits[0]))
    kept = []
    for tick in ticks[::-1]:
        if not kept or forward(kept[-1]) - forward(tick) >= nearest:
            kept.append(tick)
    return np.array(kept[::-1])


def _within(ticks, limits):
    """Return the ticks that are accuracies within limits, in order."""
    ticks = np.unique(np.round(ticks, 9))
    low, high = max(limits[0], 0.0), min(limits[1], 1.0)
    return ticks[(ticks >= low) & (ticks <= high)]
