"""The commands and their options; what they do is imported when they run."""

import click

import skmnist as package
from skmnist.cli._errors import FAILURE, INTERRUPTED
from skmnist.cli._group import CommandLine
from skmnist.cli._options import (
    TRUST,
    WholeNumber,
    dataset_option,
    epochs_option,
    folds_option,
    force_option,
    jobs_option,
    json_option,
    report_option,
    seed_option,
    subset_option,
)
from skmnist.cli._report import report
from skmnist.cli._reproduce import reproduce

_EPILOG = """\
\b
Results go to standard output, everything else to standard error.
Exit codes: 0 all went well; 1 something failed, a model of a comparison for
one; 2 wrong usage or bad input; 130 ended by Ctrl-C, 143 by SIGTERM; 141 if the
reader of standard output left before the end.
"""


@click.group(
    cls=CommandLine,
    epilog=_EPILOG,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(package.__version__, prog_name="skmnist")
@click.option(
    "--debug", is_flag=True, help="Show where errors come from (or set SKMNIST_DEBUG)."
)
def skmnist(debug):
    """Keras networks and classical models that recognise digits.

    Start with 'skmnist compare', which needs no download.
    """


@skmnist.command()
@click.option(
    "--models",
    metavar="NAME,...",
    help="Models to compare, 'networks' or 'baselines'; by default all that can take "
    "images of this size ('skmnist models' lists them).",
)
@dataset_option()
@folds_option(
    default=None,
    help="Number of folds; by default the test part is used, or 5 folds if there is "
    "none.",
)
@epochs_option
@jobs_option
@seed_option
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Write the table too, as its name ends: .csv, .json, .md or .txt.",
)
@report_option
@force_option
@json_option
def compare(models, dataset, n_folds, epochs, jobs, seed, out, page, force, as_json):
    """Compare models: accuracy, time and size, best first.

    Without options: the networks beside the classical baselines on the embedded
    digits. The networks are trained as they were published for MNIST; --epochs
    changes how long. Ctrl-C prints the table of what is done.
    """
    from skmnist._configuration import configured_model
    from skmnist._numbers import counted
    from skmnist.cli._comparison import ranked, resolve_folds, run_comparison
    from skmnist.cli._data import training_set
    from skmnist.cli._messages import note
    from skmnist.cli._models import fitting_names, resolve_names
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._progress import fit_progress
    from skmnist.cli._reports import report_comparison
    from skmnist.cli._result_files import TABLE_SUFFIXES, check_output
    from skmnist.cli._tables import comparison_view

    chosen = resolve_names(models)
    if out is not None:
        check_output(out, force=force, suffixes=TABLE_SUFFIXES)
    check_page(page, force=force)
    image_set = training_set(dataset)
    names, left_out = fitting_names(chosen, image_set)
    for name, reason in left_out.items():
        note(f"Left out: {name}: {reason}")
    n_folds = resolve_folds(n_folds, image_set)
    configured = {
        name: configured_model(name, image_set, seed=seed, epochs=epochs)
        for name in names
    }
    comparison = run_comparison(
        configured,
        image_set,
        n_folds=n_folds,
        n_jobs=jobs,
        seed=seed,
        progress=fit_progress(
            f"Comparing {counted(len(names), 'model')} on {image_set.name}",
            len(names),
            n_folds or 1,
            lambda scores: comparison_view(ranked(scores)),
        ),
    )
    results = report_comparison(
        comparison,
        image_set,
        names,
        left_out,
        seed=seed,
        n_jobs=jobs,
        out=out,
        as_json=as_json,
    )
    if out is not None:
        note(f"Written to {out}.")
    write_page(page, results)
    if comparison.interrupted:
        return INTERRUPTED
    return FAILURE if comparison.failures else 0


@skmnist.command()
@click.argument("name")
@dataset_option()
@epochs_option
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the classifier, such as dropout=0.3 or units=512,256; may "
    "be given several times.",
)
@seed_option
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="The model file; by default NAME.joblib in this folder. A network may be "
    "saved as .safetensors, which runs no code when it is loaded.",
)
@report_option
@force_option
@json_option
def train(name, dataset, epochs, params, seed, out, page, force, as_json):
    """Train one model, test it, and save it.

    The test part of the data set tells how well it does; of a set without one, the
    digits for example, a quarter of the images is kept back for that, chosen by
    --seed. An existing file is only replaced with --force. Ctrl-C ends the training
    of a network with the epoch that is under way and saves what it learned until
    then.
    """
    from skmnist._configuration import n_epochs
    from skmnist._numbers import counted
    from skmnist.cli._data import split_set
    from skmnist.cli._models import parse_params
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._progress import epoch_progress
    from skmnist.cli._reports import report_training
    from skmnist.cli._result_files import check_output
    from skmnist.cli._training import (
        check_model_file,
        check_name,
        prepare_training,
        save,
    )
    from skmnist.cli._training import train as run

    check_name(name)
    params = parse_params(params)
    path = check_output(out or f"{name}.joblib", force=force)
    check_model_file(name, path)
    check_page(page, force=force)
    image_set = split_set(dataset, seed)
    model = prepare_training(name, image_set, params=params, epochs=epochs, seed=seed)
    images = counted(len(image_set.y), "image")
    progress = epoch_progress(
        f"Training {name} on {images} of {image_set.name}", name, n_epochs(model)
    )
    training = run(name, model, image_set, seed=seed, progress=progress)
    save(training, path)
    results = report_training(training, image_set, path, as_json=as_json)
    write_page(page, results, (training.model, *image_set.tested))
    return INTERRUPTED if training.interrupted else 0


@skmnist.command(epilog=TRUST)
@click.argument("model", type=click.Path())
@dataset_option(default=None, show_default="the set that the model was trained on")
@subset_option
@report_option
@force_option
@json_option
def evaluate(model, dataset, subset, page, force, as_json):
    """Test the model in a file: accuracy, each label, confusions."""
    from skmnist.cli._data import part_of_set
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._recognition import evaluate_file, read_model
    from skmnist.cli._reports import report_evaluation

    check_page(page, force=force)
    model_file = read_model(model)
    subset = subset or "test"
    image_set, X, y = part_of_set(
        dataset or model_file.dataset, subset, model_file.seed
    )
    evaluation = evaluate_file(model_file, image_set, X, y)
    results = report_evaluation(
        model_file, image_set, subset, evaluation, as_json=as_json
    )
    write_page(page, results, (model_file.model, X, y, image_set.image_shape))


@skmnist.command(epilog=TRUST)
@click.argument("model", type=click.Path())
@click.argument("images", type=click.Path(), nargs=-1, required=True)
@click.option(
    "--proba",
    is_flag=True,
    help="Print comma-separated values: the label, then the probability of each.",
)
@click.option(
    "--invert",
    is_flag=True,
    help="For pictures with dark ink on light paper; MNIST has light ink on dark.",
)
@json_option
def predict(model, images, proba, invert, as_json):
    """Recognise images with the model in a file: one label a line.

    IMAGES are NumPy arrays (.npy), IDX or CSV files (gzipped or not; CSV with one
    image a row; labels and an index are left out), or pictures (.png and others) of
    the size that the model takes.
    """
    from skmnist.cli._image_files import read_images
    from skmnist.cli._recognition import predict as run
    from skmnist.cli._recognition import read_model
    from skmnist.cli._reports import report_predictions

    model_file = read_model(model)
    X, counts = read_images(images, model_file, invert=invert)
    predictions = run(model_file, X, proba=proba)
    report_predictions(
        model_file, images, counts, predictions, proba=proba, as_json=as_json
    )


@skmnist.command()
@click.argument("name")
@dataset_option()
@folds_option(default=3, help="Number of folds.")
@click.option(
    "--n-iter",
    type=WholeNumber(1),
    metavar="N",
    help="Try so many candidates, drawn at random; by default the whole grid.",
)
@epochs_option
@jobs_option
@seed_option
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="Save the best model, trained on all training images, as .joblib or, if it "
    "is a network, .safetensors.",
)
@report_option
@force_option
@json_option
def search(
    name, dataset, n_folds, n_iter, epochs, jobs, seed, out, page, force, as_json
):
    """Search for the parameters with which a model does best.

    Candidates are compared by cross-validation on the training part; the best one is
    trained on all of it and tested on the test part. Ctrl-C prints what is done.
    """
    from skmnist._configuration import n_epochs
    from skmnist._numbers import counted
    from skmnist.cli._data import split_set
    from skmnist.cli._messages import note
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._progress import epoch_progress, fit_progress
    from skmnist.cli._reports import report_search
    from skmnist.cli._result_files import check_output
    from skmnist.cli._search import list_candidates
    from skmnist.cli._search import search as run
    from skmnist.cli._training import (
        check_model_file,
        check_name,
        prepare_training,
        save,
        train,
    )

    check_name(name)
    path = None
    if out is not None:
        path = check_output(out, force=force)
        check_model_file(name, path)
    check_page(page, force=force)
    candidates = list_candidates(name, n_iter=n_iter, epochs=epochs, seed=seed)
    image_set = split_set(dataset, seed)
    found = run(
        name,
        candidates,
        image_set,
        n_folds=n_folds,
        n_jobs=jobs,
        seed=seed,
        progress=fit_progress(
            f"Searching {counted(len(candidates), 'candidate')} for {name}",
            len(candidates),
            n_folds,
        ),
    )
    training = None
    interrupted = found.comparison.interrupted
    if not interrupted:
        best = prepare_training(
            name, image_set, params=found.best, epochs=None, seed=seed
        )
        progress = epoch_progress(f"Training the best {name}", name, n_epochs(best))
        try:
            training = train(name, best, image_set, seed=seed, progress=progress)
            interrupted = training.interrupted
        except KeyboardInterrupt:
            interrupted = True
    if path is not None:
        if training is None:
            note("Interrupted: no model was saved.")
        else:
            save(training, path)
    results = report_search(
        name, found, image_set, training, path, n_jobs=jobs, seed=seed, as_json=as_json
    )
    looked_at = training and (training.model, *image_set.tested)
    write_page(page, results, looked_at)
    if interrupted:
        return INTERRUPTED
    return FAILURE if found.comparison.failures else 0


skmnist.add_command(report)
skmnist.add_command(reproduce)


@skmnist.command(epilog=TRUST, short_help="Write the model in a file as ONNX.")
@click.argument("model", type=click.Path())
@click.option(
    "--out", type=click.Path(), metavar="FILE", required=True, help="Where to write it."
)
@force_option
@json_option
def export(model, out, force, as_json):
    """Write the model in a file as ONNX, to be run without Python and Keras.

    For networks of this package, alone or after ImageScaler and Deskewer. The ONNX
    model takes images as X, as they were in training, and gives label and
    probabilities.
    """
    from skmnist.cli._errors import bad_input
    from skmnist.cli._recognition import read_model
    from skmnist.cli._reports import print_files
    from skmnist.cli._result_files import check_output
    from skmnist.export import to_onnx

    path = check_output(out, force=force, suffixes=(".onnx",))
    model_file = read_model(model)
    with bad_input():
        to_onnx(model_file.model, path)
    print_files([path], as_json=as_json)


@skmnist.command(short_help="Describe an image set, or convert it.")
@click.argument("dataset", metavar="digits|mnist|PATH")
@click.option(
    "--to",
    "file_format",
    type=click.Choice(["csv", "idx", "npz"]),
    help="Write it in this format: CSV (names of columns; the label, then one column a "
    "pixel), gzipped IDX, or mnist.npz.",
)
@click.option(
    "--out", type=click.Path(), metavar="FOLDER", help="Where to write with --to."
)
@force_option
@json_option
def data(dataset, file_format, out, force, as_json):
    """Show sizes, label counts and range of an image set, or convert it."""
    from skmnist.cli._data import any_set
    from skmnist.cli._export import check_export, export
    from skmnist.cli._messages import note
    from skmnist.cli._reports import print_files, report_set

    if (file_format is None) != (out is None):
        raise click.UsageError(
            "--to and --out go together.", click.get_current_context()
        )
    image_set = any_set(dataset)
    if out is None:
        report_set(image_set, as_json=as_json)
        return
    check_export(image_set, file_format, out, force=force)
    note(f"Writing {image_set.name} to {out}")
    print_files(export(image_set, file_format, out), as_json=as_json)


@skmnist.command()
@json_option
def models(as_json):
    """List the models that the other commands know by name."""
    from skmnist.cli._reports import report_models

    report_models(as_json=as_json)
