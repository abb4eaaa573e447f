"""Statistics of accuracies: standard errors, intervals, tests of differences."""

import numpy as np
from scipy import stats
from scipy.spatial.distance import pdist, squareform

_EXACT_BELOW = 25  # discordant images under which chi-squared is too coarse
_QUANTILES = (0.5, 0.75)  # of the pairs of models: how much they vary over splits


def binomial_standard_error(n_right, n):
    """Return the standard error of the accuracy n_right / n on one test set."""
    p = n_right / n
    return float(np.sqrt(p * (1 - p) / n))


def wilson_interval(n_right, n, confidence=0.95):
    """Return Wilson's score interval of the accuracy n_right / n (Wilson 1927)."""
    interval = stats.binomtest(n_right, n).proportion_ci(confidence, method="wilson")
    return float(interval.low), float(interval.high)


def corrected_standard_error(values, test_train_ratio):
    """Return the standard error of a mean over splits with overlapping training sets.

    The variance of the mean is estimated by (1/J + n_test/n_train) s² in place of
    s²/J, for J splits and sample variance s² (Nadeau and Bengio 2003).
    """
    values = np.asarray(values, dtype=float)
    factor = 1 / len(values) + test_train_ratio
    return float(np.sqrt(factor * values.var(ddof=1)))


def mcnemar_test(b, c):
    """Return the two-sided p value of McNemar's test for two models on the same images.

    With b images that only the first model has right and c that only the second
    has right: the exact binomial test of b among b + c where b + c < 25, otherwise
    (abs(b - c) - 1)² / (b + c) as chi-squared with one degree of freedom
    (Dietterich 1998). b and c may be arrays.
    """
    b, c = np.asarray(b), np.asarray(c)
    exact = 2 * stats.binom.cdf(np.minimum(b, c), b + c, 0.5)
    approximate = 2 * stats.norm.sf(_mcnemar_statistic(b, c))
    return np.minimum(np.where(b + c < _EXACT_BELOW, exact, approximate), 1)


def _mcnemar_statistic(b, c):
    # The correction must not carry the statistic past zero when b equals c.
    return np.maximum(np.abs(b - c) - 1, 0) / np.sqrt(np.maximum(b + c, 1))


def p_values_against_best(right, test_repeats=1):
    """Return the p value of each model's difference from the best.

    Parameters are, for each model, one array of bool for each split, the best model
    first, and how often the splits test an image. The images of all splits are
    counted together. With several splits, McNemar's statistic is also divided by the
    root of the dispersion and referred to Student's t; the larger p counts.
    """
    pooled = np.array([np.concatenate(model) for model in right])
    best, others = pooled[0], pooled[1:]
    # An image that several splits test is still only one image.
    b = np.rint((best & ~others).sum(axis=1) / test_repeats)
    c = np.rint((~best & others).sum(axis=1) / test_repeats)
    p = mcnemar_test(b, c)
    n_splits = len(right[0])
    if n_splits > 1 and len(others):
        # Copies of a model say nothing more about how much the splits vary.
        distinct = np.unique(pooled, axis=0)
        pearson = _pearson_statistics(distinct, [len(split) for split in right[0]])
        n_right = distinct.sum(axis=1)
        # Less accurate models have left when a model is tested: see `step_down`.
        left = [n_right >= n for n in others.sum(axis=1)]
        dispersion = [_dispersion(pearson[np.ix_(i, i)], n_splits) for i in left]
        degrees = (np.sum(left, axis=1) - 1) * (n_splits / test_repeats - 1)
        statistic = _mcnemar_statistic(b, c) / np.sqrt(dispersion)
        p = np.maximum(p, 2 * stats.t.sf(statistic, np.maximum(degrees, 1)))
    # The mean of splits that differ in size may favour a model that the images do not.
    return np.where(b > c, p, 1.0)


def _pearson_statistics(pooled, sizes):
    """Return Pearson's statistic of the differences on the splits, pair by pair.

    It is NaN for two models with the same answers, or opposite ones, everywhere.
    """
    sizes = np.array(sizes)
    starts = np.r_[0, np.cumsum(sizes)[:-1]]
    n_right = np.add.reduceat(pooled, starts, axis=1, dtype=float)
    accuracies = pooled.mean(axis=1, keepdims=True)
    deviations = (n_right - accuracies * sizes) / np.sqrt(sizes)
    # Of the difference on one image
    variances = pdist(pooled, "hamming") - pdist(accuracies, "sqeuclidean")
    variances[variances < 1e-12] = np.nan
    return squareform(pdist(deviations, "sqeuclidean") / variances)


def _dispersion(pearson, n_splits):
    """Return how many times the binomial variance of differences the splits vary.

    It is the median of Pearson's statistic over the pairs of models, scaled to be 1
    where images alone make the differences. Where only some of the models vary more,
    the upper quartile shows it; neither lets one model widen the verdicts of many.
    """
    pairs = pearson[np.triu_indices(len(pearson), 1)]
    pairs = pairs[~np.isnan(pairs)]
    if len(pairs) == 0:
        return 1.0
    usual = stats.chi2.ppf(_QUANTILES, n_splits - 1)
    # Never 0, to be divided by
    return max((np.quantile(pairs, _QUANTILES) / usual).max(), 1e-12)


def step_down(p_values, accuracies):
    """Return p values adjusted for the number of models, the least accurate first.

    While s models are left, the best one included, the least accurate is tested at
    the level divided by the s (s - 1) / 2 pairs of them; it leaves if it is worse,
    otherwise the procedure ends. That is a model confidence set (Hansen, Lunde and
    Nason 2011) with Bonferroni's bound for each step: an adjusted p value is never
    below that of a less accurate model. Models equally accurate have the same.

    Parameters are the p values against the best model and the accuracies, both of
    the other models by decreasing accuracy.
    """
    falling = -np.asarray(accuracies, dtype=float)
    n_left = 1 + np.searchsorted(falling, falling, side="right")
    steps = np.minimum(np.asarray(p_values) * n_left * (n_left - 1) / 2, 1)
    largest = np.maximum.accumulate(steps[::-1])[::-1]
    return largest[np.searchsorted(falling, falling, side="left")]
