"""Learning curves of several candidates in one chart."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import to_hex

from skmnist.plotting import CandidateHistoriesDisplay

HISTORIES = {
    f"units={n}": [{"loss": [1 / n, 0.5 / n], "accuracy": [0.5, 0.6]} for _ in range(2)]
    for n in range(1, 7)
}


@pytest.fixture(autouse=True)
def close():
    yield
    plt.close("all")


def test_each_training_is_a_line():
    display = CandidateHistoriesDisplay.from_histories(HISTORIES)
    assert display.metric == "loss"
    assert list(display.lines_) == list(HISTORIES)
    for name, lines in display.lines_.items():
        assert len(lines) == 2
        for line in lines:
            np.testing.assert_array_equal(line.get_xdata(), [1, 2])
            np.testing.assert_array_equal(line.get_ydata(), HISTORIES[name][0]["loss"])


def test_the_first_candidates_are_told_apart():
    display = CandidateHistoriesDisplay.from_histories(HISTORIES)
    colors = [to_hex(lines[0].get_color()) for lines in display.lines_.values()]
    assert len(set(colors[:4])) == 4
    assert len(set(colors[4:])) == 1
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["units=1", "units=2", "units=3", "units=4", "2 others"]


def test_other_candidates_than_colours():
    histories = dict(list(HISTORIES.items())[:2])
    display = CandidateHistoriesDisplay.from_histories(histories, n_colored=1)
    labels = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert labels == ["units=1", "the only other"]


def test_validation_is_preferred_where_all_have_it():
    validated = {"a": {"loss": [1.0], "val_loss": [2.0]}}
    assert CandidateHistoriesDisplay.from_histories(validated).metric == "val_loss"
    both = {**validated, "b": {"loss": [1.0]}}
    assert CandidateHistoriesDisplay.from_histories(both).metric == "loss"


def test_trainings_may_differ_in_length():
    histories = {"a": [{"loss": [1, 2, 3]}, {"loss": [1]}]}
    display = CandidateHistoriesDisplay.from_histories(histories)
    assert [len(line.get_xdata()) for line in display.lines_["a"]] == [3, 1]


@pytest.mark.parametrize(
    ("histories", "settings", "message"),
    [
        ({}, {}, "empty"),
        (HISTORIES, {"metric": "auc"}, "'auc' is not in the history of units=1; all"),
        (HISTORIES, {"n_colored": 9}, "n_colored must be 0 to 4; got 9"),
        ({"a": [{"loss": []}]}, {}, "history must"),
    ],
    ids=["none", "metric", "colours", "no epochs"],
)
def test_bad_arguments_are_refused(histories, settings, message):
    with pytest.raises(ValueError, match=message):
        CandidateHistoriesDisplay.from_histories(histories, **settings)
