import matplotlib.pyplot as plt
import numpy as np
import pytest
from sklearn.exceptions import NotFittedError
from sklearn.frozen import FrozenEstimator
from sklearn.model_selection import GridSearchCV
from sklearn.naive_bayes import GaussianNB
from sklearn.neural_network import MLPClassifier
from sklearn.pipeline import make_pipeline

from skmnist import KerasMLPClassifier
from skmnist.plotting import TrainingHistoryDisplay

HISTORY = {
    "accuracy": [0.5, 0.7, 0.8, 0.9],
    "loss": [1.0, 0.6, 0.4, 0.3],
    "val_accuracy": [0.5, 0.6, 0.8, 0.7],
    "val_loss": [0.9, 0.5, 0.6, 0.7],
}


def test_curves_are_the_history_by_epoch():
    display = TrainingHistoryDisplay.from_history(HISTORY)
    assert set(display.lines_) == set(HISTORY)
    for name, line in display.lines_.items():
        assert line.get_xdata().tolist() == [1, 2, 3, 4]
        assert list(line.get_ydata()) == HISTORY[name]
    assert [ax.get_title(loc="left") for ax in display.axes_] == ["loss", "accuracy"]
    loss, accuracy = display.axes_
    assert display.lines_["val_loss"].axes is display.lines_["loss"].axes is loss
    assert display.lines_["val_accuracy"].axes is accuracy
    display.figure_.canvas.draw()
    ticks = dict(
        zip(
            accuracy.get_yticks().round(9),
            (t.get_text() for t in accuracy.get_yticklabels()),
            strict=True,
        )
    )
    assert ticks[0.8] == "80 %"


def test_epoch_of_least_validation_loss_is_marked_in_every_chart():
    display = TrainingHistoryDisplay.from_history(HISTORY)
    assert display.best_epoch == 2
    assert [line.get_xdata()[0] for line in display.best_lines_] == [2, 2]
    (circle,) = [
        line for line in display.axes_[0].lines if line.get_markerfacecolor() == "none"
    ]
    assert circle.get_xydata().tolist() == [[2, 0.5]]
    legend = [text.get_text() for text in display.axes_[0].get_legend().get_texts()]
    assert legend == ["training", "validation", "best epoch: 2"]


@pytest.mark.parametrize(
    ("history", "monitor", "best"),
    [
        (HISTORY, "val_accuracy", 3),
        (HISTORY, "loss", 4),
        ({"loss": [2, 1], "val_error": [0.3, 0.4]}, None, 1),
        ({"loss": [1, 2], "val_mae": [0.2, 0.1]}, None, 2),
        ({"val_sparse_categorical_crossentropy": [0.2, 0.1]}, None, 2),
        ({"val_auc_1": [0.2, 0.1], "val_mean_squared_error": [3, 2]}, None, 1),
        ({"val_ink": [0.2, 0.1]}, "val_ink", None),
        ({"val_ink": [0.2, 0.1], "val_f1_score": [0.1, 0.2]}, None, 2),
        ({"loss": [2, 1, 3]}, None, None),
        ({"loss": [3, 2, 1], "val_loss": [np.nan, 0.5, 0.9]}, None, 2),
        ({"loss": [3, 2], "val_loss": [np.nan, np.nan]}, None, None),
    ],
)
def test_best_epoch_by_what_is_monitored(history, monitor, best):
    display = TrainingHistoryDisplay.from_history(history, monitor=monitor)
    assert display.best_epoch == best
    assert len(display.best_lines_) == (0 if best is None else len(display.axes_))


def test_history_of_a_pipeline_is_shown_and_stays_as_it_is(mlp):
    history = mlp[-1].history_
    before = {name: list(values) for name, values in history.items()}
    display = TrainingHistoryDisplay.from_estimator(mlp)
    assert {n: list(line.get_ydata()) for n, line in display.lines_.items()} == before
    assert display.best_epoch == 1 + int(np.argmin(before["val_loss"]))
    display.history["loss"].append(0)
    assert history == before
    frozen = TrainingHistoryDisplay.from_estimator(FrozenEstimator(mlp))
    assert frozen.history == before


def test_epochs_of_a_classifier_that_stopped_early_end_where_it_stopped(digits):
    model = KerasMLPClassifier(
        units=12,
        epochs=30,
        early_stopping=True,
        n_iter_no_change=1,
        learning_rate=0.1,
        random_state=0,
    )
    model.fit(digits[0] / 255, digits[1])
    display = TrainingHistoryDisplay.from_estimator(model)
    assert len(display.lines_["loss"].get_xdata()) == model.n_iter_ < 30
    assert display.best_epoch == model.n_iter_ - 1


def test_network_of_scikit_learn_and_search(digits):
    X, y = digits
    network = MLPClassifier(8, max_iter=5, early_stopping=True, random_state=0)
    with pytest.warns(UserWarning, match="Maximum iterations"):
        search = GridSearchCV(make_pipeline(network), {}, cv=2).fit(X / 255, y)
    fitted = search.best_estimator_[-1]
    display = TrainingHistoryDisplay.from_estimator(search)
    assert list(display.lines_["loss"].get_ydata()) == fitted.loss_curve_
    assert list(display.lines_["val_accuracy"].get_ydata()) == fitted.validation_scores_
    assert display.best_epoch == 1 + int(np.argmax(fitted.validation_scores_))


def test_chosen_metrics_and_given_axes():
    _, axes = plt.subplots(1, 2)
    display = TrainingHistoryDisplay.from_history(
        HISTORY, metrics=["accuracy"], ax=axes[1]
    )
    assert display.axes_.tolist() == [axes[1]]
    assert set(display.lines_) == {"accuracy", "val_accuracy"}
    with pytest.raises(ValueError, match="'loss', 'accuracy'"):
        display.plot(metrics=["auc"])


def test_one_metric_may_be_given_by_its_name():
    display = TrainingHistoryDisplay.from_history(HISTORY, metrics="loss")
    assert set(display.lines_) == {"loss", "val_loss"}


def test_accuracy_is_written_in_percent():
    history = {"accuracy": [0.5, 0.75, 1.0]}
    display = TrainingHistoryDisplay.from_history(history)
    axis = display.axes_[0].yaxis
    written = [
        float(text.rstrip("%"))
        for text in axis.get_major_formatter().format_ticks([0.5, 0.75, 1.0])
    ]
    assert written == [50, 75, 100]


def test_a_single_epoch_is_visible():
    display = TrainingHistoryDisplay.from_history({"loss": [0.5]})
    assert display.lines_["loss"].get_marker() == "o"


@pytest.mark.parametrize(
    ("history", "message"),
    [
        ({}, "one or more"),
        ([1, 2], "must be a dict"),
        ({"loss": [1, 2], "accuracy": [1]}, "loss: 2, accuracy: 1"),
        ({"loss": []}, "1 or more"),
        ({"loss": 3}, "history\\['loss'\\]"),
        ({"loss": ["low"]}, "history\\['loss'\\]"),
    ],
)
def test_refuses_what_is_no_history(history, message):
    with pytest.raises(ValueError, match=message):
        TrainingHistoryDisplay.from_history(history)
    assert plt.get_fignums() == []


def test_refuses_estimators_without_history(digits):
    with pytest.raises(NotFittedError):
        TrainingHistoryDisplay.from_estimator(KerasMLPClassifier())
    with pytest.raises(TypeError, match="GaussianNB"):
        TrainingHistoryDisplay.from_estimator(GaussianNB().fit(*digits))
    with pytest.raises(ValueError, match="monitor='val_f1'"):
        TrainingHistoryDisplay.from_history(HISTORY, monitor="val_f1")
