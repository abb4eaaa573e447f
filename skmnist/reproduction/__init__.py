"""Published results reproduced: networks of :mod:`skmnist.published` trained again.

:func:`reproduce` trains them by their own recipes, keeps each finished run as a file,
and returns the results beside the published ones. ``skmnist reproduce`` does the same
on the command line.
"""

from skmnist.reproduction._reproduce import reproduce

__all__ = ["reproduce"]
