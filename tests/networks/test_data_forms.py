"""The forms that images and labels may come in."""

import pickle
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from builders import BACKEND, dense, small_cnn, small_mlp
from sklearn.base import clone
from sklearn.decomposition import PCA
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, MinMaxScaler
from sklearn.utils import get_tags

from skmnist import Deskewer, ImageScaler, KerasCNNClassifier, KerasImageClassifier
from skmnist.evaluation import evaluate

SHAPES = [
    (8, 8),
    (28, 28, 1),
    (4, 16),
    (16, 4),
    (3, 8),
    (1, 64),
    (64, 1),
    (5, 7, 1),
    (32, 32, 3),
    (6, 10, 3),
    (8, 8, 4),
    (4, 16, 1),
]


def pixels(shape, n=40):
    """Random images with bytes for pixels, and labels of two classes."""
    X = np.random.default_rng(0).integers(0, 256, (n, *shape), dtype=np.uint8)
    return X, np.arange(n) % 2


def tiny_cnn(**params):
    """A network for images of any size."""
    small = {"filters": 2, "kernel_size": 1, "pool_size": 1, "units": 2, "epochs": 1}
    return small_cnn(**{**small, **params})


def scaled(X):
    return (X / 255).astype(np.float32)


@pytest.mark.parametrize("small", [small_mlp, small_cnn])
def test_rows_and_images_give_equal_predictions(small, digits):
    X, y = digits
    expected = small().fit(X, y).predict_proba(X)
    for shape in [(-1, 8, 8), (-1, 8, 8, 1)]:
        images = X.reshape(shape)
        model = small().fit(images, y)
        assert np.array_equal(model.predict_proba(images), expected)
        assert np.array_equal(model.predict_proba(X), expected)


@pytest.mark.parametrize("small", [small_mlp, small_cnn])
def test_behind_the_scaler_channels_may_come_first(small, digits):
    X, y = digits
    expected = small().fit(X, y).predict_proba(X)
    images = X.reshape(-1, 1, 8, 8)
    model = make_pipeline(ImageScaler(data_range=(0, 1)), small()).fit(images, y)
    assert np.array_equal(model.predict_proba(images), expected)


@pytest.mark.parametrize("image_shape", [(8, 4, 2), (4, 2, 8)])
def test_channels_may_come_first_where_the_shape_is_declared(
    image_shape, digits, trainings
):
    X, y = digits
    last = X.reshape(-1, *image_shape)
    first = np.moveaxis(last, -1, 1)
    models = {
        "last": small_cnn(image_shape=image_shape, kernel_size=1, epochs=1),
        "first": small_cnn(image_shape=image_shape, kernel_size=1, epochs=1),
    }
    models["last"].fit(last, y, X_val=first[:9], y_val=y[:9])
    models["first"].fit(first, y, X_val=last[:9], y_val=y[:9])
    for data, validation in trainings:
        np.testing.assert_array_equal(data.inputs, last)
        np.testing.assert_array_equal(validation.inputs, last[:9])
    expected = models["last"].predict_proba(X)
    for model in models.values():
        assert model.image_shape_ == image_shape
        for images in (X, last, first):
            assert np.array_equal(model.predict_proba(images), expected)


def test_channels_are_last_where_either_layout_fits_the_declared_shape(
    digits, trainings
):
    X, y = digits
    images = X[:, :27].reshape(-1, 3, 3, 3)
    small_cnn(image_shape=(3, 3, 3), epochs=1).fit(images, y)
    np.testing.assert_array_equal(trainings[0][0].inputs, images)


def test_tags_tell_that_images_are_taken():
    for model in (small_mlp(), small_cnn(), KerasImageClassifier(builder=dense)):
        tags = get_tags(model).input_tags
        assert tags.two_d_array
        assert tags.three_d_array


def test_networks_of_rows_classify_images_in_either_layout(digits):
    X, y = digits
    last = X.reshape(-1, 8, 4, 2)
    model = small_mlp(epochs=1).fit(last, y)
    expected = model.predict_proba(last)
    assert np.array_equal(model.predict_proba(np.moveaxis(last, -1, 1)), expected)


def test_types_of_pixels_do_not_matter(digits):
    X, y = digits
    pixels = (X * 16).astype(np.uint8)
    expected = None
    for fitted_on in (np.uint8, np.int64, np.float32, np.float64):
        model = small_mlp().fit(pixels.astype(fitted_on), y)
        for given in (np.uint8, np.int64, np.float32, ">f4", np.float64, object):
            probabilities = model.predict_proba(pixels.astype(given))
            assert probabilities.dtype == np.float64
            expected = probabilities if expected is None else expected
            assert np.array_equal(probabilities, expected)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no double precision by default")
def test_double_precision_is_kept(digits):
    X, y = digits
    single = small_mlp().fit(X, y).predict_proba(X)
    double = small_mlp(precision="float64").fit(X, y).predict_proba(X)
    assert double.dtype == np.float64
    np.testing.assert_allclose(double.sum(axis=1), 1, rtol=1e-12)
    np.testing.assert_allclose(single.sum(axis=1), 1, rtol=1e-5)


@pytest.mark.skipif(BACKEND == "jax", reason="JAX has no double precision by default")
def test_pixels_are_rounded_even_for_double_precision(digits):
    X, y = digits
    model = small_mlp(precision="float64").fit(X, y)
    finer = X.astype(np.float64) * (1 + 1e-9)
    assert np.array_equal(model.predict_proba(finer), model.predict_proba(X))


def test_memory_layout_does_not_matter(digits):
    X, y = digits
    model = small_mlp().fit(X, y)
    expected = model.predict_proba(X)
    assert np.array_equal(model.predict_proba(np.asfortranarray(X)), expected)
    assert np.array_equal(model.predict_proba(X[::-1])[::-1], expected)
    assert np.array_equal(model.predict_proba(X.tolist()), expected)


@pytest.mark.parametrize(
    "relabel",
    [
        pytest.param(lambda y: np.array([f"digit {d}" for d in y]), id="strings"),
        pytest.param(
            lambda y: np.array([f"digit {d}" for d in y], object), id="object"
        ),
        pytest.param(lambda y: pd.Series([f"digit {d}" for d in y]), id="series"),
        pytest.param(lambda y: pd.Categorical([f"d{d}" for d in y]), id="categories"),
        pytest.param(lambda y: 7 * y - 30, id="negative integers with gaps"),
        pytest.param(lambda y: y.astype(float), id="floats"),
        pytest.param(lambda y: y > 4, id="booleans"),
    ],
)
def test_labels_may_be_of_any_kind(digits, relabel):
    X, y = digits
    labels = relabel(y)
    values = np.asarray(labels)
    model = small_mlp(epochs=60, learning_rate=0.01, early_stopping=True)
    model.fit(X, labels)
    assert np.array_equal(model.classes_, np.unique(values))
    predicted = model.predict(X)
    assert predicted.dtype == model.classes_.dtype
    assert np.mean(predicted == values) > 0.8
    assert model.score(X, labels) == np.mean(predicted == values)
    encoded = small_mlp(epochs=60, learning_rate=0.01, early_stopping=True)
    encoded.fit(X, np.searchsorted(model.classes_, values))
    assert np.array_equal(encoded.predict_proba(X), model.predict_proba(X))


def test_a_digit_that_is_not_in_y_has_no_column(digits):
    X, y = digits
    model = small_mlp().fit(X[y < 9], y[y < 9])
    assert model.classes_.tolist() == list(range(9))
    assert model.predict_proba(X).shape == (len(X), 9)


def test_two_classes_have_two_columns(digits):
    X, y = digits
    probabilities = small_mlp().fit(X[y < 2], y[y < 2]).predict_proba(X)
    assert probabilities.shape == (len(X), 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, rtol=1e-5)


def test_column_names_are_kept_and_compared(digits):
    X, y = digits
    frame = pd.DataFrame(X, columns=[f"pixel{i}" for i in range(64)])
    model = small_mlp().fit(frame, y)
    assert model.feature_names_in_.tolist() == list(frame.columns)
    with pytest.raises(ValueError, match="feature names should match"):
        model.predict(frame[frame.columns[::-1]])


def test_images_that_are_no_squares_need_their_shape(digits):
    X, y = digits
    model = small_cnn(image_shape=(4, 16)).fit(X, y)
    assert model.image_shape_ == (4, 16, 1)
    row = small_cnn(image_shape="row").fit(X, y)
    assert row.image_shape_ == (1, 64, 1)


@pytest.mark.parametrize("layout", ["flat", "channels_last", "channels_first"])
@pytest.mark.parametrize("shape", SHAPES, ids=str)
def test_a_network_gets_the_images_that_the_scaler_was_given(shape, layout, trainings):
    X, y = pixels(shape)
    model = make_pipeline(ImageScaler(layout=layout), tiny_cnn()).fit(X, y)
    image_shape = (*shape, 1)[:3]
    assert model[-1].image_shape_ == image_shape
    images = scaled(X).reshape(-1, *image_shape)
    np.testing.assert_array_equal(trainings[0][0].inputs, images)
    np.testing.assert_array_equal(
        model.predict_proba(X), model[-1].predict_proba(images.reshape(len(X), -1))
    )


@pytest.mark.parametrize("shape", [(4, 16), (6, 10, 3)], ids=str)
def test_images_in_a_pipeline_go_wherever_a_classifier_goes(shape, tmp_path):
    X, y = pixels(shape)
    image_shape = (*shape, 1)[:3]
    direct = tiny_cnn(image_shape=image_shape, kernel_size=2).fit(scaled(X), y)
    expected = direct.predict_proba(scaled(X))
    model = make_pipeline(ImageScaler(), tiny_cnn(kernel_size=2))
    scores = cross_val_score(model, X, y, cv=2, error_score="raise")
    direct_scores = cross_val_score(direct, scaled(X), y, cv=2, error_score="raise")
    np.testing.assert_array_equal(scores, direct_scores)
    search = GridSearchCV(
        model, {"kerascnnclassifier__units": [2]}, cv=2, error_score="raise"
    ).fit(X, y)
    np.testing.assert_array_equal(search.predict_proba(X), expected)
    joblib.dump(model.fit(X, y), tmp_path / "model.joblib")
    loaded = joblib.load(tmp_path / "model.joblib")
    np.testing.assert_array_equal(loaded.predict_proba(X), expected)
    for _ in range(2):  # the second time from the cache
        cached = make_pipeline(
            ImageScaler(),
            "passthrough",
            tiny_cnn(kernel_size=2),
            memory=str(tmp_path / "cache"),
        ).fit(X, y)
        np.testing.assert_array_equal(cached.predict_proba(X), expected)


def test_training_goes_on_with_scaled_images():
    X, y = pixels((6, 10, 3))
    scaler = ImageScaler().fit(X)
    expected = tiny_cnn(image_shape=(6, 10, 3), warm_start=True)
    model = tiny_cnn(warm_start=True)
    for part in (slice(0, 30), slice(30, 40)):
        rows = scaler.transform(X[part])
        model.partial_fit(rows, y[part], classes=[0, 1])
        expected.partial_fit(scaled(X[part]), y[part], classes=[0, 1])
    for one, given in ((model, scaler.transform(X)), (expected, scaled(X))):
        one.fit(given, y, X_val=given[:9], y_val=y[:9])
    assert model.image_shape_ == (6, 10, 3)
    np.testing.assert_array_equal(
        model.predict_proba(scaler.transform(X)), expected.predict_proba(scaled(X))
    )


@pytest.mark.parametrize(
    "select",
    [
        lambda rows: rows[:20],
        lambda rows: rows[np.arange(20)],
        lambda rows: rows[np.arange(40) < 20, :],
        lambda rows: np.take(rows, range(20), axis=0),
        lambda rows: np.vstack([rows[:5], rows[5:20]]),
        lambda rows: 1 - (1 - rows[:20]),
        lambda rows: pickle.loads(pickle.dumps(rows[:20])),
    ],
)
def test_some_of_the_scaled_images_are_images_of_that_shape(select, trainings):
    X, y = pixels((4, 16))
    rows = select(ImageScaler().fit_transform(X))
    assert rows.shape == (20, 64)
    tiny_cnn().fit(rows, y[:20])
    np.testing.assert_allclose(
        trainings[0][0].inputs[..., 0], scaled(X)[:20], atol=1e-6
    )


def transposed(rows):
    return rows.reshape(-1, 6, 20).transpose(0, 2, 1).reshape(len(rows), -1)


def test_images_that_a_step_turned_have_the_shape_that_the_network_declares(trainings):
    X, y = pixels((6, 20))
    steps = ImageScaler(), FunctionTransformer(transposed)
    with pytest.raises(ValueError, match="120 columns, which is not the size of a sq"):
        make_pipeline(*steps, tiny_cnn()).fit(X, y)
    model = make_pipeline(*steps, tiny_cnn(image_shape=(20, 6))).fit(X, y)
    assert model[-1].image_shape_ == (20, 6, 1)
    turned = scaled(X).transpose(0, 2, 1)[..., None]
    np.testing.assert_array_equal(trainings[0][0].inputs, turned)


@pytest.mark.parametrize("shape", [(4, 16), (9, 7, 3)], ids=str)
def test_the_shape_passes_the_deskewer_on_either_side(shape):
    X, y = pixels(shape)
    image_shape = (*shape, 1)[:3]
    for steps in ([ImageScaler(), Deskewer()], [Deskewer(), ImageScaler()]):
        model = make_pipeline(*steps, tiny_cnn()).fit(X, y)
        assert model[-1].image_shape_ == image_shape
        rows = steps[0].transform(X).reshape(-1, *image_shape)
        np.testing.assert_array_equal(model[0].transform(X).reshape(rows.shape), rows)
        assert model.predict(X).shape == y.shape


def test_a_builder_is_given_the_shape_that_the_scaler_saw():
    X, y = pixels((6, 10, 3))
    network = KerasImageClassifier(builder=dense, epochs=1, random_state=0)
    model = make_pipeline(ImageScaler(), network).fit(X, y)
    assert model[-1].image_shape_ == (6, 10, 3)
    flat = make_pipeline(ImageScaler(), network.set_params(image_shape="flat"))
    assert flat.fit(X, y)[-1].image_shape_ == (180,)


def test_what_the_scaler_only_guesses_does_not_bind_the_network():
    X, y = pixels((64,))
    for image_shape in ((4, 16), (4, 4, 4)):
        model = make_pipeline(ImageScaler(), tiny_cnn(image_shape=image_shape))
        assert model.fit(X, y)[-1].image_shape_ == (*image_shape, 1)[:3]


def test_a_shape_that_is_declared_to_the_scaler_reaches_the_network():
    X, y = pixels((192,))
    model = make_pipeline(ImageScaler(image_shape=(8, 8, 3)), tiny_cnn()).fit(X, y)
    assert model[-1].image_shape_ == (8, 8, 3)


def test_images_of_another_shape_than_the_networks_are_refused_behind_the_scaler():
    X, y = pixels((8, 8))
    for image_shape in ((4, 16), (8, 4, 2)):
        model = make_pipeline(ImageScaler(), tiny_cnn(image_shape=image_shape))
        with pytest.raises(ValueError, match=r"\(8, 8, 1\).*not of image_shape=\("):
            model.fit(X, y)


@pytest.mark.parametrize("layout", ["flat", "channels_last", "channels_first"])
@pytest.mark.parametrize("make", [tiny_cnn, small_mlp])
def test_rows_and_images_may_follow_each_other(make, layout):
    X, y = pixels((6, 10, 3))
    rows = X.reshape(len(X), -1)
    model = make_pipeline(ImageScaler(layout=layout), make(epochs=1)).fit(X, y)
    expected = model.predict_proba(X)
    np.testing.assert_array_equal(model.predict_proba(rows), expected)
    with pytest.raises(ValueError, match=r"\(10, 6, 3\).*\(6, 10, 3\)"):
        model.predict(X.reshape(-1, 10, 6, 3))
    network = model[-1].set_params(warm_start=True)
    network.partial_fit(scaled(rows), y).fit(scaled(rows), y)
    network.set_params(warm_start=False)
    declared = {"imagescaler__image_shape": (6, 10, 3)}
    if layout == "flat" and hasattr(network, "image_shape"):
        declared = {"kerascnnclassifier__image_shape": (6, 10, 3)}
    model.set_params(**declared).fit(rows, y)
    np.testing.assert_array_equal(model.predict_proba(rows), expected)
    np.testing.assert_array_equal(model.predict_proba(X), expected)
    if hasattr(network, "image_shape"):
        with pytest.raises(ValueError, match=r"10, 6, 3\).*\(6, 10, 3\)"):
            model.predict(X.reshape(-1, 10, 6, 3))


def test_a_network_of_rows_takes_images_of_any_shape_after_rows():
    X, y = pixels((64,))
    for network in (small_mlp(epochs=1), tiny_cnn(image_shape="row")):
        model = make_pipeline(ImageScaler(image_shape=(4, 16)), network).fit(X, y)
        expected = model.predict_proba(X)
        rows = network.fit(scaled(X), y)
        for shape in ((4, 16), (8, 8), (8, 8, 1)):
            np.testing.assert_allclose(
                rows.predict_proba(scaled(X).reshape(-1, *shape)), expected, atol=1e-6
            )


@pytest.mark.parametrize("behind", [PCA(64), "pandas"], ids=str)
def test_tables_that_lost_the_shape_are_refused_with_what_keeps_it(behind):
    X, y = pixels((5, 7, 3), n=120)
    if behind == "pandas":
        steps = [ImageScaler().set_output(transform="pandas")]
    else:
        steps = [ImageScaler(), PCA(66)]
    model = make_pipeline(*steps, tiny_cnn())
    message = r"not the size of a square image.*image_shape=\(h.*layout='channels_last'"
    with pytest.raises(ValueError, match=message):
        model.fit(X, y)


def test_rows_of_colour_images_are_detected_by_their_number():
    X, y = pixels((3072,))
    with pytest.raises(ValueError, match=r"3072 is 32 \* 32 \* 3: .*colour"):
        KerasCNNClassifier().fit(X, y)


SINGLE = {
    "rows": [(64,), (8, 8), (8, 8, 1)],
    "colours": [(192,), (8, 8, 3), (3, 8, 8)],
    "wide": [(64,), (4, 16), (4, 16, 1)],
}
IN_TRAINING = {"rows": (8, 8), "colours": (8, 8, 3), "wide": (4, 16)}
ONE_IMAGE = r"X has the shape \(.*\) of one image.*X\[None\] is a batch of one"


@pytest.mark.parametrize(
    ("kind", "shape"), [(kind, shape) for kind in SINGLE for shape in SINGLE[kind]]
)
def test_one_image_is_refused_in_the_same_words_everywhere(kind, shape):
    X, y = pixels(IN_TRAINING[kind])
    one = scaled(X[0]).reshape(shape)
    known = tiny_cnn().fit(scaled(X), y)
    of_rows = small_mlp(epochs=1).fit(scaled(X).reshape(len(X), -1), y)
    scaler, deskewer = ImageScaler().fit(scaled(X)), Deskewer().fit(scaled(X))
    pipeline = make_pipeline(ImageScaler(), Deskewer(), tiny_cnn()).fit(scaled(X), y)
    calls = [
        call
        for model in (known, of_rows, pipeline)
        for call in (
            lambda model=model: model.predict(one),
            lambda model=model: model.predict_proba(one),
            lambda model=model: model.predict(one.tolist()),
            lambda model=model: model.score(one, [0]),
            lambda model=model: model.fit(one, y[0]),
            lambda model=model: model.fit(one, y[:1]),
            lambda model=model: evaluate(model, one, y[0]),
            lambda model=model: evaluate(model, one, y[:1]),
        )
    ]
    calls += [
        lambda: known.fit(scaled(X), y, X_val=one, y_val=y[:1]),
        lambda: known.partial_fit(one, y[0]),
        lambda: tiny_cnn().partial_fit(one, y[0], classes=[0, 1]),
        lambda: scaler.transform(one),
        lambda: scaler.inverse_transform(one),
        lambda: deskewer.transform(one),
        lambda: ImageScaler(image_shape=IN_TRAINING[kind]).fit(one),
        lambda: Deskewer(image_shape=IN_TRAINING[kind]).fit(one),
        lambda: ImageScaler().fit(one, y[0]),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for call in calls:
            with pytest.raises(ValueError, match=ONE_IMAGE):
                call()
    batch = scaled(X[0])[None]
    assert known.predict(batch).shape == of_rows.predict(batch).shape == (1,)


@pytest.mark.parametrize("shape", [(64,), (8, 8, 1), (8, 8, 3), (28, 28, 1)])
@pytest.mark.parametrize("transformer", [ImageScaler, Deskewer])
def test_what_looks_like_one_image_is_refused_without_labels(shape, transformer):
    one = np.zeros(shape)
    with pytest.raises(ValueError, match=ONE_IMAGE):
        transformer().fit(one)


@pytest.mark.parametrize("shape", [(8, 8), (28, 28)])
@pytest.mark.parametrize(
    "transformer", [ImageScaler(layout="channels_last"), Deskewer()], ids=repr
)
def test_a_square_is_one_image_where_its_rows_are_none(shape, transformer):
    with pytest.raises(ValueError, match=ONE_IMAGE):
        clone(transformer).fit(np.zeros(shape))


def test_rows_that_are_as_many_as_their_pixels_are_a_batch():
    X, y = pixels((8,), n=8)
    for model in (small_mlp(epochs=1), make_pipeline(ImageScaler(), small_mlp())):
        model.fit(X, y)
        assert model.predict(X).shape == (8,)
    images, labels = pixels((3, 8), n=8)  # 8 images of 24 pixels
    model = tiny_cnn().fit(images, labels)
    assert model.predict(images.reshape(8, 24)).shape == (8,)
    assert ImageScaler().fit_transform(np.eye(64)).shape == (64, 64)


@pytest.mark.parametrize("n", [5, 10, 28, 30])
def test_a_table_with_as_many_rows_as_columns_needs_no_labels(n):
    X = np.random.default_rng(0).integers(0, 256, (n, n), dtype=np.uint8)
    assert ImageScaler().fit_transform(X).shape == (n, n)
    rows = Deskewer(image_shape="row").fit_transform(X)
    assert rows.shape == (n, n)


@pytest.mark.parametrize("masked", ["a pixel", "a list"])
def test_masked_pixels_are_refused(masked):
    X, y = pixels((8, 8))
    hidden = np.ma.array(scaled(X), mask=False)
    hidden[3, 2, 2] = np.ma.masked
    given = list(hidden) if masked == "a list" else hidden
    fitted = tiny_cnn().fit(scaled(X), y)
    scaler, deskewer = ImageScaler().fit(X), Deskewer().fit(X)
    for call in (
        lambda: tiny_cnn().fit(given, y),
        lambda: tiny_cnn().partial_fit(given, y, classes=[0, 1]),
        lambda: fitted.predict(given),
        lambda: tiny_cnn().fit(X, y, X_val=given, y_val=y),
        lambda: ImageScaler().fit(given),
        lambda: Deskewer().fit(given),
        lambda: scaler.transform(given),
        lambda: scaler.inverse_transform(given),
        lambda: deskewer.transform(given),
    ):
        with pytest.raises(ValueError, match=r"masked pixels.*filled"):
            call()


def test_masked_arrays_without_masked_pixels_are_images():
    X, y = pixels((8, 8))
    nothing_masked = np.ma.array(scaled(X), mask=False)
    model = tiny_cnn().fit(nothing_masked, y)
    expected = tiny_cnn().fit(scaled(X), y).predict_proba(scaled(X))
    np.testing.assert_array_equal(model.predict_proba(nothing_masked), expected)
    np.testing.assert_array_equal(model.predict_proba(list(nothing_masked)), expected)


def with_pixel(X, value):
    X = X.astype(float)
    X[3, 2, 2] = value
    return X


@pytest.mark.parametrize(
    ("seen", "value", "message"),
    [
        (1, -1.0, "pixels down to -1: .*from 0 to 1"),
        (255, -1.0, "pixels down to -1: .*from 0 to 255"),
        (1, 255.0, r"pixels up to 255, which do not look scaled yet"),
        (255, 65535.0, r"pixels up to 65535: .*from 0 to 255"),
        (255, 1e30, r"pixels up to 1e\+30: .*from 0 to 255"),
    ],
)
@pytest.mark.parametrize("scale", [False, True], ids=["bare", "scaled"])
def test_pixels_outside_what_fit_saw_are_noticed(seen, value, message, scale):
    X, y = pixels((8, 8))
    X = X * (seen / 255)
    X[0, 0] = 0, 0, 0, 0, seen, seen, seen, seen
    model = make_pipeline(ImageScaler(), tiny_cnn()) if scale else tiny_cnn()
    model.fit(X, y)
    for method in (model.predict, model.predict_proba):
        with pytest.warns(UserWarning, match=message) as record:
            method(with_pixel(X, value))
        if not scale:
            assert record.pop(UserWarning).filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for usual in (0.0, seen / 2, seen * 1.5, -1e-6):
            model.predict(with_pixel(X, usual))


def test_images_that_were_scaled_already_are_noticed_by_a_bare_network():
    X, y = pixels((8, 8))
    model = tiny_cnn().fit(X, y)
    with pytest.warns(UserWarning, match="look scaled already.*from 0 to 255"):
        model.predict(scaled(X))
    with pytest.warns(UserWarning, match="look scaled already.*from 0 to 255"):
        model.partial_fit(scaled(X), y)
    # All that was seen in training counts.
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model.partial_fit(X, y)
        model.predict(X)


def test_standardised_pixels_are_no_brightness():
    X, y = pixels((8, 8))
    X = scaled(X) * 4 - 2
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        model = tiny_cnn().fit(X, y, X_val=X[:9] - 1, y_val=y[:9])
        model.predict(with_pixel(X, -20.0))
    with pytest.warns(UserWarning, match=r"down to -1e\+20: .*from -2 to 2"):
        model.predict(with_pixel(X, -1e20))


@pytest.mark.parametrize("value", [1e300, -1e39])
def test_pixels_too_large_for_float32_are_named(value):
    X, y = pixels((8, 8))
    spoiled = with_pixel(X, value)
    fitted = tiny_cnn().fit(X, y)
    message = rf"X contains {value:g}, which is too large for float32"
    for call in (
        lambda: tiny_cnn().fit(spoiled, y),
        lambda: fitted.predict(spoiled),
        lambda: fitted.predict(spoiled.tolist()),
        lambda: fitted.partial_fit(spoiled, y),
        lambda: tiny_cnn().fit(X, y, X_val=spoiled, y_val=y),
        lambda: ImageScaler().fit(spoiled),
        lambda: ImageScaler().fit(X).transform(spoiled),
        lambda: ImageScaler(clip=False, data_range=(0, 1)).fit(X).transform(spoiled),
        lambda: Deskewer().fit(spoiled),
        lambda: Deskewer().fit(X).transform(spoiled),
    ):
        with pytest.raises(ValueError, match=message.replace("+", r"\+")):
            call()


def test_baselines_behind_the_scaler_see_plain_tables():
    X, y = pixels((4, 16))
    rows = scaled(X).reshape(40, 64)
    expected = LogisticRegression().fit(rows, y).predict_proba(rows)
    model = make_pipeline(ImageScaler(), LogisticRegression()).fit(X, y)
    np.testing.assert_allclose(model.predict_proba(X), expected, atol=1e-5)


@pytest.mark.filterwarnings("error")
def test_features_that_were_scaled_by_another_fold_are_not_far_off(digits):
    # Scaled to [0, 1] by the training part, others lie a little beyond.
    X, y = np.random.default_rng(0).normal(size=(200, 13)), digits[1][:200]
    model = make_pipeline(MinMaxScaler(), small_mlp(epochs=1))
    cross_val_score(model, X, y, cv=3)
