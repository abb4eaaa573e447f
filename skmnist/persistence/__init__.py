"""Saving and loading of fitted models.

A model file contains a fitted estimator, metadata about its origin, and a checksum.
There are two formats: joblib files hold any classifier, Pipeline or search; safetensors
files hold the networks of this package and run no code when loaded. As fitted networks
are plain data, ``joblib.dump`` and ``pickle`` work too, and :func:`load_model` reads
their files.
"""

from skmnist.persistence._model_files import load_model, save_model
from skmnist.persistence._schema import ModelFileError

__all__ = ["ModelFileError", "load_model", "save_model"]
