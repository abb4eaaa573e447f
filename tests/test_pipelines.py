import subprocess
import sys
import warnings

import numpy as np
import pytest
from sklearn.base import clone, is_classifier
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    StratifiedKFold,
    cross_val_score,
)
from sklearn.pipeline import Pipeline
from threadpoolctl import threadpool_limits

from skmnist import Deskewer, ImageScaler
from skmnist._configuration import configure, end_reports, n_epochs, report_epochs
from skmnist.datasets import load_digits
from skmnist.datasets._image_sets import ImageSet
from skmnist.evaluation._scores import count_parameters
from skmnist.networks import ARCHITECTURES, Architecture, build_mlp
from skmnist.persistence import load_model, save_model
from skmnist.pipelines import make_model, model_names, registered_name, search_space

NETWORKS = model_names("network")
BASELINES = model_names("baseline")
RNG = np.random.default_rng(0)
SMALL_IMAGES = RNG.integers(0, 256, (24, 16, 12), dtype=np.uint8)
SMALL_LABELS = np.arange(24) % 3


@pytest.fixture(scope="module")
def digits():
    return load_digits(return_X_y=True)


@pytest.fixture
def one_thread():
    """Keep small fits quick when other processes compete for the CPUs."""
    with threadpool_limits(1):
        yield


def one_at_a_time(space):
    """The candidates of a search space, each with the other keys left alone."""
    return [{key: value} for key, values in space.items() for value in values]


def test_names_are_networks_and_baselines():
    assert set(NETWORKS) == set(ARCHITECTURES)
    assert BASELINES == [
        "logistic_regression",
        "linear_svm",
        "rbf_svm",
        "hog_svm",
        "nearest_neighbors",
        "random_forest",
        "hist_gradient_boosting",
        "sklearn_mlp",
        "dummy",
    ]
    assert model_names() == NETWORKS + BASELINES


def test_unknown_kind_is_refused():
    with pytest.raises(ValueError, match=r"Did you mean 'network'.*network, baseline"):
        model_names("networks")


FEATURES = {
    "cnn_best": ["deskew"],
    "cnn_small": ["deskew"],
    "ensemble_best": ["deskew"],
    "hog_svm": ["deskew", "hog"],
}


@pytest.mark.parametrize("name", model_names())
def test_models_are_scaler_features_and_classifier(name):
    model = make_model(name)
    assert isinstance(model, Pipeline)
    first, *features, last = model.named_steps
    assert (first, last) == ("scale", "clf")
    assert features == FEATURES.get(name, [])
    assert isinstance(model["scale"], ImageScaler)
    assert is_classifier(model)
    assert repr(clone(model)) == repr(model)


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_have_the_parameters_of_their_architecture(name):
    classifier = make_model(name)["clf"]
    network = getattr(classifier, "estimator", classifier)
    for parameter, value in ARCHITECTURES[name].parameters.items():
        assert repr(getattr(network, parameter)) == repr(value)
    if network is not classifier:
        assert classifier.n_estimators == ARCHITECTURES[name].n_networks


def test_making_models_loads_no_framework():
    code = (
        "import sys; from skmnist.pipelines import *\n"
        "for name in model_names(): make_model(name), search_space(name)\n"
        "sys.exit(any(name in sys.modules for name in "
        "('tensorflow', 'keras', 'jax', 'torch', 'scikeras', 'matplotlib')))"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)


def test_parameters_go_to_their_step():
    model = make_model("mlp_512", epochs=3, clf__dropout=0.4, scale__data_range=(0, 16))
    assert model["clf"].epochs == 3
    assert model["clf"].dropout == 0.4
    assert model["scale"].data_range == (0, 16)


@pytest.mark.parametrize("parameter", ["image_shape", "clf__image_shape"])
def test_image_shape_reaches_scaler_and_network(parameter):
    model = make_model("cnn_simple", **{parameter: (20, 30)})
    assert model["clf"].image_shape == (20, 30)
    assert model["scale"].image_shape == (20, 30)


def test_parameters_of_features_are_checked_too():
    model = make_model("hog_svm", hog__n_cells=3, C=2)
    assert (model["hog"].n_cells, model["clf"].C) == (3, 2)
    with pytest.raises(ValueError, match=r"Did you mean 'hog__n_cells'"):
        make_model("hog_svm", hog__n_cell=3)


def test_models_share_no_settings():
    make_model("hog_svm", hog__n_cells=3)
    assert make_model("hog_svm")["hog"].n_cells != 3
    make_model("dnn_512_512")["clf"].units += (7,)
    search_space("random_forest")["clf__max_features"].append("log2")
    search_space("mlp_512")["clf__units"].append(7)
    assert make_model("dnn_512_512")["clf"].units == (512, 512)
    assert "log2" not in search_space("random_forest")["clf__max_features"]
    assert 7 not in search_space("mlp_512")["clf__units"]


@pytest.mark.parametrize("function", [make_model, search_space])
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("cnn_32", "no model 'cnn_32'. Did you mean 'cnn_32_64'.*Allowed are mlp_512,"),
        ("qqq", "no model 'qqq'. Allowed are mlp_512,"),
        (None, "no model None. Allowed are"),
        (["dummy"], r"no model \['dummy'\]"),
    ],
)
def test_unknown_models_are_refused(function, name, message):
    with pytest.raises(ValueError, match=message):
        function(name)


@pytest.mark.parametrize(
    ("name", "params", "message"),
    [
        ("mlp_512", {"epoch": 1}, "'epoch'. Did you mean 'epochs'.*batch_size"),
        ("mlp_512", {"clf__epoch": 1}, "Did you mean 'clf__epochs'"),
        ("mlp_512", {"filters": 3}, "'mlp_512' has no parameter 'filters'"),
        ("dummy", {"scale__layuot": 1}, "Did you mean 'scale__layout'.*scale__clip"),
        ("dummy", {"scaler__clip": 1}, "Did you mean 'scale__clip'"),
        ("dummy", {"scale": None}, "no parameter 'scale'"),
        ("logistic_regression", {"epochs": 3}, r"'epochs'\. Allowed are C, "),
        ("nearest_neighbors", {"random_state": 0}, "no parameter 'random_state'"),
        ("mlp_512", {"epochs": 1, "clf__epochs": 2}, "clf__epochs is given twice"),
    ],
)
def test_unknown_parameters_are_refused(name, params, message):
    with pytest.raises(ValueError, match=message):
        make_model(name, **params)


@pytest.mark.parametrize("name", model_names())
def test_every_key_of_a_search_space_can_be_set(name):
    model, space = make_model(name), search_space(name)
    assert space
    assert space.keys() <= model.get_params().keys()
    for candidate in ParameterGrid(space):
        assert model.set_params(**candidate).get_params().items() >= candidate.items()


@pytest.mark.parametrize("name", model_names())
def test_search_spaces_hold_what_the_model_has(name):
    parameters = make_model(name).get_params()
    for key, values in search_space(name).items():
        assert parameters[key] in values
        assert len({repr(value) for value in values}) == len(values) > 1


@pytest.mark.parametrize("name", NETWORKS)
def test_networks_are_searched_over_their_layers_dropout_and_epochs(name):
    layers = "units" if ARCHITECTURES[name].parameters["units"] else "filters"
    searched = {f"clf__{layers}", "clf__dropout", "clf__epochs"}
    if ARCHITECTURES[name].n_networks > 1:
        searched = {"clf__n_estimators"}
    assert search_space(name).keys() == searched


@pytest.mark.parametrize(
    ("classifier", "parameters", "expected"),
    [
        ("mlp", {"units": 4}, {"units": [2, 4, 8], "epochs": [10, 20]}),
        ("mlp", {"units": 1, "epochs": 1}, {"units": [1, 2], "epochs": [1]}),
        (
            "dnn",
            {"units": [4, 2], "dropout": [0.2, 0.2], "epochs": 3},
            {
                "units": [[2, 1], [4, 2], [8, 4]],
                "dropout": [[0.0, 0.0], [0.2, 0.2], [0.5, 0.5]],
                "epochs": [1, 3],
            },
        ),
        ("cnn", {}, {"dropout": [0.0, 0.2, 0.5, None]}),
        ("image", {"builder": build_mlp, "epochs": 2}, {"epochs": [1, 2]}),
    ],
    ids=["defaults", "smallest", "lists", "no rates", "builder"],
)
def test_every_network_that_can_be_made_has_a_search_space(
    classifier, parameters, expected, monkeypatch
):
    network = Architecture(classifier, "made up", parameters)
    monkeypatch.setitem(ARCHITECTURES, "made_up", network)
    space = search_space("made_up")
    assert space == {**space, **{f"clf__{key}": expected[key] for key in expected}}
    for candidate in one_at_a_time(space):
        make_model("made_up", **candidate)[-1]._validate_params()


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize("name", BASELINES)
def test_every_candidate_of_a_baseline_is_valid(name):
    for candidate in one_at_a_time(search_space(name)):
        model = make_model(name).set_params(**candidate)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            model.fit(SMALL_IMAGES, SMALL_LABELS)
        assert model.predict(SMALL_IMAGES[:2]).shape == (2,)


@pytest.mark.parametrize("name", ["mlp_512", "mlp_512_256", "cnn_large"])
def test_every_candidate_of_a_network_is_valid(name):
    for candidate in one_at_a_time(search_space(name)):
        model = make_model(name).set_params(**candidate).set_params(clf__epochs=1)
        model.fit(SMALL_IMAGES, SMALL_LABELS)
        assert model.predict(SMALL_IMAGES[:2]).shape == (2,)


@pytest.mark.usefixtures("one_thread")
@pytest.mark.parametrize(
    ("name", "accuracy"),
    [
        ("logistic_regression", 0.95),
        ("linear_svm", 0.94),
        ("rbf_svm", 0.98),
        ("hog_svm", 0.98),
        ("nearest_neighbors", 0.98),
        ("random_forest", 0.95),
        ("hist_gradient_boosting", 0.95),
        ("sklearn_mlp", 0.96),
        ("dummy", 0.05),
    ],
)
def test_baselines_learn_the_digits_without_warnings(name, accuracy, digits):
    model = make_model(name)
    if "clf__random_state" in model.get_params():
        model.set_params(clf__random_state=0)
    cv = StratifiedKFold(2, shuffle=True, random_state=0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert cross_val_score(model, *digits, cv=cv).mean() > accuracy


def test_models_can_be_searched_by_their_space(digits):
    X, y = digits
    search = GridSearchCV(
        make_model("linear_svm"), search_space("linear_svm"), cv=2, error_score="raise"
    )
    search.fit(X[:300], y[:300])
    assert search.best_score_ > 0.8


@pytest.mark.parametrize(
    "name", ["logistic_regression", "hog_svm", "mlp_512", "cnn_simple"]
)
def test_models_take_images_that_are_no_squares(name):
    model = make_model(name)
    if "epochs" in model["clf"].get_params():
        model.set_params(clf__epochs=1, clf__random_state=0)
    model.fit(SMALL_IMAGES, SMALL_LABELS)
    scores = getattr(model, "predict_proba", None) or model.decision_function
    expected = scores(SMALL_IMAGES)
    for same in (SMALL_IMAGES.reshape(24, -1), SMALL_IMAGES[:, None]):
        np.testing.assert_array_equal(scores(same), expected)


def test_flat_images_that_are_no_squares_need_a_shape():
    X = SMALL_IMAGES.reshape(24, -1)
    with pytest.raises(ValueError, match=r"192 columns.*image_shape=\(height"):
        make_model("cnn_simple", epochs=1).fit(X, SMALL_LABELS)
    model = make_model("cnn_simple", epochs=1, image_shape=(16, 12))
    model.fit(X, SMALL_LABELS)
    assert model["clf"].image_shape_ == (16, 12, 1)


def test_images_too_small_for_a_network_are_refused(digits):
    with pytest.raises(ValueError, match="8×8 pixels are too small"):
        make_model("cnn_large").fit(*digits)


@pytest.fixture
def pair(monkeypatch):
    """The name of an ensemble of two small networks for images."""
    params = {"filters": (4,), "units": (), "dropout": 0.0, "epochs": 2}
    ensemble = Architecture(
        "cnn", "two", params, n_networks=2, transformers=(("deskew", Deskewer()),)
    )
    monkeypatch.setitem(ARCHITECTURES, "pair", ensemble)
    return "pair"


def test_an_ensemble_averages_networks_of_different_seeds(pair, digits):
    X, y = digits
    model = make_model(pair, epochs=1, augmentation__rotation=5, random_state=3)
    model.fit(X, y)
    first, second = model[-1].estimators_
    assert (first.epochs, first.augmentation.rotation) == (1, 5)
    deskewed = model[:-1].transform(X)
    probabilities = [each.predict_proba(deskewed) for each in (first, second)]
    assert not np.allclose(*probabilities)
    assert np.allclose(model.predict_proba(X), np.mean(probabilities, axis=0))
    again = clone(model).fit(X, y)
    assert np.array_equal(again.predict_proba(X), model.predict_proba(X))
    assert count_parameters(model) == 2 * first.n_parameters_
    assert search_space(pair) == {"clf__n_estimators": [1, 2, 4]}
    assert registered_name(make_model(pair, random_state=3)) == pair


def test_parameters_of_an_ensemble_are_its_own_or_those_of_its_networks(pair):
    model = make_model(pair, n_estimators=3, filters=(8,), clf__estimator__epochs=3)
    assert model[-1].n_estimators == 3
    assert (model[-1].estimator.filters, model[-1].estimator.epochs) == ((8,), 3)
    for params, message in (
        ({"epoch": 1}, "Did you mean 'epochs'"),
        ({"augmentation__rotate": 1}, "no parameter 'augmentation__rotate'"),
        ({"rotation": 1}, "Did you mean 'augmentation__rotation'"),
        ({"epochs": 1, "clf__estimator__epochs": 1}, "given twice"),
    ):
        with pytest.raises(ValueError, match=message):
            make_model(pair, **params)


def test_an_ensemble_reports_the_epochs_of_all_its_networks(pair, tmp_path):
    model, epochs = make_model(pair, image_shape=(16, 12)), []
    report_epochs(model, lambda done, in_all, logs: epochs.append((done, in_all)))
    for _ in range(2):  # the fits of a comparison
        model.fit(SMALL_IMAGES, SMALL_LABELS)
        assert epochs == [(1, 4), (2, 4), (3, 4), (4, 4)]
        epochs.clear()
    end_reports(model)
    save_model(model, tmp_path / "pair.joblib")
    saved = load_model(tmp_path / "pair.joblib")
    expected = model.predict_proba(SMALL_IMAGES)
    assert np.array_equal(saved.predict_proba(SMALL_IMAGES), expected)


def test_an_ensemble_takes_images_that_are_no_squares(pair):
    model = make_model(pair, epochs=1).fit(SMALL_IMAGES, SMALL_LABELS)
    assert model[-1].estimators_[1].image_shape_ == (16, 12, 1)
    images = SMALL_IMAGES.reshape(24, -1)
    image_set = ImageSet("small", "", (16, 12), images, SMALL_LABELS)
    model = configure(pair, make_model(pair), image_set, seed=1, epochs=1)
    assert model[-1].estimator.image_shape == model[0].image_shape == (16, 12)
    assert model.fit(images, SMALL_LABELS).predict(images[:2]).shape == (2,)
    assert n_epochs(model) == 2
