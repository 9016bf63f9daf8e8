"""What the shop's template lets anybody do: no more than is written down, with the reason where it is more."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.hardening import check
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.template import declared

FILE = Path(__file__).parents[2] / "template.yaml"


@pytest.mark.parametrize("parameters", [{}, {"MailSender": "shop@example.com", "Stage": "prod"}], ids=repr)
def test_nothing_is_wider_than_it_has_to_be(parameters: dict[str, str]) -> None:
    """Rights, stores, queues, the bus and the API, whatever the parameters are."""
    assert [str(each) for each in check(declared(FILE, parameters=parameters))] == []


def test_who_publishes_does_so_in_the_shops_own_name() -> None:
    """The source that its functions are told is the one that the role is bound to."""
    resources = declared(FILE)
    (source,) = {
        each.properties["Environment"]["Variables"]["EVENT_SOURCE"]
        for each in resources
        if each.type == "AWS::Lambda::Function"
    }

    bound = [
        statement.condition("events:source", "StringEquals")
        for _, statement in Resources(resources).rights()
        if statement.covers("events:PutEvents")
    ]
    assert bound == [(source,)]
