"""Finished runs of a reproduction as files, so that none is trained twice.

Each finished run is a small JSON file. It appears under its name only when it is
complete, and is used again only for a run that agrees in everything that its result
depends on.
"""

import hashlib
import json
from pathlib import Path

from skmnist.cli._errors import BadInput, describe
from skmnist.cli._messages import note
from skmnist.cli._result_files import check_folder, write_text

_FORMAT = 1

# Python, NumPy and scikit-learn only hand the data on.
_COMPUTING_PACKAGES = ("skmnist", "keras", "tensorflow", "jax", "torch")

_RESULT_TYPES = {
    "accuracy": float,
    "loss": float,
    "n_test": int,
    "n_train": int,
    "n_parameters": int,
    "n_epochs": int,
    "fit_time": float,
    "history": dict,
}


class RunFolder:
    """A folder of finished runs.

    A run is known by its network, seed, validation data and every parameter of its
    pipeline, by the pixels and labels (not by the names of their files), and by the
    versions of skmnist, Keras and its backend, in which the same seed may give
    other weights. A changed recipe or a new version is therefore a new run, and old
    files stay for those who go back.

    Parameters
    ----------
    folder : str or path-like
        Made when the first run is kept.
    image_set : ImageSet
        What is trained and tested on.
    versions : dict of str to str
        Of the packages in use.
    """

    def __init__(self, folder, image_set, versions):
        self.folder = Path(folder)
        self._data = checksum(image_set)
        self._versions = {
            name: versions[name] for name in _COMPUTING_PACKAGES if name in versions
        }

    def check(self):
        """Make sure that files can be made in it; raise BadInput otherwise."""
        if self.folder.exists() and not self.folder.is_dir():
            raise BadInput(f"--runs {self.folder} is a file; give a folder.")
        try:
            self.folder.mkdir(exist_ok=True)
        except FileNotFoundError:
            raise BadInput(
                f"--runs {self.folder}: there is no folder {self.folder.parent}."
            ) from None
        except OSError as error:
            raise BadInput(
                f"Cannot make the folder {self.folder}: {describe(error)}"
            ) from error
        check_folder(self.folder)

    def key(self, run):
        """Return all that the result of a run depends on, as JSON gives it back."""
        return {
            "format": _FORMAT,
            "model": run.model,
            "seed": run.seed,
            "validation": run.validation,
            "recipe": run.recipe,
            "data": self._data,
            "versions": self._versions,
        }

    def path(self, run):
        """Return the path of a run's file."""
        text = json.dumps(self.key(run), sort_keys=True)
        digest = hashlib.sha256(text.encode()).hexdigest()[:12]
        return self.folder / f"{run.model}-seed{run.seed}-{digest}.json"

    def find(self, run):
        """Return the result of a run that is finished, else None.

        A file that is damaged is told of, and its run counts as not finished.
        """
        path = self.path(run)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["key"] != self.key(run):
                raise ValueError("it belongs to another run")
            return _checked(stored["result"])
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
            note(f"Warning: {path} is damaged and will be replaced ({describe(error)})")
            return None

    def keep(self, run, result):
        """Write the file of a finished run."""
        stored = {"key": self.key(run), "result": _checked(result)}
        text = json.dumps(stored, indent=1, ensure_ascii=False, allow_nan=False)
        write_text(self.path(run), text + "\n")


def _checked(result):
    for name, kind in _RESULT_TYPES.items():
        if not isinstance(result[name], kind):
            raise TypeError(f"{name} is {result[name]!r}")
    return result


def checksum(image_set):
    """Return the SHA-256 of the pixels and labels of a set."""
    digest = hashlib.sha256()
    for array in (image_set.X, image_set.y, image_set.X_test, image_set.y_test):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
