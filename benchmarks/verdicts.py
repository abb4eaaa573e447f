"""How often verdicts of comparisons are wrong, and how often they find a difference.

``python -m benchmarks.verdicts`` simulates comparisons, and prints the tables of
docs/guide/comparing.md.
"""

from functools import partial
from itertools import product
from statistics import NormalDist

import numpy as np

from skmnist.evaluation import ModelScores, comparison_table

# Standard deviation of the accuracy of one model from fold to fold, in addition to
# what drawing images does.
_VARIATION = {"none": 0.0, "half a point": 0.005, "one point": 0.01}
# Models that vary unequally. For each kind of model, best first: how many there are,
# their accuracy, and whether they vary from fold to fold.
UNEQUAL = {
    "2, 98 %; 14 steady, 93 %": [(2, 0.98, True), (14, 0.93, False)],
    "1 and 1 steady, 98 %; 14 steady, 93 %": [
        (1, 0.98, True),
        (1, 0.98, False),
        (14, 0.93, False),
    ],
    "2, 98 %; 7, 96.5 %; 8 steady, 93 %": [
        (2, 0.98, True),
        (7, 0.965, True),
        (8, 0.93, False),
    ],
    "4, 98 %; 12 steady, 93 %": [(4, 0.98, True), (12, 0.93, False)],
    "2, 98 %; 14 steady, 97 %": [(2, 0.98, True), (14, 0.97, False)],
    "4 and 12 steady, 98 %": [(4, 0.98, True), (12, 0.98, False)],
    "1 and 15 steady, 98 %": [(1, 0.98, True), (15, 0.98, False)],
}


def draw_right(rng, accuracies, n_images, n_folds, *, variation=0.0, correlation=0.9):
    """Draw which images of each fold each model classifies correctly.

    A normal score for each image, shared by all models, and one for each image and
    model add up; those below a threshold are correct. On average every model has
    its accuracy, whatever the correlation of the scores.

    Parameters
    ----------
    rng : Generator
        Source of the numbers.
    accuracies : array-like of shape (n_models,)
        Expected accuracy of each model.
    n_images, n_folds : int
        Images in all, and their equal parts.
    variation : float or array-like of shape (n_models,), default=0.0
        Standard deviation of the expected accuracy over the folds, of all models or
        of each.
    correlation : float, default=0.9
        Of the scores of two models for an image. The median over the pairs of models
        that ``skmnist compare`` fits to the digits is 0.90.

    Returns
    -------
    list of list of ndarray of bool
        For each model and fold, its images.
    """
    accuracies = np.asarray(accuracies, dtype=float)
    size = len(accuracies), n_images
    scores = np.sqrt(1 - correlation) * rng.standard_normal(size)
    scores += np.sqrt(correlation) * rng.standard_normal(n_images)
    normal = NormalDist()
    right = []
    variation = np.broadcast_to(variation, accuracies.shape)
    for row, accuracy, sd in zip(scores, accuracies, variation, strict=True):
        # Symmetric within 0 and 1, so that the mean stays.
        reach = min(accuracy, 1 - accuracy, 3 * sd)
        change = np.clip(sd * rng.standard_normal(n_folds), -reach, reach)
        levels = [normal.inv_cdf(p) for p in np.clip(accuracy + change, 1e-9, 1 - 1e-9)]
        folds = np.array_split(row, n_folds)
        right.append([fold < level for fold, level in zip(folds, levels, strict=True)])
    return right


def train_equal_models(rng, n_models, n_images, n_folds, n_features=50, gap=0.2):
    """Cross-validate models that are equally good because their data are alike.

    Each model sees features of its own, which have the same distribution for all, and
    a part that all features share. It is fitted to the other folds, as in reality:
    it classifies by the projection on the difference of the means of two classes.

    Parameters
    ----------
    rng : Generator
        Source of the numbers.
    n_models, n_images, n_folds : int
        Models, images and folds.
    n_features : int, default=50
        Features of each model.
    gap : float, default=0.2
        Half the distance of the class means in each feature, in standard deviations.

    Returns
    -------
    list of list of ndarray of bool
        For each model and fold, its images.
    """
    y = rng.choice([-1, 1], n_images)
    X = rng.standard_normal((n_models, n_images, n_features))
    X += rng.standard_normal((n_images, n_features))
    X = X / np.sqrt(2) + gap * y[:, np.newaxis]
    folds = np.array_split(np.arange(n_images), n_folds)
    right = [[] for _ in range(n_models)]
    for test in folds:
        train = np.setdiff1d(np.arange(n_images), test)
        weights = np.einsum("mif,i->mf", X[:, train], y[train])
        correct = np.einsum("mif,mf->mi", X[:, test], weights) * y[test] > 0
        for model, row in zip(right, correct, strict=True):
            model.append(row)
    return right


def verdicts(right):
    """Return the verdict of each model in the order given.

    Parameters
    ----------
    right : list of list of ndarray of bool
        For each model and fold, which images it classifies correctly.

    Returns
    -------
    list of str
        As the table of a comparison has them.
    """
    n_images = sum(map(len, right[0]))
    n_train = tuple(n_images - len(fold) for fold in right[0])
    zeros = (0.0,) * len(n_train)
    scores = [
        ModelScores(str(number), tuple(folds), n_train, zeros, zeros, zeros)
        for number, folds in enumerate(right)
    ]
    table = comparison_table(scores)
    return [table.loc[s.name, "verdict"] for s in scores]


def unequal_models(name, n_folds, variation, n_images=1797):
    """Return how to draw models that vary unequally, and how many are best.

    Parameters
    ----------
    name : str
        One of `UNEQUAL`.
    n_folds : int
        Number of folds.
    variation : float
        As for `draw_right`, of the models that vary.
    n_images : int, default=1797
        Images in all.

    Returns
    -------
    draw : callable
        As for `error_rates`.
    n_best : int
        Number of the most accurate models, which come first.
    """
    kinds = UNEQUAL[name]
    draw = partial(
        draw_right,
        accuracies=[accuracy for n, accuracy, _ in kinds for _ in range(n)],
        n_images=n_images,
        n_folds=n_folds,
        variation=[variation * varies for n, _, varies in kinds for _ in range(n)],
    )
    return draw, sum(n for n, accuracy, _ in kinds if accuracy == kinds[0][1])


def error_rates(draw, n_best=None, n_runs=400, seed=0):
    """Return how often any of equally good models, and how often the first, is worse.

    Parameters
    ----------
    draw : callable
        Given a Generator, returns what `verdicts` takes, equally good models first.
    n_best : int, default=None
        Number of the equally good models; None if all are.
    n_runs : int, default=400
        Number of simulated comparisons.
    seed : int, default=0
        Of the random numbers.

    Returns
    -------
    tuple of float
        Share of the comparisons in which any of these is called worse, and in which
        the first is.
    """
    rng = np.random.default_rng(seed)
    n_any = n_first = 0
    for _ in range(n_runs):
        found = verdicts(draw(rng))[:n_best]
        n_any += "worse" in found
        n_first += found[0] == "worse"
    return n_any / n_runs, n_first / n_runs


def power(n_models, gap, n_images, n_folds, n_runs=200, seed=0, accuracy=0.98):
    """Return how often models that are worse by a gap are called so.

    Parameters
    ----------
    n_models : int
        One is best; all others are worse by the gap.
    gap : float
        Difference of the accuracies.
    n_images, n_folds : int
        As for `draw_right`.
    n_runs, seed : int
        As for `error_rates`.
    accuracy : float, default=0.98
        Of the best model.

    Returns
    -------
    float
        Share of the worse models, over all comparisons.
    """
    rng = np.random.default_rng(seed)
    accuracies = [accuracy] + [accuracy - gap] * (n_models - 1)
    n_found = sum(
        verdicts(draw_right(rng, accuracies, n_images, n_folds))[1:].count("worse")
        for _ in range(n_runs)
    )
    return n_found / n_runs / (n_models - 1)


def _print_error_rates():
    """Print the highest rates over accuracies, numbers of images and correlations."""
    print("| models | folds | " + " | ".join(_VARIATION) + " | trained |")
    print("|--:" * (3 + len(_VARIATION)) + "|")
    for n_models, n_folds in product((2, 16), (2, 3, 5, 10)):
        cells = []
        for variation in _VARIATION.values():
            rates = [
                error_rates(
                    partial(
                        draw_right,
                        accuracies=[accuracy] * n_models,
                        n_images=n_images,
                        n_folds=n_folds,
                        variation=variation,
                        correlation=correlation,
                    )
                )
                for accuracy, n_images, correlation in product(
                    (0.9, 0.98), (300, 1797), (0, 0.9)
                )
            ]
            cells.append("{:.1%} ({:.1%})".format(*np.max(rates, axis=0)))
        rates = [
            error_rates(
                partial(
                    train_equal_models,
                    n_models=n_models,
                    n_images=n,
                    n_folds=n_folds,
                )
            )
            for n in (100, 300)
        ]
        cells.append("{:.1%} ({:.1%})".format(*np.max(rates, axis=0)))
        print(f"| {n_models} | {n_folds} | {' | '.join(cells)} |", flush=True)


def _print_unequal_error_rates():
    """Print the rates for half a point and one point of variation."""
    numbers_of_folds = (2, 3, 5, 10)
    print("| models | " + " | ".join(f"{n} folds" for n in numbers_of_folds) + " |")
    print("|:--" + "|--:" * len(numbers_of_folds) + "|")
    for name in UNEQUAL:
        cells = []
        for n_folds in numbers_of_folds:
            half, one = (
                error_rates(*unequal_models(name, n_folds, variation))[0]
                for variation in (0.005, 0.01)
            )
            cells.append(f"{half:.1%} / {one:.1%}")
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _print_power():
    gaps = (0.005, 0.01, 0.02, 0.03)
    print("| models | folds | " + " | ".join(f"{g:.1%}" for g in gaps) + " |")
    print("|--:" * (2 + len(gaps)) + "|")
    for n_models, n_folds in product((2, 16), (2, 3, 5, 10)):
        cells = [power(n_models, gap, 1797, n_folds) for gap in gaps]
        shown = " | ".join(f"{cell:.0%}" for cell in cells)
        print(f"| {n_models} | {n_folds} | {shown} |", flush=True)


if __name__ == "__main__":
    _print_power()
    print()
    _print_error_rates()
    print()
    _print_unequal_error_rates()
