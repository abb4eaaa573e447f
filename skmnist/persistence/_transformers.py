"""Fitted transformers of images as plain data."""

import numpy as np

from skmnist.persistence._features import (
    FEATURES,
    describe_features,
    image_shape,
    set_features,
)
from skmnist.persistence._parameters import build, describe_parameters, not_writable
from skmnist.persistence._schema import ModelFileError, check, check_keys, is_number
from skmnist.preprocessing import Deskewer, ImageScaler

__all__ = ["TRANSFORMERS", "describe_transformer", "rebuild_transformer"]

TRANSFORMERS = {cls.__name__: cls for cls in (ImageScaler, Deskewer)}
# Types of pixels, by the names of NumPy.
_DTYPES = {
    dtype.str: dtype
    for code in ("?", "b", "B", *"hHiIqQefd")
    for dtype in (np.dtype(f"<{code}"), np.dtype(f">{code}"))
}
_CONTAINERS = ("default", "pandas", "polars")


def describe_transformer(transformer):
    """Return a fitted transformer ready for JSON."""
    fitted = describe_features(transformer)
    shape = transformer.image_shape_
    fitted["image_shape_"] = None if shape is None else [int(side) for side in shape]
    fitted["shape_is_known"] = transformer._shape_is_known
    fitted["sample_dtype"] = _name_of(transformer._sample_dtype)
    if isinstance(transformer, ImageScaler):
        fitted["dtype_"] = _name_of(transformer.dtype_)
        fitted["data_min_"] = float(transformer.data_min_)
        fitted["data_max_"] = float(transformer.data_max_)
    # What set_output was given, for which scikit-learn has no public name.
    config = getattr(transformer, "_sklearn_output_config", {})
    return {
        "class": type(transformer).__name__,
        "parameters": describe_parameters(
            transformer, transformer.get_params(deep=False)
        ),
        "fitted": fitted,
        "output": config.get("transform"),
    }


def _name_of(dtype):
    """Return what NumPy calls a type of pixels, or None."""
    if dtype is None:
        return None
    if dtype.str not in _DTYPES:
        raise not_writable(f"a transformer that was fitted on {dtype}")
    return dtype.str


def rebuild_transformer(described, place):
    """Return the fitted transformer of a description, after that was checked."""
    check_keys(described, place, ("class", "parameters", "fitted", "output"))
    cls = TRANSFORMERS[described["class"]]
    transformer = build(cls, described["parameters"], place)
    is_scaler = cls is ImageScaler
    place = f"{place}.fitted"
    fitted = check_keys(
        described["fitted"],
        place,
        (*FEATURES, "sample_dtype", "image_shape_", "shape_is_known")
        + (("dtype_", "data_min_", "data_max_") if is_scaler else ()),
    )
    set_features(transformer, fitted, place)
    transformer.image_shape_ = image_shape(
        fitted["image_shape_"],
        f"{place}.image_shape_",
        transformer.n_features_in_,
        may_be_none=is_scaler and transformer.layout == "flat",
    )
    transformer._shape_is_known = check(
        fitted["shape_is_known"],
        f"{place}.shape_is_known",
        "true, false or null",
        lambda value: value is None or isinstance(value, bool),
    )
    if fitted["sample_dtype"] is not None:
        name = f"{place}.sample_dtype"
        transformer._sample_dtype = _dtype(fitted["sample_dtype"], name)
    if is_scaler:
        _set_range(transformer, fitted, place)
    _set_output(transformer, described["output"])
    return transformer


def _dtype(name, place):
    check(
        name,
        place,
        "a numeric type of NumPy",
        lambda value: isinstance(value, str) and value in _DTYPES,
    )
    return _DTYPES[name]


def _set_range(scaler, fitted, place):
    dtype = _dtype(fitted["dtype_"], f"{place}.dtype_")
    ends = [
        float(check(fitted[name], f"{place}.{name}", "a finite number", is_number))
        for name in ("data_min_", "data_max_")
    ]
    if ends[0] > ends[1]:
        raise ModelFileError(f"{place}.data_min_ is above data_max_: {ends}")
    scaler.dtype_ = dtype
    scaler.data_min_, scaler.data_max_ = ends


def _set_output(transformer, container):
    check(
        container,
        "output",
        f"null or one of {', '.join(_CONTAINERS)}",
        lambda value: value is None or value in _CONTAINERS,
    )
    if container is not None:
        transformer.set_output(transform=container)
