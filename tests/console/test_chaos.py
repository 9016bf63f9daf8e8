"""The screen of faults: what can be chosen, what is on, and which events have met it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from urllib.parse import urlencode

import pytest
from eachonce.journal import Mark, row_key

from eachonce_workbench.cloud.faults.call_site import CALL_SITES
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Fault, Faults
from eachonce_workbench.console.chaos.about import events_of
from eachonce_workbench.console.chaos.choice import PARTS, WORDS, ChoiceError, read, sites
from eachonce_workbench.console.overview.state import lines_of
from tests.console.asking import ask
from tests.console.served import Served, served
from tests.topologies import function, topology

HOSTILE = "<script>alert(1)</script>\x00\u202e'\"&/?#"


@pytest.fixture
def faults() -> Faults:
    return Faults()


@pytest.fixture
def here(faults: Faults) -> Iterator[Served]:
    with served(topology(functions=(function("Pack"), function("Track"))), faults=faults) as console:
        yield console


def test_every_call_site_can_be_chosen() -> None:
    """With words for what its part of the layer does, and for each fault."""
    listed = {site.place for _, _, some in sites() for site in some}

    assert listed == set(CALL_SITES)
    assert {place.partition(".")[0] for place in CALL_SITES} == set(PARTS)
    assert set(WORDS) == set(CallFault)


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"fault": "nonsense"}, "There is no fault nonsense"),
        ({"fault": "conflict", "site": "work.read GetItem"}, "GetItem can't be conflict; it can be refused before"),
        ({"fault": "conflict", "site": "nobody.calls GetItem"}, "has no call site"),
        ({"fault": "conflict", "function": "Other"}, "There is no function Other; there are Pack"),
        ({"fault": "conflict", "operation": "PutItem"}, "Choose a function"),
        ({"fault": "late", "often": "share", "percent": "0"}, "0 is no number from 1 to 100"),
        ({"fault": "late", "often": "next", "times": "\u0663"}, "is no number"),
        ({"fault": HOSTILE, "function": ""}, "There is no fault"),
    ],
)
def test_what_makes_no_sense_is_told(asked: dict[str, str], told: str) -> None:
    """And what would."""
    with pytest.raises(ChoiceError, match=told):
        read(asked, ["Pack"])


def test_a_form_is_a_fault() -> None:
    """Of the layer's calls, of the function's own, or of any."""
    own = read(
        {"fault": "answer lost", "function": "Pack", "operation": "PutItem", "often": "next", "times": "3"}, ["Pack"]
    )
    layers = read({"fault": "conflict", "site": "ledger.begin UpdateItem", "often": "share", "percent": "5"}, ["Pack"])

    assert (own.function, own.sites, own.left) == ("Pack", {"Pack PutItem"}, 3)
    assert (layers.function, layers.sites, layers.share) == ("", {"ledger.begin UpdateItem"}, 0.05)
    assert read({"fault": "throttled"}, []).sites == frozenset()


def test_a_button_turns_a_fault_on_and_off(here: Served, faults: Faults) -> None:
    """Every page says so meanwhile, and it begins where the person has left it."""
    form = {"turn": "conflict at ledger.begin UpdateItem", "function": "Pack", "often": "every"}

    status, where = ask(here.endpoint, "chaos/turn", **form)

    assert (status, where) == (303, "/_eachonce/chaos?function=Pack&often=every")
    assert [(each.kind, each.function) for each in faults.on] == [(CallFault.CONFLICT, "Pack")]
    assert "1 fault is on." in ask(here.endpoint, "events")[1]
    assert (
        'aria-label="ledger.begin UpdateItem: conflict" aria-pressed="true"'
        in ask(here.endpoint, "chaos?function=Pack")[1]
    )
    ask(here.endpoint, "chaos/turn", **form)
    assert faults.on == ()
    assert "No fault is on" in ask(here.endpoint, "chaos")[1]


def test_all_faults_end_at_once(here: Served, faults: Faults) -> None:
    """Or one, by its number."""
    numbers = [faults.turn_on(Fault(kind=kind)).number for kind in CallFault]

    ask(here.endpoint, "chaos/end", number=str(numbers[0]))
    assert len(faults.on) == len(CallFault) - 1
    ask(here.endpoint, "chaos/end", all="yes")
    assert faults.on == ()


def test_what_is_chosen_is_text_on_the_page(here: Served, faults: Faults) -> None:
    """Whatever it is, and nothing is on then."""
    for name in ("turn", "function", "operation", "percent"):
        status, page = ask(here.endpoint, "chaos/turn", **{"turn": "late", "often": "share", name: HOSTILE})
        assert (status, "<script>alert" in page) == (400, False)
    assert (
        "<script>alert" not in ask(here.endpoint, f"chaos?{urlencode({'function': HOSTILE, 'operation': HOSTILE})}")[1]
    )
    assert faults.on == ()


def test_on_aws_there_are_no_faults() -> None:
    """The page says where there are."""
    with served() as here:
        assert "eachonce serve" in ask(here.endpoint, "chaos")[1]
        assert "eachonce serve" in ask(here.endpoint, "chaos/turn", turn="late")[1]


def test_a_call_tells_whose_rows_it_writes() -> None:
    """By their keys and marks, or by the events that it publishes."""
    key, mark = (
        row_key("pack", "a#b%", "e#1"),
        Mark(consumer="pack", source="shop", event_id="e#2", fingerprint="0af" * 8),
    )
    row = {"TransactItems": [{"Put": {"Item": {"pk": {"S": key}}}}, {"Update": {":m": {"S": str(mark)}}}]}
    detail = json.dumps({"specversion": "1.0", "source": "shop", "id": 'e"3'})

    assert events_of(json.dumps(row).encode()) == [("a#b%", "e#1"), ("shop", "e#2")]
    assert events_of(json.dumps({"Entries": [{"Detail": detail}, {"Detail": "{"}, {}]}).encode()) == [("shop", 'e"3')]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b"\xff\xfe", b'{"pk": {"S": "\\ud800##x#y"}}', b'{"Entries": 1}', b'{"pk": {"S": "no key"}}']
)
def test_a_call_that_tells_nothing_is_about_nobody(body: bytes) -> None:
    """Whatever it holds."""
    assert isinstance(events_of(body), list)


def test_an_event_knows_which_fault_it_met(here: Served) -> None:
    """It is a step of its story, and is counted."""
    here.publish("e-1")
    body = json.dumps({"Item": {"pk": {"S": row_key("pack", "till", "e-1")}}}).encode()
    here.happens("faulted", function="Pack", request_id="r-1", site="ledger.begin UpdateItem", fault="late", body=body)

    event = here.record.find("till", "e-1")
    assert event is not None
    assert (event.steps[-1].kind, event.steps[-1].told) == ("faulted", "late: ledger.begin UpdateItem")
    assert lines_of(here.topology, [], here.record)[here.topology.functions[0].arn] == ["1 fault met"]
