"""Colours of the displays, and the keywords that reach their artists."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
from matplotlib.colors import LogNorm, to_rgba
from sklearn.linear_model import LogisticRegression

from skmnist.plotting import (
    DenseWeightsDisplay,
    FeatureMapsDisplay,
    FiltersDisplay,
    ImageGalleryDisplay,
    LabelHistogramDisplay,
    OcclusionSaliencyDisplay,
    TrainingHistoryDisplay,
)

RAMP = np.linspace(-1, 1, 16).reshape(4, 4)
SIGNED = [
    lambda **kw: DenseWeightsDisplay(RAMP[None]).plot(**kw),
    lambda **kw: FiltersDisplay({"convolution": RAMP[..., None, None]}).plot(**kw),
    lambda **kw: OcclusionSaliencyDisplay(RAMP / 2 + 0.5, RAMP, 3, 0.9).plot(**kw),
]
UNSIGNED = [
    lambda **kw: ImageGalleryDisplay(RAMP[None] / 2 + 0.5).plot(**kw),
    lambda **kw: FeatureMapsDisplay(RAMP, {"pooling": RAMP[..., None] + 2}).plot(**kw),
]


@pytest.mark.parametrize("draw", SIGNED, ids=["weights", "filters", "saliency"])
def test_red_is_positive_and_blue_is_negative(draw):
    red, _, blue, _ = draw().images_[-1].to_rgba([-0.8, 0.8]).T
    assert red[0] < blue[0]
    assert red[1] > blue[1]


@pytest.mark.parametrize("draw", SIGNED + UNSIGNED)
def test_keywords_for_images_come_before_the_settings_of_a_display(draw):
    artist = draw().images_[-1]
    assert artist.get_interpolation() == "nearest"
    given = {"interpolation": "bilinear", "cmap": "cividis", "alpha": 0.5, "vmax": 3}
    artist = draw(im_kw=given).images_[-1]
    assert artist.get_interpolation() == "bilinear"
    assert artist.get_cmap().name == "cividis"
    assert artist.get_alpha() == 0.5
    assert artist.get_clim()[1] == 3
    assert given == {
        "interpolation": "bilinear",
        "cmap": "cividis",
        "alpha": 0.5,
        "vmax": 3,
    }


def test_a_norm_brings_its_own_limits():
    norm = LogNorm(0.1, 10)
    (artist,) = UNSIGNED[0](im_kw={"norm": norm}).images_
    assert artist.norm is norm
    assert artist.get_clim() == (0.1, 10)


def test_image_beside_maps_and_saliency_keeps_its_own_settings():
    for draw in (SIGNED[2], UNSIGNED[1]):
        image, _ = draw(im_kw={"alpha": 0.5, "cmap": "cividis"}).images_
        assert image.get_alpha() is None
        assert image.get_cmap().name == "gray_r"


@pytest.mark.parametrize("names", [("linewidth", "edgecolor"), ("lw", "ec")])
def test_keywords_for_bars(names):
    given = dict(zip(names, (2.5, "black"), strict=True))
    display = LabelHistogramDisplay.from_labels([0, 1, 1], [0, 1], bar_kw=given)
    for bars in display.bars_:
        assert {bar.get_linewidth() for bar in bars} == {2.5}
        assert {bar.get_edgecolor() for bar in bars} == {to_rgba("black")}
    faces = [bars[0].get_facecolor() for bars in display.bars_]
    assert faces[0] != faces[1]


@pytest.mark.parametrize("names", [("linewidth", "linestyle"), ("lw", "ls")])
def test_keywords_for_curves(names):
    given = dict(zip(names, (3.5, ":"), strict=True))
    history = {"loss": [2.0, 1.0], "val_loss": [2.0, 1.5]}
    display = TrainingHistoryDisplay.from_history(history, line_kw=given)
    for line in display.lines_.values():
        assert line.get_linewidth() == 3.5
        assert line.get_linestyle() == ":"
    assert len({line.get_color() for line in display.lines_.values()}) == 2


def test_keywords_pass_through_the_methods_that_make_displays(digits):
    X, y = digits
    model = LogisticRegression(max_iter=500).fit(X / 255, y)
    display = DenseWeightsDisplay.from_estimator(model, im_kw={"alpha": 0.5})
    assert display.images_[0].get_alpha() == 0.5
    plt.close(display.figure_)
