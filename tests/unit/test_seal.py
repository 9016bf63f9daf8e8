"""The seal: what these tools send is signed where it has to be, in whichever form it is sent."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from eachonce import SigningKey, VerifyingKeys
from eachonce.event import decode
from eachonce.journal import unpack_outbox
from eachonce.keys import read_keys
from eachonce.listener import listen

from eachonce_workbench.cloud.seal import Seal
from eachonce_workbench.template.topology import StoredValue
from tests.parcels import weighed
from tests.records import batch, notification, on_the_bus, record, stream_record
from tests.topologies import function, topology

PATH = "/post/keys"


def seal(*paths: str) -> tuple[Seal, list[StoredValue]]:
    functions = tuple(
        replace(function(f"f{number}"), environment={"VERIFYING_KEYS": path}) for number, path in enumerate(paths)
    )
    kept: list[StoredValue] = []
    return Seal(topology(functions=functions), kept.append), kept


def require_authentic(message: dict[str, Any], kept: list[StoredValue], *, path: str = PATH) -> None:
    values = {each.name.removeprefix(f"{path}/"): each.value for each in kept if each.name.startswith(path)}
    keys = VerifyingKeys(read_keys(path, values))
    deliveries = listen(batch(message))
    assert deliveries
    for delivery in deliveries:
        assert delivery.event is not None
        keys.verify(delivery.event, received=datetime.now(UTC))


WRAPPINGS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "alone": lambda event: event,
    "on the bus": on_the_bus,
    "through a topic": lambda event: notification(json.dumps(event)),
    "on the bus through a topic": lambda event: notification(json.dumps(on_the_bus(event))),
    "in a batch": lambda event: [event, {**event, "id": "e-2"}],
    "with another attribute": lambda event: {**event, "mine": 1, "data": {"parcel": "p", "grams": 1e400}},
}


@pytest.mark.parametrize("wrapped", WRAPPINGS.values(), ids=WRAPPINGS)
def test_an_event_is_signed_in_its_wrapping(wrapped: Callable[[dict[str, Any]], Any]) -> None:
    """Whatever a sample is written like."""
    sealing, kept = seal(PATH)
    text = json.dumps(wrapped(weighed())).replace("Infinity", "1e400")

    require_authentic(record(sealing.body(text)), kept)


def test_an_event_in_binary_form_is_signed_in_its_attributes() -> None:
    """Where its other attributes are, with their prefix."""
    sealing, kept = seal(PATH)
    said = {"ce_specversion": "1.0", "ce_id": "e-1", "ce_source": "post", "ce_type": "Weighed"}

    signed = sealing.attributes(said, '{"parcel":"p"}')

    attributes = {name: {"stringValue": value, "dataType": "String"} for name, value in signed.items()}
    require_authentic(record('{"parcel":"p"}') | {"messageAttributes": attributes}, kept)


def test_a_batch_of_messages_is_signed_where_its_function_verifies() -> None:
    """A sample may be for the function itself."""
    sealing, kept = seal(PATH, "")
    payload = json.dumps(batch(record(weighed()), record(on_the_bus(weighed(event_id="e-2"))))).encode()

    for message in json.loads(sealing.payload("f0", payload))["Records"]:
        require_authentic(message, kept)
    assert sealing.payload("f1", payload) == payload


def test_an_outbox_is_signed_for_a_relay() -> None:
    """A stream's sample has one, which nobody has committed."""
    sealing, kept = seal(PATH)
    packed = json.dumps([weighed()]).encode()
    payload = {"Records": [stream_record({"pk": {"S": "post##e-1"}, "outbox": {"B": packed}}, number="1")]}

    (sealed,) = json.loads(sealing.payload("f0", json.dumps(payload).encode()))["Records"]

    (text,) = unpack_outbox(base64.b64decode(sealed["dynamodb"]["NewImage"]["outbox"]["B"]))
    require_authentic(record(bytes(text).decode()), kept)


def test_what_another_cloud_signed_is_known_again() -> None:
    """What it held is given back, and its parameters aren't."""
    secret = StoredValue(service="secretsmanager", name="signing", value="a long and random secret", arn="arn:signing")
    said = {"SIGNING_SECRET": secret.arn, "SIGNING_KEYS": PATH, "VERIFYING_KEYS": PATH, "EVENT_SOURCE": "post"}
    system = topology(functions=(replace(function("f"), environment=said),), stored_values=(secret,))
    before = Seal(system, lambda _: None)
    kept: list[StoredValue] = []

    Seal(system, kept.append).make_known()

    require_authentic(record(before.body(json.dumps(weighed()))), kept)
    by_the_function = SigningKey.from_secret(secret.value).sign(decode(json.dumps(weighed()).encode()))
    require_authentic(record(by_the_function.encode().decode()), kept)


def test_each_path_of_keys_gets_the_key() -> None:
    """Two consumers may look in two places."""
    sealing, kept = seal(PATH, "/other")

    text = sealing.body(json.dumps(weighed()))

    for path in (PATH, "/other"):
        require_authentic(record(text), kept, path=path)


@pytest.mark.parametrize(
    "text",
    ["no JSON", "[", "[1]", "{}", '{"detail": 1}', '{"Message": "no event"}', '{"specversion": "1.0"}', "", '"x"'],
)
def test_what_holds_no_event_is_sent_as_it_is(text: str) -> None:
    """A malformed sample is there to be malformed."""
    sealing, kept = seal(PATH)

    assert json.dumps(sealing.body(text)).replace(" ", "") == json.dumps(text).replace(" ", "")
    assert kept == []


def test_a_signature_that_is_there_is_kept() -> None:
    """A sample may be about a wrong one."""
    sealing, _ = seal(PATH)
    text = json.dumps({**weighed(), "signature": "a wrong one", "signedby": "nobody"})

    assert sealing.body(text) == text


def test_nothing_changes_where_nobody_verifies() -> None:
    """What isn't used is not there."""
    sealing, kept = seal()
    text = json.dumps(weighed(), indent=3)

    assert sealing.body(text) == text
    assert sealing.attributes({"ce_specversion": "1.0"}, text) == {"ce_specversion": "1.0"}
    assert kept == []
