"""Pictures of layers, one below the other."""

import numpy as np

from ._figures import grid_of_axes, strip_axes

__all__ = ["draw_mosaics", "some_of"]


_WIDTH = 7.0  # inches
_TITLE = 0.28


def draw_mosaics(ax, pictures, titles, limits, cmaps, max_heights, caller):
    """Draw one picture a layer, one below the other, each no higher than allowed."""
    heights = [
        float(np.clip(_WIDTH * picture.shape[0] / picture.shape[1], 0.25, most))
        + _TITLE
        for picture, most in zip(pictures, max_heights, strict=True)
    ]
    figure, axes = grid_of_axes(
        ax,
        len(pictures),
        1,
        caller,
        (_WIDTH, float(np.mean(heights))),
        height_ratios=heights,
    )
    images = []
    for layer_ax, picture, title, (low, high), cmap in zip(
        axes, pictures, titles, limits, cmaps, strict=True
    ):
        strip_axes(layer_ax)
        images.append(
            layer_ax.imshow(
                picture, cmap=cmap, vmin=low, vmax=high, interpolation="nearest"
            )
        )
        layer_ax.set_anchor("W")
        layer_ax.set_title(title, loc="left", fontsize=9, pad=3)
        layer_ax.spines[:].set_visible(False)
    return figure, axes, images


def some_of(n_shown, n_all, noun):
    """Say how many of a kind are shown, such as "the first 64 of 128 maps"."""
    text = f"{n_all} {noun if n_all == 1 else noun + 's'}"
    return text if n_shown == n_all else f"the first {n_shown} of {text}"
