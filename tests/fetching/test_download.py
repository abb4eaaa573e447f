"""Downloading MNIST from a server of our own."""

import io
import json
import subprocess
import sys
import threading
import warnings

import pytest

from skmnist.datasets import (
    DataNotFoundError,
    _download,
    _mnist,
    _published,
    fetch_mnist,
)

from .sets import (
    NAMES,
    names_in,
    serving,
    value_of,
    write_keras,
    write_set,
)


def test_download_goes_to_the_folder_given_and_is_done_once(
    home, tmp_path, monkeypatch, published
):
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        for _ in range(2):
            assert value_of(fetch_mnist("all")) == 100
        assert names_in(_download.default_folder()) == sorted(NAMES)
        assert server.requests == NAMES

        with pytest.warns(UserWarning, match="data_home"):
            fetch_mnist("all", data_home=tmp_path / "a" / "b")
        assert not (tmp_path / "a").exists()  # found in the default folder
        for path in _download.default_folder().iterdir():
            path.unlink()
        monkeypatch.setenv("SKMNIST_DATA", str(tmp_path / "variable"))
        assert value_of(fetch_mnist("all", data_home=tmp_path / "a" / "b")) == 100
        assert names_in(tmp_path / "a" / "b") == sorted(NAMES)
        assert value_of(fetch_mnist("all")) == 100
        assert names_in(tmp_path / "variable") == sorted(NAMES)
    for name, data in published.items():
        assert (tmp_path / "variable" / name).read_bytes() == data


def test_downloads_and_mirrors_that_fail_are_logged(
    tmp_path, monkeypatch, published, caplog
):
    dead = "http://127.0.0.1:9/"
    with caplog.at_level("INFO", "skmnist"), serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (dead, server.url))
        for _ in range(2):  # the second time there is nothing to do
            fetch_mnist("test", data_home=tmp_path / "set")
    logged = [(r.name, r.levelname) for r in caplog.records if r.name[:7] == "skmnist"]
    assert logged == [("skmnist.datasets", level) for level in ("WARNING", "INFO") * 2]
    assert f"{server.url}{NAMES[2]} downloaded to {tmp_path / 'set'}" in caplog.text


def test_only_what_the_subset_needs_is_downloaded_and_the_rest_later(
    tmp_path, monkeypatch, published
):
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        fetch_mnist("test", data_home=tmp_path / "set")
        assert server.requests == NAMES[2:]
        fetch_mnist("all", data_home=tmp_path / "set")
        assert server.requests == NAMES[2:] + NAMES[:2]


def test_download_that_broke_off_is_completed_in_its_folder(
    tmp_path, monkeypatch, published
):
    folder = tmp_path / "set"
    folder.mkdir()
    (folder / NAMES[0]).write_bytes(published[NAMES[0]])
    with pytest.raises(DataNotFoundError, match="incomplete"):
        fetch_mnist("train", data_home=folder, download_if_missing=False)
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        assert value_of(fetch_mnist("train", data_home=folder)) == 100
        assert server.requests == [NAMES[1]]


def test_broken_off_download_hides_no_other_place(
    home, tmp_path, monkeypatch, published
):
    folder, whole = tmp_path / "set", tmp_path / "whole"
    folder.mkdir()
    (folder / NAMES[0]).write_bytes(published[NAMES[0]])
    write_set(whole, 7)
    monkeypatch.setenv("SKMNIST_DATA", str(whole))
    with pytest.warns(UserWarning, match="incomplete"):
        assert value_of(fetch_mnist("train", data_home=folder)) == 7
    assert names_in(folder) == [NAMES[0]]


def test_broken_off_download_in_the_default_folder_hides_no_cache(
    home, monkeypatch, published
):
    _download.default_folder().mkdir(parents=True)
    (_download.default_folder() / NAMES[0]).write_bytes(published[NAMES[0]])
    path = write_keras(home / ".keras", 5)
    assert value_of(fetch_mnist()) == 5
    path.unlink()
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        assert value_of(fetch_mnist()) == 100
        assert server.requests == [NAMES[1]]


def test_another_download_that_begins_during_the_search_does_no_harm(
    tmp_path, monkeypatch, published
):
    folder, look = tmp_path / "set", _mnist._broken_off
    folder.mkdir()

    def look_and_let_the_other_begin(found, splits):
        answer = look(found, splits)
        (folder / NAMES[0]).write_bytes(published[NAMES[0]])
        return answer

    monkeypatch.setattr(_mnist, "_broken_off", look_and_let_the_other_begin)
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        assert value_of(fetch_mnist(data_home=folder)) == 100
        assert server.requests == [NAMES[1]]


def test_files_of_another_set_are_never_completed_with_those_of_mnist(
    tmp_path, monkeypatch, published
):
    write_set(tmp_path / "set", 1, NAMES[:1])
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.raises(DataNotFoundError, match="lacks train-labels"):
            fetch_mnist("train", data_home=tmp_path / "set")
        assert server.requests == []
    assert names_in(tmp_path / "set") == [NAMES[0]]


class Terminal(io.StringIO):
    def isatty(self):
        return True


@pytest.mark.parametrize("stream", [Terminal, io.StringIO])
def test_progress_is_shown_on_a_terminal_only(tmp_path, monkeypatch, published, stream):
    shown, printed = stream(), io.StringIO()
    monkeypatch.setattr(sys, "stderr", shown)
    monkeypatch.setattr(sys, "stdout", printed)
    with serving(published) as server, warnings.catch_warnings():
        warnings.simplefilter("error")
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        fetch_mnist("test", data_home=tmp_path / "set")
    assert ("Downloading MNIST" in shown.getvalue()) == (stream is Terminal)
    assert printed.getvalue() == ""


PROCESS = """
import json, sys
from skmnist.datasets import _download, _published, fetch_mnist
url, folder, files = sys.argv[1:]
_download.MIRRORS = (url,)
for name, expected in json.loads(files).items():
    _published.FILES[name] = _published.PublishedFile(*expected)
X, y = fetch_mnist("all", data_home=folder, return_X_y=True)
print(int(X.sum()), y.tolist())
"""


def start(server, folder):
    files = json.dumps(_published.FILES)
    run = [sys.executable, "-c", PROCESS, server.url, str(folder), files]
    return subprocess.Popen(
        run, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def test_two_processes_that_download_at_once_both_succeed(tmp_path, published):
    together = threading.Barrier(2, timeout=60)

    def first_together(handler, name, data):
        if name == NAMES[0]:
            together.wait()
        return False

    with serving(published, first_together) as server:
        processes = [start(server, tmp_path / "set") for _ in range(2)]
        results = [process.communicate(timeout=120) for process in processes]
    assert server.requests.count(NAMES[0]) == 2
    assert results == [(f"{5 * 784 * 100} [1, 0, 0, 2, 1]\n", "")] * 2
    assert names_in(tmp_path / "set") == sorted(NAMES)


def test_killed_download_does_not_look_complete(tmp_path, monkeypatch, published):
    reached = threading.Event()

    def stall_at_labels(handler, name, data):
        if name == NAMES[1] and not reached.is_set():
            handler.send_response(200)
            handler.end_headers()
            handler.wfile.write(data[:10])
            reached.set()
            handler.stall()
            return True
        return False

    with serving(published, stall_at_labels) as server:
        process = start(server, tmp_path / "set")
        assert reached.wait(60)
        process.kill()
        process.communicate()
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        assert not (tmp_path / "set" / NAMES[1]).exists()
        assert value_of(fetch_mnist("all", data_home=tmp_path / "set")) == 100
