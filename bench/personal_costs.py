"""What personal fields cost: microseconds an event, and AWS calls, cold and warm.

.venv/bin/python bench/personal_costs.py
"""

from __future__ import annotations

import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

ROOT = Path(__file__).parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "layers" / "eachonce")]
os.environ |= {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_DEFAULT_REGION": "eu-west-1"}

from eachonce import Contract, Event, Keyring, Personal, Settings, describe  # noqa: E402
from eachonce.encryption import Encryption  # noqa: E402
from moto import mock_aws  # noqa: E402

from tests.people import privately  # noqa: E402
from tests.store import Store, clients  # noqa: E402

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


def microseconds(act: Callable[[], object]) -> float:
    act()
    began = time.process_time()
    for _ in range(EVENTS):
        act()
    return (time.process_time() - began) / EVENTS * 1e6


def main() -> None:
    aws, calls = clients(), Counter[str]()
    with mock_aws():
        settings: Settings = privately(Store.create(aws, {"Journal": ("pk",)}))
        for client in (aws.dynamodb, aws.kms):
            client.meta.events.register("before-call", lambda model, **_: calls.update([model.name]))

        def fresh(*, reads: bool) -> Encryption:
            return Encryption(Keyring(aws=aws, settings=settings), reads=reads)

        plain, private = Plain(order_id="1", customer="17850"), Private(order_id="1", customer="17850")
        for name, act in (
            ("a subject's first event", lambda: fresh(reads=False).encrypted(event(private), private)),
            ("published without the key", lambda: fresh(reads=False).encrypted(event(private), private)),
        ):
            calls.clear()
            sealed = act()
            print(f"{name:<32}{', '.join(calls)}")
        calls.clear()
        fresh(reads=True).decoded(sealed, Private)
        print(f"{'read without the key':<32}{', '.join(calls)}")
        both, none = fresh(reads=True), fresh(reads=False)
        calls.clear()
        clear = event(plain)
        bare = Event(id="e", source="shop", type="Plain", data=sealed.data)
        for name, act in (
            ("published, without marks", lambda: none.encrypted(clear, plain)),
            ("published, one personal field", lambda: both.encrypted(event(private), private)),
            ("decoded, without marks", lambda: none.decoded(bare, Plain)),
            ("decoded, one personal field", lambda: both.decoded(sealed, Private)),
            ("decoded, the field hidden", lambda: none.decoded(sealed, Private)),
        ):
            print(f"{name:<32}{microseconds(act):8.1f} µs")
        print(f"{'calls of all these':<32}{sum(calls.values())}")


if __name__ == "__main__":
    main()
