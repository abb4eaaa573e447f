"""A script whose processes work without end; each writes its number to a file."""

import os
import subprocess
import sys
import time
from pathlib import Path

import joblib
import keras

from skmnist import KerasMLPClassifier


def announce(folder):
    (Path(folder) / str(os.getpid())).touch()


class Announce(keras.callbacks.Callback):
    """Says so when the training is under way."""

    def __init__(self, folder):
        super().__init__()
        self.folder = folder

    def on_epoch_end(self, epoch, logs=None):
        if epoch == 0:
            announce(self.folder)


def train(folder):
    X = [[0.0, 1.0], [1.0, 0.0]] * 8
    endless = KerasMLPClassifier(units=4, epochs=10**9, callbacks=[Announce(folder)])
    endless.fit(X, [0, 1] * 8)


def wait(folder):
    import skmnist  # noqa: F401 - as an estimator does that is sent to a worker

    announce(folder)
    time.sleep(600)


def in_workers(work, folder):
    joblib.Parallel(n_jobs=2)(joblib.delayed(work)(folder) for _ in range(2))


def spawned(folder):
    import multiprocessing

    multiprocessing.get_context("spawn").Process(target=wait, args=(folder,)).start()
    time.sleep(600)


def daemon(folder):
    if os.fork() == 0:
        os.setsid()
        wait(folder)
    time.sleep(600)


def command(folder):
    code = "import orphans_script as script, sys; script.wait(sys.argv[1])"
    subprocess.run([sys.executable, "-c", code, folder], check=False)


WAYS = {
    "training": lambda folder: in_workers(train, folder),
    "other work": lambda folder: in_workers(wait, folder),
    "spawned": spawned,
    "daemon": daemon,
    "command": command,
    "daemon of a worker": lambda folder: in_workers(daemon, folder),
}

if __name__ == "__main__":
    WAYS[sys.argv[1]](sys.argv[2])
