"""Pages to draw on: a fitted network in one HTML file.

:func:`write_demo` writes a page on which anyone can draw with finger, pen, mouse or
keyboard, and see how the network classifies the drawing. The page holds the network,
computes in the browser and loads nothing, so that it works offline and can be sent to
anyone.
"""

from ._page import Demo, write_demo

__all__ = ["Demo", "write_demo"]
