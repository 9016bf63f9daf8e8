"""The cases: calls of DynamoDB, of which the last is asked for its answer, or the first that is refused.

A case's tables are its own: `items`, whose key is the text `pk`, and `lines`, with the number `sk` beside it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Call = tuple[str, dict[str, Any]]
Wire = dict[str, Any]

_ITEMS, _LINES = {"TableName": "items"}, {"TableName": "lines"}
_KB = 1024


def text(value: str) -> Wire:
    return {"S": value}


def number(value: object) -> Wire:
    return {"N": str(value)}


A = text("a")

# What an item has, so that every expression finds what it is about; `zz` is never there.
FULL: Wire = {
    "n": number(3),
    "more": number(7),
    "text": text("x"),
    "tags": {"SS": ["p", "q"]},
    "nums": {"NS": ["1", "2"]},
    "octets": {"B": "AAE="},
    "list": {"L": [number(1), text("x"), number(2)]},
    "map": {"M": {"n": number(1), "l": {"L": []}}},
    "flag": {"BOOL": True},
    "nothing": {"NULL": True},
}

# What expressions name: `#text` is the attribute `text`, and these are values.
VALUES: Mapping[str, Wire] = {
    ":one": number(1),
    ":three": number(3),
    ":nine": number(9),
    ":x": text("x"),
    ":p": text("p"),
    ":kind": text("N"),
    ":octets": {"B": "AAE="},
    ":ps": {"SS": ["p"]},
    ":both": {"SS": ["p", "q"]},
    ":ones": {"NS": ["1"]},
    ":list": {"L": [number(9)]},
    ":same": {"L": [number(1), text("x"), number(2)]},
    ":a": A,
    ":none": text(""),
}


def named(*texts: str, **request: Any) -> dict[str, Any]:
    """Return a request with the names and values that its expressions ask for."""
    whole = " ".join(texts)
    names = {name: name[1:] for name in sorted(set(re.findall("#[a-z]+", whole)))}
    values = {name: VALUES[name] for name in sorted(set(re.findall(":[a-z]+", whole)))}
    return (
        request
        | ({"ExpressionAttributeNames": names} if names else {})
        | ({"ExpressionAttributeValues": values} if values else {})
    )


def _of(expression: str) -> Wire:
    """Return as much of a full item as an expression is about."""
    return {name: value for name, value in FULL.items() if name in re.findall("[a-z]+", expression)}


def put(item: Wire | None = None, pk: str = "a", **more: Any) -> Call:
    return "PutItem", _ITEMS | {"Item": {"pk": text(pk)} | (item or {})} | more


def get(pk: str = "a", **more: Any) -> Call:
    return "GetItem", _ITEMS | {"Key": {"pk": text(pk)}} | more


def update(expression: str, pk: str = "a", **more: Any) -> Call:
    return "UpdateItem", named(expression, **_ITEMS, Key={"pk": text(pk)}, UpdateExpression=expression) | more


def delete(pk: str = "a", **more: Any) -> Call:
    return "DeleteItem", _ITEMS | {"Key": {"pk": text(pk)}} | more


def line(pk: str, sk: int, **item: Wire) -> Call:
    return "PutItem", _LINES | {"Item": {"pk": text(pk), "sk": number(sk)} | item}


def query(condition: str = "pk = :a", *others: str, **more: Any) -> Call:
    return "Query", named(condition, *others, **_LINES, KeyConditionExpression=condition) | more


def scan(**more: Any) -> Call:
    return "Scan", _ITEMS | more


def writes(*requests: Wire, table: str = "items") -> Call:
    return "BatchWriteItem", {"RequestItems": {table: list(requests)}}


def reads(*keys: Wire, table: str = "items", **more: Any) -> Call:
    return "BatchGetItem", {"RequestItems": {table: {"Keys": list(keys)} | more}}


def transaction(*items: Wire, **more: Any) -> Call:
    return "TransactWriteItems", {"TransactItems": list(items)} | more


def together(*keys: Wire, **more: Any) -> Call:
    return "TransactGetItems", {"TransactItems": [{"Get": _ITEMS | {"Key": key} | more} for key in keys]}


def key(pk: str = "a") -> Wire:
    return {"pk": text(pk)}


def _put(pk: str = "a", item: Wire | None = None, **more: Any) -> Wire:
    return {"Put": _ITEMS | {"Item": key(pk) | (item or {})} | more}


def _update(expression: str, pk: str = "a") -> Wire:
    return {"Update": named(expression, **_ITEMS, Key=key(pk), UpdateExpression=expression)}


def _check(condition: str, pk: str = "a") -> Wire:
    return {"ConditionCheck": _ITEMS | {"Key": key(pk), "ConditionExpression": condition}}


def _put_request(pk: str = "a", **item: Wire) -> Wire:
    return {"PutRequest": {"Item": key(pk) | item}}


def _delete_request(pk: str = "a") -> Wire:
    return {"DeleteRequest": {"Key": key(pk)}}


def _nested(levels: int) -> Wire:
    value = number(1)
    for _ in range(levels):
        value = {"L": [value]}
    return value


NUMBERS = (
    *("001.500", "1e3", "1.5E-5", "-0", "+5", "1" * 38, "1" * 39, "1" + "0" * 39, "1e126", "1e-131"),
    *("abc", "", " 1 ", "NaN", "Infinity", "1_0", "0x10"),
)

ODD_VALUES: Mapping[str, Wire] = {
    "an empty set": {"SS": []},
    "a set with copies": {"SS": ["a", "a"]},
    "a set with equal numbers": {"NS": ["1", "1.0"]},
    "a set with an empty text": {"SS": [""]},
    "a set of octets": {"BS": ["AA==", "AQ=="]},
    "a null that is false": {"NULL": False},
    "a value of two types": {"S": "a", "N": "1"},
    "a value of no type": {},
    "a value of an unknown type": {"X": "a"},
    "an empty text": text(""),
    "empty octets": {"B": ""},
    "octets that aren't Base64": {"B": "@@"},
    "32 levels": _nested(31),
    "33 levels": _nested(32),
}

UPDATES = (
    *("SET n = :nine SET more = :nine", "SET n = :nine, n = :nine", "SET #map = :nine, #map.x = :nine"),
    *("SET n :nine", "SET n = :nine,", "", "SET n = n + :one + :one", "SET n = (n + :one)", "SET n = size(n)"),
    *("set n = :nine remove #text", "SET n = :nine REMOVE n", "SET status = :nine", "SET pk = :x", "REMOVE pk"),
    *("SET n = n - :x", "SET zz = zz + :one", "SET n = #text + :one", "SET zz = yy", "SET #text.x = :one"),
    *("SET zz.x = :one", "SET #list[1] = :nine", "SET #list[99] = :nine", "SET #list[-1] = :nine", "SET n[0] = :one"),
    *("REMOVE #list[0]", "REMOVE #list[50]", "REMOVE #list[0], #list[1]", "REMOVE n, zz", "SET n = more, more = n"),
    *("ADD #map.n :nine", "ADD zz :nine", "ADD zz :ps", "ADD nums :ps", "ADD #list :list", "ADD #text :one"),
    *("ADD n :x", "ADD n more", "DELETE tags :ps", "DELETE tags :both", "DELETE tags :ones", "DELETE tags :p"),
    *("DELETE zz :ps", "SET #list = list_append(#list, :list)", "SET #list = list_append(:list, #list)"),
    *("SET #list = list_append(#list, :x)", "SET #list = list_append(zz, :list)", "SET n = if_not_exists(n, :nine)"),
    *("SET zz = if_not_exists(zz, :nine)", "SET zz = if_not_exists(zz, :nine) + :one", "SET a-b = :nine"),
    *("SET 1a = :nine", "SET :nine = :nine", "SET #n = :nine"),
)

CONDITIONS = (
    *("n = :three", "n <> :x", "n < :x", "n = :x", "zz = :three", "zz <> :three", "NOT zz = :three", "zz < :three"),
    *("attribute_type(n, :kind)", "attribute_type(n, :x)", "attribute_type(zz, :kind)", "begins_with(#text, :x)"),
    *("begins_with(n, :x)", "begins_with(n, :three)", "begins_with(octets, :octets)", "begins_with(#text)"),
    *("contains(tags, :p)", "contains(#list, :three)", "contains(#list, :x)", "contains(#text, :x)"),
    *("contains(n, :three)", "contains(zz, :x)", "contains(#text, #text)", "contains(#text, :three)"),
    *("size(n) > :three", "size(#text) < :three", "size(tags) < :three", "size(#list) = :three", "size(zz) < :three"),
    *("size(#map) < :three", "size(octets) < :three", "size(:x) < :three", "size(n)", "n"),
    *("n BETWEEN :three AND :nine", "n BETWEEN :nine AND :three", "n BETWEEN :x AND :nine", "n BETWEEN :three"),
    *("n IN (:three, :x)", "zz IN (:three)", "n IN ()", "#list = :same", "#list[0] < :three", "#list[7] = :three"),
    *("#map.n < :three", "#map.zz = :three", "a.b = :three", "tags = :p", "flag = :three", "nothing = :three"),
    *("n = :three AND #text = :x", "n = :nine OR #text = :x AND n = :nine", "(n = :nine OR #text = :x) AND n = :nine"),
    *("NOT n = :nine", "NOT (n = :three)", "n = n", ":three = :three", ":three = n", "n = :three and #text = :x"),
    *("attribute_exists(#map.n)", "attribute_exists(:three)", "attribute_not_exists(#list[9])", "attribute_exists (n)"),
    *("ATTRIBUTE_EXISTS(n)", "attribute_exists(n) = :three", "if_not_exists(n, :three) = :three"),
    *("n == :three", "n != :three", "n = :three AND", "n = :three;", "((n = :three))", "n=:three", "N = :three"),
    *("n < :three", "n <= :three", "#text > :x", "octets = :octets", "status = :three"),
)

PROJECTIONS = (
    *("n", "n, #text", "#map.n", "#map.zz", "#map.l", "#list[0]", "#list[1], #list[0]", "#list[0], #list[2]", "zz"),
    *("pk", "n, n", "#map, #map.n", "#map.n, n", "n,", "", "status"),
)

KEY_CONDITIONS = (
    *(
        "pk = :a AND sk > :one",
        "sk > :one AND pk = :a",
        "pk = :a AND sk BETWEEN :one AND :three",
        "(pk = :a) AND sk = :one",
    ),
    *("pk = :a AND sk BETWEEN :three AND :one", "pk = :a AND sk <> :one", "pk = :a AND begins_with(sk, :one)"),
    *("pk = :a AND sk > :x", "pk = :a OR sk = :one", "pk > :a", "NOT pk = :a", "sk = :one", "pk = :a AND g = :x"),
    *(
        "pk = :a AND sk = :one AND g = :x",
        "pk = :a AND sk > :one AND sk < :nine",
        "pk = :a AND sk IN (:one)",
        "pk = :none",
    ),
)

_FEW = [line("a", 1, g=text("x"), n=number(5)), line("a", 2, g=text("y")), line("a", 10, g=text("x")), line("b", 1)]
_TWO = [put({"n": number(1)}), put({"n": number(9)}, "b")]


def _at(pk: str, sk: int) -> Wire:
    return {"pk": text(pk), "sk": number(sk)}


PAGES: Mapping[str, dict[str, Any]] = {
    "all": {},
    "backwards": {"ScanIndexForward": False},
    "two": {"Limit": 2},
    "just as many": {"Limit": 3},
    "no more than there are": {"Limit": 10},
    "none": {"Limit": 0},
    "after one": {"ExclusiveStartKey": _at("a", 2)},
    "after one that isn't there": {"ExclusiveStartKey": _at("a", 5)},
    "after another partition's": {"ExclusiveStartKey": _at("b", 1)},
    "after half a key": {"ExclusiveStartKey": {"pk": A}},
    "their number": {"Select": "COUNT"},
    "attributes that it doesn't name": {"Select": "SPECIFIC_ATTRIBUTES"},
    "all and some": {"Select": "ALL_ATTRIBUTES", "ProjectionExpression": "n"},
    "some": {"ProjectionExpression": "n"},
    "an unknown index": {"IndexName": "none"},
    "what they cost": {"ReturnConsumedCapacity": "TOTAL"},
}


def _cases() -> Iterator[tuple[str, Sequence[Call]]]:
    for one in NUMBERS:
        yield f"number {one!r}", [put({"n": number(one)}), get()]
    for name, value in ODD_VALUES.items():
        yield f"put {name}", [put({"value": value}), get(ProjectionExpression="#value", **named("#value"))]
    yield from _items()
    for expression in UPDATES:
        yield f"update {expression or 'of nothing'}", [put(_of(expression)), update(expression), get()]
    for expression in CONDITIONS:
        guarded = delete(**named(expression, ConditionExpression=expression))
        yield f"condition {expression}", [put(_of(expression)), guarded]
    for expression in PROJECTIONS:
        item = _of(expression) or {"n": number(3)}
        projected = get(**named(expression, ProjectionExpression=expression))
        yield f"projection {expression or 'of nothing'}", [put(item), projected]
    for expression in KEY_CONDITIONS:
        yield f"query {expression}", [*_FEW, query(expression)]
    for name, asked in PAGES.items():
        yield f"page of {name}", [*_FEW, query(**asked)]
    yield from _filters()
    yield from _batches()
    yield from _transactions()


def _items() -> Iterator[tuple[str, Sequence[Call]]]:
    yield "put without a key", [("PutItem", _ITEMS | {"Item": {"n": number(1)}})]
    yield "put with a key of another type", [("PutItem", _ITEMS | {"Item": {"pk": number(1)}})]
    yield "put with an empty key", [put(pk="")]
    yield "put with a key of 2049 bytes", [put(pk="x" * 2049)]
    yield "put of 400 KB", [put({"t": text("x" * (400 * _KB - 4))})]
    yield "put of a byte more than 400 KB", [put({"t": text("x" * (400 * _KB - 3))})]
    yield (
        "update to more than 400 KB",
        [
            put({"t": text("x" * 300 * _KB)}),
            ("UpdateItem", update("SET u = :x")[1] | {"ExpressionAttributeValues": {":x": text("x" * 200 * _KB)}}),
        ],
    )
    yield "get by a key of another type", [("GetItem", _ITEMS | {"Key": {"pk": number(1)}})]
    yield "get by more than a key", [("GetItem", _ITEMS | {"Key": {"pk": A, "x": A}})]
    yield "get by another attribute", [("GetItem", _ITEMS | {"Key": {"x": A}})]
    yield "get by nothing", [("GetItem", _ITEMS | {"Key": {}})]
    yield "get from no table", [("GetItem", {"TableName": "none", "Key": key()})]
    yield "get by names that nothing asks for", [get(ExpressionAttributeNames={"#n": "n"})]
    yield "get in two forms", [get(ProjectionExpression="n", AttributesToGet=["n"])]
    yield "get in the old form", [put(FULL), get(AttributesToGet=["n"])]
    for asked in ("NONE", "ALL_OLD", "UPDATED_OLD", "ALL_NEW", "UPDATED_NEW"):
        yield f"put returns {asked}", [put({"n": number(1)}), put({"n": number(2)}, ReturnValues=asked)]
        yield f"delete returns {asked}", [put({"n": number(1)}), delete(ReturnValues=asked)]
        changed = update("SET n = :nine, #map.x = :nine REMOVE #text", ReturnValues=asked)
        yield f"update returns {asked}", [put(FULL), changed]
        yield f"update of nothing returns {asked}", [update("SET n = :nine", ReturnValues=asked)]
    yield (
        "update of a list returns UPDATED_NEW",
        [put(FULL), update("SET #list[1] = :nine", ReturnValues="UPDATED_NEW")],
    )
    yield "update that removes returns UPDATED_NEW", [put(FULL), update("REMOVE n", ReturnValues="UPDATED_NEW")]
    yield "update without an expression", [("UpdateItem", _ITEMS | {"Key": key()}), get()]
    yield "update that removes what isn't there", [update("REMOVE n"), get()]
    yield "update with a value for nothing", [update("REMOVE n", ExpressionAttributeValues={":x": A})]
    yield "update with a name for nothing", [update("REMOVE n", ExpressionAttributeNames={"#x": "x"})]
    yield "update with no value", [update("SET n = :nine", ExpressionAttributeValues={":x": A})]
    yield "update with no values at all", [update("REMOVE n", ExpressionAttributeValues={})]
    yield "update with no names at all", [update("REMOVE n", ExpressionAttributeNames={})]
    yield "update with a name that isn't one", [update("REMOVE n", ExpressionAttributeNames={"n": "n"})]
    yield "update with a value that isn't one", [update("SET n = n", ExpressionAttributeValues={"n": A})]
    yield "update in two forms", [update("REMOVE n", AttributeUpdates={"n": {"Action": "DELETE"}})]
    yield "update by more than 4 KB", [update("SET n = :nine" + " " * 4 * _KB)]
    yield "sum of 38 nines and 1", [put({"n": number("9" * 38)}), update("SET n = n + :one"), get()]
    yield "sum of fractions", [put({"n": number("0.1")}), update("ADD n :one"), get()]
    yield "sum over the largest", [put({"n": number("9.9e125")}), update("ADD n :x", **_value("9.9e125"))]
    unless_there: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pk)"}
    tells: dict[str, Any] = {"ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    yield "put that fails tells what is there", [put({"n": number(1)}), put(**unless_there, **tells)]
    yield "put that fails tells of nothing", [put(ConditionExpression="attribute_exists(pk)", **tells)]
    yield "delete of nothing under a condition", [delete(ConditionExpression="attribute_exists(pk)")]
    yield (
        "update that is wrong whatever its condition",
        [update("DELETE tags :one", ConditionExpression="attribute_exists(pk)")],
    )
    yield "cost of a put", [put({"t": text("x" * 2500)}, ReturnConsumedCapacity="TOTAL")]
    yield "cost of a get", [put(), get(ReturnConsumedCapacity="TOTAL")]
    yield "cost of a consistent get", [put(), get(ConsistentRead=True, ReturnConsumedCapacity="TOTAL")]


def _value(written: str) -> dict[str, Any]:
    return {"ExpressionAttributeValues": {":x": number(written)}}


def _filters() -> Iterator[tuple[str, Sequence[Call]]]:
    for expression, more in (
        ("g = :x", {}),
        ("g = :x", {"Limit": 1}),
        ("g = :x", {"Select": "COUNT"}),
        ("sk = :one", {}),
    ):
        asked = query("pk = :a", expression, FilterExpression=expression, **more)
        yield f"filter {expression} {''.join(more)}".strip(), [*_FEW, asked]
    old = {"pk": {"ComparisonOperator": "EQ", "AttributeValueList": [A]}}
    yield "query in the old form", [*_FEW, ("Query", _LINES | {"KeyConditions": old})]
    yield "query without a condition", [("Query", dict(_LINES))]
    yield "query of nothing", [query()]
    yield "scan", [*_TWO, scan()]
    yield "scan of nothing", [scan()]
    yield "scan with a filter", [*_TWO, scan(**named("n > :one", FilterExpression="n > :one"))]
    yield "scan for their number", [*_TWO, scan(Select="COUNT")]
    yield "scan for none", [scan(Limit=0)]
    yield "scan of a segment of how many", [scan(Segment=0)]
    yield "scan of a segment that isn't there", [scan(Segment=2, TotalSegments=2)]
    yield "scan of no segments", [scan(Segment=0, TotalSegments=0)]
    yield "scan with a value for nothing", [scan(ExpressionAttributeValues={":x": A})]
    yield "scan of an unknown index", [scan(IndexName="none")]


def _batches() -> Iterator[tuple[str, Sequence[Call]]]:
    many = [f"k{n}" for n in range(101)]
    yield "batch writes", [put(pk="b"), writes(_put_request(n=number(1)), _delete_request("b")), scan()]
    yield "batch of 25 writes", [writes(*map(_put_request, many[:25]))]
    yield "batch of 26 writes", [writes(*map(_put_request, many[:26]))]
    yield "batch of no writes", [writes()]
    yield "batch of no tables' writes", [("BatchWriteItem", {"RequestItems": {}})]
    yield "batch that writes an item twice", [writes(_put_request(), _put_request())]
    yield "batch that puts and deletes an item", [writes(_put_request(), _delete_request())]
    yield "batch that writes an empty key", [writes(_put_request(""))]
    yield "batch that writes into no table", [writes(_put_request(), table="none")]
    yield "batch of a write that is two", [writes(_put_request() | _delete_request())]
    yield "batch of a write that is none", [writes({})]
    yield "batch reads", [put({"n": number(1)}), reads(key(), key("b"))]
    yield "batch of 100 reads", [reads(*map(key, many[:100]))]
    yield "batch of 101 reads", [reads(*map(key, many))]
    yield "batch of no reads", [reads()]
    yield "batch of no tables' reads", [("BatchGetItem", {"RequestItems": {}})]
    yield "batch that reads an item twice", [reads(key(), key())]
    yield "batch that reads from no table", [reads(key(), table="none")]
    yield "batch that reads by another attribute", [reads({"x": A})]
    yield "batch that reads an attribute", [put({"n": number(1), "m": A}), reads(key(), ProjectionExpression="n")]


def _transactions() -> Iterator[tuple[str, Sequence[Call]]]:
    many = [f"k{n}" for n in range(101)]
    not_there = "attribute_not_exists(pk)"
    large = [_put(name, {"t": text("x" * 399 * _KB)}) for name in many[:11]]
    adds = _update("ADD n :one")
    yield "transaction", [transaction(_put(), _update("SET n = :nine", "b"), _check(not_there, "c")), scan()]
    yield "transaction of 100", [transaction(*map(_put, many[:100]))]
    yield "transaction of 101", [transaction(*map(_put, many))]
    yield "transaction of none", [transaction()]
    yield "transaction over 4 MB", [transaction(*large)]
    yield "transaction over two tables", [transaction(_put(), {"Put": line("a", 1)[1]})]
    yield "transaction over no table", [transaction({"Put": {"TableName": "none", "Item": key()}})]
    yield "transaction of an item twice", [transaction(_put(), adds)]
    yield "transaction of an item twice, once wrong", [transaction(_check(not_there), _update("SET pk = :x"))]
    yield (
        "transaction whose condition fails",
        [
            put(),
            transaction(_put("b"), _put(ConditionExpression=not_there)),
        ],
    )
    tells: dict[str, Any] = {"ConditionExpression": not_there, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
    yield "transaction that tells what is there", [put({"n": number(1)}), transaction(_put("b"), _put(**tells))]
    exists = "attribute_exists(pk)"
    yield "transaction of which two fail", [transaction(_check(exists), _check(exists, "b"), _put("c"))]
    yield "transaction that updates a key", [transaction(_update("SET pk = :x"))]
    yield "transaction that adds to a text", [put({"n": A}), transaction(adds)]
    yield "transaction that adds a text", [transaction(_update("ADD n :x"))]
    yield "transaction that sums what isn't there", [transaction(_update("SET n = m + :one"))]
    yield "transaction that overlaps", [transaction(_update("SET n = :one, n = :one"))]
    yield "transaction with a wrong expression", [transaction(_update("SET n :one"))]
    yield (
        "transaction with a value for nothing",
        [transaction({"Update": _update("REMOVE n")["Update"] | {"ExpressionAttributeValues": {":x": A}}})],
    )
    yield "transaction with a key of another type", [transaction({"Put": _ITEMS | {"Item": {"pk": number(1)}}})]
    yield "transaction without a key", [transaction({"Put": _ITEMS | {"Item": {"n": number(1)}}})]
    yield "transaction with an empty key", [transaction(_put(""))]
    yield "transaction of more than 400 KB", [transaction(_put("a", {"t": text("x" * 400 * _KB)}))]
    yield "transaction of an action that is two", [transaction(_put() | _delete("b"))]
    yield "transaction of an action that is none", [transaction({})]
    yield "transaction of a check of nothing", [transaction({"ConditionCheck": _ITEMS | {"Key": key()}})]
    yield "transaction of an update of nothing", [transaction({"Update": _ITEMS | {"Key": key()}})]
    yield "transaction that deletes nothing", [transaction(_delete())]
    token = {"ClientRequestToken": "token"}
    yield "transaction of a token twice", [transaction(adds, **token), transaction(adds, **token), get()]
    yield "transaction of a token with another", [transaction(adds, **token), transaction(_put(), **token)]
    yield "transaction of a long token", [transaction(adds, ClientRequestToken="t" * 37)]
    yield "cost of a transaction", [transaction(_put(), ReturnConsumedCapacity="TOTAL")]
    yield "reads in a transaction", [put({"n": number(1)}), together(key(), key("b"))]
    yield "100 reads in a transaction", [together(*map(key, many[:100]))]
    yield "101 reads in a transaction", [together(*map(key, many))]
    yield "no reads in a transaction", [together()]
    yield "two reads of an item in a transaction", [together(key(), key())]
    yield "a read by another attribute in a transaction", [together({"x": A})]
    yield (
        "a read of an attribute in a transaction",
        [put({"n": number(1), "m": A}), together(key(), ProjectionExpression="n")],
    )


def _delete(pk: str = "a") -> Wire:
    return {"Delete": _ITEMS | {"Key": key(pk)}}


ITEM_CASES: Mapping[str, Sequence[Call]] = dict(_cases())
"""By name: the calls, in order."""
