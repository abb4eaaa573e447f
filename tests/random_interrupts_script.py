"""Sends Ctrl-C to processes at random moments of their first fit.

``python tests/random_interrupts_script.py 40`` starts 40 processes, one after another.
Each must end its first fit with KeyboardInterrupt, unless the fit was faster, and then
fit and predict as a process that was left alone does.
"""

import random
import signal
import subprocess
import sys
import time

FITS = """
import signal
import numpy as np
# A shell lets what it starts in the background ignore Ctrl-C.
signal.signal(signal.SIGINT, signal.default_int_handler)
from skmnist import KerasMLPClassifier
X = np.random.default_rng(0).random((40, 16), dtype="float32")
model = KerasMLPClassifier(units=4, epochs=2, random_state=0)
print("ready", flush=True)
try:
    model.fit(X, np.arange(40) % 2)
    print("not interrupted", flush=True)
except KeyboardInterrupt:
    print("interrupted", flush=True)
print(model.fit(X, np.arange(40) % 2).predict_proba(X).tobytes().hex(), flush=True)
"""


def start():
    process = subprocess.Popen(
        [sys.executable, "-c", FITS],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "ready\n"
    return process


def main(n_runs):
    begin = time.monotonic()
    undisturbed = start()
    _, expected = undisturbed.stdout.read().split("\n", 1)
    undisturbed.wait()
    longest = 0.6 * (time.monotonic() - begin)
    generator = random.Random(0)
    n_hit = n_usable = 0
    for _ in range(n_runs):
        process = start()
        time.sleep(generator.uniform(0, longest))
        process.send_signal(signal.SIGINT)
        # One that comes after the first fit may end the second, as it should.
        output, errors = process.communicate(timeout=300)
        first, _, rest = output.partition("\n")
        n_hit += first == "interrupted"
        was_late = first == "not interrupted" and "KeyboardInterrupt" in errors
        n_usable += rest == expected or was_late
        if rest != expected and not was_late:
            print(first, errors[-500:])
    print(f"{n_runs} processes, {n_hit} interrupted in their first fit")
    print(f"{n_usable} usable afterwards, with the same probabilities")
    return n_usable == n_runs


if __name__ == "__main__":
    sys.exit(not main(int(sys.argv[1]) if sys.argv[1:] else 40))
