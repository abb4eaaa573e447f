"""The filters of a convolutional network."""

import numpy as np

from ._estimators import fitted_network
from ._figures import DIVERGING
from ._images import check_count, mosaic
from ._layer_pictures import draw_mosaics, some_of
from ._network_layers import convolutions, filters_of, named_layers

__all__ = ["FiltersDisplay"]


class FiltersDisplay:
    """Filters of every convolution of a network.

    One picture a layer, in which the filters stand side by side: those of a layer
    with one input channel in rows, as many as fit; those of other layers with one
    column for each filter and one row for each of its input channels. Use
    :meth:`from_estimator` to make one.

    Parameters
    ----------
    filters : dict of str to ndarray of shape (height, width, channels, n_filters)
        The filters of each layer by its name.

    Attributes
    ----------
    mosaics_ : dict of str to ndarray of shape (height, width)
        The picture of each layer; NaN between the filters.
    axes_ : ndarray of matplotlib Axes, shape (n_layers,)
        One for each layer.
    images_ : list of AxesImage
        The pictures as drawn.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    FeatureMapsDisplay : What the filters make of an image.

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
            Fitted; its last step has a Keras network as ``model_``.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        FiltersDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If there is no Keras network.
        ValueError
            If it has no convolution over images.
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
        """Draw the filters, those of a layer on one scale, symmetric about zero.

        The titles say how many are shown, and from where to where the colours reach.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            A single axes is blanked and filled; an array must have one axes for each
            layer. None makes a figure.
        max_filters : int, default=None
            How many filters of a layer to show, from its first on; None means 64 in
            a layer with one input channel, and 16, each in a column, in others.
        max_channels : int, default=8
            How many input channels of each, likewise.
        cmap : str or Colormap, default="RdBu_r"
            Diverging colours: red for positive weights, blue for negative ones.
        im_kw : dict, default=None
            Keywords for ``imshow`` of each picture, such as
            ``{"interpolation": "bilinear"}``; they come before the settings above.

        Returns
        -------
        FiltersDisplay
            The display itself.
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
