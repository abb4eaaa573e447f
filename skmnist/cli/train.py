"""``skmnist train``: one model trained, tested and saved."""

import click

from skmnist.cli._errors import INTERRUPTED
from skmnist.cli._options import (
    dataset_option,
    epochs_option,
    force_option,
    json_option,
    report_option,
    seed_option,
)


@click.command("train")
@click.argument("name")
@dataset_option()
@epochs_option
@click.option(
    "--param",
    "params",
    multiple=True,
    metavar="KEY=VALUE",
    help="A parameter of the classifier, such as dropout=0.3 or units=512,256; can be "
    "repeated.",
)
@seed_option
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    help="The model file; by default NAME.joblib in this folder. A network can be "
    "saved as .safetensors, which runs no code when loaded.",
)
@report_option
@force_option
@json_option
def command(name, dataset, epochs, params, seed, out, page, force, as_json):
    """Train one model, test it, and save it.

    The model is tested on the test part of the data set. If there is none, as for the
    digits, a quarter of the images is set aside for that, chosen by --seed. An existing
    file is replaced only with --force. Ctrl-C ends the training of a network after the
    current epoch and saves it.
    """
    from skmnist._configuration import n_epochs
    from skmnist._numbers import counted
    from skmnist.cli._data import split_set
    from skmnist.cli._group import command_line
    from skmnist.cli._models import parse_params
    from skmnist.cli._pages import check_page, write_page
    from skmnist.cli._progress import epoch_progress
    from skmnist.cli._results import print_results
    from skmnist.cli._training import (
        model_path,
        named_model,
        prepare_training,
        save,
        train,
    )
    from skmnist.report._documents import training_document

    model = named_model(name)
    params = parse_params(params)
    path = model_path(model, out or f"{name}.joblib", force=force)
    check_page(page, force=force)
    image_set = split_set(dataset, seed)
    prepare_training(name, model, image_set, params=params, epochs=epochs, seed=seed)
    images = counted(len(image_set.y), "image")
    progress = epoch_progress(
        f"Training {name} on {images} of {image_set.name}", name, n_epochs(model)
    )
    training = train(name, model, image_set, seed=seed, progress=progress)
    save(training, path)
    document = training_document(
        training.model,
        training.evaluation,
        {**training.metadata, "dataset": image_set.name},
        networks=training.metadata["n_epochs"] is not None,
        command=command_line(),
        fit_time=training.fit_time,
        interrupted=training.interrupted,
        file=str(path),
    )
    print_results(document, as_json=as_json)
    write_page(page, document, (training.model, *image_set.tested))
    return INTERRUPTED if training.interrupted else 0
