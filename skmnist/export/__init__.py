"""Fitted models in the ONNX format, which runs without Python and without Keras.

:func:`to_onnx` writes a network of this package with the transformers before it.
Whatever runs the file, such as ONNX Runtime, needs nothing of this package.

Where skl2onnx is installed (``pip install ".[onnx]"``), importing this module also
registers the estimators of this package with it: ``skl2onnx.to_onnx`` then converts
models in which they stand beside those of scikit-learn. A warning says so if it is
installed but cannot be imported.
"""

from importlib.util import find_spec

from skmnist._warnings import warn_caller

from ._model import to_onnx

__all__ = ["to_onnx"]

if find_spec("skl2onnx") is not None:
    try:
        from ._converters import register

        register()
    except Exception as error:  # whatever a version raises that does not fit others
        warn_caller(
            "skl2onnx is installed but cannot be used, so it does not convert "
            "estimators of skmnist; to_onnx works all the same "
            f"({type(error).__name__}: {error})."
        )
