"""What a rule's target is sent, as EventBridge's documentation says and AWS was seen to do."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from eachonce_workbench.matching.input import InvalidInput, TargetInput

EVENT = {
    "version": "0",
    "id": "7bf73129",
    "detail-type": "OrderPlaced",
    "source": "shop",
    "account": "123456789012",
    "time": "2010-12-01T08:26:00Z",
    "region": "eu-west-1",
    "resources": ["arn:a", "arn:b"],
    "detail": {
        "order-id": "536365",
        "total": 25.5,
        "paid": True,
        "note": None,
        "lines": [{"sku": "85123A", "quantity": 6}, {"sku": "71053", "quantity": 8}],
    },
}
RULE_ARN = "arn:aws:events:eu-west-1:123456789012:rule/bus/placed"

PATHS = {
    "id": "$.detail.order-id",
    "total": "$.detail.total",
    "paid": "$.detail.paid",
    "note": "$.detail.note",
    "line": "$.detail.lines[0]",
    "resources": "$.resources",
    "absent": "$.detail.nowhere.at-all",
}


def rendered(event: dict = EVENT, **target: object) -> str:
    return TargetInput.of(target).render(event, rule_arn=RULE_ARN, rule_name="placed")


def transformed(template: str, event: dict = EVENT) -> str:
    return rendered(event, InputTransformer={"InputPathsMap": PATHS, "InputTemplate": template})


def refusal(**target: object) -> str:
    with pytest.raises(InvalidInput) as caught:
        TargetInput.of(target)
    return str(caught.value)


def test_a_target_without_input_gets_the_whole_event():
    """As JSON without blanks, and with its characters as they are."""
    event = {**EVENT, "detail": {"name": "Ångström"}}

    text = rendered(event, Id="queue", Arn="arn:aws:sqs:eu-west-1:123456789012:queue")

    assert json.loads(text) == event
    assert '"name":"Ångström"' in text


def test_a_constant_input_is_sent_as_it_is():
    """It is JSON text already."""
    assert rendered(Input='{"run": "nightly"}') == '{"run": "nightly"}'


@pytest.mark.parametrize(
    ("path", "part"),
    [
        ("$", EVENT),
        ("$.detail-type", "OrderPlaced"),
        ("$.detail.total", 25.5),
        ("$.detail.paid", True),
        ("$.detail.note", None),
        ("$.detail.lines[1].sku", "71053"),
        ("$.detail.lines[*].sku", ["85123A", "71053"]),
        ("$.detail.lines[0].*", ["85123A", 6]),
        ("$.resources.*", ["arn:a", "arn:b"]),
        ("$.resources[7]", None),
        ("$.detail.lines.sku", None),
        ("$.source[0]", None),
        ("$.nowhere", None),
    ],
)
def test_an_input_path_sends_a_part_of_the_event(path, part):
    """A string keeps its quotes; a path with a wildcard sends a list; nothing is null."""
    assert json.loads(rendered(InputPath=path)) == part


@pytest.mark.parametrize(
    "value", ["", "x.detail", "$detail", "$.", "$..detail", "$.a[b]", "$.a['b']", "$.a b", "$.a[-1]", 5]
)
def test_what_is_not_a_json_path_is_refused(value):
    """Dots, indices and wildcards are all there is."""
    assert refusal(InputPath=value).startswith("InputPath")
    assert "InputPathsMap.x" in refusal(InputTransformer={"InputPathsMap": {"x": value}, "InputTemplate": '"<x>"'})


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('"order <id> of <total>"', '"order 536365 of 25.5"'),
        ('"order \\"<id>\\" is <paid>"', '"order \\"536365\\" is true"'),
        ('"first line"\n"and <id>"', '"first line"\n"and 536365"'),
        ('{ "id" : <id>, "total" : <total> }', '{"id":"536365","total":25.5}'),
        ('{"id": "<id>", "text": "order \\"<id>\\""}', '{"id":"536365","text":"order \\"536365\\""}'),
        (
            '{"state": [ 9, <paid>, <note> ], "line": <line>}',
            '{"state":[9,true,null],"line":{"sku":"85123A","quantity":6}}',
        ),
        ('{"resources": <resources>}', '{"resources":["arn:a","arn:b"]}'),
        ("<line>", '{"sku":"85123A","quantity":6}'),
        ("<id>", '"536365"'),
        ('"{[/<id>"', '"{[/536365"'),
        ('"no variables, a < b > c"', '"no variables, a < b > c"'),
    ],
)
def test_a_template_is_filled_with_json_outside_quotes_and_with_text_inside(template, text):
    """A template that is an object is minified, any other is left as it is."""
    assert transformed(template) == text


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ('"info <absent>."', '"info ."'),
        ('{"info": <absent>}', '{"info":""}'),
        ('{"info": "<absent>"}', '{"info":""}'),
    ],
)
def test_a_variable_that_the_event_lacks_is_empty(template, text):
    """As seen on AWS."""
    assert transformed(template) == text


def test_an_object_inside_quotes_loses_its_own():
    """They would end the string."""
    assert transformed('{"text": "line <line>"}') == '{"text":"line {sku:85123A,quantity:6}"}'


def test_text_inside_quotes_is_not_escaped():
    """So a quote in an event's text breaks the JSON, as it does on AWS."""
    event = {**EVENT, "detail": {"order-id": 'a "b"'}}

    assert transformed('{"id": "<id>"}', event) == '{"id": "a "b""}'
    assert transformed('{"id": <id>}', event) == '{"id":"a \\"b\\""}'


def test_reserved_variables_need_no_path():
    """The rule, and when the event came."""
    template = '"<aws.events.rule-name> <aws.events.rule-arn> <aws.events.event.ingestion-time>"'

    assert rendered(InputTransformer={"InputTemplate": template}) == f'"placed {RULE_ARN} 2010-12-01T08:26:00Z"'


def test_the_event_is_a_reserved_variable_with_and_without_its_detail():
    """Without, it says detailType."""
    template = '{"outline": <aws.events.event>, "all": <aws.events.event.json>}'

    sent = json.loads(rendered(InputTransformer={"InputTemplate": template}))

    assert sent["all"] == EVENT
    assert sent["outline"]["detailType"] == "OrderPlaced"
    assert sent["outline"].keys() == EVENT.keys() - {"detail", "detail-type"} | {"detailType"}


@pytest.mark.parametrize(
    ("target", "reason"),
    [
        ({"Input": "{}", "InputPath": "$.detail"}, "only one of"),
        ({"Input": "{}", "InputTransformer": {"InputTemplate": '""'}}, "only one of"),
        ({"Input": "not json"}, "Input must be JSON text"),
        ({"Input": {"run": "nightly"}}, "Input must be JSON text"),
        ({"Input": json.dumps("x" * 8191)}, "more than 8192"),
        ({"InputTransformer": {}}, "needs an InputTemplate"),
        ({"InputTransformer": {"InputTemplate": ""}}, "1 to 8192"),
        ({"InputTransformer": {"InputTemplate": json.dumps("x" * 8191)}}, "1 to 8192"),
        ({"InputTransformer": {"InputTemplate": 5}}, "InputTemplate"),
        ({"InputTransformer": {"InputTemplate": "order without quotes"}}, "not valid JSON"),
        ({"InputTransformer": {"InputTemplate": '{"open": '}}, "not valid JSON"),
        ({"InputTransformer": {"InputTemplate": '"<nowhere>"'}}, "invalid placeholder nowhere"),
        ({"InputTransformer": {"InputTemplate": '"<aws.events.event.json>"'}}, "valid only for JSON template"),
        ({"InputTransformer": {"InputTemplate": "[<aws.events.event.json>]"}}, "valid only for JSON template"),
        ({"InputTransformer": {"InputTemplate": "{<aws.events.rule-name>: 1}"}}, "object key"),
        ({"InputTransformer": {"InputTemplate": '{"a": {"<aws.events.rule-name>": 1}}'}}, "object key"),
        (
            {"InputTransformer": {"InputTemplate": '""', "InputPathsMap": {"aws.events.rule-arn": "$.id"}}},
            "aws.events.rule-arn is reserved",
        ),
        (
            {"InputTransformer": {"InputTemplate": '""', "InputPathsMap": {f"v{n}": "$.id" for n in range(101)}}},
            "101 entries",
        ),
    ],
)
def test_what_eventbridge_refuses(target, reason):
    """When the rule is read, not when an event comes."""
    assert reason in refusal(**target)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(exclude_categories=["Cs"])),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("abc"), inner, max_size=3),
    max_leaves=6,
)


@given(value=json_values)
def test_any_value_outside_quotes_arrives_unchanged(value):
    """Property: whatever an event holds, the target's JSON is valid and says the same."""
    target = {"InputPathsMap": {"value": "$.detail.value"}, "InputTemplate": '{"value": <value>, "list": [<value>]}'}

    sent = rendered({"detail": {"value": value}}, InputTransformer=target)

    assert json.loads(sent) == {"value": value, "list": [value]}
