"""Model files that are damaged, cut short, too long, or of other versions."""

import bz2
import copy
import gzip
import io
import lzma
import os
import pickle
import re
import zlib
from pathlib import Path

import joblib
import numpy as np
import pytest
from builders import dense, small_mlp
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline

from skmnist import ImageScaler, KerasImageClassifier, _trained_network
from skmnist._inference import network as trained
from skmnist._inference.integrity import NetworkStateError
from skmnist.datasets import load_digits
from skmnist.persistence import ModelFileError, _compression, load_model, save_model

DATA = Path(__file__).parent.parent / "data"
METHODS = ["none", "zlib", "gzip", "bz2", "xz", "lzma"]


@pytest.fixture(scope="module")
def network(digits):
    X, y = digits
    return make_pipeline(ImageScaler(), small_mlp(units=4, epochs=1)).fit(X, y)


@pytest.fixture(scope="module")
def baseline(digits):
    X, y = digits
    return make_pipeline(ImageScaler(), LogisticRegression()).fit(X, y)


def compress(method):
    return 0 if method == "none" else (method, 3)


def refused(path, content, words=""):
    path.write_bytes(content)
    with pytest.raises(ModelFileError, match=rf"(?s){path.name}.*{words}"):
        load_model(path)


@pytest.mark.parametrize("name", sorted(path.stem for path in DATA.glob("*.joblib")))
def test_files_of_earlier_versions_load(name):
    model, metadata = load_model(DATA / f"{name}.joblib", return_metadata=True)
    X, _ = load_digits(return_X_y=True)
    found = model.predict_proba(X[:2])
    tolerance = 1e-3 if "bfloat16" in name else 1e-5  # what it once predicted in
    np.testing.assert_allclose(found, metadata["probabilities"], atol=tolerance)
    again = pickle.dumps(model)
    assert b"_trained_network" not in again
    assert np.array_equal(pickle.loads(again).predict_proba(X[:2]), found)


@pytest.mark.parametrize("name", ["mlp_2", "mlp_bfloat16_2"])
def test_training_goes_on_from_files_of_earlier_versions(name):
    model = load_model(DATA / f"{name}.joblib")
    before = model[-1]._network.weights[0]
    model.fit(*load_digits(return_X_y=True))
    assert model[-1].n_iter_ == 6
    assert not np.array_equal(model[-1]._network.weights[0], before)


@pytest.mark.parametrize("name", ["mlp_2", "own_builder_2"])
@pytest.mark.parametrize("part", ["weights", "description"])
def test_damage_in_networks_of_earlier_versions_is_noticed(name, part):
    content = lzma.decompress((DATA / f"{name}.joblib").read_bytes())
    model = joblib.load(io.BytesIO(content))["model"]
    found = b'"activation": "relu"'
    if part == "weights":
        found = model[-1]._network.weights[0].tobytes()[:64]
    place = content.index(found) + len(found) - 3
    with pytest.raises(NetworkStateError, match="its network is damaged"):
        joblib.load(io.BytesIO(flipped(content, 8 * place)))


@pytest.mark.parametrize("method", METHODS)
def test_joblib_alone_reads_what_save_model_writes(method, baseline, digits, tmp_path):
    path = save_model(baseline, tmp_path / "m", compress=compress(method))
    X, _ = digits
    wanted = baseline.predict_proba(X)
    assert np.array_equal(joblib.load(path)["model"].predict_proba(X), wanted)
    assert np.array_equal(load_model(path).predict_proba(X), wanted)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("extra", [b"\n", bytes(512), b"x", "itself"], ids=repr)
def test_nothing_may_follow_the_content(method, extra, baseline, tmp_path):
    path = save_model(baseline, tmp_path / "m", compress=compress(method))
    content = path.read_bytes()
    refused(path, content + (content if extra == "itself" else extra))


@pytest.mark.parametrize("method", METHODS[1:])
def test_nothing_may_follow_what_joblib_alone_has_compressed(
    method, baseline, tmp_path
):
    path = tmp_path / "m"
    joblib.dump(baseline, path, compress=compress(method))
    assert load_model(path).predict([[0] * 64]) is not None
    refused(path, path.read_bytes() + b"\n", "something follows the .*compressed data")


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("writer", ["save_model", "joblib"])
def test_a_file_cut_short_anywhere_is_refused(method, writer, baseline, tmp_path):
    path = tmp_path / "m"
    if writer == "joblib":
        joblib.dump(baseline, path, compress=compress(method))
    else:
        save_model(baseline, path, compress=compress(method))
    content = path.read_bytes()
    n = len(content)
    for end in [*range(20), *range(20, n - 20, n // 50), *range(n - 20, n)]:
        refused(path, content[:end])


@pytest.mark.parametrize(
    ("pack", "loads"),
    [(gzip.compress, True), (bz2.compress, True), (lzma.compress, True)]
    + [(zlib.compress, False)],
)
def test_streams_are_joined_where_the_format_says_so(pack, loads, baseline, tmp_path):
    content = save_model(baseline, tmp_path / "m", compress=0).read_bytes()
    for middle in (1, 2, 1000, len(content)):
        path = tmp_path / "joined"
        if loads:
            path.write_bytes(pack(content[:middle]) + pack(content[middle:]))
            assert load_model(path).predict([[0] * 64]) is not None
        else:
            packed = pack(content[:middle]) + pack(content[middle:])
            refused(path, packed, "something follows")


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, bz2.compress])
def test_what_unpacks_to_far_too_much_is_refused(pack, tmp_path, monkeypatch):
    monkeypatch.setattr(_compression, "_MUCH", 1 << 20)
    refused(tmp_path / "bomb", pack(bytes(1 << 23)), "which no model does")


def test_what_is_compressed_twice_is_refused(baseline, tmp_path):
    path = save_model(baseline, tmp_path / "m")
    refused(path, gzip.compress(path.read_bytes()), "compressed twice")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="needs named pipes")
def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ModelFileError, match=r"pipe is not a model file: .* regular"):
        load_model(tmp_path / "pipe")


def flipped(content, bit):
    content = bytearray(content)
    content[bit // 8] ^= 1 << bit % 8
    return bytes(content)


@pytest.mark.parametrize("kind", ["network", "baseline"])
def test_a_bit_flipped_anywhere_is_noticed(kind, request, tmp_path):
    model = request.getfixturevalue(kind)
    path = save_model(model, tmp_path / "m", compress=0)
    content = path.read_bytes()
    bits = np.random.default_rng(0).integers(8 * len(content), size=500)
    for bit in bits.tolist():
        refused(path, flipped(content, bit))


@pytest.mark.parametrize("part", ["weights", "specification", "checksum"])
@pytest.mark.parametrize("writer", [joblib, pickle])
def test_a_network_notices_damage_in_files_of_joblib_and_pickle(
    part, writer, network, tmp_path
):
    file = io.BytesIO()
    writer.dump(network, file)
    content = file.getvalue()
    found = {
        "weights": re.escape(network[-1]._network.weights[0].tobytes()[:64]),
        "specification": rb"n_classes.{1,9}?K(?=\n)",  # the number 10
        "checksum": network[-1]._network.__getstate__()["sha256"].encode()[:60],
    }
    place = re.search(found[part], content, re.DOTALL).end()
    refused(tmp_path / "m", flipped(content, 8 * place), "its network is damaged")


@pytest.mark.parametrize("change", ["fewer arrays", "another shape"])
def test_what_has_no_checksum_must_have_weights_of_the_layers(change):
    classifier = load_model(DATA / "mlp_uncompressed_1.joblib")[-1]
    spec, weights = classifier._spec, list(classifier._network.weights)
    old = object.__new__(_trained_network.TrainedNetwork)
    if change == "fewer arrays":
        del weights[-1]
    else:
        weights[0] = weights[0][:-1]
    old.__setstate__(
        {"config": "{}", "weights": weights, "custom_objects": {}, "is_shared": True}
    )
    state = classifier.__getstate__() | {"_network": old, "_spec": spec}
    with pytest.raises(ValueError, match=r"network is damaged .*its weights have"):
        classifier.__setstate__(state)


def test_copies_in_memory_take_no_checksum(network, digits, monkeypatch):
    monkeypatch.setattr(trained, "checksum", None)
    X, _ = digits
    twin = copy.deepcopy(network)
    assert np.array_equal(twin.predict_proba(X), network.predict_proba(X))
    first, second = (m[-1]._network.weights[0] for m in (network, twin))
    assert not np.shares_memory(first, second)
    clone(network)


@pytest.mark.parametrize("builder", ["ours", "own"])
def test_a_pickled_network_comes_back_the_same(builder, network, digits):
    before = network[-1]._network
    if builder == "own":
        before = KerasImageClassifier(builder=dense, epochs=1).fit(*digits)._network
    after = pickle.loads(pickle.dumps(before))
    assert after.spec == before.spec
    assert after.description == before.description
    assert pickle.dumps(after) == pickle.dumps(before)


def test_what_only_a_newer_keras_can_build_is_refused_by_both_versions(
    digits, tmp_path
):
    X, y = digits
    model = KerasImageClassifier(builder=dense, epochs=1).fit(X, y)
    network = model._network
    installed = network.description.keras_version
    network.description = network.description._replace(keras_version="99.1.0")
    path = save_model(model, tmp_path / "m")
    assert np.array_equal(load_model(path).predict(X), model.predict(X))
    config = network.description.config.replace('"Dense"', '"Denser"')
    network.description = network.description._replace(config=config)
    words = rf"by Keras 99\.1\.0, and Keras {installed}, which is installed, cannot"
    for save in (save_model, joblib.dump):
        save(model, path)
        refused(path, path.read_bytes(), words)
    # Nobody else is made to wait for Keras.
    network.description = network.description._replace(keras_version=installed)
    assert load_model(save_model(model, path)) is not None


@pytest.mark.parametrize("metadata", [[], None, "words", 3], ids=repr)
def test_metadata_that_are_no_dict_are_refused(metadata, baseline, tmp_path):
    content = {"format": "skmnist model", "format_version": 1, "model": baseline}
    joblib.dump(content | {"metadata": metadata}, tmp_path / "m")
    words = f"metadata of type {type(metadata).__name__}; expected a dict"
    refused(tmp_path / "m", (tmp_path / "m").read_bytes(), words)


def test_a_model_that_lacks_a_part_is_damaged(tmp_path):
    model = LogisticRegression().fit([[0.0], [1.0]], [0, 1])
    del model.solver
    joblib.dump(model, tmp_path / "m")
    refused(tmp_path / "m", (tmp_path / "m").read_bytes(), "LogisticRegression that is")


@pytest.mark.parametrize(
    "compress", [10, -1, "rar", ("zlib", 12), ("lz", 3), 2.5, None], ids=repr
)
def test_a_compression_that_is_not_there_is_refused(compress, baseline, tmp_path):
    with pytest.raises(ValueError, match="compress must be"):
        save_model(baseline, tmp_path / "m", compress=compress)
    assert list(tmp_path.iterdir()) == []
