"""Diagrams of networks as SVG."""

from dataclasses import dataclass
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from ._estimators import fitted_network
from ._layered_graph import place_nodes
from ._network_graph import LayerNode, read_graph

__all__ = ["LayerNode", "NetworkDiagram"]

# Boxes are opaque and light with dark text in them, lines and text between them of a
# grey that stands out from white and from black: a diagram can stand on any ground.
_FILLS = {
    "input": "#f2f2f2",
    "convolution": "#d6e6f5",
    "pooling": "#d9f0e8",
    "dense": "#fbe3c8",
    "other": "#f7f7f7",
}
_LINE = "#7f7f7f"
_TEXT = "#1a1a1a"
_FAINT = "#555555"
_FONT = "Helvetica, Arial, 'Liberation Sans', sans-serif"

_BOX_HEIGHT = 44
_ROW_GAP = 26
_MARGIN = 12
_PADDING = 12
_MIN_WIDTH = 250


@dataclass(frozen=True)
class NetworkDiagram:
    """Diagram of a network: its layers with shapes and numbers of parameters.

    Use :meth:`from_estimator` to make one. Notebooks display it as SVG; neither
    matplotlib nor Graphviz is needed.

    Parameters
    ----------
    layers : tuple of LayerNode
        The layers, each after those that feed it.
    edges : tuple of (int, int)
        Connections between layers, by their positions in `layers`.
    name : str
        Name of the network.
    n_parameters : int
        Number of weights of the network; layers used twice count once.

    See Also
    --------
    LayerNode : One layer of the diagram.
    FiltersDisplay : Filters of the convolutions.

    Examples
    --------
    >>> from skmnist.networks import build_mlp
    >>> from skmnist.plotting import NetworkDiagram
    >>> diagram = NetworkDiagram.from_estimator(build_mlp((784,), 10, units=512))
    >>> [(layer.name, layer.n_parameters) for layer in diagram.layers]
    [('pixels', 0), ('hidden_1', 401920), ('dropout_1', 0), ('probabilities', 5130)]
    >>> diagram.to_svg()[:4]
    '<svg'
    """

    layers: tuple
    edges: tuple
    name: str
    n_parameters: int

    @classmethod
    def from_estimator(cls, estimator):
        """Make the diagram of a network.

        Parameters
        ----------
        estimator : classifier, Pipeline, search or keras.Model
            A sequential or functional Keras model, or a fitted classifier that has one
            as ``model_``, alone or as the last step of a Pipeline. A nested model is
            drawn as one box.

        Returns
        -------
        NetworkDiagram
            The diagram.

        Raises
        ------
        TypeError
            If `estimator` has no Keras network.
        sklearn.exceptions.NotFittedError
            If the classifier is not fitted.
        """
        model = fitted_network(estimator, cls.__name__)
        layers, edges = read_graph(model)
        return cls(tuple(layers), tuple(edges), model.name, model.count_params())

    def to_svg(self):
        """Return the diagram as SVG text.

        Returns
        -------
        str
            An ``<svg>`` element, for an HTML page or a file.
        """
        width = max([_MIN_WIDTH, *(_box_width(layer) for layer in self.layers)])
        places, total_width, n_rows = place_nodes(len(self.layers), self.edges, width)
        step = _BOX_HEIGHT + _ROW_GAP
        height = n_rows * step - _ROW_GAP + 2 * _MARGIN + 22
        total_width += 2 * _MARGIN

        def at(place):
            x, row = place
            return x + _MARGIN, row * step + _MARGIN

        parts = []
        for path in places.paths:
            parts.append(_arrow([at(place) for place in path]))
        for layer, place in zip(self.layers, places.nodes, strict=True):
            parts.append(_box(layer, *at(place), width))
        total = f"{self.n_parameters:,} parameter{'s' * (self.n_parameters != 1)}"
        parts.append(
            f'<text x="{total_width / 2:g}" y="{height - 8:g}" text-anchor="middle" '
            f'font-size="12" fill="{_LINE}">{total}</text>'
        )
        label = (
            f"Network {self.name}: "
            + "; ".join(layer.summary for layer in self.layers)
            + f"; {total}"
        )
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{total_width:g}" '
            f'height="{height:g}" viewBox="0 0 {total_width:g} {height:g}" '
            f'role="img" aria-label={quoteattr(label)} font-family="{_FONT}">\n'
            + "\n".join(parts)
            + "\n</svg>\n"
        )

    def save(self, path):
        """Write the diagram to an SVG file.

        Parameters
        ----------
        path : str or path-like
            The file, with the suffix ``.svg``. An existing file is replaced.

        Raises
        ------
        ValueError
            If the name does not end in ``.svg``.
        """
        path = Path(path)
        if path.suffix.lower() != ".svg":
            raise ValueError(
                f"Diagrams are written as SVG, to files that end in '.svg'; got "
                f"{path.name!r}."
            )
        path.write_text(self.to_svg(), encoding="utf-8")

    def _repr_svg_(self):
        return self.to_svg()


def _text_width(text, size, bold=False):
    """Estimate the width of a text, a little too wide rather than too narrow."""
    return len(text) * size * (0.6 if bold else 0.54)


def _box_width(layer):
    """Return the width that the texts of a layer need."""
    first = _text_width(layer.name, 13, bold=True) + _text_width(layer.shape_text, 12)
    second = _text_width(layer.description, 11) + _text_width(layer.parameters_text, 11)
    return max(first, second) + 2 * _PADDING + 24


def _box(layer, x, y, width):
    """Draw a layer: name and shape, below them what it is and its parameters."""
    left, right = -width / 2 + _PADDING, width / 2 - _PADDING
    rows = (
        (left, "start", 18, 13, ' font-weight="600"', _TEXT, layer.name),
        (right, "end", 18, 12, "", _TEXT, layer.shape_text),
        (left, "start", 34, 11, "", _FAINT, layer.description),
        (right, "end", 34, 11, "", _FAINT, layer.parameters_text),
    )
    texts = "".join(
        f'<text x="{dx:g}" y="{dy}" text-anchor="{anchor}" font-size="{size}"'
        f'{weight} fill="{color}">{escape(text)}</text>'
        for dx, anchor, dy, size, weight, color, text in rows
        if text
    )
    return (
        f'<g transform="translate({x:g} {y:g})">'
        f'<rect x="{-width / 2:g}" width="{width:g}" height="{_BOX_HEIGHT}" rx="5" '
        f'fill="{_FILLS[layer.family]}" stroke="{_LINE}"/>{texts}</g>'
    )


def _arrow(points):
    """Draw a line from box to box, past the rows between, with an arrow head."""
    (x, y), *between, (end_x, end_y) = points
    y += _BOX_HEIGHT
    path = [f"M{x:g} {y:g}"]
    for px, py in between:  # down beside the boxes of a row
        path.append(_bend(x, y, px, py))
        path.append(f"V{py + _BOX_HEIGHT:g}")
        x, y = px, py + _BOX_HEIGHT
    path.append(_bend(x, y, end_x, end_y - 6))
    head = (
        f"M{end_x - 4:g} {end_y - 7:g}L{end_x:g} {end_y:g}L{end_x + 4:g} {end_y - 7:g}Z"
    )
    return (
        f'<path d="{"".join(path)}" fill="none" stroke="{_LINE}" stroke-width="1.4"/>'
        f'<path d="{head}" fill="{_LINE}"/>'
    )


def _bend(x, y, end_x, end_y):
    """Lead a line down to a point, in a curve if that is not straight below."""
    if abs(end_x - x) < 0.5:
        return f"V{end_y:g}"
    middle = (y + end_y) / 2
    return f"C{x:g} {middle:g} {end_x:g} {middle:g} {end_x:g} {end_y:g}"
