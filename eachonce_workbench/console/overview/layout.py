"""Where the parts of a drawing stand: in columns, so that what happens goes from left to right.

The usual way of drawing layered graphs (Sugiyama, Tagawa and Toda, 1981, "Methods for Visual Understanding of
Hierarchical System Structures"): edges that would go back are told in words, a node stands right of all that lead to
it, and each column is ordered by where its neighbours stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from eachonce_workbench.console.overview.graph import Edge, Graph, Node

WIDTH, HEAD, LINE, ACROSS, BETWEEN = 180, 40, 16, 78, 22
"""Of a box, its head and each of its lines, and from one box to the next, across and downwards; in pixels."""

_ROUNDS = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """A node where it stands: its upper left corner, its height, and the lines in it."""

    node: Node
    x: int
    y: int
    height: int
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """An edge between two boxes: the path that it takes, and where its label stands."""

    edge: Edge
    path: str
    x: float
    y: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Drawing:
    """All of it, and how large it is."""

    boxes: tuple[Box, ...]
    arrows: tuple[Arrow, ...]
    width: int
    height: int


def draw(graph: Graph, lines: Mapping[str, Sequence[str]] = {}) -> Drawing:
    """Place a graph; `lines` are what each node says beside its name, by its id."""
    forward, back = _directed(graph)
    names = {node.id: node.name for node in graph.nodes}
    said: dict[str, list[str]] = {node.id: list(lines.get(node.id, ())) for node in graph.nodes}
    for edge in back:
        said[edge.source].append(f"{edge.does} {names[edge.target]}")
    columns = _ordered(_columns(graph.nodes, forward), forward)
    heights = {node.id: HEAD + LINE * len(said[node.id]) for node in graph.nodes}
    tallest = max((_height_of(column, heights) for column in columns), default=0)
    boxes = {
        box.node.id: box
        for place, column in enumerate(columns)
        for box in _stacked(column, x=place * (WIDTH + ACROSS), tallest=tallest, heights=heights, said=said)
    }
    return Drawing(
        boxes=tuple(boxes.values()),
        arrows=tuple(_arrows(forward, boxes)),
        width=max(1, len(columns) * (WIDTH + ACROSS) - ACROSS),
        height=max(1, tallest),
    )


def _directed(graph: Graph) -> tuple[list[Edge], list[Edge]]:
    """Return the edges that go forward, and those that would close a circle, seen from where things begin."""
    out: dict[str, list[Edge]] = defaultdict(list)
    for edge in graph.edges:
        out[edge.source].append(edge)
    entered = {edge.target for edge in graph.edges}
    begun: set[str] = set()
    open_: set[str] = set()
    forward: list[Edge] = []
    back: list[Edge] = []

    def visit(node_id: str) -> None:
        begun.add(node_id)
        open_.add(node_id)
        for edge in out[node_id]:
            (back if edge.target in open_ else forward).append(edge)
            if edge.target not in begun:
                visit(edge.target)
        open_.discard(node_id)

    for node in sorted(graph.nodes, key=lambda each: each.id in entered):
        if node.id not in begun:
            visit(node.id)
    return forward, back


def _columns(nodes: Iterable[Node], edges: Sequence[Edge]) -> list[list[Node]]:
    """Put each node right of all that lead to it; one that only leads on stands just before what it leads to."""
    depth = {node.id: 0 for node in nodes}
    for _ in depth:
        moved = False
        for edge in edges:
            if depth[edge.target] <= depth[edge.source]:
                depth[edge.target] = depth[edge.source] + 1
                moved = True
        if not moved:
            break
    entered = {edge.target for edge in edges}
    for node in nodes:
        following = [depth[edge.target] for edge in edges if edge.source == node.id]
        if node.id not in entered and following:
            depth[node.id] = min(following) - 1
    columns: dict[int, list[Node]] = defaultdict(list)
    for node in nodes:
        columns[depth[node.id]].append(node)
    return [columns[place] for place in sorted(columns)]


def _ordered(columns: list[list[Node]], edges: Sequence[Edge]) -> list[list[Node]]:
    neighbours: dict[str, list[str]] = defaultdict(list)
    for edge in edges:
        neighbours[edge.source].append(edge.target)
        neighbours[edge.target].append(edge.source)
    for _ in range(_ROUNDS):
        for way in (columns, columns[::-1]):
            place: dict[str, float] = {}
            for column in way:
                if place:
                    column.sort(key=lambda node: _middle(neighbours[node.id], place))
                place |= {node.id: (index + 0.5) / len(column) for index, node in enumerate(column)}
    return columns


def _middle(neighbours: Sequence[str], place: Mapping[str, float]) -> float:
    places = [place[each] for each in neighbours if each in place]
    return sum(places) / len(places) if places else 0.5


def _height_of(column: Sequence[Node], heights: Mapping[str, int]) -> int:
    return sum(heights[node.id] for node in column) + BETWEEN * (len(column) - 1)


def _stacked(
    column: Sequence[Node],
    *,
    x: int,
    tallest: int,
    heights: Mapping[str, int],
    said: Mapping[str, Sequence[str]],
) -> Iterable[Box]:
    spare = (tallest - _height_of(column, heights)) / (len(column) + 1)
    y = spare
    for node in column:
        yield Box(node=node, x=x, y=round(y), height=heights[node.id], lines=tuple(said[node.id]))
        y += heights[node.id] + BETWEEN + spare


def _arrows(edges: Iterable[Edge], boxes: Mapping[str, Box]) -> Iterable[Arrow]:
    for edge in edges:
        source, target = boxes[edge.source], boxes[edge.target]
        x1, y1 = source.x + WIDTH, source.y + source.height / 2
        x2, y2 = target.x, target.y + HEAD / 2
        bend = max(ACROSS, x2 - x1) / 2
        yield Arrow(
            edge=edge,
            path=f"M{x1} {y1:g}C{x1 + bend:g} {y1:g} {x2 - bend:g} {y2:g} {x2} {y2:g}",
            x=x2 - ACROSS / 2,
            y=y2 - 5,
        )
