"""Pictures of layers, one below the other."""

import numpy as np

from ._figures import (
    caption_room,
    draw_image,
    frame_size,
    grid_of_axes,
    has_layout,
    wrapped,
)

__all__ = ["draw_mosaics", "some_of"]


_WIDTH = 7.0  # inches
_FONTSIZE = 9


def draw_mosaics(ax, pictures, titles, limits, im_kws, max_heights, caller):
    """Draw one picture per layer, one below the other, each no higher than allowed."""
    width, has_room = _WIDTH, True
    if ax is not None:
        first = np.asarray(ax, dtype=object).flat[0]
        width, has_room = frame_size(first)[0], has_layout(first)
    titles = [wrapped(title, width, _FONTSIZE) for title in titles]
    rooms = [caption_room(title.count("\n") + 1, _FONTSIZE) + 0.06 for title in titles]
    heights = [
        float(np.clip(_WIDTH * picture.shape[0] / picture.shape[1], 0.25, most))
        + has_room * room
        for picture, most, room in zip(pictures, max_heights, rooms, strict=True)
    ]
    figure, axes = grid_of_axes(
        ax,
        len(pictures),
        1,
        caller,
        (_WIDTH, float(np.mean(heights))),
        height_ratios=heights,
        gaps=(0.0, max(rooms)),
    )
    images = []
    for layer_ax, picture, title, (low, high), im_kw in zip(
        axes, pictures, titles, limits, im_kws, strict=True
    ):
        images.append(draw_image(layer_ax, picture, vmin=low, vmax=high, im_kw=im_kw))
        layer_ax.set_anchor("W")
        layer_ax.set_title(title, loc="left", fontsize=_FONTSIZE, pad=3)
        layer_ax.spines[:].set_visible(False)
    return figure, axes, images


def some_of(n_shown, n_all, noun):
    """Say how many of a kind are shown, such as "the first 64 of 128 maps"."""
    text = f"{n_all} {noun if n_all == 1 else noun + 's'}"
    return text if n_shown == n_all else f"the first {n_shown} of {text}"
