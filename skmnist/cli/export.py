"""``skmnist export``: the model in a file as ONNX."""

import click

from skmnist.cli._options import TRUST, force_option, json_option


@click.command("export", epilog=TRUST, short_help="Convert a model file to ONNX.")
@click.argument("model", type=click.Path())
@click.option(
    "--out",
    type=click.Path(),
    metavar="FILE",
    required=True,
    help="The ONNX file to write.",
)
@force_option
@json_option
def command(model, out, force, as_json):
    """Convert a model file to ONNX, which runs without Python and Keras.

    For networks of this package, alone or after ImageScaler and Deskewer. The input X
    of the ONNX model has the layout of the training images; the outputs are label and
    probabilities.
    """
    from skmnist.cli._errors import BadInput, bad_input
    from skmnist.cli._recognition import read_model
    from skmnist.cli._result_files import check_output
    from skmnist.cli._results import print_files
    from skmnist.export import to_onnx

    path = check_output(out, force=force, suffixes=(".onnx",))
    model_file = read_model(model)
    fitted = model_file.model
    try:
        with bad_input():
            to_onnx(getattr(fitted, "best_estimator_", fitted), path)
    except BadInput as error:
        cause = error.__cause__
        problem = getattr(cause, "problem", None) or error.format_message()
        raise BadInput(f"{model}: {problem}") from cause
    print_files([path], as_json=as_json)
