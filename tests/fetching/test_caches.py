"""MNIST in the cache that scikit-learn leaves."""

import gzip
import hashlib
import io
import json

import pytest

from skmnist.datasets import (
    DataNotFoundError,
    _published,
    fetch_mnist,
)

from .sets import (
    value_of,
)


class OpenML:
    """Answers what `fetch_openml` asks about mnist_784, with other images."""

    def __init__(self, labels):
        features = [f"pixel{n}" for n in range(1, 785)] + ["class"]
        rows = [f"{','.join(['9'] * 784)},{label}" for label in labels]
        header = [f"@ATTRIBUTE {name} real" for name in features[:-1]]
        header += ["@ATTRIBUTE class {0,1}", "@DATA"]
        arff = "\n".join(["% a comment", "@RELATION mnist_784", *header, *rows, ""])
        address = "https://api.openml.org/data/v1/download/52667/mnist_784.arff"
        self.address = address
        self.answers = {
            "/data/list/": {"data": {"dataset": [{"did": 554, "version": 1}]}},
            "/data/features/": {
                "data_features": {
                    "feature": [
                        {
                            "name": name,
                            "index": str(index),
                            "data_type": "nominal" if name == "class" else "numeric",
                            "is_target": str(name == "class").lower(),
                            "is_ignore": "false",
                            "is_row_identifier": "false",
                            "number_of_missing_values": "0",
                        }
                        for index, name in enumerate(features)
                    ]
                }
            },
            "/data/qualities/": {
                "data_qualities": {
                    "quality": [{"name": "NumberOfInstances", "value": len(labels)}]
                }
            },
            "/data/554": {
                "data_set_description": {
                    "id": "554",
                    "name": "mnist_784",
                    "description": "digits",
                    "version": "1",
                    "status": "active",
                    "format": "ARFF",
                    "url": address,
                    "file_id": "52667",
                    "md5_checksum": hashlib.md5(arff.encode()).hexdigest(),
                }
            },
        }
        self.arff = arff

    def __call__(self, request, *args, **kwargs):
        if request.full_url == self.address:
            answer = io.BytesIO(self.arff.encode())
        else:
            (found,) = (v for k, v in self.answers.items() if k in request.full_url)
            answer = io.BytesIO(json.dumps(found).encode())
        answer.info = dict
        return answer


@pytest.fixture
def leave_sklearn_cache(monkeypatch):
    """Let scikit-learn's own code leave a tiny mnist_784 in its cache."""
    monkeypatch.setitem(_published.LABEL_COUNTS, "train", (2, 1))
    monkeypatch.setitem(_published.LABEL_COUNTS, "test", (1, 1))

    def leave(labels=(1, 0, 0, 1, 0)):
        from sklearn.datasets import fetch_openml

        with monkeypatch.context() as patch:
            patch.setattr("sklearn.datasets._openml.urlopen", OpenML(labels))
            fetch_openml("mnist_784", version=1, as_frame=False, parser="liac-arff")

    return leave


def test_cache_that_fetch_openml_left_is_read(
    home, tmp_path, monkeypatch, leave_sklearn_cache
):
    leave_sklearn_cache()
    before = sorted(home.rglob("*"))
    mnist = fetch_mnist("test")
    assert value_of(mnist) == 9
    assert mnist.images.shape == (2, 28, 28)
    assert mnist.target.tolist() == [1, 0]
    assert fetch_mnist("all").target.tolist() == [1, 0, 0, 1, 0]
    assert "scikit_learn_data" in mnist.source
    assert sorted(home.rglob("*")) == before
    (home / "scikit_learn_data").rename(tmp_path / "elsewhere")
    monkeypatch.setenv("SCIKIT_LEARN_DATA", str(tmp_path / "elsewhere"))
    assert value_of(fetch_mnist("train")) == 9


def test_cache_of_scikit_learn_in_another_order_is_passed_over(leave_sklearn_cache):
    leave_sklearn_cache(labels=(1, 0, 1, 0, 0))
    warned = pytest.warns(UserWarning, match=r"scikit-learn is passed over.*order")
    with warned, pytest.raises(DataNotFoundError):
        fetch_mnist(download_if_missing=False)


@pytest.mark.parametrize("which", ["554.gz", "mnist_784.arff.gz"])
def test_damaged_cache_of_scikit_learn_is_passed_over(home, leave_sklearn_cache, which):
    leave_sklearn_cache()
    paths = [
        path for path in home.rglob(which) if path.parent.name in ("data", "52667")
    ]
    (path,) = paths
    for damaged in (path.read_bytes()[:-9], gzip.compress(b"{}"), b"no gzip"):
        path.write_bytes(damaged)
        warned = pytest.warns(UserWarning, match="scikit-learn is passed over")
        with warned, pytest.raises(DataNotFoundError):
            fetch_mnist(download_if_missing=False)
        assert path.read_bytes() == damaged
