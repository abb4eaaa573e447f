"""Published results reproduced from Python."""

import json
from pathlib import Path

import numpy as np
import pytest
from test_cli_reproduction import small_set

from skmnist import Augmentation, Deskewer
from skmnist._configuration import configure
from skmnist.datasets._image_sets import load_image_set
from skmnist.networks import ARCHITECTURES, Architecture
from skmnist.pipelines import make_model
from skmnist.published import STUDIES, Study
from skmnist.report import make_report
from skmnist.reproduction import reproduce
from skmnist.reproduction._plan import resolve_targets


@pytest.fixture
def small(tmp_path):
    small_set(tmp_path / "small")
    return {"dataset": str(tmp_path / "small"), "runs": tmp_path / "runs"}


def test_a_quick_reproduction_gives_the_document_of_the_command(small):
    calls = []
    results = reproduce(
        "mlp_784", quick=True, **small, callback=lambda *call: calls.append(call)
    )
    assert results["kind"] == "reproduction"
    assert results["quick"]
    assert not results["comparable"]
    assert results["command"] is None
    (network,) = results["networks"]
    assert network["name"] == "mlp_784"
    assert network["seeds"] == [7]
    assert network["n_epochs"] == 2
    assert calls == [("mlp_784, seed 7", 1, 1)]
    assert "mlp_784" in make_report(results)


def test_a_finished_run_is_not_trained_again(small):
    first = reproduce("mlp_784", quick=True, seeds=2, **small)
    again = reproduce("mlp_784", quick=True, seeds=(7, 8), **small)
    assert (first["n_trained"], first["n_earlier"]) == (2, 0)
    assert (again["n_trained"], again["n_earlier"]) == (0, 2)
    assert again["runs"] == first["runs"]


def test_a_named_network_without_published_results_is_trained_too(small, monkeypatch):
    params = {"units": 8, "epochs": 1}

    def own(rotation):
        augmentation = Augmentation(rotation=rotation)
        return Architecture("mlp", "own", {**params, "augmentation": augmentation})

    monkeypatch.setitem(ARCHITECTURES, "own", own(5))
    results = reproduce("own", seeds=2, **small)
    (network,) = results["networks"]
    assert network["published"] is None
    assert network["seeds"] == [0, 1]
    assert results["n_trained"] == 2
    page = make_report(results)
    assert "Named networks trained" in page
    assert "published figures come from" not in page
    # What the augmentation does is part of the recipe.
    assert reproduce("own", seeds=2, **small)["n_earlier"] == 2
    monkeypatch.setitem(ARCHITECTURES, "own", own(10))
    assert reproduce("own", seeds=2, **small)["n_earlier"] == 0


def test_the_steps_before_a_network_are_part_of_its_training(small, monkeypatch):
    steps = (("deskew", Deskewer()),)
    own = Architecture("mlp", "own", {"units": 8, "epochs": 2}, transformers=steps)
    monkeypatch.setitem(ARCHITECTURES, "own", own)
    (run,) = reproduce("own", seeds=1, **small)["runs"]
    image_set = load_image_set(small["dataset"])
    model = configure("own", make_model("own"), image_set, seed=0)
    assert list(model.named_steps) == ["scale", "deskew", "clf"]
    model.fit(image_set.X, image_set.y)
    assert run["accuracy"] == model.score(image_set.X_test, image_set.y_test)
    assert run["history"]["loss"] == model[-1].history_["loss"]


def test_ensembles_and_studies_of_our_own_are_reproduced(small, monkeypatch):
    params = {"units": 8, "epochs": 3}
    pair = Architecture("mlp", "two", params, n_networks=2)
    monkeypatch.setitem(ARCHITECTURES, "pair", pair)
    variants = {"all": {}, "no dropout": {"dropout": 0.0}}
    study = Study("What dropout brings", None, "pair", variants, reference="all")
    monkeypatch.setitem(STUDIES, "dropout", study)
    results = reproduce("pair", "dropout", quick=True, **small)
    assert results["n_trained"] == 2  # the recipe itself is trained once
    (network,) = results["networks"]
    assert network["n_epochs"] == 2
    assert network["n_parameters"] == 2 * (26 * 8 + 9 * 2)
    assert results["studies"][0]["variants"][0]["difference"] == 0
    assert all(run["predict_time"] > 0 for run in results["runs"])
    page = make_report(results)
    assert "the recipe itself" in page
    assert "Published" not in page
    assert "dropout" not in resolve_targets(["studies"])[1]


@pytest.mark.parametrize("seeds", [np.int64(1), (np.uint8(7),)], ids=["one", "tuple"])
def test_paths_and_numbers_of_numpy_give_the_same_document(seeds, small):
    plain = reproduce("mlp_784", quick=True, seeds=1, **small)
    small["dataset"] = Path(small["dataset"])
    results = reproduce("mlp_784", quick=np.True_, seeds=seeds, **small)
    assert results["n_earlier"] == 1
    assert results["runs"] == plain["runs"]
    assert json.loads(json.dumps(results))["dataset"] == plain["dataset"]


def test_a_path_is_not_the_name_of_a_data_set(small, monkeypatch, tmp_path):
    (tmp_path / "small").rename(tmp_path / "digits")
    monkeypatch.chdir(tmp_path)
    image_set = load_image_set(Path("digits"))
    assert Path(image_set.address) == tmp_path / "digits"
    assert image_set.image_shape == (5, 5)


@pytest.mark.parametrize(
    ("names", "params", "message"),
    [
        (["mlp_51"], {}, "Did you mean 'mlp_512'"),
        (["cnn_large"], {}, "cnn_large: .*too small"),
        (["mlp_784"], {"dataset": "nowhere"}, "no data set 'nowhere'"),
        (["mlp_784"], {"seeds": 0}, "at least 1.*got 0"),
        (["mlp_784"], {"seeds": ()}, r"got \(\)"),
        (["mlp_784"], {"seeds": (0, 0)}, "different"),
        (["mlp_784"], {"seeds": "a"}, "got 'a'"),
        (["mlp_784"], {"seeds": True}, "got True"),
        (["mlp_784"], {"seeds": (7, True)}, r"got \(7, True\)"),
    ],
    ids=["name", "size", "data", "no seed", "empty", "twice", "text", "bool", "bools"],
)
def test_bad_input_is_refused_before_anything_is_trained(
    small, names, params, message, tmp_path
):
    with pytest.raises(ValueError, match=message):
        reproduce(*names, quick=True, **{**small, **params})
    assert not (tmp_path / "runs").exists()


def test_a_folder_that_is_a_file_is_refused(small, tmp_path):
    (tmp_path / "runs").write_text("")
    with pytest.raises(ValueError, match="it is a file"):
        reproduce("mlp_784", quick=True, **small)
