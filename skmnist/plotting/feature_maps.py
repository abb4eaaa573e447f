"""Feature maps of a convolutional network."""

import numpy as np

from ._estimators import fitted_network, image_shape_of, network_input
from ._figures import INK, SEQUENTIAL
from ._images import check_count, check_row, displayed_images, mosaic
from ._layer_pictures import draw_mosaics, some_of
from ._network_layers import feature_maps_of, takes_channels_first

__all__ = ["FeatureMapsDisplay"]


class FeatureMapsDisplay:
    """Feature maps that convolutions, poolings and activations compute for an image.

    The image and, for each layer, its feature maps side by side on one colour scale.
    Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    image : ndarray of shape (height, width[, 3 or 4])
        The image, with values in [0, 1].
    feature_maps : dict of str to ndarray of shape (height, width, n_maps)
        Output of each layer, by name. For a layer that the network calls more than
        once, the output of each call.

    Attributes
    ----------
    mosaics_ : dict of str to ndarray of shape (height, width)
        Feature maps of each layer as one array, with NaN between the maps.
    axes_ : ndarray of matplotlib Axes, shape (1 + n_layers,)
        One for the image and one per layer.
    images_ : list of AxesImage
        The images as drawn, the input image first.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    FiltersDisplay : Filters that compute the maps.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.networks import build_cnn
    >>> from skmnist.plotting import FeatureMapsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> network = build_cnn((8, 8, 1), 10, filters=4, pool_size=2)
    >>> display = FeatureMapsDisplay.from_estimator(network, X / 255, row=3)
    >>> {name: maps.shape for name, maps in display.feature_maps.items()}
    {'convolution_1': (6, 6, 4), 'pooling_1': (3, 3, 4), 'activation_1': (3, 3, 4)}
    >>> plt.close(display.figure_)
    """

    def __init__(self, image, feature_maps):
        self.image = image
        self.feature_maps = feature_maps

    @classmethod
    def from_estimator(
        cls, estimator, X, *, row=0, layers=None, image_shape=None, **plot_params
    ):
        """Show the feature maps of a fitted network for one image.

        Parameters
        ----------
        estimator : classifier, Pipeline, search or keras.Model
            Fitted, with a Keras network as ``model_`` of its last step. It is not
            changed.
        X : array-like of shape (n_samples, n_pixels) or images
            Images in the form that the estimator accepts.
        row : int, default=0
            Index of the image in `X`.
        layers : sequence of str, default=None
            Names of the layers to show. None means all convolutions, poolings and
            separate activation layers. Repeated calls of a layer are named like
            ``"convolution (call 2)"``.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)`` of the image; None
            means the shape that the estimator knows.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        FeatureMapsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `estimator` has no Keras network.
        ValueError
            If a layer does not exist, or the image does not fit.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        model = fitted_network(estimator, cls.__name__)
        row = check_row(row, X)
        network_image = network_input(estimator, model, X, row, cls.__name__)
        maps = feature_maps_of(model, [network_image])
        if layers is not None:
            unknown = [name for name in layers if name not in maps]
            if unknown or not len(layers):
                raise ValueError(
                    f"layers must be among {', '.join(map(repr, maps))}; got "
                    f"{list(layers)!r}."
                )
            maps = {name: maps[name] for name in layers}
        if not maps:
            raise ValueError(
                f"The network {model.name!r} has no convolution or pooling layer."
            )
        if image_shape is None and estimator is model and network_image.ndim == 4:
            image_shape = shape = network_image.shape[1:]
            if takes_channels_first(model, shape):
                X = np.reshape(X, (-1, *shape))  # rows of pixels are in that order too
                image_shape = (*shape[1:], shape[0])
        elif image_shape is None:
            image_shape = image_shape_of(estimator)
        image = displayed_images(X, np.array([row]), image_shape)[0]
        return cls(image, maps).plot(**plot_params)

    def plot(self, ax=None, *, max_maps=64, n_columns=16, cmap=SEQUENTIAL, im_kw=None):
        """Draw the image and the feature maps, each layer on one colour scale.

        The titles give the number of maps shown and the range of the colours.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes for the image and one per layer, or
            a single axes, which is divided. None makes a figure.
        max_maps : int, default=64
            Maximum number of maps to show per layer.
        n_columns : int, default=16
            Number of maps per row.
        cmap : str or Colormap, default="viridis"
            Colours of the maps, from the lowest to the highest value of a layer.
        im_kw : dict, default=None
            Keywords passed to ``imshow`` for the maps, such as
            ``{"interpolation": "bilinear"}``. They override the settings above.

        Returns
        -------
        FeatureMapsDisplay
            The display.
        """
        check_count("max_maps", max_maps)
        check_count("n_columns", n_columns)
        height, width = self.image.shape[:2]
        self.mosaics_, titles = {}, [f"image: {height}×{width}"]
        for name, maps in self.feature_maps.items():
            n_maps = maps.shape[2]
            tiles = np.moveaxis(maps[..., :max_maps], -1, 0)
            self.mosaics_[name] = mosaic(tiles, min(n_columns, len(tiles)))
            titles.append(
                f"{name}: {some_of(len(tiles), n_maps, 'map')} of "
                f"{maps.shape[0]}×{maps.shape[1]}"
            )
        pictures = list(self.mosaics_.values())
        limits = [(np.nanmin(picture), np.nanmax(picture)) for picture in pictures]
        for i, (low, high) in enumerate(limits, start=1):
            titles[i] += f", {low:.2g} to {high:.2g}".replace("-", "\N{MINUS SIGN}")
        self.figure_, self.axes_, self.images_ = draw_mosaics(
            ax,
            [self.image, *pictures],
            titles,
            [(0, 1), *limits],
            [{"cmap": INK}] + [{"cmap": cmap} | (im_kw or {})] * len(pictures),
            [1.1] + [3.6] * len(pictures),
            type(self).__name__ + ".plot",
        )
        return self
