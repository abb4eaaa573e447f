"""Places for the nodes of a graph, so that all arrows lead down.

The method is that of K. Sugiyama, S. Tagawa and M. Toda (1981), "Methods for visual
understanding of hierarchical system structures": rows by longest path, helper nodes
where an edge passes a row, order within a row by the mean of the neighbours.
"""

from itertools import pairwise
from typing import NamedTuple

__all__ = ["place_nodes"]

_GAP = 24  # between two boxes of a row
_LANE = 12  # width of the lane of an edge that passes a row
_SWEEPS = 8


class Places(NamedTuple):
    """Where nodes are, and by which places edges lead, as (x, row) of their middles."""

    nodes: list
    paths: list


def place_nodes(n_nodes, edges, width):
    """Place nodes of one width in rows.

    Parameters
    ----------
    n_nodes : int
        Number of nodes.
    edges : iterable of (int, int)
        Each from a node to one with a higher number.
    width : float
        Width of a node.

    Returns
    -------
    places : Places
        Of the nodes, and of each edge from its first node to its last.
    total_width : float
        Width of all rows; places lie between 0 and that.
    n_rows : int
        Number of rows.
    """
    edges = list(edges)
    row = [0] * n_nodes
    for source, target in sorted(edges):
        row[target] = max(row[target], row[source] + 1)
    # An edge that passes rows gets a helper node in each of them.
    widths = [width] * n_nodes
    chains = []
    for source, target in edges:
        chain = [source]
        for passed in range(row[source] + 1, row[target]):
            chain.append(len(row))
            row.append(passed)
            widths.append(_LANE)
        chains.append([*chain, target])
    above = [[] for _ in row]
    below = [[] for _ in row]
    for chain in chains:
        for upper, lower in pairwise(chain):
            above[lower].append(upper)
            below[upper].append(lower)

    rows = [[] for _ in range(max(row) + 1)]
    for node, number in enumerate(row):
        rows[number].append(node)
    x = [0.0] * len(row)
    for members in rows:
        _spread(members, x, widths, dict.fromkeys(members, 0.0))
    for sweep in range(_SWEEPS):
        downward = sweep % 2 == 0
        neighbours = above if downward else below
        for members in rows if downward else rows[::-1]:
            wanted = {
                node: _mean([x[other] for other in neighbours[node]], x[node])
                for node in members
            }
            members.sort(key=lambda node: wanted[node])
            _spread(members, x, widths, wanted)

    left = min(x[node] - widths[node] / 2 for node in range(len(row)))
    right = max(x[node] + widths[node] / 2 for node in range(len(row)))
    places = [(x[node] - left, row[node]) for node in range(len(row))]
    return (
        Places(
            places[:n_nodes], [[places[node] for node in chain] for chain in chains]
        ),
        right - left,
        len(rows),
    )


def _mean(values, default):
    return sum(values) / len(values) if values else default


def _spread(members, x, widths, wanted):
    """Give the nodes of a row places near those wanted, in order and side by side."""
    # Neighbours that would overlap become a group, which is centred as a whole.
    groups = []
    for node in members:
        groups.append(([node], [0.0], widths[node] / 2, widths[node] / 2, wanted[node]))
        while len(groups) > 1:
            first, second = groups[-2:]
            apart = first[3] + _GAP + second[2]
            if second[4] - first[4] >= apart:
                break
            groups[-2:] = [_joined(first, second, apart)]
    for nodes, offsets, _, _, middle in groups:
        for node, offset in zip(nodes, offsets, strict=True):
            x[node] = middle + offset


def _joined(first, second, apart):
    """Join two groups of nodes: (nodes, offsets, reach left, reach right, middle)."""
    n_first, n_second = len(first[0]), len(second[0])
    share = n_second / (n_first + n_second)
    # Where the middle of the first one would best be, so that all are near.
    middle = (1 - share) * first[4] + share * (second[4] - apart)
    return (
        first[0] + second[0],
        first[1] + [offset + apart for offset in second[1]],
        first[2],
        apart + second[3],
        middle,
    )
