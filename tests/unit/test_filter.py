"""Event source mapping filters let through what Lambda's documentation says."""

import json

import pytest

from eachonce_workbench.matching.filter import Filters
from eachonce_workbench.matching.pattern import InvalidPattern


def filters(*patterns: object) -> Filters:
    return Filters.of({"Filters": [{"Pattern": json.dumps(pattern)} for pattern in patterns]})


def message(body: str, **record: object) -> dict:
    return {
        "messageId": "1",
        "body": body,
        "attributes": {"ApproximateReceiveCount": "1"},
        "eventSource": "aws:sqs",
        **record,
    }


def change(new_image: dict, event_name: str = "INSERT") -> dict:
    return {"eventName": event_name, "dynamodb": {"NewImage": new_image, "StreamViewType": "NEW_IMAGE"}}


@pytest.mark.parametrize("criteria", [None, {}, {"Filters": []}])
def test_without_filters_all_records_pass(criteria):
    """There is nothing to ask."""
    none = Filters.of(criteria)

    assert none.admit_sqs(message("anything"))
    assert none.admit_dynamodb(change({}))


def test_a_pattern_looks_into_a_json_body():
    """The body is parsed where the pattern asks for an object."""
    large = filters({"body": {"detail": {"total": [{"numeric": [">", 100]}]}}})

    assert large.admit_sqs(message('{"detail": {"total": 101}}'))
    assert not large.admit_sqs(message('{"detail": {"total": 99}}'))


def test_a_pattern_compares_a_plain_body_as_text():
    """A number or a word in quotes is plain, too: nothing is inside."""
    results = filters({"body": [{"prefix": "Result: "}, "17", '"done"']})

    assert results.admit_sqs(message("Result: fine"))
    assert results.admit_sqs(message("17"))
    assert results.admit_sqs(message('"done"'))
    assert not results.admit_sqs(message("17.0"))
    assert not results.admit_sqs(message("Other"))


@pytest.mark.parametrize(
    ("pattern", "body"),
    [
        ({"body": {"id": [{"exists": False}]}}, "plain"),
        ({"body": {"id": [{"exists": False}]}}, "17"),
        ({"$or": [{"body": {"id": [{"exists": False}]}}, {"eventSource": ["other"]}]}, "plain"),
        ({"body": [{"anything-but": "x"}]}, '["a"]'),
        ({"body": [{"exists": False}]}, '{"id": 1}'),
        ({"body": {"id": [{"exists": False}]}}, "[" * 100_000),
    ],
)
def test_a_body_of_another_form_than_the_pattern_asks_for_does_not_pass(pattern, body):
    """Even where the pattern would be content with what is absent."""
    assert not filters(pattern).admit_sqs(message(body))


@pytest.mark.parametrize("body", ["plain", '{"id": 1}'])
def test_a_pattern_that_says_nothing_of_the_body_looks_at_the_rest_alone(body):
    """The body may have any form."""
    once = filters({"attributes": {"ApproximateReceiveCount": ["1"]}})

    assert once.admit_sqs(message(body))
    assert not once.admit_sqs(message(body, attributes={"ApproximateReceiveCount": "2"}))


def test_several_filters_pass_what_any_of_them_passes():
    """Filters are joined by "or", each with the form of body that it asks for."""
    either = filters({"body": {"kind": ["a"]}}, {"body": ["plain"]})

    assert either.admit_sqs(message('{"kind": "a"}'))
    assert either.admit_sqs(message("plain"))
    assert not either.admit_sqs(message('{"kind": "b"}'))
    assert not either.admit_sqs(message("other"))


def test_a_body_may_be_asked_for_inside_or():
    """Each choice may ask for another form."""
    either = filters({"$or": [{"body": {"kind": ["a"]}}, {"body": ["plain"]}]})

    assert either.admit_sqs(message('{"kind": "a"}'))
    assert either.admit_sqs(message("plain"))
    assert not either.admit_sqs(message('{"kind": "b"}'))


def test_a_record_is_left_as_it_was():
    """The function gets the body as text, whatever the filter read in it."""
    record = message('{"kind": "a"}')

    filters({"body": {"kind": ["a"]}}).admit_sqs(record)

    assert record == message('{"kind": "a"}')


def test_a_stream_filter_looks_at_the_new_image():
    """The relay's own: rows that have an outbox."""
    with_outbox = filters({"dynamodb": {"NewImage": {"outbox": {"B": [{"exists": True}]}}}})

    assert with_outbox.admit_dynamodb(change({"pk": {"S": "a#1"}, "outbox": {"B": "eyJ9"}}))
    assert not with_outbox.admit_dynamodb(change({"pk": {"S": "a#1"}}))
    assert not with_outbox.admit_dynamodb({"eventName": "REMOVE", "dynamodb": {}})


def test_a_stream_filter_may_choose_by_the_kind_of_change():
    """Metadata of the record counts."""
    inserts = filters(
        {"eventName": ["INSERT"]}, {"eventName": ["MODIFY"], "dynamodb": {"NewImage": {"n": {"N": ["1"]}}}}
    )

    assert inserts.admit_dynamodb(change({}))
    assert inserts.admit_dynamodb(change({"n": {"N": "1"}}, "MODIFY"))
    assert not inserts.admit_dynamodb(change({"n": {"N": "2"}}, "MODIFY"))


@pytest.mark.parametrize(
    ("entry", "path"),
    [
        ({"Pattern": '{"body": {"kind": "a"}}'}, "Filters[1].Pattern.body.kind"),
        ({"Pattern": "not json"}, "Filters[1].Pattern"),
        ({"Pattern": '{"dynamodb": ["text"]}'}, "Filters[1].Pattern.dynamodb"),
        ({"Pattern": {"body": ["a"]}}, "Filters[1]"),
        ({}, "Filters[1]"),
        ("text", "Filters[1]"),
    ],
)
def test_a_filter_that_lambda_refuses_says_which_and_where(entry, path):
    """The path begins with the filter's place."""
    with pytest.raises(InvalidPattern) as caught:
        Filters.of({"Filters": [{"Pattern": '{"body": ["a"]}'}, entry]})

    assert caught.value.path == path


def test_more_filters_than_the_quota_are_refused():
    """10 is the most that an account may have."""
    with pytest.raises(InvalidPattern, match="11 filters"):
        filters(*[{"body": ["a"]}] * 11)
