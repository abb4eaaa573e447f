"""Keras networks for small images as scikit-learn classifiers.

Importing this package is cheap: TensorFlow, Keras and matplotlib are loaded the first
time that a network is built or a figure is drawn.
"""

import logging
from importlib import import_module
from typing import TYPE_CHECKING

from skmnist._interrupts import uninterrupted
from skmnist._processes import watch_parent

if TYPE_CHECKING:  # what __getattr__ below imports when it is asked for
    from skmnist._training.reuse import clear_programs
    from skmnist.classifiers import (
        DeepEnsembleClassifier,
        KerasCNNClassifier,
        KerasDNNClassifier,
        KerasImageClassifier,
        KerasMLPClassifier,
    )
    from skmnist.preprocessing import (
        Augmentation,
        Deskewer,
        DigitExtractor,
        DigitNormalizer,
        HOGTransformer,
        ImageScaler,
    )

__version__ = "0.2.0"

_HOMES = {
    "Augmentation": "preprocessing",
    "DeepEnsembleClassifier": "classifiers",
    "Deskewer": "preprocessing",
    "DigitExtractor": "preprocessing",
    "DigitNormalizer": "preprocessing",
    "HOGTransformer": "preprocessing",
    "ImageScaler": "preprocessing",
    "KerasCNNClassifier": "classifiers",
    "KerasDNNClassifier": "classifiers",
    "KerasImageClassifier": "classifiers",
    "KerasMLPClassifier": "classifiers",
    "clear_programs": "_training.reuse",
}
_MODULES = {
    "baselines",
    "classifiers",
    "cli",
    "datasets",
    "demo",
    "evaluation",
    "export",
    "networks",
    "persistence",
    "pipelines",
    "plotting",
    "preprocessing",
    "published",
    "report",
    "reproduction",
}

__all__ = [
    "Augmentation",
    "DeepEnsembleClassifier",
    "Deskewer",
    "DigitExtractor",
    "DigitNormalizer",
    "HOGTransformer",
    "ImageScaler",
    "KerasCNNClassifier",
    "KerasDNNClassifier",
    "KerasImageClassifier",
    "KerasMLPClassifier",
    "__version__",
    "clear_programs",
]

# Silent unless the application sets up logging.
logging.getLogger(__name__).addHandler(logging.NullHandler())

watch_parent()  # before a worker has anything else to do


def __getattr__(name):
    if name in _HOMES or name in _MODULES:
        with uninterrupted():  # scikit-learn, too, is imported whole or not at all
            module = import_module(f"skmnist.{_HOMES.get(name, name)}")
        return getattr(module, name) if name in _HOMES else module
    raise AttributeError(f"module 'skmnist' has no attribute {name!r}")


def __dir__():
    return sorted(__all__ + list(_MODULES))
