"""Network graphs: plain functions that build Keras models, and named architectures.

A builder knows no estimator. It is called as
``builder(input_shape, n_classes, **parameters)`` and returns an uncompiled
:class:`keras.Model` whose outputs are class probabilities. The same functions work with
the classifiers of this package, in plain Keras code, and with
``scikeras.wrappers.KerasClassifier``.
"""

from ._architectures import ARCHITECTURES, Architecture
from ._graphs import build_cnn, build_mlp
from ._specification import NetworkSpec

__all__ = ["ARCHITECTURES", "Architecture", "NetworkSpec", "build_cnn", "build_mlp"]
