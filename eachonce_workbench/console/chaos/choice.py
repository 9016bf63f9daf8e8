"""What can be chosen: which fault, at which calls of which function, and how often; pure."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass

from eachonce_workbench.cloud.faults.call_site import CALL_SITES
from eachonce_workbench.cloud.faults.fault import CallFault, faults_of
from eachonce_workbench.cloud.faults.faults import Fault

PARTS: Mapping[str, str] = {
    "committer": "commits what an event changes, together with its mark",
    "group_commit": "commits what several events change, in one transaction",
    "work": "reads for a handler",
    "ledger": "tells the journal of starts, failures and rejections",
    "acknowledger": "acknowledges messages, puts them off, and sends them to the dead-letter queue",
    "publisher": "publishes events",
    "relay": "sets aside what can't be published",
    "circuit_store": "keeps the state of breakers",
    "keyring": "gets the keys of personal fields",
    "keys": "reads and announces keys of signatures",
    "former": "looks for rows from before sources counted",
}
"""What the parts of the layer make their calls for."""

WORDS: Mapping[CallFault, str] = {
    CallFault.REFUSED: "AWS answers 500, and nothing has happened",
    CallFault.THROTTLED: "AWS asks to slow down, and nothing has happened",
    CallFault.CONFLICT: "another transaction has the item, and nothing has happened",
    CallFault.PARTIAL: "every second entry is done, and the answer says so",
    CallFault.LOST: "it has happened, and the connection ends without an answer",
    CallFault.KILLED_BEFORE: "the worker's process is killed, and nothing has happened",
    CallFault.KILLED_AFTER: "it has happened, and the worker's process is killed before it hears of it",
    CallFault.LATE: "nobody answers until the worker has run out of time, and then it happens",
}

OWN_OPERATIONS = (
    "PutItem",
    "UpdateItem",
    "DeleteItem",
    "GetItem",
    "Query",
    "Scan",
    "TransactWriteItems",
    "BatchWriteItem",
    "BatchGetItem",
    "PutEvents",
    "SendMessage",
    "SendMessageBatch",
    "Publish",
    "PutObject",
    "GetObject",
    "Invoke",
)
"""What functions often call by themselves; any other operation may be named, too."""


class ChoiceError(ValueError):
    """What was chosen can't be; the message says what can."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """A call site, and the faults that it can have."""

    place: str
    operation: str

    @property
    def name(self) -> str:
        """What it is called."""
        return f"{self.place} {self.operation}"

    @property
    def faults(self) -> tuple[CallFault, ...]:
        """What can go wrong there."""
        return faults_of(self.operation)


def sites() -> Iterator[tuple[str, str, list[Site]]]:
    """Yield the parts of the layer, what they make their calls for, and their call sites."""
    for part, told in PARTS.items():
        places = [place for place in CALL_SITES if place.partition(".")[0] == part]
        yield part, told, [Site(place=place, operation=each) for place in places for each in CALL_SITES[place]]


def read(asked: Mapping[str, str], functions: Collection[str]) -> Fault:
    """Read what a form says: a fault at the layer's `site` if there is one, else at the function's own `operation`.

    Without either it is one of any call. Raises ChoiceError.
    """
    function = asked.get("function", "")
    if function and function not in functions:
        raise ChoiceError(f"There is no function {function[:80]}; there are {', '.join(sorted(functions))}.")
    kind = _kind(asked.get("fault", ""))
    site, operation = asked.get("site", ""), asked.get("operation", "").strip()
    found: frozenset[str] = frozenset()
    if site:
        known = {each.name: each for _, _, some in sites() for each in some}
        if site not in known:
            raise ChoiceError(f"The layer has no call site {site[:80]}.")
        _require(kind, known[site].operation)
        found = frozenset({site})
    elif operation:
        if not function:
            raise ChoiceError(f"Whose {operation[:80]}? Choose a function: its own calls are named after it.")
        _require(kind, operation)
        found = frozenset({f"{function} {operation}"})
    return Fault(kind=kind, function=function, sites=found, share=_share(asked), left=_left(asked))


def _kind(text: str) -> CallFault:
    try:
        return CallFault(text)
    except ValueError as error:
        raise ChoiceError(f"There is no fault {text[:80]}; there are {', '.join(CallFault)}.") from error


def _require(kind: CallFault, operation: str) -> None:
    if kind not in faults_of(operation):
        raise ChoiceError(f"{operation[:80]} can't be {kind}; it can be {', '.join(faults_of(operation))}.")


def _share(asked: Mapping[str, str]) -> float:
    return _number("percent", asked, 1, 100) / 100 if asked.get("often") == "share" else 1.0


def _left(asked: Mapping[str, str]) -> int | None:
    return _number("times", asked, 1, 1_000_000) if asked.get("often") == "next" else None


def _number(name: str, asked: Mapping[str, str], least: int, most: int) -> int:
    text = asked.get(name, "").strip()
    if text.isascii() and text.isdecimal() and len(text) < 10 and least <= int(text) <= most:
        return int(text)
    raise ChoiceError(f"{text[:20] or 'Nothing'} is no number from {least:,} to {most:,}.")
