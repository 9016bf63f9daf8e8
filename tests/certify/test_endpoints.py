"""An endpoint is certified as a consumer is: its requests in any order, each again, under every fault."""

from __future__ import annotations

import uuid
from pathlib import Path

from eachonce import Contract, Endpoint, Event, Reject, Work

from eachonce_workbench.certify.examination import Bounds, examine
from eachonce_workbench.certify.subject import Subject, of_template
from eachonce_workbench.certify.verdict import Verdict
from eachonce_workbench.certify.witness import Cause
from eachonce_workbench.cloud.confinement.refusals import Refusals
from tests.certify.post import Closed, Opened, Paid

SMALL = Bounds(events=2, crowds=2)
TEMPLATE = """
Transform: AWS::Serverless-2016-10-31
Globals:
  Function: {Runtime: python3.13, CodeUri: .}
Resources:
  Pay:
    Type: AWS::Serverless::Function
    Properties: {Handler: pay_app.endpoint}
  Other:
    Type: AWS::Serverless::Function
    Properties: {Handler: pay_app.other}
"""
PAY = """
from eachonce import Endpoint

from tests.certify.post import Paid

endpoint = Endpoint("pay")


@endpoint.post("/payments", Paid)
def pay(event, work):
    work.add("Accounts", {"account": event.data.account}, pence=event.data.pence)


def other(event, context):
    return None
"""


class Numbered(Contract, frozen=True, kw_only=True):
    parcels: int
    lot: str

    @property
    def subject(self) -> str:
        return self.lot


balance = Endpoint("balance")
payments = Endpoint("payments")
counters = Endpoint("counters")
receipts = Endpoint("receipts")


@balance.post("/accounts/{account}/payments", Paid)
def pay_and_tell(event: Event[Paid], work: Work) -> None:
    key = {"account": event.request.path_parameters["account"]}
    known = work.read("Accounts", key) or {"pence": 0}
    work.put("Accounts", key, pence=known["pence"] + event.data.pence)
    work.result = {"balance": int(known["pence"] + event.data.pence)}


@payments.post("/accounts/{account}/payments", Paid)
def pay(event: Event[Paid], work: Work) -> None:
    if event.data.pence < 0:
        raise Reject("nothing is paid back")
    account = event.request.path_parameters["account"]
    work.add("Accounts", {"account": account}, pence=event.data.pence)
    work.create("Payments", {"payment": event.id}, account=account)
    work.result = {"paid": event.data.pence}


@counters.put("/counters/{counter}", Opened)
def open_counter(event: Event[Opened], work: Work) -> None:
    key = {"counter": event.request.path_parameters["counter"]}
    if (work.read("Counters", key) or {}).get("closed"):
        raise Reject("it is closed")
    work.put("Counters", key, opened=True)


@counters.delete("/counters/{counter}", Closed)
def close_counter(event: Event[Closed], work: Work) -> None:
    key = {"counter": event.request.path_parameters["counter"]}
    work.read("Counters", key)
    work.put("Counters", key, closed=True)


@receipts.on(Paid)
def receipt(event: Event[Paid], work: Work) -> None:
    number = uuid.uuid4().hex
    work.create("Receipts", {"receipt": number}, pence=event.data.pence)
    work.result = {"receipt": number}


def test_what_a_caller_is_told_is_part_of_the_end() -> None:
    """The witness shows the requests with what their paths name."""
    (pair,) = examine(Subject.of(balance), SMALL).pairs

    assert pair.verdict is Verdict.ORDER
    assert pair.witness is not None
    assert pair.witness.events[0].startswith('e1: POST /accounts/{account}/payments {"account":"a"} {')
    assert pair.witness.where == "the answer to e1"


def test_a_route_is_to_each_other_as_two_types_are() -> None:
    """They meet in what their paths name."""
    examined = examine(Subject.of(counters), SMALL)

    pair = examined.pair("PUT /counters/{counter}", "DELETE /counters/{counter}")
    assert pair.verdict is Verdict.ORDER
    assert not examined.passes


def test_what_chance_decides_is_told_of_a_request_too() -> None:
    """A client that asks again is to hear the same."""
    (pair,) = examine(Subject.of(receipts), SMALL).pairs

    assert pair.witness is not None
    assert pair.witness.cause is Cause.CHANCE


def test_a_sound_endpoint_is_certified() -> None:
    """Its answers are told by its requests alone."""
    (pair,) = examine(Subject.of(payments), SMALL).pairs

    assert pair.verdict is Verdict.COMMUTES


def test_no_two_requests_are_about_the_same() -> None:
    """Where the contract says what they are about, or which fields tell them apart."""
    lots, orders = Endpoint("lots"), Endpoint("orders")

    @lots.post("/lots", Numbered)
    def enter(event: Event[Numbered], work: Work) -> None:
        work.create("Lots", {"lot": event.data.lot}, parcels=event.data.parcels)

    @orders.on(Closed, identity="counter")
    def close(event: Event[Closed], work: Work) -> None:
        work.create("Closings", {"counter": event.data.counter}, clerk=event.data.clerk)

    assert examine(Subject.of(lots), SMALL).passes
    assert examine(Subject.of(orders), SMALL).passes


def test_a_bundles_endpoints_are_among_what_is_certified(tmp_path: Path) -> None:
    """Whoever asks for all gets them, too; what is neither is passed over."""
    (tmp_path / "pay_app.py").write_text(PAY)
    (tmp_path / "template.yaml").write_text(TEMPLATE)

    (subject,) = of_template(tmp_path / "template.yaml", Refusals())

    assert subject.name == "pay"
    assert [handler.description.type for handler in subject.handlers] == ["POST /payments"]
