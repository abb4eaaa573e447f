"""A reproduction from its options to its tables and files."""

import json
from pathlib import Path

from skmnist.cli._messages import note
from skmnist.cli._pages import write_page
from skmnist.cli._parallel import worker_pool
from skmnist.cli._reports import print_json
from skmnist.cli._reproduction import reproduce
from skmnist.cli._reproduction_tables import (
    reproduction_document,
    reproduction_parts,
    table_view,
)
from skmnist.cli._result_files import markdown_table, write_text
from skmnist.cli._run_files import RunFolder
from skmnist.cli._run_progress import run_progress
from skmnist.cli._runs import DEFAULT_SEEDS, make_plan, quick_subset
from skmnist.cli._tables import plain_text, print_result
from skmnist.cli._versions import provenance


def run_reproduction(
    networks, studies, image_set, *, seeds, quick, runs, out, page, as_json
):
    """Train, print the tables, and write the file if all runs have ended.

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
    Reproduction
        What came out.
    """
    image_set = image_set.with_test(seed=0)
    if quick:
        image_set = quick_subset(image_set)
    if seeds is None:
        seeds = 1 if quick else DEFAULT_SEEDS
    plan = make_plan(networks, studies, image_set, seeds=seeds, quick=quick)
    with worker_pool(1, networks=True):
        # Only Keras, once loaded, tells for sure which backend it runs on.
        made_with = provenance(networks=True)
        folder = RunFolder(runs, image_set, made_with["versions"])
        folder.check()
        title = (
            f"Training on {len(image_set.y):,} images of {image_set.name}; finished "
            f"runs are kept in {folder.folder}"
        )
        reproduction = reproduce(
            plan, image_set, folder, lambda works: run_progress(title, works)
        )
    document = reproduction_document(reproduction, image_set, folder, made_with)
    parts = reproduction_parts(document, folder.folder)
    if as_json:
        print_json(document)
    else:
        print_result(*map(_view, parts))
    if reproduction.interrupted:
        for path in filter(None, (out, page)):
            note(f"{path} is written when all runs have ended.")
        return reproduction
    if out is not None:
        write_text(out, _file_text(Path(out).suffix.lower(), document, parts))
        note(f"Written to {out}.")
    write_page(page, document)
    return reproduction


def _view(part):
    return part if isinstance(part, str) else table_view(part)


def _file_text(suffix, document, parts):
    if suffix == ".json":
        return json.dumps(document, indent=1, ensure_ascii=False, allow_nan=False)
    if suffix == ".txt":
        return plain_text(*map(_view, parts)) + "\n"
    blocks = [p if isinstance(p, str) else markdown_table(p) for p in parts]
    return "\n".join(blocks) + "\n"
