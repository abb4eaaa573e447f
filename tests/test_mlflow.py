"""The recipes of the guide for MLflow, which is not installed with the tests."""

import numpy as np
import pytest

from skmnist import ImageScaler, KerasMLPClassifier
from skmnist.datasets import load_digits

mlflow_sklearn = pytest.importorskip("mlflow.sklearn")
skops_io = pytest.importorskip("skops.io")


@pytest.mark.parametrize("recipe", ["cloudpickle", "skops"])
def test_mlflow_saves_and_loads_with_the_recipes_of_the_guide(recipe, tmp_path):
    from sklearn.pipeline import make_pipeline

    X, y = load_digits(return_X_y=True)
    network = KerasMLPClassifier(units=4, epochs=1, random_state=0)
    model = make_pipeline(ImageScaler(), network).fit(X[:100], y[:100])
    if recipe == "skops":
        trusted = skops_io.get_untrusted_types(data=skops_io.dumps(model))
        settings = {"skops_trusted_types": trusted}
    else:
        settings = {"serialization_format": recipe}
    mlflow_sklearn.save_model(model, tmp_path / "m", **settings)
    loaded = mlflow_sklearn.load_model(str(tmp_path / "m"))
    assert np.array_equal(loaded.predict_proba(X), model.predict_proba(X))
