"""The image set of a command: loaded, and refused where the command has no use for it.

Whatever is wrong with it is reported as bad input.
"""

from skmnist.cli._errors import bad_input

__all__ = ["any_set", "part_of_set", "split_set", "training_set"]


def any_set(name):
    """Load the image set that ``--dataset`` names."""
    from skmnist.datasets._image_sets import load_image_set

    with bad_input():
        return load_image_set(name)


def training_set(name):
    """Load an image set that has a training part."""
    image_set = any_set(name)
    with bad_input():
        image_set.require("train")
    return image_set


def split_set(name, seed):
    """Load an image set with a training part, and a test part of labels known from it.

    A set without a test part sets a quarter of its images aside, chosen by the seed.
    """
    image_set = training_set(name)
    with bad_input():
        image_set = image_set.with_test(seed)
        image_set.require_known_labels()
    return image_set


def part_of_set(name, subset, seed):
    """Load an image set; return it, and images and labels of a part of it."""
    image_set = any_set(name)
    with bad_input():
        return image_set, *image_set.part(subset, seed)
