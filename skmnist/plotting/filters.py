"""Filters of a convolutional network."""

import numpy as np

from ._estimators import fitted_network
from ._figures import DIVERGING
from ._images import check_count, mosaic
from ._layer_pictures import draw_mosaics, some_of
from ._network_layers import convolutions, filters_of, named_layers

__all__ = ["FiltersDisplay"]


class FiltersDisplay:
    """Filters of the convolutions of a network.

    One image per layer shows its filters side by side. A layer with one input channel
    has as many filters in a row as fit; other layers have one column per filter and one
    row per input channel. Use :meth:`from_estimator` to make one.

    Parameters
    ----------
    filters : dict of str to ndarray of shape (height, width, channels, n_filters)
        Filters of each layer, by name.

    Attributes
    ----------
    mosaics_ : dict of str to ndarray of shape (height, width)
        Filters of each layer as one array, with NaN between the filters.
    axes_ : ndarray of matplotlib Axes, shape (n_layers,)
        One axes per layer.
    images_ : list of AxesImage
        The images as drawn.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    FeatureMapsDisplay : Output of the filters for an image.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skmnist.networks import build_cnn
    >>> from skmnist.plotting import FiltersDisplay
    >>> network = build_cnn((8, 8, 1), 10, filters=4, pool_size=2)
    >>> display = FiltersDisplay.from_estimator(network)
    >>> {name: array.shape for name, array in display.filters.items()}
    {'convolution_1': (3, 3, 1, 4)}
    >>> plt.close(display.figure_)
    """

    def __init__(self, filters):
        self.filters = filters

    @classmethod
    def from_estimator(cls, estimator, **plot_params):
        """Show the filters of a fitted network.

        Parameters
        ----------
        estimator : classifier, Pipeline, search or keras.Model
            Fitted, with a Keras network as ``model_`` of its last step.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        FiltersDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If `estimator` has no Keras network.
        ValueError
            If the network has no convolution over images.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        model = fitted_network(estimator, cls.__name__)
        filters = {
            name: np.array(filters_of(layer).numpy(), dtype=float)
            for name, layer in named_layers(model)
            if isinstance(layer, convolutions())
        }
        if not filters:
            raise ValueError(f"The network {model.name!r} has no convolution layer.")
        return cls(filters).plot(**plot_params)

    def plot(
        self,
        ax=None,
        *,
        max_filters=None,
        max_channels=8,
        cmap=DIVERGING,
        im_kw=None,
    ):
        """Draw the filters, each layer on one colour scale symmetric about zero.

        The titles give the number of filters shown and the range of the colours.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes per layer, or a single axes, which
            is divided. None makes a figure.
        max_filters : int, default=None
            Maximum number of filters to show per layer. None means 64 in layers with
            one input channel, and 16, one per column, in others.
        max_channels : int, default=8
            Maximum number of input channels to show per filter.
        cmap : str or Colormap, default="RdBu_r"
            Diverging colours: red for positive weights, blue for negative ones.
        im_kw : dict, default=None
            Keywords passed to ``imshow``, such as ``{"interpolation": "bilinear"}``.
            They override the settings above.

        Returns
        -------
        FiltersDisplay
            The display.
        """
        if max_filters is not None:
            check_count("max_filters", max_filters)
        check_count("max_channels", max_channels)
        self.mosaics_, titles = {}, []
        for name, kernel in self.filters.items():
            height, width, n_channels, n_filters = kernel.shape
            most = max_filters or (64 if n_channels == 1 else 16)
            shown = kernel[:, :, :max_channels, :most]
            # Input channel after input channel, and in each filter after filter.
            tiles = shown.transpose(2, 3, 0, 1).reshape(-1, height, width)
            n_columns = shown.shape[3]
            if n_channels == 1:
                n_columns = min(16, n_columns)
            self.mosaics_[name] = mosaic(tiles, n_columns)
            title = f"{name}: {some_of(shown.shape[3], n_filters, 'filter')} of "
            title += f"{height}×{width}"
            if n_channels > 1:
                title += f", {some_of(shown.shape[2], n_channels, 'input channel')}"
            titles.append(title)
        limits = [np.nanmax(np.abs(m)) or 1.0 for m in self.mosaics_.values()]
        titles = [
            f"{title}, within ±{limit:.2g}"
            for title, limit in zip(titles, limits, strict=True)
        ]
        self.figure_, self.axes_, self.images_ = draw_mosaics(
            ax,
            list(self.mosaics_.values()),
            titles,
            [(-limit, limit) for limit in limits],
            [{"cmap": cmap} | (im_kw or {})] * len(titles),
            [3.6] * len(titles),
            type(self).__name__ + ".plot",
        )
        return self
