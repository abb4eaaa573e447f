import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from sklearn.dummy import DummyClassifier
from sklearn.naive_bayes import GaussianNB
from sklearn.neighbors import KNeighborsClassifier

from skmnist.evaluation import compare
from skmnist.plotting import ModelComparisonDisplay


@pytest.fixture
def table():
    return pd.DataFrame(
        {
            "accuracy": [0.99, 0.985, 0.90, np.nan],
            "accuracy_se": [0.002, 0.003, 0.02, np.nan],
            "fit_time": [20.0, 1.0, 0.01, np.nan],
            "predict_time_us": [50.0, 2.0, 400.0, np.nan],
            "verdict": ["best", "no clear difference", "worse", "failed"],
            "error_message": [None, None, None, "ValueError: no"],
        },
        index=["cnn", "mlp", "trees", "broken"],
    )


def points(display, kind):
    """Position of each point by verdict."""
    return {
        verdict: np.asarray(dots.get_offsets()).tolist()
        for verdict, dots in display.points_[kind].items()
    }


def test_points_are_time_and_accuracy_by_verdict(table):
    display = ModelComparisonDisplay.from_table(table)
    assert points(display, "fit_time") == {
        "best": [[20.0, 0.99]],
        "no clear difference": [[1.0, 0.985]],
        "worse": [[0.01, 0.90]],
    }
    assert points(display, "predict_time")["worse"] == [[400.0, 0.90]]


def test_bars_are_one_standard_error_long(table):
    display = ModelComparisonDisplay.from_table(table)
    for kind, times in (("fit_time", [20, 1, 0.01]), ("predict_time", [50, 2, 400])):
        (bars,) = display.errorbars_[kind].lines[2]
        ends = np.array(bars.get_segments())
        np.testing.assert_allclose(ends[:, :, 0], np.transpose([times, times]))
        np.testing.assert_allclose(
            ends[:, :, 1], [[0.988, 0.992], [0.982, 0.988], [0.88, 0.92]]
        )


def test_no_bar_reaches_beyond_what_is_possible(table):
    table.loc["cnn", ["accuracy", "accuracy_se"]] = 0.999, 0.01
    display = ModelComparisonDisplay.from_table(table)
    (bars,) = display.errorbars_["fit_time"].lines[2]
    assert np.array(bars.get_segments())[0, :, 1].tolist() == [0.989, 1.0]


def test_every_model_is_named_and_failed_ones_in_the_legend(table):
    display = ModelComparisonDisplay.from_table(table)
    for labels in display.labels_.values():
        assert [label.get_text() for label in labels.values()] == [
            "cnn",
            "mlp",
            "trees",
        ]
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == ["best", "no clear difference", "worse", "failed: broken"]


def test_a_model_without_a_time_is_left_out_of_its_chart_and_said_to_be(table):
    table.loc["cnn", "fit_time"] = np.nan
    table.loc["mlp", "predict_time_us"] = np.inf
    display = ModelComparisonDisplay.from_table(table)
    assert list(points(display, "fit_time")) == ["no clear difference", "worse"]
    assert points(display, "predict_time") == {
        "best": [[50.0, 0.99]],
        "worse": [[400.0, 0.90]],
    }
    assert set(display.labels_["fit_time"]) == {"mlp", "trees"}
    for kind in ("fit_time", "predict_time"):
        (bars,) = display.errorbars_[kind].lines[2]
        assert len(bars.get_segments()) == 2
    assert display.axes_[0].get_ylim() == display.axes_[1].get_ylim()
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == [
        "best",
        "no clear difference",
        "worse",
        "failed: broken",
        "no fit_time: cnn",
        "no predict_time: mlp",
    ]
    plt.close("all")
    table["fit_time"] = np.nan
    with pytest.raises(ValueError, match="has a time for kind='fit_time'"):
        ModelComparisonDisplay.from_table(table)
    assert plt.get_fignums() == []


@pytest.mark.parametrize("verdict", [None, np.nan, "winner"])
def test_a_model_without_a_known_verdict_has_a_point_too(table, verdict):
    table.loc["mlp", "verdict"] = verdict
    display = ModelComparisonDisplay.from_table(table, kind="fit_time")
    assert points(display, "fit_time")["no verdict"] == [[1.0, 0.985]]
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == ["best", "worse", "no verdict", "failed: broken"]


def test_marker_of_the_best_is_filled_and_that_of_worse_ones_is_hollow(table):
    dots = ModelComparisonDisplay.from_table(table).points_["fit_time"]
    (best,) = dots["best"].get_facecolor()
    assert best[3] == 1
    assert best.tolist() == dots["best"].get_edgecolor()[0].tolist()
    assert len(dots["worse"].get_facecolor()) == 0


def test_names_do_not_cover_each_other_nor_leave_the_chart():
    rng = np.random.default_rng(0)
    n = 15
    crowded = pd.DataFrame(
        {
            "accuracy": rng.uniform(0.96, 0.985, n),
            "accuracy_se": 0.002,
            "fit_time": 10 ** rng.uniform(-1, 1, n),
            "predict_time_us": 10.0,
        },
        index=[f"model_number_{i}" for i in range(n)],
    )
    display = ModelComparisonDisplay.from_table(crowded, kind="fit_time")
    figure, (ax,) = display.figure_, display.axes_
    figure.canvas.draw()
    boxes = [
        label.get_window_extent() for label in display.labels_["fit_time"].values()
    ]
    overlaps = [(a, b) for i, a in enumerate(boxes) for b in boxes[:i] if a.overlaps(b)]
    assert overlaps == []
    frame = ax.get_window_extent().padded(1)
    assert all(frame.containsx(box.x0) and frame.containsx(box.x1) for box in boxes)


def test_wide_differences_are_spread_by_the_error(table):
    display = ModelComparisonDisplay.from_table(table)
    height = display.axes_[0].transData.transform
    steps = [height((1, a))[1] for a in (0.90, 0.95, 0.975)]
    np.testing.assert_allclose(steps[1] - steps[0], steps[2] - steps[1], rtol=0.1)
    assert "log error scale" in display.axes_[0].get_ylabel()
    linear = ModelComparisonDisplay.from_table(table, scale="linear")
    assert linear.axes_[0].get_yscale() == "linear"
    assert "log" not in linear.axes_[0].get_ylabel()
    small = table.iloc[:2]
    assert ModelComparisonDisplay.from_table(small).axes_[0].get_yscale() == "linear"


def test_times_of_one_order_of_magnitude_have_ticks_to_read_them_by(table):
    table["fit_time"] = np.linspace(2.1, 3.4, len(table))
    display = ModelComparisonDisplay.from_table(table)
    panel = display.axes_[0]
    low, high = panel.get_xlim()
    assert sum(low <= tick <= high for tick in panel.get_xticks()) >= 2


def test_ticks_are_written_as_the_accuracies_that_they_stand_for(table):
    display = ModelComparisonDisplay.from_table(table)
    ax = display.axes_[0]
    texts = [float(text.get_text().rstrip(" %")) for text in ax.get_yticklabels()]
    np.testing.assert_allclose(texts, 100 * ax.get_yticks())
    assert len(texts) >= 4


@pytest.mark.parametrize("scale", ["error", "linear"])
def test_a_perfect_model_and_a_useless_one_are_inside_the_chart(table, scale):
    table.loc["cnn", ["accuracy", "accuracy_se"]] = 1.0, 0.0
    table.loc["trees", ["accuracy", "accuracy_se", "fit_time"]] = 0.0, 0.0, 0.0
    display = ModelComparisonDisplay.from_table(table, scale=scale)
    low, high = display.axes_[0].get_ylim()
    assert low < 0.0
    assert high > 1.0
    positions = display.points_["fit_time"]
    assert np.isfinite(
        display.axes_[0].transData.transform(positions["worse"].get_offsets())
    ).all()


def test_models_that_all_reach_the_same():
    same = pd.DataFrame(
        {
            "accuracy": [1.0, 1.0],
            "accuracy_se": 0.0,
            "fit_time": 1.0,
            "predict_time_us": 1.0,
        },
        index=["a", "b"],
    )
    display = ModelComparisonDisplay.from_table(same, scale="error")
    assert np.isfinite(display.axes_[0].get_ylim()).all()


def test_table_of_a_comparison_is_taken_as_it_is(digits):
    X, y = digits
    models = {
        "bayes": GaussianNB(),
        "guess": DummyClassifier(),
        "neighbours": KNeighborsClassifier(1),
    }
    table = compare(models, X, y, cv=3, random_state=0)
    before = table.copy()
    display = ModelComparisonDisplay.from_table(
        table, kind="predict_time", scale="error"
    )
    pd.testing.assert_frame_equal(table, before)
    placed = np.concatenate(list(points(display, "predict_time").values()))
    assert {tuple(point) for point in placed.tolist()} == set(
        zip(table["predict_time_us"], table["accuracy"], strict=True)
    )


def test_a_model_hardly_better_than_chance_does_not_flatten_the_chart(table):
    usual = ModelComparisonDisplay.from_table(table).axes_[0].get_ylim()
    table.loc["dummy"] = table.loc["trees"]
    table.loc["dummy", "accuracy"] = 0.1
    display = ModelComparisonDisplay.from_table(table)
    assert display.axes_[0].get_ylim() == usual
    assert "dummy" not in display.labels_["fit_time"]
    assert "not shown: dummy (10 %)" in display.axes_[0].get_xlabel()
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert not any("dummy" in text for text in legend)
    # Asked for, or one of few, it is drawn.
    whole = ModelComparisonDisplay.from_table(table, scale="error")
    assert "dummy" in whole.labels_["fit_time"]
    two = ModelComparisonDisplay.from_table(table.loc[["cnn", "dummy"]])
    assert "dummy" in two.labels_["fit_time"]


def test_given_axes(table):
    figure, axes = plt.subplots(1, 2)
    display = ModelComparisonDisplay.from_table(table, ax=axes)
    assert display.axes_.tolist() == axes.tolist()
    assert axes[0].get_ylim() == axes[1].get_ylim()
    assert plt.get_fignums() == [figure.number]


@pytest.mark.parametrize("layout", [None, "constrained"])
def test_charts_inside_one_axes_keep_clear_of_each_other_and_of_the_neighbour(
    table, layout
):
    figure, (neighbour, ax) = plt.subplots(1, 2, figsize=(10, 4), layout=layout)
    display = ModelComparisonDisplay.from_table(table, ax=ax)
    figure.canvas.draw()
    first, second = display.axes_
    label = first.yaxis.label.get_window_extent()
    assert label.x0 > neighbour.get_window_extent().x1
    assert not any(
        text.get_window_extent().overlaps(label) for text in first.get_yticklabels()
    )
    labels = [panel.xaxis.label.get_window_extent() for panel in (first, second)]
    assert labels[1].x0 - labels[0].x1 > 0.1 * figure.dpi
    assert min(label.y0 for label in labels) > 0


def test_a_name_that_is_as_near_to_another_point_is_joined_to_its_own():
    close = pd.DataFrame(
        {
            "accuracy": [0.97, 0.971, 0.969, 0.9705],
            "accuracy_se": 0.0001,
            "fit_time": [1.0, 1.01, 1.02, 1.03],
            "predict_time_us": 1.0,
        },
        index=["one", "two", "three", "four"],
    )
    display = ModelComparisonDisplay.from_table(close, kind="fit_time")
    (ax,) = display.axes_
    unit = display.figure_.dpi / 72
    display.figure_.canvas.draw()
    starts = [
        tuple(line.get_xydata()[0].round(6))
        for line in ax.lines
        if len(line.get_xydata()) == 2
    ]
    centers = ax.transData.transform(close[["fit_time", "accuracy"]].to_numpy())
    for i, name in enumerate(close.index):
        box = display.labels_["fit_time"][name].get_window_extent()
        near = np.clip(centers, (box.x0, box.y0), (box.x1, box.y1))
        gaps = np.hypot(*(centers - near).T)
        own, other = gaps[i], np.delete(gaps, i).min()
        joined = tuple(close[["fit_time", "accuracy"]].iloc[i].round(6)) in starts
        assert joined or other > own + unit


def test_refuses_what_is_no_comparison(table):
    with pytest.raises(ValueError, match="lacks fit_time, predict_time_us"):
        ModelComparisonDisplay.from_table(table[["accuracy", "accuracy_se"]])
    with pytest.raises(ValueError, match="all have failed"):
        ModelComparisonDisplay.from_table(table.loc[["broken"]])
    with pytest.raises(ValueError, match="several rows named 'cnn'"):
        ModelComparisonDisplay.from_table(table.rename({"mlp": "cnn"}))
    in_percent = table.assign(accuracy=100 * table["accuracy"])
    with pytest.raises(ValueError, match="from 0 to 1; got values from 90 to 99"):
        ModelComparisonDisplay.from_table(in_percent)
    with pytest.raises(ValueError, match="accuracy_se must not be negative"):
        ModelComparisonDisplay.from_table(table.assign(accuracy_se=-0.1))
    with pytest.raises(ValueError, match="kind"):
        ModelComparisonDisplay.from_table(table, kind="memory")
    with pytest.raises(ValueError, match="scale"):
        ModelComparisonDisplay.from_table(table, scale="log")
    assert plt.get_fignums() == []
