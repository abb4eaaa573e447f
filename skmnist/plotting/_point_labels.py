"""Names beside the points of a chart, placed so that they do not cover each other."""

import numpy as np

from ._figures import GREY

__all__ = ["label_points"]

# Where a name may stand: distance from the point in points, direction in degrees.
_DISTANCES = (5, 11, 18, 26, 36, 48, 62)
_DIRECTIONS = (0, 180, 35, -35, 145, -145, 65, -65, 115, -115, 90, -90)
_MARKER = 4.0  # half the width of a marker, in points
_AMBIGUOUS = 40  # cost of a place about as near to another point, in square points
_LEADER_FROM = 11  # a name so far from its point is joined to it by a line


def label_points(ax, points, bars, fontsize=8):
    """Write names beside points.

    Each name takes the free place nearest to its point, and where there is none the
    one that covers least. Points in a crowd choose last, for they need the lines
    that join names to points where another point is about as near.

    Parameters
    ----------
    ax : Axes
        Its limits and its place in the figure must be settled.
    points : dict of str to (float, float)
        Position of each point, in data coordinates, by its name.
    bars : ndarray of shape (n_points, 3)
        Ends of the error bars, (x, low, high).
    fontsize : float, default=8
        Size of the names, in points.

    Returns
    -------
    dict of str to Annotation
        The names as drawn.
    """
    figure = ax.figure.figure
    unit = figure.dpi / 72  # pixels in a point
    centers = ax.transData.transform(np.array(list(points.values()), dtype=float))
    marker = _MARKER * unit
    obstacles = [
        (x - marker, y - marker, x + marker, y + marker, 3.0) for x, y in centers
    ]
    for x, low, high in bars:
        (px, bottom), (_, top) = ax.transData.transform([(x, low), (x, high)])
        obstacles.append((px - unit, bottom, px + unit, top, 1.0))
    window = ax.get_window_extent()
    distances = np.hypot(*(centers[:, None] - centers[None]).transpose(2, 0, 1))
    crowd = (distances < 60 * unit).sum(axis=1)

    names = list(points)
    labels = {}
    for i in np.argsort(crowd, kind="stable"):
        label = ax.annotate(
            names[i],
            points[names[i]],
            xytext=(0, 0),
            textcoords="offset points",
            fontsize=fontsize,
            zorder=4,
        )
        extent = label.get_window_extent(figure.canvas.get_renderer())
        size = extent.width + 4 * unit, extent.height  # and a space on either side
        others = np.delete(centers, i, axis=0)
        best = min(
            _places(centers[i], size, unit),
            key=lambda place: (
                _cost(place, obstacles, window, unit)
                + _AMBIGUOUS * unit**2 * _is_ambiguous(place, others, unit)
            ),
        )
        left, bottom, right, top, distance = best
        obstacles.append((left, bottom, right, top, 4.0))
        # The offset leads from the point to the lower left corner of the text.
        corner = np.array([left + 2 * unit, bottom])
        label.set_position(tuple((corner - centers[i]) / unit))
        label.set_in_layout(False)  # a name must not move the axes
        labels[names[i]] = label
        if distance >= _LEADER_FROM or _is_ambiguous(best, others, unit):
            near = np.clip(centers[i], (left, bottom), (right, top))
            ends = ax.transData.inverted().transform([centers[i], near])
            ax.plot(*ends.T, color=GREY, linewidth=0.6, zorder=1.5, scalex=False)
    return {name: labels[name] for name in names}


def _places(center, size, unit):
    """Yield the rectangles where a name of a size may stand, and their distance."""
    width, height = size
    for distance in _DISTANCES:
        for direction in _DIRECTIONS:
            angle = np.deg2rad(direction)
            dx, dy = np.cos(angle), np.sin(angle)
            # The nearest side or corner of the rectangle is at that distance.
            x = (
                center[0]
                + (distance + _MARKER) * unit * dx
                + width / 2 * np.sign(round(dx, 2))
            )
            y = center[1] + (distance + _MARKER) * unit * dy
            if abs(direction) not in (0, 180):
                y += height / 2 * np.sign(dy)
            yield (
                x - width / 2,
                y - height / 2,
                x + width / 2,
                y + height / 2,
                distance,
            )


def _is_ambiguous(place, others, unit):
    """Return whether a name might be mistaken for that of another point."""
    left, bottom, right, top, distance = place
    nearest = np.clip(others, (left, bottom), (right, top))
    gaps = np.hypot(*(others - nearest).T)
    return bool((gaps < (1.5 * distance + _MARKER) * unit).any())


def _cost(place, obstacles, window, unit):
    """Return how bad a place is: weighted pixels that it covers, and its distance."""
    left, bottom, right, top, distance = place
    cost = 0.0
    for x0, y0, x1, y1, weight in obstacles:
        overlap = max(0.0, min(right, x1) - max(left, x0)) * max(
            0.0, min(top, y1) - max(bottom, y0)
        )
        if overlap:
            cost += weight * (overlap + 40 * unit**2)
    outside = (
        max(0.0, window.x0 - left)
        + max(0.0, right - window.x1)
        + max(0.0, window.y0 - bottom)
        + max(0.0, top - window.y1)
    )
    return cost + 50 * unit * outside + 3 * unit * distance
