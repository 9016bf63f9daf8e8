"""What `eachonce new` writes is as narrow as the template that it was taken from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from eachonce_workbench.hardening import check
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.scaffold.additions import Additions, write
from eachonce_workbench.scaffold.bundle import new_bundle
from eachonce_workbench.scaffold.name import Name
from eachonce_workbench.template import declared

ADDITIONS: dict[str, Callable[[Additions], object]] = {
    "a bundle": lambda to: None,
    "a consumer": lambda to: write(to.consumer(Name.of("settle-bill"), on=["TripEnded"], table="Bills")),
    "a consumer without a table": lambda to: write(to.consumer(Name.of("settle-bill"), on=["TripEnded"], table=None)),
    "a function": lambda to: write(to.function(Name.of("pay-bill"))),
    "an event": lambda to: write(to.event(Name.of("BillPaid"))),
}


@pytest.mark.parametrize("personal", ["none", "encrypted"])
@pytest.mark.parametrize("key", ["", "arn:aws:kms:eu-west-1:123456789012:key/1"])
@pytest.mark.parametrize("added", ADDITIONS)
def test_what_is_written_breaks_no_rule(tmp_path: Path, added: str, key: str, personal: str) -> None:
    """One right is accepted, with its reason: a key's parameter is called after the key itself."""
    new_bundle(tmp_path / "bikes")
    bundle = Additions(tmp_path / "bikes" / "template.yaml")

    ADDITIONS[added](bundle)

    resources = declared(bundle.template, parameters={"KeyArn": key, "PersonalFields": personal})
    assert [str(each) for each in check(resources)] == []
    assert [each.source for each in resources if "Accepted" in each.metadata] == ["SigningPolicy"]


@pytest.mark.parametrize("added", ADDITIONS)
def test_the_relay_alone_publishes_and_in_the_bundles_own_name(tmp_path: Path, added: str) -> None:
    """Every other function commits what it publishes, and has no right to the bus."""
    new_bundle(tmp_path / "bikes")
    bundle = Additions(tmp_path / "bikes" / "template.yaml")

    ADDITIONS[added](bundle)

    publishing = [
        (by.source, statement.condition("events:source", "StringEquals"))
        for by, statement in Resources(declared(bundle.template)).rights()
        if statement.covers("events:PutEvents")
    ]
    assert publishing == [("RelayOutboxRole", ("bikes",))]
