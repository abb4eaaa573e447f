"""What is said when MNIST is nowhere."""

import pickle
import re
import traceback

import pytest
from click.testing import CliRunner

from skmnist.cli._commands import skmnist
from skmnist.datasets import (
    DataNotFoundError,
    fetch_mnist,
)

from .sets import (
    NAMES,
)


def test_without_network_a_list_names_places_files_and_ways(home, tmp_path):
    with pytest.raises(OSError, match="no connection") as caught:
        fetch_mnist("all", data_home=tmp_path / "set")
    assert type(caught.value) is DataNotFoundError
    message = str(caught.value)
    first, *rest = message.splitlines()
    assert first.startswith("MNIST was not found")
    assert [line for line in rest if not line.startswith("- ")] == [
        "Downloading failed:",
        "Do one of these:",
    ]
    for words in [str(tmp_path / "set"), *NAMES, "mnist.npz", "SKMNIST_DATA"]:
        assert words in message
    for words in ["data_home", "http://127.0.0.1:9/", ".keras", "scikit_learn_data"]:
        assert words in message
    assert "mnist" in str(pickle.loads(pickle.dumps(caught.value)))


def test_command_line_prints_that_list(home):
    result = CliRunner().invoke(skmnist, ["data", "mnist"])
    assert (result.exit_code, result.stdout) == (2, "")
    first, *rest = result.stderr.splitlines()
    assert first.startswith("Error: MNIST was not found")
    assert len(rest) >= 7
    assert all(line.startswith("- ") or line.endswith(":") for line in rest)
    assert max(map(len, rest)) < 300


@pytest.mark.parametrize("download", [True, False])
def test_mnist_that_is_nowhere_is_one_traceback(tmp_path, download):
    with pytest.raises(DataNotFoundError) as caught:
        fetch_mnist(data_home=tmp_path / "set", download_if_missing=download)
    assert "".join(traceback.format_exception(caught.value)).count("Traceback") == 1


def test_folder_that_cannot_be_made_is_named(tmp_path):
    (tmp_path / "file").write_text("")
    with pytest.raises(DataNotFoundError, match=re.escape(str(tmp_path / "file"))):
        fetch_mnist(data_home=tmp_path / "file" / "set")
    with pytest.raises(NotADirectoryError, match="is a file"):
        fetch_mnist(data_home=tmp_path / "file")
