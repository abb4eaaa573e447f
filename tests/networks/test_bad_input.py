"""Data and parameters that are refused: with what was given and what is allowed."""

import re

import numpy as np
import pytest
from builders import dense, small_cnn, small_mlp
from scipy.sparse import csr_array
from sklearn.exceptions import NotFittedError

from skmnist import (
    KerasCNNClassifier,
    KerasDNNClassifier,
    KerasImageClassifier,
    KerasMLPClassifier,
)
from skmnist._training import train
from skmnist.networks import build_cnn, build_mlp


def with_value(X, value):
    X = X.copy()
    X[3, 5] = value
    return X


BAD_DATA = {
    "one class only": (
        lambda X, y: (X, np.zeros_like(y)),
        "KerasMLPClassifier needs samples of at least 2 classes; got only one class: ",
    ),
    "NaN": (lambda X, y: (with_value(X, np.nan), y), "Input X contains NaN"),
    "infinity": (lambda X, y: (with_value(X, np.inf), y), "X contains infinity"),
    "too large": (
        lambda X, y: (with_value(X.astype(float), 1e300), y),
        r"X contains 1e\+300, which is too large for float32",
    ),
    "sparse": (lambda X, y: (csr_array(X), y), "Sparse data was passed for X"),
    "no images": (lambda X, y: (X[:0], y[:0]), r"0 sample\(s\)"),
    "no stacked images": (
        lambda X, y: (X[:0].reshape(0, 8, 8), y[:0]),
        r"0 sample\(s\)",
    ),
    "images without pixels": (lambda X, y: (X[:, :0], y), r"0 feature\(s\)"),
    "one row of pixels": (lambda X, y: (X[0], y), r"X\[None\] is a batch of one"),
    "five dimensions": (
        lambda X, y: (X.reshape(-1, 8, 8, 1, 1), y),
        r"X must have the shape .* found an array with dim 5: \(300, 8, 8, 1, 1\)",
    ),
    "ragged images": (
        lambda X, y: ([row[: 60 + i % 2] for i, row in enumerate(X.tolist())], y),
        "rows or images of different sizes",
    ),
    "words": (
        lambda X, y: (X.astype(str).astype(object) + "?", y),
        "could not convert",
    ),
    "too few labels": (
        lambda X, y: (X, y[:-1]),
        r"inconsistent numbers .* \[300, 299\]",
    ),
    "no labels": (lambda X, y: (X, None), "requires y to be passed"),
    "missing label": (
        lambda X, y: (X, np.where(y == 3, np.nan, y)),
        "Input y contains NaN",
    ),
    "measured values": (lambda X, y: (X, y + 0.5 * X[:, 4]), "Unknown label type"),
    "labels of two kinds": (
        lambda X, y: (X, np.array([1, "one"] * 150, dtype=object)),
        "Labels must be of one kind",
    ),
}


@pytest.mark.parametrize("what", BAD_DATA)
def test_data_that_cannot_be_trained_on_are_refused(what, digits):
    spoil, message = BAD_DATA[what]
    model = small_mlp()
    with pytest.raises((ValueError, TypeError), match=message):
        model.fit(*spoil(*digits))
    with pytest.raises(NotFittedError):
        model.predict(digits[0])


@pytest.mark.parametrize("what", ["NaN", "infinity", "sparse", "words", "no images"])
def test_images_that_cannot_be_classified_are_refused(what, digits):
    X, y = digits
    spoil, message = BAD_DATA[what]
    model = small_mlp().fit(X, y)
    with pytest.raises((ValueError, TypeError), match=message):
        model.predict(spoil(X, y)[0])


def test_images_of_another_size_are_refused(digits):
    X, y = digits
    model = small_cnn().fit(X, y)
    with pytest.raises(ValueError, match=r"X has 63 features.*expecting 64 features"):
        model.predict(X[:, :63])
    with pytest.raises(ValueError, match=r"\(4, 16\).*\(8, 8, 1\)"):
        model.predict(X.reshape(-1, 4, 16))


def test_pixels_must_not_change_places(digits):
    X, y = digits
    model = small_mlp().fit(X.reshape(-1, 8, 8), y)
    with pytest.raises(ValueError, match=r"\(4, 16\).*\(8, 8, 1\)"):
        model.predict(X.reshape(-1, 4, 16))


def test_pixels_too_large_to_compute_with_are_named(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    huge = X.copy()
    huge[7] = 3e38
    with pytest.raises(ValueError, match=r"row 7 .* 3e\+38, are too large"):
        model.predict(huge)


def test_a_width_that_is_no_square_needs_image_shape(digits):
    X, y = digits
    with_label = np.column_stack([y, X])
    message = "65 .*label column.*image_shape"
    with pytest.raises(ValueError, match=message) as caught:
        small_cnn().fit(with_label, y)
    assert "row" in str(caught.value)
    with pytest.raises(ValueError, match=r"\(8, 8\).* 64.*label column"):
        small_cnn(image_shape=(8, 8)).fit(with_label, y)


@pytest.mark.parametrize("shape", [(8,), (8, 8, 1, 1), (-8, -8), (8.0, 8), "square"])
def test_an_image_shape_that_is_none_is_refused(shape, digits):
    with pytest.raises(ValueError, match="image_shape"):
        small_cnn(image_shape=shape).fit(*digits)


def test_channels_first_are_not_mistaken_for_pixels(digits):
    X, y = digits
    for channels in (1, 3):
        images = np.repeat(X.reshape(-1, 1, 8, 8), channels, axis=1)
        message = rf"\({channels}, 8, 8\).*channels first.*ImageScaler"
        with pytest.raises(ValueError, match=message):
            small_cnn().fit(images, y)


@pytest.mark.parametrize(
    ("image_shape", "shape"),
    [
        ((4, 16), (8, 8)),
        ((8, 8), (8, 4, 2)),
        ((4, 4, 4), (16, 2, 2)),
        ((8, 8), (4, 16)),
    ],
)
def test_images_that_are_not_of_the_image_shape_are_refused(image_shape, shape, digits):
    X, y = digits
    numbers = r"\({}\)"
    expected = (*image_shape, 1)[:3]
    message = ".*".join(
        numbers.format(", ".join(map(str, sizes))) for sizes in (shape, expected)
    )
    for model in (
        small_cnn(image_shape=image_shape, kernel_size=1, pool_size=1),
        KerasImageClassifier(builder=dense, image_shape=image_shape, epochs=1),
    ):
        with pytest.raises(ValueError, match=message):
            model.fit(X.reshape(-1, *shape), y)


def test_images_too_small_for_the_network_are_refused(digits):
    with pytest.raises(ValueError, match="Images of 8×8 pixels are too small"):
        small_cnn(filters=(4, 4, 4), pool_size=2).fit(*digits)


@pytest.mark.parametrize("name", ["kernel_size", "pool_size"])
@pytest.mark.parametrize(
    ("image_shape", "each"), [((8, 8), "((2, 2), (1, 1))"), ("row", "((1, 2), (1, 1))")]
)
def test_two_numbers_for_two_convolutions_are_explained(
    name, image_shape, each, digits
):
    model = small_cnn(filters=(2, 2), image_shape=image_shape, epochs=1)
    model.set_params(kernel_size=1, pool_size=1)
    with pytest.warns(UserWarning, match=re.escape(f"Write {name}={each} for that")):
        model.set_params(**{name: (2, 1)}).fit(*digits)


def test_labels_that_were_not_in_fit_are_refused(digits):
    X, y = digits
    known = y < 8
    message = (
        r"{} holds labels .*: \[8, 9\]; the classes are \[0, 1, 2, 3, 4, 5, 6, 7\]"
    )
    with pytest.raises(ValueError, match=message.format("y_val")):
        small_mlp().fit(X[known], y[known], X_val=X[~known], y_val=y[~known])
    model = small_mlp(warm_start=True).fit(X[known], y[known])
    with pytest.raises(ValueError, match=message.format("y")):
        model.partial_fit(X, y)
    with pytest.raises(ValueError, match=message.format("y")):
        model.fit(X, y)
    with pytest.raises(ValueError, match="not the same as on the last call"):
        model.partial_fit(X, y, classes=range(10))
    with pytest.raises(ValueError, match=r"y_val holds labels .*'seven'"):
        small_mlp().fit(X, y, X_val=X[:2], y_val=["seven", "six"])


def test_strings_are_not_taken_for_numbers_nor_numbers_for_strings(digits):
    X, y = digits
    # Sorted as text "10" comes before "2": it would be read as another class.
    for labels in (np.arange(len(y)) % 12, (np.arange(len(y)) % 12).astype(str)):
        others = labels.astype(int if labels.dtype.kind == "U" else str)
        listed = re.escape(repr(np.unique(others).tolist()))
        message = "{} holds labels .*: " + listed + ".*Strings and numbers are"
        with pytest.raises(ValueError, match=message.replace("{}", "y_val")):
            small_mlp().fit(X, labels, X_val=X, y_val=others)
        with pytest.raises(ValueError, match=message.replace("{}", "y")):
            small_mlp().partial_fit(X, others, classes=np.unique(labels))
        weights = {others[10].item(): 5.0, labels[2].item(): 2.0}
        with pytest.raises(ValueError, match=r"class_weight .*: \['?10'?\]; .*Strings"):
            small_mlp(class_weight=weights).fit(X, labels)
        model = small_mlp(epochs=1, warm_start=True).fit(X, labels)
        with pytest.raises(ValueError, match=message.replace("{}", "y")):
            model.partial_fit(X, others)
        with pytest.raises(ValueError, match=message.replace("{}", "y")):
            model.fit(X, others)
        with pytest.raises(ValueError, match="not the same as on the last call"):
            model.partial_fit(X, labels, classes=np.unique(others))


def test_validation_data_come_in_pairs_of_equal_length(digits):
    X, y = digits
    with pytest.raises(ValueError, match="X_val was given without y_val"):
        small_mlp().fit(X, y, X_val=X)
    with pytest.raises(ValueError, match="y_val was given without X_val"):
        small_mlp().fit(X, y, y_val=y)
    with pytest.raises(ValueError, match=r"inconsistent numbers .* \[300, 2\]"):
        small_mlp().fit(X, y, X_val=X, y_val=y[:2])


def test_validation_images_of_another_size_are_refused(digits):
    X, y = digits
    for small in (small_mlp, small_cnn):
        with pytest.raises(ValueError, match=r"X_val.*63 features.*expecting 64"):
            small().fit(X, y, X_val=X[:9, :63], y_val=y[:9])


def test_too_few_samples_to_hold_some_out_are_refused(digits):
    X, y = digits
    message = r"validation_fraction=0.1 of 10 samples .* one sample only.* X_val and"
    for params in ({"early_stopping": True}, {"validation_fraction": 0.1}):
        with pytest.raises(ValueError, match=message):
            small_mlp(**params).fit(X[:10], y[:10])


@pytest.mark.parametrize(
    ("weights", "message"),
    [
        ([-1.0], "at least 0.* from -1.0 to 1.0"),
        ([np.nan], "sample_weight contains NaN"),
        (None, "above zero for some"),
    ],
)
def test_bad_sample_weights_are_refused(weights, message, digits):
    X, y = digits
    bad = np.zeros(len(y)) if weights is None else np.r_[weights, np.ones(len(y) - 1)]
    with pytest.raises(ValueError, match=message):
        small_mlp().fit(X, y, sample_weight=bad)


@pytest.mark.parametrize(
    "class_weight",
    [
        {0: -1.0},
        {0: np.inf},
        {0: "heavy"},
        {0: 1.0, 99: -1.0},
        dict.fromkeys(range(10), 0),
    ],
)
def test_bad_class_weights_are_refused(class_weight, digits):
    with pytest.raises(ValueError, match=r"class_weight .*got \{0: "):
        small_mlp(class_weight=class_weight).fit(*digits)


def test_what_needs_all_data_at_once_is_refused_by_partial_fit(digits):
    X, y = digits
    with pytest.raises(ValueError, match="partial_fit does not work with early_stopp"):
        small_mlp(early_stopping=True).partial_fit(X, y, classes=range(10))
    with pytest.raises(ValueError, match="class_weight='balanced'"):
        small_mlp(class_weight="balanced").partial_fit(X, y, classes=range(10))
    with pytest.raises(ValueError, match="classes must be passed on the first call"):
        small_mlp().partial_fit(X, y)


def muon():
    import keras

    return keras.optimizers.Muon()


BAD_PARAMETERS = [
    (KerasMLPClassifier, {"dropout": 1.5}, r"'dropout'.*\[0.0, 1.0\).* Got 1.5"),
    (KerasMLPClassifier, {"dropout": 1.0}, r"'dropout'.*\[0.0, 1.0\).* Got 1.0"),
    (KerasMLPClassifier, {"units": 0}, r"'units'.*\[1, inf\).* Got 0"),
    (KerasMLPClassifier, {"units": (8, 8)}, r"'units'.*\[1, inf\).* Got \(8, 8\)"),
    (KerasDNNClassifier, {"units": (8, 0)}, r"'units'.*\[1, inf\).* Got \(8, 0\)"),
    (KerasCNNClassifier, {"filters": ()}, r"'filters'.*one for each.* Got \(\)"),
    (KerasDNNClassifier, {"units": ((8, 4),)}, r"'units'.* Got \(\(8, 4\),\)"),
    (KerasDNNClassifier, {"dropout": ((0.1,), 0)}, r"'dropout'.* Got \(\(0.1,\), 0\)"),
    (KerasDNNClassifier, {"units": (8, "x")}, r"'units'.* Got \(8, 'x'\)"),
    (KerasDNNClassifier, {"dropout": (0.1, 1.5)}, r"'dropout'.* Got \(0.1, 1.5\)"),
    (KerasDNNClassifier, {"dropout": (0.1,)}, r"dropout=\(0.1,\) gives 1 value"),
    (KerasCNNClassifier, {"filters": (0, 1)}, r"'filters'.* Got \(0, 1\)"),
    (KerasCNNClassifier, {"filters": ()}, r"'filters'.* Got \(\)"),
    (KerasCNNClassifier, {"filters": ((4, 4), 4)}, r"'filters'.* Got \(\(4, 4\), 4\)"),
    (KerasCNNClassifier, {"kernel_size": ((3,), 3)}, "'kernel_size'.*pairs.* Got"),
    (KerasCNNClassifier, {"kernel_size": ((3, 3, 3), 3)}, "'kernel_size'.*pairs.* Got"),
    (KerasCNNClassifier, {"pool_size": (((1, 2), 2), 2)}, "'pool_size'.*pairs.* Got"),
    (KerasCNNClassifier, {"kernel_size": (3,)}, r"kernel_size=\(3,\) gives 1 value"),
    (
        KerasCNNClassifier,
        {"kernel_size": (3,), "image_shape": "row"},
        r"kernel_size=\(3,\) gives 1 value.* for 2 convolutions",
    ),
    (KerasCNNClassifier, {"kernel_size": 0}, r"'kernel_size'.*\[1, inf\).* Got 0"),
    (
        KerasCNNClassifier,
        {"pool_size": (1, 2, 2)},
        "pool_size=.* gives 3 value.* for 2 convolutions: .* one pair",
    ),
    (
        KerasCNNClassifier,
        {"kernel_size": ((1, 3), (3, 1)), "filters": 4},
        r"kernel_size=\(\(1, 3\), \(3, 1\)\) gives 2 value.* for 1 convolution:",
    ),
    (
        KerasCNNClassifier,
        {"dropout": (0.5,), "units": (8, 8)},
        r"dropout=\(0.5,\) gives 1 value.* for the last pooling and 2 hidden layers:",
    ),
    (KerasCNNClassifier, {"padding": "full"}, "'padding'.*'same'.* Got 'full'"),
    (KerasMLPClassifier, {"l2": -1}, r"'l2'.*\[0.0, inf\).* Got -1"),
    (KerasMLPClassifier, {"precision": "int8"}, "'precision'.*float32.* Got 'int8'"),
    (KerasMLPClassifier, {"epochs": 0}, r"'epochs'.*\[1, inf\).* Got 0"),
    (KerasMLPClassifier, {"batch_size": 2.5}, r"'batch_size'.* Got 2.5"),
    (KerasMLPClassifier, {"learning_rate": 0}, r"'learning_rate'.*\(0.*inf\).* Got 0"),
    (KerasMLPClassifier, {"validation_fraction": 1}, "'validation_fraction'.* Got 1"),
    (KerasMLPClassifier, {"early_stopping": "yes"}, "'early_stopping'.* Got 'yes'"),
    (KerasMLPClassifier, {"class_weight": "even"}, "'class_weight'.*'balanced'.* Got"),
    (KerasMLPClassifier, {"callbacks": "Stop"}, "hold Keras callbacks, .* got 'Stop'"),
    (KerasMLPClassifier, {"callbacks": 3}, "hold Keras callbacks, .* got 3"),
    (KerasMLPClassifier, {"random_state": "x"}, "'random_state'.* Got 'x'"),
    (KerasMLPClassifier, {"optimizer": 3}, "'optimizer'.* Got 3"),
    (KerasMLPClassifier, {"optimizer": "adamm"}, "'adamm'. Did you mean 'adam'.* sgd"),
    (KerasMLPClassifier, {"optimizer": {"lr": 1}}, "'optimizer'.*class_name.*'lr': 1"),
    (KerasMLPClassifier, {"optimizer": dict}, "'optimizer'.* got <class 'dict'>"),
    (KerasMLPClassifier, {"activation": "rellu"}, "'rellu'. Did you mean 'relu'"),
    (KerasMLPClassifier, {"activation": "qqq"}, "'qqq'. These are: .*tanh"),
    (
        KerasMLPClassifier,
        {"kernel_initializer": "he"},
        "'kernel_initializer'.* got 'he'.*he_normal",
    ),
    # Keras knows these names, but nothing can be made of them here.
    (KerasMLPClassifier, {"activation": "threshold"}, "'threshold'. These are: .*relu"),
    (KerasCNNClassifier, {"activation": "glu"}, "got 'glu'. Did .* are: celu, elu, .*"),
    (KerasMLPClassifier, {"kernel_initializer": "stft"}, "'stft'.* are: .*identity, l"),
    (KerasCNNClassifier, {"kernel_initializer": "identity"}, "are: .*uniform, lecun"),
]


FLOAT64 = "'optimizer' parameter must be .* weights in float64, such as 'adam'.* got "
RATHER = "activation=.* such as 'relu' or 'gelu' "
BAD_TOGETHER = [
    (KerasMLPClassifier, {"optimizer": "muon", "precision": "float64"}, FLOAT64),
    (KerasCNNClassifier, {"optimizer": muon, "precision": "float64"}, FLOAT64),
    (
        KerasImageClassifier,
        {
            "builder": build_mlp,
            "builder_params": {"dtype": "float64"},
            "image_shape": "flat",
            "optimizer": muon,
        },
        FLOAT64,
    ),
    (
        KerasImageClassifier,
        {"builder": build_cnn, "builder_params": {"activation": "glu"}},
        f"{RATHER}.it changes the number of units",
    ),
    (
        KerasImageClassifier,
        {"builder": build_mlp, "builder_params": {"activation": "threshold"}},
        f"{RATHER}.threshold.. missing",
    ),
]


@pytest.mark.parametrize(
    ("classifier", "params", "message"),
    BAD_TOGETHER,
    ids=["muon", "muon by function", "float64 by builder", "glu", "threshold"],
)
def test_what_keras_refuses_late_is_refused_by_name(
    classifier, params, message, digits
):
    X, y = digits
    with pytest.raises(ValueError, match=message) as caught:
        classifier(epochs=1, **params).fit(X, y)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("builder", [build_mlp, build_cnn])
@pytest.mark.parametrize("name", ["glu", "threshold", "rellu"])
def test_builders_refuse_activations_of_no_use_to_them(builder, name):
    with pytest.raises(ValueError, match=f"activation='{name}' must be an activation"):
        builder((8, 8, 1), 2, activation=name)


@pytest.mark.parametrize("builder", [build_mlp, build_cnn])
def test_builders_take_activations_as_keras_writes_them(builder):
    relu = {"class_name": "function", "config": "relu", "module": "builtins"}
    network = builder((8, 8, 1), 2, activation={**relu, "registered_name": "relu"})
    assert network.output_shape == (None, 2)
    with pytest.raises(ValueError, match=r"activation=\{\} must be an activation"):
        builder((8, 8, 1), 2, activation={})


@pytest.mark.parametrize(
    ("classifier", "params", "message"),
    BAD_PARAMETERS,
    ids=[str(case[1]) for case in BAD_PARAMETERS],
)
def test_bad_parameters_are_refused_before_anything_is_built(
    classifier, params, message, digits, monkeypatch
):
    built = []
    monkeypatch.setattr(train, "take_loop", lambda *args: built.append(args))
    with pytest.raises((ValueError, TypeError), match=message) as caught:
        classifier(**params).fit(*digits)
    assert next(iter(params)) in str(caught.value)
    assert not built


def test_parameters_are_checked_when_training_goes_on(digits):
    X, y = digits
    model = small_mlp(warm_start=True).fit(X, y).set_params(learning_rate=-1)
    for go_on in (model.fit, model.partial_fit):
        with pytest.raises(ValueError, match=r"'learning_rate'.* Got -1"):
            go_on(X, y)


@pytest.mark.parametrize(
    "classifier", [KerasMLPClassifier, KerasDNNClassifier, KerasCNNClassifier]
)
def test_a_misspelt_parameter_is_refused(classifier):
    with pytest.raises(ValueError, match=r"(?s)parameter 'drop_out'.*'dropout'"):
        classifier().set_params(drop_out=0.5)
    with pytest.raises(TypeError, match="drop_out"):
        classifier(drop_out=0.5)
