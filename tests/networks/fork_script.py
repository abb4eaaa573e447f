"""Trains in children that are forked before and after Keras' backend runs."""

import json
import os
import warnings

import keras
import parallel_script

from skmnist import KerasMLPClassifier

warnings.simplefilter("ignore", RuntimeWarning)  # that of JAX, about the second fork


def train():
    X, y = parallel_script.data()
    model = KerasMLPClassifier(**parallel_script.PARAMS).fit(X, y)
    return model.predict_proba(X[:2]).tolist()


def in_fork():
    reader, writer = os.pipe()
    if os.fork() == 0:
        try:
            outcome = train()
        except RuntimeError as error:
            outcome = str(error)
        os.write(writer, json.dumps(outcome).encode())
        os._exit(0)
    os.close(writer)
    with open(reader) as pipe:
        return json.load(pipe)


child = in_fork()  # of a process that has only imported Keras
keras.ops.add(1.0, 2.0)  # the backend runs, and not by this package
later_child = in_fork()
print(json.dumps({"child": child, "later child": later_child, "parent": train()}))
