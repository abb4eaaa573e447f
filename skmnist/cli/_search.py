"""Searches for the parameters of a model."""

from dataclasses import dataclass

from skmnist._configuration import configured_model, has_epochs
from skmnist._numbers import joined
from skmnist.cli._comparison import Comparison, run_comparison
from skmnist.cli._errors import BadInput, Failure
from skmnist.cli._models import check_fit

DEFAULT_FOLDS = 3


@dataclass(frozen=True, eq=False)
class Search:
    """What came out of a search.

    Parameters
    ----------
    comparison : Comparison
        Of the candidates that were tried, by their parameters as text.
    candidates : dict of str to dict
        The parameters of all candidates, by the same text, without ``clf__``.
    """

    comparison: Comparison
    candidates: dict

    @property
    def best(self):
        """The parameters of the best candidate."""
        table = self.comparison.table
        if table["accuracy"].isna().all():
            raise Failure(f"All candidates failed: {table['error_message'].iloc[0]}")
        return self.candidates[table.index[0]]


def list_candidates(name, *, n_iter=None, epochs=None, seed=0):
    """List the parameters that a search tries.

    Parameters
    ----------
    name : str
        Name of the model.
    n_iter : int, default=None
        Number of candidates drawn at random; None means the whole grid.
    epochs : int, default=None
        Takes the place of the epochs in the grid of a network.
    seed : int, default=0
        For the random draw.

    Returns
    -------
    dict of str to dict
        Parameters of the classifier, by themselves as text.
    """
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    from skmnist.cli._errors import bad_input
    from skmnist.pipelines import make_model, search_space

    with bad_input():
        space = search_space(name)
    if epochs is not None:
        if not has_epochs(make_model(name).get_params()):
            raise BadInput(f"--epochs: {name} is not trained in epochs.")
        space["clf__epochs"] = [epochs]
    candidates = list(ParameterGrid(space))
    if n_iter is not None and n_iter < len(candidates):
        candidates = list(ParameterSampler(space, n_iter, random_state=seed))
    order = list(space)
    named = {}
    for candidate in candidates:
        params = {key.removeprefix("clf__"): candidate[key] for key in order}
        named[joined(params)] = params
    return named


def search(name, candidates, image_set, *, n_folds, n_jobs, seed, progress):
    """Compare candidates by cross-validation on the training part.

    Parameters
    ----------
    name : str
        Name of the model.
    candidates : dict of str to dict
        As :func:`list_candidates` makes them.
    image_set : ImageSet
        The images.
    n_folds, n_jobs, seed : int
        Number of folds, fits at the same time, random state.
    progress : context manager
        As :func:`skmnist.cli._progress.fit_progress` makes it.

    Returns
    -------
    Search
        Of the candidates that were done, should Ctrl-C end it early.
    """
    models = {
        text: configured_model(name, image_set, seed=seed, params=params)
        for text, params in candidates.items()
    }
    check_fit(name, next(iter(models.values())), image_set)
    comparison = run_comparison(
        models, image_set, n_folds=n_folds, n_jobs=n_jobs, seed=seed, progress=progress
    )
    return Search(comparison, candidates)
