"""Fitted models in the ONNX format, which runs without Python and without Keras.

:func:`to_onnx` writes a network of this package with the transformers before it.
Whatever runs the file, such as ONNX Runtime, needs nothing of this package.

Where skl2onnx is installed (``pip install ".[onnx]"``), importing this module also
registers the estimators of this package with it: ``skl2onnx.to_onnx`` then converts
models in which they stand beside those of scikit-learn.
"""

import contextlib

from ._model import to_onnx

__all__ = ["to_onnx"]

with contextlib.suppress(ImportError):  # skl2onnx is optional
    from . import _converters

    _converters.register()
