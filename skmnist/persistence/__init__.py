"""Saving and loading of fitted models.

A model file is a joblib file that holds a fitted estimator (a classifier, a
Pipeline or a search), a few words about where it comes from, and a checksum.
Because fitted networks are plain data, ``joblib.dump`` and ``pickle`` alone work as
well, and :func:`load_model` reads their files too.
"""

from skmnist.persistence._model_files import ModelFileError, load_model, save_model

__all__ = ["ModelFileError", "load_model", "save_model"]
