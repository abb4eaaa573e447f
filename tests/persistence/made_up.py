"""Fitted models made of random weights, without training and so without TensorFlow."""

import hashlib
import json
import struct

import numpy as np
from sklearn.pipeline import Pipeline

from skmnist import ImageScaler, KerasCNNClassifier, KerasMLPClassifier
from skmnist._inference.network import TrainedNetwork
from skmnist._training.data import TrainingState
from skmnist.networks import NetworkSpec, build_cnn, build_mlp
from skmnist.networks._graphs import network_layers
from skmnist.networks._plans import weight_shapes
from skmnist.networks._specification import plain_numbers

ADAM = '[{"class_name": "Adam", "config": {"beta_1": 0.9}, "module": %s}, null, false]'
_COMMON = ("units", "dropout", "activation", "kernel_initializer", "l1", "l2")
_CONVOLUTIONS = ("filters", "kernel_size", "pool_size", "padding")


def fitted(classifier, image_shape, classes=range(10), *, dtype="float32", seed=0):
    """Give a classifier weights and what else a fit would leave."""
    draw = np.random.default_rng(seed)
    params = classifier.get_params(deep=False)
    if "builder" in params:
        parameters, builder = params["builder_params"], params["builder"]
        is_cnn = builder is build_cnn
    else:
        is_cnn = "filters" in params
        names = _COMMON + (_CONVOLUTIONS if is_cnn else ())
        parameters = {name: plain_numbers(params[name]) for name in names}
        parameters["dtype"] = dtype
        builder = build_cnn if is_cnn else build_mlp
    height, width, channels = (*image_shape, 1)[:3]
    shape = (height, width, channels) if is_cnn else (height * width * channels,)
    classes = np.asarray(classes)
    spec = NetworkSpec(builder, shape, len(classes), parameters)
    weights = [
        draw.normal(size=size, scale=0.2).astype(dtype)
        for size in weight_shapes(*network_layers(spec))
    ]
    classifier._network = TrainedNetwork(spec, weights)
    classifier.classes_ = classes
    classifier.n_features_in_ = height * width * channels
    classifier._image_shape = (height, width, channels) if is_cnn else None
    classifier._sample_shape = (channels, height, width) if is_cnn else None
    classifier._pixel_range = 0.0, 1.0
    classifier._split_seed = 3
    classifier._training = TrainingState(
        1,
        2,
        n_epochs=2,
        optimizer_kind=ADAM % '"keras.optimizers"',
        initial_rate=0.001,
        random_states=[np.array([5, 6])],
        learning_rate=0.001,
    )
    classifier.history_ = {"loss": [2.5, 0.1], "accuracy": [0.25, 1 / 3]}
    classifier.n_iter_ = 2
    return classifier


def in_pipeline(classifier, images):
    """Put a fitted classifier after a scaler that is fitted on images."""
    layout = "channels_last" if "filters" in classifier.get_params() else "flat"
    scaler = ImageScaler(layout=layout).fit(images)
    return Pipeline([("scale", scaler), ("clf", classifier)])


def tiny_mlp(classes=range(10), **params):
    small = {"units": 3, "random_state": 0, "epochs": 2}
    return fitted(KerasMLPClassifier(**{**small, **params}), (4, 4), classes)


def tiny_cnn(classes=range(10), **params):
    small = {"filters": (2, 2), "pool_size": 2, "units": (3,), "random_state": 0}
    return fitted(KerasCNNClassifier(**{**small, **params}), (8, 8), classes)


def parts(content):
    """Return the description and the tensors (type, shape, bytes) of a file."""
    (length,) = struct.unpack("<Q", content[:8])
    header = json.loads(content[8 : 8 + length])
    description = json.loads(header.pop("__metadata__")["skmnist"])
    data = content[8 + length :]
    tensors = {
        name: [entry["dtype"], entry["shape"], data[slice(*entry["data_offsets"])]]
        for name, entry in header.items()
    }
    return description, tensors


def checksum(text, tensors):
    """Return what `sha256` of a description must be, as the documentation has it."""
    description = json.loads(text)
    zeros = "0" * 64
    digest = hashlib.sha256(text.replace(description["sha256"], zeros, 1).encode())
    for name, (dtype, shape, data) in sorted(tensors.items()):
        digest.update(json.dumps([name, dtype, shape]).encode() + data)
    return digest.hexdigest()


def forged(description, tensors):
    """Return a file of any description and tensors, whose checksum is right."""
    text = description
    if not isinstance(text, str):
        text = json.dumps(description | {"sha256": "0" * 64})
        text = text.replace("0" * 64, checksum(text, tensors), 1)
    header, data = {"__metadata__": {"skmnist": text}}, b""
    for name, (dtype, shape, content) in tensors.items():
        offsets = [len(data), len(data) + len(content)]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": offsets}
        data += content
    return with_header(json.dumps(header), data)


def with_header(header, data=b""):
    """Return a file of a header and data."""
    header = header.encode() if isinstance(header, str) else header
    return struct.pack("<Q", len(header)) + header + data
