"""Galleries of correctly classified and misclassified images."""

import numpy as np
from sklearn.utils import column_or_1d
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_consistent_length

from skmnist._numbers import confidence_text, counted
from skmnist.preprocessing.layout import refuse_single_image

from ._estimators import checked_confidence, confidences, image_shape_of
from ._figures import (
    INK,
    add_heading,
    caption_room,
    caption_size,
    frame_size,
    grid_of_axes,
    has_layout,
    wrapped,
)
from ._images import check_count, displayed_images
from .galleries import draw_gallery

__all__ = ["RecognitionDisplay"]

_GAP = 0.12  # inches between the galleries
_HEADINGS = {"wrong": "Misclassified (true → predicted)", "right": "Correct"}


class RecognitionDisplay:
    """Galleries of misclassified and correctly classified images.

    Above each image are the true label, the predicted label and the confidence, which
    is the probability of the predicted label. Misclassified images are sorted most
    confident first, correctly classified ones least confident first; without
    probabilities both keep the order of the rows. Use :meth:`from_estimator` or
    :meth:`from_predictions` to make one. For a confusion matrix, use scikit-learn's
    :class:`~sklearn.metrics.ConfusionMatrixDisplay`; for calibration,
    :class:`~sklearn.calibration.CalibrationDisplay`.

    Parameters
    ----------
    X : array-like of shape (n_samples, n_pixels) or images
        The images.
    y_true, y_pred : ndarray of shape (n_samples,)
        True and predicted labels.
    confidence : ndarray of shape (n_samples,), default=None
        Probability of each predicted label, in [0, 1].
    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)``, if `X` holds rows of
        pixels; None means square images.

    Attributes
    ----------
    wrong : ndarray of int
        Rows of the misclassified images, in the order of the gallery.
    right : ndarray of int
        Rows of the correctly classified images, in the order of the gallery.
    shown_ : dict of str to ndarray of int
        Rows drawn in the galleries ``"wrong"`` and ``"right"``.
    axes_ : dict of str to ndarray of matplotlib Axes
        One axes per image in each gallery.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    sklearn.metrics.ConfusionMatrixDisplay : Confusion matrix.
    skmnist.evaluation.evaluate : Accuracy and other scores.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import RecognitionDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> model = KNeighborsClassifier(3).fit(X[:1000], y[:1000])
    >>> display = RecognitionDisplay.from_estimator(model, X[1000:], y[1000:])
    >>> len(display.wrong), len(display.right)
    (28, 769)
    >>> plt.close(display.figure_)
    """

    def __init__(self, X, y_true, y_pred, *, confidence=None, image_shape=None):
        self.X = X
        self.y_true = y_true
        self.y_pred = y_pred
        self.confidence = confidence
        self.image_shape = image_shape

    @property
    def wrong(self):
        """Rows that were misclassified, most confident first."""
        rows = np.flatnonzero(self.y_true != self.y_pred)
        if self.confidence is None:
            return rows
        return rows[np.argsort(-self.confidence[rows], kind="stable")]

    @property
    def right(self):
        """Rows that were classified correctly, least confident first."""
        rows = np.flatnonzero(self.y_true == self.y_pred)
        if self.confidence is None:
            return rows
        return rows[np.argsort(self.confidence[rows], kind="stable")]

    @classmethod
    def from_estimator(cls, estimator, X, y, *, image_shape=None, **plot_params):
        """Classify images with a fitted classifier and show the results.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            A fitted classifier with ``predict``. With ``predict_proba``, confidences
            are shown.
        X : array-like of shape (n_samples, n_pixels) or images
            Images in any form that the classifier accepts.
        y : array-like of shape (n_samples,)
            Their true labels.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)``; None means the shape
            that the classifier knows, or else square images.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        RecognitionDisplay
            The display, drawn.

        Raises
        ------
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        ValueError
            If the labels in `y` are of another kind than those of the classifier, such
            as strings instead of numbers.
        """
        y_pred = column_or_1d(estimator.predict(X))
        return cls.from_predictions(
            X,
            y,
            y_pred,
            confidence=confidences(estimator, X, y_pred),
            image_shape=image_shape or image_shape_of(estimator),
            **plot_params,
        )

    @classmethod
    def from_predictions(
        cls, X, y_true, y_pred, *, confidence=None, image_shape=None, **plot_params
    ):
        """Show images with given predictions.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Rows of pixels, or images in any layout.
        y_true : array-like of shape (n_samples,)
            True labels.
        y_pred : array-like of shape (n_samples,)
            Predicted labels.
        confidence : array-like of shape (n_samples,), default=None
            Probability of each predicted label, in [0, 1].
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)``, if `X` holds rows of
            pixels; None means square images.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        RecognitionDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If lengths differ, one of the labels are strings and the other numbers, or
            `confidence` is not one number in [0, 1] per image.
        """
        refuse_single_image(X, y=y_true)
        y_true, y_pred = column_or_1d(y_true), column_or_1d(y_pred)
        check_consistent_length(X, y_true, y_pred, confidence)
        unique_labels(y_true, y_pred)  # refuses numbers beside texts: none are equal
        confidence = checked_confidence(confidence)
        display = cls(X, y_true, y_pred, confidence=confidence, image_shape=image_shape)
        return display.plot(**plot_params)

    def plot(self, ax=None, *, kind="both", n_images=12, n_columns=6, cmap=INK):
        """Draw the galleries.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes per gallery, or a single axes, which
            is divided. None makes a figure.
        kind : {"both", "wrong", "right"}, default="both"
            Whether to show misclassified images, correctly classified ones, or both.
        n_images : int, default=12
            Maximum number of images per gallery.
        n_columns : int, default=6
            Number of images per row.
        cmap : str or Colormap, default="gray_r"
            Colours for images with one channel.

        Returns
        -------
        RecognitionDisplay
            The display.
        """
        if kind not in ("both", *_HEADINGS):
            raise ValueError(f"kind must be 'both', 'wrong' or 'right'; got {kind!r}.")
        check_count("n_images", n_images)
        check_count("n_columns", n_columns)
        kinds = list(_HEADINGS) if kind == "both" else [kind]
        self.shown_ = {name: getattr(self, name)[:n_images] for name in kinds}
        images = {  # before there are axes, which nobody would want without them
            name: displayed_images(self.X, rows, self.image_shape)
            for name, rows in self.shown_.items()
        }
        caller = type(self).__name__ + ".plot"
        n_lines = 1 if self.confidence is None else 2
        n_rows = np.array([-(-len(rows) // n_columns) for rows in self.shown_.values()])
        captions = [self._caption(row) for rows in self.shown_.values() for row in rows]
        width, row_height, room = n_columns * 0.95, 0.95 + 0.15 * n_lines, 0.0
        frame = ax if hasattr(ax, "get_subplotspec") else None
        first = frame
        if ax is not None:
            first = frame or np.asarray(ax, dtype=object).flat[0]
            width, height = frame_size(first)
        texts = [wrapped(self._heading(name), width, 10) for name in kinds]
        headings = np.array([0.1 + 0.17 * (text.count("\n") + 1) for text in texts])
        fontsize = caption_size(captions, width / n_columns)
        if frame is not None:
            left = height - headings.sum() - _GAP * (len(kinds) - 1)
            row_height = max(left / max(n_rows.sum(), 1), 0.2)
            # In little space the images come first.
            fontsize = min(fontsize, max(6.0, 72 * 0.3 * row_height / n_lines))
        if first is not None and not has_layout(first):
            # Captions of a first row are above the axes that are left to a gallery.
            room = caption_room(n_lines, fontsize)
            headings += room * (n_rows > 0)
            row_height -= room * (n_rows > 0).sum() / max(n_rows.sum(), 1)
        heights = headings + row_height * n_rows
        self.figure_, frames = grid_of_axes(
            ax,
            len(kinds),
            1,
            caller,
            (width, float(np.mean(heights))),
            height_ratios=heights,
            gaps=(0.0, _GAP),
        )
        if ax is not frame:  # an array: each has its own height
            heights = np.maximum([frame_size(f)[1] for f in frames], headings)
            heights = np.where(
                n_rows > 0, np.maximum(heights, headings + 0.2), headings
            )
        self.axes_ = {}
        for i, name in enumerate(kinds):
            rest = add_heading(frames[i], texts[i], caller, headings[i], heights[i])
            self.axes_[name] = self._draw(
                rest, name, images[name], n_columns, cmap, fontsize
            )
        return self

    def _heading(self, kind):
        """Say how many there are, and in which order they come."""
        n, n_shown = len(getattr(self, kind)), len(self.shown_[kind])
        text = f"{_HEADINGS[kind]}: {n:,} of {counted(len(self.y_true), 'image')}"
        if n_shown < n:
            text += f", {n_shown:,} shown"
        if n and self.confidence is not None:
            text += f", {'most' if kind == 'wrong' else 'least'} confident first"
        return text

    def _draw(self, frame, kind, images, n_columns, cmap, fontsize):
        """Draw one gallery inside a frame; return its axes."""
        if not len(images):
            return np.empty(0, dtype=object)
        captions = [self._caption(row) for row in self.shown_[kind]]
        # A short last row leaves blank places: images stay the same size.
        _, axes, _ = draw_gallery(
            frame,
            images,
            captions,
            n_columns=n_columns,
            caller=type(self).__name__,
            cmap=cmap,
            fill_row=True,
            fontsize=fontsize,
        )
        return axes

    def _caption(self, row):
        true, predicted = self.y_true[row], self.y_pred[row]
        text = f"{true}" if true == predicted else f"{true} → {predicted}"
        if self.confidence is not None:
            text += f"\n{confidence_text(self.confidence[row])}"
        return text
