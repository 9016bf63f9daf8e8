"""Whatever a request says, SQS answers it, and never with a fault of its own."""

import json
import random
from typing import Any
from urllib.parse import urlencode

import pytest
from moto.core.utils import get_service_model

from tests.post_office import QUEUES, PostOffice

MODEL = get_service_model("sqs")
REQUESTS = 300
WORDS = [
    *["", "a", "a b", "x" * 130, "\x00", "\uffff", "ü", "😀", "30", "-1", "99999999999", "true", "1e9999", "eA=="],
    *["{}", "[]", "[[[", "null", '{"redrivePermission": []}', '{"maxReceiveCount": {}, "deadLetterTargetArn": 5}'],
    *["All", ".*", "String", "Number", "Binary", "queue", "messageGroup", "perMessageGroupId"],
    *["AWSTraceHeader", "Policy", "RedrivePolicy", "RedriveAllowPolicy", "VisibilityTimeout", "DelaySeconds"],
]
NUMBERS = [-1, 0, 1, 10, 11, 20, 900, 901, 43_200, 43_201, 2**31, 2**70]
JUNK: list[Any] = [None, True, -1, 1.5, 1e300, float("nan"), 10**30, "", [], {}, [1], {"a": 1}, "abc", "\ud800"]


class Requests:
    """Requests by the shapes of SQS's model, with a little of everything that doesn't belong there."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def next(self) -> tuple[str, Any]:
        operation = self.random.choice([name for name in MODEL.operation_names if name != "DeleteQueue"])
        return operation, self.value(MODEL.operation_model(operation).input_shape, "")

    def value(self, shape: Any, name: str) -> Any:
        if self.random.random() < 0.05:
            return self.random.choice(JUNK)
        if shape.type_name == "structure":
            members = {member: self.value(held, member) for member, held in shape.members.items()}
            return {member: held for member, held in members.items() if self.random.random() < 0.8}
        if shape.type_name == "list":
            return [self.value(shape.member, name) for _ in range(self.random.choice([0, 1, 2, 11]))]
        if shape.type_name == "map":
            return {
                key: self.value(shape.value, key) for key in self.random.sample(WORDS, self.random.choice([0, 1, 3]))
            }
        if shape.type_name in ("integer", "long"):
            return self.random.choice(NUMBERS)
        queue = self.random.choice(QUEUES)
        return {"QueueUrl": queue.url, "SourceArn": queue.arn}.get(name) or self.random.choice(WORDS)


def form(name: str, value: Any) -> dict[str, str]:
    """A value as the query protocol writes it."""
    if isinstance(value, dict | list):
        members = value.items() if isinstance(value, dict) else enumerate(value, 1)
        parts = (form(f"{name}.{key}".lstrip("."), held) for key, held in members)
        return {key: held for part in parts for key, held in part.items()}
    return {} if value is None else {name: str(value).encode(errors="replace").decode()}


@pytest.mark.parametrize("seed", range(4))
def test_every_request_has_an_answer_in_its_protocol(seed: int) -> None:
    """A result, or a refusal with a code: in JSON, and in XML."""
    office, requests = PostOffice(), Requests(seed)
    query = {"content-type": "application/x-www-form-urlencoded"}
    for _ in range(REQUESTS):
        operation, params = requests.next()
        status, _, told = office.answer(operation, json.dumps(params).encode())
        assert status in (200, 400, 403, 404), (operation, params, told)
        assert status == 200 or told["__type"]

        body = urlencode({"Action": operation, **form("", params)}).encode()
        status, _, answer = office.store.handle("sqs", query, body)
        assert status in (200, 400, 403, 404), (operation, params, answer)
        assert status == 200 or b"<Code>" in answer
