"""Downloading the published files of MNIST, checked before they get their name."""

import hashlib
import io
import logging
import sys
import threading
from concurrent.futures import Future, wait
from pathlib import Path

from skmnist.datasets._files import replacing
from skmnist.datasets._folders import missing_files
from skmnist.datasets._published import FILES, is_published

MIRRORS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
)
# Seconds to wait for a connection, and for a server that sends nothing. A piece has to
# arrive within each sum of them, so that a server that drips (under 400 bytes a second)
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
    checked against the published checksum, and renames it.

    Raises
    ------
    OSError
        If a file cannot be had from any mirror, with a line for each of them, or
        if the folder cannot be written to.
    """
    from rich.console import Console
    from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

    folder.mkdir(parents=True, exist_ok=True)
    names = [f"{stem}.gz" for stem in missing_files({}, splits)]
    names = [name for name in names if not is_published(folder / name)]
    columns = "Downloading MNIST", BarColumn(), DownloadColumn(), TimeRemainingColumn()
    # A quiet console, as a disabled bar of rich 13 ends with an empty line.
    console = Console(stderr=True, quiet=not sys.stderr.isatty())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task("", total=sum(FILES[name].size for name in names))
        for name in names:
            _download_file(name, folder / name, lambda n: progress.advance(task, n))


def _download_file(name, path, advance):
    """Download one file from the first mirror that has it."""
    failures = []
    for mirror in MIRRORS:
        try:
            data = _fetch(mirror + name, FILES[name], advance)
            with replacing(path) as file:
                file.write(data)
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


def _fetch(address, expected, advance):
    """Return the content of a file, which is the published one.

    Not by `pooch.retrieve`: it sets no limit to size and time, gives files that only
    their owner can read, and leaves a temporary file when its process is killed. Its
    downloader waits in a thread, as no setting of requests bounds how long names,
    headers or a single piece may take if each byte comes in time.
    """
    future, seconds, before = Future(), sum(_TIMEOUT), 0
    with _Buffer(expected.size, advance) as buffer:
        threading.Thread(
            target=_receive, args=(address, buffer, future), daemon=True
        ).start()
        while not wait([future], timeout=seconds).done:
            if buffer.tell() == before:
                raise TimeoutError(
                    f"too slow, less than {_CHUNK:,} bytes in {seconds:g} s"
                )
            before = buffer.tell()
        future.result()
        data = buffer.getvalue()
    if len(data) < expected.size:
        raise OSError(f"broken off after {len(data):,} of {expected.size:,} bytes")
    if hashlib.sha256(data).hexdigest() != expected.sha256:
        raise OSError("wrong checksum, not the published file")
    return data


def _receive(address, buffer, future):
    """Write what a server sends into a buffer, and end a future."""
    import pooch

    # The checksum is that of the gzip file, so it must come as it is stored.
    get = pooch.HTTPDownloader(
        chunk_size=_CHUNK, timeout=_TIMEOUT, headers={"Accept-Encoding": "identity"}
    )
    try:
        future.set_result(get(address, buffer, None))
    except Exception as err:
        future.set_exception(err)


class _Buffer(io.BytesIO):
    """What was received; once closed, it takes no more, which ends the download."""

    def __init__(self, size, advance):
        super().__init__()
        self._size = size
        self._advance = advance

    def write(self, chunk):
        super().write(chunk)
        if self.tell() > self._size:
            raise OSError(f"longer than the {self._size:,} bytes published")
        self._advance(len(chunk))


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
