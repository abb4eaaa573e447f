"""``skmnist data``: an image set described, or converted."""

import click

from skmnist.cli._options import force_option, json_option


@click.command("data", short_help="Describe an image set, or convert it.")
@click.argument("dataset", metavar="digits|mnist|PATH")
@click.option(
    "--to",
    "file_format",
    type=click.Choice(["csv", "idx", "npz"]),
    help="Convert to this format: CSV (column names; the label, then one column per "
    "pixel), gzipped IDX, or mnist.npz.",
)
@click.option(
    "--out", type=click.Path(), metavar="FOLDER", help="Folder to write to with --to."
)
@force_option
@json_option
def command(dataset, file_format, out, force, as_json):
    """Show sizes, label counts and range of an image set, or convert it."""
    from skmnist.cli._data import any_set
    from skmnist.cli._export import check_export, export
    from skmnist.cli._messages import note
    from skmnist.cli._results import print_files, print_json
    from skmnist.report._terminal import print_report

    if (file_format is None) != (out is None):
        raise click.UsageError(
            "--to and --out go together.", click.get_current_context()
        )
    image_set = any_set(dataset)
    if out is not None:
        check_export(image_set, file_format, out, force=force)
        note(f"Writing {image_set.name} to {out}")
        print_files(export(image_set, file_format, out), as_json=as_json)
    elif as_json:
        print_json(_description(image_set))
    else:
        print_report(_report(image_set, _description(image_set)["parts"]))


def _description(image_set):
    """Return sizes, ranges and label counts of the parts of an image set."""
    from skmnist.cli._export import parts_of

    labels = image_set.labels
    return {
        "dataset": image_set.name,
        "source": image_set.source,
        "image_shape": list(image_set.image_shape),
        "target_names": {
            str(label): name for label, name in image_set.target_names.items()
        },
        "parts": {
            part: {
                "n_images": len(y),
                "pixel_min": int(X.min()),
                "pixel_max": int(X.max()),
                "pixel_mean": round(float(X.mean()), 3),
                "pixel_std": round(float(X.std()), 3),
                "label_counts": {
                    str(label): int((y == label).sum()) for label in labels
                },
            }
            for part, X, y in parts_of(image_set)
        },
    }


def _report(image_set, parts):
    """Return the description of an image set as a report."""
    from skmnist._numbers import count
    from skmnist.report._content import Cell, Column, Report, Section, Table

    names = image_set.target_names
    sizes = {
        "Images": lambda part: count(part["n_images"]),
        "Pixel values": lambda part: f"{part['pixel_min']} to {part['pixel_max']}",
        "Mean": lambda part: f"{part['pixel_mean']:.2f}",
        "Standard deviation": lambda part: f"{part['pixel_std']:.2f}",
    }
    of_parts = [Column(name, number=True) for name in parts]
    rows = [
        (Cell(what), *(Cell(write(part)) for part in parts.values()))
        for what, write in sizes.items()
    ]
    labels = [
        (
            Cell(str(label)),
            *([Cell(names[label])] if names else []),
            *(Cell(count(part["label_counts"][str(label)])) for part in parts.values()),
        )
        for label in image_set.labels
    ]
    named = [Column("Name")] if names else []
    tables = (
        Table("Images", (Column(""), *of_parts), tuple(rows)),
        Table("Labels", (Column("Label"), *named, *of_parts), tuple(labels)),
    )
    source = "" if image_set.source == image_set.name else f", from {image_set.source}"
    title = f"{image_set.name}: images of {image_set.size}{source}"
    return Report(title, (), (Section("Parts", tables, is_brief=True),))
