"""What a table refuses to hold, and what it takes an item to be."""

from typing import Any

import pytest

from tests.store_tables import Tables

INVALID = "One or more parameter values were invalid: "
NOT_NUMERIC = "The parameter cannot be converted to a numeric value"
OVERFLOW = "Number overflow. Attempting to store a number with magnitude larger than supported range"
UNDERFLOW = "Number underflow. Attempting to store a number with magnitude smaller than supported range"
TOO_DEEP = (
    "Nesting Levels have exceeded supported limits: Attributes in the item have nested levels beyond supported limit"
)


@pytest.fixture
def tables() -> Tables:
    return Tables()


def nested(levels: int, kind: str = "M") -> dict[str, Any]:
    value: dict[str, Any] = {"S": "leaf"}
    for _ in range(levels):
        value = {"M": {"n": value}} if kind == "M" else {"L": [value]}
    return value


WRONG = [
    ({"N": "abc"}, f"{NOT_NUMERIC}: abc"),
    ({"N": ""}, NOT_NUMERIC),
    ({"N": " 1"}, f"{NOT_NUMERIC}:  1"),
    ({"N": "1_000"}, f"{NOT_NUMERIC}: 1_000"),
    ({"N": "\u0661"}, f"{NOT_NUMERIC}: \u0661"),
    ({"N": "NaN"}, f"{NOT_NUMERIC}: NaN"),
    ({"N": "1E126"}, OVERFLOW),
    ({"N": "-1e99999999999"}, OVERFLOW),
    ({"N": "1E-131"}, UNDERFLOW),
    ({"N": "9" * 39}, "Attempting to store more than 38 significant digits in a Number"),
    ({"NS": ["1", "abc"]}, f"{NOT_NUMERIC}: abc"),
    ({"NS": [""]}, NOT_NUMERIC),
    ({"SS": []}, f"{INVALID}An string set  may not be empty"),
    ({"NS": []}, f"{INVALID}An number set  may not be empty"),
    ({"BS": []}, f"{INVALID}Binary sets should not be empty"),
    ({"SS": ["a", "b", "a"]}, f"{INVALID}Input collection [a, b, a] contains duplicates."),
    ({"SS": ["", ""]}, f"{INVALID}Input collection [, ] contains duplicates."),
    ({"NS": ["1", "1.0"]}, "Input collection contains duplicates"),
    ({"BS": ["YQ==", "YQ=="]}, f"{INVALID}Input collection [YQ==, YQ==]of type BS contains duplicates."),
    ({"NULL": False}, f"{INVALID}Null attribute value types must have the value of true"),
    ({}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    ({"X": "1"}, "Supplied AttributeValue is empty, must contain exactly one of the supported datatypes"),
    (
        {"S": "1", "N": "1"},
        "Supplied AttributeValue has more than one datatypes set, must contain exactly one of the supported datatypes",
    ),
    (nested(32), TOO_DEEP),
    (nested(400, "L"), TOO_DEEP),
    ({"M": {"": {"S": "x"}}}, f"{INVALID}Empty attribute name"),
]


@pytest.mark.parametrize(("value", "message"), WRONG)
def test_what_is_no_value_is_refused_wherever_it_stands(tables: Tables, value: Any, message: str) -> None:
    """In an item, inside a document, in a batch, in a transaction, and as a value of an expression."""
    item = {"pk": {"S": "a"}, "v": value}
    inside = {"pk": {"S": "a"}, "v": {"L": [{"M": {"v": value}}]}}

    assert tables.refused("PutItem", TableName="items", Item=item) == message
    assert tables.refused("PutItem", TableName="items", Item=inside) == message
    assert tables.refused("BatchWriteItem", RequestItems={"items": [{"PutRequest": {"Item": item}}]}) == message
    assert (
        tables.refused("TransactWriteItems", TransactItems=[{"Put": {"TableName": "items", "Item": item}}]) == message
    )
    told = tables.refused("UpdateItem", **tables.update("a", "SET v = :v", v=value))
    assert told == f"ExpressionAttributeValues contains invalid value: {message} for key :v"
    assert tables.item("a") is None


@pytest.mark.parametrize(
    "value",
    [
        {"N": "1E-130"},
        {"N": "9." + "9" * 37 + "E+125"},
        {"SS": ["", "a"]},
        {"BS": [""]},
        {"S": ""},
        {"B": ""},
        {"L": []},
        {"M": {}},
        {"BOOL": False},
        {"NULL": True},
        nested(31),
        nested(31, "L"),
    ],
)
def test_the_last_value_within_the_limits_is_held(tables: Tables, value: Any) -> None:
    """A set may have an empty member; an attribute may lie within 31 others: DynamoDB's own limits."""
    tables.put("a", v=value)

    assert tables.item("a") is not None


def test_a_body_nested_beyond_reading_is_no_request(tables: Tables) -> None:
    """However deep it is, it is answered."""
    status, body = tables.answer("PutItem", b'{"a":' * 100_000 + b"1" + b"}" * 100_000)

    assert (status, body["__type"]) == (400, "SerializationException")


@pytest.mark.parametrize(
    ("attributes", "size"),
    [
        ({"n": {"N": "3.14159"}}, 1 + 5),
        ({"n": {"N": "123456"}}, 1 + 4),
        ({"n": {"N": "-100"}}, 1 + 3),
        ({"n": {"N": "0.001"}}, 1 + 2),
        ({"n": {"N": "1E125"}}, 1 + 2),
        ({"n": {"N": "0"}}, 1 + 1),
        ({"t": {"S": "ü"}}, 1 + 2),
        ({"t": {"BOOL": True}}, 1 + 1),
        ({"t": {"L": [{"S": "ab"}]}}, 1 + 3 + 1 + 2),
        ({"t": {"M": {"k": {"S": "ab"}}}}, 1 + 3 + 1 + 1 + 2),
        ({"t": {"SS": ["ab", "c"]}}, 1 + 3),
    ],
)
def test_an_item_is_measured_to_the_byte(tables: Tables, attributes: dict[str, Any], size: int) -> None:
    """One byte more than 400 KB is too much: names, digits by the pair, documents with their members."""
    room = 400 * 1024 - len("pk") - len("a") - len("rest") - size

    tables.put("a", rest={"S": "x" * room}, **attributes)
    told = tables.refused(
        "PutItem", TableName="items", Item={"pk": {"S": "a"}, "rest": {"S": "x" * (room + 1)}} | attributes
    )

    assert told == "Item size has exceeded the maximum allowed size"


def test_an_update_makes_no_item_over_400_kb(tables: Tables) -> None:
    """By adding to it."""
    tables.put("a", x={"S": "x" * 300_000})

    told = tables.refused("UpdateItem", **tables.update("a", "SET y = :y", y={"S": "x" * 300_000}))

    assert told == "Item size to update has exceeded the maximum allowed size"


MISMATCH = "The provided key element does not match the schema"
EMPTY_KEY = (
    "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an empty {} "
    "value. Key: pk"
)
HASH_TOO_LONG = f"{INVALID}Size of hashkey has exceeded the maximum size limit of2048 bytes"
RANGE_TOO_LONG = f"{INVALID}Aggregated size of all range keys has exceeded the size limit of 1024 bytes"


@pytest.mark.parametrize(
    ("table", "key", "message"),
    [
        ("items", {}, MISMATCH),
        ("items", {"other": {"S": "a"}}, MISMATCH),
        ("items", {"pk": {"S": "a"}, "more": {"S": "a"}}, MISMATCH),
        ("items", {"pk": {"N": "1"}}, MISMATCH),
        ("indexed", {"pk": {"S": "a"}}, MISMATCH),
        ("items", {"pk": {"S": ""}}, EMPTY_KEY.format("string")),
        ("binary", {"pk": {"B": ""}}, EMPTY_KEY.format("binary")),
        ("items", {"pk": {"S": "ü" * 1025}}, HASH_TOO_LONG),
        ("binary", {"pk": {"B": "YWFh" * 683}}, HASH_TOO_LONG),
        ("items", {"pk": {"N": "abc"}}, f"{NOT_NUMERIC}: abc"),
    ],
)
def test_what_is_no_key_is_refused_by_every_operation(tables: Tables, table: str, key: Any, message: str) -> None:
    """Reads and writes, one and many."""
    assert tables.refused("GetItem", TableName=table, Key=key) == message
    assert tables.refused("DeleteItem", TableName=table, Key=key) == message
    assert tables.refused("UpdateItem", TableName=table, Key=key) == message
    assert tables.refused("BatchGetItem", RequestItems={table: {"Keys": [key]}}) == message
    assert tables.refused("BatchWriteItem", RequestItems={table: [{"DeleteRequest": {"Key": key}}]}) == message


@pytest.mark.parametrize(
    ("table", "item", "message"),
    [
        ("items", {}, f"{INVALID}Missing the key pk in the item"),
        ("items", {"pk": {"L": []}}, f"{INVALID}Type mismatch for key pk expected: S actual: L"),
        ("items", {"pk": {"S": ""}}, EMPTY_KEY.format("string")),
        ("items", {"pk": {"S": "a" * 2049}}, HASH_TOO_LONG),
        (
            "indexed",
            {"pk": {"S": "a"}, "sk": {"N": "1"}, "owner": {"N": "1"}},
            f"{INVALID}Type mismatch for Index Key owner Expected: S Actual: N IndexName: by-owner",
        ),
        (
            "indexed",
            {"pk": {"S": "a"}, "sk": {"N": "1"}, "size": {"NULL": True}},
            f"{INVALID}Type mismatch for Index Key size Expected: N Actual: NULL IndexName: by-owner",
        ),
        (
            "indexed",
            {"pk": {"S": "a"}, "sk": {"N": "1"}, "owner": {"S": ""}},
            (
                "One or more parameter values are not valid. A value specified for a secondary index key is not "
                "supported. The AttributeValue for a key attribute cannot contain an empty string value. "
                "IndexName: by-owner, IndexKey: owner"
            ),
        ),
        ("indexed", {"pk": {"S": "a"}, "sk": {"N": "1"}, "owner": {"S": "a" * 2049}}, HASH_TOO_LONG),
    ],
)
def test_an_item_has_the_keys_of_its_table_and_of_the_indexes(
    tables: Tables, table: str, item: Any, message: str
) -> None:
    """An index's key may be missing, but not be of another type, or empty."""
    assert tables.refused("PutItem", TableName=table, Item=item) == message


def test_a_longest_key_is_held(tables: Tables) -> None:
    """2,048 bytes are none too many."""
    tables.put("a" * 2048)

    assert tables.item("a" * 2048) == {}


def test_binary_keys_are_told_apart_and_found(tables: Tables) -> None:
    """By their bytes, whoever asks."""
    for key in ("AA==", "/w=="):
        tables.ask("PutItem", TableName="binary", Item={"pk": {"B": key}, "name": {"S": key}})

    assert tables.ask("GetItem", TableName="binary", Key={"pk": {"B": "/w=="}})["Item"]["name"] == {"S": "/w=="}
    assert (
        tables.ask(
            "Query",
            TableName="binary",
            KeyConditionExpression="pk = :k",
            ExpressionAttributeValues={":k": {"B": "AA=="}},
        )["Count"]
        == 1
    )
