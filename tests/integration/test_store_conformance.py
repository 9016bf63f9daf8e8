"""The store's item operations are moto's, told apart only where AWS differs from moto.

The same random requests go to the store and to plain moto, in a region of its own; answers, items and stream records
must be the same. What is set aside, because the store follows AWS there, is named in `_told_apart`.
"""

from __future__ import annotations

import base64
import copy
import json
from collections.abc import Callable
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from moto.core.request import Request
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.responses import DynamoHandler

from eachonce_workbench.cloud.store.store import Store
from tests.topologies import table, topology

MOTOS_ACCOUNT, MOTOS_REGION = "210987654321", "us-east-1"  # the store leaves its own account no other region
VIEW = "NEW_AND_OLD_IMAGES"

Call = tuple[str, dict[str, Any]]
Answer = tuple[int, dict[str, Any]]

# Each attribute has one type, as moto fails on a comparison of two types where DynamoDB just says no.
KEYS = st.sampled_from(["a", "b", "c"])
NUMBERS = st.sampled_from(["0", "1", "-2", "7", "2.25", "-0.5", "1000000"]).map(lambda text: {"N": text})
TEXTS = st.sampled_from(["", "x", "yes", "ü"]).map(lambda text: {"S": text})
SETS = st.lists(st.sampled_from("pqr"), min_size=1, unique=True).map(lambda members: {"SS": members})
BINARIES = st.binary(max_size=4).map(lambda content: {"B": base64.b64encode(content).decode()})
LISTS = st.lists(NUMBERS | TEXTS, max_size=3).map(lambda members: {"L": members})
MAPS = st.fixed_dictionaries({}, optional={"n": NUMBERS, "s": TEXTS, "l": LISTS}).map(lambda members: {"M": members})
VALUES = {"n": NUMBERS, "more": NUMBERS, "text": TEXTS, "tags": SETS, "octets": BINARIES, "list": LISTS, "map": MAPS}

CONDITIONS: list[tuple[str, str]] = [
    ("attribute_not_exists(pk)", ""),
    ("attribute_exists(pk)", ""),
    ("attribute_not_exists(pk) OR #n < :n", "n"),
    ("n >= :n AND attribute_exists(#text)", "n"),
    ("NOT (#text = :text) OR begins_with(#text, :text)", "text"),
    ("contains(tags, :member)", "member"),
    ("n BETWEEN :n AND :n", "n"),
    ("more IN (:n, :m)", "nm"),
    ("attribute_exists(octets) AND size(octets) > :n AND attribute_type(n, :kind)", "n kind"),
    ("#map.n = :n", "n"),
    ("#list[0] = :n OR octets = :octets", "n octets"),
    ("attribute_not_exists(", ""),
]

UPDATES: list[tuple[str, str]] = [
    ("SET n = :n", "n"),
    ("SET #n = if_not_exists(#n, :m) + :n, more = :n", "nm"),
    ("SET n = more - :n REMOVE #text", "n"),
    ("SET #text = :text ADD n :n, tags :tags", "n text tags"),
    ("ADD n :n DELETE tags :tags", "n tags"),
    ("SET #list = list_append(if_not_exists(#list, :list), :list)", "list"),
    ("SET #list = list_append(#list, :list)", "list"),
    ("SET #map = :map REMOVE octets", "map"),
    ("SET #map.n = :n", "n"),
    ("SET #map.n = if_not_exists(#map.n, :m) + :n, octets = :octets", "nm octets"),
    ("SET #list[1] = :text", "text"),
    ("SET tags = :tags, more = n", "tags"),
    ("ADD #text :n", "n"),
    ("ADD tags :n", "n"),
    ("SET n = #text + :n", "n"),
    ("DELETE tags :n", "n"),
    ("ADD n :text", "text"),
    ("REMOVE n, absent", ""),
    ("SET pk = :text", "text"),
    ("SET n = :n, n = :n", "n"),
    ("SET n = :n SET more = :n", "n"),
    ("SET status = :n", "n"),
    ("SET n = :undefined", ""),
    ("SET n :n", "n"),
]

NAMES = {"#n": "n", "#text": "text", "#list": "list", "#map": "map"}


def _values(draw: Any, wanted: str) -> dict[str, Any]:
    kinds = {
        "n": NUMBERS,
        "m": NUMBERS,
        "text": TEXTS,
        "tags": SETS,
        "octets": BINARIES,
        "list": LISTS,
        "map": MAPS,
        "member": st.sampled_from("pqr").map(lambda member: {"S": member}),
        "kind": st.just({"S": "N"}),
    }
    names = ["n", "m"] if wanted.startswith("nm") else wanted.split()[:1]
    return {f":{name}": draw(kinds[name]) for name in [*names, *wanted.split()[1:]]}


def _expressions(draw: Any, **texts: tuple[str, str]) -> dict[str, Any]:
    """The parameters of some expressions, with the names and values that they use and no others."""
    values: dict[str, Any] = {}
    for _, wanted in texts.values():
        values |= _values(draw, wanted)
    whole = " ".join(text for text, _ in texts.values())
    names = {placeholder: name for placeholder, name in NAMES.items() if placeholder in whole}
    request: dict[str, Any] = {parameter: text for parameter, (text, _) in texts.items()}
    return (
        request
        | ({"ExpressionAttributeNames": names} if names else {})
        | ({"ExpressionAttributeValues": values} if values else {})
    )


@st.composite
def _put(draw: Any) -> dict[str, Any]:
    attributes = draw(st.fixed_dictionaries({}, optional=VALUES))
    condition = draw(st.none() | st.sampled_from(CONDITIONS))
    request = {} if condition is None else _expressions(draw, ConditionExpression=condition)
    return {"TableName": "items", "Item": {"pk": {"S": draw(KEYS)}} | attributes} | request


@st.composite
def _update(draw: Any) -> dict[str, Any]:
    texts = {"UpdateExpression": draw(st.sampled_from(UPDATES))}
    if (condition := draw(st.none() | st.sampled_from(CONDITIONS))) is not None:
        texts["ConditionExpression"] = condition
    return {"TableName": "items", "Key": {"pk": {"S": draw(KEYS)}}} | _expressions(draw, **texts)


@st.composite
def _on_key(draw: Any, *, conditional: bool) -> dict[str, Any]:
    condition = draw(st.sampled_from(CONDITIONS) if conditional else st.none() | st.sampled_from(CONDITIONS))
    request = {} if condition is None else _expressions(draw, ConditionExpression=condition)
    return {"TableName": "items", "Key": {"pk": {"S": draw(KEYS)}}} | request


TELLS = st.sampled_from([{}, {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}])
OLD = st.sampled_from([{}, {"ReturnValues": "ALL_OLD"}])
NEW = OLD | st.just({"ReturnValues": "ALL_NEW"})


def _with(
    request: st.SearchStrategy[dict[str, Any]], *more: st.SearchStrategy[Any]
) -> st.SearchStrategy[dict[str, Any]]:
    return st.tuples(request, *more).map(lambda parts: {name: value for part in parts for name, value in part.items()})


WRITES = st.one_of(
    st.fixed_dictionaries({"Put": _with(_put(), TELLS)}),
    st.fixed_dictionaries({"Update": _with(_update(), TELLS)}),
    st.fixed_dictionaries({"Delete": _with(_on_key(conditional=False), TELLS)}),
    st.fixed_dictionaries({"ConditionCheck": _with(_on_key(conditional=True), TELLS)}),
)

CALLS: st.SearchStrategy[Call] = st.one_of(
    st.tuples(st.just("PutItem"), _with(_put(), TELLS, OLD)),
    st.tuples(st.just("UpdateItem"), _with(_update(), TELLS, NEW)),
    st.tuples(st.just("DeleteItem"), _with(_on_key(conditional=False), TELLS, OLD)),
    st.tuples(st.just("GetItem"), KEYS.map(lambda key: {"TableName": "items", "Key": {"pk": {"S": key}}})),
    st.tuples(
        st.just("TransactWriteItems"),
        st.lists(WRITES, min_size=1, max_size=3).map(lambda writes: {"TransactItems": writes}),
    ),
)


class Both:
    """The store, and plain moto beside it."""

    def __init__(self) -> None:
        self.store = Store(topology(tables=(table("items", stream_view=VIEW),)))
        self.store.create()
        self.plain(
            "CreateTable",
            {
                "TableName": "items",
                "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                "AttributeDefinitions": [{"AttributeName": "pk", "AttributeType": "S"}],
                "BillingMode": "PAY_PER_REQUEST",
                "StreamSpecification": {"StreamEnabled": True, "StreamViewType": VIEW},
            },
        )

    def stored(self, operation: str, params: dict[str, Any]) -> Answer:
        headers = {"x-amz-target": f"DynamoDB_20120810.{operation}", "content-type": "application/x-amz-json-1.0"}
        status, _, body = self.store.handle("dynamodb", headers, json.dumps(params).encode())
        return status, json.loads(body)

    def plain(self, operation: str, params: dict[str, Any]) -> Answer:
        headers = {
            "X-Amz-Target": f"DynamoDB_20120810.{operation}",
            "Content-Type": "application/x-amz-json-1.0",
            "x-moto-account-id": MOTOS_ACCOUNT,
        }
        url = f"http://dynamodb.{MOTOS_REGION}.amazonaws.com/"
        request = Request.from_primitives("POST", url, headers, json.dumps(params))
        taken_back = self._keep() if operation == "UpdateItem" else _nothing
        try:
            status, _, body = DynamoHandler.dispatch(request)
        except (KeyError, ValueError):  # moto's way with a condition that it cannot parse
            return 400, {"__type": "ValidationException"}
        if status != 200:
            taken_back()
        return status, json.loads(body)

    def _keep(self) -> Callable[[], None]:
        """Return what puts moto's table back: it leaves behind what it did before it refused the rest of an update."""
        motos = dynamodb_backends[MOTOS_ACCOUNT][MOTOS_REGION].tables["items"]
        items, recorded = copy.deepcopy(motos.items), len(motos.stream_shard.items)

        def take_back() -> None:
            motos.items = items
            del motos.stream_shard.items[recorded:]

        return take_back

    def records(self) -> list[Any]:
        read, _ = self.store.streams.read("items", 0, 10_000)
        return [_normal(_change(record)) for record in read]

    def plain_records(self) -> list[Any]:
        shard = dynamodb_backends[MOTOS_ACCOUNT][MOTOS_REGION].tables["items"].stream_shard
        return _without_needless([_normal(_change(entry.record)) for entry in shard.items])


def _nothing() -> None:
    pass


def _change(record: dict[str, Any]) -> tuple[Any, ...]:
    change = record["dynamodb"]
    return record["eventName"], change["Keys"], change.get("OldImage"), change.get("NewImage")


def _without_needless(records: list[Any]) -> list[Any]:
    """moto records an update that makes an item twice, and one that changes nothing at all."""
    kept = []
    for place, (name, keys, old, new) in enumerate(records):
        following = records[place + 1] if place + 1 < len(records) else None
        doubled = following is not None and name == following[0] == "INSERT" and keys == following[1]
        if not doubled and not (name == "MODIFY" and old == new):
            kept.append([name, keys, old, new])
    return kept


def _normal(value: Any) -> Any:
    """Numbers by their value, sets without an order, binaries as bytes."""
    if isinstance(value, dict):
        if list(value) == ["N"]:
            return Decimal(value["N"])
        if list(value) == ["SS"]:
            return frozenset(value["SS"])
        if list(value) == ["B"]:
            return value["B"] if isinstance(value["B"], bytes) else base64.b64decode(value["B"])
        return {name: _normal(member) for name, member in value.items()}
    if isinstance(value, list | tuple):
        return [_normal(member) for member in value]
    return value


def _result(answer: Answer) -> Any:
    status, body = answer
    if status == 200:
        return {name: _normal(body[name]) for name in ("Item", "Attributes") if name in body}
    told = {"error": body["__type"].rpartition("#")[2]}
    reasons = [
        {"Code": reason["Code"]} | _normal({"Item": reason.get("Item")})
        for reason in body.get("CancellationReasons", ())
    ]
    return told | ({"reasons": reasons} if reasons else {}) | _normal({"Item": body.get("Item")})


def _told_apart(stored: Any, plain: Any) -> bool:
    """AWS: what cannot be done to an item cancels a transaction with a reason; what is wrong in itself is invalid.

    And what is wrong in itself is told before the condition is asked.
    """
    codes, motos_codes = ({reason["Code"] for reason in answer.get("reasons", ())} for answer in (stored, plain))
    motos_condition = plain.get("error") == "ConditionalCheckFailedException" or "ConditionalCheckFailed" in motos_codes
    if stored.get("error") == "ValidationException":
        return motos_condition or bool(motos_codes - {"None"})  # moto names its own Python exception as a reason
    return "ValidationError" in codes and (motos_condition or plain.get("error") == "ValidationException")


FULL = {
    "pk": {"S": "a"},
    "n": {"N": "3"},
    "more": {"N": "-1.5"},
    "text": {"S": "x"},
    "tags": {"SS": ["p", "q"]},
    "octets": {"B": "AAE="},
    "list": {"L": [{"N": "1"}, {"S": "x"}, {"N": "2"}]},
    "map": {"M": {"n": {"N": "1"}, "l": {"L": []}}},
}


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(CALLS, min_size=1, max_size=12))
def test_the_store_answers_and_keeps_what_moto_does(calls: list[Call]) -> None:
    """Every answer, every item and every stream record of the same requests is the same."""
    both = Both()
    calls = [("PutItem", {"TableName": "items", "Item": FULL}), *calls]

    for operation, params in calls:
        stored, plain = _result(both.stored(operation, params)), _result(both.plain(operation, params))
        assert stored == plain or _told_apart(stored, plain), (operation, params)

    assert _items(both.stored) == _items(both.plain)
    assert both.records() == both.plain_records()


def _items(call: Callable[[str, dict[str, Any]], Answer]) -> dict[str, Any]:
    _, body = call("Scan", {"TableName": "items"})
    return {item["pk"]["S"]: _normal(item) for item in body["Items"]}
