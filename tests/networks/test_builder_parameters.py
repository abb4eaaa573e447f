"""The arguments of a user's builder, each a parameter of the classifier."""

import functools
import pickle

import numpy as np
import pytest
from builders import dense
from scipy.stats import randint
from sklearn.base import clone
from sklearn.model_selection import (
    GridSearchCV,
    ParameterGrid,
    RandomizedSearchCV,
    validation_curve,
)
from sklearn.pipeline import Pipeline, make_pipeline

from skmnist import ImageScaler, KerasImageClassifier

P = "builder_params__"


def own(builder=dense, **params):
    small = {"epochs": 1, "batch_size": 64, "random_state": 0}
    return KerasImageClassifier(builder=builder, **{**small, **params})


def hidden_units(model):
    return model.model_.layers[-1].input.shape[-1]


def test_an_argument_is_set_and_the_others_stay(digits):
    model = own(builder_params={"activation": "tanh", "units": 3})
    assert model.set_params(**{f"{P}units": 5}) is model
    assert model.builder_params == {"activation": "tanh", "units": 5}
    assert hidden_units(model.fit(*digits)) == 5


def test_arguments_are_listed_with_their_defaults():
    params = own(builder_params={"units": 3}).get_params()
    assert {name: params[name] for name in params if name.startswith(P)} == {
        f"{P}units": 3,
        f"{P}dtype": "float32",
        f"{P}activation": "relu",
    }
    shallow = own(builder_params={"units": 3}).get_params(deep=False)
    assert not any(name.startswith(P) for name in shallow)


def needs_width(input_shape, n_classes, width, *, depth=1, **others):
    return dense(input_shape, n_classes, width * depth, **others)


class Builder:
    def __call__(self, input_shape, n_classes, units=4):
        return dense(input_shape, n_classes, units)

    def build(self, input_shape, n_classes, units=4):
        return dense(input_shape, n_classes, units)


@pytest.mark.parametrize(
    ("builder", "listed"),
    [
        (needs_width, {"depth": 1}),
        (functools.partial(needs_width, width=3), {"width": 3, "depth": 1}),
        (Builder(), {"units": 4}),
        (Builder().build, {"units": 4}),
        (lambda *sizes, **others: None, {}),
        ("no builder", {}),
        (None, {}),
    ],
)
def test_any_kind_of_builder_has_arguments(builder, listed):
    params = own(builder).get_params()
    given = {n.removeprefix(P): v for n, v in params.items() if n.startswith(P)}
    assert given == listed


@pytest.mark.parametrize("start", [None, {}, {"units": 3}])
def test_setting_changes_neither_the_callers_dict_nor_that_of_a_clone(start):
    before = None if start is None else dict(start)
    model = own(builder_params=start)
    twin = clone(model)
    model.set_params(**{f"{P}units": 7})
    assert start == before
    assert twin.builder_params == before
    again = clone(model)
    again.set_params(**{f"{P}units": 9})
    assert model.builder_params == {"units": 7}


def test_a_new_dict_or_builder_at_the_same_time_comes_first():
    model = own(builder_params={"units": 3})
    model.set_params(
        builder=needs_width,
        builder_params={"depth": 2},
        epochs=2,
        **{f"{P}width": 5},
    )
    assert model.builder_params == {"depth": 2, "width": 5}
    assert (model.builder, model.epochs) == (needs_width, 2)


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ({f"{P}unit": 3}, rf"'{P}unit'.*Did you mean '{P}units'\?.*dense\("),
        ({f"{P}n_classes": 3}, "besides the input shape and the number of classes"),
        ({f"{P}units": 3, "epoch": 3}, "epoch"),
        ({f"{P}units": 3, "builder_params": 3}, "must be a dict or None; got 3"),
    ],
)
def test_what_a_builder_does_not_take_is_refused_and_nothing_set(params, message):
    model = own(builder_params={"units": 2})
    with pytest.raises(ValueError, match=message):
        model.set_params(**{"verbose": 2, **params})
    assert model.builder_params == {"units": 2}
    assert "unit" not in vars(model)


def test_a_builder_with_any_keywords_takes_them_all(digits):
    model = own(needs_width).set_params(**{f"{P}width": 3, f"{P}activation": "tanh"})
    assert hidden_units(model.fit(*digits)) == 3
    with pytest.raises(ValueError, match="input_shape"):
        model.set_params(**{f"{P}input_shape": 3})


@pytest.mark.parametrize("prefix", ["", "clf__"])
def test_a_grid_and_a_distribution_search_them(prefix, digits):
    X, y = digits
    model = own()
    if prefix:
        model = Pipeline([("scale", ImageScaler()), ("clf", model)])
    name = f"{prefix}{P}units"
    grid = GridSearchCV(model, {name: [2, 6]}, cv=2, error_score="raise").fit(X, y)
    assert [p[name] for p in grid.cv_results_["params"]] == [2, 6]
    assert len(set(grid.cv_results_["mean_test_score"])) == 2
    best = grid.best_estimator_[-1] if prefix else grid.best_estimator_
    assert hidden_units(best) == grid.best_params_[name]
    found = RandomizedSearchCV(
        model,
        {name: randint(2, 9), f"{prefix}{P}activation": ["tanh", "relu"]},
        n_iter=2,
        cv=2,
        random_state=0,
        error_score="raise",
    ).fit(X, y)
    assert found.best_params_.keys() == {name, f"{prefix}{P}activation"}


def test_a_list_of_dicts_is_searched_as_before(digits):
    grid = {"builder_params": [{"units": 2}, {"units": 6}]}
    search = GridSearchCV(own(), grid, cv=2, error_score="raise").fit(*digits)
    assert (
        hidden_units(search.best_estimator_)
        == search.best_params_["builder_params"]["units"]
    )


def test_two_processes_and_curves_search_them(digits):
    X, y = digits
    search = GridSearchCV(own(), {f"{P}units": [2, 6]}, cv=2, n_jobs=2)
    assert np.isfinite(search.fit(X, y).cv_results_["mean_test_score"]).all()
    _, scores = validation_curve(
        own(), X, y, param_name=f"{P}units", param_range=[2, 6], cv=2
    )
    assert np.isfinite(scores).all()


def test_a_halving_search_may_hand_one_out_as_its_resource(digits):
    from sklearn.experimental import enable_halving_search_cv  # noqa: F401
    from sklearn.model_selection import HalvingGridSearchCV

    search = HalvingGridSearchCV(
        own(),
        {f"{P}activation": ["relu", "tanh"]},
        resource=f"{P}units",
        min_resources=2,
        max_resources=4,
        factor=2,
        cv=2,
    ).fit(*digits)
    assert hidden_units(search.best_estimator_) == 4


def test_a_search_is_drawn_by_their_bare_names(digits):
    import matplotlib.pyplot as plt

    from skmnist.plotting import SearchResultsDisplay

    grid = {"clf__builder_params__units": [2, 6], "clf__learning_rate": [0.001, 0.01]}
    model = Pipeline([("clf", own())])
    search = GridSearchCV(model, grid, cv=2).fit(*digits)
    display = SearchResultsDisplay.from_estimator(search)
    try:
        assert (
            display.ax_.get_ylabel() == "units" or display.ax_.get_xlabel() == "units"
        )
        line = SearchResultsDisplay.from_estimator(search, params="units")
        assert line.params_ == ("clf__builder_params__units",)
    finally:
        plt.close("all")


def test_warm_start_refuses_another_argument_by_its_name(digits):
    model = own(warm_start=True, builder_params={"units": 3}).fit(*digits)
    model.set_params(**{f"{P}units": 4})
    with pytest.raises(ValueError, match="units from 3 to 4"):
        model.fit(*digits)


def test_words_and_copies_of_a_classifier_show_what_was_set():
    model = own().set_params(**{f"{P}units": 5})
    assert "builder_params={'units': 5}" in repr(model)
    assert "units" in model._repr_html_()
    for twin in (clone(model), pickle.loads(pickle.dumps(model))):
        assert twin.get_params() == model.get_params()
    pipeline = make_pipeline(ImageScaler(), model)
    assert pipeline.get_params()[f"kerasimageclassifier__{P}units"] == 5
    assert list(ParameterGrid({f"{P}units": [1]})) == [{f"{P}units": 1}]


class Node:
    def __init__(self, others, layer=None):
        self.others, self.layer = others, layer


def test_arguments_that_refer_to_one_another_are_cloned(keras):
    layer = keras.layers.Dense(3)
    nodes = []
    nodes += [Node(nodes) for _ in range(60)]
    deep = layer
    for _ in range(20):
        deep = [deep]
    nodes[-1].layer = deep
    model = KerasImageClassifier(builder=dense, builder_params={"nodes": nodes})
    copied = clone(model).builder_params["nodes"]
    assert copied is not nodes
    assert copied[0].others is copied
    deep = copied[-1].layer
    for _ in range(20):
        (deep,) = deep
    assert deep is layer
