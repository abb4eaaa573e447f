"""Strokes of ink: which of them are one digit, and in which order digits are read."""

import numpy as np
from scipy import ndimage

_EIGHT = np.ones((3, 3))
# Of the side of a picture: contact with it that makes a frame or a table, not a digit.
_EDGE_CONTACT = 0.4
_SOLID = 2.5  # stroke widths of an area that is not a stroke
_THIN = 0.5  # stroke widths of a line that is not a stroke
# More than that are texture; the largest are kept.
_MOST_PARTS = 1000
_SMALLEST = 6  # height of a digit, in pixels
# All other lengths in fractions of the typical height of a digit.
_SPECK = 0.12
_DOT = 0.22
_REACH = 0.5  # distance of strokes that can still be one digit
_GAP = 0.12  # in a stroke that is interrupted
_BAR_GAP = 0.25  # before the bar of a 5
_BROKEN = 0.1  # between two large parts of a digit
_SMALL = 0.55  # height of a part of a digit
_TALL = 0.75  # height of a whole digit
_TALLEST = 1.35
_TALLEST_BROKEN = 1.6
_WIDE = 1.3  # width of what may be two digits
_NARROW = 0.9  # and of what can be, if hardly connected
_ALONE = 1.7  # and of what has no digit beside it
_CUT = 1.2  # strokes that may be cut, in stroke widths
_WEAK_CUT = 0.4


def stroke_width(mask):
    """Return the mean width of strokes: twice their area by their circumference."""
    areas, lengths = _areas_and_circumferences(mask.astype(int))
    return 2 * areas[1:].sum() / max(lengths[1:].sum(), 1)


def _areas_and_circumferences(labels):
    """Return the area and the circumference of each label, with that of 0."""
    padded = np.pad(labels, 1)
    ink = (padded > 0).astype(np.float32)
    slope = np.hypot(np.diff(ink, axis=0)[:, 1:], np.diff(ink, axis=1)[1:])
    # Pixels of two labels are never this near to each other.
    label = np.maximum(np.maximum(padded[:-1, 1:], padded[1:, :-1]), padded[1:, 1:])
    return np.bincount(labels.ravel()), np.bincount(label.ravel(), slope.ravel())


def find_digits(strength, mask):
    """Group ink into digits.

    Parameters
    ----------
    strength : ndarray of float of shape (height, width)
        How strong the ink is.
    mask : ndarray of bool of shape (height, width)
        Where it is.

    Returns
    -------
    labels : ndarray of int of shape (height, width)
        The number of the digit at each pixel, from 1, or 0.
    boxes : ndarray of int of shape (n_digits, 4)
        Top, left, bottom and right of each.
    typical : float
        Their typical height.
    """
    labels, _ = ndimage.label(mask, _EIGHT)
    labels = _without(labels, _frames(labels))
    if not labels.any():
        return labels, np.empty((0, 4), int), 0.0
    typical = _typical_height(labels)
    if typical < _SMALLEST:  # spots of noise
        return np.zeros_like(labels), np.empty((0, 4), int), 0.0
    labels = _without(labels, _specks(labels, typical))
    areas = np.bincount(labels.ravel())[1:]
    labels = _without(labels, np.argsort(-areas)[_MOST_PARTS:] + 1)
    labels = _split(labels, strength, typical)
    labels = _joined(labels, typical)
    boxes = _boxes(labels)
    return labels, boxes, max(typical, np.median(boxes[:, 2] - boxes[:, 0]))


def _boxes(labels):
    """Return top, left, bottom and right of each label."""
    found = ndimage.find_objects(labels)
    return np.array(
        [(y.start, x.start, y.stop, x.stop) for y, x in found], dtype=int
    ).reshape(-1, 4)


def _without(labels, numbers):
    """Remove labels, and number the others from 1."""
    kept = np.ones(labels.max() + 1, dtype=int)
    kept[0] = 0
    kept[numbers] = 0
    return (np.cumsum(kept) * kept)[labels]


def _frames(labels):
    """Return what lies along an edge of the picture, or is a large area there.

    In a picture that was cropped closely, digits touch the edges, too. A frame is
    longer than they are, thinner, or goes round a corner.
    """
    edges = labels[0], labels[-1], labels[:, 0], labels[:, -1]
    contacts = np.array(
        [np.bincount(edge, minlength=labels.max() + 1) / len(edge) for edge in edges]
    )
    contacts[:, 0] = 1
    touches = contacts.any(axis=0)
    if touches.all():
        return []
    areas, lengths = _areas_and_circumferences(labels)
    boxes = _boxes(labels)
    sizes = np.append(0, (boxes[:, 2:] - boxes[:, :2]).max(axis=1))
    widths = 2 * areas / np.maximum(lengths, 1)
    usual = 2 * areas[~touches].sum() / max(lengths[~touches].sum(), 1)
    is_solid = widths > _SOLID * usual
    along = contacts > _EDGE_CONTACT
    is_frame = along.any(axis=0) & (
        (sizes > _TALLEST * sizes[~touches].max())
        | (widths < _THIN * usual)
        | (along.sum(axis=0) > 1)
        | is_solid
    )
    # What reaches from one side to the other is what the picture was cropped to.
    reaches = (contacts[::2] * contacts[1::2]).any(axis=0)
    is_frame |= touches & is_solid & ~reaches
    return np.flatnonzero(is_frame[1:]) + 1


def _typical_height(labels):
    """Return the median height of strokes, weighted by their ink."""
    boxes = _boxes(labels)
    sizes = boxes[:, 2] - boxes[:, 0]
    # A flat stroke is a part of something higher.
    sizes = np.maximum(sizes, np.minimum((boxes[:, 3] - boxes[:, 1]) / 2, sizes.max()))
    areas = np.bincount(labels.ravel())[1:]
    order = np.argsort(sizes)
    total = np.cumsum(areas[order])
    return float(sizes[order][np.searchsorted(total, total[-1] / 2)])


def _specks(labels, typical):
    """Return what is too small for a part of a digit."""
    boxes = _boxes(labels)
    sizes = (boxes[:, 2:] - boxes[:, :2]).max(axis=1)
    areas = np.bincount(labels.ravel())[1:]
    usual = np.median(areas[sizes >= min(_SMALL * typical, sizes.max())])
    return np.flatnonzero((sizes < _SPECK * typical) | (areas < 0.01 * usual)) + 1


def _split(labels, strength, typical):
    """Cut what is as wide as two digits where one stroke or less connects them."""
    labels = labels.copy()
    boxes = ndimage.find_objects(labels)
    number = 0
    while number < len(boxes):
        box = boxes[number]
        part = labels[box] == number + 1
        right = None
        if part.shape[1] > (_ALONE if len(boxes) == 1 else _NARROW) * max(
            typical, part.shape[0]
        ):
            right = _cut(part, strength[box], typical)
        if right is None:
            number += 1
            continue
        labels[box][right] = len(boxes) + 1
        boxes[number] = _within(box, part & ~right)
        boxes.append(_within(box, right))
    return labels


def _within(box, part):
    """Return the box of a part of a box."""
    (inner,) = ndimage.find_objects(part.astype(int))
    return tuple(
        slice(outer.start + side.start, outer.start + side.stop)
        for outer, side in zip(box, inner, strict=True)
    )


def _cut(part, strength, typical):
    """Return the right one of two digits, or None if they cannot be parted."""
    height, width = part.shape
    level = np.quantile(strength[part], 0.75)
    cost = np.where(part, np.clip(strength / level, 0, 1), 0) + 1e-6
    total = np.pad(cost, ((0, 0), (1, 1)), constant_values=np.inf)
    for y in range(1, height):
        left, above, right = total[y - 1, :-2], total[y - 1, 1:-1], total[y - 1, 2:]
        total[y, 1:-1] += np.minimum(np.minimum(left, right) + 0.01, above)
    limit = (_CUT if width > _WIDE * typical else _WEAK_CUT) * stroke_width(part) + 0.01
    paths = _paths(total, np.flatnonzero(total[-1, 1:-1] <= limit))
    is_inked = np.take_along_axis(cost, paths, axis=1) > 0.3
    n_changes = np.count_nonzero(np.diff(is_inked, axis=0, prepend=False), axis=0)
    first = np.where(part, np.arange(width), width).min(axis=1, keepdims=True)
    last = np.where(part, np.arange(width), -1).max(axis=1, keepdims=True)
    are_tall = [
        _extent(rows) >= 0.6 * typical for rows in (first < paths, last >= paths)
    ]
    best = None
    # Through no more than one stroke
    for path in paths.T[(n_changes <= 2) & are_tall[0] & are_tall[1]]:
        right = part & (np.arange(width) >= path[:, None])
        left = part & ~right
        balance = abs(left.any(axis=0).sum() - right.any(axis=0).sum()) / width
        score = total[-1, 1 + path[-1]] / limit + balance
        if best is None or score < best[0]:
            best = score, right
    return None if best is None else best[1]


def _paths(total, ends):
    """Follow the cheapest ways from columns at the bottom up; return theirs by row."""
    paths = np.empty((len(total), len(ends)), int)
    paths[-1] = ends
    around = np.arange(3)[:, None]
    for y in range(len(total) - 2, -1, -1):
        below = paths[y + 1]  # in `total`, a column of infinity comes first
        paths[y] = below - 1 + total[y, below + around].argmin(axis=0)
    return paths


def _extent(rows):
    """Return the number of rows from the first True to the last, for each column."""
    n_before = rows.argmax(axis=0) + rows[::-1].argmax(axis=0)
    return np.where(rows.any(axis=0), len(rows) - n_before, 0)


def _joined(labels, typical):
    """Give the strokes of one digit the same label."""
    distances = _distances(labels, _REACH * typical)
    boxes = list(_boxes(labels))
    groups = [[i] for i in range(len(boxes))]
    pairs = sorted((d, i, j) for (i, j), d in distances.items())
    home = list(range(len(boxes)))
    for distance, i, j in pairs:
        a, b = home[i], home[j]
        if a != b and _belong_together(boxes[a], boxes[b], distance, typical):
            boxes[a] = np.concatenate(
                [
                    np.minimum(boxes[a][:2], boxes[b][:2]),
                    np.maximum(boxes[a][2:], boxes[b][2:]),
                ]
            )
            groups[a] += groups[b]
            for k in groups[b]:
                home[k] = a
    _, numbers = np.unique(home, return_inverse=True)
    return np.concatenate([[0], numbers + 1])[labels]


def _distances(labels, reach):
    """Map pairs of labels, counted from 0, to how far apart they are, if near."""
    distances = {}
    n_labels = labels.max()
    for i, (y, x) in enumerate(ndimage.find_objects(labels)):
        pad = int(reach) + 1
        window = labels[
            max(0, y.start - pad) : y.stop + pad, max(0, x.start - pad) : x.stop + pad
        ]
        if not (window > i + 1).any():
            continue
        away = ndimage.distance_transform_edt(window != i + 1)
        is_near = (away <= reach) & (window > i + 1)
        nearest = np.full(n_labels + 1, np.inf)
        np.minimum.at(nearest, window[is_near], away[is_near])
        for j in np.flatnonzero(np.isfinite(nearest)):
            distances[i, int(j) - 1] = float(nearest[j])
    return distances


def _belong_together(a, b, distance, typical):
    """Return whether strokes in two boxes, so far apart, are of one digit."""
    sizes = np.array([a[2:] - a[:2], b[2:] - b[:2]])
    overlap = np.minimum(a[2:], b[2:]) - np.maximum(a[:2], b[:2])
    smaller = sizes.min(axis=0)
    height, width = np.maximum(a[2:], b[2:]) - np.minimum(a[:2], b[:2])
    if (overlap >= 0.8 * smaller).all():
        return True
    heights = sizes[:, 0]
    distance /= typical
    flat = (sizes[:, 1] > 1.2 * heights).any() and height <= 2 * width
    fits = height <= _TALLEST * max(typical, heights.max()) or flat
    if overlap[1] >= 0.5 * smaller[1]:  # one above the other
        if sizes.max(axis=1).min() < _DOT * typical:
            return distance <= _GAP
        return (
            fits
            and heights.min() < _TALL * typical
            and distance <= (0.35 if not flat else _REACH)
        )
    if width > 1.2 * max(height, typical):
        return False
    if heights.min() < _SMALL * typical:
        return fits and distance <= (_BAR_GAP if flat else _GAP)
    # Two large parts, each at a height of its own.
    return (
        height <= _TALLEST_BROKEN * heights.max()
        and distance <= _BROKEN
        and 0 <= overlap[0] < 0.65 * smaller[0]
    )


def reading_order(boxes):
    """Order boxes by rows from the top down, and from left to right within them."""
    middles = (boxes[:, 0] + boxes[:, 2]) / 2
    lines = []
    for i in np.argsort(boxes[:, 1]):
        best = None
        for line in lines:
            last = boxes[line[-1]]
            shared = min(boxes[i, 2], last[2]) - max(boxes[i, 0], last[0])
            shared /= min(boxes[i, 2] - boxes[i, 0], last[2] - last[0])
            if shared > 0.3 and (best is None or shared > best[0]):
                best = shared, line
        if best is None:
            lines.append([i])
        else:
            best[1].append(i)
    lines.sort(key=lambda line: np.mean(middles[line]))
    order = np.array([i for line in lines for i in line], dtype=int)
    return order, np.repeat(np.arange(len(lines)), [len(line) for line in lines])
