"""What a form comes to: an envelope around data, and the inputs that are sent; pure."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass

from eachonce_workbench.cloud.faults.call_site import CALL_SITES
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.faults.faults import Fault
from eachonce_workbench.console.send.offers import Offer
from eachonce_workbench.run.books import Input

MOST_SECONDS = 900
"""How late something may be sent: as late as SQS would deliver it."""

_COMMITS = ("committer.commit", "group_commit._commit")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "TransactWriteItems", "BatchWriteItem")
_SECONDS = re.compile(r"\d{1,3}")


class LetterError(ValueError):
    """What a form says can't be sent; the message says why not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """Something to be sent, how often and how late; `source` and `event_id` are how its event is known.

    `fault` is to be on when it comes.
    """

    title: str
    given: Input
    source: str = ""
    event_id: str = ""
    copies: int = 1
    late_seconds: int = 0
    fault: Fault | None = None


def letter_of(offer: Offer, texts: Mapping[str, str], *, number: int, sent_at: str) -> Letter:
    """Return what a form comes to; `number` tells it from all others. Raises LetterError."""
    late = texts.get("late", "").strip() or "0"
    if not _SECONDS.fullmatch(late) or int(late) > MOST_SECONDS:
        raise LetterError(f"Late by {late[:20]}? By 0 to {MOST_SECONDS} whole seconds.")
    data = texts.get("data", "")
    detail = _envelope(texts, data, sent_at) if offer.enveloped else data
    payload = _entry(texts, detail) if offer.way == "bus" else detail.encode()
    given = Input(name=f"console-{number}", kind=offer.way, target=offer.target, payload=payload)
    return Letter(
        title=offer.title,
        given=given,
        # The record knows a message only by what its consumer says of it, which is no source.
        source=texts.get("source", "") if offer.enveloped and offer.way == "bus" else "",
        event_id=texts.get("id", "") if offer.enveloped else "",
        copies=2 if texts.get("twice") else 1,
        late_seconds=int(late),
    )


def killing(function: str, letter: Letter, *, layered: bool) -> Fault:
    """Return the fault that kills a function's worker once, after its next commit: of this event, if it is one."""
    if layered:
        sites = {f"{place} {operation}" for place in _COMMITS for operation in CALL_SITES[place]}
    else:
        sites = {f"{function} {operation}" for operation in _WRITES}
    known = layered and letter.event_id
    holding = json.dumps(letter.event_id)[1:-1].encode() if known else b""
    return Fault(kind=CallFault.KILLED_AFTER, function=function, sites=frozenset(sites), left=1, holding=holding)


def _envelope(texts: Mapping[str, str], data: str, sent_at: str) -> str:
    """Return a CloudEvents event around data, which are what they are, JSON or not."""
    for name in ("id", "source", "type"):
        if not texts.get(name):
            raise LetterError(f"An event has an {name}." if name == "id" else f"An event has a {name}.")
    head = {"specversion": "1.0", **{name: texts[name] for name in ("id", "source", "type")}, "time": sent_at}
    head |= {name: texts[name] for name in ("subject", "tenant") if texts.get(name)}
    return f'{json.dumps(head)[:-1]}, "data": {data}}}'


def _entry(texts: Mapping[str, str], detail: str) -> bytes:
    entry = {"Source": texts.get("source", ""), "DetailType": texts.get("type", ""), "Detail": detail}
    return json.dumps(entry).encode()
