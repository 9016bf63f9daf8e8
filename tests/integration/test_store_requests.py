"""What a request may ask of tables: how much, of which shape, and each item once."""

from typing import Any

import pytest
import time_machine

from tests.store_tables import Tables

N = {"N": "1"}
KEY = {"pk": {"S": "a"}}
TWICE = "Transaction request cannot include multiple operations on one item"
DUPLICATES = "Provided list of item keys contains duplicates"
FLAW = "1 validation error detected: Value "


@pytest.fixture
def tables() -> Tables:
    return Tables()


def enum(shown: str, path: str, words: str) -> str:
    return f"{FLAW}'{shown}' at '{path}' failed to satisfy constraint: Member must satisfy enum value set: [{words}]"


# Shapes


SHAPES: list[tuple[str, dict[str, Any], str]] = [
    ("GetItem", {"Key": KEY}, f"{FLAW}null at 'tableName' failed to satisfy constraint: Member must not be null"),
    ("GetItem", {"TableName": "items"}, f"{FLAW}null at 'key' failed to satisfy constraint: Member must not be null"),
    (
        "GetItem",
        {"TableName": "no such!", "Key": KEY},
        (
            f"{FLAW}'no such!' at 'tableName' failed to satisfy constraint: "
            "Member must satisfy regular expression pattern: [a-zA-Z0-9_.-]+"
        ),
    ),
    (
        "GetItem",
        {"TableName": "a" * 256, "Key": KEY},
        (
            f"{FLAW}'{'a' * 256}' at 'tableName' failed to satisfy constraint: "
            "Member must have length less than or equal to 255"
        ),
    ),
    (
        "PutItem",
        {"TableName": "items", "Item": KEY, "ReturnValues": "SOME"},
        enum("SOME", "returnValues", "NONE, ALL_OLD, UPDATED_OLD, ALL_NEW, UPDATED_NEW"),
    ),
    (
        "DeleteItem",
        {"TableName": "items", "Key": KEY, "ReturnConsumedCapacity": "ALL"},
        enum("ALL", "returnConsumedCapacity", "INDEXES, TOTAL, NONE"),
    ),
    (
        "Scan",
        {"TableName": "items", "Limit": 0},
        f"{FLAW}'0' at 'limit' failed to satisfy constraint: Member must have value greater than or equal to 1",
    ),
    (
        "Scan",
        {"TableName": "items", "Select": "SOME"},
        enum("SOME", "select", "ALL_ATTRIBUTES, ALL_PROJECTED_ATTRIBUTES, SPECIFIC_ATTRIBUTES, COUNT"),
    ),
    (
        "TransactWriteItems",
        {"TransactItems": [{"Put": {"TableName": "items", "Item": KEY}}], "ClientRequestToken": "x" * 37},
        (
            f"{FLAW}'{'x' * 37}' at 'clientRequestToken' failed to satisfy constraint: "
            "Member must have length less than or equal to 36"
        ),
    ),
    ("PutItem", {"TableName": "items", "Item": KEY, "ReturnValues": "ALL_NEW"}, "Return values set to invalid value"),
]


@pytest.mark.parametrize(("operation", "params", "message"), SHAPES)
def test_a_member_that_breaks_its_constraint_is_told(
    tables: Tables, operation: str, params: dict[str, Any], message: str
) -> None:
    """In AWS's words, and before anything else is looked at."""
    assert tables.refused(operation, **params) == message


def test_members_that_break_constraints_are_told_together(tables: Tables) -> None:
    """In one message."""
    told = tables.refused("UpdateItem", TableName="items", ReturnValues="A", ReturnConsumedCapacity="B", Key=KEY)

    assert told.startswith("2 validation errors detected: ")
    assert "'returnValues'" in told
    assert "'returnConsumedCapacity'" in told


@pytest.mark.parametrize(
    ("operation", "params"),
    [
        ("GetItem", {"TableName": 5, "Key": KEY}),
        ("GetItem", {"TableName": "items", "Key": []}),
        ("GetItem", {"TableName": "items", "Key": {"pk": "a"}}),
        ("GetItem", {"TableName": "items", "Key": {"pk": {"S": 5}}}),
        ("GetItem", {"TableName": "items", "Key": KEY, "ConsistentRead": "maybe"}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "n": {"N": 5}}}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "l": {"L": {}}}}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "m": {"M": []}}}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "s": {"SS": "abc"}}}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "s": {"SS": [None]}}}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "b": {"B": "?"}}}),
        ("PutItem", {"TableName": "items", "Item": {"pk": {"S": "a"}, "b": {"BOOL": "false"}}}),
        ("PutItem", {"TableName": "items", "Item": KEY, "ConditionExpression": 5}),
        ("PutItem", {"TableName": "items", "Item": KEY, "ExpressionAttributeNames": {"#a": 5}}),
        ("Scan", {"TableName": "items", "Limit": "5"}),
        ("BatchGetItem", {"RequestItems": []}),
        ("BatchWriteItem", {"RequestItems": {"items": {}}}),
        ("BatchWriteItem", {"RequestItems": {"items": [None]}}),
        ("TransactWriteItems", {"TransactItems": [[]]}),
        ("TransactWriteItems", {"TransactItems": [{"Put": []}]}),
        ("TransactGetItems", {"TransactItems": {}}),
        ("CreateTable", {"TableName": [], "KeySchema": 5}),
    ],
)
def test_a_member_of_another_type_cannot_be_read(tables: Tables, operation: str, params: dict[str, Any]) -> None:
    """A SerializationException, as of every JSON service of AWS."""
    status, body = tables.answer(operation, params)

    assert (status, body["__type"]) == (400, "SerializationException")


def test_what_is_null_or_unknown_is_unset(tables: Tables) -> None:
    """And a table may be named by its ARN."""
    arn = "arn:aws:dynamodb:eu-west-1:123456789012:table/items"

    tables.ask("PutItem", TableName=arn, Item=KEY, ConditionExpression=None, Expected=None, ReturnValues=None)

    assert tables.ask("GetItem", TableName="items", Key=KEY, ProjectionExpression=None, Surprise=5)["Item"] == KEY


def test_a_table_that_is_not_there_is_said_to_be_missing(tables: Tables) -> None:
    """By every operation, once the request is right in itself."""
    asked: list[tuple[str, dict[str, Any]]] = [
        ("GetItem", {"TableName": "none", "Key": KEY}),
        ("PutItem", {"TableName": "none", "Item": KEY}),
        ("Query", {"TableName": "none", "KeyConditionExpression": "pk = :v", "ExpressionAttributeValues": {":v": N}}),
        ("Scan", {"TableName": "none"}),
        ("BatchGetItem", {"RequestItems": {"none": {"Keys": [KEY]}}}),
        ("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "none", "Key": KEY}}]}),
    ]

    for operation, params in asked:
        _, body = tables.answer(operation, params)
        assert (body["__type"], body["message"]) == ("ResourceNotFoundException", "Requested resource not found")


# Batches and transactions


def keys(count: int) -> list[dict[str, Any]]:
    return [{"pk": {"S": str(number)}} for number in range(count)]


def puts(count: int) -> list[dict[str, Any]]:
    return [{"PutRequest": {"Item": key}} for key in keys(count)]


def test_a_batch_writes_at_most_25_items(tables: Tables) -> None:
    """Over all its tables."""
    both = {"items": puts(20), "binary": [{"DeleteRequest": {"Key": {"pk": {"B": "YQ=="}}}}] * 6}
    most = "failed to satisfy constraint: Member must have length less than or equal to 25"

    assert tables.ask("BatchWriteItem", RequestItems={"items": puts(25)})["UnprocessedItems"] == {}
    told = tables.refused("BatchWriteItem", RequestItems={"items": puts(26)})
    assert told == f"1 validation error detected: Value at 'RequestItems.items.member' {most}"
    assert tables.refused("BatchWriteItem", RequestItems=both) == "Too many items requested for the BatchWriteItem call"


def test_a_batch_reads_at_most_100_items(tables: Tables) -> None:
    """Over all its tables."""
    both = {"items": {"Keys": keys(60)}, "indexed": {"Keys": [key | {"sk": N} for key in keys(60)]}}
    most = "failed to satisfy constraint: Member must have length less than or equal to 100"

    tables.ask("BatchGetItem", RequestItems={"items": {"Keys": keys(100)}})
    told = tables.refused("BatchGetItem", RequestItems={"items": {"Keys": keys(101)}})
    assert told == f"1 validation error detected: Value at 'RequestItems.items.member.Keys' {most}"
    assert tables.refused("BatchGetItem", RequestItems=both) == "Too many items requested for the BatchGetItem call"


def test_nothing_is_asked_of_one_item_twice(tables: Tables) -> None:
    """Whatever is asked, and however the key is written."""
    same = [{"pk": {"S": "a"}, "sk": {"N": "1"}}, {"sk": {"N": "1.0"}, "pk": {"S": "a"}}]
    put, delete = {"PutRequest": {"Item": same[0]}}, {"DeleteRequest": {"Key": same[1]}}
    gets = [{"Get": {"TableName": "indexed", "Key": key}} for key in same]
    writes = [
        {"Put": {"TableName": "indexed", "Item": same[0]}},
        {"ConditionCheck": {"TableName": "indexed", "Key": same[1], "ConditionExpression": "attribute_exists(pk)"}},
    ]

    assert tables.refused("BatchGetItem", RequestItems={"indexed": {"Keys": same}}) == DUPLICATES
    assert tables.refused("BatchWriteItem", RequestItems={"indexed": [put, put]}) == DUPLICATES
    assert tables.refused("BatchWriteItem", RequestItems={"indexed": [delete, put]}) == DUPLICATES
    assert tables.refused("TransactGetItems", TransactItems=gets) == TWICE
    assert tables.refused("TransactWriteItems", TransactItems=writes) == TWICE


def test_a_batch_that_is_wrong_in_one_item_writes_none(tables: Tables) -> None:
    """It is refused before it begins."""
    wrong = {"PutRequest": {"Item": {"pk": {"N": "5"}}}}

    told = tables.refused("BatchWriteItem", RequestItems={"items": [*puts(3), wrong]})

    assert told == "The provided key element does not match the schema"
    assert tables.ask("Scan", TableName="items")["Count"] == 0


def test_a_key_that_is_not_the_tables_cancels_a_transaction(tables: Tables) -> None:
    """With its reason; one that no table could have is refused at once."""
    mismatch = "The provided key element does not match the schema"
    check = {"TableName": "items", "Key": {"pk": N}, "ConditionExpression": "attribute_exists(pk)"}
    put = {"TableName": "items", "Item": {"pk": N}}
    mistyped = "One or more parameter values were invalid: Type mismatch for key pk expected: S actual: N"

    _, read = tables.answer("TransactGetItems", {"TransactItems": [{"Get": {"TableName": "items", "Key": {}}}]})
    _, written = tables.answer("TransactWriteItems", {"TransactItems": [{"ConditionCheck": check}, {"Put": put}]})
    empty = tables.refused(
        "TransactWriteItems", TransactItems=[{"Put": {"TableName": "items", "Item": {"pk": {"S": ""}}}}]
    )

    assert read["CancellationReasons"] == [{"Code": "ValidationError", "Message": mismatch}]
    assert [reason["Message"] for reason in written["CancellationReasons"]] == [mismatch, mistyped]
    assert empty.endswith("cannot contain an empty string value. Key: pk")


@pytest.mark.parametrize(
    "items",
    [
        [{}],
        [{"Get": {"TableName": "items", "Key": KEY}}],
        [{"Put": {"TableName": "items", "Item": KEY}, "Delete": {"TableName": "items", "Key": KEY}}],
    ],
)
def test_a_transaction_says_one_thing_an_item(tables: Tables, items: list[Any]) -> None:
    """Put, update, delete or check."""
    told = tables.refused("TransactWriteItems", TransactItems=items)

    assert told == "TransactItems can only contain one of Check, Put, Update or Delete"


def test_a_transaction_has_between_one_and_a_hundred_items(tables: Tables) -> None:
    """Reads and writes alike."""
    gets = [{"Get": {"TableName": "items", "Key": key}} for key in keys(101)]
    told = (
        "1 validation error detected: Value at 'TransactItems' failed to satisfy constraint: Member must have length "
    )

    assert tables.refused("TransactGetItems", TransactItems=gets) == f"{told}less than or equal to 100"
    assert tables.refused("TransactGetItems", TransactItems=[]) == f"{told}greater than or equal to 1"
    assert tables.refused("TransactWriteItems", TransactItems=[]) == f"{told}greater than or equal to 1"


def test_an_expression_is_read_before_a_table_is_looked_for(tables: Tables) -> None:
    """In a transaction, too: a later item's syntax comes before an earlier one's missing table."""
    missing = {"Put": {"TableName": "none", "Item": KEY}}
    check = {"ConditionCheck": {"TableName": "items", "Key": KEY, "ConditionExpression": "attribute_exists("}}

    told = tables.refused("TransactWriteItems", TransactItems=[missing, check])

    assert told == 'Invalid ConditionExpression: Syntax error; token: "<EOF>", near: "("'


# Queries


@pytest.fixture
def shelf(tables: Tables) -> Tables:
    """`indexed` with ten items of `a`, at 0 to 9, every other of them ann's; and one of `b`."""
    for number in range(10):
        item: dict[str, Any] = {
            "pk": {"S": "a"},
            "sk": {"N": str(number)},
            "size": {"N": str(-number)},
            "t": {"S": "x"},
        }
        owner = {} if number % 2 else {"owner": {"S": "ann"}}
        tables.ask("PutItem", TableName="indexed", Item=item | owner)
    tables.ask("PutItem", TableName="indexed", Item={"pk": {"S": "b"}, "sk": {"N": "0"}})
    return tables


def query(condition: str, *, index: str | None = None, names: Any = None, **values: Any) -> dict[str, Any]:
    request: dict[str, Any] = {"TableName": "indexed", "KeyConditionExpression": condition}
    if index is not None:
        request["IndexName"] = index
    if names is not None:
        request["ExpressionAttributeNames"] = names
    return request | {"ExpressionAttributeValues": {f":{name}": value for name, value in values.items()}}


def sort_keys(answer: dict[str, Any]) -> list[int]:
    return [int(item["sk"]["N"]) for item in answer["Items"]]


@pytest.mark.parametrize(
    ("condition", "values", "found"),
    [
        ("pk = :p", {}, list(range(10))),
        (":p = pk AND :v >= sk", {"v": {"N": "3"}}, [0, 1, 2, 3]),
        ("(pk = :p) and (sk > :v)", {"v": {"N": "7"}}, [8, 9]),
        ("sk = :v AND pk = :p", {"v": {"N": "7.0"}}, [7]),
        ("pk = :p AND sk BETWEEN :v AND :w", {"v": {"N": "2"}, "w": {"N": "4"}}, [2, 3, 4]),
        ("pk = :p AND sk < :v", {"v": {"N": "-1"}}, []),
    ],
)
def test_a_query_reads_a_part_of_a_partition(
    shelf: Tables, condition: str, values: dict[str, Any], found: list[int]
) -> None:
    """In order, or against it; sort keys are numbers here."""
    request = query(condition, p={"S": "a"}, **values)

    assert sort_keys(shelf.ask("Query", **request)) == found
    assert sort_keys(shelf.ask("Query", **request, ScanIndexForward=False)) == found[::-1]


def test_a_query_goes_on_where_its_page_ended(shelf: Tables) -> None:
    """Forward and backward, filtered or not: what a page looks at is what counts."""
    for forward in (True, False):
        request = query("pk = :p", p={"S": "a"}, o={"S": "ann"}, names={"#o": "owner"})
        request |= {"FilterExpression": "#o = :o", "Limit": 4, "ScanIndexForward": forward}
        found, looked_at, start = [], 0, {}
        while True:
            page = shelf.ask("Query", **request, **start)
            found += sort_keys(page)
            looked_at += page["ScannedCount"]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

        assert looked_at == 10
        assert found == ([0, 2, 4, 6, 8] if forward else [8, 6, 4, 2, 0])


def test_an_index_has_what_it_projects_of_items_with_its_keys(shelf: Tables) -> None:
    """In the order of its own sort key, page by page."""
    of_ann = query("#o = :o", index="by-owner", names={"#o": "owner"}, o={"S": "ann"})

    page = shelf.ask("Query", **of_ann, Limit=2)
    rest = shelf.ask("Query", **of_ann, ExclusiveStartKey=page["LastEvaluatedKey"])
    by_size = shelf.ask(
        "Query", **query("pk = :p AND #s < :v", index="by-size", names={"#s": "size"}, p={"S": "a"}, v={"N": "-7"})
    )

    assert sort_keys(page) + sort_keys(rest) == [8, 6, 4, 2, 0]
    assert set(page["Items"][0]) == set(page["LastEvaluatedKey"]) == {"pk", "sk", "owner", "size"}
    assert sort_keys(by_size) == [9, 8]
    assert by_size["Items"][0]["t"] == {"S": "x"}
    assert shelf.ask("Scan", TableName="indexed", IndexName="by-owner", Select="COUNT")["Count"] == 5


def test_segments_of_a_scan_are_a_partition_of_it(tables: Tables) -> None:
    """Each item is in one of them, page by page."""
    for key in keys(40):
        tables.ask("PutItem", TableName="items", Item=key)
    found = []
    for segment in range(3):
        start: dict[str, Any] = {}
        while True:
            page = tables.ask("Scan", TableName="items", Segment=segment, TotalSegments=3, Limit=7, **start)
            found += [int(item["pk"]["S"]) for item in page["Items"]]
            if "LastEvaluatedKey" not in page:
                break
            start = {"ExclusiveStartKey": page["LastEvaluatedKey"]}

    assert sorted(found) == list(range(40))


def test_a_page_ends_at_a_megabyte(tables: Tables) -> None:
    """With the item that makes it full."""
    for key in keys(5):
        tables.ask("PutItem", TableName="items", Item=key | {"text": {"S": "x" * 400_000}})

    page = tables.ask("Scan", TableName="items", ReturnConsumedCapacity="TOTAL", ConsistentRead=True)

    assert page["Count"] == 3
    assert page["ConsumedCapacity"] == {"TableName": "items", "CapacityUnits": 293.0}
    rest = tables.ask("Scan", TableName="items", ExclusiveStartKey=page["LastEvaluatedKey"])
    assert (rest["Count"], "LastEvaluatedKey" in rest) == (2, False)


SCHEMA = "One or more parameter values were invalid: Condition parameter type does not match schema type"
OPERAND = (
    "Invalid KeyConditionExpression: Incorrect operand type for operator or function; operator or function: {}, "
    "operand type: {}"
)
A = {"p": {"S": "a"}}

KEY_CONDITIONS: list[tuple[str, dict[str, Any], str]] = [
    ("sk = :v", {"v": N}, "Query condition missed key schema element: pk"),
    ("t = :v", {"v": N}, "Query condition missed key schema element: pk"),
    ("pk = :p AND t = :v", {**A, "v": N}, "Query condition missed key schema element: sk"),
    ("pk > :p", A, "Query key condition not supported"),
    ("begins_with(pk, :p)", A, "Query key condition not supported"),
    ("pk = :v", {"v": N}, SCHEMA),
    ("pk = :p AND sk = :v", {**A, "v": {"BOOL": True}}, SCHEMA),
    ("pk = :p AND begins_with(sk, :v)", {**A, "v": {"S": "a"}}, SCHEMA),
    ("pk = :p AND begins_with(sk, :v)", {**A, "v": N}, OPERAND.format("begins_with", "N")),
    ("pk = :p AND sk < :v", {**A, "v": {"BOOL": True}}, OPERAND.format("<", "BOOL")),
    (
        "pk = :p AND sk > :v AND sk < :w",
        {**A, "v": N, "w": N},
        "Invalid KeyConditionExpression: KeyConditionExpressions must only contain one condition per key",
    ),
    (
        "pk = :p AND sk > :v AND t = :w",
        {**A, "v": N, "w": N},
        "The number of query conditions (3) exceeds the number of key attributes defined in the schema (2)",
    ),
    ("pk = :p OR sk = :v", {**A, "v": N}, "Invalid operator used in KeyConditionExpression: OR"),
    ("pk = :p AND NOT sk = :v", {**A, "v": N}, "Invalid operator used in KeyConditionExpression: NOT"),
    ("pk = :p AND sk IN (:v)", {**A, "v": N}, "Invalid operator used in KeyConditionExpression: IN"),
    ("pk <> :p", A, "Invalid operator used in KeyConditionExpression: <>"),
    ("attribute_exists(pk)", {}, "Invalid operator used in KeyConditionExpression: attribute_exists"),
    ("attribute_not_exists(pk)", {}, "Invalid operator used in KeyConditionExpression: attribute_not_exists"),
    ("pk = sk", {}, "Invalid condition in KeyConditionExpression: Multiple attribute names used in one condition"),
    (":p = :p", A, "Invalid condition in KeyConditionExpression: No key attribute specified"),
    ("pk.a = :p", A, "KeyConditionExpressions cannot have conditions on nested attributes"),
    ("pk = :p AND size(sk) > :v", {**A, "v": N}, "KeyConditionExpressions cannot contain nested operations"),
    (
        "pk = :p AND begins_with(:p, pk)",
        A,
        (
            "Invalid condition in KeyConditionExpression: begins_with operator must have the key attribute as its "
            "first operand"
        ),
    ),
    ("", {}, "Invalid KeyConditionExpression: The expression can not be empty;"),
    (
        "pk = :v",
        {"v": {"S": ""}},
        (
            "One or more parameter values are not valid. The AttributeValue for a key attribute cannot contain an "
            "empty string value. Key: pk"
        ),
    ),
]


@pytest.mark.parametrize(
    ("condition", "values", "message"), KEY_CONDITIONS, ids=[str(n) for n in range(len(KEY_CONDITIONS))]
)
def test_a_key_condition_that_cannot_be_is_refused(
    tables: Tables, condition: str, values: dict[str, Any], message: str
) -> None:
    """The partition equals a value, and the sort key is in one range."""
    request = query(condition, **values)
    if not values:
        del request["ExpressionAttributeValues"]

    assert tables.refused("Query", **request) == message


QUERIES: list[tuple[dict[str, Any], str]] = [
    ({"IndexName": "none"}, "The table does not have the specified index: none"),
    (
        {"Select": "SPECIFIC_ATTRIBUTES"},
        "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES",
    ),
    (
        {"Select": "COUNT", "ProjectionExpression": "t"},
        "Cannot specify the ProjectionExpression when choosing to get only the Count",
    ),
    (
        {"Select": "ALL_PROJECTED_ATTRIBUTES"},
        "ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName",
    ),
    (
        {"FilterExpression": "attribute_exists(sk)"},
        "Filter Expression can only contain non-primary key attributes: Primary key attribute: sk",
    ),
    (
        {"FilterExpression": "pk.a = t"},
        "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: Key: pk",
    ),
    (
        {"ExclusiveStartKey": KEY},
        "The provided starting key is invalid: The provided key element does not match the schema",
    ),
    (
        {"ExclusiveStartKey": {"pk": {"S": "b"}, "sk": N}},
        "The provided starting key is outside query boundaries based on provided conditions",
    ),
    (
        {"ExclusiveStartKey": {"pk": {"S": "a"}, "sk": {"N": "x"}}},
        "The parameter cannot be converted to a numeric value: x",
    ),
    (
        {"AttributesToGet": ["t"]},
        (
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributesToGet} Expression parameters: {KeyConditionExpression}"
        ),
    ),
]


@pytest.mark.parametrize(("more", "message"), QUERIES)
def test_a_query_that_cannot_be_is_refused(tables: Tables, more: dict[str, Any], message: str) -> None:
    """By what it asks for beside its key."""
    assert tables.refused("Query", **query("pk = :p", p={"S": "a"}) | more) == message


def test_a_global_index_is_read_eventually_and_has_what_it_has(tables: Tables) -> None:
    """No consistent reads, and not all attributes where it hasn't got them."""
    request = query("#o = :o", index="by-owner", names={"#o": "owner"}, o={"S": "ann"})

    consistent = tables.refused("Query", **request, ConsistentRead=True)
    all_of_it = tables.refused("Query", **request, Select="ALL_ATTRIBUTES")

    assert consistent == "Consistent reads are not supported on global secondary indexes"
    assert all_of_it.endswith("for global secondary index by-owner because its projection type is not ALL")


@pytest.mark.parametrize(
    ("params", "message"),
    [
        (
            {"Segment": 0},
            (
                "The TotalSegments parameter is required but was not present in the request when Segment parameter is "
                "present"
            ),
        ),
        (
            {"TotalSegments": 2},
            (
                "The Segment parameter is required but was not present in the request when parameter TotalSegments is "
                "present"
            ),
        ),
        (
            {"Segment": 2, "TotalSegments": 2},
            (
                "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
                "Segment: 2 is not less than TotalSegments: 2"
            ),
        ),
        (
            {"AttributesToGet": ["a", "a"]},
            "One or more parameter values were invalid: Duplicate value in attribute name: a",
        ),
    ],
)
def test_a_scan_that_cannot_be_is_refused(tables: Tables, params: dict[str, Any], message: str) -> None:
    """Its segments are numbered from 0."""
    assert tables.refused("Scan", TableName="items", **params) == message


# What there was before expressions

INVALID = "One or more parameter values were invalid: "
EQ = {"ComparisonOperator": "EQ", "AttributeValueList": [{"S": "a"}]}

OLDER: list[tuple[str, dict[str, Any], str]] = [
    (
        "PutItem",
        {"Item": KEY, "Expected": {"n": {"Value": {"N": "abc"}}}},
        "The parameter cannot be converted to a numeric value: abc",
    ),
    (
        "PutItem",
        {"Item": KEY, "Expected": {"n": {}}},
        f"{INVALID}Value must be provided when Exists is null for Attribute: n",
    ),
    (
        "PutItem",
        {"Item": KEY, "Expected": {"n": {"Exists": False, "Value": N}}},
        f"{INVALID}Value cannot be used when Exists is false for Attribute: n",
    ),
    (
        "PutItem",
        {"Item": KEY, "Expected": {"n": {"Exists": True, "ComparisonOperator": "NULL"}}},
        f"{INVALID}Exists and ComparisonOperator cannot be used together for Attribute: n",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"n": {"ComparisonOperator": "LT"}}},
        f"{INVALID}Invalid number of argument(s) for the LT ComparisonOperator",
    ),
    (
        "DeleteItem",
        {"Key": KEY, "Expected": {"n": {"ComparisonOperator": "LT", "Value": {"BOOL": True}}}},
        f"{INVALID}ComparisonOperator LT is not valid for BOOL AttributeValue type",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"n": {"Action": "ADD", "Value": {"S": "x"}}}},
        f"{INVALID}ADD action is not supported for the type S",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"n": {"Action": "DELETE", "Value": N}}},
        f"{INVALID}DELETE action with value is not supported for the type N",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"n": {"Action": "PUT"}}},
        f"{INVALID}Only DELETE action is allowed when no attribute value is specified",
    ),
    (
        "UpdateItem",
        {"Key": KEY, "AttributeUpdates": {"pk": {"Value": {"S": "b"}}}},
        f"{INVALID}Cannot update attribute pk. This attribute is part of the key",
    ),
    ("Query", {"KeyConditions": {"n": EQ}}, "Query condition missed key schema element: pk"),
    ("Query", {"KeyConditions": {"pk": EQ, "n": EQ, "m": EQ}}, "Conditions can be of length 1 or 2 only"),
    (
        "Query",
        {"KeyConditions": {"pk": {"ComparisonOperator": "NOT_NULL"}}},
        "Attempted conditional constraint is not an indexable operation",
    ),
    (
        "Scan",
        {"ScanFilter": {"n": {"ComparisonOperator": "BETWEEN", "AttributeValueList": [{"N": "5"}, N]}}},
        "The BETWEEN condition was provided a range where the lower bound is greater than the upper bound",
    ),
]


@pytest.mark.parametrize(("operation", "params", "message"), OLDER, ids=[str(n) for n in range(len(OLDER))])
def test_the_older_parameters_are_judged_alike(
    tables: Tables, operation: str, params: dict[str, Any], message: str
) -> None:
    """Their values, and what each operator and action takes."""
    assert tables.refused(operation, TableName="items", **params) == message
    assert tables.item("a") is None


def test_the_older_parameters_do_what_expressions_do(tables: Tables) -> None:
    """Conditions joined by AND or OR, updates of every type, queries and filters."""
    tables.put("a", n=N, s={"SS": ["p", "q"]}, l={"L": [N]}, octets={"B": "AAE="})
    updates = {
        "n": {"Action": "ADD", "Value": {"N": "2.5"}},
        "s": {"Action": "DELETE", "Value": {"SS": ["p"]}},
        "l": {"Action": "ADD", "Value": {"L": [{"S": "x"}]}},
        "octets": {"Action": "DELETE"},
        "more": {"Value": {"B": "AAE="}},
        "yes": {"Action": "PUT", "Value": {"BOOL": True}},
    }
    expected = {
        "n": {"Value": {"N": "5"}},
        "octets": {"ComparisonOperator": "BEGINS_WITH", "AttributeValueList": [{"B": "AA=="}]},
    }

    status, _ = tables.answer(
        "UpdateItem", {"TableName": "items", "Key": KEY, "AttributeUpdates": updates, "Expected": expected}
    )
    tables.ask(
        "UpdateItem", TableName="items", Key=KEY, AttributeUpdates=updates, Expected=expected, ConditionalOperator="OR"
    )
    found = tables.ask(
        "Query", TableName="items", KeyConditions={"pk": EQ}, QueryFilter={"n": {"ComparisonOperator": "NOT_NULL"}}
    )
    scanned = tables.ask(
        "Scan",
        TableName="items",
        ScanFilter={"yes": {"ComparisonOperator": "NE", "AttributeValueList": [{"BOOL": True}]}},
    )

    assert status == 400
    assert tables.item("a") == {
        "n": {"N": "3.5"},
        "s": {"SS": ["q"]},
        "l": {"L": [N, {"S": "x"}]},
        "more": {"B": "AAE="},
        "yes": {"BOOL": True},
    }
    assert (found["Count"], scanned["Count"]) == (1, 0)


# Time to live


def test_an_expired_items_deletion_tells_who_did_it(tables: Tables) -> None:
    """As DynamoDB itself; what a request deletes tells nothing, and what expired too long ago stays."""
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False):
        tables.put("a", expires={"N": "1767323044"})
        tables.ask("DeleteItem", TableName="items", Key=KEY)
        tables.put("a", expires={"N": "1767323044"})
        tables.put("ages ago", expires={"N": "1600000000"})
        expired = tables.store.expire()

    records, _ = tables.store.streams.read("items", 0, 10)
    removed = [record for record in records if record["eventName"] == "REMOVE"]

    assert expired == 1
    assert [record.get("userIdentity") for record in removed] == [
        None,
        {"type": "Service", "principalId": "dynamodb.amazonaws.com"},
    ]
    assert tables.item("ages ago") is not None
