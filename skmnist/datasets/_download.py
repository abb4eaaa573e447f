"""Downloading the published files of MNIST, checked before they get their name."""

import hashlib
import logging
import queue
import sys
import threading
from contextlib import contextmanager
from pathlib import Path

from skmnist.datasets._files import replacing
from skmnist.datasets._folders import missing_files
from skmnist.datasets._published import FILES, is_published

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# Seconds to wait for a connection, and for a server that sends nothing. Each piece
# has to be there within the sum, so that one that drips (under 400 bytes a second)
# is given up as well.
_TIMEOUT = (10, 30)
_CHUNK = 1 << 14

_logger = logging.getLogger(__package__)


def default_folder():
    """Name the folder for downloads: ``skmnist`` among the user's caches."""
    import pooch

    return Path(pooch.os_cache("skmnist"))


def download(folder, splits):
    """Download the files of some parts that are not in `folder` yet.

    Several processes may do so at once: each writes a temporary file of its own,
    checks it against the published checksum, and renames it.

    Raises
    ------
    OSError
        If a file cannot be had from any mirror, with a line for each of them, or
        if the folder cannot be written to.
    """
    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{stem}.gz" for stem in missing_files({}, splits)]
    names = [name for name in names if not is_published(folder / name)]
    with _progress(sum(FILES[name].size for name in names)) as advance:
        for name in names:
            _download_file(name, folder / name, advance)


def _download_file(name, path, advance):
    """Download one file from the first mirror that has it."""
    failures = []
    for mirror in MIRRORS:
        try:
            with replacing(path) as file:
                _transfer(mirror + name, _CheckedFile(file, FILES[name], advance))
            _logger.info("%s%s downloaded to %s", mirror, name, path)
            return
        except (OSError, ValueError) as err:
            # On Windows a file that another process has open is not replaced.
            if isinstance(err, PermissionError) and is_published(path):
                return
            failures.append(f"{mirror}{name}: {_reason(err)}")
            _logger.warning("Download failed: %s", failures[-1])
            cause = err
    raise OSError("\n".join(failures)) from cause


def _transfer(address, file):
    """Copy what a server sends into a checked file.

    A thread waits for the server: no setting of requests bounds how long names,
    headers or a single piece may take if each byte comes in time.
    """
    pieces = _Pieces()
    threading.Thread(target=_receive, args=(address, pieces), daemon=True).start()
    try:
        for piece in pieces:
            file.write(piece)
    finally:
        pieces.closed = True
    file.verify()


def _receive(address, pieces):
    """Fetch a file in pieces, the last of which is None or an exception."""
    import pooch

    # The checksum is that of the gzip file, so it must come as it is stored.
    get = pooch.HTTPDownloader(
        chunk_size=_CHUNK, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}
    )
    try:
        get(address, pieces, None)
    except Exception as err:
        pieces.end(err)
    else:
        pieces.end(None)


class _Pieces:
    """What one thread writes and another one reads, each piece in time."""

    def __init__(self):
        self.closed = False
        self._queue = queue.SimpleQueue()

    def write(self, piece):
        if self.closed:
            raise ConnectionAbortedError("nobody waits for this download any more")
        self._queue.put(piece)

    def flush(self):
        """Do nothing: pooch flushes after every chunk, which only costs time."""

    def end(self, error):
        self._queue.put(error)

    def __iter__(self):
        seconds = sum(_TIMEOUT)
        while True:
            try:
                piece = self._queue.get(timeout=seconds)
            except queue.Empty:
                raise TimeoutError(
                    f"too slow, less than {_CHUNK:,} bytes in {seconds:g} s"
                ) from None
            if piece is None:
                return
            if isinstance(piece, Exception):
                raise piece
            yield piece


class _CheckedFile:
    """A file to write to that knows how long it must be and its checksum."""

    def __init__(self, file, expected, advance):
        self._file = file
        self._expected = expected
        self._advance = advance
        self._size = 0
        self._hash = hashlib.sha256()

    def write(self, chunk):
        self._size += len(chunk)
        if self._size > self._expected.size:
            raise OSError(f"longer than the {self._expected.size:,} bytes published")
        self._hash.update(chunk)
        self._file.write(chunk)
        self._advance(len(chunk))

    def verify(self):
        if self._size < self._expected.size:
            raise OSError(
                f"broken off after {self._size:,} of {self._expected.size:,} bytes"
            )
        if self._hash.hexdigest() != self._expected.sha256:
            raise OSError("wrong checksum, not the published file")


def _reason(err):
    """Say in a few words why a download failed."""
    import requests

    if isinstance(err, requests.HTTPError):
        return f"the server answered {err.response.status_code} {err.response.reason}"
    if isinstance(err, requests.Timeout) or "timed out" in str(err):
        return "no answer in time"
    if isinstance(err, requests.exceptions.ChunkedEncodingError):
        return "broken off"
    if isinstance(err, requests.ConnectionError):
        return "no connection"
    return str(err)


@contextmanager
def _progress(n_bytes):
    """Give a function that advances a progress bar, shown only on a terminal."""
    if not n_bytes or not sys.stderr.isatty():
        yield lambda n: None
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = TextColumn("Downloading MNIST"), BarColumn(), DownloadColumn()
    with Progress(
        *columns,
        TimeRemainingColumn(),
        console=Console(stderr=True),
        transient=True,
    ) as progress:
        task = progress.add_task("", total=n_bytes)
        yield lambda n: progress.advance(task, n)
