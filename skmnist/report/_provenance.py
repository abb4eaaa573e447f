"""How to repeat the results of a report."""

from pathlib import PurePath, PureWindowsPath

from skmnist._numbers import is_missing, joined, pixels

from ._content import Cell, Code, Column, Facts, Section, Table, Text

__all__ = ["provenance_section"]

_FACTS = {
    "made": "Made",
    "trained": "Trained",
    "dataset": "Data set",
    "source": "Read from",
    "subset": "Part",
    "image_shape": "Image size",
    "n_train": "Training images",
    "n_test": "Test images",
    "n_labels": "Labels",
    "n_folds": "Folds",
    "seed": "Seed",
    "seeds": "Seeds",
    "n_jobs": "Parallel fits",
    "n_threads": "Threads of a classical model",
    "n_cpus": "CPUs",
    "platform": "System",
    "file": "Model file",
}


def provenance_section(results, command):
    """List command line, settings and versions, in the last section of every report.

    `command` is the command line that made the page, if another one.
    """
    blocks = [Text(line)] if (line := _line(results)) else []
    if results.get("command"):
        blocks.append(Code(results["command"], "The command line of these results"))
    if command and command != results.get("command"):
        blocks.append(Code(command, "The command line of this page"))
    metadata = results.get("metadata") or {}
    known = {**metadata, **results}
    if "trained" in results:  # which is when they were made
        del known["trained"]
    facts = [
        (title, _fact(key, known[key]))
        for key, title in _FACTS.items()
        if not is_missing(known.get(key))
    ]
    if facts:
        blocks.append(Facts(tuple(facts)))
    parameters = known.get("parameters")
    if parameters:
        rows = tuple(
            (Cell(str(name)), Cell(str(value)))
            for name, value in sorted(parameters.items())
        )
        columns = (Column("Parameter", sort="ascending"), Column("Value"))
        caption = "Parameters of the model, defaults included"
        blocks.append(
            Table(caption, columns, rows, folded=f"All {len(rows)} parameters")
        )
    blocks += _versions(results, metadata)
    return Section("How to repeat this", tuple(blocks), is_brief=True)


def _line(results):
    """Say in a line what results were computed with."""
    parts = []
    if not is_missing(results.get("seed")):
        parts.append(f"seed {results['seed']}")
    if not is_missing(results.get("n_cpus")):
        parts.append(f"{results['n_cpus']:,} CPUs")
    parts += [
        f"{name} {number}" for name, number in (results.get("versions") or {}).items()
    ]
    return f"Computed with {', '.join(parts)}." if parts else ""


def _fact(key, value):
    if key == "image_shape":
        return pixels(value)
    if key == "source":
        return _without_folders(str(value))
    if key == "seeds":
        return _seeds(value)
    if key in ("made", "trained"):
        return str(value).replace("T", " ").replace("+00:00", " UTC")
    if isinstance(value, int) and not isinstance(value, bool) and key != "seed":
        return f"{value:,}"
    return joined(value) if isinstance(value, dict) else str(value)


def _without_folders(source):
    """Leave out where a folder lies: pages are sent to people of other machines."""
    for path in PurePath(source), PureWindowsPath(source):
        if path.is_absolute() and path.name:
            return path.name
    return source


def _seeds(seeds):
    """Write the seeds of several networks, once where they have the same."""
    texts = {name: ", ".join(map(str, group)) for name, group in seeds.items()}
    if len(set(texts.values())) == 1:
        return next(iter(texts.values()))
    return "; ".join(f"{name} {text}" for name, text in texts.items())


def _versions(results, metadata):
    """List the versions; those of the training beside them where there are two."""
    now, then = results.get("versions") or {}, metadata.get("versions") or {}
    if not now and not then:
        return []
    both = bool(now and then)
    columns = [Column("Package")]
    columns += [Column("Version here"), Column("Version in training")][: 1 + both]
    if not both:
        columns[1] = Column("Version")
    rows = []
    for package in dict.fromkeys([*now, *then]):
        cells = [now.get(package, ""), then.get(package, "")] if both else []
        cells = cells or [(now or then)[package]]
        rows.append((Cell(str(package)), *(Cell(str(text)) for text in cells)))
    return [Table("Versions", tuple(columns), tuple(rows), folded="Versions")]
