"""Event patterns match and are refused as EventBridge's documentation and its open source matcher say."""

import itertools
import json
from decimal import Decimal

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from eachonce_workbench.matching.pattern import InvalidPattern, Pattern
from eachonce_workbench.matching.reading import read_json
from eachonce_workbench.matching.text import fits_wildcard

ABSENT = object()


def matches(wanted: list, value: object = ABSENT) -> bool:
    """Whether a field that is wanted like this may have this value, or be absent."""
    event = {"detail": {}} if value is ABSENT else {"detail": {"field": value}}
    return Pattern({"detail": {"field": wanted}}).matches(event)


def refusal(document: object) -> InvalidPattern:
    with pytest.raises(InvalidPattern) as caught:
        Pattern(document)
    return caught.value


# The whole pattern


def test_every_field_named_must_match_and_others_are_ignored():
    """Fields are joined by "and"; what the pattern doesn't name, an event may have or lack."""
    pattern = Pattern({"source": ["shop"], "detail": {"state": ["placed", "paid"]}})

    assert pattern.matches({"source": "shop", "detail": {"state": "paid", "total": 5}, "region": "eu-west-1"})
    assert not pattern.matches({"source": "shop", "detail": {"state": "lost"}})
    assert not pattern.matches({"source": "shop", "detail": {}})
    assert not pattern.matches({"source": "other", "detail": {"state": "paid"}})


def test_a_pattern_is_given_as_an_object_or_as_its_json_text():
    """CloudFormation has the object, the API the text."""
    document = {"source": ["shop"], "detail": {"total": [{"numeric": [">", 10]}]}}
    event = {"source": "shop", "detail": {"total": 11}}

    assert Pattern(document).matches(event)
    assert Pattern(json.dumps(document)).matches(event)


def test_the_last_of_two_equal_fields_in_json_text_counts():
    """JSON text may name a key twice."""
    pattern = Pattern('{"source": ["a"], "source": ["b"]}')

    assert pattern.matches({"source": "b"})
    assert not pattern.matches({"source": "a"})


def test_an_object_that_comes_twice_in_json_text_has_the_fields_of_both():
    """In a pattern both are wanted, and an event has the values of both."""
    pattern = Pattern('{"detail": {"a": [1]}, "detail": {"b": [2]}}')

    assert pattern.matches(read_json('{"detail": {"a": 1, "b": 2}}'))
    assert pattern.matches(read_json('{"detail": {"a": 1}, "detail": {"a": 0, "b": 2}}'))
    assert not pattern.matches(read_json('{"detail": {"b": 2}}'))


def test_a_dot_in_a_key_means_the_same_as_nesting():
    """In the pattern and in the event alike."""
    nested, dotted = Pattern({"detail": {"state": {"status": ["on"]}}}), Pattern({"detail": {"state.status": ["on"]}})

    for event in (
        {"detail": {"state": {"status": "on"}}},
        {"detail": {"state.status": "on"}},
        {"detail.state.status": "on"},
    ):
        assert nested.matches(event)
        assert dotted.matches(event)
    assert not nested.matches({"detail": {"state.status": {"status": "on"}}})


def test_names_and_values_are_compared_with_their_case():
    """Nothing is normalized."""
    pattern = Pattern({"source": ["Shop"]})

    assert pattern.matches({"source": "Shop"})
    assert not pattern.matches({"source": "shop"})
    assert not pattern.matches({"Source": "Shop"})


# Values


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (["a"], "a"),
        (["b", "a"], "a"),
        ([""], ""),
        ([None], None),
        ([True], True),
        ([False], False),
        ([300], 300),
        ([300], 300.0),
        ([3.0e2], 300),
        ([0.1], 0.1),
        ([123456789012], 123456789012),
        (["::1"], "0:0:0:0:0:0:0:1"),
        ([{"exactly": "a"}], "a"),
        (["a", {"prefix": "b"}], "banana"),
    ],
)
def test_a_value_equals_itself(wanted, value):
    """Numbers by value, addresses however they are spelled, the rest as written."""
    assert matches(wanted, value)


@pytest.mark.parametrize(
    ("wanted", "value"),
    [
        (["a"], "b"),
        (["a"], "A"),
        ([""], None),
        ([None], ""),
        ([None], []),
        (["null"], None),
        ([True], 1),
        ([1], True),
        ([0], False),
        ([False], 0),
        (["true"], True),
        ([300], "300"),
        (["300"], 300),
        ([300], 301),
        ([6e9], 7e9),
        (["a"], {"a": "a"}),
        (["a"], ABSENT),
        ([None], ABSENT),
    ],
)
def test_a_value_differs_from_all_others(wanted, value):
    """Types are told apart, and an object or nothing equals no value."""
    assert not matches(wanted, value)


scalars = (
    st.none()
    | st.booleans()
    | st.integers(-3, 3)
    | st.sampled_from([0.0, 1.0, 0.5])
    | st.sampled_from(["", "0", "1", "true"])
)


def json_equal(left: object, right: object) -> bool:
    """Equality as in JSON, where true is not 1."""
    return left == right and isinstance(left, bool) == isinstance(right, bool)


@given(wanted=st.lists(scalars, min_size=1), value=scalars)
def test_a_list_of_values_matches_exactly_its_members(wanted, value):
    """Property: membership by JSON equality."""
    assert matches(wanted, value) == any(json_equal(item, value) for item in wanted)


# Text


@pytest.mark.parametrize(
    ("operator", "fitting", "others"),
    [
        ({"prefix": "Ab"}, ["Ab", "Abc"], ["abc", "xAb", "A", 5, None]),
        ({"prefix": ""}, ["", "x"], [5, True, None]),
        ({"prefix": {"equals-ignore-case": "Ab"}}, ["Ab", "aBc"], ["xab", "a"]),
        ({"suffix": ".png"}, [".png", "a.png"], ["a.PNG", "a.png "]),
        ({"suffix": {"equals-ignore-case": ".png"}}, ["a.PnG"], ["a.png\n", "a.pngx"]),
        ({"equals-ignore-case": "alice"}, ["alice", "ALICE", "aLiCe"], ["alicex", "xalice", "", 5]),
        ({"equals-ignore-case": "a.c"}, ["A.C"], ["abc"]),
        ({"equals-ignore-case": "ß"}, ["ß", "SS"], ["ss"]),
        ({"equals-ignore-case": "a😀"}, ["A??"], ["a😀"]),
        ({"suffix": {"equals-ignore-case": "aß"}}, ["xAß", "aSS", "ASS"], ["ass", "ß"]),
        ({"wildcard": "*"}, ["", "anything\nat all"], [5, None]),
        ({"wildcard": "dir/*.png"}, ["dir/.png", "dir/a.png"], ["dir/a.jpg", "xdir/a.png"]),
        ({"wildcard": "a*b*a"}, ["aba", "axbya", "abba"], ["aa", "ab", "aab"]),
        ({"wildcard": "a*a"}, ["aa", "aba"], ["a"]),
        ({"wildcard": "*a*a"}, ["aa"], ["a"]),
        ({"wildcard": r"5\*\\*"}, [r"5*\ "], [r"5x\ ", "5*"]),
        ({"wildcard": ""}, [""], ["a"]),
    ],
)
def test_text_operators(operator, fitting, others):
    """They look at strings alone."""
    assert [value for value in fitting if not matches([operator], value)] == []
    assert [value for value in others if matches([operator], value)] == []


def fits_by_definition(wildcard: list[str], text: str) -> bool:
    """What a wildcard means, one character at a time."""
    if not wildcard:
        return not text
    if wildcard[0] == "*":
        return fits_by_definition(wildcard[1:], text) or (text != "" and fits_by_definition(wildcard, text[1:]))
    return text[:1] == wildcard[0][-1] and fits_by_definition(wildcard[1:], text[1:])


wildcards = st.lists(st.sampled_from(["a", "b", r"\*", r"\\", "*"]), max_size=7).filter(
    lambda tokens: ("*", "*") not in itertools.pairwise(tokens)
)


@given(wildcard=wildcards, text=st.text("ab*\\", max_size=8))
def test_a_wildcard_fits_by_its_definition(wildcard, text):
    """Property: an asterisk is any run of characters, every other token itself."""
    assert fits_wildcard("".join(wildcard))(text) == fits_by_definition(wildcard, text)


# Numbers


@pytest.mark.parametrize(
    ("bounds", "fitting", "others"),
    [
        (["=", 5], [5, 5.0, Decimal("5.00"), Decimal("50e-1")], [5.000001, "5", None, True]),
        (["<", 5], [4.999999, -5e9, -5.1e9, -1e300], [5]),
        (["<=", 5], [5], [5.000001, 5.0000000000000009]),
        ([">", 5], [5.000001, 5e9, 5.1e9, 1e300, 2**53], [5]),
        ([">=", 5], [5], [4.999999]),
        ([">", 0, "<=", 5], [1, 5, 1e-300], [0, 6]),
        ([">=", -1.5, "<", 0], [-1.5, -1], [0, -1.6]),
        (["=", 0.3], [0.3], [0.1 + 0.2, 0.300001]),
        ([">", 5_000_000_000], [5_000_000_001, 123_456_789_012, 7e9], [5e9, 4_999_999_999]),
        (["=", 1e100], [Decimal("1e100")], [Decimal("1e101")]),
    ],
)
def test_numeric_ranges(bounds, fitting, others):
    """Numbers alone, however large or small, as far as a double has them."""
    assert [value for value in fitting if not matches([{"numeric": bounds}], value)] == []
    assert [value for value in others if matches([{"numeric": bounds}], value)] == []


@pytest.mark.parametrize("text", ["0.1234567890123456781", "9007199254740993", "1e400", "3.14159265358979323846"])
def test_a_number_that_no_double_is_equals_itself_and_lies_in_no_range(text):
    """It has no place among the others, whichever side it is on."""
    number = read_json(text)

    assert matches([number], number)
    assert not matches([number], read_json("1"))
    assert not matches([{"numeric": ["<", 10]}, {"numeric": [">", 0]}], number)
    assert matches([{"anything-but": [1, 2]}], number)


def test_numbers_that_share_their_double_differ():
    """They are compared as they are written."""
    event = read_json('{"n": 0.1234567890123456781}')

    assert Pattern('{"n": [0.1234567890123456781]}').matches(event)
    assert not Pattern('{"n": [0.1234567890123456782]}').matches(event)


numbers = st.integers(-(10**10), 10**10) | st.floats(allow_nan=False, allow_infinity=False)


@given(bottom=numbers, top=numbers, value=numbers)
def test_a_numeric_range_is_arithmetic(bottom, top, value):
    """Property: a range is what comparing doubles says."""
    if float(bottom) >= float(top):
        return

    found = matches([{"numeric": [">", bottom, "<=", top]}], value)

    assert found == (bottom < value <= top)


# Addresses


@pytest.mark.parametrize(
    ("block", "inside", "outside"),
    [
        ("10.0.0.0/24", ["10.0.0.0", "10.0.0.255"], ["10.0.1.0", "10.0.0", "10.0.0.256", "a", "::", 167772160]),
        ("10.0.0.77/24", ["10.0.0.1"], ["10.0.1.1"]),
        ("10.0.0.0/+024/", ["010.0.0.1", "::ffff:0a00:0001"], ["10.0.1.1", "0000000010.0.0.1"]),
        ("0.0.0.0/0", ["1.2.3.4"], ["::1"]),
        ("2001:db8::/32", ["2001:db8::1", "2001:0DB8:0:0::5"], ["2001:db9::1", "10.0.0.1"]),
    ],
)
def test_cidr(block, inside, outside):
    """An address in the block, whatever host bits the block is written with."""
    assert [value for value in inside if not matches([{"cidr": block}], value)] == []
    assert [value for value in outside if matches([{"cidr": block}], value)] == []


# Anything but


@pytest.mark.parametrize(
    ("but", "others", "refused"),
    [
        ("a", ["b", "A", "", 5, None, True], ["a"]),
        (["a", "b"], ["c", 5], ["a", "b"]),
        (5, [6, "5", None, True], [5, 5.0]),
        ([0, 5], [1, False], [0, 5]),
        ({"prefix": "init"}, ["x", 12, None], ["init", "initial"]),
        ({"prefix": ["a", "b"]}, ["c"], ["ax", "bx"]),
        ({"suffix": ".png"}, ["a.jpg", 12], ["a.png"]),
        ({"suffix": [".png", ".jpg"]}, ["a.gif"], ["a.png", "a.jpg"]),
        ({"equals-ignore-case": "Init"}, ["x", None], ["init", "INIT"]),
        ({"equals-ignore-case": ["a", "B"]}, ["c"], ["A", "b"]),
        ({"wildcard": "*/lib/*"}, ["/bin/x", 12], ["/lib/x"]),
        ({"wildcard": ["*.png", "a*"]}, ["b.jpg"], ["x.png", "ab"]),
        ({"wildcard": ""}, ["x"], [""]),
    ],
)
def test_anything_but(but, others, refused):
    """Whatever has another value, of any type; a field that is absent has none."""
    assert [value for value in others if not matches([{"anything-but": but}], value)] == []
    assert [value for value in refused if matches([{"anything-but": but}], value)] == []
    assert not matches([{"anything-but": but}], ABSENT)
    assert not matches([{"anything-but": but}], {"inner": "x"})


def test_anything_but_accepts_an_array_with_one_other_element():
    """Any element counts."""
    assert matches([{"anything-but": "a"}], ["a", "b"])
    assert not matches([{"anything-but": "a"}], ["a", "a"])
    assert not matches([{"anything-but": "a"}], [])


# Presence


@pytest.mark.parametrize("value", ["", None, False, 0, ["x"], [[None]]])
def test_a_leaf_exists_whatever_its_value(value):
    """Null, too, is a value; an array is there when an element is."""
    assert matches([{"exists": True}], value)
    assert not matches([{"exists": False}], value)


@pytest.mark.parametrize("value", [ABSENT, {"inner": 1}, {}, [], [[]], [{"inner": 1}]])
def test_what_is_not_a_leaf_does_not_exist(value):
    """An object is an intermediate node, and an empty array holds nothing."""
    assert matches([{"exists": False}], value)
    assert not matches([{"exists": True}], value)


def test_a_field_below_a_plain_value_is_absent():
    """A path that ends too early in the event leads nowhere."""
    event = {"detail": "text"}

    assert not Pattern({"detail": {"field": [{"exists": True}, "text"]}}).matches(event)
    assert Pattern({"detail": {"field": [{"exists": False}]}}).matches(event)


def test_a_field_below_an_absent_object_is_absent():
    """As in a filter on an attribute that an item may lack."""
    pattern = Pattern({"dynamodb": {"NewImage": {"note": {"S": [{"anything-but": ["x"]}, {"exists": False}]}}}})

    assert pattern.matches({"dynamodb": {"NewImage": {"other": {"S": "x"}}}})
    assert pattern.matches({"dynamodb": {"NewImage": {"note": {"S": "y"}}}})
    assert not pattern.matches({"dynamodb": {"NewImage": {"note": {"S": "x"}}}})


# Arrays


def test_an_array_matches_when_any_element_does():
    """The pattern's array and the event's array have a value in common, at any depth."""
    assert matches(["b", "x"], ["a", "b"])
    assert matches(["b"], [["a"], [["b"]]])
    assert matches([{"prefix": "b"}], ["a", "banana"])
    assert not matches(["c"], ["a", "b"])
    assert not matches(["a"], [])


EMPLOYEES = Pattern({"staff": {"first": ["Anna"], "last": ["Jones"]}})


def test_fields_of_an_object_in_an_array_match_within_one_element():
    """Two fields that lie in different elements of one array are no match."""
    anna_smith, peter_jones = {"first": "Anna", "last": "Smith"}, {"first": "Peter", "last": "Jones"}

    assert not EMPLOYEES.matches({"staff": [anna_smith, peter_jones]})
    assert not EMPLOYEES.matches({"staff": [[anna_smith], [peter_jones]]})
    assert not EMPLOYEES.matches({"staff": [[anna_smith, peter_jones]]})
    assert EMPLOYEES.matches({"staff": [anna_smith, {"first": "Anna", "last": "Jones"}]})
    assert EMPLOYEES.matches({"staff": [[anna_smith], [{"last": "Jones", "first": "Anna"}]]})


def test_fields_of_different_arrays_are_found_independently():
    """Only an array that two fields share ties them."""
    pattern = Pattern({"a": {"x": [1]}, "b": {"x": [2]}})

    assert pattern.matches({"a": [{"x": 0}, {"x": 1}], "b": [{"x": 2}, {"x": 0}]})


def test_arrays_inside_one_element_are_found_independently():
    """An element of the outer array holds two inner arrays, each with two fields to match."""
    pattern = Pattern({"orders": {"lines": {"sku": ["s"], "units": [2]}, "notes": {"by": ["n"], "on": [1]}}})
    lines = {"lines": [{"sku": "x"}, {"sku": "s", "units": 2}]}
    notes = {"notes": [{"by": "n", "on": 1}, {"by": "y"}]}

    assert pattern.matches({"orders": [{**lines, **notes}]})
    assert not pattern.matches({"orders": [lines, notes]})


def test_one_list_in_two_places_is_two_arrays():
    """What counts is where an array stands, not which Python object it is."""
    pattern = Pattern({"d": {"a": {"x": [1]}, "b": {"x": [2]}}})
    rows = [{"x": 1}, {"x": 2}]

    assert pattern.matches({"d": {"a": rows, "b": rows}})


def test_a_plain_element_ties_no_other_field_to_it():
    """A field may be both a plain element of an array and, with a dot, inside another element."""
    pattern = Pattern({"a": [5], "a.b": [1]})

    assert pattern.matches({"a": [5, {"b": 1}]})
    assert not pattern.matches({"a": [[5], {"b": 1}]})


def test_absence_is_looked_at_in_the_order_of_the_paths():
    """A later path is absent beside the element chosen by then, an earlier one only where no element has it."""
    rows = {"rows": [{"b": 1}, {"z": 1}]}

    assert Pattern({"rows": {"b": [1], "z": [{"exists": False}]}}).matches(rows)
    assert not Pattern({"rows": {"z": [1], "b": [{"exists": False}]}}).matches(rows)
    assert not Pattern({"rows": {"z": [{"exists": False}]}}).matches(rows)


elements = st.fixed_dictionaries({}, optional={"x": st.integers(0, 2), "y": st.integers(0, 2), "z": st.integers(0, 2)})
trees = st.recursive(elements, lambda inner: st.lists(inner, max_size=4), max_leaves=8)


def objects_in(tree: object) -> list[dict]:
    return [found for inner in tree for found in objects_in(inner)] if isinstance(tree, list) else [tree]


@given(tree=trees, x=st.integers(0, 2), y=st.integers(0, 2), z=st.integers(0, 2))
def test_a_pattern_matches_an_array_of_objects_when_it_matches_one_of_them(tree, x, y, z):
    """Property: whatever the nesting of the arrays."""
    pattern = Pattern({"rows": {"x": [x], "y": [y], "z": [z]}})

    assert pattern.matches({"rows": tree}) == any(found == {"x": x, "y": y, "z": z} for found in objects_in(tree))


def test_three_arrays_cost_their_sum_and_not_their_product():
    """Of a billion combinations none fits: that this ends is the test."""
    rows = [{"x": 1, "y": 1} for _ in range(1000)]
    pattern = Pattern({"a": {"x": [1], "y": [1]}, "b": {"x": [1], "y": [1]}, "c": {"x": [1], "y": [1], "z": [1]}})

    assert not pattern.matches({"a": rows, "b": rows, "c": [*rows, {"x": 0, "y": 1, "z": 1}]})
    assert pattern.matches({"a": rows, "b": rows, "c": [*rows, {"x": 1, "y": 1, "z": 1}]})


def test_five_hundred_alternatives_share_their_work():
    """Alternatives that begin alike are looked at together."""
    choices = {f"a{place}": {"$or": [{"x": [1]}, {"y": [1]}]} for place in range(9)}
    row = {f"a{place}": {"x": 1, "y": 1} for place in range(9)}
    pattern = Pattern({"rows": {**choices, "z": [2]}})

    assert not pattern.matches({"rows": [{**row, "z": 1} for _ in range(1000)] + [{"z": 2}]})


@pytest.mark.parametrize(("rows", "told"), [(10, True), (500, False)])
def test_a_knot_of_dotted_keys_that_takes_too_long_to_undo_does_not_match(rows, told):
    """One name, spelt in three ways, is three arrays whose elements all go with each other."""
    pattern = Pattern({"a": {"b": {"c": {"x": [1], "y": [1], "z": [1]}}}})
    first, second = [{"x": 1, "z": 2} for _ in range(rows)], [{"y": 1, "z": 2} for _ in range(rows)]

    assert pattern.matches({"a.b.c": first, "a.b": {"c": second}, "a": {"b": {"c": [{"z": 1}, {"z": 2}]}}}) == told


def test_an_event_may_be_nested_deeper_than_python_recurses():
    """EventBridge takes a thousand levels."""
    assert Pattern({"a": [1]}).matches({"a": read_json("[" * 990 + "1" + "]" * 990)})


leaves = st.sampled_from([[1], [2], [1, 2], [{"exists": True}], [{"exists": False}], [{"exists": False}, 1]])
keys = st.sampled_from(["a", "b", "c", "a.b"])
patterns = st.dictionaries(keys, leaves | st.dictionaries(keys, leaves, min_size=1, max_size=3), min_size=1, max_size=3)
nodes = st.recursive(
    st.integers(1, 3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(keys, inner, max_size=3),
    max_leaves=12,
)


def flattened(wanted: dict, names: tuple = ()) -> dict[str, list]:
    flat: dict[str, list] = {}
    for name, inner in wanted.items():
        flat |= flattened(inner, (*names, name)) if isinstance(inner, dict) else {".".join((*names, name)): inner}
    return flat


def found_in(node: object, name: str = "", trail: tuple = ()) -> list[tuple[str, object, dict]]:
    """Every value with its dotted name and the element of each array that it lies in."""
    if isinstance(node, dict):
        inside = [(f"{name}.{key}" if name else key, value, (*trail, key)) for key, value in node.items()]
    elif isinstance(node, list):
        inside = [(name, value, (*trail, index)) for index, value in enumerate(node)]
    else:
        place = trail[:-1] if trail and isinstance(trail[-1], int) else trail  # a plain element ties nothing
        return [(name, node, {place[:depth]: step for depth, step in enumerate(place) if isinstance(step, int)})]
    return [found for each in inside for found in found_in(each[1], each[0], each[2])]


def search(fields: list[tuple[str, list]], found: list, chosen: dict) -> bool:
    """Event-ruler's rule, one choice after the other."""
    if not fields:
        return True
    (name, wanted), *others = fields
    reachable = [
        (value, ties)
        for known_as, value, ties in found
        if known_as == name and all(chosen.get(array, element) == element for array, element in ties.items())
    ]
    if not reachable:
        return {"exists": False} in wanted and search(others, found, chosen)
    return any(
        search(others, found, chosen | ties)
        for value, ties in reachable
        if value in wanted or {"exists": True} in wanted
    )


@settings(max_examples=300)
@given(wanted=patterns, event=st.dictionaries(keys, nodes, max_size=3))
def test_fields_are_found_together_as_by_trying_every_choice(wanted, event):
    """Property: the cheap way and the plain one agree."""
    assert Pattern(wanted).matches(event) == search(sorted(flattened(wanted).items()), found_in(event), {})


# Choices


def test_or_at_the_top_level():
    """Source and either of two others."""
    pattern = Pattern({"source": ["s"], "$or": [{"metric": ["m"]}, {"kind": ["k"], "space": ["p"]}]})

    assert pattern.matches({"source": "s", "metric": "m"})
    assert pattern.matches({"source": "s", "kind": "k", "space": "p"})
    assert not pattern.matches({"source": "s", "kind": "k"})
    assert not pattern.matches({"source": "x", "metric": "m"})


def test_or_below_a_field_and_inside_another_or():
    """Choices nest, and two of them are joined by "and"."""
    inner = {"b": [2], "$or": [{"c": [3]}, {"d": [4]}]}
    pattern = Pattern({"detail": {"$or": [{"a": [1]}, inner]}, "$or": [{"e": [5]}, {"f": [6]}]})

    assert pattern.matches({"detail": {"a": 1}, "e": 5})
    assert pattern.matches({"detail": {"b": 2, "d": 4}, "f": 6})
    assert not pattern.matches({"detail": {"b": 2}, "f": 6})
    assert not pattern.matches({"detail": {"a": 1}})


def test_a_field_named_again_inside_or_replaces_the_earlier_one():
    """As it does in event-ruler, whose alternatives are maps by path."""
    pattern = Pattern({"a": [1], "$or": [{"a": [2]}, {"b": [3]}]})

    assert pattern.matches({"a": 2})
    assert pattern.matches({"a": 1, "b": 3})
    assert not pattern.matches({"a": 1})


@pytest.mark.parametrize(
    ("wanted", "event"),
    [
        ({"metric": ["m"], "space": ["p"]}, {"metric": "m", "space": "p"}),
        (["x"], "x"),
        ([{"prefix": "x"}], "xyz"),
        ([{"numeric": [">", 0, "<=", 5]}, {"numeric": [">", 10]}], 11),
        ([{"cidr": "10.0.0.0/24"}, {"prefix": "x"}], "10.0.0.1"),
    ],
)
def test_or_is_a_field_name_where_it_is_not_two_objects_of_fields(wanted, event):
    """Patterns older than the choice go on working."""
    pattern = Pattern({"detail": {"$or": wanted}})

    assert pattern.matches({"detail": {"$or": event}})
    assert not pattern.matches({"detail": {"metric": "m", "space": "p"}})


@pytest.mark.parametrize(
    "document",
    [
        {"$or": [{"a": [1]}]},
        {"$or": [{"a": [1]}, {"b": [2]}, [{"c": [3]}]]},
        {"$or": [{"a": [1]}, {}]},
        {"$or": [{"a": [1]}, {"prefix": ["x"]}]},
        {"$or": [{"a": {"numeric": [1]}}, {"b": [2]}]},
        {"$or": [{"a": [1]}, {"b": [2]}], "detail": {"$or": ["x"]}},
        {"$or": "x"},
    ],
)
def test_an_or_that_is_neither_a_choice_nor_a_field_is_refused(document):
    """The reason is that of the choice."""
    assert "$or" in str(refusal(document))


def test_a_choice_of_over_a_thousand_combinations_is_refused():
    """Eleven choices of two are 2048."""
    document = {f"f{place}": {"$or": [{"a": [1]}, {"b": [1]}]} for place in range(11)}

    assert "over 1000 rule combinations" in str(refusal(document))


# Refusals


@pytest.mark.parametrize(
    ("document", "path", "reason"),
    [
        ("{", "", "not JSON"),
        ('{"a": [NaN]}', "", "NaN"),
        ('{"a":' * 330 + '["x"]' + "}" * 330, "", "nested too deeply"),
        (f'{{"a": ["{"x" * 2040}"]}}', "", "the pattern has 2051 characters, more than 2048"),
        ({"a": ["x" * 2040]}, "", "the pattern has 2050 characters, more than 2048"),
        ("[]", "", "must be an object"),
        ('{"a": [{"prefix": "x", "prefix": "y"}]}', "a[0]", "one key"),
        ('{"a": [1e99999999999999999999]}', "", "exponent"),
        ({"a": [float("inf")]}, "a", "a match value"),
        ({}, "", "empty objects"),
        ({"detail": {}}, "detail", "empty objects"),
        ({"source": "shop"}, "source", "must be an object or an array"),
        ({"detail": {"total": 5}}, "detail.total", "must be an object or an array"),
        ({"detail": {"total": None}}, "detail.total", "must be an object or an array"),
        ({1: ["x"]}, "1", "must be a string"),
        ({"source": []}, "source", "empty arrays"),
        ({"source": [["x"]]}, "source", "a match value"),
        ({"source": [{}]}, "source[0]", "one key"),
        ({"source": ["x", {"prefix": "a", "suffix": "b"}]}, "source[1]", "one key"),
        ({"source": [{"starts-with": "a"}]}, "source[0]", "unrecognized match type starts-with"),
        ({"source": [{"Prefix": "a"}]}, "source[0]", "unrecognized match type Prefix"),
        ({"source": [{"prefix": 5}]}, "source[0].prefix", "must be a string"),
        ({"source": [{"prefix": ["a"]}]}, "source[0].prefix", "must be a string"),
        ({"source": [{"prefix": {"suffix": "a"}}]}, "source[0].prefix", "unsupported"),
        ({"source": [{"suffix": {"equals-ignore-case": ["a"]}}]}, "source[0].suffix.equals-ignore-case", "a string"),
        ({"source": [{"equals-ignore-case": ["a"]}]}, "source[0].equals-ignore-case", "must be a string"),
        ({"source": [{"wildcard": "a**b"}]}, "source[0].wildcard", "consecutive wildcard"),
        ({"source": [{"wildcard": r"a\b"}]}, "source[0].wildcard", "invalid escape"),
        ({"source": [{"wildcard": "a\\"}]}, "source[0].wildcard", "invalid escape"),
        ({"source": [{"wildcard": 5}]}, "source[0].wildcard", "must be a string"),
        ({"source": [{"exists": "true"}]}, "source[0].exists", "true or false"),
        ({"source": [{"exists": 0}]}, "source[0].exists", "true or false"),
        ({"ip": [{"cidr": "10.0.0.0"}]}, "ip[0].cidr", "malformed CIDR"),
        ({"ip": [{"cidr": "bad/24"}]}, "ip[0].cidr", "malformed CIDR"),
        ({"ip": [{"cidr": "10.0.0.0/24/8"}]}, "ip[0].cidr", "malformed CIDR"),
        ({"ip": [{"cidr": "10.0.0.0/-1"}]}, "ip[0].cidr", "malformed CIDR"),
        ({"ip": [{"cidr": "10.0.0.0/255.255.255.0"}]}, "ip[0].cidr", "malformed CIDR"),
        ({"ip": [{"cidr": "10.0.0.0/" + "9" * 1900}]}, "ip[0].cidr", "malformed CIDR"),
        ({"ip": [{"cidr": "10.0.0.0/32"}]}, "ip[0].cidr", "< 32"),
        ({"ip": [{"cidr": "::ffff:a00:0/96"}]}, "ip[0].cidr", "< 32"),
        ({"bus": [{"wildcard": "*:*:*:*:*:event-bus/*"}]}, "bus[0].wildcard", "Rule is too complex"),
        ({"bus": [{"wildcard": "*" + "a" * 30}]}, "bus[0].wildcard", "Rule is too complex"),
        ({"bus": [{"anything-but": {"wildcard": "a*" * 900}}]}, "bus[0].anything-but.wildcard", "Rule is too complex"),
        ({"ip": [{"cidr": "::/128"}]}, "ip[0].cidr", "< 128"),
        ({"ip": [{"cidr": 5}]}, "ip[0].cidr", "must be a string"),
    ],
)
def test_what_eventbridge_refuses(document, path, reason):
    """The error says why and where in the pattern."""
    error = refusal(document)

    assert error.path == path
    assert reason in error.reason
    assert path in str(error)


@pytest.mark.parametrize(
    "bounds",
    [
        5,
        [],
        ["="],
        [">", 0, "<"],
        ["=", "5"],
        ["=", True],
        ["=", None],
        ["==", 5],
        [5, "="],
        [["="], 5],
        ["=", 5, "<", 6],
        ["<", 5, ">", 0],
        [">", 0, ">", 5],
        [">", 5, "<", 5],
        [">", 6, "<", 5],
        [">", 0, "<", 5, "=", 3],
        ["<", 9_007_199_254_740_993],
        ["=", Decimal("0.1234567890123456781")],
        [">", Decimal("1e400")],
    ],
)
def test_a_numeric_expression_that_is_no_range_is_refused(bounds):
    """One comparison, or a bottom and then a higher top."""
    assert refusal({"total": [{"numeric": bounds}]}).path == "total[0].numeric"


@pytest.mark.parametrize(
    "but",
    [
        None,
        True,
        [],
        ["a", 5],
        [None],
        [["a"]],
        Decimal("1e400"),
        [1, 9_007_199_254_740_993],
        {},
        {"numeric": [">", 5]},
        {"exists": True},
        {"prefix": "a", "suffix": "b"},
        {"prefix": ""},
        {"suffix": ["a", ""]},
        {"prefix": {"equals-ignore-case": "a"}},
        {"prefix": 5},
        {"prefix": []},
        {"equals-ignore-case": ["a", 5]},
        {"wildcard": "a**"},
        {"wildcard": ["a", 5]},
    ],
)
def test_an_anything_but_of_something_else_is_refused(but):
    """Strings, or numbers, or one of four text operators over strings."""
    assert refusal({"state": [{"anything-but": but}]}).path.startswith("state[0].anything-but")


@pytest.mark.parametrize("wildcard", ["/Users/*/dir/dir/dir/dir/dir/doc.txt", "arn:aws:events:us-east-1:*:event-bus/*"])
def test_a_wildcard_that_eventbridge_takes_is_taken(wildcard):
    """Its documentation has them as examples."""
    assert matches([{"wildcard": wildcard}], wildcard)


def test_a_pattern_that_is_nested_without_end_is_refused():
    """An object may be deeper than Python recurses."""
    document: dict = {"leaf": ["x"]}
    for _ in range(10_000):
        document = {"inner": document}

    assert "nested too deeply" in refusal(document).reason
