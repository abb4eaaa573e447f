"""The model and images that a report shows pictures of."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from skmnist.plotting import RecognitionDisplay
from skmnist.plotting._estimators import confidences, image_shape_of
from skmnist.plotting._images import displayed_images

__all__ = ["EvaluatedSubject", "Subject"]


@dataclass(frozen=True, eq=False)
class Subject:
    """Fitted model with its test images, for the pictures of a report.

    Parameters
    ----------
    model : classifier, Pipeline or search
        Fitted.
    X : array-like with n_samples rows
        Images in the form that the model accepts.
    y : array-like of shape (n_samples,)
        Their true labels.
    image_shape : tuple of int, default=None
        ``(height, width)`` or ``(height, width, channels)``; None means the shape that
        the model knows, or else square images.
    """

    model: object
    X: object
    y: object
    image_shape: tuple | None = None

    @cached_property
    def recognition(self):
        """The predictions of the model, a RecognitionDisplay that is not drawn yet."""
        y, predicted = np.asarray(self.y), np.asarray(self.model.predict(self.X))
        return RecognitionDisplay(
            self.X,
            y,
            predicted,
            confidence=confidences(self.model, self.X, predicted),
            image_shape=self.known_shape,
        )

    @property
    def known_shape(self):
        """The shape of the images, None if nobody knows it."""
        return self.image_shape or image_shape_of(self.model)

    @cached_property
    def has_pictures(self):
        """Whether the rows are images of a shape that can be shown."""
        try:
            self.images([0])
        except (TypeError, ValueError):
            return False
        return True

    def images(self, rows):
        """Return images as they are shown: floats in [0, 1], where 0 is paper."""
        rows = np.asarray(rows, dtype=int)
        return displayed_images(self.X, rows, self.known_shape)

    @property
    def example(self):
        """Row of the example image: the most confident misclassified one, if any."""
        recognition = self.recognition
        rows = np.concatenate([recognition.wrong, recognition.right])
        return int(rows[0])


class EvaluatedSubject(Subject):
    """Subject of an evaluation, which need not be of images.

    Pictures that fail are left out and logged; of a subject that the caller gives, the
    error is raised.
    """
