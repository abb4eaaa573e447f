"""The embedded digits, and folders in the file naming of MNIST."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits as load_counts

from skmnist.datasets import (
    DataFormatError,
    DataNotFoundError,
    fetch_mnist,
    load_digits,
    load_idx,
    write_idx,
    write_npz,
)

RNG = np.random.default_rng(0)
TRAIN = RNG.integers(0, 256, (5, 4, 6), dtype=np.uint8), np.array([30, 2, 2, 30, 7])
TEST = RNG.integers(0, 256, (3, 4, 6), dtype=np.uint8), np.array([2, 7, 2])
NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]


def write_set(folder, rename=str):
    for name, array in zip(NAMES, [*TRAIN, *TEST], strict=True):
        write_idx(folder / rename(name), array)


# --- digits ---------------------------------------------------------------------


def test_digits_are_those_of_scikit_learn_over_the_range_of_bytes():
    digits = load_digits()
    counts, target = load_counts(return_X_y=True)
    assert digits.data.shape == (1797, 64)
    assert digits.data.dtype == np.uint8
    assert (digits.data.min(), digits.data.max()) == (0, 255)
    np.testing.assert_array_equal(np.rint(digits.data / 15.9375), counts)
    assert set(digits.data[counts == 8]) == {128}
    np.testing.assert_array_equal(digits.target, target)
    assert digits.target.dtype == np.int64
    assert digits.target_names.tolist() == list("0123456789")
    assert digits.image_shape == (8, 8)


def test_images_are_a_view_of_the_flat_data():
    digits = load_digits()
    assert digits.images.shape == (1797, 8, 8)
    assert np.shares_memory(digits.images, digits.data)
    np.testing.assert_array_equal(digits.images[5].ravel(), digits.data[5])
    assert digits.data.flags.c_contiguous
    assert digits.data.flags.writeable


def test_digits_loaded_again_are_independent():
    X, y = load_digits(return_X_y=True)
    X[:], y[:] = 1, 1
    digits = load_digits()
    assert digits.data.max() == 255
    assert digits.target.max() == 9


def test_descriptions_say_what_was_done_to_the_digits():
    for text in (load_digits().DESCR, load_digits.__doc__):
        for words in ("0 to", "16", "255/16", "rounded", "np.rint(data / 15.9375)"):
            assert words in text


# --- folders --------------------------------------------------------------------


@pytest.mark.parametrize(
    "rename",
    [
        str,
        lambda name: f"{name}.gz",
        lambda name: name.replace("-idx", ".idx"),
        lambda name: name.replace("-idx", ".idx") + ".gz",
        lambda name: name.replace("t10k", "test"),
        str.upper,
    ],
)
@pytest.mark.parametrize("load", [load_idx, lambda f, s: fetch_mnist(s, data_home=f)])
def test_any_size_and_labels_load_under_all_namings(tmp_path, rename, load):
    write_set(tmp_path, rename)
    for subset, (images, labels) in {
        "train": TRAIN,
        "test": TEST,
        "all": [np.concatenate(arrays) for arrays in zip(TRAIN, TEST, strict=True)],
    }.items():
        found = load(tmp_path, subset)
        np.testing.assert_array_equal(found.images, images)
        np.testing.assert_array_equal(found.target, labels)
        np.testing.assert_array_equal(found.data, images.reshape(-1, 24))
        assert np.shares_memory(found.images, found.data)
        assert (found.data.dtype, found.target.dtype) == (np.uint8, np.int64)
        assert found.image_shape == (4, 6)
        assert found.source == str(tmp_path)
    assert found.target_names.tolist() == ["2", "7", "30"]
    assert "8 images of 4×6" in found.DESCR
    assert "handwritten" not in found.DESCR


def test_return_x_y_gives_the_same_arrays(tmp_path):
    write_set(tmp_path)
    X, y = load_idx(str(tmp_path), "test", return_X_y=True)
    np.testing.assert_array_equal(X, TEST[0].reshape(3, 24))
    np.testing.assert_array_equal(y, TEST[1])


def test_unpacked_file_is_preferred_to_the_packed_one(tmp_path):
    write_set(tmp_path)
    for name in NAMES:
        (tmp_path / f"{name}.gz").write_bytes(b"broken")
    write_idx(tmp_path / "train.images", TRAIN[0])
    assert len(load_idx(tmp_path, "all").target) == 8


def test_archive_of_keras_is_read_where_there_are_no_idx_files(tmp_path):
    write_npz(tmp_path / "mnist.npz", *TRAIN, *TEST)
    found = load_idx(tmp_path, "all")
    np.testing.assert_array_equal(found.images[5:], TEST[0])
    np.testing.assert_array_equal(found.target[:5], TRAIN[1])
    write_npz(tmp_path / "mnist.npz", *TRAIN)
    assert len(load_idx(tmp_path).target) == 5
    with pytest.raises(DataFormatError, match=r"lacks x_test, y_test; it holds 'x_tr"):
        load_idx(tmp_path, "all")


def test_only_the_files_that_the_subset_needs_are_read(tmp_path):
    write_set(tmp_path)
    (tmp_path / NAMES[0]).unlink()
    (tmp_path / NAMES[1]).write_bytes(b"broken")
    assert len(load_idx(tmp_path, "test").target) == 3


@pytest.mark.parametrize("missing", NAMES)
@pytest.mark.parametrize("load", [load_idx, lambda f, s: fetch_mnist(s, data_home=f)])
def test_one_missing_file_is_named(tmp_path, missing, load):
    write_npz(tmp_path / "mnist.npz", *TRAIN, *TEST)
    write_set(tmp_path)
    (tmp_path / missing).unlink()
    with pytest.raises(DataNotFoundError, match=f"incomplete.*lacks {missing}"):
        load(tmp_path, "all")


def test_folder_without_data_is_an_error_that_lists_the_files(tmp_path):
    (tmp_path / "train-images-idx3-ubyte").mkdir()
    (tmp_path / "notes.txt").write_text("train-images-idx3-ubyte")
    with pytest.raises(DataNotFoundError) as caught:
        load_idx(tmp_path, "all")
    assert str(tmp_path) in str(caught.value)
    assert all(name in str(caught.value) for name in [*NAMES, "mnist.npz"])
    with pytest.raises(FileNotFoundError, match="no such folder"):
        load_idx(tmp_path / "none")
    with pytest.raises(NotADirectoryError, match="is a file"):
        load_idx(tmp_path / "notes.txt")


@pytest.mark.parametrize(
    ("name", "array", "match"),
    [
        (NAMES[1], np.arange(4), r"train-labels.*4 labels for 5 images"),
        (NAMES[1], np.arange(6), r"train-labels.*6 labels for 5 images"),
        (NAMES[1], np.ones((5, 1), int), r"train-labels.*2 dimensions \(5×1\)"),
        (NAMES[1], np.ones(5), r"train-labels.*float64"),
        (NAMES[1], -np.arange(5), r"train-labels.*from -4 to 0"),
        (NAMES[0], np.ones((5, 24), int), r"train-images.*three dimensions.*found 2"),
        (NAMES[0], np.ones((5, 4, 6)), r"train-images.*float64"),
        (NAMES[0], np.full((5, 4, 6), 256), r"train-images.*256"),
        (NAMES[0], np.ones((5, 6, 4), int), r"6×4 pixels, test images of 4×6"),
    ],
)
@pytest.mark.parametrize("load", [load_idx, lambda f, s: fetch_mnist(s, data_home=f)])
def test_files_that_do_not_fit_together_are_refused(tmp_path, name, array, match, load):
    write_set(tmp_path)
    write_idx(tmp_path / name, array)
    with pytest.raises(DataFormatError, match=match):
        load(tmp_path, "all")


def test_wider_integers_in_the_range_of_bytes_are_taken(tmp_path):
    write_set(tmp_path)
    write_idx(tmp_path / NAMES[0], TRAIN[0].astype(np.int32))
    write_idx(tmp_path / NAMES[1], (TRAIN[1] + 1_000_000).astype(np.int32))
    found = load_idx(tmp_path)
    np.testing.assert_array_equal(found.images, TRAIN[0])
    np.testing.assert_array_equal(found.target, TRAIN[1] + 1_000_000)


@pytest.mark.parametrize("subset", ["Train", "", None, 1, ["train"]])
def test_unknown_subset_is_refused_with_the_choices(tmp_path, subset):
    for load in (load_idx, lambda f, s: fetch_mnist(s, data_home=f)):
        with pytest.raises(ValueError, match="'train', 'test' or 'all', got"):
            load(tmp_path, subset)


def test_importing_the_loaders_stays_light():

    code = (
        "import sys, skmnist.datasets; "
        "heavy = {'tensorflow', 'keras', 'pandas', 'pooch', 'rich', 'requests', "
        "'sklearn', 'matplotlib'}; print(sorted(heavy & set(sys.modules)))"
    )
    run = [sys.executable, "-c", code]
    assert subprocess.run(run, capture_output=True, text=True).stdout == "[]\n"


# --- the real MNIST -------------------------------------------------------------

TRAIN_COUNTS = [5923, 6742, 5958, 6131, 5842, 5421, 5918, 6265, 5851, 5949]
TEST_COUNTS = [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]


@pytest.mark.skipif("SKMNIST_DATA" not in os.environ, reason="SKMNIST_DATA is not set")
def test_mnist_has_its_published_counts_and_moments():
    mnist = fetch_mnist("all")
    assert mnist.source == str(Path(os.environ["SKMNIST_DATA"]))
    assert mnist.data.shape == (70_000, 784)
    assert mnist.images.shape == (70_000, 28, 28)
    assert np.bincount(mnist.target[:60_000]).tolist() == TRAIN_COUNTS
    assert np.bincount(mnist.target[60_000:]).tolist() == TEST_COUNTS
    assert mnist.target[:5].tolist() == [5, 0, 4, 1, 9]
    assert mnist.data[:60_000].mean() == pytest.approx(33.318, abs=0.001)
    assert mnist.data[:60_000].std() == pytest.approx(78.567, abs=0.002)
    assert mnist.target_names.tolist() == list("0123456789")
    for words in ("60,000 for training", "    7: 6,265", "    7: 1,028", "CC BY-SA"):
        assert words in mnist.DESCR
