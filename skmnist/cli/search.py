"""``skmnist search``: the parameters with which a model does best."""

import click

from skmnist.cli._errors import FAILURE, INTERRUPTED, Failure, bad_input
from skmnist.cli._options import (
    dataset_option,
    epochs_option,
    folds_option,
    force_option,
    jobs_option,
    json_option,
    report_option,
    runs_option,
    seed_option,
)


@click.command("search")
@click.argument("name")
@dataset_option()
@folds_option(default=3, help="Number of folds.")
@click.option(
    "--n-iter",
    type=click.IntRange(1),
    metavar="N",
    help="Number of random candidates; by default the whole grid.",
)
@epochs_option
@jobs_option
@seed_option
@runs_option(
    " Loading them can run code: give no folder that others write to.",
    show_default="skmnist/fits among your caches",
)
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Save the best model, trained on all training images, as .joblib or, for a "
    "network, .safetensors.",
)
@report_option
@force_option
@json_option
def command(
    name, dataset, n_folds, n_iter, epochs, jobs, seed, runs, out, page, force, as_json
):
    """Search for the best parameters of a model.

    Candidates are compared by cross-validation on the training part. The best one is
    trained on the whole training part and tested on the test part. Ctrl-C prints the
    finished candidates. Finished fits are kept, and the same command resumes with the
    others.
    """
    from joblib import effective_n_jobs
    from sklearn.base import clone

    from skmnist._configuration import configure, keep_fits, n_epochs
    from skmnist._kept_fits import FitFolder
    from skmnist._numbers import counted
    from skmnist._provenance import plain_history, plain_parameters
    from skmnist.cli._comparison import run_comparison, worthwhile_jobs
    from skmnist.cli._data import split_set
    from skmnist.cli._group import command_line
    from skmnist.cli._messages import note
    from skmnist.cli._models import check_fit
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._progress import epoch_progress, fit_progress
    from skmnist.cli._results import print_results
    from skmnist.cli._training import (
        model_path,
        named_model,
        prepare_training,
        save,
        train,
    )
    from skmnist.datasets._download import default_folder
    from skmnist.report._documents import search_document, set_facts

    model = named_model(name)
    path = None if out is None else model_path(model, out, force=force)
    check_page(page, force=force)
    candidates = _candidates(name, model, n_iter=n_iter, epochs=epochs, seed=seed)
    image_set = split_set(dataset, seed)
    models = {
        text: configure(name, clone(model), image_set, seed=seed, params=params)
        for text, params in candidates.items()
    }
    check_fit(name, next(iter(models.values())), image_set)
    runs = default_folder() / "fits" if runs is None else runs
    resumes = "The same command resumes with the fits that are not finished."
    with bad_input():
        FitFolder(runs).check()
    progress = fit_progress(
        f"Searching {counted(len(candidates), 'candidate')} for {name}; finished fits "
        f"are kept in {runs}",
        len(candidates),
        n_folds,
    )
    jobs = worthwhile_jobs(jobs, models, image_set, n_folds)
    try:
        table = run_comparison(
            models,
            image_set,
            n_folds=n_folds,
            n_jobs=jobs,
            seed=seed,
            memory=runs,
            progress=progress,
        )
    except KeyboardInterrupt:
        note(resumes)
        raise
    if table["accuracy"].isna().all():
        raise Failure(f"All candidates failed: {table['error_message'].iloc[0]}")
    training = None
    interrupted = len(table) < len(candidates)
    if not interrupted:
        best = candidates[table.index[0]]
        prepare_training(name, model, image_set, params=best, epochs=None, seed=seed)
        keep_fits(model, runs)
        progress = epoch_progress(f"Training the best {name}", name, n_epochs(model))
        try:
            training = train(name, model, image_set, seed=seed, progress=progress)
            interrupted = training.interrupted
        except KeyboardInterrupt:
            interrupted = True
    if path is not None:
        if training is None:
            note("Interrupted: no model was saved.")
        else:
            save(training, path)
    document = search_document(
        name,
        table,
        candidates,
        set_facts(image_set),
        networks="epochs" in candidates[table.index[0]],
        command=command_line(),
        seed=seed,
        interrupted=interrupted,
        n_jobs=effective_n_jobs(jobs),
        file=None if path is None or training is None else str(path),
        parameters=training and plain_parameters(training.model),
        history=training and plain_history(training.model),
        evaluation=training and training.evaluation.to_dict(),
    )
    print_results(document, as_json=as_json)
    write_page(page, document, training and (training.model, *image_set.tested))
    if interrupted:
        note(resumes)
        return INTERRUPTED
    return FAILURE if table["error_message"].notna().any() else 0


def _candidates(name, model, *, n_iter, epochs, seed):
    """List the parameters to try, by themselves as text, without ``clf__``."""
    from sklearn.model_selection import ParameterGrid, ParameterSampler

    from skmnist._numbers import joined
    from skmnist.cli._training import check_epochs
    from skmnist.pipelines import search_space

    space = search_space(name)
    if epochs is not None:
        check_epochs(name, model)
        space["clf__epochs"] = [epochs]
    candidates = list(ParameterGrid(space))
    if n_iter is not None and n_iter < len(candidates):
        candidates = list(ParameterSampler(space, n_iter, random_state=seed))
    named = {}
    for candidate in candidates:
        params = {key.removeprefix("clf__"): candidate[key] for key in space}
        named[joined(params)] = params
    return named
