"""Suggestions for unknown names."""

from difflib import get_close_matches

__all__ = ["closest", "suggestion"]

_MOST = 5  # names in a suggestion


def closest(name, known, cutoff=0.6):
    """Return the known name that is most like a name in any case; None if none is."""
    lower = {str(other).lower(): other for other in known}
    found = get_close_matches(str(name).lower(), lower, n=1, cutoff=cutoff)
    return lower[found[0]] if found else None


def suggestion(name, known):
    """Return a sentence, " Did you mean 'x'?", or nothing if no known name is like it.

    A part of a few names, such as "cnn", may stand for each of them.
    """
    part = str(name).lower()
    meant = [other for other in known if part in str(other).lower()]
    if not 0 < len(meant) <= _MOST or len(part) < 2:
        found = closest(name, known)
        meant = [] if found is None else [found]
    if not meant:
        return ""
    *others, last = map(repr, meant)
    listed = f"{', '.join(others)} or {last}" if others else last
    return f" Did you mean {listed}?"
