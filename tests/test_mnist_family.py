"""EMNIST, QMNIST, Kuzushiji and Fashion-MNIST load as they are published."""

import json
import os
import string
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from skmnist.cli._commands import skmnist
from skmnist.datasets import (
    DataFormatError,
    DataNotFoundError,
    load_idx,
    write_idx,
    write_npz,
)

# Folders called fashion, kmnist and usps, by default beside MNIST's own.
DATA = Path(
    os.environ.get("SKMNIST_RELATIVES")
    or Path(os.environ.get("SKMNIST_DATA", "none")).parent / "data"
)
real = pytest.mark.skipif(
    not (DATA / "fashion").is_dir(), reason="SKMNIST_RELATIVES names no such folder"
)

# What the mapping files of EMNIST say: label, then the code of the character.
_DIGIT_CODES = [*range(48, 58)]
_MERGED_CODES = [*_DIGIT_CODES, *range(65, 91), *map(ord, "abdefghnqrt")]
EMNIST = {
    "byclass": (0, [*_DIGIT_CODES, *range(65, 91), *range(97, 123)]),
    "bymerge": (0, _MERGED_CODES),
    "balanced": (0, _MERGED_CODES),
    "letters": (1, [*range(65, 91)]),
    "digits": (0, _DIGIT_CODES),
    "mnist": (0, _DIGIT_CODES),
}

# An L: a stroke on the left, one at the bottom. Transposed it is a Γ.
LETTER_L = np.zeros((28, 28), np.uint8)
LETTER_L[4:24, 8:11] = 255
LETTER_L[21:24, 8:20] = 200


def invoke(*args):
    return CliRunner().invoke(skmnist, [str(arg) for arg in args])


def refused(result, *words):
    assert result.exit_code == 2, result.output
    for word in words:
        assert word in result.stderr


def write_emnist(folder, split, packed=".gz"):
    """Write one of EMNIST's sets as published: pixels column after column."""
    first, codes = EMNIST[split]
    labels = np.arange(first, first + len(codes))
    stored = np.stack([np.roll(LETTER_L, n, axis=1) for n in range(len(labels))])
    stored = np.stack([image.ravel(order="F").reshape(28, 28) for image in stored])
    for part in "train", "test":
        stem = folder / f"emnist-{split}-{part}"
        write_idx(f"{stem}-images-idx3-ubyte{packed}", stored)
        write_idx(f"{stem}-labels-idx1-ubyte{packed}", labels)
    mapping = "".join(f"{n} {code}\n" for n, code in enumerate(codes, first))
    (folder / f"emnist-{split}-mapping.txt").write_text(mapping)


def write_qmnist(folder):
    """Write QMNIST as published: labels of eight columns, a test part called test."""
    for part, labels in ("train", [5, 0, 4]), ("test", [7, 2]):
        rows = np.zeros((len(labels), 8), np.int32)
        rows[:, 0] = labels
        rows[:, 1:] = [4, 2341, 17, 53, 200_000, 0, 0]
        images = np.tile(LETTER_L, (len(labels), 1, 1))
        write_idx(folder / f"qmnist-{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"qmnist-{part}-labels-idx2-int.gz", rows)


def write_kuzushiji(folder, name, n_labels):
    """Write Kuzushiji-49 or -MNIST as archives of one unnamed array each."""
    for part in "train", "test":
        labels = np.arange(n_labels, dtype=np.uint8)
        images = np.tile(LETTER_L, (n_labels, 1, 1))
        np.savez_compressed(folder / f"{name}-{part}-imgs.npz", images)
        np.savez_compressed(folder / f"{name}-{part}-labels.npz", labels)
    (folder / f"{name}_classmap.csv").write_text("index,codepoint,char\n")


def write_plain(folder, labels=(3, 1, 3)):
    for part in "train", "t10k":
        images = np.tile(LETTER_L, (len(labels), 1, 1))
        write_idx(folder / f"{part}-images-idx3-ubyte.gz", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte.gz", labels)


# --- each set alone in a folder -------------------------------------------------


@pytest.mark.parametrize("packed", [".gz", ""])
@pytest.mark.parametrize("split", EMNIST)
def test_emnist_stands_upright_and_has_the_names_of_its_mapping(
    tmp_path, split, packed
):
    write_emnist(tmp_path, split, packed)
    first, codes = EMNIST[split]
    for subset in "train", "test":
        found = load_idx(tmp_path, subset)
        np.testing.assert_array_equal(found.images[0], LETTER_L)
        np.testing.assert_array_equal(found.data[0], LETTER_L.ravel())
        np.testing.assert_array_equal(found.images[3], np.roll(LETTER_L, 3, axis=1))
        assert found.data.flags.c_contiguous
        assert np.shares_memory(found.data, found.images)
        assert found.target.tolist() == [*range(first, first + len(codes))]
        assert found.target_names.tolist() == [*map(chr, codes)]
        assert f"EMNIST {split}" in found.DESCR
    assert len(load_idx(tmp_path, "all", return_X_y=True)[1]) == 2 * len(codes)


def test_names_of_emnist_files_may_be_in_capitals(tmp_path):
    write_emnist(tmp_path, "letters")
    for path in tmp_path.iterdir():
        path.rename(path.with_name(path.name.upper()))
    np.testing.assert_array_equal(load_idx(tmp_path).images[0], LETTER_L)


def test_qmnist_gives_the_class_of_its_eight_columns(tmp_path):
    write_qmnist(tmp_path)
    train, test = load_idx(tmp_path), load_idx(tmp_path, "test")
    assert (train.target.tolist(), test.target.tolist()) == ([5, 0, 4], [7, 2])
    assert train.target.dtype == np.int64
    assert train.target_names.tolist() == ["0", "4", "5"]
    np.testing.assert_array_equal(test.images[1], LETTER_L)


@pytest.mark.parametrize(
    ("name", "n_labels", "names"),
    [
        ("k49", 49, {0: "あ", 4: "お", 35: "や", 43: "わ", 46: "を", 48: "ゝ"}),
        ("kmnist", 10, {0: "お", 1: "き", 9: "を"}),
    ],
)
def test_kuzushiji_archives_load_with_hiragana(tmp_path, name, n_labels, names):
    write_kuzushiji(tmp_path, name, n_labels)
    found = load_idx(tmp_path, "all")
    assert len(found.target) == 2 * n_labels
    np.testing.assert_array_equal(found.images[-1], LETTER_L)
    assert len(set(found.target_names)) == n_labels
    assert {label: found.target_names[label] for label in names} == names


def test_target_names_are_those_of_the_labels_that_occur(tmp_path):
    write_emnist(tmp_path, "letters")
    labels = np.full(26, 4)
    labels[5] = 26
    write_idx(tmp_path / "emnist-letters-train-labels-idx1-ubyte.gz", labels)
    assert load_idx(tmp_path).target_names.tolist() == ["D", "Z"]


@pytest.mark.parametrize("labels", [np.arange(26), np.arange(26) + 2])
def test_labels_of_another_numbering_get_no_names(tmp_path, labels):
    write_emnist(tmp_path, "letters")
    write_idx(tmp_path / "emnist-letters-train-labels-idx1-ubyte.gz", labels)
    assert load_idx(tmp_path).target_names.tolist() == [str(n) for n in labels]


def test_a_set_of_ones_own_may_have_a_name_in_front(tmp_path):
    write_plain(tmp_path)
    for path in tmp_path.iterdir():
        path.rename(path.with_name(f"greek-{path.name}"))
    found = load_idx(tmp_path)
    np.testing.assert_array_equal(found.images[0], LETTER_L)  # as it is stored
    assert found.target_names.tolist() == ["1", "3"]


def test_images_that_are_no_squares_are_transposed_too(tmp_path):
    images = np.arange(2 * 3 * 5, dtype=np.uint8).reshape(2, 3, 5)
    write_idx(tmp_path / "emnist-digits-train-images-idx3-ubyte", images)
    write_idx(tmp_path / "emnist-digits-train-labels-idx1-ubyte", [1, 2])
    found = load_idx(tmp_path)
    np.testing.assert_array_equal(found.images, images.transpose(0, 2, 1))
    assert found.image_shape == (5, 3)


def test_upright_images_take_no_second_copy(tmp_path):
    from skmnist.datasets import _families

    images = np.random.default_rng(0).integers(0, 256, (20_011, 28, 28), np.uint8)
    expected = images.transpose(0, 2, 1).copy()
    tracemalloc.start()
    found = _families.upright(images)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    np.testing.assert_array_equal(found, expected)
    assert peak < images.nbytes * 0.6


# --- sets under MNIST's own names -----------------------------------------------


@real
@pytest.mark.parametrize("subset", ["train", "test", "all"])
def test_fashion_mnist_is_known_by_its_labels_whatever_the_folder(tmp_path, subset):
    folder = tmp_path / "mnist"
    folder.symlink_to(DATA / "fashion")
    found = load_idx(folder, subset)
    assert found.target_names.tolist() == [
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ]
    assert found.DESCR.startswith("Fashion-MNIST")


@real
def test_kmnist_is_known_by_its_labels():
    found = load_idx(DATA / "kmnist", "test")
    assert "".join(found.target_names) == "おきすつなはまやれを"
    with pytest.raises(DataFormatError, match="this is KMNIST, not Fashion-MNIST"):
        load_idx(DATA / "kmnist", "test", name="fashion-mnist")


@real
def test_excerpts_and_other_sets_of_the_same_form_are_not_mistaken(tmp_path):
    excerpt = load_idx(DATA / "fashion", "test")
    write_idx(tmp_path / "t10k-images-idx3-ubyte", excerpt.images[:500])
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", excerpt.target[:500])
    assert load_idx(tmp_path, "test").target_names.tolist() == [*string.digits]
    named = load_idx(tmp_path, "test", name="Fashion-MNIST")
    assert named.target_names[9] == "Ankle boot"
    # The same labels in another order may be of another set.
    write_idx(tmp_path / "t10k-images-idx3-ubyte", excerpt.images)
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", excerpt.target[::-1])
    assert load_idx(tmp_path, "test").target_names.tolist() == [*string.digits]
    usps = load_idx(DATA / "usps")
    assert usps.target_names.tolist() == [*string.digits]


@pytest.mark.skipif("SKMNIST_DATA" not in os.environ, reason="needs MNIST")
def test_mnist_is_mnist():
    folder = os.environ["SKMNIST_DATA"]
    found = load_idx(folder, "test")
    assert found.DESCR.startswith("MNIST: 10,000 images")
    assert found.target_names.tolist() == [*string.digits]
    assert load_idx(folder, "test", name="mnist").DESCR == found.DESCR
    with pytest.raises(DataFormatError, match="this is MNIST, not KMNIST"):
        load_idx(folder, "test", name="kmnist")


def test_a_name_that_does_not_fit_the_labels_is_refused(tmp_path):
    write_plain(tmp_path, labels=[0, 46])
    with pytest.raises(DataFormatError, match=r"label 46 .*Fashion-MNIST, .*0 to 9"):
        load_idx(tmp_path, name="fashion-mnist")


# --- several sets in a folder, or none ------------------------------------------


@pytest.fixture
def several(tmp_path):
    """Give a folder as EMNIST's archive unpacks to, with MNIST and QMNIST beside."""
    for split in EMNIST:
        write_emnist(tmp_path, split)
    write_qmnist(tmp_path)
    write_plain(tmp_path)
    return tmp_path


def test_several_sets_in_a_folder_are_listed_with_how_to_choose(several):
    with pytest.raises(ValueError, match="several sets") as caught:
        load_idx(several)
    message = str(caught.value)
    for name in [*(f"emnist-{split}" for split in EMNIST), "qmnist"]:
        assert f"'{name}'" in message
    assert "files in MNIST's naming" in message
    assert "name='emnist-balanced'" in message
    assert str(several / "emnist-balanced") in message


def test_one_of_several_sets_is_chosen_by_name(several):
    assert load_idx(several, name="emnist-letters").target_names[0] == "A"
    assert load_idx(several, name="EMNIST-Balanced").target_names[-1] == "t"
    assert load_idx(several, "test", name="qmnist").target.tolist() == [7, 2]
    assert load_idx(several, name="mnist").target.tolist() == [3, 1, 3]
    assert load_idx(several, name="kmnist").target_names.tolist() == ["き", "つ"]
    for name in "emnist", "k49", "":
        with pytest.raises(DataNotFoundError, match=r"no set .*'emnist-letters'"):
            load_idx(several, name=name)
    with pytest.raises(ValueError, match="name must be a str or None, got 3"):
        load_idx(several, name=3)


def test_an_archive_of_keras_counts_as_a_set_of_its_own(tmp_path):
    write_npz(tmp_path / "mnist.npz", np.tile(LETTER_L, (2, 1, 1)), [1, 2])
    write_qmnist(tmp_path)
    with pytest.raises(ValueError, match="several sets: files in MNIST's naming"):
        load_idx(tmp_path)
    assert load_idx(tmp_path, name="mnist").target.tolist() == [1, 2]


@pytest.mark.parametrize(
    ("write", "removed", "lacking"),
    [
        (
            lambda folder: write_emnist(folder, "letters"),
            "emnist-letters-test-labels-idx1-ubyte.gz",
            "lacks emnist-letters-test-labels-idx1-ubyte",
        ),
        (
            lambda folder: write_kuzushiji(folder, "k49", 49),
            "k49-test-imgs.npz",
            "lacks k49-test-imgs.npz",
        ),
    ],
)
def test_what_a_relative_lacks_is_named_as_its_files_are(
    tmp_path, write, removed, lacking
):
    write(tmp_path)
    (tmp_path / removed).unlink()
    with pytest.raises(DataNotFoundError, match=lacking):
        load_idx(tmp_path, "test")
    assert len(load_idx(tmp_path, "train").target) >= 26


def test_archive_with_several_arrays_where_one_is_meant_is_refused(tmp_path):
    write_kuzushiji(tmp_path, "k49", 49)
    np.savez(tmp_path / "k49-train-imgs.npz", a=np.zeros(3), b=np.zeros(3))
    with pytest.raises(DataFormatError, match="expected one array, found 2 arrays"):
        load_idx(tmp_path)


def test_a_set_in_a_subfolder_is_pointed_at(tmp_path):
    raw = tmp_path / "EMNIST" / "raw"
    raw.mkdir(parents=True)
    write_emnist(raw, "digits")
    for folder in raw.parent, tmp_path:
        with pytest.raises(DataNotFoundError, match=f"hold sets: .*{raw}"):
            load_idx(folder)


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX")
def test_folders_that_cannot_be_listed_do_not_hide_the_error(tmp_path):
    (tmp_path / "loop").symlink_to(tmp_path / "loop")
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    with pytest.raises(DataNotFoundError, match="It holds gone, loop"):
        load_idx(tmp_path)


def test_what_a_folder_holds_instead_is_said(tmp_path):
    with pytest.raises(DataNotFoundError, match="folder is empty"):
        load_idx(tmp_path)
    for name in "emnist-letters.mat", "gzip.zip", "xnist-labels-idx2-int.xz":
        (tmp_path / name).write_bytes(b"")
    with pytest.raises(DataNotFoundError, match=r"It holds emnist-letters.mat, gzip"):
        load_idx(tmp_path)


# --- the command line -----------------------------------------------------------


def test_command_line_describes_a_relative_with_names(tmp_path):
    write_emnist(tmp_path, "letters")
    lines = invoke("data", tmp_path).stdout.splitlines()
    assert any(line.split() == ["26", "Z", "1", "1"] for line in lines)
    shown = json.loads(invoke("data", tmp_path, "--json").stdout)
    assert shown["target_names"]["1"] == "A"
    assert shown["parts"]["test"]["n_images"] == 26


def test_command_line_chooses_one_of_several_sets_by_path(several):
    refused(invoke("data", several), "several sets", f"{several / 'emnist-balanced'}")
    shown = json.loads(invoke("data", several / "emnist-letters", "--json").stdout)
    assert list(shown["parts"]["train"]["label_counts"]) == [*map(str, range(1, 27))]
    refused(invoke("data", several / "emnist-leters"), "Did you mean", "letters'")
    plain = json.loads(invoke("data", several / "mnist", "--json").stdout)
    assert plain["parts"]["train"]["n_images"] == 3


def test_converted_emnist_is_upright_and_stays_so(several, tmp_path):
    out = tmp_path / "out"
    letters = several / "emnist-letters"
    assert invoke("data", letters, "--to", "idx", "--out", out).exit_code == 0
    found = load_idx(out)
    np.testing.assert_array_equal(found.images[0], LETTER_L)
    assert found.target.tolist() == [*range(1, 27)]


def test_a_model_finds_the_chosen_set_again(several, tmp_path, monkeypatch):
    monkeypatch.chdir(several.parent)
    out = tmp_path / "model.joblib"
    chosen = f"{several.name}/emnist-digits"
    trained = invoke("train", "dummy", "--dataset", chosen, "--out", out)
    assert trained.exit_code == 0, trained.output
    monkeypatch.chdir("/")
    assert json.loads(invoke("evaluate", out, "--json").stdout)["n"] == 10
