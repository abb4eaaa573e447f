"""Classical classifiers to compare with the networks, tuned for small images.

The settings are for pixels in [0, 1] and were tried on the 8×8 digits and on MNIST. All
leave ``n_jobs`` at None, so that parallel searches and comparisons can use all CPUs.
"""

from copy import deepcopy
from dataclasses import dataclass, field
from importlib import import_module

from .preprocessing import Deskewer, HOGTransformer

__all__ = ["BASELINES", "Baseline"]


@dataclass(frozen=True)
class Baseline:
    """A scikit-learn classifier with settings for small images.

    Parameters
    ----------
    estimator : str
        Import path of the class, imported when needed.
    summary : str
        Short description.
    parameters : dict
        Parameters that differ from the defaults of the class.
    search_space : dict of str to list
        Candidate values of the parameters worth searching; those of a transformer as
        ``name__parameter``.
    transformers : tuple of (str, transformer)
        Steps that make features of the scaled pixels, by name; usually none.

    Examples
    --------
    >>> from skmnist.baselines import BASELINES
    >>> BASELINES["nearest_neighbors"].make()
    KNeighborsClassifier(n_neighbors=4, weights='distance')
    """

    estimator: str
    summary: str
    parameters: dict = field(default_factory=dict)
    search_space: dict = field(default_factory=dict)
    transformers: tuple = ()

    def make(self):
        """Make the classifier.

        Returns
        -------
        sklearn.base.ClassifierMixin
            A new, unfitted classifier.
        """
        module, _, name = self.estimator.rpartition(".")
        return getattr(import_module(module), name)(**deepcopy(self.parameters))


BASELINES = {
    "logistic_regression": Baseline(
        "sklearn.linear_model.LogisticRegression",
        "multinomial logistic regression, L2 penalty",
        # A smaller tolerance costs time on MNIST and changes no decimal of the
        # accuracy; as many iterations as that are only needed with large C.
        {"tol": 3e-4, "max_iter": 2000},
        {"C": [0.01, 0.1, 1.0, 10.0]},
    ),
    "linear_svm": Baseline(
        "sklearn.svm.LinearSVC",
        "linear support vector machine, one against the rest",
        # The primal problem: there are many more images than pixels.
        {"C": 0.1, "dual": False, "tol": 1e-2},
        {"C": [0.001, 0.01, 0.1, 1.0]},
    ),
    "rbf_svm": Baseline(
        "sklearn.svm.SVC",
        "support vector machine with Gaussian kernel",
        {"C": 5.0, "cache_size": 500},
        {"C": [1.0, 5.0, 10.0], "gamma": ["scale", 0.01, 0.03]},
    ),
    "hog_svm": Baseline(
        "sklearn.svm.SVC",
        "Gaussian kernel on histograms of oriented gradients, digits deskewed",
        {"C": 10.0, "cache_size": 500},
        {"C": [3.0, 10.0, 30.0], "hog__n_cells": [4, 5, 7]},
        (("deskew", Deskewer()), ("hog", HOGTransformer())),
    ),
    "nearest_neighbors": Baseline(
        "sklearn.neighbors.KNeighborsClassifier",
        "4 nearest neighbours, weighted by distance",
        {"n_neighbors": 4, "weights": "distance"},
        {"n_neighbors": [1, 3, 4, 5, 7], "weights": ["uniform", "distance"]},
    ),
    "random_forest": Baseline(
        "sklearn.ensemble.RandomForestClassifier",
        "random forest of 100 trees",
        {},
        {
            "n_estimators": [100, 300],
            "max_features": ["sqrt", 0.1],
            "min_samples_leaf": [1, 2],
        },
    ),
    "hist_gradient_boosting": Baseline(
        "sklearn.ensemble.HistGradientBoostingClassifier",
        "gradient boosted trees on binned pixels",
        # A few grey levels do; more bins take many times longer.
        {"max_bins": 32, "max_features": 0.1},
        {
            "learning_rate": [0.05, 0.1, 0.2],
            "max_iter": [50, 100, 200],
            "max_leaf_nodes": [15, 31],
        },
    ),
    "sklearn_mlp": Baseline(
        "sklearn.neural_network.MLPClassifier",
        "scikit-learn's own network, one hidden layer of 256",
        # The coarser tolerance lets it end when nothing is gained any more.
        {
            "hidden_layer_sizes": (256,),
            "alpha": 1e-3,
            "learning_rate_init": 3e-3,
            "max_iter": 300,
            "tol": 1e-3,
        },
        {
            "hidden_layer_sizes": [(128,), (256,), (512,), (128, 128)],
            "alpha": [1e-4, 1e-3, 1e-2],
        },
    ),
    "dummy": Baseline(
        "sklearn.dummy.DummyClassifier",
        "guesses the most frequent class",
        {},
        {"strategy": ["prior", "stratified", "uniform"]},
    ),
}
