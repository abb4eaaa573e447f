"""Names of model files: which are allowed, and of which other formats some are."""

from pathlib import Path
from typing import NamedTuple

from skmnist._suggestions import closest
from skmnist.datasets._content import kind_of

__all__ = ["SUFFIX", "check_ending", "foreign_kind", "method_of"]

SUFFIX = ".safetensors"
# What is compressed, and how; joblib goes by these names, too.
_METHODS = {".z": "zlib", ".gz": "gzip", ".bz2": "bz2", ".xz": "xz", ".lzma": "lzma"}


class _Format(NamedTuple):
    """A format of files that are not models of this package, and who has to do with it.

    `begins` is how :func:`kind_of` calls content of which several formats are.
    """

    kind: str
    writer: str = ""
    reader: str = ""
    begins: str = "nothing"


_KERAS = "`model_.save` of a fitted network classifier writes"
_TABLES = (".csv", ".tsv", ".json", ".yaml", ".yml", ".xml", ".txt", ".md")
_PICTURES = (".png", ".jpg", ".jpeg", ".gif", ".bmp", ".pdf", ".svg")
_FORMATS = {
    (".keras",): _Format(
        "a Keras model", _KERAS, "`keras.saving.load_model` loads", "a zip"
    ),
    (".h5", ".hdf5"): _Format("an HDF5 file", _KERAS, "Keras loads", "an HDF5"),
    (".onnx",): _Format(
        "an ONNX model",
        "`skmnist.export.to_onnx` and `skmnist export` write",
        "ONNX Runtime runs",
        "an ONNX",
    ),
    (".tflite", ".pb"): _Format("a TensorFlow model"),
    (".pt", ".pth", ".ckpt"): _Format("a PyTorch file", "", "PyTorch loads", "a zip"),
    (".skops",): _Format("a skops file", "skops writes", "skops loads", "a zip"),
    (".html", ".htm"): _Format("a web page", "`skmnist report` writes"),
    (".npy", ".npz"): _Format("a NumPy file"),
    (".zip", ".tar", ".tgz", ".7z"): _Format("an archive"),
    (".py", ".ipynb"): _Format("a Python program"),
    _TABLES: _Format("a text file"),
    _PICTURES: _Format("a picture"),
}
_BY_SUFFIX = {suffix: form for group, form in _FORMATS.items() for suffix in group}
# What kind_of calls files that joblib reads.
_OURS = ("a pickle", "a gzip", "a bzip2", "an xz")


def check_ending(path):
    """Refuse a name that ends like files of another format, or almost like ours."""
    method = method_of(path)
    ending = Path(path.stem if method else path).suffix.lower()
    if ending == ".joblib" or (ending == SUFFIX and not method):
        return
    close = closest(ending, [SUFFIX, ".joblib"], cutoff=0.8)
    if ending == SUFFIX:
        why = f"those in {SUFFIX} are not compressed."
    elif ending in _BY_SUFFIX:
        form = _BY_SUFFIX[ending]
        why = f"{_joined(f'{ending} is {form.kind}', form.writer)}."
    elif close:
        why = f"did you mean {close}?"
    else:
        return
    raise ValueError(
        f"{path}: model files end in .joblib, .pkl, .pickle or {SUFFIX}, or have no "
        f"ending; {why}"
    )


def _joined(kind, tool):
    return f"{kind}, which {tool}" if tool else kind


def method_of(path):
    """Return the compression that the name of a file calls for, or None."""
    return _METHODS.get(path.suffix.lower())


def foreign_kind(path, start):
    """Say what a file of another format is by name and first bytes; None for others."""
    kind = kind_of(start)
    if kind is None or kind.startswith(_OURS):
        return None
    form = _BY_SUFFIX.get(path.suffix.lower())
    if form is not None and kind.startswith(form.begins):
        return _joined(form.kind, form.reader)
    return kind
