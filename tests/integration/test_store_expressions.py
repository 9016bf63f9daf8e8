"""Expressions: what they mean, and which of them DynamoDB refuses, in its own words."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.store_tables import Tables

N = {"N": "1"}
TEXT = {"S": "x"}
TRUE = {"BOOL": True}

OPERAND = "Incorrect operand type for operator or function; operator or function: {}, operand type: {}"
DISTINCT = (
    "The first operand must be distinct from the remaining operands for this operator or function; "
    "operator: {}, first operand: [{}]"
)
MISUSED = "The function is not allowed to be used this way in an expression; function: {}"
COUNT = "Incorrect number of operands for operator or function; operator or function: {}, number of operands: {}"
BOUNDS = "lower bound operand: AttributeValue: {{{}}}, upper bound operand: AttributeValue: {{{}}}"


@pytest.fixture
def tables() -> Tables:
    return Tables()


CONDITIONS: list[tuple[str, dict[str, Any], str]] = [
    ("begins_with(pk, :v)", {"v": N}, OPERAND.format("begins_with", "N")),
    ("begins_with(:v, pk)", {"v": TRUE}, OPERAND.format("begins_with", "BOOL")),
    ("begins_with(size(a), :v)", {"v": TEXT}, OPERAND.format("begins_with", "N")),
    ("z < :v", {"v": TRUE}, OPERAND.format("<", "BOOL")),
    (":v >= z", {"v": {"NULL": True}}, OPERAND.format(">=", "NULL")),
    ("z > :v", {"v": {"M": {}}}, OPERAND.format(">", "M")),
    ("z <= :v", {"v": {"SS": ["a"]}}, OPERAND.format("<=", "SS")),
    ("NOT (z < :v)", {"v": {"L": []}}, OPERAND.format("<", "L")),
    ("z BETWEEN :v AND :w", {"v": TRUE, "w": TRUE}, OPERAND.format("BETWEEN", "BOOL")),
    ("size(:v) > :n", {"v": N, "n": N}, OPERAND.format("size", "N")),
    ("size(size(a)) > :n", {"n": N}, OPERAND.format("size", "N")),
    ("contains(:v, a)", {"v": TRUE}, OPERAND.format("contains", "BOOL")),
    ("attribute_type(a, :v)", {"v": N}, OPERAND.format("attribute_type", "N")),
    ("attribute_type(a, b)", {}, OPERAND.format("attribute_type", "{NS,SS,L,BS,N,M,B,BOOL,NULL,S}")),
    (
        "attribute_type(a, :v)",
        {"v": {"S": "DOG"}},
        "Invalid attribute type name found; type: DOG, valid types: {B,NULL,SS,BOOL,L,BS,N,NS,S,M}",
    ),
    (
        "z BETWEEN :v AND :w",
        {"v": {"N": "5"}, "w": N},
        "The BETWEEN operator requires upper bound to be greater than or equal to lower bound; "
        + BOUNDS.format("N:5", "N:1"),
    ),
    (
        "z BETWEEN :v AND :w",
        {"v": N, "w": TEXT},
        "The BETWEEN operator requires same data type for lower and upper bounds; " + BOUNDS.format("N:1", "S:x"),
    ),
    ("pk = pk", {}, DISTINCT.format("=", "pk")),
    ("#a < #a", {}, DISTINCT.format("<", "a")),
    ("contains(a.b[1], a.b[1])", {}, DISTINCT.format("contains", "a, b, [1]")),
    ("begins_with(a, a)", {}, DISTINCT.format("begins_with", "a")),
    (
        "attribute_exists(:v)",
        {"v": N},
        "Operator or function requires a document path; operator or function: attribute_exists",
    ),
    ("attribute_exists(a, b)", {}, COUNT.format("attribute_exists", 2)),
    ("begins_with(a)", {}, COUNT.format("begins_with", 1)),
    ("size(a, b) = :v", {"v": N}, COUNT.format("size", 2)),
    ("size(a)", {}, MISUSED.format("size")),
    ("attribute_exists(a) = :v", {"v": TRUE}, MISUSED.format("attribute_exists")),
    ("a = contains(b, :v)", {"v": TRUE}, MISUSED.format("contains")),
    ("contains(a, attribute_exists(b))", {}, MISUSED.format("attribute_exists")),
    ("if_not_exists(a, b) = :v", {"v": N}, MISUSED.format("if_not_exists")),
    ("dog(a) = :v", {"v": N}, "Invalid function name; function: dog"),
    ("f(" * 1000 + "a" + ")" * 1000, {}, "Invalid function name; function: f"),
    ("ATTRIBUTE_EXISTS(a)", {}, "Invalid function name; function: ATTRIBUTE_EXISTS"),
    ("status = :v", {"v": N}, "Attribute name is a reserved keyword; reserved keyword: status"),
    ("a.Name = :v", {"v": N}, "Attribute name is a reserved keyword; reserved keyword: Name"),
    ("((a = :v))", {"v": N}, "The expression has redundant parentheses;"),
    ("((a)) = :v", {"v": N}, "The expression has redundant parentheses;"),
    ("(" * 2000 + "a = b" + ")" * 2000, {}, "The expression has redundant parentheses;"),
    ("a = :w", {}, "An expression attribute value used in expression is not defined; attribute value: :w"),
    (
        "#w = :v",
        {"v": N},
        "An expression attribute name used in the document path is not defined; attribute name: #w",
    ),
    (
        f"a IN ({', '.join(':v' for _ in range(101))})",
        {"v": N},
        "The IN operator is provided with too many operands; number of operands: 101",
    ),
    (" OR ".join(["a = :v"] * 151), {"v": N}, "The expression contains too many operators; operator count: 301"),
    ("NOT " * 1000 + "a = :v", {"v": N}, "The expression contains too many operators; operator count: 1001"),
    ("", {}, "The expression can not be empty;"),
    ("a" * 4097, {}, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
    ("(" * 4097, {}, "Expression size has exceeded the maximum allowed size; expression size: 4097"),
    ("a = ", {}, 'Syntax error; token: "<EOF>", near: "="'),
    ("attribute_not_exists(", {}, 'Syntax error; token: "<EOF>", near: "("'),
    ("(" * 4096, {}, 'Syntax error; token: "<EOF>", near: "("'),
    ("a = b)", {}, 'Syntax error; token: ")", near: "b)"'),
    ("a", {}, 'Syntax error; token: "<EOF>", near: "a"'),
    ("a IN ()", {}, 'Syntax error; token: ")", near: "()"'),
    ("_a = b", {}, 'Syntax error; token: "_", near: "_a"'),
    ("a = b c", {}, 'Syntax error; token: "c", near: "b c"'),
    ("a[b] = c", {}, 'Syntax error; token: "b", near: "[b]"'),
    ("a[99999999999] = c", {}, "List index is not within the allowable range; index: [99999999999]"),
    ("NOT", {}, 'Syntax error; token: "<EOF>", near: "NOT"'),
    ("a = b AND", {}, 'Syntax error; token: "<EOF>", near: "AND"'),
]


@pytest.mark.parametrize(("condition", "values", "message"), CONDITIONS, ids=[str(n) for n in range(len(CONDITIONS))])
def test_a_condition_that_cannot_be_is_refused(
    tables: Tables, condition: str, values: dict[str, Any], message: str
) -> None:
    """In a condition and in a filter, whatever the table holds."""
    names = {"#a": "a"} if "#a" in condition else None
    request = tables.condition("a", condition, names=names, **values)
    scan = {name: value for name, value in request.items() if name.startswith("ExpressionAttribute")}

    assert tables.refused("DeleteItem", **request) == f"Invalid ConditionExpression: {message}"
    assert (
        tables.refused("Scan", TableName="items", FilterExpression=condition, **scan)
        == f"Invalid FilterExpression: {message}"
    )
    assert (
        tables.refused("TransactWriteItems", TransactItems=[{"Delete": request}])
        == f"Invalid ConditionExpression: {message}"
    )


HELD: list[tuple[str, dict[str, Any]]] = [
    ("begins_with(octets, :v)", {"v": {"B": "AAE="}}),
    ("contains(octets, :v)", {"v": {"B": "AQ=="}}),
    ("contains(numbers, :v)", {"v": {"N": "1.0"}}),
    ("contains(parts, :v)", {"v": {"M": {"a": {"N": "1.0"}}}}),
    ("octets < :v", {"v": {"B": "gA=="}}),
    ("NOT begins_with(octets, :v)", {"v": {"S": "a"}}),
    ("NOT (n < :v)", {"v": {"S": "a"}}),
    ("n <> :v", {"v": {"S": "3"}}),
    ("absent <> :v", {"v": N}),
    ("absent <> gone", {}),
    ("NOT absent = gone", {}),
    ("numbers = :v", {"v": {"NS": ["2", "1"]}}),
    ("size(name_) = :v", {"v": {"N": "4"}}),
    ("NOT (size(n) > :v OR size(n) <= :v)", {"v": N}),
    ("n BETWEEN :v AND :w AND n = n2", {"v": N, "w": {"N": "3"}}),
    ("NOT n = n2 OR n = n2", {}),
    ("n in (absent, n2)", {}),
    ("(n) = (n2) and (attribute_exists(n))", {}),
    ("attribute_type(n, :v)", {"v": {"S": "N"}}),
    ("parts[1].b = :v OR parts[0].a = :v", {"v": N}),
    (f"n IN ({', '.join(['absent'] * 99)}, n2)", {}),
    ("n = n2" + " OR (n = n2" * 149 + ")" * 149, {}),
    ("n = n2 OR (NOT (NOT (absent = n)) AND absent = n)", {}),
]


@pytest.mark.parametrize(("condition", "values"), HELD, ids=[str(n) for n in range(len(HELD))])
def test_a_condition_holds_as_dynamodb_has_it(tables: Tables, condition: str, values: dict[str, Any]) -> None:
    """Values of different types differ, and what isn't there is like nothing; binaries are bytes."""
    tables.put(
        "a",
        n={"N": "3"},
        n2={"N": "3.0"},
        name_={"S": "four"},
        octets={"B": "AAECfw=="},
        numbers={"NS": ["1", "2"]},
        parts={"L": [{"M": {"a": {"N": "1"}}}]},
    )

    assert tables.holds("a", condition, **values)


UPDATES: list[tuple[str, dict[str, Any], str]] = [
    ("SET c = :v + :w", {"v": N, "w": TEXT}, OPERAND.format("+", "S")),
    ("SET c = a - :v", {"v": {"L": []}}, OPERAND.format("-", "L")),
    ("SET c = list_append(a, :v)", {"v": TEXT}, OPERAND.format("list_append", "S")),
    ("ADD c :v", {"v": TEXT}, "Incorrect operand type for operator or function; operator: ADD, operand type: STRING"),
    (
        "ADD c :v",
        {"v": {"L": []}},
        "Incorrect operand type for operator or function; operator: ADD, operand type: LIST",
    ),
    (
        "DELETE c :v",
        {"v": N},
        "Incorrect operand type for operator or function; operator: DELETE, operand type: NUMBER",
    ),
    ("SET c = list_append(a)", {}, COUNT.format("list_append", 1)),
    ("SET c = if_not_exists(a, b, c)", {}, COUNT.format("if_not_exists", 3)),
    (
        "SET c = if_not_exists(:v, :v)",
        {"v": N},
        "Operator or function requires a document path; operator or function: if_not_exists",
    ),
    ("SET c = list_append(list_append(a, b), a)", {}, MISUSED.format("list_append")),
    ("SET c = size(a)", {}, MISUSED.format("size")),
    ("SET c = f(a)", {}, "Invalid function name; function: f"),
    ("SET c = a SET d = a", {}, 'The "SET" section can only be used once in an update expression;'),
    ("SET a = b REMOVE c SET d = e", {}, 'The "SET" section can only be used once in an update expression;'),
    (
        "SET a = :v REMOVE a",
        {"v": N},
        (
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [a], path two: [a]"
        ),
    ),
    (
        "SET a.b[1] = :v, #a.b[1].c = :v",
        {"v": N},
        (
            "Two document paths overlap with each other; must remove or rewrite one of these paths; "
            "path one: [a, b, [1]], path two: [a, b, [1], c]"
        ),
    ),
    (
        "REMOVE a.b, a[1]",
        {},
        (
            "Two document paths conflict with each other; must remove or rewrite one of these paths; "
            "path one: [a, b], path two: [a, [1]]"
        ),
    ),
    ("SET other = :v", {"v": N}, "Attribute name is a reserved keyword; reserved keyword: other"),
    ("SET a = :v", {}, "An expression attribute value used in expression is not defined; attribute value: :v"),
    (
        "SET #b = :v",
        {"v": N},
        "An expression attribute name used in the document path is not defined; attribute name: #b",
    ),
    ("", {}, "The expression can not be empty;"),
    ("INVALID SYNTAX HERE", {}, 'Syntax error; token: "INVALID", near: "INVALID SYNTAX"'),
    ("SET a = b + c + d", {}, 'Syntax error; token: "+", near: "c + d"'),
    ("SET c = if_not_exists(c, a + b)", {}, 'Syntax error; token: "+", near: "a + b"'),
    ("SET :v = :v", {"v": N}, 'Syntax error; token: ":v", near: "SET :v ="'),
    ("SET a = b,", {}, 'Syntax error; token: "<EOF>", near: ","'),
    ("ADD a b", {}, 'Syntax error; token: "b", near: "a b"'),
    ("SET a = ((b)) + c", {}, "The expression has redundant parentheses;"),
    ("SET a = " + "x" * 4100, {}, "Expression size has exceeded the maximum allowed size; expression size: 4108"),
    (
        "SET " + ",".join(f"a{n}=b+c" for n in range(301)),
        {},
        "The expression contains too many operators; operator count: 301",
    ),
]


@pytest.mark.parametrize(("expression", "values", "message"), UPDATES, ids=[str(n) for n in range(len(UPDATES))])
def test_an_update_that_cannot_be_is_refused(
    tables: Tables, expression: str, values: dict[str, Any], message: str
) -> None:
    """Before anything is read."""
    request = tables.update("a", expression, names={"#a": "a"} if "#a" in expression else None, **values)

    assert tables.refused("UpdateItem", **request) == f"Invalid UpdateExpression: {message}"
    assert tables.item("a") is None


MADE: list[tuple[str, dict[str, Any], dict[str, Any]]] = [
    ("SET c = (n - :v)", {"v": N}, {"c": {"N": "2"}}),
    ("SET c = ((n) - (:v)), d = (:v)", {"v": N}, {"c": {"N": "2"}, "d": N}),
    ("set c = if_not_exists(x, if_not_exists(n, :v)) + :v", {"v": N}, {"c": {"N": "4"}}),
    ("SET n = :v, c = n", {"v": N}, {"n": N, "c": {"N": "3"}}),
    ("REMOVE n SET c = n", {}, {"n": None, "c": {"N": "3"}}),
    ("SET c = pk", {}, {"c": {"S": "a"}}),
    ("REMOVE l[0], l[1], l[9]", {}, {"l": {"L": [{"S": "c"}]}}),
    ("REMOVE l[0] SET l[2] = :v", {"v": N}, {"l": {"L": [{"S": "b"}, N]}}),
    ("SET l[84] = :v, l[37] = :w", {"v": N, "w": TEXT}, {"l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}, TEXT, N]}}),
    ("SET m.k.x = :v, m.k.y = :v REMOVE m.j", {"v": N}, {"m": {"M": {"k": {"M": {"x": N, "y": N}}}}}),
    ("ADD m.j :v", {"v": N}, {"m": {"M": {"k": {"M": {}}, "j": {"N": "2"}}}}),
    ("DELETE s :v", {"v": {"SS": ["p", "z"]}}, {"s": {"SS": ["q"]}}),
    ("DELETE s :v", {"v": {"SS": ["p", "q"]}}, {"s": None}),
    ("DELETE x :v ADD y :v", {"v": {"SS": ["p"]}}, {"y": {"SS": ["p"]}}),
    (
        "SET l = list_append(if_not_exists(x, :v), l)",
        {"v": {"L": [N]}},
        {"l": {"L": [N, {"S": "a"}, {"S": "b"}, {"S": "c"}]}},
    ),
]


@pytest.mark.parametrize(("expression", "values", "made"), MADE, ids=[str(n) for n in range(len(MADE))])
def test_an_update_makes_of_an_item_what_dynamodb_does(
    tables: Tables, expression: str, values: dict[str, Any], made: dict[str, Any]
) -> None:
    """What is read is the item as it was, and places in lists are those that were; the old item stays what it was."""
    before = {
        "n": {"N": "3"},
        "l": {"L": [{"S": "a"}, {"S": "b"}, {"S": "c"}]},
        "m": {"M": {"k": {"M": {}}, "j": N}},
        "s": {"SS": ["p", "q"]},
    }
    tables.put("a", **before)

    old = tables.ask("UpdateItem", **tables.update("a", expression, **values), ReturnValues="ALL_OLD")["Attributes"]

    assert tables.item("a") == {name: value for name, value in {**before, **made}.items() if value is not None}
    assert old == {"pk": {"S": "a"}} | before


NOT_DONE = [
    ("SET c = absent", {}, "The provided expression refers to an attribute that does not exist in the item"),
    ("SET c = absent + :v", {"v": N}, "The provided expression refers to an attribute that does not exist in the item"),
    ("SET c = t + :v", {"v": N}, "An operand in the update expression has an incorrect data type"),
    ("SET c = list_append(t, :v)", {"v": {"L": []}}, "An operand in the update expression has an incorrect data type"),
    ("ADD t :v", {"v": N}, "An operand in the update expression has an incorrect data type"),
    ("DELETE t :v", {"v": {"SS": ["x"]}}, "An operand in the update expression has an incorrect data type"),
    ("SET t.x = :v", {"v": N}, "The document path provided in the update expression is invalid for update"),
    ("SET absent.x = :v", {"v": N}, "The document path provided in the update expression is invalid for update"),
    ("REMOVE absent[0]", {}, "The document path provided in the update expression is invalid for update"),
    ("SET m[0] = :v", {"v": N}, "The document path provided in the update expression is invalid for update"),
    (
        "ADD big :v",
        {"v": {"N": "9E125"}},
        "Number overflow. Attempting to store a number with magnitude larger than supported range",
    ),
]


@pytest.mark.parametrize(("expression", "values", "message"), NOT_DONE)
def test_what_cannot_be_done_to_an_item_is_its_reason_in_a_transaction(
    tables: Tables, expression: str, values: dict[str, Any], message: str
) -> None:
    """And a validation error by itself."""
    tables.put("a", t={"S": "text"}, m={"M": {}}, big={"N": "9E125"})
    request = tables.update("a", expression, **values)

    _, told = tables.answer("TransactWriteItems", {"TransactItems": [{"Update": request}]})

    assert tables.refused("UpdateItem", **request) == message
    assert told["CancellationReasons"] == [{"Code": "ValidationError", "Message": message}]


def test_an_update_of_two_hundred_assignments_is_done(tables: Tables) -> None:
    """As long as its text fits into 4 KB."""
    expression = "SET " + ",".join(f"a{number}=:v" for number in range(200))

    tables.ask("UpdateItem", **tables.update("a", expression, v=N))

    assert tables.item("a") == {f"a{number}": N for number in range(200)}


def test_an_update_without_an_expression_makes_the_item(tables: Tables) -> None:
    """With nothing but its key, and leaves one that is there as it is."""
    for _ in range(2):
        tables.ask("UpdateItem", TableName="items", Key={"pk": {"S": "a"}})

    assert tables.item("a") == {}


def test_a_removal_from_an_item_that_is_not_there_makes_it(tables: Tables) -> None:
    """Whatever path is removed."""
    tables.ask("UpdateItem", **tables.update("a", "REMOVE x.y, z[0]"))

    assert tables.item("a") == {}


def test_an_update_leaves_the_keys_alone(tables: Tables) -> None:
    """The table's may not change, an index's not become what it can't be; no path leads into either."""
    invalid = "One or more parameter values were invalid: "
    scalar = "Key attributes must be scalars; list random access '[]' and map lookup '.' are not allowed: "
    update = {"TableName": "indexed", "Key": {"pk": {"S": "a"}, "sk": N}, "ExpressionAttributeValues": {":v": TRUE}}
    names = {"ExpressionAttributeNames": {"#o": "owner"}}

    told = [
        tables.refused("UpdateItem", **update, UpdateExpression="SET sk = :v"),
        tables.refused("UpdateItem", **update, UpdateExpression="SET pk.a = :v"),
        tables.refused("UpdateItem", **update, **names, UpdateExpression="SET #o = :v"),
        tables.refused("UpdateItem", **update, **names, UpdateExpression="SET #o.a = :v"),
        tables.refused("UpdateItem", **update, UpdateExpression="SET a = :v", ConditionExpression="pk.a = :v"),
    ]

    assert told == [
        f"{invalid}Cannot update attribute sk. This attribute is part of the key",
        f"{invalid}Cannot update attribute pk. This attribute is part of the key",
        f"{invalid}Type mismatch for Index Key owner Expected: S Actual: BOOL IndexName: by-owner",
        f"{scalar}IndexKey: owner",
        f"{scalar}Key: pk",
    ]


def test_an_update_makes_nothing_deeper_than_32_levels(tables: Tables) -> None:
    """Level by level, by a path into what is there."""
    deep: dict[str, Any] = {"M": {}}
    for _ in range(30):
        deep = {"M": {"n": deep}}
    tables.put("a", d=deep)
    path = ".".join(["d", *["n"] * 31])

    tables.ask("UpdateItem", **tables.update("a", f"SET {path} = :v", v=N))
    told = tables.refused("UpdateItem", **tables.update("a", f"SET {path} = :v", v={"L": [N]}))

    assert told.startswith("Nesting Levels have exceeded supported limits")


def test_what_was_updated_is_returned_within_its_document(tables: Tables) -> None:
    """Only the parts that the expression names."""
    tables.put("a", m={"M": {"x": N, "y": N}}, l={"L": [N, TEXT]}, n=N)
    update = tables.update("a", "SET m.x = :v, l[1] = :v", v={"N": "2"})

    old = tables.ask("UpdateItem", **update, ReturnValues="UPDATED_OLD")["Attributes"]
    new = tables.ask("UpdateItem", **update, ReturnValues="UPDATED_NEW")["Attributes"]

    assert old == {"m": {"M": {"x": N}}, "l": {"L": [TEXT]}}
    assert new == {"m": {"M": {"x": {"N": "2"}}}, "l": {"L": [{"N": "2"}]}}


@pytest.mark.parametrize(
    ("projection", "found"),
    [
        ("n, absent", {"n": N}),
        ("m.x, l[1], l[0].z", {"m": {"M": {"x": N}}, "l": {"L": [TEXT]}}),
        ("absent", {}),
    ],
)
def test_a_projection_is_part_of_an_item(tables: Tables, projection: str, found: dict[str, Any]) -> None:
    """Alone, in a batch, in a transaction, in a scan; a document keeps its form around its parts."""
    tables.put("a", m={"M": {"x": N, "y": N}}, l={"L": [N, TEXT]}, n=N)
    get = {"TableName": "items", "Key": {"pk": {"S": "a"}}, "ProjectionExpression": projection}
    batch = {"items": {"Keys": [{"pk": {"S": "a"}}], "ProjectionExpression": projection}}

    assert tables.ask("GetItem", **get)["Item"] == found
    assert tables.ask("BatchGetItem", RequestItems=batch)["Responses"]["items"] == [found]
    assert tables.ask("TransactGetItems", TransactItems=[{"Get": get}])["Responses"] == [{"Item": found}]
    assert tables.ask("Scan", TableName="items", ProjectionExpression=projection)["Items"] == [found]


@pytest.mark.parametrize(
    ("projection", "message"),
    [
        ("", "The expression can not be empty;"),
        ("!!!", 'Syntax error; token: "!", near: "!!"'),
        ("a,", 'Syntax error; token: "<EOF>", near: ","'),
        ("pk, status", "Attribute name is a reserved keyword; reserved keyword: status"),
        ("#a", "An expression attribute name used in the document path is not defined; attribute name: #a"),
        (
            "a.b, a",
            (
                "Two document paths overlap with each other; must remove or rewrite one of these paths; "
                "path one: [a, b], path two: [a]"
            ),
        ),
        (", ".join(["abcdefgh"] * 500), "Expression size has exceeded the maximum allowed size; expression size: 4998"),
    ],
)
def test_a_projection_that_cannot_be_is_refused(tables: Tables, projection: str, message: str) -> None:
    """Whether or not the item is there."""
    told = tables.refused("GetItem", TableName="items", Key={"pk": {"S": "a"}}, ProjectionExpression=projection)

    assert told == f"Invalid ProjectionExpression: {message}"


PLACEHOLDERS: list[tuple[dict[str, Any], str]] = [
    (
        {"UpdateExpression": "SET a = :v", "ExpressionAttributeValues": {":v": N, ":w": N}},
        "Value provided in ExpressionAttributeValues unused in expressions: keys: {:w}",
    ),
    (
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"#b": "b"}},
        "Value provided in ExpressionAttributeNames unused in expressions: keys: {#b}",
    ),
    ({"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {}}, "ExpressionAttributeValues must not be empty"),
    ({"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {}}, "ExpressionAttributeNames must not be empty"),
    (
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeNames": {"b": "b"}},
        'ExpressionAttributeNames contains invalid key: Syntax error; key: "b"',
    ),
    (
        {"UpdateExpression": "REMOVE a", "ExpressionAttributeValues": {":b-c": N}},
        'ExpressionAttributeValues contains invalid key: Syntax error; key: ":b-c"',
    ),
    (
        {"ExpressionAttributeNames": {"#b": "b"}},
        "ExpressionAttributeNames can only be specified when using expressions",
    ),
    (
        {"ExpressionAttributeValues": {":b": N}},
        (
            "ExpressionAttributeValues can only be specified when using expressions: "
            "UpdateExpression and ConditionExpression are null"
        ),
    ),
    (
        {"UpdateExpression": "REMOVE #b", "ExpressionAttributeNames": {"#b": ""}},
        "One or more parameter values were invalid: Empty attribute name",
    ),
    (
        {"UpdateExpression": "REMOVE a", "AttributeUpdates": {"a": {"Action": "DELETE"}}},
        (
            "Can not use both expression and non-expression parameters in the same request: "
            "Non-expression parameters: {AttributeUpdates} Expression parameters: {UpdateExpression}"
        ),
    ),
]


@pytest.mark.parametrize(("params", "message"), PLACEHOLDERS)
def test_what_an_expression_refers_to_is_given_and_used(tables: Tables, params: dict[str, Any], message: str) -> None:
    """Nothing more, nothing less."""
    assert tables.refused("UpdateItem", TableName="items", Key={"pk": {"S": "a"}}, **params) == message


def test_an_expression_is_as_long_as_it_is_written(tables: Tables) -> None:
    """4,096 bytes are allowed, and what a name stands for doesn't count."""
    names = {f"#n{number}": "n" * 500 + str(number) for number in range(10)}
    condition = f"attribute_not_exists({'a' * (4096 - 22)})"

    tables.ask("PutItem", TableName="items", Item={"pk": {"S": "a"}}, ConditionExpression=condition)
    tables.ask(
        "GetItem",
        TableName="items",
        Key={"pk": {"S": "a"}},
        ProjectionExpression=",".join(names),
        ExpressionAttributeNames=names,
    )


WORDS = [
    *("SET", "REMOVE", "ADD", "DELETE", "AND", "OR", "NOT", "IN", "BETWEEN"),
    *("size", "contains", "begins_with", "attribute_exists", "attribute_type", "if_not_exists", "list_append"),
    *("a", "n", "m", "#a", "#b", ":v", ":w", "0", "7", "status", "_", "\x00", "ü"),
    *("(", ")", "[", "]", ".", ",", "=", "<", "<=", "<>", "+", "-"),
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.sampled_from(WORDS), max_size=60).map(" ".join), st.sampled_from([N, TEXT, TRUE, {"L": [N]}]))
def test_whatever_is_written_as_an_expression_is_answered(text: str, value: dict[str, Any]) -> None:
    """With what it means, or with what is wrong about it."""
    tables = Tables()
    tables.put("a", a={"L": [N]}, n=N, m={"M": {"a": TEXT}})
    given_with = {"ExpressionAttributeNames": {"#a": "a"}, "ExpressionAttributeValues": {":v": value}}
    update = {"TableName": "items", "Key": {"pk": {"S": "a"}}, "UpdateExpression": text}

    for operation, params in [
        ("UpdateItem", update | given_with),
        ("UpdateItem", update),
        ("Scan", {"TableName": "items", "FilterExpression": text} | given_with),
        ("Query", {"TableName": "items", "KeyConditionExpression": text} | given_with),
        ("GetItem", {"TableName": "items", "Key": {"pk": {"S": "a"}}, "ProjectionExpression": text}),
    ]:
        status, body = tables.answer(operation, params)
        assert status == 200 or body["__type"] == "ValidationException"
