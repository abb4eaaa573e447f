"""Files of earlier versions: those in safetensors load, those of joblib become such.

The networks in safetensors were trained on the embedded digits for 8 epochs.
"""

from pathlib import Path

import numpy as np
import pytest

from skmnist.datasets import load_digits
from skmnist.persistence import load_model, save_model

DATA = Path(__file__).parent.parent / "data"
X, _ = load_digits(return_X_y=True)
CNN = [
    [0.90957, 0.0, 0.0, 0.0, 0.0377, 0.00186, 0.01348, 0.0, 0.0, 0.03738],
    [0.0, 0.95313, 0.00049, 6e-05, 0.00364, 4e-05, 0.0, 0.03096, 0.00933, 0.00234],
]
MLP = [
    [0.0043, 0.00082, 0.00024, 0.00293, 0.0, 0.00012, 0.01882, 0.0, 1e-05, 0.97276],
    [0.00318, 0.0, 0.00306, 3e-05, 0.98535, 0.0, 0.00032, 1e-05, 0.00806, 0.0],
]


@pytest.mark.parametrize(
    ("name", "images", "labels", "probabilities"),
    [
        ("cnn_1", X[:2].reshape(-1, 8, 8), [0, 1], CNN),
        ("mlp_1", X[:2], ["zero", "one"], MLP),
    ],
)
def test_files_of_version_1_load(name, images, labels, probabilities):
    path = DATA / f"{name}.safetensors"
    model, metadata = load_model(path, return_metadata=True)
    assert metadata == {"trained on": "digits"}
    assert model.predict(images).tolist() == labels
    found = model.predict_proba(images)
    np.testing.assert_allclose(found, probabilities, atol=1e-5, rtol=0)
    assert len(model[-1].history_["loss"]) == model[-1].n_iter_ == 8


def test_version_1_keeps_parameters_and_the_state_of_the_optimizer():
    cnn = load_model(DATA / "cnn_1.safetensors")
    assert cnn["scale"].get_params() == {
        "clip": True,
        "data_range": (0, 255),
        "image_shape": None,
        "layout": "channels_last",
    }
    given = {"filters": (4, 8), "kernel_size": ((3, 3), (2, 3)), "class_weight": {1: 2}}
    assert cnn["clf"].get_params().items() >= given.items()
    assert cnn["clf"].classes_.tolist() == list(range(10))
    mlp = load_model(DATA / "mlp_1.safetensors")
    assert mlp["clf"].warm_start
    variables = mlp["clf"]._training.optimizer_variables
    assert int(variables[0]) == 8 * -(-1617 // 32)  # steps
    assert [v.shape for v in variables[2::2]] == [(64, 8), (8,), (8, 10), (10,)]


@pytest.mark.parametrize(
    "name",
    ["mlp_1", "mlp_uncompressed_1", "mlp_2", "mlp_bfloat16_2", "cnn_2"],
)
def test_files_of_joblib_become_safetensors(name, tmp_path):
    model = load_model(DATA / f"{name}.joblib")
    path = save_model(model, tmp_path / "m.safetensors")
    loaded = load_model(path)
    assert np.array_equal(loaded.predict_proba(X[:20]), model.predict_proba(X[:20]))
    assert repr(loaded) == repr(model)
    assert loaded[-1].history_ == model[-1].history_
    assert loaded[-1]._training.optimizer_kind == model[-1]._training.optimizer_kind
