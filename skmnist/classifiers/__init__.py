"""The network classifiers: multilayer perceptrons, CNN, and your own networks."""

from skmnist.classifiers._convolutional import KerasCNNClassifier
from skmnist.classifiers._custom import KerasImageClassifier
from skmnist.classifiers._dense import KerasDNNClassifier, KerasMLPClassifier

__all__ = [
    "KerasCNNClassifier",
    "KerasDNNClassifier",
    "KerasImageClassifier",
    "KerasMLPClassifier",
]
