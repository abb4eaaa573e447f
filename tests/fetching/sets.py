"""Tiny sets under MNIST's names, and a server of our own that has them."""

import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np

from skmnist.datasets import _published, write_idx, write_npz

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
