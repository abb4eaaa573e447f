"""Export of fitted models to ONNX, which runs without Python and Keras.

:func:`to_onnx` exports a network of this package with the transformers before it. Any
ONNX runtime can run the file without this package.

Where skl2onnx is installed (``pip install ".[onnx]"``), importing this module also
registers the estimators of this package with it, so that ``skl2onnx.to_onnx`` converts
models that combine them with scikit-learn estimators. If skl2onnx is installed but
cannot be imported, a warning says so.
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
