"""Ink on paper: how strong it is at each place, whatever the light and the colours."""

from typing import NamedTuple

import numpy as np
from PIL import Image
from scipy import ndimage

from .ruling import find_lines
from .strokes import stroke_width

# Fractions of the range of pixel values.
_MIN_CONTRAST = 0.06
_NOISE = 0.008
# Standard deviations of the noise that count as ink.
_DEVIATIONS = 5.0
# Of a picture: its widest stroke, as a fraction of its longer side.
_WIDEST_STROKE = 1 / 3
_STROKES = 5
_COARSE = 56  # pixels of the longer side of a picture that shows only the paper
_DARKEST = 0.4  # paper, as a fraction of the lightest in the picture


class Ink(NamedTuple):
    """Where there is ink, and how strong it is compared to the paper beside it."""

    strength: np.ndarray
    mask: np.ndarray


def find_ink(picture, polarity="auto"):
    """Find the ink of a picture.

    Parameters
    ----------
    picture : ndarray of float of shape (height, width, channels)
        Pixels from 0 to 1.
    polarity : {"auto", "dark", "light"}
        Whether the ink is darker or lighter than the paper.

    Returns
    -------
    Ink
        `strength`, of shape (height, width), is about 0 on paper and at most 1; `mask`
        is where the ink is.
    """
    grey, has_shade = _in_one_channel(picture)
    smooth = _without_noise(grey)
    if polarity == "auto":
        is_dark = _weighted_side(smooth - _paper_color(smooth)) < 0
    else:
        is_dark = polarity == "dark"
    dark = smooth if is_dark else 1 - smooth
    shaded = is_dark and has_shade
    widest = _WIDEST_STROKE * max(dark.shape)
    ink = _ink(dark, widest, shaded)
    inner = _without_edges(ink.mask)
    if inner.any():
        narrower = max(_STROKES * stroke_width(inner), 5)
        if narrower < 0.7 * widest:
            ink = _ink(dark, narrower, shaded)
    return ink


def _ink(dark, widest, shaded):
    """Find dark ink in strokes narrower than `widest`."""
    background = _closed(dark, widest)
    strength = background - dark
    if shaded:
        # Less light makes paper and ink darker in the same proportion.
        strength /= np.maximum(background, _DARKEST * background.max())
    # Ink may cover most of a picture that was cropped closely.
    paper = strength[strength <= max(strength.max() / 2, _MIN_CONTRAST)]
    middle = np.median(paper)
    strength -= middle
    spread = np.median(np.abs(paper - middle)) / 0.6745
    weak = strength > max(_DEVIATIONS * spread, _MIN_CONTRAST)
    lines = find_lines(strength, weak)
    if lines.any():
        weak &= ~lines
        strength[lines] = 0
    return Ink(strength, _mask(strength, weak))


def _without_edges(mask):
    """Remove what touches the edges of the picture."""
    labels, n_labels = ndimage.label(mask, np.ones((3, 3)))
    kept = np.ones(n_labels + 1, dtype=bool)
    kept[0] = False
    for edge in (labels[0], labels[-1], labels[:, 0], labels[:, -1]):
        kept[edge] = False
    return kept[labels]


def _in_one_channel(picture):
    """Return the channel in which ink and paper differ most, and whether it is light.

    It is the first principal component of the differences of colour from the paper.
    """
    if picture.shape[2] == 1:
        return picture[..., 0], True
    paper = np.stack([_paper_color(channel) for channel in np.moveaxis(picture, 2, 0)])
    difference = (picture - np.moveaxis(paper, 0, 2)).reshape(-1, picture.shape[2])
    _, axes = np.linalg.eigh(difference.T @ difference)
    axis = axes[:, -1]
    axis = axis / np.abs(axis).sum()
    if axis.sum() < 0:
        axis = -axis
    grey = picture @ axis - np.minimum(axis, 0).sum()
    return grey.astype(np.float32), bool((axis > -0.1).all())


def _paper_color(channel):
    """Return the median around each pixel, in a window of half the picture."""
    height, width = channel.shape
    scale = min(1, _COARSE / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    coarse = np.asarray(Image.fromarray(channel).resize(size, Image.Resampling.BOX))
    window = [max(1, side // 2) | 1 for side in coarse.shape]
    paper = ndimage.median_filter(coarse, window, mode="nearest")
    paper = Image.fromarray(paper).resize((width, height), Image.Resampling.BILINEAR)
    return np.asarray(paper)


def _weighted_side(difference):
    """Say on which side of 0 the larger differences are."""
    return float((difference * np.abs(difference)).sum())


def _without_noise(grey):
    """Smooth a noisy picture."""
    steps = np.diff(grey, axis=1) if grey.shape[1] > 1 else np.zeros(1)
    noise = np.median(np.abs(steps)) / 0.6745 / np.sqrt(2)
    return ndimage.gaussian_filter(grey, 1.0) if noise > _NOISE else grey


def _closed(dark, width):
    """Fill all that is dark and narrower than `width` with what is around it."""
    size = max(3, round(width)) | 1
    return ndimage.grey_closing(dark, size=(size, size), mode="nearest")


def _mask(strength, weak):
    """Return where there is ink: strong ink, and weaker ink that touches it."""
    if not weak.any():
        return weak
    values = strength[weak]
    high = _otsu_threshold(values)
    weak &= strength >= 0.5 * high
    labels, n_labels = ndimage.label(weak, np.ones((3, 3)))
    has_strong = np.zeros(n_labels + 1, dtype=bool)
    has_strong[labels[strength >= high]] = True
    has_strong[0] = False
    return has_strong[labels]


def _otsu_threshold(values):
    """Return the threshold that parts values into two classes, by Otsu's method."""
    counts, edges = np.histogram(values, bins=128)
    centers = (edges[:-1] + edges[1:]) / 2
    below = np.cumsum(counts)
    above = below[-1] - below
    sums = np.cumsum(counts * centers)
    means = sums / np.maximum(below, 1), (sums[-1] - sums) / np.maximum(above, 1)
    between = below * above * (means[0] - means[1]) ** 2
    return float(centers[0] if not between.any() else edges[1:][between.argmax()])
