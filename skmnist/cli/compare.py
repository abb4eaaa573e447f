"""``skmnist compare``: models ranked by accuracy, with their times and sizes."""

import click

from skmnist.cli._errors import FAILURE, INTERRUPTED
from skmnist.cli._options import (
    dataset_option,
    epochs_option,
    folds_option,
    force_option,
    jobs_option,
    json_option,
    report_option,
    seed_option,
)


@click.command("compare")
@click.option(
    "--models",
    metavar="NAME,...",
    help="Models to compare, 'networks' or 'baselines' (see 'skmnist models'); by "
    "default all that can take images of this size, but for networks that train for "
    "minutes.",
)
@dataset_option()
@folds_option(
    default=None,
    help="Number of folds; by default the test part, or 5 folds if there is none.",
)
@epochs_option
@jobs_option
@seed_option
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Also write the results to a .csv, .json, .md or .txt file.",
)
@report_option
@force_option
@json_option
def command(models, dataset, n_folds, epochs, jobs, seed, out, page, force, as_json):
    """Compare models: accuracy, time and size, best first.

    Without options, compare the networks and the classical baselines on the bundled
    digits. The networks are trained by their recipes for MNIST; --epochs changes the
    number of epochs. Ctrl-C prints the table of the finished models.
    """
    from joblib import effective_n_jobs

    from skmnist._numbers import counted
    from skmnist.cli._comparison import is_small, resolve_folds, run_comparison
    from skmnist.cli._data import training_set
    from skmnist.cli._group import command_line
    from skmnist.cli._messages import note
    from skmnist.cli._models import fitting_models, resolve_names
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._progress import fit_progress
    from skmnist.cli._result_files import check_output
    from skmnist.cli._results import print_results, write_results
    from skmnist.evaluation._comparison import LEFT_OUT
    from skmnist.pipelines import model_names
    from skmnist.report._documents import comparison_document, set_facts

    chosen = resolve_names(models)
    if out is not None:
        check_output(out, force=force, suffixes=(".csv", ".json", ".md", ".txt"))
    check_page(page, force=force)
    image_set = training_set(dataset)
    fitting, left_out = fitting_models(chosen, image_set, seed=seed, epochs=epochs)
    for name, reason in left_out.items():
        note(f"Left out: {name}: {reason}")
    n_folds = resolve_folds(n_folds, image_set)
    table = run_comparison(
        fitting,
        image_set,
        n_folds=n_folds,
        n_jobs=jobs,
        seed=seed,
        progress=fit_progress(
            f"Comparing {counted(len(fitting), 'model')} on {image_set.name}",
            len(fitting),
            n_folds or 1,
            ranked=True,
        ),
    )
    not_done = [name for name in fitting if name not in table.index]
    document = comparison_document(
        table,
        set_facts(image_set),
        networks=not set(fitting).isdisjoint(model_names("network")),
        command=command_line(),
        seed=seed,
        n_jobs=effective_n_jobs(jobs),
        n_threads=1 if jobs == 1 and is_small(image_set) else None,
        interrupted=bool(not_done),
        left_out=left_out | dict.fromkeys(not_done, LEFT_OUT),
    )
    print_results(document, as_json=as_json)
    write_results(document, out, table)
    write_page(page, document)
    if not_done:
        return INTERRUPTED
    return FAILURE if table["error_message"].notna().any() else 0
