"""Image sets described and converted, and images classified, on the command line."""

import json
import os
import pickle
import re
import subprocess
import sys

import joblib
import numpy as np
import pandas as pd
import pytest
from click.testing import CliRunner
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from sklearn.linear_model import LinearRegression
from sklearn.model_selection import FixedThresholdClassifier, GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline

from skmnist import DigitExtractor, ImageScaler
from skmnist.cli._commands import skmnist
from skmnist.datasets import load_digits, load_idx, read_csv, write_csv, write_idx
from skmnist.datasets._image_sets import load_image_set
from skmnist.persistence import save_model

X, Y = load_digits(return_X_y=True)


def invoke(*args):
    return CliRunner().invoke(skmnist, [str(arg) for arg in args])


def assert_refused(result, *words):
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    for word in words:
        assert word in line


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    """Make the file of a model that has learned all the digits by heart."""
    path = tmp_path_factory.mktemp("model") / "digits.joblib"
    args = ["train", "nearest_neighbors", "--param", "n_neighbors=1", "--out", path]
    assert invoke(*args).exit_code == 0
    return path


def save_picture(path, pixels, mode="L"):
    Image.fromarray(pixels.reshape(8, 8)).convert(mode).save(path)
    return path


def test_data_tells_sizes_counts_and_range():
    shown = json.loads(invoke("data", "digits", "--json").stdout)
    assert shown["image_shape"] == [8, 8]
    part = shown["parts"]["train"]
    assert (part["n_images"], part["pixel_min"], part["pixel_max"]) == (1797, 0, 255)
    assert part["label_counts"]["8"] == 174
    text = invoke("data", "digits").stdout
    assert "1,797" in text
    assert "0 to 255" in text


@pytest.mark.skipif("SKMNIST_DATA" not in os.environ, reason="needs MNIST")
def test_data_counts_mnist():
    parts = json.loads(invoke("data", "mnist", "--json").stdout)["parts"]
    assert parts["train"]["n_images"] == 60_000
    assert parts["train"]["label_counts"]["1"] == 6742
    assert parts["test"]["label_counts"]["9"] == 1009


@pytest.fixture
def folder(tmp_path):
    """Make a set of 6×10 images with both parts: light on the left or the right."""
    rng = np.random.default_rng(0)
    folder = tmp_path / "halves"
    folder.mkdir()
    for part, n in ("train", 40), ("t10k", 10):
        labels = np.arange(n) % 2 + 3
        images = rng.integers(0, 100, (n, 6, 10))
        images[labels == 3, :, :5] += 150
        images[labels == 4, :, 5:] += 150
        write_idx(folder / f"{part}-images-idx3-ubyte", images)
        write_idx(folder / f"{part}-labels-idx1-ubyte", labels)
    return folder


def assert_same(one, other):
    """Compare the parts of two image sets."""
    assert one.image_shape == other.image_shape
    for name in "X", "y", "X_test", "y_test":
        assert np.array_equal(getattr(one, name), getattr(other, name))


@pytest.mark.parametrize("file_format", ["csv", "idx", "npz"])
def test_a_set_converted_is_a_set_again(folder, tmp_path, file_format):
    out = tmp_path / "deep" / "copy"
    result = invoke("data", folder, "--to", file_format, "--out", out)
    assert result.exit_code == 0
    assert all((tmp_path / line).is_file() for line in result.stdout.splitlines())
    assert_same(load_image_set(str(out)), load_image_set(str(folder)))
    assert len(list(out.iterdir())) == len(result.stdout.splitlines())


def test_a_csv_file_is_a_set_with_a_training_part(tmp_path):
    result = invoke("data", "digits", "--to", "csv", "--out", tmp_path)
    (path,) = result.stdout.splitlines()
    digits = load_image_set("digits")
    assert_same(load_image_set(path), digits)
    assert_same(load_image_set(str(tmp_path)), digits)
    again = tmp_path / "again"
    assert invoke("data", path, "--to", "csv", "--out", again).exit_code == 0
    assert [file.name for file in again.iterdir()] == ["digits.csv"]


def write_kaggle(folder, *, n_train=60):
    """Write train.csv, test.csv without labels, and a file that is no image set."""
    names = [f"pixel{n}" for n in range(64)]
    for part, rows in ("train", slice(n_train)), ("test", slice(-20, None)):
        table = pd.DataFrame(X[rows], columns=names)
        if part == "train":
            table.insert(0, "label", Y[rows])
        table.to_csv(folder / f"{part}.csv", index=False)
    (folder / "sample_submission.csv").write_text("ImageId,Label\n1,0\n")


def test_the_folder_of_kaggle_is_a_set_whose_test_part_has_no_labels(tmp_path):
    write_kaggle(tmp_path)
    out = tmp_path / "m.joblib"
    args = ["train", "nearest_neighbors", "--dataset", tmp_path, "--out", out, "--json"]
    trained = invoke(*args)
    assert trained.exit_code == 0, trained.stderr
    assert "test.csv has no labels, and is left out." in trained.stderr
    assert json.loads(trained.stdout)["n_train"] == 45
    evaluated = json.loads(invoke("evaluate", out, "--json").stdout)
    assert evaluated["n"] == 15
    assert len(invoke("predict", out, tmp_path / "test.csv").stdout.split()) == 20


@pytest.mark.parametrize("name", ["test.csv", "train.csv.gz"])
def test_evaluate_takes_a_csv_file(model, tmp_path, name):
    write_csv(tmp_path / name, X[:50], Y[:50])
    args = ["evaluate", model, "--dataset", tmp_path / name, "--subset", "all"]
    assert json.loads(invoke(*args, "--json").stdout)["n"] == 50


@pytest.mark.parametrize(
    ("names", "part"),
    [
        (["mnist_train.csv", "mnist_test.csv"], "test"),
        (["fashion-mnist_train.csv", "fashion-mnist_test.csv"], "test"),
        (["TRAIN.CSV", "Test.csv.gz"], "test"),
        (["letters-train.csv"], None),
        (["letters.csv.gz", "letters.csv"], None),
    ],
)
def test_parts_of_a_set_in_csv_files_go_by_name(tmp_path, names, part):
    for count, name in zip((30, 20), names, strict=False):
        write_csv(tmp_path / name, X[:count], Y[:count])
    found = load_image_set(str(tmp_path))
    assert found.has_test == (part is not None)
    assert len(found.X) == (20 if names[0] == "letters.csv.gz" else 30)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"test.csv": (X[:9], None)}, ["test.csv has no labels", "predict"]),
        ({"train.csv": (X[:9], None)}, ["train.csv has no labels"]),
        (
            {"train.csv": (X[:9], None), "test.csv": (X[:9], Y[:9])},
            ["train.csv has no labels"],
        ),
        (
            {"a_train.csv": (X[:9], Y[:9]), "b_train.csv": (X[:9], Y[:9])},
            ["a_train.csv, b_train.csv", "one file"],
        ),
        ({"a.csv": (X[:9], Y[:9]), "b.csv": (X[:9], Y[:9])}, ["a.csv, b.csv"]),
        ({"a.csv": (X[:9, :60], Y[:9])}, ["60 pixels", "1x1, 1x2"]),
        (
            {"train.csv": (X[:9], Y[:9]), "test.csv": (X[:9, :49], Y[:9])},
            ["test.csv has 50 columns", "64 pixels"],
        ),
    ],
)
def test_csv_files_that_are_no_set_are_refused(tmp_path, files, words):
    for name, (pixels, labels) in files.items():
        names = [f"pixel{n}" for n in range(pixels.shape[1])]
        table = pd.DataFrame(pixels, columns=names)
        if labels is not None:
            table["label"] = labels
        table.to_csv(tmp_path / name, index=False)
    assert_refused(invoke("data", tmp_path), *words)


def test_csv_files_hold_label_and_pixels(folder, tmp_path):
    assert invoke("data", folder, "--to", "csv", "--out", tmp_path).exit_code == 0
    for subset in "train", "test":
        pixels, labels = read_csv(tmp_path / f"halves_{subset}.csv")
        expected = load_idx(folder, subset)
        assert np.array_equal(pixels, expected.data)
        assert np.array_equal(labels, expected.target)


def test_a_conversion_that_fails_leaves_nothing(tmp_path, monkeypatch):
    def write_half(path, array):
        path.write_bytes(b"half")
        if "labels" in path.name:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr("skmnist.datasets.write_idx", write_half)
    result = invoke("data", "digits", "--to", "idx", "--out", tmp_path)
    assert result.exit_code == 1
    assert "No space left" in result.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["cnn_32_64", "hog_svm"])
def test_models_learn_images_that_are_no_squares(name, folder, tmp_path):
    out = tmp_path / "m.joblib"
    args = ["train", name, "--dataset", folder, "--out", out]
    if name == "cnn_32_64":
        args += ["--epochs", 2]
    trained = invoke(*args, "--json")
    assert trained.exit_code == 0, trained.stderr
    assert json.loads(trained.stdout)["image_shape"] == [6, 10]
    pictures = []
    for number, pixels in enumerate(load_idx(folder, "test").images):
        pictures.append(tmp_path / f"{number}.png")
        Image.fromarray(pixels).save(pictures[-1])
    labels = invoke("predict", out, *pictures).stdout.split()
    images = invoke("predict", out, folder / "t10k-images-idx3-ubyte").stdout.split()
    assert labels == images
    assert set(labels) <= {"3", "4"}


def test_a_set_with_a_test_part_only_can_be_evaluated(folder, tmp_path):
    out = tmp_path / "m.joblib"
    assert invoke("train", "rbf_svm", "--dataset", folder, "--out", out).exit_code == 0
    for file in folder.glob("train*"):
        file.unlink()
    result = invoke("evaluate", out, "--dataset", folder, "--json")
    assert json.loads(result.stdout)["n"] == 10
    assert_refused(invoke("train", "dummy", "--dataset", folder), "no train part")
    refused = invoke("evaluate", out, "--dataset", folder, "--subset", "train")
    assert_refused(refused, "no train part")


def test_evaluate_takes_the_images_that_training_kept_back(tmp_path):
    out = tmp_path / "m.joblib"
    args = ["train", "logistic_regression", "--seed", 3, "--out", out, "--json"]
    trained = json.loads(invoke(*args).stdout)
    evaluated = json.loads(invoke("evaluate", out, "--json").stdout)
    assert evaluated["n"] == trained["n_test"] == 450
    assert evaluated["confusion"] == trained["evaluation"]["confusion"]
    everything = json.loads(invoke("evaluate", out, "--subset", "all", "--json").stdout)
    assert everything["n"] == 1797


def test_evaluate_shows_each_label_and_the_confusions(model):
    lines = invoke("evaluate", model).stdout.splitlines()
    assert any(re.match(r"9\d\.\d\d %  accuracy", line) for line in lines)
    table, matrix = (
        next(n for n, line in enumerate(lines) if line.startswith(words))
        for words in ("Each label", "Numbers of images by true label")
    )
    for start in table, matrix:
        rows = lines[start + 1 : start + 13]
        assert sum(line.split()[:1] == ["7"] for line in rows) == 1


def test_evaluate_lists_the_confusions_of_many_labels(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    labels = np.repeat(np.arange(14), 4)
    images = np.zeros((len(labels), 3, 3), dtype=np.uint8)
    for part in "train", "t10k":
        write_idx(f"{part}-images-idx3-ubyte", images)
        write_idx(f"{part}-labels-idx1-ubyte", labels)
    assert invoke("train", "dummy", "--dataset", ".").exit_code == 0
    lines = invoke("evaluate", "dummy.joblib").stdout.splitlines()
    start = lines.index("Most frequent confusions: the first 10 of 13")
    rows = [line.split()[:4] for line in lines[start + 3 : start + 8]]
    # All are classified as the first label.
    assert rows == [[str(label), "classified", "as", "0"] for label in range(1, 6)]
    assert "The first 5 of 10 rows" in lines[start + 8]


def test_evaluate_refuses_images_of_another_size(model, folder):
    refused = invoke("evaluate", model, "--dataset", folder)
    assert_refused(refused, "8×8 (64 pixels)", "6×10")


def test_evaluate_refuses_labels_that_the_model_does_not_know(model, tmp_path):
    write_idx(tmp_path / "t10k-images-idx3-ubyte", X[:4].reshape(-1, 8, 8))
    write_idx(tmp_path / "t10k-labels-idx1-ubyte", [1, 2, 77, 3])
    assert_refused(invoke("evaluate", model, "--dataset", tmp_path), "77")


def write_images(kind, folder):
    """Write five digits to a file of some kind."""
    path = folder / f"images.{kind}"
    images = X[:5].reshape(-1, 8, 8)
    if kind == "rows.npy":
        np.save(path, X[:5])
    elif kind == "images.npy":
        np.save(path, images.astype(float))
    elif kind == "channels.npy":
        np.save(path, images[..., None])
    elif kind in ("idx", "idx.gz"):
        write_idx(path, images)
    elif kind in ("labels.csv", "csv.gz"):
        write_csv(path, images, Y[:5])
    elif kind == "labels without names.csv":
        write_csv(path, images, Y[:5], header=False)
    elif kind.startswith("kaggle"):
        table = pd.DataFrame(X[:5], columns=[f"pixel{n}" for n in range(64)])
        encoding = "utf-16" if "UTF-16" in kind else "utf-8"
        table.to_csv(path, index="index" in kind, encoding=encoding)
    else:
        np.savetxt(path, X[:5], fmt="%d", delimiter=",")
    return path


@pytest.mark.parametrize(
    "kind",
    [
        "rows.npy",
        "images.npy",
        "channels.npy",
        "idx",
        "idx.gz",
        "labels.csv",
        "csv.gz",
        "csv",
        "labels without names.csv",
        "kaggle.csv",
        "kaggle with index.csv",
        "kaggle in UTF-16.csv",
    ],
)
def test_images_are_classified_in_every_kind_of_file(model, tmp_path, kind):
    result = invoke("predict", model, write_images(kind, tmp_path))
    assert result.stdout.split() == ["0", "1", "2", "3", "4"]
    assert result.stderr == ""


@pytest.mark.parametrize("mode", ["L", "RGB", "RGBA", "P"])
def test_pictures_are_classified_in_the_order_given(model, tmp_path, mode):
    order = [3, 1, 4, 2]
    paths = [save_picture(tmp_path / f"{i}.png", X[i], mode) for i in order]
    assert invoke("predict", model, *paths).stdout.split() == ["3", "1", "4", "2"]


def test_dark_ink_on_light_paper_is_noticed_and_inverted(model, tmp_path):
    path = save_picture(tmp_path / "3.png", 255 - X[3])
    assert "--invert" in invoke("predict", model, path).stderr
    inverted = invoke("predict", model, path, "--invert")
    assert (inverted.stdout, inverted.stderr) == ("3\n", "")


def write_arrays(array):
    def write(path, images):
        np.save(path.with_suffix(".npy"), array(images))
        return path.with_suffix(".npy")

    return write


# Each writes dark ink on light paper: images of bytes, of which all 5 differ.
DARK = {
    "picture": lambda path, dark: save_picture(path.with_suffix(".png"), dark[3]),
    "bytes": write_arrays(lambda dark: dark),
    "wide integers": write_arrays(lambda dark: dark.astype(np.int64)),
    "floats": write_arrays(lambda dark: dark.astype(np.float32)),
    "csv": lambda path, dark: write_csv(path, dark.reshape(-1, 8, 8), Y[:5]) or path,
    "idx": lambda path, dark: write_idx(path, dark.reshape(-1, 8, 8)) or path,
}


@pytest.mark.parametrize("kind", DARK)
def test_images_of_every_kind_are_inverted(model, tmp_path, kind):
    path = DARK[kind](tmp_path / "dark", 255 - X[:5])
    result = invoke("predict", model, path, "--invert")
    assert "".join(result.stdout.split()) == ("3" if kind == "picture" else "01234")
    assert result.stderr == ""


@pytest.mark.parametrize(
    ("images", "dark"),
    [
        (X[:5] / 255, 1 - X[:5] / 255),
        (X[:5] > 99, X[:5] <= 99),
        (X[:5] / 8.0, 4 - X[:5] / 8.0),
    ],
    ids=["fractions", "booleans", "range of the model"],
)
def test_dark_and_light_are_those_of_the_images(tmp_path, images, dark):
    scaler = ImageScaler(data_range=(0, 4) if images.max() > 1 else None)
    path = save_model(
        make_pipeline(scaler, KNeighborsClassifier(1)).fit(images, Y[:5]),
        tmp_path / "model.joblib",
    )
    np.save(tmp_path / "dark.npy", dark)
    result = invoke("predict", path, tmp_path / "dark.npy", "--invert")
    assert result.stdout.split() == ["0", "1", "2", "3", "4"]


def test_a_single_image_needs_no_second_dimension(model, tmp_path):
    for array in X[3], X[3].reshape(8, 8):
        np.save(tmp_path / "x.npy", array)
        assert invoke("predict", model, tmp_path / "x.npy").stdout == "3\n"


def test_images_that_were_scaled_already_are_noticed(model, tmp_path):
    np.save(tmp_path / "x.npy", X[:5] / 255)
    assert "0 to 255" in invoke("predict", model, tmp_path / "x.npy").stderr


def test_probabilities_come_as_columns_by_label(model, tmp_path):
    path = write_images("rows.npy", tmp_path)
    lines = invoke("predict", model, path, "--proba").stdout.splitlines()
    assert lines[0] == "label,0,1,2,3,4,5,6,7,8,9"
    rows = np.array([line.split(",") for line in lines[1:]], dtype=float)
    assert rows.shape == (5, 11)
    assert np.allclose(rows[:, 1:].sum(axis=1), 1, atol=1e-5)
    assert np.array_equal(rows[:, 1:].argmax(axis=1), rows[:, 0])


def test_predictions_in_json_name_file_and_image(model, tmp_path):
    paths = [save_picture(tmp_path / "7.png", X[7]), write_images("idx", tmp_path)]
    result = json.loads(invoke("predict", model, *paths, "--json", "--proba").stdout)
    assert [row["label"] for row in result["predictions"]] == [7, 0, 1, 2, 3, 4]
    last = result["predictions"][-1]
    assert (last["file"], last["image"]) == (str(paths[1]), 4)
    assert len(last["probabilities"]) == len(result["classes"]) == 10


def test_a_model_without_probabilities_is_named(tmp_path):
    out = tmp_path / "m.joblib"
    assert invoke("train", "linear_svm", "--out", out).exit_code == 0
    path = write_images("rows.npy", tmp_path)
    for option in ["--proba"], ["--min-confidence", 0.9]:
        assert_refused(invoke("predict", out, path, *option), "linear_svm")


@pytest.fixture(scope="module")
def doubtful(tmp_path_factory):
    """Make the file of a model that is sure of some digits; return both."""
    fitted = make_pipeline(ImageScaler(), KNeighborsClassifier(9)).fit(X[:300], Y[:300])
    return save_model(fitted, tmp_path_factory.mktemp("model") / "m.joblib"), fitted


@pytest.mark.parametrize("kind", ["rows.npy", "csv", "idx", "pictures"])
def test_uncertain_images_are_rejected_with_the_likeliest_labels(
    doubtful, tmp_path, kind
):
    path, fitted = doubtful
    files = [save_picture(tmp_path / f"{i}.png", X[i]) for i in range(5)]
    if kind != "pictures":
        files = [write_images(kind, tmp_path)]
    result = invoke("predict", path, *files, "--min-confidence", 0.9)
    expected = []
    for row in fitted.predict_proba(X[:5]):
        second, first = np.argsort(row, kind="stable")[-2:]
        if row[first] >= 0.9:
            expected.append(f"{first}")
        else:
            words = f"? {first} ({row[first]:.2%}) or {second} ({row[second]:.2%})"
            expected.append(words.replace("%", " %"))
    assert result.stdout.splitlines() == expected
    n = sum(line.startswith("?") for line in expected)
    assert 0 < n < 5
    words = f"Rejected, with a confidence below 0.9: {n} of 5 images.\n"
    assert result.stderr == words


def test_json_keeps_the_labels_of_rejected_images(doubtful, tmp_path):
    path, fitted = doubtful
    args = ["predict", path, write_images("rows.npy", tmp_path), "--json"]
    before = json.loads(invoke(*args).stdout)
    after = json.loads(invoke(*args, "--min-confidence", 0.9).stdout)
    confidence = fitted.predict_proba(X[:5]).max(axis=1)
    for row, old, value in zip(
        after["predictions"], before["predictions"], confidence, strict=True
    ):
        assert row["confidence"] == value
        assert row["is_rejected"] is bool(value < 0.9)
        first, second = row["candidates"]
        assert first == {"label": row["label"], "probability": value}
        assert second["probability"] <= 1 - value
        assert {key: row[key] for key in old} == old
    assert after.keys() == before.keys()


def test_rejected_images_keep_their_probabilities(doubtful, tmp_path):
    path, fitted = doubtful
    args = ["predict", path, write_images("rows.npy", tmp_path), "--proba"]
    before = invoke(*args).stdout.splitlines()
    after = invoke(*args, "--min-confidence", 0.9).stdout.splitlines()
    confidence = fitted.predict_proba(X[:5]).max(axis=1)
    for old, new, value in zip(before[1:], after[1:], confidence, strict=True):
        label, _, rest = old.partition(",")
        assert new == f"{label if value >= 0.9 else '?'},{rest}"


@pytest.mark.parametrize(("minimum", "n"), [(0, 0), (1, 5)])
def test_the_least_and_the_highest_confidence_can_be_asked_for(tmp_path, minimum, n):
    labels = np.where(np.arange(300) % 2 == 0, Y[:300], (Y[:300] + 1) % 10)
    fitted = GaussianNB(var_smoothing=10.0).fit(X[:300], labels)
    path = save_model(fitted, tmp_path / "m.joblib")
    images = write_images("rows.npy", tmp_path)
    lines = invoke("predict", path, images, "--min-confidence", minimum).stdout
    assert sum(line.startswith("?") for line in lines.splitlines()) == n


def test_confidence_is_that_of_the_label_not_the_largest_probability(tmp_path):
    images, labels = X[:300], Y[:300] == 8
    fitted = FixedThresholdClassifier(
        KNeighborsClassifier(9), threshold=1.0, response_method="predict_proba"
    ).fit(images, labels)
    probability = fitted.predict_proba(images)[:, 1]
    odd = (probability > 0.6) & (probability < 1)  # False is predicted all the same
    assert odd.sum() > 1
    path = save_model(fitted, tmp_path / "m.joblib")
    np.save(tmp_path / "x.npy", images[odd])
    args = ["predict", path, tmp_path / "x.npy", "--min-confidence", 0.5]
    assert all(line[:7] == "? True " for line in invoke(*args).stdout.splitlines())
    for row in json.loads(invoke(*args, "--json").stdout)["predictions"]:
        assert row["label"] is False
        assert row["confidence"] < 0.5
        assert row["candidates"][0]["label"] is True


@pytest.mark.parametrize("minimum", ["-0.1", "1.5", "nan", "high"])
def test_a_confidence_that_is_no_probability_is_refused(model, tmp_path, minimum):
    images = write_images("rows.npy", tmp_path)
    refused = invoke("predict", model, images, "--min-confidence", minimum)
    assert_refused(refused, "confidence", minimum)


def test_a_search_has_the_image_size_of_its_best_model(tmp_path):
    rng = np.random.default_rng(0)
    images = rng.integers(0, 100, (20, 6, 10), dtype=np.uint8)
    images[::2, :, :5] += 150
    search = GridSearchCV(
        make_pipeline(ImageScaler(), KNeighborsClassifier()),
        {"kneighborsclassifier__n_neighbors": [1]},
        cv=2,
    ).fit(images, np.arange(20) % 2)
    path = save_model(search, tmp_path / "m.joblib")
    Image.fromarray(images[2]).save(tmp_path / "x.png")
    assert invoke("predict", path, tmp_path / "x.png").stdout == "0\n"


@pytest.mark.parametrize("kind", ["csv", "idx"])
def test_gzip_that_is_not_gzip_is_refused(model, tmp_path, kind):
    path = write_images(kind, tmp_path)
    path = path.rename(path.with_name("images.gz"))
    assert_refused(invoke("predict", model, path), "images.gz", "not a gzip file")


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_a_regressor_is_refused(tmp_path, command):
    path = tmp_path / "m.joblib"
    joblib.dump(LinearRegression().fit(X, Y), path)
    args = [write_images("rows.npy", tmp_path)] if command == "predict" else []
    refused = invoke(command, path, *args)
    assert_refused(refused, "regressor (LinearRegression)", "a fitted classifier")


class _Code:
    def __reduce__(self):
        return print, ("ran",)


def bad_images(kind, path):
    """Write a file that cannot be used; return words of the message."""
    if kind == "missing":
        return ["No such file"]
    if kind == "width":
        np.save(path, X[:5, :63])
        return ["5×63", "64 pixels"]
    if kind == "label column":
        np.save(path, np.column_stack([Y, X])[:5])
        return ["5×65", "labels"]
    if kind == "transposed":
        np.save(path, X[:5].reshape(-1, 4, 16))
        return ["5×4×16", "8×8"]
    if kind == "nan":
        array = X[:5].astype(float)
        array[2, 7] = np.nan
        np.save(path, array)
        return ["image 2", "NaN", "the first image is 0"]
    if kind == "words":
        np.save(path, np.full((5, 64), "x"))
        return ["<U1", "expected numbers"]
    if kind == "pickled":
        np.save(path, np.array([_Code()] * 64, dtype=object), allow_pickle=True)
        return [path.name, "pickled objects", "refused"]
    if kind == "cut short":
        np.save(path, X)
        path.write_bytes(path.read_bytes()[:5000])
        return [path.name]
    if kind == "open bracket":
        np.save(path, X)
        path.write_bytes(path.read_bytes().replace(b")", b" ", 1))
        return [path.name, "damaged"]
    if kind == "web page":
        path.write_text("<!DOCTYPE html><html>")
        return [path.name, "it is a web page"]
    if kind == "empty array":
        np.save(path, X[:0])
        return ["no images", "empty array (0×64)"]
    if kind == "empty":
        path.write_bytes(b"")
        return ["no images", "file is empty"]
    if kind == "folder":
        path.mkdir()
        return ["is a folder"]
    if kind == "labels":
        write_idx(path, Y)
        return ["1,797", "8×8"]
    if kind == "csv":
        path.write_text("1,2,3\n")
        return ["3 columns", "64 pixels"]
    if kind == "header":
        path.write_text(",".join(f"p{n}" for n in range(64)) + "\n")
        return ["no rows of numbers"]
    if kind == "unknown column":
        names = ",".join([*(f"p{n}" for n in range(64)), "weight"])
        path.write_text(names + "\n" + ",".join(["0"] * 65) + "\n")
        return ["column 65", "'weight'"]
    if kind == "label on either side":
        rows = np.random.default_rng(0).integers(0, 9, (9, 65))
        np.savetxt(path, rows, fmt="%d", delimiter=",")
        return ["65 columns", "label,pixel0"]
    if kind == "float in csv":
        path.write_text(",".join(["0.5"] * 64) + "\n")
        return ["row 1, column 1", "'0.5'", "expected a pixel"]
    if kind == "large number in csv":
        path.write_text(",".join(["300"] * 64) + "\n")
        return ["row 1, column 1", "'300'", "expected a pixel"]
    if kind == "word in csv":
        path.write_text(",".join(["0"] * 63 + ["x"]) + "\n")
        return ["row 1, column 64", "'x'"]
    if kind == "zip":
        np.savez(path.with_suffix(".npz"), X)
        path.with_suffix(".npz").rename(path)
        return ["zip"]
    path.write_bytes(b"\x80\x05\x95\x10\0\0\0\0")
    return ["holds no images"]


@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "width",
        "label column",
        "transposed",
        "nan",
        "words",
        "pickled",
        "cut short",
        "open bracket",
        "web page",
        "empty array",
        "empty",
        "labels",
        "csv",
        "folder",
        "header",
        "unknown column",
        "label on either side",
        "float in csv",
        "large number in csv",
        "word in csv",
        "zip",
        "binary",
    ],
)
def test_files_that_hold_no_such_images_are_refused(model, tmp_path, kind):
    path = tmp_path / "images.npy"
    words = bad_images(kind, path)
    assert_refused(invoke("predict", model, path), *words)


@pytest.mark.parametrize("options", [[], ["--json"], ["--proba"]], ids=str)
def test_files_beside_one_that_cannot_be_read_are_classified(model, tmp_path, options):
    good = [save_picture(tmp_path / f"{i}.png", X[i]) for i in (3, 1)]
    bad = [tmp_path / "missing.png", save_picture(tmp_path / "cut.png", X[0])]
    bad[1].write_bytes(bad[1].read_bytes()[:60])
    expected = invoke("predict", model, *good, *options)
    result = invoke("predict", model, good[0], *bad, good[1], *options)
    assert (result.exit_code, result.stdout) == (2, expected.stdout)
    for line, path in zip(result.stderr.splitlines(), bad, strict=True):
        assert line.startswith("Error: ")
        assert path.name in line


@pytest.mark.parametrize("name", ["notes.txt", "notes.md", "notes.py", "notes.log"])
def test_a_text_in_place_of_images_gets_no_advice_on_tables(model, tmp_path, name):
    (tmp_path / name).write_text("Look at image 3\n\nof the set,\n3 or 4 times.\n")
    result = invoke("predict", model, tmp_path / name)
    assert_refused(result, f"{name}: not a table of numbers, but text that begins with")
    assert "label" not in result.stderr
    np.savetxt(tmp_path / name, X[:2], fmt="%d")  # whatever its name, it is a table
    assert len(invoke("predict", model, tmp_path / name).stdout.split()) == 2


def photo(lines, scale=6):
    """Draw rows of digits, by their numbers in X, with dark ink on uneven paper."""
    rows = [
        np.hstack([np.pad(X[number].reshape(8, 8), 3) for number in line])
        for line in lines
    ]
    width = max(row.shape[1] for row in rows)
    sheet = np.vstack([np.pad(r, ((0, 0), (0, width - r.shape[1]))) for r in rows])
    size = scale * sheet.shape[1], scale * sheet.shape[0]
    ink = np.asarray(Image.fromarray(sheet).resize(size, Image.Resampling.BICUBIC))
    paper = np.linspace(240, 150, ink.shape[1])
    return (paper * (1 - 0.8 * ink / 255)).astype(np.uint8)


def test_rows_of_digits_in_a_photo_are_read_in_their_order(model, tmp_path):
    path = tmp_path / "photo.jpg"
    Image.fromarray(photo([[3, 1, 4], [7, 2]])).save(path)
    assert invoke("predict", model, path).stdout == "314\n72\n"
    shown = json.loads(invoke("predict", model, path, "--json").stdout)["predictions"]
    assert [row["row"] for row in shown] == [0, 0, 0, 1, 1]
    tops, lefts, bottoms, rights = np.transpose([row["box"] for row in shown])
    assert (tops >= 0).all()
    assert (bottoms - tops > 30).all()
    assert bottoms[:3].max() < tops[3:].min()
    assert (rights[[0, 1, 3]] < lefts[[1, 2, 4]]).all()
    assert all(row["digit_confidence"] > 0.5 for row in shown)
    assert all(0 < row["confidence"] <= 1 for row in shown)


@pytest.mark.parametrize(
    ("labels", "line"),
    [
        (np.array([f"{label}-" for label in "0123456789"])[Y], "3- 1- 4-"),
        (Y % 2 == 0, "False False True"),
        (np.array([*"abcdefghij"])[Y], "dbe"),
        (Y + 5, "8 6 9"),
    ],
    ids=["words", "booleans", "characters", "some numbers of two digits"],
)
def test_labels_in_a_row_are_told_from_each_other(tmp_path, labels, line):
    fitted = KNeighborsClassifier(1).fit(X, labels)
    path = save_model(fitted, tmp_path / "m.joblib")
    Image.fromarray(photo([[3, 1, 4]])).save(tmp_path / "photo.png")
    assert invoke("predict", path, tmp_path / "photo.png").stdout == f"{line}\n"


def test_digits_get_the_size_of_the_training_images_whatever_the_file_says(tmp_path):
    larger = np.pad(X.reshape(-1, 8, 8), ((0, 0), (10, 10), (10, 10)))
    fitted = make_pipeline(ImageScaler(), KNeighborsClassifier(20)).fit(larger, Y)
    path = tmp_path / "photo.png"
    Image.fromarray(photo([[3, 1, 4]])).save(path)
    shown = []
    for metadata in ({"dataset": "mnist"}, {}):
        file = tmp_path / "model.joblib"
        save_model(fitted, file, metadata=metadata)
        shown.append(invoke("predict", file, path, "--proba").stdout)
    assert shown[0] == shown[1]


def test_digits_below_a_confidence_are_marked_in_their_row(model, tmp_path):
    path = tmp_path / "photo.png"
    Image.fromarray(photo([[3, 1, 4]])).save(path)
    args = ["predict", model, path, "--min-confidence"]
    assert invoke(*args, "0.5").stdout == "314\n"
    lines = invoke("predict", model, path, "--proba").stdout.splitlines()
    assert [line[0] for line in lines] == ["l", "3", "1", "4"]


def test_what_is_drawn_is_what_is_printed(doubtful, tmp_path, monkeypatch):
    from skmnist.plotting import ExtractedDigitsDisplay

    shown = []
    draw = ExtractedDigitsDisplay.plot
    monkeypatch.setattr(
        ExtractedDigitsDisplay, "plot", lambda self: shown.append(self) or draw(self)
    )
    path = tmp_path / "photo.png"
    Image.fromarray(photo([[3, 1], [4, 9, 7]])).save(path)
    args = ["predict", doubtful[0], path, "--min-confidence", 0.99]
    printed = invoke(*args, "--show", tmp_path / "out.png").stdout.split()
    found = json.loads(invoke(*args, "--json").stdout)["predictions"]
    assert shown[0].lines == printed
    assert "?" in "".join(printed)
    assert list(shown[0].confidence) == [row["confidence"] for row in found]


@pytest.mark.parametrize("read", ["photo.png", "link.png", "model.png"])
def test_a_file_that_is_read_is_not_replaced_by_a_picture(model, tmp_path, read):
    paths = [tmp_path / "photo.png", tmp_path / "model.png"]
    Image.fromarray(photo([[3, 1]])).save(paths[0])
    paths[1].write_bytes(model.read_bytes())
    (tmp_path / "link.png").symlink_to(paths[0])
    before = [path.read_bytes() for path in paths]
    args = ["predict", paths[1], paths[0], "--show", tmp_path / read, "--force"]
    assert_refused(invoke(*args), f"{read} would replace a file that is read")
    assert [path.read_bytes() for path in paths] == before


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_what_was_found_is_drawn(model, tmp_path, suffix):
    path, out = tmp_path / "photo.png", tmp_path / f"out{suffix}"
    Image.fromarray(photo([[3, 1]])).save(path)
    result = invoke("predict", model, path, "--show", out)
    assert (result.stdout, out.stat().st_size > 1000) == ("31\n", True)
    assert_refused(invoke("predict", model, path, "--show", out), "--force")


def test_only_a_searched_picture_can_be_drawn(model, tmp_path, monkeypatch):
    path, out = save_picture(tmp_path / "3.png", X[3]), tmp_path / "out.png"
    page = Image.fromarray(photo([[3, 1]]))
    page.save(tmp_path / "pages.tif", save_all=True, append_images=[page])

    def predict(*_, **__):
        raise AssertionError("what is known before is refused before")

    monkeypatch.setattr("skmnist.cli._recognition.predict", predict)
    for images, words in [
        ([path], "3.png are classified as they are"),
        ([tmp_path / "pages.tif"], "pages.tif has 2 such pages"),
        ([path, tmp_path / "missing.png"], "2 files were given"),
    ]:
        refused = invoke("predict", model, *images, "--show", out)
        assert_refused(refused, "--show draws one picture", words)
    assert_refused(invoke("predict", model, path, "--show", tmp_path / "x.gif"), ".png")
    assert not out.exists()


def test_labels_are_printed_even_if_the_picture_cannot_be_drawn(
    model, tmp_path, monkeypatch
):
    import matplotlib.pyplot as plt
    from matplotlib.figure import Figure

    def savefig(*_, **__):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Figure, "savefig", savefig)
    path, out = tmp_path / "photo.png", tmp_path / "out.png"
    Image.fromarray(photo([[3, 1]])).save(path)
    result = invoke("predict", model, path, "--show", out)
    assert (result.exit_code, result.stdout) == (1, "31\n")
    assert "No space left on device" in result.stderr
    assert not out.exists()
    assert plt.get_fignums() == []


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="no named pipes")
def test_a_pipe_is_refused_without_waiting_for_it(model, tmp_path):
    os.mkfifo(tmp_path / "pipe")
    command = [sys.executable, "-m", "skmnist", "predict", model, tmp_path / "pipe"]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stdout) == (2, "")
    assert "pipe is a pipe or a device" in run.stderr


def bad_picture(kind, path):
    if kind == "blank":
        Image.new("L", (200, 100), 230).save(path)
        return [path.name, "shows no digit"]
    if kind == "large text":
        text = PngInfo()
        text.add_text("words", "w" * (1 << 21), zip=True)
        Image.fromarray(X[0].reshape(8, 8)).save(path, pnginfo=text)
        return [path.name, "damaged"]
    if kind == "cut short":
        save_picture(path, X[0])
        path.write_bytes(path.read_bytes()[:60])
        return [path.name]
    path.write_text("no picture")
    return ["not a picture"]


@pytest.mark.parametrize("kind", ["blank", "cut short", "large text", "text"])
def test_pictures_that_cannot_be_used_are_refused(model, tmp_path, kind):
    path = tmp_path / "digit.png"
    assert_refused(invoke("predict", model, path), "No such file")
    words = bad_picture(kind, path)
    assert_refused(invoke("predict", model, path), *words)


@pytest.mark.parametrize("kind", ["ico", "sgi", "pcx"])
def test_rarer_formats_are_searched_for_digits(model, tmp_path, kind):
    picture, path = Image.fromarray(photo([[3, 1]])), tmp_path / f"photo.{kind}"
    picture.save(path, **({"sizes": [picture.size]} if kind == "ico" else {}))
    assert invoke("predict", model, path).stdout == "31\n"


@pytest.mark.parametrize(
    ("name", "start", "words"),
    [
        ("x.jxl", b"\0\0\0\x0cJXL \r\n\x87\n", "a JPEG XL picture"),
        ("x.eps", b"%!PS-Adobe-3.0 EPSF-3.0\n", "a PostScript picture"),
        ("x.svg", b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "an SVG picture"),
        ("x.tga", b"\0\0\3\0" + bytes(40), "a TGA picture"),
        ("x.tga", b"\0\0\x0b\0" + bytes(40), "a TGA picture"),
        ("x.pdf", b"%PDF-1.4\n", "a PDF document"),
    ],
    ids=["JPEG XL", "EPS", "SVG", "TGA", "packed TGA", "PDF"],
)
def test_pictures_of_other_formats_are_named(model, tmp_path, name, start, words):
    (tmp_path / name).write_bytes(start)
    message = f"{name} is {words}, which cannot be read; save it as JPEG or PNG."
    assert_refused(invoke("predict", model, tmp_path / name), message)


@pytest.mark.parametrize("part", ["model", "images"])
def test_an_address_is_no_file(model, tmp_path, part):
    args = {"model": model, "images": write_images("idx", tmp_path)}
    args[part] = "https://example.org/digits"
    assert_refused(invoke("predict", *args.values()), "address; download what is there")


def test_colour_models_say_that_they_are_not_for_larger_pictures(tmp_path):
    images = np.repeat(X[:20].reshape(-1, 8, 8, 1), 3, axis=3)
    fitted = make_pipeline(ImageScaler(), KNeighborsClassifier(1)).fit(images, Y[:20])
    path = save_model(fitted, tmp_path / "m.joblib")
    Image.fromarray(photo([[3, 1]])).save(tmp_path / "photo.png")
    refused = invoke("predict", path, tmp_path / "photo.png")
    assert_refused(refused, "only if the model takes grey images")


def test_a_model_that_finds_digits_itself_gets_no_advice_on_ink(tmp_path):
    pictures = np.stack([photo([[number]]) for number in (3, 1, 4)])
    extractor = DigitExtractor(output_shape=(8, 8), digit_size=1.0)
    fitted = make_pipeline(extractor, KNeighborsClassifier(1)).fit(pictures, [3, 1, 4])
    path = save_model(fitted, tmp_path / "m.joblib")
    Image.fromarray(pictures[2]).save(tmp_path / "photo.png")
    result = invoke("predict", path, tmp_path / "photo.png")
    assert (result.stdout, result.stderr) == ("4\n", "")


@pytest.mark.parametrize("command", ["evaluate", "predict"])
def test_files_that_hold_no_model_are_refused(tmp_path, command):
    images = write_images("rows.npy", tmp_path)
    args = [images] if command == "predict" else []
    assert_refused(invoke(command, images, *args), "NumPy array")
    path = tmp_path / "other.joblib"
    path.write_bytes(pickle.dumps({"a": 1}))
    assert_refused(invoke(command, path, *args), "dict")
