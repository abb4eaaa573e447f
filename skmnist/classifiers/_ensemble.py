"""Ensembles of one network from several seeds."""

from numbers import Integral

import numpy as np
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, clone
from sklearn.utils import check_random_state, column_or_1d, get_tags
from sklearn.utils._param_validation import HasMethods, Interval
from sklearn.utils.validation import check_is_fitted

__all__ = ["DeepEnsembleClassifier"]


class DeepEnsembleClassifier(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """Mean of the probabilities of networks that differ by their seeds.

    A deep ensemble [1]_: every network is trained on all samples. Unlike
    :class:`~sklearn.ensemble.BaggingClassifier` it hands images, labels and sample
    weights on as they are.

    Parameters
    ----------
    estimator : classifier
        Classifier with `predict_proba` and a parameter `random_state`. It is not
        fitted itself: copies of it are.
    n_estimators : int, default=5
        Number of copies, at least 1.
    random_state : int, RandomState instance or None, default=None
        Controls the seeds of the copies. Pass an int for reproducible results across
        calls.

    Attributes
    ----------
    estimators_ : list of classifiers
        Fitted copies.
    classes_ : ndarray of shape (n_classes,)
        Labels.
    n_features_in_ : int
        Number of features seen by `fit`.
    feature_names_in_ : ndarray of shape (`n_features_in_`,)
        Names of the columns seen by `fit`, if X had names that are all strings.

    References
    ----------
    .. [1] B. Lakshminarayanan, A. Pritzel, C. Blundell (2017). Simple and scalable
       predictive uncertainty estimation using deep ensembles. Advances in Neural
       Information Processing Systems. https://arxiv.org/abs/1612.01474

    Examples
    --------
    >>> from skmnist import DeepEnsembleClassifier, KerasMLPClassifier
    >>> from skmnist.datasets import load_digits
    >>> X, y = load_digits(return_X_y=True)
    >>> network = KerasMLPClassifier(units=32, epochs=5)
    >>> ensemble = DeepEnsembleClassifier(network, n_estimators=2, random_state=0)
    >>> ensemble.fit(X / 255, y).predict_proba(X[:1] / 255).shape
    (1, 10)
    """

    _parameter_constraints = {
        "estimator": [HasMethods(["fit", "predict_proba"])],
        "n_estimators": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(self, estimator, n_estimators=5, *, random_state=None):
        self.estimator = estimator
        self.n_estimators = n_estimators
        self.random_state = random_state

    def fit(self, X, y, sample_weight=None):
        """Fit all copies, one after another.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or images
            Samples, as `estimator` takes them.
        y : array-like of shape (n_samples,)
            Labels.
        sample_weight : array-like of shape (n_samples,), default=None
            Weights of the samples. None means equal weights.

        Returns
        -------
        self
            The fitted ensemble.

        Raises
        ------
        ValueError
            If a parameter is out of its range, `estimator` has no `random_state`, or
            `estimator` refuses the samples.
        """
        self._validate_params()
        if "random_state" not in self.estimator.get_params():
            raise ValueError(
                "estimator must have a parameter random_state, in which the copies "
                f"differ; got {type(self.estimator).__name__}."
            )
        y = column_or_1d(y, warn=True)
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        seeds = check_random_state(self.random_state).randint(
            np.iinfo(np.int32).max, size=self.n_estimators
        )
        estimators = []
        for seed in seeds.tolist():
            copy = clone(self.estimator).set_params(random_state=seed)
            estimators.append(copy.fit(X, y, **weights))
        self.estimators_ = estimators
        vars(self).pop("feature_names_in_", None)
        for name in "classes_", "n_features_in_", "feature_names_in_":
            if hasattr(estimators[0], name):
                setattr(self, name, getattr(estimators[0], name))
        return self

    def predict_proba(self, X):
        """Return the mean of the probabilities of all copies.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or images
            Samples, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes)
            Probabilities in the order of `classes_`.
        """
        check_is_fitted(self)
        return np.mean([copy.predict_proba(X) for copy in self.estimators_], axis=0)

    def decision_function(self, X):
        """Return the logarithms of the probabilities, as logits of the ensemble.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or images
            Samples, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples, n_classes), or (n_samples,) for two classes
            Logarithms of the probabilities; for two classes of their ratio, which is
            above 0 for the second class.
        """
        probabilities = self.predict_proba(X)
        # Of networks that are sure, all others may be 0.
        logits = np.log(np.maximum(probabilities, np.finfo(probabilities.dtype).tiny))
        if logits.shape[1] == 2:
            return logits[:, 1] - logits[:, 0]
        return logits

    def predict(self, X):
        """Return the most probable labels.

        Parameters
        ----------
        X : array-like of shape (n_samples, n_features) or images
            Samples, as in `fit`.

        Returns
        -------
        ndarray of shape (n_samples,)
            Labels.
        """
        best = self.predict_proba(X).argmax(axis=1)
        return self.classes_[best]

    @property
    def _averaged(self):
        # What an export or a page of the ensemble consists of.
        return self.estimators_

    def __sklearn_tags__(self):
        tags = super().__sklearn_tags__()
        tags.input_tags = get_tags(self.estimator).input_tags
        return tags
