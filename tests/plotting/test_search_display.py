import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import make_classification
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.exceptions import FitFailedWarning, NotFittedError
from sklearn.experimental import enable_halving_search_cv  # noqa: F401
from sklearn.model_selection import GridSearchCV, HalvingGridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.pipeline import Pipeline
from sklearn.tree import DecisionTreeClassifier

from skmnist.plotting import SearchResultsDisplay


def results(params, means, spreads=None):
    spreads = np.zeros(len(means)) if spreads is None else spreads
    return {
        "params": params,
        "mean_test_score": np.array(means, float),
        "std_test_score": np.array(spreads, float),
    }


GRID = results(
    [
        {"clf__units": units, "clf__dropout": rate, "clf__epochs": epochs}
        for units in (64, 256, 16)
        for rate in (0.5, 0.0)
        for epochs in (5, 10)
    ],
    # By units 64, 256, 16, in each by rate 0.5, 0.0, in each by epochs 5, 10.
    [0.80, 0.82, 0.86, 0.85, 0.90, 0.93, 0.92, 0.91, 0.5, 0.6, 0.7, np.nan],
    np.arange(12) / 100,
)


def test_heat_map_shows_the_best_candidate_of_each_pair():
    display = SearchResultsDisplay.from_results(
        GRID, params=["clf__units", "clf__dropout"]
    )
    assert display.kind_ == "heatmap"
    assert display.values_ == ([16, 64, 256], [0.0, 0.5])
    expected = [[0.7, 0.86, 0.92], [0.6, 0.82, 0.93]]
    np.testing.assert_array_equal(display.scores_, expected)
    np.testing.assert_array_equal(display.image_.get_array(), expected)
    np.testing.assert_allclose(
        display.spreads_, [[0.10, 0.02, 0.06], [0.09, 0.01, 0.05]]
    )
    assert display.text_[1, 2].get_text() == "0.930"
    assert display.best_ == {"clf__units": 256, "clf__dropout": 0.5}
    (frame,) = display.ax_.patches
    assert (frame.get_x(), frame.get_y()) == (1.5, 0.5)
    axes = display.ax_.get_xlabel(), display.ax_.get_ylabel()
    assert axes == ("units", "dropout")
    assert display.colorbar_.ax.get_ylabel() == "mean score\n(best over epochs)"
    assert [t.get_text() for t in display.ax_.get_xticklabels()] == ["16", "64", "256"]


def test_parameters_that_make_the_largest_difference_are_chosen():
    # Best score by units: 0.7 to 0.93, by rate: 0.92 to 0.93, by epochs: 0.92 to 0.93.
    display = SearchResultsDisplay.from_results(GRID)
    assert display.params_[0] == "clf__units"
    only = results([{"a": 1, "b": 2}, {"a": 3, "b": 2}], [0.1, 0.2])
    assert SearchResultsDisplay.from_results(only).params_ == ("a",)


def test_line_over_one_parameter_with_its_spread():
    display = SearchResultsDisplay.from_results(GRID, params="units")
    assert display.kind_ == "line"
    assert display.line_.get_xydata().tolist() == [[16, 0.7], [64, 0.86], [256, 0.93]]
    (band,) = display.band_.get_paths()
    at_64 = band.vertices[band.vertices[:, 0] == 64][:, 1]
    np.testing.assert_allclose([at_64.min(), at_64.max()], [0.86 - 0.02, 0.86 + 0.02])
    assert display.best_ == {"clf__units": 256}
    assert display.ax_.get_ylabel() == "mean score\n(best over dropout, epochs)"


def test_values_that_are_no_numbers_are_not_joined_by_a_line():
    display = SearchResultsDisplay.from_results(
        results(
            [{"optimizer": name} for name in ("sgd", "adam", None)],
            [0.8, 0.9, 0.7],
            [0.01, 0.02, 0.03],
        )
    )
    assert display.values_ == (["sgd", "adam", None],)
    assert display.ax_.get_ylabel() == "mean score"
    assert display.line_.get_linestyle() == "None"
    assert list(display.line_.get_ydata()) == [0.8, 0.9, 0.7]
    ends = [segment[:, 1].tolist() for segment in display.band_.get_segments()]
    np.testing.assert_allclose(ends, [[0.79, 0.81], [0.88, 0.92], [0.67, 0.73]])
    texts = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert texts == ["sgd", "adam", "None"]


def test_random_candidates_of_two_numbers_are_points():
    rng = np.random.default_rng(0)
    drawn = [{"C": c, "gamma": g} for c, g in 10 ** rng.uniform(-3, 3, (12, 2))]
    means = rng.random(12)
    display = SearchResultsDisplay.from_results(results(drawn, means))
    assert display.kind_ == "points"
    assert display.ax_.get_xscale() == display.ax_.get_yscale() == "log"
    placed = {
        tuple(position): score
        for position, score in zip(
            display.image_.get_offsets().tolist(),
            display.image_.get_array(),
            strict=True,
        )
    }
    assert placed == {
        (p["C"], p["gamma"]): mean for p, mean in zip(drawn, means, strict=True)
    }


def test_random_candidates_over_one_of_two_parameters_are_not_joined():
    rng = np.random.default_rng(0)
    drawn = [{"C": c, "gamma": g} for c, g in rng.random((8, 2))]
    display = SearchResultsDisplay.from_results(
        results(drawn, rng.random(8)), params="C"
    )
    assert display.line_.get_linestyle() == "None"


def test_values_of_different_kinds():
    values = [(64, 32), (128,), [64, 64], np.int64(16), 16]
    display = SearchResultsDisplay.from_results(
        results([{"units": value} for value in values], [0.1, 0.2, 0.3, 0.4, 0.5])
    )
    assert display.values_ == ([(64, 32), (128,), [64, 64], 16],)
    assert display.scores_.tolist() == [0.1, 0.2, 0.3, 0.5]


def test_parameters_that_not_all_candidates_have():
    params = [
        {"kernel": "linear"},
        {"kernel": "rbf", "g": 1},
        {"kernel": "rbf", "g": 2},
    ]
    display = SearchResultsDisplay.from_results(
        results(params, [0.9, 0.5, 0.6]), params=["g", "kernel"]
    )
    assert display.values_ == ([1, 2], ["rbf"])
    np.testing.assert_array_equal(display.scores_, [[0.5, 0.6]])
    assert display.best_ == {"g": 2, "kernel": "rbf"}  # of those that are shown


def test_parameters_without_a_score_are_not_chosen_and_cannot_be_shown():
    params = [{"C": 1}, {"C": 2}, {"C": 1, "g": 1}, {"C": 1, "g": 2}]
    failed = results(params, [0.8, 0.9, np.nan, np.nan])
    assert SearchResultsDisplay.from_results(failed).params_ == ("C",)
    plt.close("all")
    with pytest.raises(ValueError, match="no candidate that has g and C has a score"):
        SearchResultsDisplay.from_results(failed, params=["g", "C"])
    assert plt.get_fignums() == []


def test_parameters_that_never_meet_are_not_shown_together():
    apart = results(
        [{"a": 1}, {"a": 2}, {"b": 1}, {"b": 2}, {"b": 3}], [0.1, 0.9, 0.4, 0.5, 0.5]
    )
    assert SearchResultsDisplay.from_results(apart).params_ == ("a",)
    with pytest.raises(ValueError, match="no candidate that has a and b"):
        SearchResultsDisplay.from_results(apart, params=["a", "b"])


def test_fitted_search_in_which_some_candidates_failed():
    X, y = make_classification(60, random_state=0)
    search = GridSearchCV(
        Pipeline([("clf", DecisionTreeClassifier(random_state=0))]),
        {"clf__max_depth": [1, 2, -1], "clf__min_samples_leaf": [1, 20]},
        cv=3,
    )
    with pytest.warns((FitFailedWarning, UserWarning)):
        search.fit(X, y)
    before = {name: np.copy(values) for name, values in search.cv_results_.items()}
    display = SearchResultsDisplay.from_estimator(search)
    assert display.values_ == ([-1, 1, 2], [1, 20])
    assert np.isnan(display.scores_[:, 0]).all()
    assert display.text_[0, 0].get_text() == "–"
    assert np.nanmax(display.scores_) == search.best_score_
    assert display.best_ == search.best_params_
    for name, values in before.items():
        np.testing.assert_array_equal(search.cv_results_[name], values)


def test_halving_search_counts_each_candidate_by_its_last_round():
    X, y = make_classification(120, random_state=0)
    search = HalvingGridSearchCV(
        DecisionTreeClassifier(random_state=0),
        {"max_depth": [1, 2, 3, 4]},
        cv=3,
        min_resources=30,
        random_state=0,
    ).fit(X, y)
    display = SearchResultsDisplay.from_estimator(search)
    table = pd.DataFrame(search.cv_results_)
    last = table.groupby("param_max_depth")["mean_test_score"].last()
    assert display.scores_.tolist() == last.loc[[1, 2, 3, 4]].tolist()
    frame = SearchResultsDisplay.from_results(table)
    assert frame.scores_.tolist() == display.scores_.tolist()


def halved(resource, seed):
    X, y = make_classification(400, random_state=seed)
    return HalvingGridSearchCV(
        GradientBoostingClassifier(n_estimators=4, random_state=0),
        {"max_depth": [1, 2, 3], "min_samples_leaf": [1, 40]},
        resource=resource,
        min_resources={"n_samples": 50, "n_estimators": 1}[resource],
        max_resources={"n_samples": 200, "n_estimators": 4}[resource],
        factor=2,
        cv=3,
        random_state=seed,
    ).fit(X, y)


@pytest.mark.parametrize(
    ("resource", "seed"), [("n_samples", 2), ("n_samples", 8), ("n_estimators", 7)]
)
def test_the_best_of_a_halving_search_is_that_of_its_last_round(resource, seed):
    search = halved(resource, seed)
    table = pd.DataFrame(search.cv_results_)
    assert table["mean_test_score"].max() > search.best_score_  # of an earlier round
    names = ["max_depth", "min_samples_leaf"]
    display = SearchResultsDisplay.from_estimator(search)
    assert display.params_ == tuple(names)
    assert display.best_ == {name: search.best_params_[name] for name in names}
    last = table.groupby([f"param_{name}" for name in names])["mean_test_score"].last()
    np.testing.assert_array_equal(display.scores_.T.ravel(), last)
    (frame,) = display.ax_.patches
    i, j = round(frame.get_y() + 0.5), round(frame.get_x() + 0.5)
    assert [display.values_[0][j], display.values_[1][i]] == list(
        display.best_.values()
    )


def test_the_first_of_equal_candidates_is_the_best():
    grid = results([{"a": 3}, {"a": 1}, {"a": 2}], [0.5, 0.5, 0.4])
    assert SearchResultsDisplay.from_results(grid).best_ == {"a": 3}


@pytest.mark.parametrize("kind", ["line", "points"])
def test_the_best_is_marked(kind):
    places = [(1, 2), (2, 3), (3, 1), (4, 5), (5, 4)]
    params = [{"a": a} if kind == "line" else {"a": a, "b": b} for a, b in places]
    display = SearchResultsDisplay.from_results(
        results(params, [0.3, 0.2, 0.9, 0.1, 0.5])
    )
    assert display.kind_ == kind
    if kind == "line":
        mark = display.ax_.lines[-1].get_xydata()
    else:
        mark = display.ax_.collections[-1].get_offsets()
    assert np.asarray(mark).tolist() == [[3.0, 0.9 if kind == "line" else 1.0]]


def test_metric_of_a_search_by_several():
    several = {
        **results([{"a": 1}, {"a": 2}], [0.1, 0.2]),
        "mean_test_neg_log_loss": np.array([-0.3, -0.4]),
    }
    display = SearchResultsDisplay.from_results(several, metric="neg_log_loss")
    assert list(display.line_.get_ydata()) == [-0.3, -0.4]
    assert display.ax_.get_ylabel() == "neg log loss"
    with pytest.raises(ValueError, match="'score', 'neg_log_loss'"):
        SearchResultsDisplay.from_results(several, metric="f1")


def test_given_axes():
    figure, ax = plt.subplots()
    display = SearchResultsDisplay.from_results(GRID, ax=ax)
    assert display.ax_ is ax
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize(
    ("params", "message"),
    [
        ("filters", "no parameter 'filters'.*clf__units"),
        (["units", "dropout", "epochs"], "one or two"),
        (["units", "units"], "one or two"),
        ([], "one or two"),
    ],
)
def test_refuses_parameters_that_are_not_there(params, message):
    with pytest.raises(ValueError, match=message):
        SearchResultsDisplay.from_results(GRID, params=params)
    assert plt.get_fignums() == []


def test_refuses_what_shows_nothing():
    with pytest.raises(ValueError, match="nothing to compare"):
        SearchResultsDisplay.from_results(results([{"a": 1}], [0.5]))
    with pytest.raises(ValueError, match="All candidates"):
        SearchResultsDisplay.from_results(results([{"a": 1}, {"a": 2}], [np.nan] * 2))
    with pytest.raises(ValueError, match="none"):
        SearchResultsDisplay.from_results({})
    with pytest.raises(NotFittedError):
        SearchResultsDisplay.from_estimator(GridSearchCV(GaussianNB(), {}))
    fitted = GaussianNB().fit([[0.0], [1.0]], [0, 1])
    with pytest.raises(TypeError, match="GaussianNB"):
        SearchResultsDisplay.from_estimator(fitted)
