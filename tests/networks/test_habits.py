"""Habits from other packages are answered by what to write instead."""

import inspect
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from builders import dense, small_mlp
from scipy import sparse
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import Pipeline

from skmnist import (
    Deskewer,
    ImageScaler,
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._habits import ATTRIBUTES, LAYERS, PARAMETERS, PREDICTION
from skmnist.pipelines import make_model

CLASSIFIERS = [KerasMLPClassifier, KerasDNNClassifier, KerasCNNClassifier]
FITTING = ["fit", "partial_fit"]
PREDICTING = [
    "predict",
    "predict_proba",
    "predict_log_proba",
    "decision_function",
    "score",
]


def own(classifier):
    """Return what is needed to make a classifier."""
    return {"builder": dense} if classifier is KerasImageClassifier else {}


# Names for a constructor, and what the answer says.
PARAMETER_NAMES = [
    (KerasMLPClassifier, "epoch", "did you mean 'epochs'"),
    (KerasDNNClassifier, "drop_out", "did you mean 'dropout'"),
    (KerasCNNClassifier, "filter", "did you mean 'filters'"),
    (KerasCNNClassifier, "Kernel_Size", "did you mean 'kernel_size'"),
    (KerasImageClassifier, "build", "did you mean 'builder'"),
    (KerasImageClassifier, "randomstate", "did you mean 'random_state'"),
    (ImageScaler, "image_shap", "did you mean 'image_shape'"),
    (Deskewer, "max_sheer", "did you mean 'max_shear'"),
    (KerasMLPClassifier, "hidden_layer_sizes", r"units.*KerasDNNClassifier\(units="),
    (KerasDNNClassifier, "lr", "use learning_rate"),
    (KerasCNNClassifier, "learning_rate_init", "use learning_rate"),
    (KerasMLPClassifier, "optimizer__learning_rate", "use learning_rate"),
    (KerasMLPClassifier, "optimizer__momentum", "give optimizer an example"),
    (KerasMLPClassifier, "max_iter", "use epochs"),
    (KerasMLPClassifier, "fit__epochs", "use epochs"),
    (KerasDNNClassifier, "model__units", "use units"),
    (KerasImageClassifier, "model__units", r"builder_params=\{'units': …\}"),
    (KerasImageClassifier, "units", r"builder_params=\{'units': …\}"),
    (KerasImageClassifier, "filters", r"builder_params=\{'filters': …\}"),
    (KerasImageClassifier, "model", r"use KerasImageClassifier\(builder="),
    (KerasMLPClassifier, "filters", "use KerasCNNClassifier"),
    (KerasMLPClassifier, "loss", "always the sparse categorical cross-entropy"),
    (KerasCNNClassifier, "metrics", "always kept, in history_"),
    (KerasMLPClassifier, "validation_split", "use validation_fraction"),
    (KerasMLPClassifier, "validation_data", "give fit X_val and y_val"),
    (KerasImageClassifier, "patience", "use n_iter_no_change"),
    (KerasMLPClassifier, "qqq", "allowed are units.*dropout.*, .*verbose"),
]


@pytest.mark.parametrize(
    ("estimator", "name", "answer"),
    PARAMETER_NAMES,
    ids=[f"{case[0].__name__}-{case[1]}" for case in PARAMETER_NAMES],
)
def test_an_unknown_parameter_is_answered(estimator, name, answer):
    given = f"{estimator.__name__}.*'{name}': {'.*'}{answer}"
    with pytest.raises(TypeError, match=given):
        estimator(**own(estimator), **{name: 3})
    made = estimator(**own(estimator))
    answer = answer.replace("allowed are units", "Valid parameters are: .*'activation'")
    with pytest.raises(ValueError, match=f"Invalid parameter '{name}' .*{answer}"):
        made.set_params(**{name: 3})
    assert not hasattr(made, name)


def test_an_argument_of_a_builder_goes_into_a_dict_at_first():
    with pytest.raises(
        TypeError, match=r"give the constructor builder_params=\{'width'"
    ):
        KerasImageClassifier(builder=own, builder_params__width=3)


@pytest.mark.parametrize(
    ("method", "args", "missing"),
    [
        ("fit", ([[1.0]],), "y"),
        ("fit", (), "X and y"),
        ("partial_fit", ([[1.0]],), "y"),
        ("predict", (), "X"),
    ],
)
def test_a_missing_argument_is_named_with_the_class_of_the_user(method, args, missing):
    sentence = rf"KerasMLPClassifier\.{method}\(\) needs {missing}\."
    with pytest.raises(TypeError, match=sentence):
        getattr(KerasMLPClassifier(), method)(*args)


def test_all_unknown_parameters_are_answered_at_once():
    with pytest.raises(TypeError) as caught:
        KerasMLPClassifier(units=8, lr=0.1, loss="mse", epoch=3)
    lines = str(caught.value).splitlines()
    assert [re.search(r"'(\w+)'", line)[1] for line in lines] == ["lr", "loss", "epoch"]


def test_a_search_over_an_unknown_parameter_is_answered(digits):
    pipeline = Pipeline([("scale", ImageScaler()), ("clf", small_mlp())])
    with pytest.raises(ValueError, match=r"'lr' .*: use learning_rate"):
        GridSearchCV(pipeline, {"clf__lr": [0.1]}, cv=2).fit(*digits)
    with pytest.raises(ValueError, match=r"'epoch' .*: did you mean 'epochs'"):
        GridSearchCV(small_mlp(), {"epoch": [1]}, cv=2).fit(*digits)


@pytest.mark.parametrize("name", ["lr", "clf__lr"])
def test_an_unknown_parameter_of_a_named_model_is_answered(name):
    with pytest.raises(ValueError, match=f"'{name}': use learning_rate"):
        make_model("mlp_512", **{name: 0.1})


@pytest.mark.parametrize("estimator", [*CLASSIFIERS, KerasImageClassifier, ImageScaler])
def test_parameters_without_a_name_are_refused_with_one(estimator):
    first = next(iter(inspect.signature(estimator).parameters))
    with pytest.raises(TypeError, match=f"by name, such as {first}=….*got 512"):
        estimator(512)


@pytest.mark.parametrize(
    "estimator", [*CLASSIFIERS, KerasImageClassifier, ImageScaler, Deskewer]
)
def test_answers_leave_signatures_as_they_are_written(estimator):
    made = estimator(**own(estimator))
    parameters = inspect.signature(estimator).parameters
    assert parameters.keys() == made.get_params(deep=False).keys()
    kinds = {parameter.kind for parameter in parameters.values()}
    assert kinds == {inspect.Parameter.KEYWORD_ONLY}
    for method in (*FITTING, *PREDICTING):
        if hasattr(made, method):
            signature = inspect.signature(getattr(made, method))
            assert not any(
                p.kind == p.VAR_KEYWORD for p in signature.parameters.values()
            )


def test_a_warning_of_fit_still_names_the_line_of_its_caller(digits):
    X, y = digits
    as_bytes = (X * 255).astype(np.uint8)
    pipeline = Pipeline([("clf", small_mlp(epochs=1))])
    with pytest.warns(UserWarning, match="X_val") as record:
        pipeline.fit(X, y, clf__X_val=as_bytes, clf__y_val=y)
    assert record.pop(UserWarning).filename == __file__


def test_a_subclass_names_its_own_parameters():
    class Wide(KerasMLPClassifier):
        def __init__(self, width=1024, *, epochs=1):
            super().__init__(units=width, epochs=epochs)
            self.width = width

    assert Wide(8).units == 8
    assert clone(Wide(8)).get_params() == {"epochs": 1, "width": 8}
    with pytest.raises(TypeError, match=r"Wide.*'widht': did you mean 'width'"):
        Wide(widht=3)


class Passing(KerasMLPClassifier):
    """Takes all parameters of its parent without a list of them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)


def test_a_subclass_that_passes_parameters_on_gets_the_answer_of_its_parent():
    assert Passing(units=8).units == 8
    with pytest.raises(TypeError, match=r"Passing.*'epoch': did you mean 'epochs'"):
        Passing(epoch=3)


@pytest.mark.parametrize(
    "name", ["epochs", "batch_size", "callbacks", "verbose", "class_weight"]
)
def test_parameters_of_the_constructor_are_sent_there_by_fit(name, digits):
    model = small_mlp()
    pipeline = Pipeline([("scale", ImageScaler()), ("clf", model)])
    answer = (
        rf"\.{{}}\(\) .*'{name}': .* constructor, as in KerasMLPClassifier\({name}="
    )
    for method in FITTING:
        with pytest.raises(TypeError, match=answer.format(method)):
            getattr(model, method)(*digits, **{name: 1})
    with pytest.raises(TypeError, match=answer.format("fit")):
        pipeline.fit(*digits, **{f"clf__{name}": 1})
    assert not hasattr(model, "classes_")


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("validation_data", "give fit X_val and y_val"),
        ("validation_split", "use validation_fraction in the constructor"),
        ("shuffle", "rows are shuffled for each epoch"),
        ("initial_epoch", "use warm_start=True"),
        ("steps_per_epoch", "an epoch is one pass over all rows"),
        ("epoch", r"did you mean 'epochs'\? It is a parameter of the constructor"),
        ("x", "did you mean 'X'"),
        ("sample_weights", "did you mean 'sample_weight'"),
        ("qqq", "allowed are X, y, sample_weight, X_val, y_val"),
    ],
)
def test_arguments_of_fit_in_keras_are_answered(name, answer, digits):
    with pytest.raises(TypeError, match=f"fit.*'{name}': {answer}"):
        small_mlp().fit(*digits, **{name: 1})


@pytest.mark.parametrize("method", PREDICTING)
@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("batch_size", "results do not depend on it"),
        ("verbose", "silent"),
        ("steps", "all rows"),
        ("x", "did you mean 'X'"),
    ],
)
def test_arguments_of_predict_in_keras_are_answered(method, name, answer, digits):
    data = digits if method == "score" else digits[:1]
    with pytest.raises(TypeError, match=rf"{method}\(\) .*'{name}': .*{answer}"):
        getattr(small_mlp(), method)(*data, **{name: 1})


@pytest.mark.parametrize("name", ATTRIBUTES)
def test_attributes_of_other_classifiers_are_answered_and_not_there(name):
    model = small_mlp()
    assert not hasattr(model, name)
    assert getattr(model, name, None) is None
    with pytest.raises(AttributeError, match=f"no attribute '{name}': "):
        getattr(model, name)


def test_other_attributes_are_missed_as_ever():
    model = small_mlp()
    with pytest.raises(AttributeError, match=r"no attribute 'qqq'$"):
        model.qqq  # noqa: B018
    with pytest.raises(AttributeError, match="not fitted yet"):
        model.n_parameters_  # noqa: B018


def one_hot(labels):
    return np.eye(10)[labels]


def as_labels_of(expression, y):
    """Evaluate what an answer says to pass."""
    return np.asarray(eval(expression, {"y": y, "numpy": np}))


ONE_HOT = {
    "float": one_hot,
    "int": lambda y: one_hot(y).astype(int),
    "bool": lambda y: one_hot(y).astype(bool),
    "objects": lambda y: one_hot(y).astype(object),
    "lists": lambda y: one_hot(y).tolist(),
    "list of rows": lambda y: list(one_hot(y)),
    "two columns": lambda y: np.eye(2)[y % 2],
    "dummies": lambda y: pd.get_dummies(pd.Series(y)),
    "named dummies": lambda y: pd.get_dummies(pd.Series([f"a {n}" for n in y])),
    "csr_matrix": lambda y: sparse.csr_matrix(one_hot(y)),
    "csc_array": lambda y: sparse.csc_array(one_hot(y)),
}


@pytest.mark.parametrize("form", ONE_HOT)
def test_one_hot_labels_are_refused_with_the_way_to_decode_them(form, digits):
    X, y = digits
    encoded = ONE_HOT[form](y)
    expected = {"two columns": y % 2, "named dummies": [f"a {n}" for n in y]}
    answer = "{} looks one-hot encoded.* pass (.*)[.]"
    with pytest.raises(ValueError, match=answer.format("y")) as caught:
        small_mlp().fit(X, encoded)
    expression = re.search(answer.format("y"), str(caught.value))[1]
    decoded = as_labels_of(expression, encoded)
    assert decoded.tolist() == list(expected.get(form, y))
    with pytest.raises(ValueError, match=answer.format("y")):
        small_mlp().partial_fit(X, encoded, classes=range(10))
    model = small_mlp(epochs=1)
    with pytest.raises(ValueError, match=answer.format("y_val")):
        model.fit(X, decoded, X_val=X, y_val=encoded)
    with pytest.raises(ValueError, match=answer.format("y")):
        model.fit(X, decoded).score(X, encoded)


@pytest.mark.parametrize(
    "table",
    [np.full((300, 10), 0.1), np.ones((300, 2), int), [[0, 1]] * 299 + [[1]]],
    ids=["probabilities", "several labels", "ragged"],
)
def test_other_tables_of_labels_are_not_called_one_hot(table, digits):
    with pytest.raises(ValueError, match=r"y should be a 1d array|inhomogeneous"):
        small_mlp().fit(digits[0], table)


MIXED = {
    "objects": np.array([1, "one"] * 150, dtype=object),
    "strings first": np.array(["one", 1] * 150, dtype=object),
    "booleans": np.array([True, "yes"] * 150, dtype=object),
    "list": ["one", 1] * 150,
    "tuple": (1, "one") * 150,
    "series": pd.Series([1, "one"] * 150),
}
MISSING = {
    "None among objects": np.array(["a", None, "b"] * 100, dtype=object),
    "None first": np.array([None, "a", "b"] * 100, dtype=object),
    "None in a list": [1, None, 2] * 100,
    "NaN in a list": ["a", float("nan"), "b"] * 100,
    "None in a series": pd.Series(["a", None, "b"] * 100, dtype=object),
    "NaN in a series": pd.Series(["a", np.nan, "b"] * 100, dtype=object),
    "NaN of numbers": pd.Series([1, np.nan, 2] * 100),
    "strings": pd.Series(["a", None, "b"] * 100, dtype="string"),
    "Int64": pd.Series([1, None, 2] * 100, dtype="Int64"),
    "NA among objects": pd.Series(["a", pd.NA, "b"] * 100, dtype=object),
    "category": pd.Series(["a", None, "b"] * 100, dtype="category"),
}
SEVERAL_KINDS = r"Labels must be of one kind.*; {} holds .* such as .* and .* such as "
SOME_MISSING = r"{} holds 100 missing label\(s\), the first in row [01]:"


@pytest.mark.parametrize(
    ("labels", "message"),
    [
        *((labels, SEVERAL_KINDS) for labels in MIXED.values()),
        *((labels, SOME_MISSING) for labels in MISSING.values()),
    ],
    ids=[*MIXED, *MISSING],
)
def test_labels_of_several_kinds_and_missing_ones_are_named(labels, message, digits):
    X, y = digits
    with pytest.raises(ValueError, match=message.format("y")):
        small_mlp().fit(X, labels)
    with pytest.raises(ValueError, match=message.format("y_val")):
        small_mlp().fit(X, y, X_val=X, y_val=labels)


def test_classes_of_several_kinds_are_named(digits):
    with pytest.raises(ValueError, match=SEVERAL_KINDS.format("classes")):
        small_mlp().partial_fit(*digits, classes=[1, "one"])


@pytest.mark.parametrize("kind", [int, float, bool, str])
def test_labels_of_one_kind_may_come_as_objects(kind, digits):
    X, y = digits
    labels = (y % 2).astype(kind)
    objects = pd.DataFrame({"label": labels, "name": "x"}).to_numpy()[:, 0]
    assert objects.dtype == object
    model = small_mlp(epochs=1).fit(X, objects, X_val=X, y_val=objects)
    assert model.classes_.tolist() == np.unique(labels).tolist()
    assert model.score(X, objects) == model.score(X, labels)


class ImageSet:
    """Stands for a data set of PyTorch: single images, by their position."""

    __module__ = "torch.utils.data.dataset"

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __len__(self):
        return len(self.X)

    def __getitem__(self, index):
        return self.X[index], int(self.y[index])


class DataLoader:
    """Stands for that of PyTorch: batches, each time it is asked."""

    __module__ = "torch.utils.data.dataloader"

    def __init__(self, X, y):
        self.X, self.y = X, y

    def __iter__(self):
        for first in range(0, len(self.X), 100):
            yield self.X[first : first + 100], self.y[first : first + 100]


class OwnImageSet(ImageSet):
    pass


def tf_dataset(X, y):
    tf = pytest.importorskip("tensorflow")
    return tf.data.Dataset.from_tensor_slices((X, y)).batch(128)


def py_dataset(X, y):
    import keras

    class Batches(keras.utils.PyDataset):
        def __len__(self):
            return 3

        def __getitem__(self, index):
            rows = slice(index * 100, index * 100 + 100)
            return X[rows], y[rows]

    return Batches()


STREAMS = {
    "tf.data": tf_dataset,
    "PyDataset": py_dataset,
    "torch data set": OwnImageSet,
    "torch loader": DataLoader,
    "generator": lambda X, y: (
        (X[i : i + 50], y[i : i + 50]) for i in range(0, 300, 50)
    ),
    "iterator": lambda X, y: iter([(X, y)]),
}


@pytest.mark.parametrize("kind", STREAMS)
def test_data_in_parts_are_refused_with_the_way_to_collect_them(kind, digits):
    X, y = digits
    message = r"X must be an array; got .*: X, y = (map\(.*\))[,.]"
    with pytest.raises(TypeError, match=message) as caught:
        small_mlp().fit(STREAMS[kind](X, y))
    recipe = re.search(r"X, y = (map\(.*\))[,.]", str(caught.value))[1]
    collected = eval(recipe, {"np": np, "data": STREAMS[kind](X, y)})
    for part, expected in zip(collected, (X, y), strict=True):
        assert np.array_equal(part, expected)


@pytest.mark.parametrize(
    "kind", ["tf.data", "PyDataset", "torch data set", "generator"]
)
def test_data_in_parts_are_refused_wherever_arrays_are_expected(kind, digits):
    X, y = digits

    def data():
        return STREAMS[kind](X, y)

    model = small_mlp(epochs=1).fit(X, y)
    calls = [
        ("X", lambda: small_mlp().fit(data(), y)),
        ("X", lambda: small_mlp().partial_fit(data(), y, classes=range(10))),
        ("y", lambda: small_mlp().fit(X, data())),
        ("X_val", lambda: small_mlp().fit(X, y, X_val=data(), y_val=y)),
        ("X", lambda: model.predict(data())),
        ("X", lambda: model.predict_proba(X=data())),
        ("X", lambda: model.score(data(), y)),
        ("X", lambda: make_model("mlp_512").fit(data(), y)),
        ("X", lambda: ImageScaler().fit_transform(data())),
        ("X", lambda: Deskewer().fit(data())),
    ]
    for name, call in calls:
        with pytest.raises(TypeError, match=rf"^{name} must be an array; got"):
            call()


def test_the_migration_guide_says_what_the_answers_say():
    page = Path(__file__).parents[2] / "docs" / "coming_from.md"
    if not page.exists():
        pytest.skip("The pages are not here.")
    _, _, section = page.read_text(encoding="utf-8").partition("## Names\n")
    written = {}
    for names, answer in re.findall(r"^\| (`.*?) \| (.*) \|$", section, re.MULTILINE):
        for name in re.findall(r"`(\w+)`", names):
            written.setdefault(name, set()).add(answer.replace("`", ""))
    answered = {}
    for table in (PARAMETERS, LAYERS, PREDICTION, ATTRIBUTES):
        for name, answer in table.items():
            answered.setdefault(name, set()).add(answer)
    assert written == answered
