import copy
import operator
import pickle
import tracemalloc
import warnings

import joblib
import numpy as np
import pandas as pd
import pytest
from scipy import ndimage, sparse
from sklearn import config_context
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.pipeline import make_pipeline
from sklearn.utils import _safe_indexing, estimator_checks
from sklearn.utils.estimator_checks import check_estimator
from sklearn.utils.validation import check_is_fitted

from skmnist import Deskewer, DigitNormalizer, HOGTransformer, ImageScaler
from skmnist.preprocessing import resolve_image_shape
from skmnist.preprocessing.image_array import ImageArray, carried_images

# Most are strict about widths by default, and the checks come with any.
CONFORMANT = [
    ImageScaler(),
    ImageScaler(image_shape="row", data_range=(-5, 5), clip=False),
    Deskewer(image_shape="row"),
    DigitNormalizer(image_shape="row", output_shape=(3, 8)),
    HOGTransformer(image_shape="row"),
]
TRANSFORMERS = [ImageScaler(), Deskewer(), DigitNormalizer(), HOGTransformer()]
# What `check_estimator` leaves out.
FURTHER_CHECKS = [
    "check_dataframe_column_names_consistency",
    "check_global_output_transform_pandas",
    "check_param_validation",
    "check_set_output_transform",
    "check_set_output_transform_pandas",
    "check_transformer_get_feature_names_out",
    "check_transformer_get_feature_names_out_pandas",
]
IMAGES = np.random.default_rng(0).integers(0, 256, (7, 5, 5), dtype=np.uint8)
LAYOUTS = {
    "flat": IMAGES.reshape(7, 25),
    "images": IMAGES,
    "list of images": list(IMAGES),
    "channels last": IMAGES[..., None],
    "channels first": IMAGES[:, None],
    "fortran order": np.asfortranarray(IMAGES),
}
COLOUR = np.random.default_rng(1).integers(0, 256, (4, 5, 6, 3), dtype=np.uint8)


@pytest.mark.parametrize("estimator", CONFORMANT, ids=repr)
def test_all_checks_of_scikit_learn_pass_and_none_is_skipped(estimator):
    results = check_estimator(estimator, on_fail=None, on_skip=None)
    assert len(results) >= 45
    assert [r for r in results if r["status"] != "passed"] == []


@pytest.mark.filterwarnings("ignore:X (does not have|has).*feature names:UserWarning")
@pytest.mark.parametrize("estimator", CONFORMANT, ids=repr)
@pytest.mark.parametrize("check", FURTHER_CHECKS)
def test_checks_that_check_estimator_leaves_out_pass(estimator, check):
    getattr(estimator_checks, check)(type(estimator).__name__, clone(estimator))


def test_image_layouts_pass_the_checks_too():
    scaler = ImageScaler(layout="channels_last", image_shape="row")
    results = check_estimator(scaler, on_fail=None, on_skip=None)
    assert len(results) >= 45
    assert [r for r in results if r["status"] != "passed"] == []


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize("seen", LAYOUTS)
@pytest.mark.parametrize("given", LAYOUTS)
def test_every_layout_of_the_same_images_gives_the_same(transformer, seen, given):
    transformer = clone(transformer).fit(LAYOUTS[seen])
    expected = clone(transformer).fit_transform(LAYOUTS["flat"])
    result = transformer.transform(LAYOUTS[given])
    assert result.dtype == np.float32
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, expected)
    assert transformer.n_features_in_ == 25
    assert transformer.image_shape_ == (5, 5, 1)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_colours_are_flattened_last_from_either_layout(transformer):
    channels_first = np.moveaxis(COLOUR, -1, 1)
    from_last = clone(transformer).fit_transform(COLOUR)
    from_first = clone(transformer).fit_transform(channels_first)
    from_flat = (
        clone(transformer)
        .set_params(image_shape=(5, 6, 3))
        .fit_transform(COLOUR.reshape(4, -1))
    )
    np.testing.assert_array_equal(from_last, from_first)
    np.testing.assert_array_equal(from_last, from_flat)


@pytest.mark.parametrize("images", [COLOUR, np.moveaxis(COLOUR, -1, 1)])
def test_output_layouts_hold_the_same_pixels(images):
    expected = (COLOUR / 255).astype(np.float32)
    flat = ImageScaler().fit_transform(images)
    last = ImageScaler(layout="channels_last").fit_transform(images)
    first = ImageScaler(layout="channels_first").fit_transform(images)
    np.testing.assert_array_equal(flat, expected.reshape(4, -1))
    np.testing.assert_array_equal(last, expected)
    np.testing.assert_array_equal(first, np.moveaxis(expected, -1, 1))


def test_flat_squares_become_images_without_a_shape():
    images = ImageScaler(layout="channels_first").fit_transform(LAYOUTS["flat"])
    np.testing.assert_array_equal(images, (IMAGES[:, None] / 255).astype(np.float32))


@pytest.mark.parametrize("image_shape", [(4, 6), [4, 6], (4, 6, 1), "row"])
def test_image_shape_of_flat_input_can_be_given(image_shape):
    X = np.arange(48, dtype=np.uint8).reshape(2, 24)
    scaler = ImageScaler(layout="channels_last", image_shape=image_shape)
    shape = (1, 24, 1) if image_shape == "row" else (4, 6, 1)
    assert scaler.fit_transform(X).shape == (2, *shape)
    assert scaler.image_shape_ == shape


def test_flat_output_needs_no_shape():
    scaler = ImageScaler().fit(np.zeros((3, 785)))
    assert scaler.image_shape_ is None
    assert scaler.transform(np.zeros((2, 785))).shape == (2, 785)


@pytest.mark.parametrize(
    ("pixels", "expected"),
    [
        (np.array([[7, 9]], np.uint8), (0, 255)),
        (np.array([[True, True]]), (0, 1)),
        (np.array([[3, 4000]], np.uint16), (3, 4000)),
        (np.array([[0, 255], [7, 9]], np.int64), (0, 255)),
        (np.array([[-3, 4]], np.int8), (-3, 4)),
        (np.array([[0.25, 0.5]], np.float32), (0.25, 0.5)),
        (pd.DataFrame({"a": [1, 16], "b": [0.0, 2.0]}), (0, 16)),
    ],
)
def test_range_is_learned_from_the_type_or_the_data(pixels, expected):
    scaler = ImageScaler().fit(pixels)
    assert (scaler.data_min_, scaler.data_max_) == expected


def test_all_types_of_the_same_pixels_give_the_same():
    expected = ImageScaler(data_range=(0, 255)).fit_transform(IMAGES)
    for dtype in (np.uint16, np.int64, np.float16, np.float32, np.float64):
        scaler = ImageScaler(data_range=(0, 255)).fit(IMAGES)
        np.testing.assert_array_equal(scaler.transform(IMAGES.astype(dtype)), expected)


def test_small_steps_between_large_pixels_survive():
    X = np.array([[2**30, 2**30 + 1, 2**30 + 2]])
    assert ImageScaler().fit_transform(X).tolist() == [[0.0, 0.5, 1.0]]


def test_images_of_one_colour_become_zero_and_come_back():
    X = np.full((3, 4), 1e6)
    scaler = ImageScaler().fit(X)
    np.testing.assert_array_equal(scaler.transform(X), np.zeros((3, 4)))
    np.testing.assert_array_equal(scaler.inverse_transform(np.zeros((3, 4))), X)


def test_pixels_beyond_the_range_are_clipped_unless_told_otherwise():
    seen, later = [[0.0, 10.0]], [[-10.0, 20.0]]
    clipping = ImageScaler().fit(seen)
    assert clipping.transform(later).tolist() == [[0.0, 1.0]]
    linear = ImageScaler(clip=False).fit(seen)
    assert linear.transform(later).tolist() == [[-1.0, 2.0]]
    assert linear.inverse_transform([[-1.0, 2.0]]).tolist() == later


def test_every_value_of_uint8_comes_back_exactly():
    X = np.arange(256, dtype=np.uint8).reshape(4, 64)
    for data_range in (None, (0, 255), (-1, 1000)):
        scaler = ImageScaler(data_range=data_range).fit(X)
        back = scaler.inverse_transform(scaler.transform(X))
        assert back.dtype == np.uint8
        np.testing.assert_array_equal(back, X)


@pytest.mark.parametrize("dtype", [bool, np.int16, np.uint16, np.float32, np.float64])
def test_pixels_come_back_in_their_type(dtype):
    X = np.random.default_rng(0).integers(0, 1000, (5, 9)).astype(dtype)
    scaler = ImageScaler().fit(X)
    back = scaler.inverse_transform(scaler.transform(X))
    assert back.dtype == dtype
    np.testing.assert_allclose(back, X, atol=1e-4 if back.dtype.kind == "f" else 0)


@pytest.mark.parametrize("layout", ["flat", "channels_last", "channels_first"])
def test_inverse_reads_every_layout_and_gives_flat(layout):
    scaler = ImageScaler(layout=layout).fit(COLOUR)
    back = scaler.inverse_transform(scaler.transform(COLOUR))
    np.testing.assert_array_equal(back, COLOUR.reshape(4, -1))


def test_inverse_keeps_within_the_type():
    scaler = ImageScaler().fit(np.array([[0, 255]], np.uint8))
    assert scaler.inverse_transform([[-0.5, 1.5]]).tolist() == [[0, 255]]
    ends = np.array([[0, 2**63 - 1]])
    back = ImageScaler().fit(ends).inverse_transform([[0.0, 1.5]])
    assert back[0, 1] > 2**62


def test_inverse_refuses_a_wrong_width():
    scaler = ImageScaler().fit(IMAGES)
    with pytest.raises(ValueError, match="X has 24 features, but ImageScaler is exp"):
        scaler.inverse_transform(np.zeros((2, 24)))


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
@pytest.mark.parametrize("dtype", [np.uint8, np.float32, np.float64])
def test_input_is_neither_changed_nor_given_back(transformer, dtype):
    X = (IMAGES / 255).astype(dtype)
    before = X.copy()
    result = clone(transformer).fit_transform(X)
    result[:] = 7
    np.testing.assert_array_equal(X, before)


@pytest.mark.parametrize("transformer", [ImageScaler(), Deskewer()], ids=repr)
@pytest.mark.parametrize("first", [False, True], ids=["last", "first"])
@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
def test_no_copy_of_the_images_is_made_but_the_output(transformer, dtype, first):
    images = np.zeros((2000, 28, 28, 3), dtype=dtype)
    if first:
        images = np.zeros((2000, 3, 28, 28), dtype=dtype)
    output_bytes = images.size * 4
    tracemalloc.start()
    try:
        clone(transformer).fit_transform(images)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert output_bytes <= peak < 1.4 * output_bytes


def test_data_frames_keep_their_column_names():
    frame = pd.DataFrame(IMAGES.reshape(7, 25), columns=[f"p{i}" for i in range(25)])
    scaler = ImageScaler().set_output(transform="pandas").fit(frame)
    assert list(scaler.transform(frame).columns) == list(frame.columns)
    assert scaler.get_feature_names_out().tolist() == list(frame.columns)


def test_image_output_has_no_column_names():
    scaler = ImageScaler(layout="channels_last")
    assert not hasattr(scaler, "set_output")
    assert not hasattr(scaler, "get_feature_names_out")
    with config_context(transform_output="pandas"):
        assert isinstance(scaler.fit_transform(IMAGES), np.ndarray)


@pytest.mark.parametrize(
    ("shape", "message"),
    [
        ((2, 785), r"785 columns.*785 is 28 \* 28 \+ 1: was a label column left in"),
        ((2, 50), "50 columns.*label column left in.*image_shape=.height, width"),
    ],
)
@pytest.mark.parametrize(
    "transformer", [ImageScaler(layout="channels_last"), *TRANSFORMERS[1:]], ids=repr
)
def test_width_that_is_no_square_is_refused(transformer, shape, message):
    with pytest.raises(ValueError, match=message):
        clone(transformer).fit(np.zeros(shape))


@pytest.mark.parametrize(
    ("image_shape", "X", "message"),
    [
        ((28, 28), np.zeros((2, 785)), "785 columns.*have 784 pixels.*label column"),
        ((9, 9), np.zeros((2, 64)), r"64 columns.*\(9, 9\) have 81 pixels\.$"),
        ((5, 5), np.zeros((2, 4, 6)), r"\(4, 6\), which are not of.*\(5, 5, 1\)"),
        ((5, 0), np.zeros((2, 25)), r"image_shape=\(5, 0\) is not allowed"),
        ((5,), np.zeros((2, 25)), r"image_shape=\(5,\) is not allowed"),
        ((5.0, 5), np.zeros((2, 25)), r"image_shape=\(5.0, 5\) is not allowed"),
        ((True, 25), np.zeros((2, 25)), r"image_shape=\(True, 25\) is not allowed"),
        ("column", np.zeros((2, 25)), "'image_shape' parameter.*Got 'column'"),
        (
            None,
            np.zeros((2, 5, 5, 1, 1)),
            r"found an array with dim 5: \(2, 5, 5, 1, 1\)",
        ),
        (None, np.zeros((2, 5, 5, 2)), "Cannot tell the channels"),
        (None, np.zeros((2, 3, 5, 3)), "Cannot tell the channels"),
        (None, np.zeros((2, 1, 5, 3)), "Cannot tell the channels"),
        (None, [np.zeros((5, 5)), np.zeros((4, 4))], "different sizes"),
        (None, np.zeros((0, 5, 5)), "0 sample"),
        (None, np.full((2, 5, 5), np.nan), "NaN"),
        (None, np.full((2, 5, 5), np.inf), "infinity"),
        (None, np.full((2, 25), "a"), "could not convert|not compatible|numeric"),
        (
            None,
            np.zeros(25),
            r"shape \(25,\) of one image.*X\[None\] is a batch of one",
        ),
    ],
)
@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_bad_images_are_refused_and_nothing_is_fitted(
    transformer, image_shape, X, message
):
    transformer = clone(transformer).set_params(image_shape=image_shape)
    with pytest.raises(ValueError, match=message):
        transformer.fit(X)
    with pytest.raises(NotFittedError):
        check_is_fitted(transformer)


def test_pixels_that_were_scaled_already_are_noticed():
    pixels = np.array([[0, 51, 102, 255], [9, 1, 0, 3]], dtype=np.uint8)
    scaler = ImageScaler().fit(pixels)
    with pytest.warns(UserWarning, match="scaled already.*from 0 to 255") as record:
        scaler.transform(pixels / 255)
    assert record.pop(UserWarning).filename == __file__
    fine = [
        (scaler, pixels),
        (scaler, pixels.astype(float)),
        (scaler, np.array([[0, 1, 1, 0]])),  # nearly black, but whole numbers
        (scaler, np.zeros((1, 4))),
        (scaler, np.array([[-0.1, 1, 0, 0]])),
        (ImageScaler().fit(pixels / 255), pixels / 255),
        (ImageScaler(data_range=(0, 1)).fit(pixels), pixels / 255),
    ]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for once, X in fine:
            once.transform(X)


@pytest.mark.parametrize(
    ("seen", "given", "message"),
    [
        ([[0.0, 127.5, 255.0]], [[0.0, 0.5, 1.0]], "scaled already.*from 0 to 255"),
        ([[0.0, 0.5, 1.0]], np.array([[0, 9, 255]], np.uint8), "up to 255,.*0 to 1"),
        ([[0.0, 0.5, 0.75]], [[0.0, 127.5, 255.0]], "up to 255,.*from 0 to 0.75"),
        ([[False, True, True]], [[0, 9, 255]], "up to 255,.*from 0 to 1"),
    ],
)
def test_pixels_of_clearly_another_range_are_noticed(seen, given, message):
    scaler = ImageScaler().fit(seen)
    with pytest.warns(UserWarning, match=message):
        scaler.transform(given)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaler.transform(seen)


@pytest.mark.parametrize(
    ("seen", "given"),
    [
        ([[0.0, 127.5, 255.0]], [[0.0, 1.0, 1.0]]),  # very dark
        ([[0.0, 127.5, 255.0]], [[0.0, 0.0, 0.0]]),
        ([[0.0, 127.5, 255.0]], [[0.0, 0.5, 2.5]]),
        ([[0.0, 0.5, 2.0]], [[0.0, 0.5, 0.75]]),
        ([[0.0, 0.5, 0.75]], [[0.0, 0.5, 1.25]]),  # brighter than any seen
        ([[0.0, 0.5, 1.0]], np.array([[0, 1, 1]], np.uint8)),
        ([[-1.0, 0.0, 1.0]], [[-20.0, 0.0, 20.0]]),  # no brightness
        ([[0.0, 0.0, 0.0]], [[0.0, 9.0, 255.0]]),  # no range was seen
    ],
)
def test_dark_and_bright_images_are_not_taken_for_another_range(seen, given):
    scaler = ImageScaler().fit(seen)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        scaler.transform(given)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_failed_second_fit_leaves_the_first(transformer):
    transformer = clone(transformer).fit(IMAGES)
    before = vars(transformer).copy()
    frame = pd.DataFrame(np.full((2, 16), np.nan), columns=list("abcdefghijklmnop"))
    with pytest.raises(ValueError, match="NaN"):
        transformer.fit(frame)
    assert vars(transformer) == before


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_sparse_images_are_refused(transformer):
    with pytest.raises(TypeError, match=r"Sparse data was passed.*toarray"):
        clone(transformer).fit(sparse.csr_array(np.eye(4)))


@pytest.mark.parametrize(
    "data_range",
    [(0, 0), (1, 0), (0,), (0, 1, 2), (0, np.inf), (np.nan, 1), ("0", "1")],
)
def test_malformed_data_range_is_refused(data_range):
    with pytest.raises(ValueError, match=r"data_range=.*low < high"):
        ImageScaler(data_range=data_range).fit(IMAGES)


@pytest.mark.parametrize("transformer", TRANSFORMERS, ids=repr)
def test_other_images_than_fitted_are_refused(transformer):
    transformer = clone(transformer).fit(IMAGES)
    with pytest.raises(ValueError, match=r"\(4, 4\).*\(5, 5, 1\)"):
        transformer.transform(np.zeros((2, 4, 4)))
    with pytest.raises(ValueError, match=r"\(5, 5\) of one image.*X\[None\] is"):
        transformer.transform(IMAGES[0])


def test_ambiguous_channels_are_told_by_image_shape():
    X = np.arange(2 * 3 * 5 * 3, dtype=np.uint8).reshape(2, 3, 5, 3)
    last = ImageScaler(image_shape=(3, 5, 3)).fit_transform(X)
    first = ImageScaler(image_shape=(5, 3, 3)).fit_transform(X)
    np.testing.assert_array_equal(last * 255, X.reshape(2, -1))
    np.testing.assert_array_equal(first * 255, np.moveaxis(X, 1, -1).reshape(2, -1))


def test_channels_are_last_where_either_layout_fits_the_declared_shape():
    X = np.arange(27, dtype=np.uint8).reshape(1, 3, 3, 3)
    scaled = ImageScaler(image_shape=(3, 3, 3)).fit_transform(X)
    np.testing.assert_array_equal(np.rint(scaled * 255), X.reshape(1, -1))


def test_four_channels_are_read_when_declared():
    X = np.zeros((2, 4, 6, 5), dtype=np.uint8)
    assert ImageScaler(image_shape=(6, 5, 4)).fit(X).image_shape_ == (6, 5, 4)


@pytest.mark.parametrize(("n_pixels", "side"), [(1, 1), (64, 8), (784, 28)])
def test_squares_are_detected(n_pixels, side):
    assert resolve_image_shape(n_pixels) == (side, side, 1)


def draw_stroke(height, width, slope, x_middle):
    """Draw an anti-aliased stroke that moves by `slope` columns a row."""
    y, x = np.mgrid[:height, :width]
    distance = np.abs(x - x_middle - slope * (y - (height - 1) / 2))
    stroke = np.clip(1.5 - distance, 0, 1)
    return np.where((y > 1) & (y < height - 2), stroke, 0)


@pytest.mark.parametrize("slope", [-0.7, -0.3, 0.0, 0.5, 0.9])
def test_strokes_are_set_upright_and_into_the_middle(slope):
    stroke = draw_stroke(20, 21, slope, x_middle=9)
    upright = draw_stroke(20, 21, 0, x_middle=10)
    deskewed = Deskewer(image_shape=(20, 21)).fit_transform(stroke[None])
    np.testing.assert_allclose(deskewed.reshape(20, 21), upright, atol=0.26)
    x, y = deskewed.reshape(20, 21).sum(axis=0), deskewed.reshape(20, 21).sum(axis=1)
    assert np.average(np.arange(21), weights=x) == pytest.approx(10, abs=1e-5)
    assert np.average(np.arange(20), weights=y) == pytest.approx(9.5, abs=1e-5)


def test_deskewing_agrees_with_an_affine_transformation():
    rng = np.random.default_rng(3)
    images = rng.random((5, 9, 11)) * (rng.random((5, 9, 11)) > 0.7)
    images[:, :2] = images[:, -2:] = 0
    for center in (True, False):
        deskewer = Deskewer(image_shape=(9, 11), center=center, max_shear=3)
        result = deskewer.fit_transform(images).reshape(5, 9, 11)
        for image, deskewed in zip(images, result, strict=True):
            y, x = np.mgrid[:9, :11]
            mean = np.array(
                [np.average(y, weights=image), np.average(x, weights=image)]
            )
            cov = np.cov(y.ravel(), x.ravel(), aweights=image.ravel(), ddof=0)
            matrix = np.array([[1, 0], [cov[0, 1] / cov[0, 0], 1]])
            middle = np.array([4, 5]) if center else mean
            expected = ndimage.affine_transform(
                image, matrix, mean - matrix @ middle, order=1, mode="grid-constant"
            )
            np.testing.assert_allclose(deskewed, expected, atol=1e-6)


def test_upright_images_in_the_middle_stay_as_they_are():
    image = np.zeros((2, 8, 8))
    image[0, 2:6, 3:5] = 9
    image[1, 1:7, 2:6] = 7
    deskewed = Deskewer().fit_transform(image)
    np.testing.assert_allclose(deskewed, image.reshape(2, 64), atol=1e-5)


def test_slant_without_bound_is_limited():
    nearly_flat = np.zeros((1, 9, 9))
    nearly_flat[0, 4, :5] = nearly_flat[0, 5, 4:] = 1
    limited = Deskewer(center=False, max_shear=1).fit_transform(nearly_flat)
    expected = [0.5, 1, 1, 1, 1, 0.5, 0, 0, 0]
    assert limited.reshape(9, 9)[4].tolist() == expected
    assert limited.reshape(9, 9)[5].tolist() == expected[::-1]
    mirrored = Deskewer(center=False).fit_transform(nearly_flat[:, :, ::-1])
    assert mirrored.reshape(9, 9)[4].tolist() == expected[::-1]
    assert mirrored.reshape(9, 9)[5].tolist() == expected
    unmoved = Deskewer(center=False, max_shear=0).fit_transform(nearly_flat)
    np.testing.assert_array_equal(unmoved, nearly_flat.reshape(1, -1))


@pytest.mark.parametrize("value", [0, 3, -2.5])
def test_blank_images_stay_blank(value):
    blank = np.full((2, 5, 5), value)
    np.testing.assert_array_equal(Deskewer().fit_transform(blank), blank.reshape(2, 25))


@pytest.mark.parametrize("axis", [1, 2])
def test_images_of_one_line_are_only_centred(axis):
    line = np.zeros((1, 7))
    line[0, 0] = 5
    deskewer = Deskewer().fit(np.expand_dims(line, axis))
    assert deskewer.transform(line).tolist() == [[0, 0, 0, 5, 0, 0, 0]]


def test_stroke_within_one_row_is_no_slant():
    image = np.zeros((1, 7, 7))
    image[0, 5, 1:4] = 0.1
    expected = np.zeros((7, 7), dtype=np.float32)
    expected[3, 2:5] = 0.1
    np.testing.assert_allclose(
        Deskewer().fit_transform(image).reshape(7, 7), expected, atol=1e-7
    )


def test_deskewing_and_scaling_commute():
    images = np.random.default_rng(0).random((6, 8, 8))
    deskewer = Deskewer().fit(images)
    np.testing.assert_allclose(
        deskewer.transform(100 * images - 30),
        100 * deskewer.transform(images) - 30,
        atol=1e-4,
    )


def test_each_image_is_deskewed_by_itself():
    images = np.random.default_rng(0).random((400, 28, 28))
    deskewer = Deskewer().fit(images)
    together = deskewer.transform(images)
    alone = np.vstack([deskewer.transform(images[i : i + 1]) for i in (0, 83, 399)])
    np.testing.assert_array_equal(alone, together[[0, 83, 399]])


def test_colours_of_an_image_move_together():
    grey = draw_stroke(10, 10, 0.6, x_middle=4)
    colour = np.stack([grey, 0.5 * grey, np.zeros_like(grey)], axis=-1)
    expected = Deskewer().fit_transform(grey[None]).reshape(10, 10)
    deskewed = Deskewer().fit_transform(colour[None]).reshape(10, 10, 3)
    np.testing.assert_allclose(deskewed[..., 0], expected, atol=1e-6)
    np.testing.assert_allclose(deskewed[..., 1], 0.5 * expected, atol=1e-6)


def test_bytes_that_are_nearly_black_bring_a_warning():
    images = np.array([[0, 1], [1, 0]], np.uint8)
    with pytest.warns(UserWarning, match=r"up to 1, .*data_range=\(0, 1\)"):
        ImageScaler().fit(images)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for good in (0 * images, 17 * images, images.astype(bool), 1.0 * images):
            ImageScaler().fit(good)
        scaled = ImageScaler(data_range=(0, 1)).fit_transform(images)
    assert np.array_equal(scaled, images)


WIDE = np.random.default_rng(2).integers(0, 256, (6, 4, 16), dtype=np.uint8)


def dumped(rows, path):
    joblib.dump(rows, path / "rows.joblib")
    return path / "rows.joblib"


@pytest.mark.parametrize(
    "keep",
    [
        lambda rows, path: rows[1:4],
        lambda rows, path: rows[[1, 2, 3], ...],
        lambda rows, path: rows[np.isin(np.arange(6), (1, 2, 3))],
        lambda rows, path: rows[1:4].copy(),
        lambda rows, path: copy.deepcopy(rows[1:4]),
        lambda rows, path: pickle.loads(pickle.dumps(rows[1:4])),
        lambda rows, path: joblib.load(dumped(rows, path))[1:4],
        lambda rows, path: joblib.load(dumped(rows, path), mmap_mode="r")[1:4],
        lambda rows, path: np.concatenate([rows[1:2], rows[2:4]]),
        lambda rows, path: (rows * 2 / 2)[1:4].astype(np.float64),
        lambda rows, path: copy.copy(rows)[1:4],
        lambda rows, path: rows.take([1, 2, 3], axis=0),
        lambda rows, path: np.clip(rows, 0, 1)[1:4],
        lambda rows, path: operator.iadd(rows, 0)[1:4],
        lambda rows, path: _safe_indexing(rows, [1, 2, 3]),
    ],
)
@pytest.mark.parametrize("layout", ["flat", "channels_last", "channels_first"])
def test_chosen_images_carry_their_shape(keep, layout, tmp_path):
    rows = ImageScaler(layout=layout).fit_transform(WIDE)
    kept = carried_images(keep(rows, tmp_path))
    assert kept.shape == (3, 4, 16, 1)
    np.testing.assert_array_equal(kept[..., 0], (WIDE[1:4] / 255).astype(np.float32))


@pytest.mark.parametrize(
    "lose",
    [
        lambda rows: rows[0],
        lambda rows: rows[:, :32],
        lambda rows: rows[:, ::-1],
        lambda rows: rows[..., np.arange(64)],
        lambda rows: rows.T,
        lambda rows: rows.reshape(3, 128),
        lambda rows: np.hstack([rows, rows]),
        lambda rows: np.vstack([rows, np.zeros((1, 64))]),
        lambda rows: rows @ np.eye(64),
        lambda rows: rows.mean(axis=0),
        lambda rows: np.take(rows, np.arange(64)[::-1], axis=1),
        lambda rows: rows.take(np.arange(64)[::-1], axis=1),
        lambda rows: rows.reshape(6, 4, 16).transpose(0, 2, 1).reshape(6, 64),
        lambda rows: rows.T.reshape(6, 64),
        lambda rows: rows.T.copy().T + 0,
        lambda rows: rows + ImageArray.of(rows, (8, 8, 1)),
        lambda rows: rows.dot(np.eye(64)),
        lambda rows: np.dot(rows, np.eye(64)),
        lambda rows: np.einsum("ij,jk", rows, np.eye(64)),
        lambda rows: np.roll(rows, 1, axis=1),
        lambda rows: np.roll(rows, 1),
        lambda rows: np.flip(rows),
        lambda rows: np.sort(rows, axis=1),
        lambda rows: np.partition(rows, 3, axis=1),
        lambda rows: np.argsort(rows, axis=1),
        lambda rows: rows.argsort(axis=1),
        lambda rows: np.cumsum(rows, axis=1),
        lambda rows: rows.cumsum(axis=1),
        lambda rows: np.add.accumulate(rows, axis=1),
        lambda rows: np.add.reduceat(rows, np.arange(64), axis=1),
        lambda rows: np.take_along_axis(rows, np.argsort(rows, axis=1), axis=1),
        lambda rows: np.apply_along_axis(np.sort, 1, rows),
        lambda rows: np.random.default_rng(0).permuted(rows, axis=1),
        lambda rows: np.random.default_rng(0).permutation(rows, axis=1),
        np.asarray,
        pd.DataFrame,
    ],
)
def test_pixels_that_may_have_changed_places_carry_no_shape(lose):
    rows = ImageScaler().fit_transform(WIDE)
    assert carried_images(rows) is not None
    assert carried_images(lose(rows)) is None


def test_channels_first_are_read_back_in_order():
    first = ImageScaler(layout="channels_first").fit_transform(COLOUR)
    for transformer in (ImageScaler(), Deskewer(max_shear=0, center=False)):
        rows = clone(transformer).fit_transform(first)
        np.testing.assert_allclose(rows, (COLOUR / 255).reshape(4, -1), atol=1e-6)
    # Flattened by hand, they are in an order of their own.
    assert carried_images(first.reshape(4, -1)) is None


def test_scaled_rows_are_numpy_arrays_like_any_other():
    rows = ImageScaler().fit_transform(WIDE)
    plain = np.asarray(rows)
    assert isinstance(rows, np.ndarray)
    assert type(plain) is np.ndarray
    assert repr(rows) == repr(plain)
    for reduce in (np.sum, np.min, np.mean, np.std, np.median, np.argmax):
        assert type(reduce(rows)) is type(reduce(plain))
        assert reduce(rows) == reduce(plain)
    assert type(rows[0, 0]) is np.float32
    assert type(rows.mean(axis=0)) is np.ndarray


def test_only_what_was_given_or_declared_is_carried():
    rows = WIDE.reshape(6, 64)
    assert type(ImageScaler().fit_transform(rows)) is np.ndarray
    assert type(ImageScaler(image_shape="row").fit_transform(rows)) is np.ndarray
    assert type(Deskewer().fit_transform(rows)) is np.ndarray
    for transformer in (ImageScaler(), Deskewer()):
        declared = transformer.set_params(image_shape=(4, 16)).fit_transform(rows)
        assert isinstance(declared, ImageArray)
        assert declared.image_shape == (4, 16, 1)


def test_a_transformer_takes_no_other_shape_than_the_one_before_it_gave():
    rows = ImageScaler().fit_transform(WIDE)
    for transformer in (ImageScaler(), Deskewer()):
        with pytest.raises(
            ValueError, match=r"\(4, 16, 1\), which are not of image_shape=\(8, 8, 1\)"
        ):
            clone(transformer).set_params(image_shape=(8, 8)).fit(rows)
        with pytest.raises(
            ValueError, match=r"\(4, 16, 1\), which are not of image_shape=\(8, 8, 1\)"
        ):
            clone(transformer).fit(np.zeros((2, 8, 8))).transform(rows)
        as_rows = clone(transformer).set_params(image_shape="row").fit(rows)
        assert as_rows.image_shape_ == (1, 64, 1)


def test_a_cache_of_the_pipeline_keeps_the_shape(tmp_path):
    for _ in range(2):
        steps = make_pipeline(
            ImageScaler(), Deskewer(), ImageScaler(), memory=str(tmp_path)
        ).fit(WIDE)
        assert steps[-1].image_shape_ == (4, 16, 1)


def test_colours_with_opacity_are_read_from_either_layout():
    images = np.random.default_rng(3).integers(0, 256, (3, 8, 8, 4), dtype=np.uint8)
    last = ImageScaler().fit(images)
    assert last.image_shape_ == (8, 8, 4)
    first = ImageScaler().fit_transform(np.moveaxis(images, -1, 1))
    np.testing.assert_array_equal(first, last.transform(images))


def test_a_pixel_below_black_is_not_learned_without_a_word():
    images = np.random.default_rng(0).integers(0, 256, (20, 8, 8)).astype(float)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ImageScaler().fit(images)
        ImageScaler().fit(images - 128)  # centred
        ImageScaler(data_range=(-1, 255)).fit(images)
    images[3, 2, 1] = -1
    with pytest.warns(UserWarning, match=r"down to -1 .* give data_range=\(0, 255\)"):
        ImageScaler().fit(images)
