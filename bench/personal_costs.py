"""What personal fields cost: microseconds an event, and AWS calls, cold and warm.

python -m bench.personal_costs
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Annotated, Any

from eachonce import Contract, Event, Keyring, Personal, Settings, describe
from eachonce.encryption import Encryption
from moto import mock_aws

from bench.processor_time import microseconds
from bench.rows import Row, protection
from bench.tables import ENVIRONMENT
from tests.people import privately
from tests.store import Store, clients

EVENTS = 2_000


class Plain(Contract, frozen=True, kw_only=True):
    order_id: str
    customer: str


@describe(person="customer")
class Private(Contract, frozen=True, kw_only=True):
    order_id: str
    customer: Annotated[str, Personal]


def event(data: Any) -> Event[Any]:
    return Event(id="e", source="shop", type=type(data).__name__, data=data)


def rows() -> Iterator[Row]:
    """Return what an event's personal fields cost where keys are at hand, and the calls of those that need one."""
    os.environ.update(ENVIRONMENT)
    aws, calls = clients(), Counter[str]()
    with mock_aws():
        settings: Settings = privately(Store.create(aws, {"Journal": ("pk",)}))
        for client in (aws.dynamodb, aws.kms):
            client.meta.events.register("before-call", lambda **_: calls.update(["call"]))

        def fresh(*, reads: bool) -> Encryption:
            return Encryption(Keyring(aws=aws, settings=settings), reads=reads)

        def once(case: str, act: Callable[[], object]) -> Row:
            calls.clear()
            act()
            # Neither its processor time nor its units: moto's time would be in it, and moto tells no units.
            return protection(f"personal: {case}", cpu_us=None, calls=calls.total(), write_units=None)

        plain, private = Plain(order_id="1", customer="17850"), Private(order_id="1", customer="17850")
        clear = event(private)
        yield once("a subject's first event", lambda: fresh(reads=False).encrypted(clear, private))
        yield once("published without the key", lambda: fresh(reads=False).encrypted(clear, private))
        sealed = fresh(reads=False).encrypted(clear, private)
        yield once("read without the key", lambda: fresh(reads=True).decoded(sealed, Private))
        both, none = fresh(reads=True), fresh(reads=False)
        bare = Event(id="e", source="shop", type="Plain", data=sealed.data)
        for name, act in (
            ("published, without marks", lambda: none.encrypted(event(plain), plain)),
            ("published, one personal field", lambda: both.encrypted(clear, private)),
            ("decoded, without marks", lambda: none.decoded(bare, Plain)),
            ("decoded, one personal field", lambda: both.decoded(sealed, Private)),
            ("decoded, the field hidden", lambda: none.decoded(sealed, Private)),
        ):
            act()
            calls.clear()
            used = microseconds(act, EVENTS)
            yield protection(f"personal: {name}", cpu_us=used, calls=calls.total() / EVENTS)


if __name__ == "__main__":
    for row in rows():
        used = "" if row.cpu_us_per_event is None else f"{row.cpu_us_per_event:.1f} µs"
        print(f"{row.case:<44}{used:>12}{row.calls_per_event:>12.4f}", flush=True)
