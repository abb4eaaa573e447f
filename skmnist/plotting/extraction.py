"""Digits found in a picture, and what a classifier made of them."""

import numpy as np
from sklearn.utils import column_or_1d

from skmnist._numbers import confidence_text
from skmnist.preprocessing import DigitExtractor

from ._estimators import checked_confidence, confidences
from ._figures import VERMILLION, grid_of_axes, literal, strip_axes
from ._images import check_count, displayed_picture
from .galleries import draw_gallery

__all__ = ["ExtractedDigitsDisplay"]

_WIDTH = 6.0  # inches


class ExtractedDigitsDisplay:
    """A picture with the digits found in it, and the images made from them.

    Each digit is framed, with its predicted label above. The gallery shows the images
    in reading order, as the classifier got them, with label and confidence, which is
    the probability of the predicted label. Use :meth:`from_estimator` or
    :meth:`from_predictions` to make one.

    Parameters
    ----------
    picture : array-like of shape (height, width) or (height, width, channels)
        The picture.
    digits : ExtractedDigits
        What :meth:`~skmnist.DigitExtractor.extract` found in it.
    labels : array-like of shape (n_digits,), default=None
        Predicted labels.
    confidence : array-like of shape (n_digits,), default=None
        Probability of each predicted label, in [0, 1].

    Attributes
    ----------
    lines : list of str
        The labels as they stand in the picture, a text per row.
    ax_ : matplotlib Axes
        Axes with the picture.
    boxes_ : list of matplotlib Rectangle
        Frames of the digits.
    axes_ : ndarray of matplotlib Axes
        One axes per digit in the gallery.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    skmnist.DigitExtractor : Finds the digits.
    RecognitionDisplay : Galleries of images whose true labels are known.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> import numpy as np
    >>> from sklearn.neighbors import KNeighborsClassifier
    >>> from skmnist import DigitExtractor
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import ExtractedDigitsDisplay
    >>> digits = load_digits()
    >>> model = KNeighborsClassifier(3).fit(digits.data[100:], digits.target[100:])
    >>> row = np.hstack([np.pad(image, 3) for image in digits.images[21:24]])
    >>> picture = 255 - np.kron(row, np.ones((4, 4))).astype(np.uint8)
    >>> extractor = DigitExtractor(output_shape=(8, 8), digit_size=1.0)
    >>> display = ExtractedDigitsDisplay.from_estimator(
    ...     model, picture, extractor=extractor
    ... )
    >>> display.lines
    ['123']
    >>> plt.close(display.figure_)
    """

    def __init__(self, picture, digits, *, labels=None, confidence=None):
        self.picture = picture
        self.digits = digits
        self.labels = None if labels is None else column_or_1d(labels)
        self.confidence = checked_confidence(confidence)
        for name in "labels", "confidence":
            values = getattr(self, name)
            if values is not None and len(values) != len(digits):
                raise ValueError(
                    f"{name} must have one value for each of the {len(digits)} digits; "
                    f"got {len(values)}."
                )

    @property
    def lines(self):
        """Labels as they stand in the picture."""
        return [] if self.labels is None else self.digits.join(self.labels)

    @classmethod
    def from_estimator(cls, estimator, picture, *, extractor=None, **plot_params):
        """Find the digits in a picture, classify them and show the results.

        Parameters
        ----------
        estimator : classifier, Pipeline or search
            A fitted classifier that takes rows of pixels from 0 to 255, as those of
            MNIST.
        picture : array-like of shape (height, width) or (height, width, channels)
            The picture.
        extractor : DigitExtractor, default=None
            What finds the digits; None means ``DigitExtractor()``.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ExtractedDigitsDisplay
            The display, drawn.
        """
        extractor = DigitExtractor() if extractor is None else extractor
        digits = extractor.extract(picture)
        labels = confidence = None
        if len(digits):
            X = digits.images.reshape(len(digits), -1)
            labels = column_or_1d(estimator.predict(X))
            confidence = confidences(estimator, X, labels)
        return cls.from_predictions(
            picture, digits, labels, confidence=confidence, **plot_params
        )

    @classmethod
    def from_predictions(
        cls, picture, digits, labels=None, *, confidence=None, **plot_params
    ):
        """Show digits found in a picture, with given predictions.

        Parameters
        ----------
        picture : array-like of shape (height, width) or (height, width, channels)
            The picture.
        digits : ExtractedDigits
            What :meth:`~skmnist.DigitExtractor.extract` found in it.
        labels : array-like of shape (n_digits,), default=None
            Predicted labels.
        confidence : array-like of shape (n_digits,), default=None
            Probability of each predicted label, in [0, 1].
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ExtractedDigitsDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If there are not as many labels or confidences as digits, or `confidence`
            is not in [0, 1].
        """
        display = cls(picture, digits, labels=labels, confidence=confidence)
        return display.plot(**plot_params)

    def plot(self, ax=None, *, n_columns=10):
        """Draw the picture and the images.

        Parameters
        ----------
        ax : matplotlib Axes or array of 2 Axes, default=None
            Axes to draw on: one for the picture and one for the gallery, or a single
            axes, which is divided. None makes a figure.
        n_columns : int, default=10
            Number of images per row of the gallery.

        Returns
        -------
        ExtractedDigitsDisplay
            The display.
        """
        check_count("n_columns", n_columns)
        caller = type(self).__name__ + ".plot"
        picture = displayed_picture(self.picture)
        height, width = picture.shape[:2]
        n_rows = -(-len(self.digits) // n_columns)
        heights = [min(_WIDTH * height / width, 1.5 * _WIDTH), 0.95 * n_rows + 0.05]
        self.figure_, (self.ax_, frame) = grid_of_axes(
            ax,
            2,
            1,
            caller,
            (_WIDTH, sum(heights) / 2),
            height_ratios=heights,
            gaps=(0.0, 0.4),
        )
        strip_axes(self.ax_)
        self.ax_.imshow(picture, cmap="gray")
        self.boxes_ = [
            self._frame(box, number) for number, box in enumerate(self.digits.boxes)
        ]
        frame.set_axis_off()
        self.axes_ = np.empty(0, dtype=object)
        if len(self.digits):
            _, self.axes_, _ = draw_gallery(
                frame,
                self.digits.images / 255,
                [self._caption(number) for number in range(len(self.digits))],
                n_columns=n_columns,
                caller=caller,
                cmap="gray",
                fill_row=True,
            )
        else:
            self.ax_.set_title("No digit was found", fontsize=10)
        return self

    def _frame(self, box, number):
        """Draw the frame of one digit, and its label above."""
        from matplotlib.patches import Rectangle

        top, left, bottom, right = box
        patch = Rectangle(
            (left - 0.5, top - 0.5), right - left, bottom - top, fill=False
        )
        patch.set(edgecolor=VERMILLION, linewidth=1.2)
        self.ax_.add_patch(patch)
        if self.labels is not None:
            self.ax_.annotate(
                literal(self.labels[number]),
                ((left + right) / 2, top),
                (0, 2),
                textcoords="offset points",
                ha="center",
                va="bottom",
                color=VERMILLION,
                fontsize=9,
                annotation_clip=True,
            )
        return patch

    def _caption(self, number):
        words = [] if self.labels is None else [str(self.labels[number])]
        if self.confidence is not None:
            words.append(confidence_text(self.confidence[number]))
        return "\n".join(words)
