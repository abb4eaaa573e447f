"""Saving and loading of fitted models.

A model file holds a fitted estimator, a few words about where it comes from, and a
checksum. It is a joblib file, which takes any classifier, Pipeline or search; or a
safetensors file, which takes the networks of this package and runs no code when it is
loaded. Because fitted networks are plain data, ``joblib.dump`` and ``pickle`` alone
work as well, and :func:`load_model` reads their files too.
"""

from skmnist.persistence._model_files import load_model, save_model
from skmnist.persistence._schema import ModelFileError

__all__ = ["ModelFileError", "load_model", "save_model"]
