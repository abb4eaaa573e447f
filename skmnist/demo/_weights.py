"""Weights of networks as text, in 32, 16 or 8 bits."""

import base64

import numpy as np

__all__ = ["BITS", "encoded", "rounded_weights"]

BITS = (32, 16, 8)  # best first


def encoded(array, bits):
    """Describe an array for JSON, little-endian and in base64.

    Kernels of less than 32 bits are integers, to be multiplied by the scale of their
    output unit. All other arrays are small, and remain float32.
    """
    array = np.asarray(array, np.float32)
    described = {"shape": list(array.shape)}
    if bits == 32 or array.ndim < 2:
        return {**described, "bits": 32, "data": _text(array.astype("<f4"))}
    integers, scale = _quantized(array, bits)
    return {
        **described,
        "bits": bits,
        "scale": _text(scale.astype("<f4")),
        "data": _text(integers.astype(f"<i{bits // 8}")),
    }


def rounded_weights(array, bits):
    """Return what a page makes of an array that is written in so many bits."""
    array = np.asarray(array, np.float32)
    if bits == 32 or array.ndim < 2:
        return array
    integers, scale = _quantized(array, bits)
    return integers.astype(np.float32) * scale


def _quantized(array, bits):
    """Round a kernel to integers, with one scale per output unit."""
    limit = 2 ** (bits - 1) - 1
    largest = np.abs(array).max(axis=tuple(range(array.ndim - 1)))
    scale = np.where(largest > 0, largest / limit, 1).astype(np.float32)
    return np.rint(array / scale), scale


def _text(array):
    return base64.b64encode(array.tobytes()).decode()
