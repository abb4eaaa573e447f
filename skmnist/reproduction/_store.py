"""Finished runs of a reproduction as files, so that none is trained twice.

Each finished run is a small JSON file. It appears under its name only when it is
complete, and is used again only for a run that agrees in everything that its result
depends on.
"""

import contextlib
import hashlib
import json
from pathlib import Path

from skmnist._kept_fits import file_lock, make_folder
from skmnist._warnings import warn_caller
from skmnist.datasets._files import replacing

__all__ = ["RunFolder", "checksum"]

# 2: with a checksum, and with the packages that draw. 3: Adam rounds otherwise since.
_FORMAT = 4

# NumPy draws the order of the batches, scikit-learn what is set aside. What Python
# draws for a seed is the same in all its versions.
_PACKAGES = ("skmnist", "keras", "tensorflow", "jax", "torch", "numpy")
_DRAWING_PACKAGE = "scikit-learn"


class RunFolder:
    """A folder of finished runs.

    A run is known by its network, seed, validation data and every parameter of its
    pipeline, by the pixels and labels (not by the names of their files), and by the
    versions of the packages in which the same seed may give other weights: skmnist,
    Keras, its backend, NumPy and, where it draws a validation part, scikit-learn. A
    changed recipe or a new version is therefore a new run, and old files stay for
    those who go back. The machine is not looked at.

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
        self._versions = versions
        self._told = set()

    def check(self):
        """Make the folder; raise ValueError if files cannot be written to it."""
        make_folder(self.folder, "Runs")

    def key(self, run):
        """Return what the result of a run depends on, as JSON gives it back."""
        packages = _PACKAGES
        if isinstance(run.validation, float):
            packages += (_DRAWING_PACKAGE,)
        return {
            "format": _FORMAT,
            "model": run.model,
            "seed": run.seed,
            "validation": run.validation,
            "recipe": run.recipe,
            "data": self._data,
            "versions": {p: v for p, v in self._versions.items() if p in packages},
        }

    def path(self, run):
        """Return the path of a run's file."""
        digest = _digest(self.key(run))[:12]
        return self.folder / f"{run.model}-seed{run.seed}-{digest}.json"

    def find(self, run):
        """Return the result of a run that is finished, else None.

        A file that is damaged is reported once, and its run counts as not finished.
        """
        path = self.path(run)
        try:
            stored = json.loads(path.read_text(encoding="utf-8"))
            if stored["key"] != self.key(run):
                raise ValueError("it belongs to another run")
            if stored["sha256"] != _digest(stored["result"]):
                raise ValueError("its result is not that of its checksum")
        except FileNotFoundError:
            return None
        except (OSError, ValueError, TypeError, KeyError, RecursionError) as error:
            if path not in self._told:
                self._told.add(path)
                warn_caller(f"{path} is damaged and will be replaced ({error})")
            return None
        return stored["result"]

    @contextlib.contextmanager
    def claim(self, run):
        """Claim the making of a run, unless another process has it.

        Yields whether the claim is ours, until the block or the process ends. Look for
        the run then: it may just have been made.
        """
        lock = file_lock(self.path(run), timeout=0)
        try:
            lock.acquire()
        except TimeoutError:
            yield False
            return
        except (NotImplementedError, OSError):  # a file system without locks
            yield True
            return
        try:
            yield True
        finally:
            with contextlib.suppress(OSError):  # nobody waits for the lock
                Path(lock.lock_file).unlink()
            lock.release()

    def keep(self, run, result):
        """Write the file of a finished run, whose result must be finite numbers."""
        stored = {"key": self.key(run), "result": result, "sha256": _digest(result)}
        text = json.dumps(stored, indent=1, ensure_ascii=False, allow_nan=False)
        with replacing(self.path(run)) as file:
            file.write(f"{text}\n".encode())


def _digest(value):
    """Return the SHA-256 of a value that JSON can hold."""
    text = json.dumps(value, sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()


def checksum(image_set):
    """Return the SHA-256 of the pixels and labels of a set."""
    digest = hashlib.sha256()
    for array in (image_set.X, image_set.y, image_set.X_test, image_set.y_test):
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
