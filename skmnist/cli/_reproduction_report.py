"""A reproduction from its options to its tables and files."""

import json
from pathlib import Path

from skmnist.cli._errors import Failure, bad_input, describe
from skmnist.cli._group import command_line
from skmnist.cli._messages import note
from skmnist.cli._pages import write_page
from skmnist.cli._reports import print_json
from skmnist.cli._reproduction_tables import reproduction_parts, table_view
from skmnist.cli._result_files import markdown_table, write_text
from skmnist.cli._run_progress import run_progress
from skmnist.cli._tables import plain_text, print_result
from skmnist.reproduction._reproduce import reproduce_targets


def run_reproduction(
    networks, studies, image_set, *, seeds, quick, runs, out, page, as_json
):
    """Train, print the tables, and write the files if all runs have ended.

    Parameters
    ----------
    networks, studies : list of str
        Names.
    image_set : ImageSet
        A set without a test part keeps a quarter back for that.
    seeds : int, tuple of int or None
        Number of seeds or the seeds; None for 3, or 1 where it is to be quick.
    quick : bool
        Whether to train for a few epochs on a few images only.
    runs : path-like
        Folder of finished runs.
    out : path-like or None
        File to write.
    page : path-like or None
        Report to write.
    as_json : bool
        Whether to print JSON in place of tables.

    Returns
    -------
    dict
        The document of the reproduction.
    """
    title = f"Training on {image_set.name}; finished runs are kept in {runs}"
    with bad_input():
        try:
            document = reproduce_targets(
                networks,
                studies,
                image_set,
                seeds=seeds,
                quick=quick,
                runs=runs,
                make_progress=lambda works: run_progress(title, works),
                command=command_line(),
            )
        except OSError as error:  # such as a disk that is full
            raise Failure(f"Cannot keep a finished run: {describe(error)}") from error
    parts = reproduction_parts(document, runs)
    if as_json:
        print_json(document)
    else:
        print_result(*map(_view, parts))
    if document["interrupted"]:
        for path in filter(None, (out, page)):
            note(f"{path} is written when all runs have ended.")
        return document
    if out is not None:
        write_text(out, _file_text(Path(out).suffix.lower(), document, parts))
        note(f"Written to {out}.")
    write_page(page, document)
    return document


def _view(part):
    return part if isinstance(part, str) else table_view(part)


def _file_text(suffix, document, parts):
    if suffix == ".json":
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    if suffix == ".txt":
        return plain_text(*map(_view, parts)) + "\n"
    blocks = [p if isinstance(p, str) else markdown_table(p) for p in parts]
    return "\n".join(blocks) + "\n"
