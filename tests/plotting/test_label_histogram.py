import matplotlib.pyplot as plt
import numpy as np
import pytest

from skmnist.plotting import LabelHistogramDisplay


def heights(bars):
    return [bar.get_height() for bar in bars]


def test_bars_are_as_high_as_labels_are_frequent(digits):
    _, y = digits
    display = LabelHistogramDisplay.from_labels(y)
    assert heights(display.bars_[0]) == np.bincount(y).tolist()
    ticks = [text.get_text() for text in display.ax_.get_xticklabels()]
    assert ticks == [str(label) for label in range(10)]
    assert display.ax_.get_legend() is None


def test_two_sets_share_labels_that_only_one_of_them_has():
    display = LabelHistogramDisplay.from_labels(["b", "a", "b"], ["c", "b"])
    assert display.labels.tolist() == ["a", "b", "c"]
    assert heights(display.bars_[0]) == [1, 2, 0]
    assert heights(display.bars_[1]) == [0, 1, 1]
    texts = [text.get_text() for text in display.ax_.get_legend().get_texts()]
    assert texts == ["training (3)", "test (2)"]


def test_bars_of_two_sets_stand_side_by_side():
    display = LabelHistogramDisplay.from_labels([0, 1], [0, 1])
    first, second = (bars[0] for bars in display.bars_)
    assert first.get_x() + first.get_width() <= second.get_x() + 1e-9


def test_normalized_bars_are_percentages_of_their_own_set():
    display = LabelHistogramDisplay.from_labels(
        [0, 0, 0, 1], [0, 1], set_names=["a", "b"], normalize=True
    )
    assert heights(display.bars_[0]) == [75, 25]
    assert heights(display.bars_[1]) == [50, 50]


@pytest.mark.parametrize(
    ("size", "n_labels", "n_sets", "rotation"),
    [
        ((6.4, 3.6), 10, 1, 0),
        ((6.4, 3.6), 3, 2, 0),
        ((6.4, 3.6), 10, 2, 90),
        ((3.0, 3.6), 10, 1, 90),
        ((3.0, 3.6), 10, 2, None),
        ((6.4, 3.6), 60, 1, None),
    ],
)
def test_numbers_stand_above_bars_where_they_fit(size, n_labels, n_sets, rotation):
    _, ax = plt.subplots(figsize=size)
    y = np.repeat(np.arange(n_labels), 1234)
    LabelHistogramDisplay.from_labels(*[y] * n_sets, ax=ax)
    assert len(ax.texts) == (0 if rotation is None else n_labels * n_sets)
    assert all(text.get_rotation() == rotation for text in ax.texts)
    boxes = [text.get_window_extent() for text in ax.texts]
    assert not any(b.overlaps(o) for i, b in enumerate(boxes) for o in boxes[:i])
    assert all(box.y1 <= ax.get_window_extent().y1 + 1 for box in boxes)


def test_draws_into_given_axes():
    figure, ax = plt.subplots()
    display = LabelHistogramDisplay.from_labels([1, 2], ax=ax)
    assert display.ax_ is ax
    assert display.figure_ is figure
    assert plt.get_fignums() == [figure.number]


def test_can_be_drawn_again_elsewhere():
    display = LabelHistogramDisplay.from_labels([1, 2, 2])
    first = display.figure_
    assert display.plot() is display
    assert display.figure_ is not first
    assert heights(display.bars_[0]) == [1, 2]


@pytest.mark.parametrize(
    ("sets", "names", "message"),
    [
        (([],), None, "y is empty"),
        (([1], []), None, "y_test is empty"),
        (([1], [2]), ["only one"], "each of the 2 set"),
        (([0.5, 1.5],), None, "continuous"),
    ],
)
def test_refuses_what_are_no_labels(sets, names, message):
    with pytest.raises(ValueError, match=message):
        LabelHistogramDisplay.from_labels(*sets, set_names=names)
    assert plt.get_fignums() == []
