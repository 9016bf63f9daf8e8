"""The README's examples run."""

import re
from datetime import timedelta
from typing import Any

import pytest
from contracts import OrderPlaced
from eachonce import Consumer, Event, Work

from tests.shop.place import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"```python\n(.*?)```", README, re.DOTALL)


@pytest.mark.parametrize("example", EXAMPLES, ids=[example.splitlines()[0] for example in EXAMPLES])
def test_an_example_runs_and_makes_a_consumer_of_orders(example: str) -> None:
    """With the names that the text around it has introduced."""
    names: dict[str, Any] = {
        "Consumer": Consumer,
        "Event": Event,
        "OrderPlaced": OrderPlaced,
        "Work": Work,
        "timedelta": timedelta,
    }

    exec(example, names)

    assert names["consumer"].contracts == (OrderPlaced,)


def test_an_example_of_sqs_names_the_endpoint_itself() -> None:
    """Version 1 of the AWS CLI ignores AWS_ENDPOINT_URL for SQS, and would reach AWS."""
    examples = re.findall(r"^aws .*sqs .*$", README, re.MULTILINE)

    assert examples
    assert [line for line in examples if "--endpoint-url" not in line] == []


def test_every_path_that_it_names_is_there() -> None:
    """A moved file would leave a dead link."""
    links = re.findall(r"\]\((?!http)([^)#]+)\)", README)

    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []


def test_every_verb_that_it_names_is_in_the_makefile() -> None:
    """`make help` lists them."""
    verbs = set(re.findall(r"(?:^|`)make ([a-z]+)", README, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")

    assert {verb for verb in verbs if f"\n{verb}:" not in makefile} == set()
