"""What a pipe's enrichment or target gets of a record."""

import json
from typing import Any

import pytest

from eachonce_workbench.matching.pipe_template import PipeTemplate

RECORD = {
    "messageId": "m-1",
    "body": '{"order": "o-1", "units": 3, "lines": [{"sku": "A"}, {"sku": "B"}], "note": "say \\"hi\\""}',
    "attributes": {"SentTimestamp": "17"},
}
RESERVED = {"aws.pipes.pipe-name": "orders"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ('{"a": <$.body.order>}', {"a": "o-1"}),
        ('{"a": "<$.body.order>"}', {"a": "o-1"}),
        ('{"a": <$.body.units>, "b": "<$.body.units>"}', {"a": 3, "b": "3"}),
        ('{"a": <$.body.lines[1].sku>}', {"a": "B"}),
        ('{"a": <$.body.lines[*].sku>}', {"a": ["A", "B"]}),
        ('{"a": "<$.body.note>", "b": <$.body.note>}', {"a": 'say "hi"', "b": 'say "hi"'}),
        ('{"a": <$.body>}', {"a": json.loads(RECORD["body"])}),
        ('{"a": "from <aws.pipes.pipe-name> at <$.attributes.SentTimestamp>"}', {"a": "from orders at 17"}),
        ('{"a": <aws.pipes.event.json>}', {"a": RECORD | {"body": json.loads(RECORD["body"])}}),
        ('{"a": <$.body.none>, "b": "<$.none>"}', {"a": "", "b": ""}),
        ('["<$.messageId>"]', ["m-1"]),
    ],
)
def test_a_json_template_makes_json(template: str, expected: Any) -> None:
    """Values outside quotes, text inside them; a body that is JSON is read."""
    assert json.loads(PipeTemplate.of(template).fill(RECORD, RESERVED)) == expected


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("<$.body.order>", "o-1"),
        ("<$.body.lines>", '[{"sku":"A"},{"sku":"B"}]'),
        ("Order <$.body.order> of <aws.pipes.pipe-name>", "Order o-1 of orders"),
        ("nothing to fill", "nothing to fill"),
    ],
)
def test_any_other_template_makes_text(template: str, expected: str) -> None:
    """With values as their text."""
    assert PipeTemplate.of(template).fill(RECORD, RESERVED) == expected


@pytest.mark.parametrize("body", ["no JSON", "17", '"text"'])
def test_a_body_that_holds_nothing_is_text(body: str) -> None:
    """A number or a word has no inside to lead into."""
    assert PipeTemplate.of("<$.body>").fill({"body": body}, {}) == body


def test_a_path_that_is_none_is_refused() -> None:
    """Before anything is read."""
    with pytest.raises(ValueError, match="not a JSON path"):
        PipeTemplate.of("<$.body[>")
