import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.naive_bayes import GaussianNB
from sklearn.svm import LinearSVC

from skmnist.evaluation import evaluate
from skmnist.plotting import RejectionCurveDisplay

REJECTED = [0.0, 0.01, 0.02, 0.05, 0.1, 0.5]
ACCURACY = [0.96, 0.965, 0.97, 0.98, 0.99, 1.0]


@pytest.fixture(scope="module")
def model(digits):
    X, y = digits
    return GaussianNB(var_smoothing=0.01).fit(X[:150], y[:150])


def test_the_curve_is_that_of_the_evaluation(model, digits):
    X, y = digits
    result = evaluate(model, X, y)
    for display in (
        RejectionCurveDisplay.from_estimator(model, X, y, max_rejected=1),
        RejectionCurveDisplay.from_evaluation(result, max_rejected=1),
    ):
        across, up = display.line_.get_data()
        np.testing.assert_array_equal(across, result.rejection["rejected"])
        np.testing.assert_array_equal(up, result.rejection["accuracy"])
        assert up[0] == model.score(X, y) < up[-1]


def test_no_curve_is_above_the_best_possible_one(model, digits):
    display = RejectionCurveDisplay.from_estimator(model, *digits, max_rejected=1)
    best = np.interp(display.rejected, *display.ref_line_.get_data())
    assert (display.accuracy <= best + 1e-4).all()
    # It reaches 100 % where as many images are rejected as are misclassified.
    across, up = display.ref_line_.get_data()
    reached = across[np.flatnonzero(up == 1)[0]]
    assert reached == pytest.approx(1 - display.accuracy[0], abs=0.01)


@pytest.mark.parametrize(
    ("accuracy", "max_rejected", "end"),
    [(0.96, None, 0.1), (0.999, None, 0.02), (0.3, None, 0.5), (0.96, 0.03, 0.02)],
    ids=["good", "very good", "weak", "given"],
)
def test_the_curve_ends_where_there_is_little_to_gain(accuracy, max_rejected, end):
    display = RejectionCurveDisplay(REJECTED, [accuracy, *ACCURACY[1:]])
    assert display.plot(max_rejected=max_rejected).line_.get_xdata()[-1] == end


def test_images_rejected_by_the_model_itself_are_on_the_curve():
    display = RejectionCurveDisplay([0.2, 0.3], [1.0, 1.0]).plot(max_rejected=0.1)
    assert display.line_.get_xdata().tolist() == [0.2]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("accuracy", [0.0, 1.0])
def test_a_model_that_is_always_wrong_or_right_has_a_flat_curve(accuracy):
    display = RejectionCurveDisplay([0.0, 0.5], [accuracy, accuracy]).plot()
    assert set(display.ref_line_.get_ydata()) == {accuracy}


def test_curves_of_several_models_share_axes():
    _, ax = plt.subplots()
    for name, color in ("a", "black"), ("b", "red"):
        display = RejectionCurveDisplay(REJECTED, ACCURACY, name=name)
        display.plot(ax, ref_line=False, line_kw={"color": color, "lw": 3})
        assert display.ax_ is ax
        assert display.ref_line_ is None
    assert [line.get_color() for line in ax.lines] == ["black", "red"]
    assert [line.get_linewidth() for line in ax.lines] == [3, 3]
    texts = [text.get_text() for text in ax.get_legend().get_texts()]
    assert texts == ["a", "b"]
    assert len(plt.get_fignums()) == 1


def test_a_classifier_without_probabilities_is_refused(digits):
    model = LinearSVC(random_state=0).fit(*digits)
    with pytest.raises(TypeError, match="predict_proba"):
        RejectionCurveDisplay.from_estimator(model, *digits)


@pytest.mark.parametrize("max_rejected", [0, 1.5, -1, float("nan")])
def test_an_end_that_is_no_fraction_is_refused(max_rejected):
    with pytest.raises(ValueError, match=r"max_rejected must be in \(0, 1\]"):
        RejectionCurveDisplay(REJECTED, ACCURACY).plot(max_rejected=max_rejected)
    assert plt.get_fignums() == []
