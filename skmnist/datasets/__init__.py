"""Digit images: load the digits, fetch MNIST, read and write image files."""

from skmnist.datasets._csv import read_csv, write_csv
from skmnist.datasets._files import DataFormatError, DataNotFoundError
from skmnist.datasets._idx import read_idx, write_idx
from skmnist.datasets._loaders import load_digits, load_idx
from skmnist.datasets._mnist import fetch_mnist
from skmnist.datasets._npz import read_npz, write_npz
from skmnist.datasets._pictures import read_picture

__all__ = [
    "DataFormatError",
    "DataNotFoundError",
    "fetch_mnist",
    "load_digits",
    "load_idx",
    "read_csv",
    "read_idx",
    "read_npz",
    "read_picture",
    "write_csv",
    "write_idx",
    "write_npz",
]
