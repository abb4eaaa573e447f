"""The classifiers: multilayer perceptrons, CNN, your own networks, and ensembles."""

from skmnist.classifiers._convolutional import KerasCNNClassifier
from skmnist.classifiers._custom import KerasImageClassifier
from skmnist.classifiers._dense import KerasDNNClassifier, KerasMLPClassifier
from skmnist.classifiers._ensemble import DeepEnsembleClassifier

__all__ = [
    "DeepEnsembleClassifier",
    "KerasCNNClassifier",
    "KerasDNNClassifier",
    "KerasImageClassifier",
    "KerasMLPClassifier",
]
