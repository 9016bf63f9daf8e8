"""The overview: a topology as a graph, its drawing, and the sentence on top."""

from __future__ import annotations

import pytest

from eachonce_workbench.cloud.history import History
from eachonce_workbench.console.overview.graph import Edge, Graph, Node, graph_of
from eachonce_workbench.console.overview.layout import WIDTH, Drawing, draw
from eachonce_workbench.console.overview.state import ConsumerState, Depth, lines_of, sentence
from eachonce_workbench.console.record import Record
from eachonce_workbench.scaffold.bundle import new_bundle
from eachonce_workbench.template import load
from eachonce_workbench.template.topology import Bus
from tests.console.served import bus_event, outcome
from tests.topologies import topology


@pytest.fixture(scope="module")
def bicycles(tmp_path_factory: pytest.TempPathFactory) -> Graph:
    folder = tmp_path_factory.mktemp("bundle") / "bicycles"
    new_bundle(folder)
    return graph_of(load(folder / "template.yaml"))


def test_the_graph_says_who_does_what(bicycles: Graph) -> None:
    """Each part by its name in the template, each arrow with the rule that lets it."""
    names = {node.id: node.name for node in bicycles.nodes}
    said = {(names[each.source], each.does, names[each.target], each.through) for each in bicycles.edges}

    assert said >= {
        ("EndTrip", "writes", "Journal", ""),
        ("Journal", "feeds", "RelayOutbox", ""),
        ("RelayOutbox", "publishes", "Bus", ""),
        ("Bus", "delivers", "CountArrivalsQueue", "CountArrivalsRule"),
        ("CountArrivalsQueue", "feeds", "CountArrivals", ""),
        ("CountArrivals", "writes", "Stations", ""),
    }


def test_dead_letter_queues_are_no_boxes_of_their_own(bicycles: Graph) -> None:
    """They are told of at the queues that they are of."""
    assert [node.name for node in bicycles.nodes if "Dead" in node.name or "dlq" in node.name.lower()] == []


def boxes(drawing: Drawing) -> dict[str, tuple[int, int]]:
    return {box.node.name: (box.x, box.y) for box in drawing.boxes}


def test_what_happens_goes_from_left_to_right(bicycles: Graph) -> None:
    """No arrow that is drawn goes back, and no two boxes lie over each other."""
    drawing = draw(bicycles)

    places = {box.node.id: box.x for box in drawing.boxes}
    assert all(places[arrow.edge.source] + WIDTH <= places[arrow.edge.target] for arrow in drawing.arrows)
    for box in drawing.boxes:
        under = [
            other
            for other in drawing.boxes
            if other is not box and other.x == box.x and other.y < box.y + box.height and box.y < other.y + other.height
        ]
        assert under == []


def test_an_arrow_that_would_go_back_is_told_in_words(bicycles: Graph) -> None:
    """The consumer's mark goes into the journal, which stands at the beginning."""
    (count,) = (box for box in draw(bicycles).boxes if box.node.name == "CountArrivals")

    assert "writes Journal" in count.lines


def circle(*names: str) -> Graph:
    nodes = tuple(Node(id=name, kind="function", name=name) for name in names)
    edges = tuple(
        Edge(source=source, target=target, does="calls")
        for source, target in zip(names, [*names[1:], names[0]], strict=True)
    )
    return Graph(nodes=nodes, edges=edges)


def test_a_circle_is_drawn(bicycles: Graph) -> None:
    """From wherever it begins; one of its arrows is words."""
    drawing = draw(circle("a", "b", "c"))

    assert len(drawing.arrows) == 2
    assert [box.lines for box in drawing.boxes if box.lines] == [("calls a",)]


def test_nothing_is_a_drawing_too() -> None:
    """Of no size to speak of."""
    drawing = draw(Graph(nodes=(), edges=()))

    assert (drawing.boxes, drawing.arrows, drawing.width, drawing.height) == ((), (), 1, 1)


class Town:
    def __init__(self) -> None:
        self.record = Record()
        self.history = History()
        self.history.subscribe(self.record)

    def publish(self, event_id: str) -> None:
        self.history.record("published", event_id=f"bus-{event_id}", bus="town", event=bus_event(event_id))

    def handle(self, event_id: str, request_id: str, verdict: str) -> None:
        fields = outcome(event_id, function="Track", request_id=request_id, verdict=verdict)
        self.history.record("log", **fields)

    def says(self, dead_letters: int = 0) -> tuple[str, str]:
        state = ConsumerState(name="Track", queue_arn="arn", depth=Depth(), dead_letters=dead_letters)
        told = sentence(self.record, [state])
        return told.tone, told.text


def test_the_sentence_before_anything_has_happened() -> None:
    """It promises nothing."""
    assert Town().says() == ("quiet", "Nothing has been published yet.")


def test_the_sentence_when_all_is_well() -> None:
    """It says of how many."""
    town = Town()
    town.publish("a")
    town.handle("a", "r-1", "done")

    assert town.says() == ("good", "Nothing lost, nothing doubled, of 1 published.")


def test_the_sentence_while_something_is_under_way() -> None:
    """It may still come to anything."""
    town = Town()
    town.publish("a")
    town.handle("a", "r-1", "retry")

    assert town.says() == ("quiet", "Nothing lost, nothing doubled; 1 under way.")


def test_the_sentence_when_something_is_wrong() -> None:
    """It says all that is."""
    town = Town()
    town.publish("a")
    for number in range(2):
        sent = {"event_id": "bus-a", "rule": "wanted", "target_arn": "arn", "message_id": f"m-{number}"}
        town.history.record("delivered", **sent)
        left = {"function": "Count", "queue_arn": "arn", "request_id": f"r-{number}", "message_id": f"m-{number}"}
        town.history.record("acknowledged", **left)
    town.history.record("lost", event_id="bus-b", bus="nowhere", event=bus_event("b"))
    town.history.record("undelivered", event_id="bus-a", rule="wanted", target_arn="arn", reason="NO", message="no")

    tone, text = town.says(dead_letters=2)

    assert tone == "bad"
    assert text == (
        "1 event named a bus that isn't there, and is lost; 1 delivery failed for good, and is kept nowhere; "
        "1 copy went through a function that tells no copies apart; 2 dead letters wait for somebody."
    )


def test_a_bus_says_which_types_it_carries() -> None:
    """The most frequent first, and how many there are beside them."""
    town = Town()
    for event_type, number in {"Placed": 3, "Moved": 2, "Counted": 1, "Sent": 1, "Lost": 1, "Found": 1}.items():
        for place in range(number):
            event = bus_event(f"{event_type}-{place}", event_type=event_type)
            town.history.record("published", event_id=event["id"], bus="town", event=event)
    bus = Bus(logical_id="Town", name="town", arn="arn:town")

    said = lines_of(topology(buses=(bus,)), [], town.record)["arn:town"]

    assert said[:3] == ["9 published", "3 Placed", "2 Moved"]
    assert said[-1] == "and 2 types more"
