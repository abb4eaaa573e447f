"""Digits found in pictures: layout, light, lines, polarity, and the transformer."""

import csv
import os
import pickle
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from scipy.sparse import csr_array
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.utils.estimator_checks import parametrize_with_checks

from skmnist import DigitExtractor, DigitNormalizer, ImageScaler
from skmnist.datasets import load_digits, read_picture

DIGITS = load_digits()
HANDWRITING = Path(os.environ.get("SKMNIST_DATA", "")).parent / "handwriting"


def enlarged(image, scale):
    size = scale * image.shape[1], scale * image.shape[0]
    large = Image.fromarray(image).resize(size, Image.Resampling.BICUBIC)
    return np.asarray(large) / 255


def first_of(labels, start=20):
    """Return the numbers of images with these labels."""
    return [start + int(np.argmax(DIGITS.target[start:] == int(c))) for c in labels]


def write(lines, *, scale=6, gap=4, margin=30):
    """Write rows of digits; return the ink, from 0 to 1, and boxes in reading order."""
    height = max(len(lines), 1) * scale * 14 + 2 * margin
    ink = np.zeros((height, max(map(len, lines)) * scale * (8 + gap) + 2 * margin))
    boxes = []
    for row, line in enumerate(lines):
        for column, number in enumerate(first_of(line)):
            digit = enlarged(DIGITS.images[number], scale)
            y = margin + row * scale * 14
            x = margin + column * scale * (8 + gap)
            ink[y : y + 8 * scale, x : x + 8 * scale] = digit
            dark = digit > 0.4
            rows, columns = np.nonzero(dark.any(axis=1))[0], np.nonzero(dark.any(0))[0]
            boxes.append((y + rows[0], x + columns[0], y + rows[-1], x + columns[-1]))
    return ink, np.array(boxes)


def on_paper(ink, *, paper=(230, 170), noise=4.0, strength=0.7, seed=0):
    """Lay ink on paper that is darker on the right, with noise."""
    light = np.linspace(*paper, ink.shape[1])
    noise = np.random.default_rng(seed).normal(0, noise, ink.shape)
    return np.clip(light * (1 - strength * ink) + noise, 0, 255).astype(np.uint8)


def with_lines(picture, *, step, squared=False, strength=0.25):
    ruled = picture.copy()
    ruled[step // 2 :: step] = ruled[step // 2 :: step] * (1 - strength)
    if squared:
        columns = slice(step // 2, None, step)
        ruled[:, columns] = ruled[:, columns] * (1 - strength)
    return ruled


@pytest.fixture(scope="module")
def reader():
    """Make a model of normalized digits."""
    images = np.array([enlarged(image, 6) for image in DIGITS.images[:600]])
    normalizer = DigitNormalizer()
    return KNeighborsClassifier(1).fit(
        255 * normalizer.fit_transform(images), DIGITS.target[:600]
    )


def read(reader, picture, **params):
    digits = DigitExtractor(**params).extract(picture)
    if not len(digits):
        return []
    return digits.join(reader.predict(digits.images.reshape(len(digits), -1)))


LINES = ["0123", "456", "789"]
INK, BOXES = write(LINES)
PAGES = {
    "clean": 255 - np.rint(255 * INK).astype(np.uint8),
    "uneven light": on_paper(INK),
    "half in the shadow": np.where(
        np.arange(INK.shape[1]) > 100, on_paper(INK), on_paper(INK) // 2
    ),
    "noise": on_paper(INK, noise=12),
    "pale ink": on_paper(INK, strength=0.25),
    "light on dark": 255 - on_paper(INK),
    "ruled": with_lines(on_paper(INK), step=42),
    "ruled as dark as the ink": with_lines(on_paper(INK), step=90, strength=0.6),
    "squared": with_lines(on_paper(INK), step=30, squared=True),
    "beside a dark table": np.vstack(
        [on_paper(INK), np.full((60, INK.shape[1]), 20, np.uint8)]
    ),
    "specks": np.where(
        np.random.default_rng(1).random(INK.shape) < 1e-3, np.uint8(40), on_paper(INK)
    ),
    "colours": np.stack(
        [on_paper(INK), np.full(INK.shape, 90, np.uint8), on_paper(INK)], axis=2
    ),
    "16 bits": on_paper(INK).astype(np.uint16) * 257,
    "fractions": on_paper(INK) / 255,
    "small": on_paper(write(LINES, scale=2, margin=8)[0], noise=1),
    "large": on_paper(write(LINES, scale=24)[0]),
    "without a margin": on_paper(write(LINES, margin=0)[0], paper=(250, 250), noise=0),
}


@pytest.mark.parametrize("page", PAGES)
def test_pages_are_read_in_reading_order(reader, page):
    assert read(reader, PAGES[page]) == LINES


def bars(shape, *boxes):
    """Draw dark rectangles: top, left, bottom and right of each."""
    picture = np.full(shape, 230, np.uint8)
    for top, left, bottom, right in boxes:
        picture[top:bottom, left:right] = 20
    return picture


SEVEN = (0, 5, 10, 55), (0, 45, 100, 55)
ONE = (10, 80, 95, 90)


@pytest.mark.parametrize(
    ("picture", "boxes"),
    [
        (bars((100, 110), (0, 0, 100, 8), ONE), [(0, 0, 100, 8), ONE]),
        (bars((100, 100), *SEVEN, ONE), [(0, 5, 100, 55), ONE]),
        (bars((100, 100), (0, 45, 100, 55), (10, 30, 20, 34)), [(0, 45, 100, 55)]),
        (bars((200, 110), (0, 0, 200, 8), ONE), [ONE]),
        (bars((100, 110), (0, 0, 100, 3), ONE), [ONE]),
        (bars((110, 110), (0, 0, 110, 8), (0, 0, 8, 110), ONE), [ONE]),
        (bars((200, 110), (160, 0, 200, 110), ONE), [ONE]),
    ],
    ids=["1", "7", "1 and a speck", "long line", "thin line", "corner", "table"],
)
def test_digits_at_the_edge_are_told_from_frames(picture, boxes):
    np.testing.assert_array_equal(DigitExtractor().extract(picture).boxes, boxes)


def test_boxes_lie_around_the_digits():
    digits = DigitExtractor().extract(PAGES["uneven light"])
    np.testing.assert_allclose(digits.boxes, BOXES, atol=8)
    np.testing.assert_array_equal(digits.rows, [0, 0, 0, 0, 1, 1, 1, 2, 2, 2])
    assert ((digits.confidences > 0.5) & (digits.confidences <= 1)).all()
    assert digits.images.dtype == np.uint8
    assert digits.images.shape == (10, 28, 28)


def test_boxes_of_large_pictures_are_in_their_own_pixels():
    ink, boxes = write(["35"], scale=80)
    assert max(ink.shape) > 1200
    digits = DigitExtractor().extract(on_paper(ink))
    np.testing.assert_allclose(digits.boxes, boxes, atol=90)


@pytest.mark.parametrize(
    "picture",
    [
        np.full((60, 80), 200, np.uint8),
        np.zeros((1, 1), np.uint8),
        np.full((5, 300, 3), 0.5),
        on_paper(np.zeros((100, 150)), noise=10),
        with_lines(on_paper(np.zeros((200, 200))), step=25, squared=True),
    ],
    ids=["one colour", "one pixel", "a strip", "noise", "squares"],
)
def test_empty_pictures_have_no_digits(picture):
    digits = DigitExtractor().extract(picture)
    assert len(digits) == 0
    assert digits.images.shape == (0, 28, 28)
    assert digits.boxes.shape == (0, 4)
    assert digits.join([]) == []


def draw(strokes, shape=(120, 100), width=4):
    picture = np.full(shape, 220, np.uint8)
    for (y0, x0), (y1, x1) in strokes:
        for t in np.linspace(0, 1, 200):
            y, x = round(y0 + t * (y1 - y0)), round(x0 + t * (x1 - x0))
            picture[y : y + width, x : x + width] = 40
    return picture


def test_broken_strokes_are_one_digit():
    bar = ((20, 45), (20, 70))  # of a 5, lifted off its body
    body = ((28, 40), (55, 40)), ((55, 40), (60, 65)), ((60, 65), (95, 62))
    assert len(DigitExtractor().extract(draw([bar, *body]))) == 1


def test_digits_that_touch_are_separated():
    first = ((20, 20), (20, 50)), ((20, 50), (90, 25))  # 7
    ring = np.linspace(0, 2 * np.pi, 40)
    points = np.column_stack([55 + 33 * np.cos(ring), 76 + 25 * np.sin(ring)])
    loop = list(zip(points[:-1].tolist(), points[1:].tolist(), strict=True))
    picture = draw([*first, *loop], shape=(120, 130))
    digits = DigitExtractor().extract(picture)
    assert len(digits) == 2
    assert digits.boxes[0, 3] <= digits.boxes[1, 1] + 6


def test_thin_strokes_become_as_wide_as_those_of_mnist():
    thin, thick = (draw([((20, 50), (100, 50))], width=w) for w in (1, 10))
    thin, thick = (DigitExtractor().extract(p).images[0] for p in (thin, thick))
    assert abs(float(thin.sum()) - float(thick.sum())) < 0.35 * thick.sum()
    kept = DigitExtractor(stroke_width=0).extract(
        draw([((20, 50), (100, 50))], width=1)
    )
    assert kept.images[0].sum() < 0.7 * thick.sum()


@pytest.mark.parametrize("margin", [1, 2, 4, 8, 16, 32])
@pytest.mark.parametrize("invert", [False, True], ids=["dark", "light"])
def test_closely_cropped_digits_are_found(margin, invert):
    for number in first_of("0123456789"):
        ink = enlarged(DIGITS.images[number], 12) > 0.5
        rows, columns = (np.flatnonzero(ink.any(axis=a)) for a in (1, 0))
        ink = ink[rows[0] : rows[-1] + 1, columns[0] : columns[-1] + 1]
        picture = np.where(np.pad(ink, margin), np.uint8(60), np.uint8(230))
        digits = DigitExtractor().extract(255 - picture if invert else picture)
        box = margin, margin, margin + ink.shape[0], margin + ink.shape[1]
        np.testing.assert_allclose(digits.boxes, [box], atol=2)


@pytest.mark.parametrize("width", [45, 50, 60, 160])
def test_strokes_may_be_wide_in_narrow_pictures(width):
    bar = (10, width // 2 - 10, 150, width // 2 + 10)
    digits = DigitExtractor().extract(bars((160, width), bar))
    np.testing.assert_array_equal(digits.boxes, [bar])


@pytest.mark.parametrize("ink", ["dark", "light"])
def test_ink_can_be_said_to_be_dark_or_light(reader, ink):
    page = PAGES["uneven light"]
    right = page if ink == "dark" else 255 - page
    assert read(reader, right, ink=ink) == LINES
    assert read(reader, 255 - right, ink=ink) != LINES


@given(
    y=st.integers(0, 60),
    x=st.integers(0, 60),
    scale=st.integers(3, 12),
    number=st.integers(0, 99),
    invert=st.booleans(),
)
@settings(max_examples=25, deadline=None, derandomize=True)
def test_place_size_and_polarity_do_not_matter(y, x, scale, number, invert):
    ink = np.pad(enlarged(DIGITS.images[number], scale), ((y + 9, 70), (x + 9, 70)))
    reference = np.pad(enlarged(DIGITS.images[number], 6), 40)
    picture = on_paper(ink, noise=0, paper=(220, 220))
    found = DigitExtractor().extract(255 - picture if invert else picture)
    wanted = DigitExtractor().extract(on_paper(reference, noise=0, paper=(220, 220)))
    assert len(wanted) == len(found) == 1
    difference = found.images[0].astype(float) - wanted.images[0]
    assert np.abs(difference).mean() < 20


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    seed=st.integers(0, 2**32 - 1),
    kind=st.sampled_from(["bytes", "sparse", "floats", "colours"]),
)
@settings(max_examples=60, deadline=None, derandomize=True)
def test_any_pixels_make_images_inside_the_picture(shape, seed, kind):
    rng = np.random.default_rng(seed)
    picture = {
        "bytes": lambda: rng.integers(0, 256, shape, dtype=np.uint8),
        "sparse": lambda: rng.random(shape) < 0.05,
        "floats": lambda: 1e6 * rng.normal(size=shape),
        "colours": lambda: rng.integers(0, 256, (*shape, 3), dtype=np.uint8),
    }[kind]()
    digits = DigitExtractor().extract(picture)
    assert (digits.boxes[:, :2] >= 0).all()
    assert (digits.boxes[:, 2:] <= shape).all()
    assert (digits.boxes[:, 2:] > digits.boxes[:, :2]).all()
    assert (digits.images.max(axis=(1, 2)) == 255).all()


MASK = np.pad(np.ones((20, 4), bool), 30)


@pytest.mark.parametrize("dtype", ["u1", "i2", "u2", "i8", "u8", "f2", "f4", "f8"])
@pytest.mark.parametrize(
    ("dark", "light", "n_digits"),
    [(0, 1, 1), (30, 200, 1), (200, 30, 1), (198, 200, 0)],
    ids=["mask", "dark", "light", "paper alone"],
)
def test_pixels_mean_the_same_in_every_type(dtype, dark, light, n_digits):
    picture = np.where(MASK, dark, light).astype(dtype)
    digits = DigitExtractor().extract(picture)
    assert len(digits) == n_digits
    if n_digits:
        expected = DigitExtractor().extract(MASK)
        np.testing.assert_allclose(digits.images, expected.images, atol=1)


@pytest.mark.parametrize(
    ("low", "high"),
    [(0, 65535), (-0.05, 1.05), (-20, 270), (-1, 1), (-1e38, 3e38), (1e5, 1e6)],
)
def test_any_range_of_pixels_is_read(low, high):
    assert len(DigitExtractor().extract(np.where(MASK, low, high))) == 1


@pytest.mark.parametrize("shape", [(1333, 2667), (2667, 1333), (1499, 1501)])
def test_boxes_of_reduced_pictures_lie_inside(shape):
    picture = np.full(shape, 230, np.uint8)
    picture[-200:, -40:] = picture[-200:, -140:-120] = 20
    boxes = DigitExtractor().extract(picture).boxes
    assert boxes.max(axis=0).tolist()[2:] == list(shape)


@pytest.mark.parametrize(
    ("picture", "message"),
    [
        (np.zeros(5), r"picture must have the shape.*got \(5,\)"),
        (np.zeros((4, 4, 5)), "at most 4 channels"),
        (np.zeros((4, 0, 3)), r"at least one pixel; got \(4, 0, 3\)"),
        (np.full((4, 4), np.nan), "picture contains NaN"),
        (np.full((4, 4), 1e300), "picture contains 1e.300, which is too large"),
        (np.zeros((0, 4)), "0 sample"),
        (np.ma.masked_less(PAGES["clean"], 99), "picture has masked pixels"),
        ([[1, 2], [3]], "picture is a list of rows .* of different sizes"),
        (csr_array(np.eye(9)), "Sparse data was passed for picture"),
        (None, "picture must be an array of pixels; got None"),
        ("photo.jpg", r"got 'photo.jpg'. To read a file, use .*read_picture"),
        (Path("photo.jpg"), "To read a file, use .*read_picture"),
    ],
    ids=str,
)
def test_what_is_no_picture_is_refused(picture, message):
    with pytest.raises((ValueError, TypeError), match=message):
        DigitExtractor().extract(picture)


@pytest.mark.parametrize(
    "params",
    [{"ink": "red"}, {"stroke_width": 1.0}, {"min_confidence": 2}, {"output_shape": 8}],
    ids=repr,
)
def test_bad_parameters_are_refused(params):
    with pytest.raises(ValueError, match=next(iter(params))):
        DigitExtractor(**params).extract(np.zeros((9, 9)))


def test_labels_are_joined_only_if_there_is_one_for_each_digit():
    digits = DigitExtractor().extract(PAGES["clean"])
    with pytest.raises(ValueError, match="3 labels given for 10 digits"):
        digits.join([1, 2, 3])


def test_pictures_of_one_digit_are_the_input_of_a_pipeline(reader):
    numbers = first_of("0123456789")
    pictures = np.array(
        [on_paper(np.pad(enlarged(DIGITS.images[i], 6), 20)) for i in numbers]
    )
    model = make_pipeline(DigitExtractor(), ImageScaler(), KNeighborsClassifier(1))
    model.fit(pictures, np.arange(10))
    copy = pickle.loads(pickle.dumps(model))
    np.testing.assert_array_equal(copy.predict(255 - pictures), np.arange(10))
    images = clone(model[0]).fit_transform(pictures)
    assert images.shape == (10, 784)
    np.testing.assert_array_equal(reader.predict(images), np.arange(10))


def pictures_of_digits():
    """Draw three digits of other places and sizes, one of them beside a smaller one."""
    one, two = (np.pad(enlarged(DIGITS.images[i], 6), 20) for i in first_of("42"))
    both = np.roll(one, 9, axis=1)
    both[20:44, 2:6] = 1
    return np.array([on_paper(ink) for ink in (one, two, both)])


def test_each_picture_is_searched_by_itself():
    pictures = pictures_of_digits()
    extractor = DigitExtractor().fit(pictures)
    together = extractor.transform(pictures)
    assert (together.max(axis=1) == 255).all()
    alone = [extractor.transform(picture[None])[0] for picture in pictures]
    np.testing.assert_array_equal(together, alone)


def test_pictures_are_not_changed():
    pictures = pictures_of_digits()
    given = pictures.astype(np.float32)
    DigitExtractor().fit_transform(given)
    DigitExtractor().extract(given[0])
    np.testing.assert_array_equal(given, pictures)


def test_the_largest_digit_of_a_picture_is_taken():
    picture = pictures_of_digits()[2]
    digits = DigitExtractor().extract(picture)
    heights = digits.boxes[:, 2] - digits.boxes[:, 0]
    assert len(digits) == 2
    (image,) = DigitExtractor().fit_transform(picture[None])
    np.testing.assert_array_equal(image, digits.images[heights.argmax()].ravel())


def test_images_come_as_a_table_if_set_so():
    extractor = DigitExtractor(output_shape=(4, 5))
    with pytest.raises(NotFittedError):
        extractor.get_feature_names_out()
    table = extractor.set_output(transform="pandas").fit_transform(pictures_of_digits())
    assert table.shape == (3, 20)
    assert table.columns[-1] == extractor.get_feature_names_out()[-1]
    plain = clone(extractor).set_output(transform="default")
    np.testing.assert_array_equal(table, plain.fit_transform(pictures_of_digits()))


@pytest.mark.parametrize("min_confidence", [0, 0.5, 0.9])
def test_doubtful_digits_are_left_out(min_confidence):
    picture = np.full((100, 260), 230, np.uint8)
    for x, height in ((20, 60), (80, 60), (140, 30), (200, 20)):
        picture[20 : 20 + height, x : x + 8] = 20
    every = DigitExtractor(min_confidence=0).extract(picture)
    assert (np.diff(every.confidences) <= 0).all()
    assert every.confidences[0] == 1
    assert every.confidences[-1] < 0.5 < every.confidences[-2] < 0.9
    digits = DigitExtractor(min_confidence=min_confidence).extract(picture)
    assert len(digits) == (every.confidences >= min_confidence).sum()


@parametrize_with_checks([DigitExtractor(image_shape="row")])
def test_extractor_passes_the_checks_of_scikit_learn(estimator, check):
    check(estimator)


@pytest.mark.skipif(not HANDWRITING.is_dir(), reason="needs pictures that are not ours")
def test_digits_of_other_hands_are_found():
    with open(HANDWRITING / "labels.csv", encoding="utf-8") as file:
        rows = list(csv.DictReader(file))[::9]
    extractor = DigitExtractor()
    found = [
        len(extractor.extract(read_picture(HANDWRITING / r["file"]))) for r in rows
    ]
    right = [n == len(r["label"]) for n, r in zip(found, rows, strict=True)]
    assert np.mean(right) >= 0.95
