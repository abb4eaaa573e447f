"""Files that commands write: checked before the work begins, whole or not at all."""

import tempfile
from pathlib import Path

from skmnist.cli._errors import BadInput, Failure, describe


def check_output(path, *, force, suffixes=(), option="--out"):
    """Return the path of a file, which is refused if it cannot be written.

    `suffixes` are the endings that are allowed, all if empty; `option` is what the user
    calls the file. Raises BadInput before anything is computed for it.
    """
    path = Path(path)
    if suffixes and path.suffix.lower() not in suffixes:
        *others, last = suffixes
        allowed = f"{', '.join(others)} or {last}" if others else last
        raise BadInput(f"{option} {path}: the name must end in {allowed}.")
    if path.is_dir():
        raise BadInput(f"{option} {path} is a folder; give the name of a file.")
    check_folder(path.parent)
    if path.exists() and not force:
        raise BadInput(f"{path} exists; --force replaces it.")
    return path


def check_folder(folder):
    """Make sure that files can be made in a folder."""
    if not folder.is_dir():
        raise BadInput(f"There is no folder {folder} to write to.")
    try:
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise BadInput(
            f"Cannot write to the folder {folder}: {error.strerror}"
        ) from error


def write_text(path, text):
    """Write a file that appears under its name only when it is complete."""
    from skmnist.datasets._files import replacing

    try:
        with replacing(path) as file:
            file.write(text.encode())
    except OSError as error:
        raise Failure(f"Cannot write {path}: {describe(error)}") from error
