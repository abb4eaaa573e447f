"""Weights of the first dense layer as images."""

import numpy as np

from skmnist.preprocessing import resolve_image_shape

from ._figures import DIVERGING
from ._first_kernels import first_kernel
from ._images import check_count, columns_for
from .galleries import draw_gallery

__all__ = ["DenseWeightsDisplay"]


class DenseWeightsDisplay:
    """Weights of the first dense layer, one image per unit.

    Each image shows where ink increases the activation of a unit (red) and where it
    decreases it (blue). Use :meth:`from_estimator` or :meth:`from_weights` to make one.

    Parameters
    ----------
    weights : ndarray of shape (n_units, height, width[, 3])
        Weights from each pixel to each unit.
    names : sequence of str, default=None
        Caption above each image.
    units : ndarray of shape (n_units,), default=None
        Numbers of the units in the layer.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_units,)
        One axes per unit.
    images_ : list of AxesImage
        The images as drawn; their arrays are the weights.
    colorbar_ : matplotlib Colorbar
        Colour scale of all images; None for weights of three channels.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    FiltersDisplay : Weights of convolutions.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.linear_model import RidgeClassifier
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import DenseWeightsDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = RidgeClassifier().fit(X / 255, y)
    >>> display = DenseWeightsDisplay.from_estimator(model)
    >>> display.weights.shape
    (10, 8, 8)
    >>> plt.close(display.figure_)
    """

    def __init__(self, weights, *, names=None, units=None):
        self.weights = weights
        self.names = names
        self.units = units

    @classmethod
    def from_estimator(
        cls, estimator, *, n_units=25, units=None, image_shape=None, **plot_params
    ):
        """Show the weights from the pixels to the first dense layer.

        Parameters
        ----------
        estimator : classifier, Pipeline, search or keras.Model
            Fitted: a Keras network whose first layer with weights is dense,
            scikit-learn's :class:`~sklearn.neural_network.MLPClassifier`, or a linear
            classifier, which has one unit per class. Previous steps of a Pipeline may
            only scale pixels or deskew images.
        n_units : int, default=25
            Number of units of a hidden layer to show: those with the largest weights
            (by Euclidean norm), largest first.
        units : array-like of int, default=None
            Numbers of the units to show, instead of the largest.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)``; None means the shape
            that the estimator knows, or else square images.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        DenseWeightsDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the classifier has no such weights.
        ValueError
            If the inputs of the first dense layer are not pixels, as in a CNN or after
            :class:`~sklearn.decomposition.PCA`.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        kernel, names, known_shape = first_kernel(estimator)
        return cls.from_weights(
            kernel,
            image_shape=image_shape or known_shape,
            n_units=n_units,
            units=units,
            names=names,
            **plot_params,
        )

    @classmethod
    def from_weights(
        cls,
        kernel,
        *,
        image_shape=None,
        n_units=25,
        units=None,
        names=None,
        **plot_params,
    ):
        """Show a matrix of weights.

        Parameters
        ----------
        kernel : array-like of shape (n_pixels, n_all_units)
            Weights from each pixel, in the order height, width, channels, to each
            unit.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)``; None means square
            images.
        n_units : int, default=25
            Number of units to show, those with the largest weights first. With `names`,
            all are shown.
        units : array-like of int, default=None
            Numbers of the units to show, instead of the largest.
        names : sequence of str, default=None
            Names of all units.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        DenseWeightsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the matrix does not fit the images, or a unit does not exist.
        """
        kernel = np.array(kernel, dtype=float)
        if kernel.ndim != 2:
            raise ValueError(
                "kernel must have the shape (n_pixels, n_units); got "
                f"{kernel.ndim} dimension(s)."
            )
        shape = resolve_image_shape(len(kernel), image_shape)
        if shape[2] not in (1, 3):
            raise ValueError(
                f"Weights of 1 or 3 channels can be shown; got {shape[2]} channels."
            )
        n_all = kernel.shape[1]
        if units is not None:
            units = np.atleast_1d(units)
            if units.dtype.kind not in "iu" or not np.isin(units, range(n_all)).all():
                raise ValueError(
                    f"units must be numbers from 0 to {n_all - 1}; got "
                    f"{units.tolist()}."
                )
        elif names is not None:
            units = np.arange(n_all)
        else:
            check_count("n_units", n_units)
            norms = np.linalg.norm(kernel, axis=0)
            units = np.argsort(-norms, kind="stable")[:n_units]
        shown = [f"unit {u}" if names is None else str(names[u]) for u in units]
        weights = kernel.T[units].reshape(-1, *shape)
        if shape[2] == 1:
            weights = weights[..., 0]
        return cls(weights, names=shown, units=units).plot(**plot_params)

    def plot(self, ax=None, *, n_columns=None, cmap=DIVERGING, im_kw=None):
        """Draw the weights on one colour scale symmetric about zero.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes per unit, or a single axes, which is
            divided. None makes a figure.
        n_columns : int, default=None
            Number of images per row; None makes the figure about square.
        cmap : str or Colormap, default="RdBu_r"
            Diverging colours. Weights of three channels are drawn in their own colours,
            about a middle grey.
        im_kw : dict, default=None
            Keywords passed to ``imshow``, such as ``{"interpolation": "bilinear"}``.
            They override the settings above.

        Returns
        -------
        DenseWeightsDisplay
            The display.
        """
        weights = np.asarray(self.weights)
        # A few outliers must not make all others pale.
        limit = float(np.quantile(np.abs(weights), 0.995)) or 1.0
        in_color = weights.ndim == 4
        shown = np.clip(0.5 + 0.5 * weights / limit, 0, 1) if in_color else weights
        self.figure_, self.axes_, self.images_ = draw_gallery(
            ax,
            shown,
            self.names,
            n_columns=columns_for(len(weights), n_columns),
            caller=type(self).__name__ + ".plot",
            cmap=cmap,
            vmin=-limit,
            vmax=limit,
            extra_width=0.0 if in_color else 0.9,
            im_kw=im_kw,
        )
        self.colorbar_ = None
        if not in_color:
            self.colorbar_ = self.figure_.colorbar(
                self.images_[0],
                ax=list(self.axes_),
                label="weight",
                extend="both",
                shrink=0.8,
                aspect=30,
                pad=0.03,
            )
            self.colorbar_.outline.set_visible(False)
        return self
