"""Comparisons of models, and of the candidates of a search, that can be interrupted."""

from contextlib import closing

import numpy as np

from skmnist._configuration import has_epochs, report_epochs, training_work
from skmnist._numbers import counted
from skmnist.cli._errors import BadInput, bad_input
from skmnist.cli._messages import note
from skmnist.cli._parallel import worker_pool

DEFAULT_FOLDS = 5

_FEW_IMAGES = 5_000
# Of networks, in the unit of `training_work`: about 10 seconds on 2 cores, of which two
# processes could save 5, as many as each needs to load TensorFlow.
_WORTHWHILE_WORK = 4e11


def run_comparison(
    models, image_set, *, n_folds=None, n_jobs=1, seed=0, memory=None, progress
):
    """Compare models on an image set; Ctrl-C ends it with what is done.

    The test part is used if there is one and no number of folds is given. Networks get
    a callback that reports their epochs to `progress`, which `fit_progress` makes. Fits
    are kept in the folder `memory`, if there is one.
    Returns the table of the models that are done. Raises BadInput if the data do not
    allow it, and KeyboardInterrupt if no model is done.
    """
    from skmnist.evaluation import comparison_table, iter_compare

    n_folds = resolve_folds(n_folds, image_set)
    if n_folds is None:
        test = {"X_test": image_set.X_test, "y_test": image_set.y_test}
    else:
        test = {"cv": n_folds}
        check_folds(n_folds, image_set.y)
    done = []
    try:
        networks = any(has_epochs(model) for model in models.values())
        one_thread = is_small(image_set)
        pool = worker_pool(n_jobs, networks=networks, one_thread=one_thread)
        with progress, pool:
            if n_jobs == 1:
                for name, model in models.items():
                    report_epochs(model, _reporter(progress, name))
            with bad_input():
                running = iter_compare(
                    models,
                    image_set.X,
                    image_set.y,
                    n_jobs=n_jobs,
                    random_state=seed,
                    memory=memory,
                    callback=progress.fitted,
                    **test,
                )
            with closing(running):
                for scores in running:
                    done.append(scores)
                    progress.finished(scores)
    except KeyboardInterrupt:
        if not done:
            raise
    return comparison_table(done)


def worthwhile_jobs(n_jobs, models, image_set, n_folds):
    """Return the number of jobs; one if all fits take less than to start processes."""
    n_images = len(image_set.y) * (n_folds - 1)  # in all folds
    if n_jobs == 1 or not all(map(has_epochs, models.values())):
        return n_jobs
    works = [training_work(model, image_set, n_images) for model in models.values()]
    if sum(works) >= _WORTHWHILE_WORK:
        return n_jobs
    note(
        f"--jobs {n_jobs}: the fits are so short that they are made one after the "
        "other; to load TensorFlow in other processes would take longer."
    )
    return 1


def is_small(image_set):
    """Whether threads cost more than they gain in fits on so few images.

    On 1,437 digits and two idle CPUs, gradient boosting and scikit-learn's MLP
    take as long with one thread as with two; on busy ones two take ten times as long.
    """
    return len(image_set.y) < _FEW_IMAGES


def resolve_folds(n_folds, image_set):
    """Return the number of folds; None where the test part is used instead."""
    if n_folds is None and not image_set.has_test:
        return DEFAULT_FOLDS
    return n_folds


def check_folds(n_folds, y):
    """Refuse more folds than there are images of the rarest label."""
    labels, counts = np.unique(y, return_counts=True)
    fewest = int(counts.min())
    if n_folds > fewest:
        hint = f"--cv can be {fewest} at most"
        if fewest < 2:
            hint = "at least 2 are needed"
        raise BadInput(
            f"{n_folds} folds are too many: of label {labels[counts.argmin()]} there "
            f"{'is' if fewest == 1 else 'are'} only {counted(fewest, 'image')}; {hint}."
        )


def _reporter(progress, name):
    def on_epoch(n_done, n_epochs, logs):
        progress.epoch(name, n_done, n_epochs)

    return on_epoch
