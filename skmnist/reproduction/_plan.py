"""The runs of a reproduction: which networks, by which recipes, from which seeds."""

import json
from dataclasses import dataclass, replace
from numbers import Integral
from typing import TYPE_CHECKING

import numpy as np

from skmnist._configuration import configure, misfit, training_work
from skmnist._estimators import network_of
from skmnist._numbers import joined
from skmnist._suggestions import suggestion
from skmnist.networks import ARCHITECTURES
from skmnist.pipelines import make_model
from skmnist.published import RESULTS, STUDIES

if TYPE_CHECKING:
    from sklearn.pipeline import Pipeline

__all__ = ["Case", "Plan", "Run", "make_plan", "quick_subset", "resolve_targets"]

DEFAULT_SEEDS = 3

QUICK_EPOCHS = 2
QUICK_TRAIN = 5_000
QUICK_TEST = 1_000

# What no result depends on, and what is kept beside the recipe.
_NO_RECIPE = ("clf__callbacks", "clf__verbose", "clf__random_state")


@dataclass(frozen=True, eq=False)
class Run:
    """One training: a network, its recipe, and a seed.

    Parameters
    ----------
    model : str
        Name of the network.
    params : dict
        What differs from the recipe of that name.
    seed : int
        Random state.
    validation : float, "test" or None
        As in :class:`skmnist.published.PublishedResult`.
    estimator : Pipeline
        Not fitted.
    """

    model: str
    params: dict
    seed: int
    validation: float | str | None
    estimator: "Pipeline"

    @property
    def recipe(self):
        """All parameters of the pipeline's steps, as JSON gives them back."""
        params = self.estimator.get_params()
        recipe = {k: v for k, v in params.items() if "__" in k and k not in _NO_RECIPE}
        # The parameters of what has parameters of its own are there, too.
        return json.loads(json.dumps(recipe, sort_keys=True, default=repr))

    @property
    def title(self):
        """What it is, for people."""
        varied = f" with {joined(self.params)}" if self.params else ""
        return f"{self.model}{varied}, seed {self.seed}"

    def work(self, image_set):
        """Estimate the work of training, as `training_work` does."""
        share = 1 - self.validation if isinstance(self.validation, float) else 1
        n_images = share * len(image_set.y)
        return training_work(self.estimator, image_set, n_images)


@dataclass(frozen=True, eq=False)
class Case:
    """One line of a table: the runs of a recipe from several seeds.

    Parameters
    ----------
    name : str
        Name of the network, or of the variant in a study.
    runs : tuple of Run
        One for each seed.
    """

    name: str
    runs: tuple


@dataclass(frozen=True, eq=False)
class Plan:
    """All that a reproduction is to train.

    Parameters
    ----------
    networks : list of Case
        The published networks.
    studies : dict of str to list of Case
        The variants of each study.
    quick : bool
        Whether epochs are cut.
    """

    networks: list
    studies: dict
    quick: bool = False

    @property
    def runs(self):
        """All runs in order; those of a study may be among those of a network."""
        cases = [*self.networks, *(case for s in self.studies.values() for case in s)]
        return [run for case in cases for run in case.runs]


def resolve_targets(names):
    """Sort names into networks and studies, each once and in the order given.

    "networks" and "studies" mean all that were published, no names all such networks.
    Raises ValueError if a name is unknown.
    """
    if len(names) == 1 and isinstance(names[0], list | tuple):
        (names,) = names
    published = [name for name, study in STUDIES.items() if study.source]
    groups = {"networks": list(RESULTS), "studies": published}
    networks, studies = {}, {}
    for word in names or ["networks"]:
        for name in groups.get(word, [word]):
            if name in ARCHITECTURES:
                networks[name] = None
            elif name in STUDIES:
                studies[name] = None
            else:
                known = [*groups, *ARCHITECTURES, *STUDIES]
                raise ValueError(
                    f"There is no network and no study {name!r}."
                    f"{suggestion(name, known)} "
                    f"Networks are {', '.join(ARCHITECTURES)}; "
                    f"studies are {', '.join(STUDIES)}."
                )
    return list(networks), list(studies)


def make_plan(networks, studies, image_set, *, seeds=DEFAULT_SEEDS, quick=False):
    """Prepare all runs, and check what can be checked before any of them.

    `seeds` are a number of seeds, which begin with the published one, or with 0 where
    there is none, or the seeds themselves. Raises ValueError if a network cannot take
    these images.
    """
    seeds = _checked_seeds(seeds)

    def make_case(label, model, params):
        published = RESULTS.get(model)
        validation, first = None, 0
        if published:
            validation, first = published.validation, published.seed or 0
        chosen = range(first, first + seeds) if isinstance(seeds, int) else seeds
        runs = (
            _make_run(model, params, seed, validation, image_set, quick)
            for seed in chosen
        )
        return Case(label, tuple(runs))

    return Plan(
        [make_case(name, name, {}) for name in networks],
        {
            name: [
                make_case(variant, STUDIES[name].model, params)
                for variant, params in STUDIES[name].variants.items()
            ]
            for name in studies
        },
        bool(quick),
    )


def _checked_seeds(seeds):
    """Return a number of seeds as an int, or the seeds as a tuple of int.

    Results are kept as JSON, which does not know the integers of NumPy. Refuses those
    with which nothing sensible is trained.
    """
    if _is_integer(seeds) and seeds >= 1:
        return int(seeds)
    are_seeds = isinstance(seeds, tuple | list) and all(
        _is_integer(seed) and 0 <= seed < 2**32 for seed in seeds
    )
    if not are_seeds or not seeds or len(set(seeds)) < len(seeds):
        raise ValueError(
            "seeds must be a number of seeds, at least 1, or a tuple of different "
            f"integers in [0, 2**32); got {seeds!r}."
        )
    return tuple(map(int, seeds))


def _is_integer(value):
    return isinstance(value, Integral) and not isinstance(value, bool)


def _make_run(model, params, seed, validation, image_set, quick):
    settings = dict(params)
    if model in RESULTS:
        # As published, and the same on every machine.
        settings = {"precision": "float32", **params}
    if isinstance(validation, float):
        settings["validation_fraction"] = validation
    estimator = make_model(model)
    configure(model, estimator, image_set, seed=seed, params=settings)
    if quick:
        network = network_of(estimator)
        network.set_params(epochs=min(QUICK_EPOCHS, network.epochs))
    problem = misfit(estimator, image_set)
    if problem is not None:
        raise ValueError(f"{model}: {problem}")
    return Run(model, params, seed, validation, estimator)


def quick_subset(image_set):
    """Return a set of few images, drawn with the same shares of each label.

    A set that is smaller still stays as it is.
    """
    from sklearn.model_selection import train_test_split

    def draw(X, y, n):
        if len(y) <= n:
            return X, y
        try:
            rows, _ = train_test_split(
                np.arange(len(y)), train_size=n, stratify=y, random_state=0
            )
        except ValueError:  # a label with a single image, for one
            rows = np.random.default_rng(0).permutation(len(y))[:n]
        return X[rows], y[rows]

    X, y = draw(image_set.X, image_set.y, QUICK_TRAIN)
    X_test, y_test = draw(image_set.X_test, image_set.y_test, QUICK_TEST)
    return replace(image_set, X=X, y=y, X_test=X_test, y_test=y_test)
