"""Drawing on a page, with mouse, finger and keyboard, and what it shows."""

import json
import os

import numpy as np
import pytest

from skmnist import Augmentation, DigitNormalizer
from skmnist.datasets import fetch_mnist
from skmnist.demo import write_demo
from skmnist.networks import build_mlp
from skmnist.pipelines import make_model

from .conftest import made_up

CORNER = (0.7, 0.2)  # which is rounded
SEVEN = [[(0.3, 0.2), (0.5, 0.2), CORNER, (0.6, 0.5), (0.5, 0.8)]]
DASH = [[(0.2, 0.5), (0.5, 0.52), (0.8, 0.5)]]


@pytest.fixture(scope="module")
def model():
    return made_up((8, 8, 1), filters=3, units=(8,), seed=1)


@pytest.fixture
def tab(model, open_page, tmp_path):
    write_demo(model, tmp_path / "page.html")
    return open_page(tmp_path / "page.html")


def expected(model, tab):
    """Return the label and the probabilities that the model gives to the drawing."""
    ink = np.array(tab.run("Array.from(sheet.pixels)"), np.float32).reshape(1, 280, 280)
    normalizer = DigitNormalizer(output_shape=(8, 8), digit_size=1)
    (probabilities,) = model.predict_proba(normalizer.fit_transform(ink / 255))
    return str(model.classes_[probabilities.argmax()]), probabilities


def assert_shows_answer(model, tab):
    label, probabilities = expected(model, tab)
    assert tab.text("#label") == label
    shown = tab.text("#bars").split("\n")
    rows = dict(zip(shown[::2], shown[1::2], strict=True))
    assert rows == {
        str(label): f"{100 * p:.1f} %"
        for label, p in zip(model.classes_, probabilities, strict=True)
    }
    assert tab.text("#status").startswith(f"{label}, {probabilities.max() * 100:.1f} %")
    assert tab.run("document.querySelectorAll('#bars .best').length") == 1


def ink_at(tab, x, y):
    return tab.run(f"sheet.pixels[{round(280 * y)} * SIDE + {round(280 * x)}]")


@pytest.mark.parametrize("how", ["draw", "touch"])
def test_strokes_are_drawn_where_the_pointer_moves(how, model, tab):
    if how == "touch":
        tab.resize(390, 844)
    getattr(tab, how)(SEVEN)
    assert [ink_at(tab, *place) for place in SEVEN[0] if place != CORNER] == [255] * 4
    assert [ink_at(tab, *place) for place in [(0.3, 0.8), (0.9, 0.2)]] == [0] * 2
    assert_shows_answer(model, tab)


@pytest.mark.parametrize("how", ["draw", "touch", "keys"])
def test_a_tap_draws_a_dot(how, model, tab):
    if how == "touch":
        tab.resize(390, 844)
    if how == "keys":
        tab.press("Tab", " ", " ")
    else:
        getattr(tab, how)([[(0.5, 0.5)]])
    assert [ink_at(tab, 0.5 + x, 0.5) for x in (-0.05, -0.03, 0, 0.03, 0.05)] == [
        *[0, 255, 255, 255, 0]
    ]
    assert_shows_answer(model, tab)


def test_strokes_outside_of_the_sheet_are_nothing_drawn(tab):
    tab.run("sheet.start([1.2, 0.5]); sheet.add([[1.3, 0.7]])")
    tab.run("sheet.end({ pointerId: sheet.pointer })")
    assert (tab.text("#label"), tab.text("#status")) == ("–", "The sheet is empty.")
    assert tab.run("document.getElementById('clear').disabled")


def test_answers_follow_a_stroke_that_is_not_finished(model, tab):
    left, top, width, height = tab.box("#sheet")
    tab._mouse("mousePressed", left + 0.5 * width, top + 0.2 * height)
    tab._mouse("mouseMoved", left + 0.5 * width, top + 0.8 * height)
    tab.wait("frame === null && current !== null")
    assert tab.text("#label") == expected(model, tab)[0]
    assert tab.text("#status") == ""  # not for every move
    tab._mouse("mouseReleased", left + 0.5 * width, top + 0.8 * height)
    assert_shows_answer(model, tab)


def test_undo_and_clear(model, tab):
    is_disabled = "['undo', 'clear'].map((id) => document.getElementById(id).disabled)"
    assert tab.run(is_disabled) == [True, True]
    tab.draw(SEVEN)
    with_seven = tab.run("String(sheet.pixels)")
    tab.draw(DASH)
    assert tab.run("String(sheet.pixels)") != with_seven
    tab.run("document.getElementById('undo').click()")
    assert tab.run("String(sheet.pixels)") == with_seven
    assert_shows_answer(model, tab)
    tab.run("document.getElementById('clear').click()")
    assert tab.run("sheet.pixels.every((ink) => ink === 0)")
    assert tab.text("#label") == "–"
    assert tab.text("#status") == "The sheet is empty."
    assert tab.run(is_disabled) == [False, True]
    tab.run("document.getElementById('undo').click()")  # of the clearing
    assert tab.run("String(sheet.pixels)") == with_seven


def test_a_keyboard_draws(model, tab):
    tab.press("Tab")
    assert tab.run("document.activeElement.id") == "sheet"
    tab.press(" ", *["ArrowUp"] * 4)
    assert tab.text("#status") == "Pen down."
    tab.press(" ", "ArrowRight", "ArrowRight")
    assert ink_at(tab, 0.5, 0.35) == 255
    assert ink_at(tab, 0.6, 0.3) == 0
    assert_shows_answer(model, tab)
    tab.press("Delete")
    assert tab.text("#status") == "The sheet is empty."
    tab.press("Backspace")
    assert ink_at(tab, 0.5, 0.35) == 255


def test_clearing_lifts_the_pen(tab):
    tab.press("Tab", " ", "ArrowUp", "Delete", "ArrowUp")
    assert tab.run("sheet.isEmpty")
    tab.press(" ", "ArrowUp", "8", "ArrowUp", "Backspace", "Backspace")
    assert tab.run("sheet.isEmpty")


def test_digits_on_the_keyboard_and_buttons_show_examples(model, tab):
    tab.press("Tab", "8")
    eight = tab.run("String(sheet.pixels)")
    assert_shows_answer(model, tab)
    tab.press("1")
    tab.run("document.querySelectorAll('#samples button')[8].click()")
    assert tab.run("String(sheet.pixels)") == eight


def test_examples_are_offered_for_digits_only(open_page, tmp_path):
    labels = ["</script><b>a", "&lt;", "c\"'", "3"]
    write_demo(made_up((8, 8, 1), labels, filters=2), tmp_path / "page.html")
    tab = open_page(tmp_path / "page.html")
    assert tab.text("#samples") == "3"
    assert tab.text("h1") == "Draw a character"
    assert tab.text("#bars").split("\n")[::2] == labels


def test_the_likeliest_of_many_labels_are_shown(open_page, tmp_path):
    labels = [f"label {number:02}" for number in range(40)]
    model = made_up((8, 8, 1), labels, filters=3, seed=2)
    write_demo(model, tmp_path / "page.html")
    tab = open_page(tmp_path / "page.html")
    tab.draw(SEVEN)
    label, probabilities = expected(model, tab)
    likeliest = sorted(np.argsort(probabilities)[-12:])
    assert tab.text("#label") == label
    assert tab.text("#bars").split("\n")[::2] == [labels[i] for i in likeliest]


@pytest.mark.parametrize(
    ("side", "strength"),
    [(8, 1), (28, 1), (8, 1000)],  # patches move by 1 or 2 pixels
    ids=["8", "28", "certain"],
)
def test_the_explanation_shows_what_the_network_uses(
    side, strength, open_page, tmp_path
):
    model = made_up((side * side,), range(2), builder=build_mlp, units=())
    kernel = np.zeros((side, side, 2), np.float32)
    kernel[: side // 2, :, 0] = 1  # the upper half speaks for 0
    kernel[:, 0, :] = 0
    kernel[side // 2 :, :, 1] = 0.5  # the lower half for 1
    kernel *= strength
    model._network.weights[:] = [kernel.reshape(-1, 2), np.array([5, 0], np.float32)]
    write_demo(model, tmp_path / "page.html")
    tab = open_page(tmp_path / "page.html")
    effects = tab.run(
        f"(() => {{ const image = {{ size: [{side}, {side}], values: new Float32Array("
        f"{side * side}).fill(1) }}; image.values[0] = 0; const steps = occlusion(image"
        ", 0, outputsOf); for (;;) { const { done, value } = steps.next(); "
        "if (done) return [...value]; } })()"
    )
    effects = np.reshape(effects, (side, side))
    margin = side // 6 + 1  # patches that cover both halves
    assert (effects[: side // 2 - margin, 1:] > 0).all()
    assert (effects[side // 2 + margin :, 1:] < 0).all()


def test_the_explanation_appears_when_the_browser_is_idle(tab):
    tab.draw(SEVEN)
    tab.wait("document.querySelector('#explained').ariaBusy === 'false'")
    label = tab.text("#label")
    assert tab.text("#reasons").startswith(f"Without the orange parts, {label} would")
    picture = tab.run(
        "Array.from(document.querySelector('#effects').getContext('2d')"
        ".getImageData(0, 0, 8, 8).data)"
    )
    red, _, blue, _ = np.reshape(picture, (-1, 4)).T
    assert (red != blue).any()  # not only the grey image


def heat_map(tab):
    """Return the label of the heat map, and whether a hint is shown on it."""
    return tab.run(
        "(() => { const figure = document.querySelector('#explained');"
        "const hint = getComputedStyle(figure, '::before').content;"
        "return [figure.querySelector('canvas').ariaLabel, hint !== 'none']; })()"
    )


def test_a_heat_map_that_is_not_computed_yet_says_so(tab):
    assert heat_map(tab) == ["Empty image", False]
    tab.run("window.later = whenIdle; whenIdle = () => () => {}; null")
    tab.draw(SEVEN)
    waiting = ["Heat map, which is being computed", True]
    assert heat_map(tab) == waiting
    tab.run("sheet.clear()")
    assert heat_map(tab) == ["Empty image", False]
    tab.run("whenIdle = later; null")
    tab.draw(SEVEN)
    tab.wait("document.querySelector('#explained').ariaBusy === 'false'")
    label = tab.text("#label")
    done = [f"Heat map of the parts that speak for and against {label}", False]
    assert heat_map(tab) == done
    tab.run("whenIdle = () => () => {}; null")
    tab.draw(DASH)
    assert heat_map(tab) == waiting


@pytest.mark.parametrize("width", [320, 390, 1280])
def test_a_label_of_one_word_takes_one_line(width, open_page, tmp_path):
    names = ["seven", "8", "mammoth", "12"]
    write_demo(made_up((8, 8, 1), names, filters=1), tmp_path / "page.html")
    tab = open_page(tmp_path / "page.html")
    tab.resize(width, 800)
    for name in names:
        tab.run(f"showLabel({name!r})")
        n_lines = tab.run(
            "(() => { const range = document.createRange();"
            "range.selectNodeContents(document.querySelector('#label'));"
            "return range.getClientRects().length; })()"
        )
        assert n_lines == 1, name


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [320, 390, 1280])
def test_nothing_is_wider_than_the_screen(width, dark, tab):
    tab.resize(width, 800, dark=dark)
    tab.draw(SEVEN)
    assert tab.run("document.documentElement.scrollWidth") == width
    paper, ink = tab.run(
        "(({ backgroundColor, color }) => [backgroundColor, color])"
        "(getComputedStyle(document.querySelector('#sheet')))"
    )
    brightness = [sum(map(int, c[4:-1].split(","))) for c in (paper, ink)]
    assert (brightness[0] < brightness[1]) == dark


@pytest.mark.slow
@pytest.mark.skipif("SKMNIST_DATA" not in os.environ, reason="needs MNIST")
def test_drawn_digits_are_classified_correctly(open_page, tmp_path):
    augmentation = Augmentation(rotation=12, zoom=0.12, shear=0.12, translation=0.06)
    model = make_model("cnn_fast", augmentation=augmentation, epochs=3, random_state=0)
    model.fit(*fetch_mnist(return_X_y=True))
    demo = write_demo(model, tmp_path / "digits.html")
    assert demo.bits == 32
    assert demo.n_bytes < 2_000_000
    tab = open_page(tmp_path / "digits.html")
    samples = json.loads(tab.run("JSON.stringify(SAMPLES)"))
    rng = np.random.default_rng(0)
    misclassified = []
    for digit, strokes in list(samples.items()) * 3:
        # As others draw: larger, slanted, somewhere else.
        size, width = rng.uniform((0.5, 0.8), (1.1, 1.15))
        slant, right, down = rng.uniform(-0.15, 0.15, 3)
        changes = np.array([[size * width, slant], [0, size]])
        moved = [
            np.clip((np.array(s) - 0.5) @ changes.T + [0.5 + right, 0.5 + down], 0, 1)
            for s in strokes
        ]
        tab.run("sheet.clear()")
        tab.draw([stroke.tolist() for stroke in moved])
        if tab.text("#label") != digit:
            misclassified.append((digit, tab.text("#label")))
    assert misclassified == []
