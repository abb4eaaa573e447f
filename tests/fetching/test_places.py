"""Where MNIST is looked for, and what a folder that holds it may hold."""

import warnings

import numpy as np
import pytest

from skmnist.datasets import (
    DataFormatError,
    DataNotFoundError,
    _download,
    _families,
    _mnist,
    _published,
    fetch_mnist,
    write_idx,
)

from .sets import (
    LABELS,
    NAMES,
    names_in,
    serving,
    value_of,
    write_keras,
    write_set,
)


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
    assert record.pop(UserWarning).filename == __file__
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
    assert record.pop(UserWarning).filename == __file__
    with serving(published) as server:
        monkeypatch.setattr(_download, "MIRRORS", (server.url,))
        with pytest.warns(UserWarning, match="Keras"):
            assert value_of(fetch_mnist()) == 100


def test_another_set_under_the_names_of_mnist_is_not_taken_for_it_silently(
    tmp_path, monkeypatch
):
    write_set(tmp_path, 1)
    labels = _published.unpacked_checksum(LABELS["train"])
    monkeypatch.setitem(_families._LABELS, labels, "fashion-mnist")
    monkeypatch.setattr(_families, "_SIZES", (3,))
    with pytest.warns(UserWarning, match="holds Fashion-MNIST, not MNIST") as record:
        found = fetch_mnist(data_home=tmp_path)
    assert record.pop(UserWarning).filename == __file__
    assert found.target_names.tolist() == ["T-shirt/top", "Trouser"]


def test_mnist_is_described_as_such_only_when_it_is(tmp_path, monkeypatch):
    write_set(tmp_path / "set", 1)
    assert "handwritten" not in fetch_mnist(data_home=tmp_path / "set").DESCR
    monkeypatch.setitem(_published.LABEL_COUNTS, "train", (2, 1))
    assert "handwritten" in fetch_mnist(data_home=tmp_path / "set").DESCR
    assert _mnist._DESCR.startswith("MNIST")
