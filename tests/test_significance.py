import math

import numpy as np
import pytest
from scipy import stats

from skmnist.evaluation._significance import (
    corrected_standard_error,
    corrected_t_test,
    holm,
    mcnemar_test,
    resampled_test,
    wilson_interval,
)


def right(b, c, both=5, neither=3):
    """Recognised images of two models: b only the first, c only the second."""
    first = [True] * b + [False] * c + [True] * both + [False] * neither
    second = [False] * b + [True] * c + [True] * both + [False] * neither
    return first, second


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
    assert mcnemar_test(*right(b, c)) == pytest.approx(expected, rel=1e-9)


def test_mcnemar_ignores_images_on_which_the_models_agree():
    assert mcnemar_test(*right(9, 2)) == mcnemar_test(*right(9, 2, both=0, neither=90))


def test_corrected_t_test_on_differences_worked_by_hand():
    differences = [0.1, 0.2, 0.3]
    t_squared = 0.2**2 / ((1 / 3 + 1 / 2) * 0.01)
    # Student's distribution with 2 degrees of freedom has a closed form.
    expected = 1 - math.sqrt(t_squared / (2 + t_squared))
    assert expected == pytest.approx(0.159832, abs=1e-6)
    assert corrected_t_test(differences, 1 / 2) == pytest.approx(expected)
    assert corrected_t_test(np.negative(differences), 1 / 2) == pytest.approx(expected)


def test_corrected_t_test_is_students_where_training_sets_do_not_overlap():
    differences = np.random.default_rng(0).normal(0.3, 1, 12)
    expected = stats.ttest_1samp(differences, 0).pvalue
    assert corrected_t_test(differences, 0) == pytest.approx(expected)
    assert corrected_t_test(differences, 1 / 11) > expected


@pytest.mark.parametrize(("differences", "p"), [([0.0] * 5, 1), ([0.25] * 5, 0)])
def test_corrected_t_test_without_spread(differences, p):
    assert corrected_t_test(differences, 1 / 4) == p


def test_resampled_test_takes_equal_differences_for_no_certainty():
    # 2 images of difference on each of 3 splits: 6 of 6 for the first model
    first, second = zip(*[right(2, 0)] * 3, strict=True)
    assert resampled_test(first, second, 1 / 2) == pytest.approx(2 / 2**6)
    assert resampled_test(second, first, 1 / 2) == pytest.approx(2 / 2**6)
    # discordant images on both sides, 9 to 3
    first, second = zip(*[right(3, 1)] * 3, strict=True)
    expected = 2 * (1 + 12 + 66 + 220) / 2**12
    assert resampled_test(first, second, 1 / 2) == pytest.approx(expected)


def test_resampled_test_is_the_t_test_where_that_is_the_less_certain():
    splits = [right(12, 0, both=8, neither=0), right(4, 0, both=16, neither=0)]
    first, second = zip(*splits, strict=True)
    t_test = corrected_t_test([0.6, 0.2], 1)
    assert t_test > 0.05
    assert resampled_test(first, second, 1) == pytest.approx(t_test)


def test_resampled_test_of_models_that_recognise_the_same_images():
    first = [right(0, 0)[0]] * 2
    assert resampled_test(first, first, 1) == 1


@pytest.mark.parametrize("n_splits", [2, 3])
def test_equally_good_models_on_few_splits_are_seldom_called_worse(n_splits):
    rng = np.random.default_rng(0)
    n_wrong_verdicts = 0
    for _ in range(40):
        models = rng.random((16, n_splits, 300 // n_splits)) < 0.98
        best = models[models.sum((1, 2)).argmax()]
        p = [resampled_test(best, m, 1 / (n_splits - 1)) for m in models]
        # The best one's own p of 1 does not count among the 15 others.
        n_wrong_verdicts += holm(sorted(p)[:-1]).min() < 0.05
    assert n_wrong_verdicts <= 4


def test_corrected_standard_error_by_hand():
    assert corrected_standard_error([0.8, 0.9, 1.0], 0.5) == pytest.approx(
        math.sqrt((1 / 3 + 1 / 2) * 0.01)
    )


def test_holm_by_hand():
    # sorted 0.01, 0.02, 0.03, 0.5: times 4, 3, 2, 1, never below the one before
    adjusted = holm([0.02, 0.5, 0.01, 0.03])
    np.testing.assert_allclose(adjusted, [0.06, 0.5, 0.04, 0.06])
    np.testing.assert_allclose(holm([0.7, 0.6]), [1, 1])
    assert holm([]).shape == (0,)


def test_wilson_interval_by_hand():
    z = 1.959963984540054
    n, p = 6, 4 / 6
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z / (1 + z**2 / n) * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2))
    assert wilson_interval(4, 6) == pytest.approx((centre - half, centre + half))
    low, high = wilson_interval(50, 50)
    assert low == pytest.approx(1 / (1 + z**2 / 50))
    assert high == 1
