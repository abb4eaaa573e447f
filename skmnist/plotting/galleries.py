"""Galleries of images."""

import numpy as np
from sklearn.utils import check_random_state, column_or_1d
from sklearn.utils.multiclass import unique_labels
from sklearn.utils.validation import check_consistent_length

from skmnist._numbers import confidence_text
from skmnist.evaluation import LabelErrors
from skmnist.preprocessing.augmentation import FAR_FROM_PIXELS, Augmentation
from skmnist.preprocessing.layout import count_rows

from ._figures import (
    INK,
    caption_room,
    caption_size,
    draw_image,
    frame_size,
    grid_of_axes,
    literal,
)
from ._images import check_count, check_rows, columns_for, displayed_images

__all__ = ["ImageGalleryDisplay", "draw_gallery"]


class ImageGalleryDisplay:
    """Gallery of random images, the first of each class, label errors or chosen rows.

    Use :meth:`from_random`, :meth:`from_classes`, :meth:`from_label_errors`,
    :meth:`from_rows` or, for changed images, :meth:`from_augmentation` to make one.
    Images may have any size, and 1, 3 or 4 channels.

    Parameters
    ----------
    images : ndarray of shape (n_images, height, width[, 3 or 4])
        Images with values in [0, 1], where 0 is paper and 1 is ink.
    captions : sequence of str, default=None
        Caption above each image.
    rows : ndarray of shape (n_images,), default=None
        Row numbers of the images.

    Attributes
    ----------
    axes_ : ndarray of matplotlib Axes, shape (n_images,)
        One axes per image.
    images_ : list of AxesImage
        The images as drawn.
    figure_ : matplotlib Figure
        Their figure.

    See Also
    --------
    RecognitionDisplay : Images with the predictions of a classifier.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> from skmnist.datasets import load_digits
    >>> from skmnist.plotting import ImageGalleryDisplay
    >>> X, y = load_digits(return_X_y=True)
    >>> display = ImageGalleryDisplay.from_random(X, y, n_images=9, random_state=0)
    >>> display.images.shape
    (9, 8, 8)
    >>> plt.close(display.figure_)
    >>> nines = ImageGalleryDisplay.from_classes(X, y, labels=[9], n_images=5)
    >>> nines.rows
    array([ 9, 19, 29, 31, 37])
    >>> plt.close(nines.figure_)
    """

    def __init__(self, images, *, captions=None, rows=None):
        self.images = images
        self.captions = captions
        self.rows = rows

    @classmethod
    def from_random(
        cls,
        X,
        y=None,
        *,
        n_images=25,
        image_shape=None,
        random_state=None,
        **plot_params,
    ):
        """Show random images, drawn without replacement.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Rows of pixels, or images in any layout: (n_samples, height, width),
            channels last or channels first.
        y : array-like of shape (n_samples,), default=None
            Labels to write above the images.
        n_images : int, default=25
            Number of images to show; all if there are fewer.
        image_shape : tuple of int, default=None
            ``(height, width)`` or ``(height, width, channels)``, if `X` holds rows of
            pixels; None means square images.
        random_state : int, RandomState instance or None, default=None
            Controls which images are drawn. Pass an int for reproducible results across
            calls.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ImageGalleryDisplay
            The display, drawn.
        """
        check_count("n_images", n_images)
        n_samples = count_rows(X)
        if random_state is None:  # leaves NumPy's global generator alone
            order = np.random.default_rng().permutation(n_samples)
        else:
            order = check_random_state(random_state).permutation(n_samples)
        rows = order[: min(n_images, n_samples)]
        return cls.from_rows(X, rows, y, image_shape=image_shape, **plot_params)

    @classmethod
    def from_classes(
        cls, X, y, *, labels=None, n_images=10, image_shape=None, **plot_params
    ):
        """Show the first images of each class, one class after another.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Images, as in :meth:`from_random`.
        y : array-like of shape (n_samples,)
            Their labels.
        labels : array-like, default=None
            Classes to show; None means all. ``[9]`` shows the first nines.
        n_images : int, default=10
            Number of images per class; all if there are fewer.
        image_shape : tuple of int, default=None
            Shape of an image, as in :meth:`from_random`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ImageGalleryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a class has no image, or there are no labels.
        """
        check_count("n_images", n_images)
        y = column_or_1d(y)
        check_consistent_length(X, y)
        wanted = np.asarray(unique_labels(y)) if labels is None else np.array(labels)
        if not wanted.size:
            raise ValueError("labels must hold one label or more; got none.")
        parts = []
        for label in np.atleast_1d(wanted).tolist():
            found = np.flatnonzero(y == label)[:n_images]
            if not len(found):
                known = np.asarray(unique_labels(y)).tolist()
                raise ValueError(f"labels: no image has {label!r}; y has {known}.")
            parts.append(found)
        # A line for each class, unless a class is short of images.
        if len(parts) > 1 and len({len(found) for found in parts}) == 1:
            plot_params.setdefault("n_columns", len(parts[0]))
        return cls.from_rows(
            X, np.concatenate(parts), y, image_shape=image_shape, **plot_params
        )

    @classmethod
    def from_label_errors(
        cls, X, errors, *, n_images=25, image_shape=None, **plot_params
    ):
        """Show the images whose labels are most suspicious, the worst first.

        Above each image are the given label, the suggested one and its probability.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            The images, as in :meth:`from_random`.
        errors : LabelErrors
            What :func:`skmnist.evaluation.find_label_errors` returned for these images.
        n_images : int, default=25
            Number of images to show; all if there are fewer. If it is higher than
            ``errors.n_suspected``, the last ones are not suspected.
        image_shape : tuple of int, default=None
            Shape of an image, as in :meth:`from_random`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ImageGalleryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If the label errors are not of as many images as `X` has.
        TypeError
            If `errors` is something else.
        """
        if not isinstance(errors, LabelErrors):
            raise TypeError(
                "errors, the second argument, must be what find_label_errors returns; "
                f"got {type(errors).__name__}."
            )
        check_count("n_images", n_images)
        if count_rows(X) != len(errors.indices):
            raise ValueError(
                f"X has {count_rows(X)} rows, but errors is about "
                f"{len(errors.indices)} images; give the images that they were found "
                "in."
            )
        rows = errors.indices[:n_images]
        captions = [
            f"given {given}\nlooks like {suggested}\n{confidence_text(confidence)}"
            for given, suggested, confidence in zip(
                errors.given[rows].tolist(),
                errors.suggested[rows].tolist(),
                errors.confidence[rows],
                strict=True,
            )
        ]
        images = displayed_images(X, rows, image_shape)
        return cls(images, captions=captions, rows=rows).plot(**plot_params)

    @classmethod
    def from_rows(cls, X, rows, y=None, *, image_shape=None, **plot_params):
        """Show chosen images.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_pixels) or images
            Images, as in :meth:`from_random`.
        rows : array-like of int
            Row numbers of the images to show, in this order.
        y : array-like of shape (n_samples,), default=None
            Labels of `X`, to write above the images.
        image_shape : tuple of int, default=None
            Shape of an image, as in :meth:`from_random`.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ImageGalleryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a row does not exist, or `y` and `X` differ in length.
        """
        rows = check_rows(rows, X)
        captions = None
        if y is not None:
            y = column_or_1d(y)
            check_consistent_length(X, y)
            captions = [str(label) for label in y[rows].tolist()]
        images = displayed_images(X, rows, image_shape)
        return cls(images, captions=captions, rows=rows).plot(**plot_params)

    @classmethod
    def from_augmentation(
        cls,
        augmentation,
        X,
        *,
        rows=None,
        n_copies=7,
        image_shape=None,
        random_state=None,
        **plot_params,
    ):
        """Show images beside what an augmentation makes of them in training.

        Parameters
        ----------
        augmentation : Augmentation
            Random changes of images.
        X : array-like of shape (n_samples, n_pixels) or images
            Images, as in :meth:`from_random`. They are scaled to [0, 1] and then
            changed.
        rows : array-like of int, default=None
            Row numbers of the images to show, one below the other. None shows the
            first four, or all if there are fewer.
        n_copies : int, default=7
            Number of changed copies of each image, to the right of it.
        image_shape : tuple of int, default=None
            Shape of an image, as in :meth:`from_random`.
        random_state : int, RandomState instance or None, default=None
            Controls the changes. Pass an int for the same picture across calls.
        **plot_params
            Passed to :meth:`plot`.

        Returns
        -------
        ImageGalleryDisplay
            The display, drawn.

        Raises
        ------
        ValueError
            If a row does not exist, or a parameter of `augmentation` is out of range.
        TypeError
            If `augmentation` is something else.
        """
        if not isinstance(augmentation, Augmentation):
            raise TypeError(
                "augmentation must be an Augmentation; got "
                f"{type(augmentation).__name__}."
            )
        augmentation._validate_params()
        if abs(augmentation.fill_value) > FAR_FROM_PIXELS:
            raise ValueError(
                "The images are scaled to [0, 1] before they are changed, so the "
                "background must be as well; got an augmentation with fill_value="
                f"{augmentation.fill_value}."
            )
        check_count("n_copies", n_copies)
        rows = check_rows(range(min(4, count_rows(X))) if rows is None else rows, X)
        images = displayed_images(X, rows, image_shape)
        copies = np.repeat(images, n_copies, axis=0)
        copies = augmentation.augment(copies, random_state=random_state)
        copies = copies.reshape(len(rows), n_copies, *images.shape[1:])
        tiles = np.concatenate([images[:, None], copies], axis=1)
        plot_params.setdefault("n_columns", n_copies + 1)
        return cls(
            tiles.reshape(-1, *images.shape[1:]),
            captions=["original", *[""] * n_copies] * len(rows),
            rows=np.repeat(rows, n_copies + 1),
        ).plot(**plot_params)

    def plot(self, ax=None, *, n_columns=None, cmap=INK, im_kw=None):
        """Draw the gallery.

        Parameters
        ----------
        ax : matplotlib Axes or array of Axes, default=None
            Axes to draw on: an array with one axes per image, or a single axes, which
            is divided. None makes a figure.
        n_columns : int, default=None
            Number of images per row; None makes the gallery about square.
        cmap : str or Colormap, default="gray_r"
            Colours for images with one channel, from 0 to 1.
        im_kw : dict, default=None
            Keywords passed to ``imshow``, such as ``{"interpolation": "bilinear"}``.
            They override the settings above.

        Returns
        -------
        ImageGalleryDisplay
            The display.
        """
        n_images = len(self.images)
        n_columns = columns_for(n_images, n_columns)
        self.figure_, self.axes_, self.images_ = draw_gallery(
            ax,
            self.images,
            self.captions,
            n_columns=n_columns,
            caller=type(self).__name__ + ".plot",
            cmap=cmap,
            im_kw=im_kw,
        )
        return self


def draw_gallery(
    ax,
    images,
    captions,
    *,
    n_columns,
    caller,
    cmap=INK,
    vmin=0.0,
    vmax=1.0,
    fill_row=False,
    extra_width=0.0,
    fontsize=None,
    im_kw=None,
):
    """Draw images with captions above; return the figure, the axes, the artists.

    A new figure is made wider by `extra_width` inches, for what stands beside them.
    The `fontsize` of the captions is chosen for their width if it is None.
    """
    captions = [""] * len(images) if captions is None else list(captions)
    n_lines = max(text.count("\n") + 1 if text else 0 for text in captions)
    height, width = images.shape[1:3]
    cell_width = 0.8 if width >= height else 0.8 * max(width / height, 0.3)
    cell_width = max(cell_width, 0.6) if n_lines else cell_width
    cell_height = max(cell_width * height / width, 0.1)
    if fontsize is None:
        caption_width = cell_width
        if ax is not None:
            single = hasattr(ax, "get_subplotspec")
            given = ax if single else np.asarray(ax, dtype=object).flat[0]
            caption_width = frame_size(given)[0] / (n_columns if single else 1)
        fontsize = caption_size(captions, caption_width)
    figure, axes = grid_of_axes(
        ax,
        len(images),
        n_columns,
        caller,
        (
            cell_width + 0.08 + extra_width / n_columns,
            cell_height + 0.08 + 0.16 * n_lines,
        ),
        fill_row=fill_row,
        wspace=0.06,
        hspace=0.06,
        gaps=(0.0, caption_room(n_lines, fontsize)),
    )
    artists = []
    for image_ax, image, text in zip(axes, images, captions, strict=True):
        artists.append(
            draw_image(image_ax, image, cmap=cmap, vmin=vmin, vmax=vmax, im_kw=im_kw)
        )
        if text:
            image_ax.set_title(literal(text), fontsize=fontsize, pad=2.5)
    return figure, axes, artists
