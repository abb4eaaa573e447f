"""Printed lines of ruled and squared paper."""

import numpy as np
from scipy import ndimage

_MAX_SLOPE = 0.1
_N_SLOPES = 41
_MAX_THICKNESS = 0.012  # of the longer side of the picture
_COVERAGE = 0.6  # of the side that a line runs along
_DARKER = 1.6
_MIN_VISIBLE = 0.3
_MANY = 5
_BEND = 0.003  # of that side


def find_lines(strength, mask):
    """Find long thin lines that run across a mask.

    Parameters
    ----------
    strength : ndarray of float of shape (height, width)
        How strong ink and lines are.
    mask : ndarray of bool of shape (height, width)
        Where they are.

    Returns
    -------
    ndarray of bool of shape (height, width)
        The pixels of lines, without those that belong to strokes across them.
    """
    thickness = max(2, round(_MAX_THICKNESS * max(mask.shape)))
    n_lines = 0
    weak, all_of_them = [], []
    for source, levels in ((mask, strength), (mask.T, strength.T)):
        lines, pale = np.zeros_like(source), np.zeros_like(source)
        starts, stops, places = _runs(source)
        thin = stops - starts <= thickness
        thick = source.copy()
        starts, stops, places = starts[thin], stops[thin], places[thin]
        thick[_pixels(starts, stops, places)] = False
        for line in _straight_lines((starts + stops - 1) / 2, places, thick):
            usual = 1.5 * np.median(stops[line] - starts[line]) + 1
            line = line[stops[line] - starts[line] <= usual]
            pixels = _pixels(starts[line], stops[line], places[line])
            # Ink is often darker than the line that it runs along.
            pale[pixels] |= levels[pixels] <= _DARKER * np.median(levels[pixels])
            lines[pixels] = True
            n_lines += 1
        weak.append(pale)
        all_of_them.append(lines)
    # Where two lines cross, too, they are darker.
    lines = weak[0] | weak[1].T | (all_of_them[0] & all_of_them[1].T)
    if n_lines < _MANY and not _is_beside(mask, lines):
        lines[:] = False
    return lines


def _is_beside(mask, lines):
    """Return whether few lines are longer than any digit beside them."""
    rest, n = ndimage.label(mask & ~lines, np.ones((3, 3)))
    if not n or not lines.any():
        return False
    largest = max(
        max(y.stop - y.start, x.stop - x.start) for y, x in ndimage.find_objects(rest)
    )
    return largest < 0.6 * max(lines.any(axis=0).sum(), lines.any(axis=1).sum())


def _runs(mask):
    """Return start, stop and column of the vertical runs of a mask."""
    padded = np.pad(mask.T, ((0, 0), (1, 1))).astype(np.int8)
    change = np.diff(padded, axis=1)
    places, starts = np.nonzero(change == 1)
    _, stops = np.nonzero(change == -1)
    return starts, stops, places


def _pixels(starts, stops, places):
    """Return the rows and columns of the pixels of runs."""
    lengths = stops - starts
    offsets = np.arange(lengths.sum()) - np.repeat(
        np.cumsum(lengths) - lengths, lengths
    )
    return np.repeat(starts, lengths) + offsets, np.repeat(places, lengths)


def _straight_lines(middles, places, thick):
    """Yield the numbers of the thin runs on each line, found by a Hough transform.

    Where a line crosses thick ink it is not seen, and need not be.
    """
    height, length = thick.shape
    ink_y, ink_x = np.nonzero(thick)
    reach = int(_MAX_SLOPE * length / 2) + 2
    offsets = np.arange(-reach, height + reach)
    peaks = []
    for slope in np.linspace(-_MAX_SLOPE, _MAX_SLOPE, _N_SLOPES):
        seen = _count(middles - slope * (places - length / 2), reach, len(offsets))
        seen = np.convolve(seen, np.ones(3), mode="same")
        if seen.max() < _COVERAGE * _MIN_VISIBLE * length:
            continue  # no line, whatever hides of it
        hidden = _count(ink_y - slope * (ink_x - length / 2), reach, len(offsets))
        visible = _visible(offsets, slope, height, length) - hidden
        found = (visible >= _MIN_VISIBLE * length) & (seen >= _COVERAGE * visible)
        peaks += [
            (seen[k], slope, offsets[k], visible[k]) for k in np.flatnonzero(found)
        ]
    free = np.ones(len(middles), bool)
    tolerance = max(1.5, _BEND * length)
    for _, slope, offset, visible in sorted(peaks, reverse=True):
        near = np.abs(middles - slope * (places - length / 2) - offset) <= tolerance
        line = np.flatnonzero(near & free)
        if len(np.unique(places[line])) >= _COVERAGE * visible:
            free[line] = False
            yield line


def _count(offsets, reach, length):
    return np.bincount(np.rint(offsets + reach).astype(int), minlength=length)[:length]


def _visible(offsets, slope, height, length):
    """Return how much of lines through the middle at `offsets` is in the picture."""
    if not slope:
        return np.where((offsets >= 0) & (offsets < height), length, 0)
    ends = [(y - offsets) / slope + length / 2 for y in (-0.5, height - 0.5)]
    low, high = np.clip(np.sort(ends, axis=0), 0, length)
    return high - low
