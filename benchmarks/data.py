"""The images that all contestants get."""

__all__ = ["load", "pixels"]


def load(dataset, n_train=None):
    """Load images for training and test.

    Parameters
    ----------
    dataset : {"mnist", "digits"}
        The 60,000 and 10,000 images of MNIST, or 1,400 and 397 of the digits that come
        with scikit-learn.
    n_train : int, default=None
        Only so many images for training.

    Returns
    -------
    X_train, y_train, X_test, y_test : ndarray
        Images as uint8 of shape (n, height, width), labels as int64.
    """
    from skmnist.datasets import fetch_mnist, load_digits

    if dataset == "mnist":
        train, test = fetch_mnist(subset="train"), fetch_mnist(subset="test")
        parts = train.images, train.target, test.images, test.target
    else:
        digits = load_digits()
        X, y = digits.images, digits.target
        parts = X[:1400], y[:1400], X[1400:], y[1400:]
    X_train, y_train, X_test, y_test = parts
    return X_train[:n_train], y_train[:n_train], X_test, y_test


def pixels(images, layout):
    """Return images as float32 in [0, 1].

    Parameters
    ----------
    images : ndarray of shape (n, height, width)
        Bytes.
    layout : {"flat", "channels_last", "channels_first"}
        Rows of pixels, or images with their one channel last or first.

    Returns
    -------
    ndarray
        A new array.
    """
    scaled = images.astype("float32") / 255
    n, height, width = images.shape
    shapes = {
        "flat": (n, height * width),
        "channels_last": (n, height, width, 1),
        "channels_first": (n, 1, height, width),
    }
    return scaled.reshape(shapes[layout])
