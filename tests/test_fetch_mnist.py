"""Finding MNIST where it lies, and downloading it from a server of our own."""

import gzip
import hashlib
import io
import json
import pickle
import re
import subprocess
import sys
import threading
import traceback
import warnings
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from click.testing import CliRunner

from skmnist.cli._commands import skmnist
from skmnist.datasets import (
    DataFormatError,
    DataNotFoundError,
    _download,
    _families,
    _mnist,
    _published,
    fetch_mnist,
    write_idx,
    write_npz,
)

NAMES = list(_published.FILES)
LABELS = {"train": np.array([1, 0, 0]), "test": np.array([2, 1])}


def images(split, value):
    return np.full((len(LABELS[split]), 28, 28), value, np.uint8)


def write_set(folder, value, names=NAMES):
    """Write a tiny set whose pixels all have one value."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in names:
        split = "train" if name.startswith("train") else "test"
        array = images(split, value) if "images" in name else LABELS[split]
        write_idx(folder / name, array)


def write_keras(folder, value):
    (folder / "datasets").mkdir(parents=True)
    path = folder / "datasets" / "mnist.npz"
    train, test = LABELS["train"], LABELS["test"]
    write_npz(path, images("train", value), train, images("test", value), test)
    return path


@pytest.fixture(autouse=True)
def home(tmp_path, monkeypatch):
    """Give a home without any data, and no way to any server."""
    for name in ("SKMNIST_DATA", "KERAS_HOME", "SCIKIT_LEARN_DATA", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    folder = tmp_path / "home"
    folder.mkdir()
    for name in ("HOME", "USERPROFILE", "LOCALAPPDATA"):
        monkeypatch.setenv(name, str(folder))
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(_download, "MIRRORS", ("http://127.0.0.1:9/",))
    monkeypatch.setattr(_download, "_TIMEOUT", (5, 5))
    return folder


@pytest.fixture
def published(tmp_path, monkeypatch):
    """Let a tiny set be the published one; give its files by name."""
    write_set(tmp_path / "published", 100)
    files = {name: (tmp_path / "published" / name).read_bytes() for name in NAMES}
    for name, data in files.items():
        expected = _published.PublishedFile(len(data), hashlib.sha256(data).hexdigest())
        monkeypatch.setitem(_published.FILES, name, expected)
    return files


@contextmanager
def serving(files, answer=None):
    """Serve files from this machine; `answer` may treat a request in its own way."""
    requests, stop = [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            name = self.path.rsplit("/", 1)[-1]
            requests.append(name)
            data = files[name]
            if answer is None or not answer(self, name, data):
                self.reply(data)

        def reply(self, data, length=None, status=200):
            self.send_response(status)
            self.send_header("Content-Length", str(length or len(data)))
            self.end_headers()
            self.wfile.write(data)

        def stall(self):
            self.wfile.flush()
            stop.wait(30)

        def log_message(self, *args):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.requests = requests
    server.stopping = stop
    server.url = f"http://127.0.0.1:{server.server_port}/mnist/"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield server
    finally:
        stop.set()
        server.shutdown()
        thread.join()
        server.server_close()


def value_of(bunch):
    """Tell the sets of these tests apart by the value of their pixels."""
    assert bunch.data.min() == bunch.data.max()
    return int(bunch.data[0, 0])


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# --- where it is looked for -----------------------------------------------------


def test_places_are_searched_in_the_documented_order(home, tmp_path, monkeypatch):
    keras = write_keras(home / ".keras", 5)
    assert value_of(fetch_mnist()) == 5
    assert fetch_mnist().source == str(keras)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    write_keras(tmp_path / "keras", 4)
    assert value_of(fetch_mnist()) == 4
    write_set(_download.default_folder(), 3)
    assert value_of(fetch_mnist()) == 3
    monkeypatch.setenv("SKMNIST_DATA", str(tmp_path / "variable"))
    with pytest.warns(UserWarning, match=r"\$SKMNIST_DATA"):
        assert value_of(fetch_mnist()) == 3
    write_set(tmp_path / "variable", 2)
    assert value_of(fetch_mnist()) == 2
    with pytest.warns(UserWarning, match="data_home"):
        assert value_of(fetch_mnist(data_home=tmp_path / "given")) == 2
    write_set(tmp_path / "given", 1)
    assert value_of(fetch_mnist(data_home=str(tmp_path / "given"))) == 1
    assert fetch_mnist(data_home=tmp_path / "given").source == str(tmp_path / "given")


def test_home_directory_is_expanded_and_an_empty_variable_ignored(home, monkeypatch):
    write_set(home / "digits", 7)
    monkeypatch.setenv("SKMNIST_DATA", "~/digits")
    with pytest.warns(UserWarning, match="none"):
        assert value_of(fetch_mnist(data_home="~/none")) == 7
    assert value_of(fetch_mnist(data_home="~/digits")) == 7
    monkeypatch.setenv("SKMNIST_DATA", "")
    with pytest.raises(DataNotFoundError):
        fetch_mnist(download_if_missing=False)


@pytest.mark.parametrize("how", ["data_home", "SKMNIST_DATA"])
def test_another_folder_than_the_one_named_is_not_used_silently(
    home, tmp_path, monkeypatch, how
):
    write_keras(home / ".keras", 5)
    named = tmp_path / "typo"
    data_home = named if how == "data_home" else None
    if how == "SKMNIST_DATA":
        monkeypatch.setenv(how, str(named))
    with pytest.warns(UserWarning, match=rf"{home}.*named: .*{how} {named}") as record:
        assert value_of(fetch_mnist(data_home=data_home)) == 5
    assert record[0].filename == __file__
    write_set(named, 1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert value_of(fetch_mnist(data_home=data_home)) == 1


def test_all_files_that_are_missing_are_named_whatever_the_part(tmp_path):
    for subset in "train", "test":
        with pytest.raises(DataNotFoundError) as caught:
            fetch_mnist(subset, data_home=tmp_path, download_if_missing=False)
        assert all(name in str(caught.value) for name in NAMES)
    write_set(tmp_path, 1, NAMES[:1])
    with pytest.raises(DataNotFoundError) as caught:
        fetch_mnist("train", data_home=tmp_path)
    lacking = str(caught.value).partition("lacks")[2]
    assert [name.removesuffix(".gz") in lacking for name in NAMES] == [False] + 3 * [
        True
    ]


def test_searching_creates_no_folder(home):
    with pytest.raises(DataNotFoundError):
        fetch_mnist(data_home=home / "given", download_if_missing=False)
    assert names_in(home) == []


def test_subset_all_is_train_then_test(tmp_path):
    write_set(tmp_path / "set", 1)
    X, y = fetch_mnist("all", data_home=tmp_path / "set", return_X_y=True)
    assert X.shape == (5, 784)
    assert y.tolist() == [1, 0, 0, 2, 1]


@pytest.mark.parametrize("how", ["argument", "variable"])
def test_broken_folder_that_was_given_is_said_not_skipped(
    home, tmp_path, monkeypatch, how
):
    write_keras(home / ".keras", 5)
    write_set(tmp_path / "set", 1)
    data_home = tmp_path / "set" if how == "argument" else None
    if how == "variable":
        monkeypatch.setenv("SKMNIST_DATA", str(tmp_path / "set"))
    write_idx(tmp_path / "set" / NAMES[1], np.arange(2))
    with pytest.raises(DataFormatError, match="2 labels for 3 images"):
        fetch_mnist(data_home=data_home)
    (tmp_path / "set" / NAMES[1]).write_bytes(b"\x1f\x8bnonsense")
    with pytest.raises(DataFormatError, match=NAMES[1]):
        fetch_mnist(data_home=data_home)
    (tmp_path / "set" / NAMES[1]).unlink()
    with pytest.raises(DataNotFoundError, match=r"lacks train-labels-idx1-ubyte"):
        fetch_mnist(data_home=data_home)
    assert value_of(fetch_mnist("test", data_home=data_home)) == 1


def test_damaged_cache_of_keras_is_passed_over_with_a_warning(
    home, monkeypatch, published
):
    path = write_keras(home / ".keras", 5)
    path.write_bytes(path.read_bytes()[:300])
    warned = pytest.warns(UserWarning, match=r"cache of Keras is passed over.*mnist")
    with warned as record, pytest.raises(DataNotFoundError, match=r"mnist.npz \(dam"):
        fetch_mnist(download_if_missing=False)
    assert record[0].filename == __file__
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.warns(UserWarning, match="Keras"):
            assert value_of(fetch_mnist()) == 100


# --- what scikit-learn leaves ---------------------------------------------------


class OpenML:
    """Answers what `fetch_openml` asks about mnist_784, with other images."""

    def __init__(self, labels):
        features = [f"pixel{n}" for n in range(1, 785)] + ["class"]
        rows = [f"{','.join(['9'] * 784)},{label}" for label in labels]
        header = [f"@ATTRIBUTE {name} real" for name in features[:-1]]
        header += ["@ATTRIBUTE class {0,1}", "@DATA"]
        arff = "\n".join(["% a comment", "@RELATION mnist_784", *header, *rows, ""])
        address = "https://api.openml.org/data/v1/download/52667/mnist_784.arff"
        self.address = address
        self.answers = {
            "/data/list/": {"data": {"dataset": [{"did": 554, "version": 1}]}},
            "/data/features/": {
                "data_features": {
                    "feature": [
                        {
                            "name": name,
                            "index": str(index),
                            "data_type": "nominal" if name == "class" else "numeric",
                            "is_target": str(name == "class").lower(),
                            "is_ignore": "false",
                            "is_row_identifier": "false",
                            "number_of_missing_values": "0",
                        }
                        for index, name in enumerate(features)
                    ]
                }
            },
            "/data/qualities/": {
                "data_qualities": {
                    "quality": [{"name": "NumberOfInstances", "value": len(labels)}]
                }
            },
            "/data/554": {
                "data_set_description": {
                    "id": "554",
                    "name": "mnist_784",
                    "description": "digits",
                    "version": "1",
                    "status": "active",
                    "format": "ARFF",
                    "url": address,
                    "file_id": "52667",
                    "md5_checksum": hashlib.md5(arff.encode()).hexdigest(),
                }
            },
        }
        self.arff = arff

    def __call__(self, request, *args, **kwargs):
        if request.full_url == self.address:
            answer = io.BytesIO(self.arff.encode())
        else:
            (found,) = (v for k, v in self.answers.items() if k in request.full_url)
            answer = io.BytesIO(json.dumps(found).encode())
        answer.info = dict
        return answer


@pytest.fixture
def leave_sklearn_cache(monkeypatch):
    """Let scikit-learn's own code leave a tiny mnist_784 in its cache."""
    monkeypatch.setitem(_published.LABEL_COUNTS, "train", (2, 1))
    monkeypatch.setitem(_published.LABEL_COUNTS, "test", (1, 1))

    def leave(labels=(1, 0, 0, 1, 0)):
        from sklearn.datasets import fetch_openml

        with monkeypatch.context() as patch:
            patch.setattr("sklearn.datasets._openml.urlopen", OpenML(labels))
            fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff")

    return leave


def test_cache_that_fetch_openml_left_is_read(
    home, tmp_path, monkeypatch, leave_sklearn_cache
):
    leave_sklearn_cache()
    before = sorted(home.rglob("*"))
    mnist = fetch_mnist("test")
    assert value_of(mnist) == 9
    assert mnist.images.shape == (2, 28, 28)
    assert mnist.target.tolist() == [1, 0]
    assert fetch_mnist("all").target.tolist() == [1, 0, 0, 1, 0]
    assert "scikit_learn_data" in mnist.source
    assert sorted(home.rglob("*")) == before
    (home / "scikit_learn_data").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "elsewhere"))
    assert value_of(fetch_mnist("train")) == 9


def test_cache_of_scikit_learn_in_another_order_is_passed_over(leave_sklearn_cache):
    leave_sklearn_cache(labels=(1, 0, 1, 0, 0))
    warned = pytest.warns(UserWarning, match=r"scikit-learn is passed over.*order")
    with warned, pytest.raises(DataNotFoundError):
        fetch_mnist(download_if_missing=False)


@pytest.mark.parametrize("which", ["554.gz", "mnist_784.arff.gz"])
def test_damaged_cache_of_scikit_learn_is_passed_over(home, leave_sklearn_cache, which):
    leave_sklearn_cache()
    paths = [
        path for path in home.rglob(which) if path.parent.name in ("data", "52667")
    ]
    (path,) = paths
    for damaged in (path.read_bytes()[:-9], gzip.compress(b"{}"), b"no gzip"):
        path.write_bytes(damaged)
        warned = pytest.warns(UserWarning, match="scikit-learn is passed over")
        with warned, pytest.raises(DataNotFoundError):
            fetch_mnist(download_if_missing=False)
        assert path.read_bytes() == damaged


# --- downloading ----------------------------------------------------------------


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


def truncated(handler, name, data):
    handler.reply(data[:-5], length=len(data))
    return True


def short(handler, name, data):
    handler.reply(data[:-5])
    return True


def long(handler, name, data):
    handler.reply(data * 100)
    return True


def altered(handler, name, data):
    handler.reply(data[:-1] + bytes([data[-1] ^ 1]))
    return True


def web_page(handler, name, data):
    handler.reply(b"<html>Please sign in</html>")
    return True


def absent(handler, name, data):
    handler.reply(b"nothing here", status=404)
    return True


def stalled(handler, name, data):
    handler.send_response(200)
    handler.send_header("Content-Length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data[:20])
    handler.stall()
    return True


def dripping(handler, name, data):
    handler.send_response(200)
    handler.send_header("Content-Length", "1000000")
    handler.end_headers()
    drip(handler, b"x" * 100)
    return True


def dripping_headers(handler, name, data):
    drip(handler, b"HTTP/1.0 200 OK\r\n" + b"X: y\r\n" * 15)
    return True


def drip(handler, data):
    """Send a byte well within the time that the client waits for one."""
    for byte in data:
        try:
            handler.wfile.write(bytes([byte]))
            handler.wfile.flush()
        except OSError:
            return
        if handler.server.stopping.wait(0.05):
            return


def silent(handler, name, data):
    handler.stall()
    return True


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        (truncated, "broken off"),
        (short, "broken off after"),
        (long, "longer than the"),
        (altered, "wrong checksum"),
        (web_page, "broken off after 27 of"),
        (absent, "answered 404"),
        (stalled, "no answer in time"),
        (silent, "no answer in time"),
    ],
)
def test_failed_download_is_one_error_and_leaves_nothing(
    tmp_path, monkeypatch, published, answer, reason
):
    monkeypatch.setattr(_download, "_TIMEOUT", (5, 0.3))
    with serving(published, answer) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.raises(DataNotFoundError, match=reason) as caught:
            fetch_mnist(data_home=tmp_path / "set")
    assert server.url + NAMES[0] in str(caught.value)
    assert names_in(tmp_path / "set") == []


@pytest.mark.parametrize("answer", [dripping, dripping_headers])
def test_download_that_drips_is_given_up(tmp_path, monkeypatch, published, answer):
    monkeypatch.setattr(_download, "_TIMEOUT", (0.3, 0.3))
    with serving(published, answer) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.raises(DataNotFoundError, match="too slow, less than 16,384"):
            fetch_mnist(data_home=tmp_path / "set")
    assert names_in(tmp_path / "set") == []


def test_next_mirror_is_asked_when_one_fails(tmp_path, monkeypatch, published):
    def first_only(handler, name, data):
        return absent(handler, name, data) if "labels" in name else False

    with serving(published, first_only) as bad, serving(published) as good:
        monkeypatch.setattr(_download, "MIRRORS", (bad.url, good.url))
        assert value_of(fetch_mnist(data_home=tmp_path / "set")) == 100
        assert bad.requests == NAMES[:2]
        assert good.requests == [NAMES[1]]


def test_without_network_a_list_names_places_files_and_ways(home, tmp_path):
    with pytest.raises(OSError, match="no connection") as caught:
        fetch_mnist("all", data_home=tmp_path / "set")
    assert type(caught.value) is DataNotFoundError
    message = str(caught.value)
    first, *rest = message.splitlines()
    assert first.startswith("MNIST was not found")
    assert [line for line in rest if not line.startswith("- ")] == [
        "Downloading failed:",
        "Do one of these:",
    ]
    for words in [str(tmp_path / "set"), *NAMES, "mnist.npz", "SKMNIST_DATA"]:
        assert words in message
    for words in ["data_home", "http://127.0.0.1:9/", ".keras", "scikit_learn_data"]:
        assert words in message
    assert "mnist" in str(pickle.loads(pickle.dumps(caught.value)))


def test_command_line_prints_that_list(home):
    result = CliRunner().invoke(skmnist, ["data", "mnist"])
    assert (result.exit_code, result.stdout) == (2, "")
    first, *rest = result.stderr.splitlines()
    assert first.startswith("Error: MNIST was not found")
    assert len(rest) >= 7
    assert all(line.startswith("- ") or line.endswith(":") for line in rest)
    assert max(map(len, rest)) < 300


@pytest.mark.parametrize("download", [True, False])
def test_mnist_that_is_nowhere_is_one_traceback(tmp_path, download):
    with pytest.raises(DataNotFoundError) as caught:
        fetch_mnist(data_home=tmp_path / "set", download_if_missing=download)
    assert "".join(traceback.format_exception(caught.value)).count("Traceback") == 1


def test_another_set_under_the_names_of_mnist_is_not_taken_for_it_silently(
    tmp_path, monkeypatch
):
    write_set(tmp_path, 1)
    labels = _published.unpacked_checksum(LABELS["train"])
    monkeypatch.setitem(_families._LABELS, labels, "fashion-mnist")
    monkeypatch.setattr(_families, "_SIZES", (3,))
    with pytest.warns(UserWarning, match="holds Fashion-MNIST, not MNIST") as record:
        found = fetch_mnist(data_home=tmp_path)
    assert record[0].filename == __file__
    assert found.target_names.tolist() == ["T-shirt/top", "Trouser"]


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataNotFoundError, match=re.escape(str(tmp_path / "file"))):
        fetch_mnist(data_home=tmp_path / "file" / "set")
    with pytest.raises(NotADirectoryError, match="is a file"):
        fetch_mnist(data_home=tmp_path / "file")


# --- several processes ----------------------------------------------------------

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


# --- what is shown --------------------------------------------------------------


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


def test_mnist_is_described_as_such_only_when_it_is(tmp_path, monkeypatch):
    write_set(tmp_path / "set", 1)
    assert "handwritten" not in fetch_mnist(data_home=tmp_path / "set").DESCR
    monkeypatch.setitem(_published.LABEL_COUNTS, "train", (2, 1))
    assert "handwritten" in fetch_mnist(data_home=tmp_path / "set").DESCR
    assert _mnist._DESCR.startswith("MNIST")
