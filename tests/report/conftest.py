import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from sklearn.pipeline import Pipeline

from skmnist import ImageScaler, KerasCNNClassifier
from skmnist._provenance import plain_parameters
from skmnist.datasets import load_digits
from skmnist.evaluation import evaluate
from skmnist.report import Subject, _comparison, _evaluation, _model

from .pages import Page


@pytest.fixture(scope="session")
def digits():
    """300 real digits to train on, 200 to test on."""
    X, y = load_digits(return_X_y=True)
    return X[:300], y[:300], X[300:500], y[300:500]


@pytest.fixture(scope="session")
def subject(digits):
    """A small CNN that makes some mistakes, with the images that it was tested on."""
    X, y, X_test, y_test = digits
    network = KerasCNNClassifier(
        filters=(3, 5),
        kernel_size=((3, 3), (2, 2)),
        pool_size=((2, 2), (1, 1)),
        units=16,
        epochs=5,
        batch_size=32,
        learning_rate=0.005,
        validation_fraction=0.2,
        random_state=0,
    )
    scale = ImageScaler(layout="channels_last")
    model = Pipeline([("scale", scale), ("clf", network)]).fit(X, y)
    return Subject(model, X_test, y_test)


@pytest.fixture(scope="session")
def evaluation(subject):
    """Results of an evaluation, as 'skmnist evaluate --json' prints them."""
    return {
        "kind": "evaluation",
        "file": "small.joblib",
        "metadata": {"model": "small", "dataset": "digits", "seed": 3},
        "dataset": "digits",
        "subset": "test",
        "parameters": plain_parameters(subject.model),
        **evaluate(subject.model, subject.X, subject.y).to_dict(),
        "command": "skmnist evaluate small.joblib",
        "versions": {"python": "3.11", "keras": "3.15"},
    }


@pytest.fixture
def comparison():
    """Results of a comparison, as 'skmnist compare --json' prints them."""
    rows = [
        ("cnn", 0.9871, 0.0023, 12.3, 41.0, 59_933, None, "best", None),
        ("svm", 0.9812, 0.0031, 0.8, 112.0, None, 0.31, "no clear difference", None),
        ("linear", 0.9, 0.007, 0.2, 1.5, 650, 0.0004, "worse", None),
        ("broken", None, None, None, None, None, None, "failed", "ValueError: a < b"),
    ]
    keys = (
        "model",
        "accuracy",
        "accuracy_se",
        "fit_time",
        "predict_time_us",
        "n_parameters",
        "p_adjusted",
        "verdict",
        "error_message",
    )
    models = [dict(zip(keys, row, strict=True)) for row in rows]
    for row in models[:3]:
        row["accuracies"] = [row["accuracy"] - 0.01, row["accuracy"] + 0.01]
    return {
        "kind": "comparison",
        "models": models,
        "dataset": "digits",
        "source": "scikit-learn",
        "image_shape": [8, 8],
        "n_train": 1797,
        "n_test": None,
        "n_labels": 10,
        "n_folds": 2,
        "test": "some test",
        "correction": "Holm",
        "alpha": 0.05,
        "seed": 7,
        "n_jobs": 1,
        "interrupted": False,
        "left_out": [],
        "command": "skmnist compare --seed 7",
        "made": "2026-01-02T03:04:05+00:00",
        "versions": {"python": "3.11", "scikit-learn": "1.9"},
    }


@pytest.fixture(scope="session")
def model_page(evaluation, subject):
    """The page of the evaluation, with pictures."""
    from skmnist.report import make_report

    return Page(make_report(evaluation, subject=subject))


@pytest.fixture
def drawings(monkeypatch):
    """The figures that pages draw during a test, by caption."""
    figures = {}

    def recorded(draw):
        def draw_twice(plot, size, *, caption, alt):
            figure = Figure(size)
            FigureCanvasAgg(figure)
            plot(figure.add_subplot())
            figures[caption] = figure
            return draw(plot, size, caption=caption, alt=alt)

        return draw_twice

    for module in (_comparison, _evaluation, _model):
        monkeypatch.setattr(module, "draw", recorded(module.draw))
    return figures
