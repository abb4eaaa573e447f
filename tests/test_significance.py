import math

import numpy as np
import pytest
from scipy import stats

from skmnist.evaluation._significance import (
    corrected_standard_error,
    mcnemar_test,
    p_values_against_best,
    step_down,
    wilson_interval,
)


def right(b, c, both=5, neither=3):
    """Correct images of two models: b only of the first, c only of the second."""
    first = [True] * b + [False] * c + [True] * both + [False] * neither
    second = [False] * b + [True] * c + [True] * both + [False] * neither
    return np.array(first), np.array(second)


def chi_squared_p(statistic):
    return math.erfc(math.sqrt(statistic / 2))


@pytest.mark.parametrize(
    ("b", "c", "expected"),
    [
        (0, 0, 1),
        (5, 5, 1),
        (10, 0, 2 / 2**10),
        (2, 8, 2 * (1 + 10 + 45) / 2**10),
        # 24 discordant images are the last to be counted exactly
        (18, 6, 2 * sum(math.comb(24, k) for k in range(7)) / 2**24),
        (18, 7, chi_squared_p((11 - 1) ** 2 / 25)),
        (10, 30, chi_squared_p((20 - 1) ** 2 / 40)),
        (20, 20, 1),
    ],
)
def test_mcnemar_on_counts_worked_by_hand(b, c, expected):
    assert mcnemar_test(b, c) == pytest.approx(expected, rel=1e-9)


def test_images_on_which_the_models_agree_do_not_count():
    few, many = ([[m] for m in right(9, 2, *more)] for more in [(0, 0), (5, 90)])
    assert p_values_against_best(few) == pytest.approx([mcnemar_test(9, 2)])
    assert p_values_against_best(few) == pytest.approx(p_values_against_best(many))


def test_equal_differences_on_all_splits_are_no_certainty():
    # 2 images of difference on each of 3 splits: 6 of 6 for the first model
    models = list(zip(*[right(2, 0)] * 3, strict=True))
    assert p_values_against_best(models) == pytest.approx([2 / 2**6])


def test_differences_that_vary_over_the_splits_are_less_certain():
    splits = [right(30, 0, both=70), right(0, 0, both=100), right(0, 0, both=100)]
    best, other = zip(*splits, strict=True)
    assert [len(s) for s in best] == [103, 103, 103]
    mean = 30 / 309
    variance = mean - mean**2
    pearson = ((30 - 10) ** 2 + 10**2 + 10**2) / 103 / variance
    dispersion = pearson / stats.chi2.median(2)
    t = 29 / math.sqrt(dispersion * 30)
    # Student's distribution with 2 degrees of freedom has a closed form.
    expected = 1 - t / math.sqrt(2 + t**2)
    assert expected > 0.05 > mcnemar_test(30, 0)
    assert p_values_against_best([best, other]) == pytest.approx([expected])


def test_one_unstable_model_leaves_the_verdicts_of_others():
    rng = np.random.default_rng(0)
    levels = np.r_[1, 0.96, np.linspace(0.7, 0.6, 10)]
    models = rng.random((12, 5, 200)) < levels[:, np.newaxis, np.newaxis]
    calm = p_values_against_best([list(m) for m in models])
    models[1, 0] = False  # still more accurate than those that follow
    with_unstable = p_values_against_best([list(m) for m in models])
    # The last three are tested among 10 or more.
    assert max(calm[-3:]) < 0.001
    assert max(with_unstable[-3:]) < 0.001


@pytest.mark.parametrize("n_steady", [1, 6])
def test_less_accurate_models_add_no_certainty(n_steady):
    rng = np.random.default_rng(0)
    splits = [right(30, 0, both=70), right(0, 0, both=100), right(0, 0, both=100)]
    best, uneven = zip(*splits, strict=True)
    steady = [[rng.random(103) < 0.5 for _ in best] for _ in range(n_steady)]
    alone = p_values_against_best([best, uneven])
    assert p_values_against_best([best, uneven, *steady])[0] == pytest.approx(alone[0])


@pytest.mark.parametrize("copied", [0, 1], ids=["best", "other"])
def test_copies_of_a_model_add_no_certainty(copied):
    splits = [right(30, 0, both=70), right(0, 0, both=100), right(0, 0, both=100)]
    models = [list(model) for model in zip(*splits, strict=True)]
    alone = p_values_against_best(models)[-1]
    among_copies = p_values_against_best([*models, *[models[copied]] * 5])
    assert among_copies[0] == pytest.approx(alone)


def test_repeated_tests_of_the_same_images_add_no_certainty():
    first, second = ([m] * 3 for m in right(8, 1))
    p = p_values_against_best([first * 4, second * 4], test_repeats=12)
    assert p >= mcnemar_test(8, 1)
    assert p_values_against_best([first * 4, second * 4]) < 0.001


@pytest.mark.parametrize("n_splits", [1, 3])
def test_models_with_the_same_answers_do_not_differ(n_splits):
    best = [right(0, 0)[0]] * n_splits
    assert p_values_against_best([best, best]) == [1]
    assert len(p_values_against_best([best])) == 0


def test_no_model_is_worse_that_has_more_images_right():
    # The mean of splits of different sizes favours the first, the images the second.
    best = [np.ones(2, bool), np.zeros(50, bool)]
    other = [np.zeros(2, bool), np.arange(50) < 40]
    assert p_values_against_best([best, other]) == [1]


def test_corrected_standard_error_by_hand():
    assert corrected_standard_error([0.8, 0.9, 1.0], 0.5) == pytest.approx(
        math.sqrt((1 / 3 + 1 / 2) * 0.01)
    )


def test_step_down_by_hand():
    # The least accurate first: times 6, 3 and 1 pairs, never below the one before.
    adjusted = step_down([0.03, 0.001, 0.004], [0.9, 0.8, 0.7])
    np.testing.assert_allclose(adjusted, [0.03, 0.024, 0.024])
    np.testing.assert_allclose(step_down([0.7, 0.6], [0.9, 0.8]), [1, 1])
    assert step_down([], []).shape == (0,)


def test_equally_accurate_models_have_the_same_adjusted_p_value():
    adjusted = step_down([0.5, 0.01, 0.002, 0.001], [0.9, 0.8, 0.8, 0.7])
    # Both of the second place are tested among 4, the last among 5.
    np.testing.assert_allclose(adjusted, [0.5, 0.06, 0.06, 0.01])


def test_wilson_interval_by_hand():
    z = 1.959963984540054
    n, p = 6, 4 / 6
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert wilson_interval(4, 6) == pytest.approx((centre - half, centre + half))
    low, high = wilson_interval(50, 50)
    assert low == pytest.approx(1 / (1 + z**2 / 50))
    assert high == 1
