"""Wording of the results in a report."""

from skmnist._numbers import counted, is_missing, percent

__all__ = [
    "accuracy_words",
    "interval",
    "listed",
    "on_dataset",
    "printable",
    "title_of",
]


def listed(names):
    """Write names as a sentence has them: "a, b and c"."""
    *first, last = map(str, names)
    return f"{', '.join(first)} and {last}" if first else last


def on_dataset(results):
    """Return " on digits", or nothing where the data set has no name."""
    return f" on {results['dataset']}" if results["dataset"] is not None else ""


def interval(bounds):
    """Write the bounds of an interval of shares."""
    low, high = bounds
    return f"{100 * low:.2f} to {percent(high)}"


def accuracy_words(evaluation):
    """Say what an evaluation found, in sentences."""
    n, n_right, n_wrong = (evaluation[key] for key in ("n", "n_right", "n_wrong"))
    words = (
        f"It classifies {n_right:,} of {counted(n, 'image')} correctly, "
        f"{percent(evaluation['accuracy'])}, and misclassifies "
        f"{f'{n_wrong:,}' if n_wrong else 'none'}."
    )
    if evaluation.get("warning"):  # which tells that these images say little of others
        return words
    return (
        f"{words} The 95 % interval of the accuracy on new images of this kind is "
        f"{interval(evaluation['accuracy_interval'])}."
    )


def title_of(results):
    """Name the model of results by its name, or by its file; None if it has neither."""
    metadata = results.get("metadata") or results
    name = metadata.get("model")
    return results.get("file") if is_missing(name) else name


def printable(value):
    """Replace characters that no page can hold, in all texts."""
    if isinstance(value, str):
        return "".join(c if _is_printable(c) else "\ufffd" for c in value)
    if isinstance(value, dict):
        return {printable(key): printable(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [printable(part) for part in value]
    return value


def _is_printable(character):
    """Return whether XML and UTF-8 can hold a character."""
    code = ord(character)
    return (
        character in "\t\n\r"
        or 0x20 <= code < 0x7F
        or 0xA0 <= code < 0xD800
        or (code > 0xDFFF and code & 0xFFFE != 0xFFFE)
    )
