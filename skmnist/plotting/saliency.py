"""Occlusion saliency: the parts of an image that a prediction depends on."""

from numbers import Integral, Real

import numpy as np
from sklearn.utils import _safe_indexing, column_or_1d
from sklearn.utils.validation import check_is_fitted

from skmnist._numbers import confidence_text

from ._estimators import image_shape_of
from ._figures import DIVERGING, GREY, draw_image, grid_of_axes, literal
from ._images import check_row, displayed_images

__all__ = ["OcclusionSaliencyDisplay"]

_BATCH_PIXELS = 2**22


class OcclusionSaliencyDisplay:
    """Occlusion saliency: how much each part of an image supports a label.

    A patch is moved over the image, and the image is classified again at each position.
    Parts whose covering lowers the confidence in the label support it (red); parts
    whose covering raises it speak against it (blue). This is the occlusion method of
    Zeiler and Fergus [1]_. It works with any classifier that has a probability or
    decision value for each class, and needs no gradients. Use :meth:`from_estimator` to
    make one.

    Parameters
    ----------
    image : ndarray of shape (height, width[, 3 or 4])
        The image, with values in [0, 1].
    saliency : ndarray of shape (height, width)
        Decrease of the response when a pixel is covered, averaged over the patches that
        cover it. Positive where the pixel supports the label.
    label : object
        The label that is explained.
    response : float
        Probability or decision value of the label for the whole image.
    response_name : str, default="probability"
        Name of the response.
    predicted : object, default=None
        The label predicted for the whole image. The title names it if it differs from
        `label`.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (2,)
        Axes of the image and of the saliency.
    images_ : list of AxesImage
        The image and the saliency as drawn.
    colorbar_ : matplotlib Colorbar
        Colour scale of the saliency.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    FeatureMapsDisplay : Feature maps of a convolutional network.
    sklearn.inspection.permutation_importance : Importance of pixels over all images.

    References
    ----------
    .. [1] M. D. Zeiler and R. Fergus (2014). Visualizing and understanding
       convolutional networks. ECCV, 818-833. https://arxiv.org/abs/1311.2901

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.linear_model import LogisticRegression
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import OcclusionSaliencyDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = LogisticRegression(max_iter=1000).fit(X / 255, y)
    >>> display = OcclusionSaliencyDisplay.from_estimator(model, X / 255, row=4)
    >>> int(display.label), display.saliency.shape
    (4, (8, 8))
    >>> plt.close(display.figure_)
    """

    def __init__(
        self,
        image,
        saliency,
        label,
        response,
        *,
        response_name="probability",
        predicted=None,
    ):
        self.image = image
        self.saliency = saliency
        self.label = label
        self.response = response
        self.response_name = response_name
        self.predicted = predicted

    @classmethod
    def from_estimator(
        cls,
        estimator,
        X,
        *,
        row=0,
        label=None,
        patch_size=None,
        stride=1,
        fill=0.0,
        response_method="auto",
        image_shape=None,
        **plot_params,
    ):
        """Compute the occlusion saliency of an image with a fitted classifier.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            Fitted, with ``predict_proba``, or a ``decision_function`` with one value
            per class (a single value for two classes).
        X : array-like of shape (n_samples, n_pixels) or images
            Images in any form that the classifier accepts.
        row : int, default=0
            Index of the image in `X`.
        label : object, default=None
            The label to explain; None means the predicted label.
        patch_size : int, default=None
            Side of the square patch in pixels, from 1 to the smaller side of the image.
            None means a sixth of that side, at least 2.
        stride : int, default=1
            Distance between positions of the patch, in pixels.
        fill : float, default=0.0
            Value of covered pixels, in the units of `X`; 0 is the background of digits.
        response_method : {"auto", "predict_proba", "decision_function"}, \
                default="auto"
            Response of the classifier; "auto" means probabilities if it has them.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)``; None means the shape
            that the classifier knows, or else square images.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        OcclusionSaliencyDisplay
            The display, drawn.

        Raises
        ------
        TypeError
            If the classifier has neither probabilities nor decision values.
        ValueError
            If the row or label does not exist, or a parameter is invalid.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        check_is_fitted(estimator)
        method = _response_method(estimator, response_method)
        row = check_row(row, X)
        image_shape = image_shape or image_shape_of(estimator)
        image = displayed_images(X, np.array([row]), image_shape)[0]
        if isinstance(X, list | tuple):
            X = np.asarray(X)
        one = _safe_indexing(X, [row])
        predicted = column_or_1d(estimator.predict(one))[0]
        if label is None:
            label = predicted
        column = _column(estimator, label)

        patch_size = _checked_patch(patch_size, stride, fill, image.shape)
        whole = float(_responses(estimator, method, one, column)[0])
        saliency = np.zeros(image.shape[:2])
        n_covers = np.zeros(image.shape[:2])
        corners = [
            (top, left)
            for top in _starts(image.shape[0], patch_size, stride)
            for left in _starts(image.shape[1], patch_size, stride)
        ]
        n_together = max(1, _BATCH_PIXELS // np.asarray(one).size)
        for start in range(0, len(corners), n_together):
            batch = corners[start : start + n_together]
            covered = _covered(one, image.shape, batch, patch_size, fill)
            falls = whole - _responses(estimator, method, covered, column)
            for (top, left), fall in zip(batch, falls, strict=True):
                patch = np.s_[top : top + patch_size, left : left + patch_size]
                saliency[patch] += fall
                n_covers[patch] += 1
        # With long strides some pixels are never covered: nothing is known of them.
        saliency = np.divide(
            saliency, n_covers, out=np.full_like(saliency, np.nan), where=n_covers > 0
        )
        name = "probability" if method == "predict_proba" else "decision value"
        display = cls(
            image, saliency, label, whole, response_name=name, predicted=predicted
        )
        return display.plot(**plot_params)

    def plot(self, ax=None, *, cmap=DIVERGING, im_kw=None):
        """Draw the image and its saliency side by side.

        Parameters
        ----------
        ax : matplotlib Axes or array of 2 Axes, default=None
            Axes to draw on: an array of two axes, or a single axes, which is divided.
            None makes a figure.
        cmap : str or Colormap, default="RdBu_r"
            Diverging colours: red where a part supports the label.
        im_kw : dict, default=None
            Keywords passed to ``imshow`` for the saliency, such as
            ``{"interpolation": "bilinear"}``. They override the settings above.

        Returns
        -------
        OcclusionSaliencyDisplay
            The display.
        """
        height, width = self.image.shape[:2]
        cell_height = float(np.clip(2.6 * height / width, 0.8, 4.0))
        self.figure_, self.axes_ = grid_of_axes(
            ax,
            2,
            2,
            type(self).__name__ + ".plot",
            (3.4, cell_height + 0.45),
        )
        left, right = self.axes_
        limit = float(np.nanmax(np.abs(self.saliency))) or 1.0
        self.images_ = [
            draw_image(left, self.image),
            draw_image(
                right, self.saliency, cmap=cmap, vmin=-limit, vmax=limit, im_kw=im_kw
            ),
        ]
        ink = self.image if self.image.ndim == 2 else self.image[..., :3].mean(axis=-1)
        if min(ink.shape) > 1 and ink.min() < 0.5 < ink.max():
            # A margin of paper closes the lines where ink reaches the edge.
            edges = [np.arange(-1, size + 1) for size in (width, height)]
            right.contour(
                *edges, np.pad(ink, 1), levels=[0.5], colors=[GREY], linewidths=1.0
            )
            right.set(xlim=(-0.5, width - 0.5), ylim=(height - 0.5, -0.5))
        value = (
            confidence_text(self.response)
            if self.response_name == "probability"
            else f"{self.response_name} {self.response:.3g}"
        )
        title = f"{self.label}: {value}"
        if self.predicted is not None and self.predicted != self.label:
            title += f" (predicted: {self.predicted})"
        for panel, text in (left, title), (right, f"evidence for {self.label}"):
            panel.set_title(literal(text), loc="left", fontsize=10)
        self.colorbar_ = self.figure_.colorbar(
            self.images_[1],
            ax=right,
            label=f"drop in {self.response_name} if covered",
            fraction=0.05,
            pad=0.03,
        )
        self.colorbar_.outline.set_visible(False)
        return self


def _response_method(estimator, response_method):
    """Name the method that is asked for the confidence in each label."""
    known = ("predict_proba", "decision_function")
    if response_method not in ("auto", *known):
        raise ValueError(
            "response_method must be 'auto', 'predict_proba' or 'decision_function'; "
            f"got {response_method!r}."
        )
    wanted = known if response_method == "auto" else (response_method,)
    for method in wanted:
        if hasattr(estimator, method) and hasattr(estimator, "classes_"):
            return method
    raise TypeError(
        "OcclusionSaliencyDisplay needs a classifier with classes_ and "
        f"{' or '.join(wanted)}; {type(estimator).__name__} is none."
    )


def _column(estimator, label):
    """Return the position of a label among the classes."""
    classes = np.asarray(estimator.classes_).tolist()
    if label not in classes:
        raise ValueError(f"label must be one of {classes}; got {label!r}.")
    return classes.index(label)


def _responses(estimator, method, X, column):
    """Return the classifier's confidence in one label for each image."""
    values = np.asarray(getattr(estimator, method)(X), dtype=float)
    if values.ndim == 1:  # decision values of two classes are evidence for the second
        return values if column == 1 else -values
    if values.shape[1] != len(estimator.classes_):
        raise TypeError(
            f"{method} of {type(estimator).__name__} gives {values.shape[1]} values "
            f"for {len(estimator.classes_)} classes; one for each class is needed."
        )
    return values[:, column]


def _checked_patch(patch_size, stride, fill, image_shape):
    """Check what is moved over the image, and how; return the side of the patch."""
    shorter = min(image_shape[:2])
    if patch_size is None:
        patch_size = min(shorter, max(2, round(shorter / 6)))
    for name, value, most in (
        ("patch_size", patch_size, shorter),
        ("stride", stride, shorter),
    ):
        if not isinstance(value, Integral) or not 1 <= value <= most:
            raise ValueError(f"{name} must be an int from 1 to {most}; got {value!r}.")
    if not isinstance(fill, Real) or not np.isfinite(fill):
        raise ValueError(f"fill must be a finite number; got {fill!r}.")
    return int(patch_size)


def _starts(size, patch_size, stride):
    """Positions of the patch along one side; the last one reaches the end."""
    starts = list(range(0, size - patch_size + 1, stride))
    last = size - patch_size
    return starts if starts[-1] == last else [*starts, last]


def _covered(one, image_shape, corners, patch_size, fill):
    """Return copies of one image, each with another part covered.

    They have the layout, the type and the column names of the original.
    """
    pixels = np.asarray(one)
    dtype = pixels.dtype
    if dtype.kind not in "fc" and dtype.type(fill) != fill:
        dtype = np.dtype(float)
    channels = pixels.size // (image_shape[0] * image_shape[1])
    copies = np.repeat(pixels.astype(dtype), len(corners), axis=0)
    channels_last = (*image_shape[:2], channels)
    if pixels.ndim == 4 and pixels.shape[1:] != channels_last:  # channels first
        views = np.moveaxis(copies, 1, -1)
    else:
        views = copies.reshape(len(corners), *channels_last)
    for view, (top, left) in zip(views, corners, strict=True):
        view[top : top + patch_size, left : left + patch_size] = fill
    if hasattr(one, "iloc"):
        return type(one)(copies, columns=one.columns)
    return copies
