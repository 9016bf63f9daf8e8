"""What `eachonce new` adds to a bundle, and what it refuses to."""

from __future__ import annotations

import ast
import difflib
from collections.abc import Callable
from pathlib import Path

import pytest

from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.operations.stack import consumer_name
from eachonce_workbench.scaffold.additions import Additions, write
from eachonce_workbench.scaffold.bundle import new_bundle
from eachonce_workbench.scaffold.error import ScaffoldError
from eachonce_workbench.scaffold.name import Name
from eachonce_workbench.template import declared, load
from eachonce_workbench.template.topology import Topology

Add = Callable[[Additions], object]


@pytest.fixture
def bundle(tmp_path: Path) -> Additions:
    """A bundle as `eachonce new bundle` writes it."""
    new_bundle(tmp_path / "bikes")
    return Additions(tmp_path / "bikes" / "template.yaml")


def text(bundle: Additions) -> str:
    return bundle.template.read_text()


def topology(bundle: Additions) -> Topology:
    return load(bundle.template)


@pytest.mark.parametrize("written", ["settle-bill", "SettleBill", "settle_bill", "settleBill"])
def test_a_name_may_be_written_in_any_way(written: str) -> None:
    """As a consumer, a class, a module or a variable is called."""
    name = Name.of(written)

    assert (name.kebab, name.snake, name.camel, name.upper) == (
        "settle-bill",
        "settle_bill",
        "SettleBill",
        "SETTLE_BILL",
    )


@pytest.mark.parametrize("written", ["settle-bill", "s3-upload", "S3Upload", "HTTPCall", "sha256-sum", "v2", "a-b-c"])
def test_a_consumer_is_called_as_the_commands_will_call_it(written: str) -> None:
    """They know it by its logical id alone; its samples are looked for in a folder that is called after that, too."""
    name = Name.of(written)

    assert consumer_name(name.camel) == name.kebab
    assert name.kebab.replace("-", "_") == name.snake


@pytest.mark.parametrize("written", ["", "-", "9lives", "a b", "ä", "a/b", "../up", "class", "x" * 33])
def test_what_is_no_name_is_refused(written: str) -> None:
    """It would be no module, or no name of AWS's."""
    with pytest.raises(ScaffoldError):
        Name.of(written)


@pytest.mark.parametrize("table", [None, "Stations", "Bills"])
def test_a_consumer_is_a_folder_and_a_block_of_the_template(bundle: Additions, table: str | None) -> None:
    """It reads a queue of its own, which a rule fills, and knows its table, one that is there or a new one."""
    write(bundle.consumer(Name.of("settle-bill"), on=["TripEnded"], table=table))

    system = topology(bundle)
    function = system.function("SettleBill")
    (mapping,) = [each for each in system.queue_mappings if each.function == "SettleBill"]
    assert mapping.queue_arn == system.queue("SettleBillQueue").arn
    assert system.queue("SettleBillQueue").dead_letter_arn == system.queue("SettleBillDeadLetterQueue").arn
    (rule,) = [each for each in system.rules if each.logical_id == "SettleBillRule"]
    assert rule.pattern.matches({"source": "bikes", "detail-type": "TripEnded", "detail": {}})
    assert not rule.pattern.matches({"source": "bikes", "detail-type": "BillPaid", "detail": {}})
    tables = {name for name in function.environment if name.startswith("TABLE_")}
    assert tables == {"TABLE_JOURNAL", *(() if table is None else (f"TABLE_{table.upper()}",))}
    ast.parse((bundle.root / "functions" / "settle_bill" / "app.py").read_text())


@pytest.mark.parametrize(
    "add",
    [
        lambda to: write(to.consumer(Name.of("settle-bill"), on=["TripEnded"], table="Bills")),
        lambda to: write(to.function(Name.of("pay-bill"))),
    ],
)
@pytest.mark.parametrize("outputs", ["", "\n\n# What others need.\nOutputs:\n  Bus: {Value: !Ref Bus}\n"])
@pytest.mark.parametrize("end", ["", "\n", "\n\n\n"])
def test_nothing_that_stands_in_the_template_changes(bundle: Additions, add: Add, outputs: str, end: str) -> None:
    """Comments and order stay: lines are added, whatever comes after the resources, and however the file ends."""
    bundle.template.write_text((text(bundle).rstrip() + outputs).rstrip() + end)
    before = text(bundle)

    add(bundle)

    changed = [line for line in difflib.ndiff(before.splitlines(), text(bundle).splitlines()) if line[0] in "-?"]
    assert [line for line in changed if line.strip("- ")] == []
    assert len(topology(bundle).functions) == 4


PERSONAL = {
    "a field": "class BillPaid(Contract):\n    payer: Annotated[str, Personal]\n",
    "a type": "Payer = Annotated[str, Personal]\n\nclass BillPaid(Contract):\n    payer: Payer\n",
    "a type that comes later": "class BillPaid(Contract):\n    payer: Payer\n\nPayer = Annotated[str, Personal]\n",
    "by its module": "class BillPaid(Contract):\n    payer: Annotated[str, eachonce.Personal]\n",
    "under another name": "from eachonce import Personal as P\n\nclass BillPaid(Contract):\n    p: Annotated[str, P]\n",
    "as a text": "class BillPaid(Contract):\n    payer: 'Annotated[str, Personal]'\n",
    "inside another": (
        "class Payer(Struct):\n    name: Annotated[str, Personal]\n\nclass BillPaid(Contract):\n    by: list[Payer]\n"
    ),
    "inherited": ("class Paid(Contract):\n    by: Annotated[str, Personal]\n\nclass BillPaid(Paid):\n    bill: str\n"),
}


@pytest.mark.parametrize("parameter", ["encrypted", "clear", "none"])
@pytest.mark.parametrize("kind", PERSONAL)
def test_a_consumer_of_personal_fields_reads_them(bundle: Additions, kind: str, parameter: str) -> None:
    """However the contract marks them: its code says so, and its role may, where there is a key at all."""
    (bundle.root / "layers" / "contracts" / "contracts" / "bill.py").write_text(PERSONAL[kind])

    write(bundle.consumer(Name.of("settle-bill"), on=["BillPaid"], table=None))

    module = (bundle.root / "functions" / "settle_bill" / "app.py").read_text()
    assert 'Consumer("settle-bill", decrypt_with=Keyring())' in module
    assert "from eachonce import Consumer, Event, Keyring, Work" in module
    resources = declared(bundle.template, parameters={"PersonalFields": parameter})
    may = {by.source for by, right in Resources(resources).rights() if right.covers("kms:Decrypt")}
    assert may == ({"WritePersonalFields", "SettleBillReadsPersonalFields"} if parameter == "encrypted" else set[str]())


def test_a_consumer_of_no_personal_fields_reads_none(bundle: Additions) -> None:
    """Neither for what a docstring says, nor because of another contract of its module."""
    (bundle.root / "layers" / "contracts" / "contracts" / "bill.py").write_text(
        'class BillPaid(Contract):\n    """Personal, but not so marked."""\n\n    bill: str\n\n'
        "class PayerMoved(Contract):\n    to: Annotated[str, Personal]\n"
    )

    write(bundle.consumer(Name.of("settle-bill"), on=["BillPaid"], table=None))

    assert "Keyring" not in (bundle.root / "functions" / "settle_bill" / "app.py").read_text()
    assert "SettleBillReadsPersonalFields" not in text(bundle)


@pytest.mark.parametrize(
    ("parameter", "key"), [("encrypted", "arn:aws:kms:eu-west-1:123456789012:key/"), ("clear", "none"), ("none", "")]
)
def test_personal_fields_are_what_a_parameter_says(bundle: Additions, parameter: str, key: str) -> None:
    """Without it there is neither key nor table, and a function is told of none: it publishes no such field."""
    system = load(bundle.template, parameters={"PersonalFields": parameter})

    environment = system.function("EndTrip").environment
    assert environment["PERSONAL_KEY"].startswith(key)
    assert bool(environment["PERSONAL_KEY"]) is bool(key)
    assert ("TABLE_KEYS" in environment) is (parameter == "encrypted")
    assert bool(system.encryption_keys) is (parameter == "encrypted")
    assert load(bundle.template).function("EndTrip").environment["PERSONAL_KEY"] == ""


def test_consumers_stand_after_each_other(bundle: Additions) -> None:
    """A reader finds them in one place."""
    bundle.template.write_text(
        text(bundle) + "\n  # ------------------------ dashboard\n\n  Last: {Type: AWS::SNS::Topic}\n"
    )

    write(bundle.consumer(Name.of("settle-bill"), on=["TripEnded"], table=None))

    places = [text(bundle).index(part) for part in ("consumer: count-arrivals", "consumer: settle-bill", "dashboard")]
    assert places == sorted(places)


def test_an_event_is_a_module_that_the_package_exports(bundle: Additions) -> None:
    """A consumer can name it at once."""
    write(bundle.event(Name.of("BillPaid")))
    write(bundle.consumer(Name.of("settle-bill"), on=["BillPaid", "TripEnded"], table=None))

    package = (bundle.root / "layers" / "contracts" / "contracts" / "__init__.py").read_text()
    assert "from contracts.bill_paid import BillPaid\n" in package
    assert "EVENTS = (TripEnded, BillPaid)\n" in package
    assert '__all__ = ["EVENTS", "BillPaid", "LockClosed", "TripEnded"]\n' in package
    assert "detail-type: [BillPaid, TripEnded]" in text(bundle)


def test_what_is_there_already_is_left_alone(bundle: Additions) -> None:
    """A second consumer, function or event of one name is refused, and nothing is written."""
    before = text(bundle)

    with pytest.raises(ScaffoldError, match=r"template\.yaml:\d+: there is CountArrivalsRule already"):
        bundle.consumer(Name.of("count-arrivals"), on=["TripEnded"], table=None)
    with pytest.raises(ScaffoldError, match=r"template\.yaml:\d+: there is EndTrip already"):
        bundle.function(Name.of("end-trip"))
    with pytest.raises(ScaffoldError, match="there is an event TripEnded already"):
        bundle.event(Name.of("trip-ended"))
    (bundle.root / "functions" / "pay_bill").mkdir()
    with pytest.raises(ScaffoldError, match="pay_bill is there already"):
        bundle.function(Name.of("pay-bill"))
    assert text(bundle) == before


def test_an_unknown_event_is_told_with_those_that_there_are(bundle: Additions) -> None:
    """And with what makes it."""
    with pytest.raises(ScaffoldError, match=r"no event BillPaid; there is LockClosed, TripEnded\. `eachonce new event"):
        bundle.consumer(Name.of("settle-bill"), on=["BillPaid"], table=None)


def test_a_table_is_a_table(bundle: Additions) -> None:
    """Something else of that name is pointed at."""
    with pytest.raises(ScaffoldError, match=r"template\.yaml:\d+: Bus is no table, but an AWS::Events::EventBus"):
        bundle.consumer(Name.of("settle-bill"), on=["TripEnded"], table="Bus")


def test_a_template_without_what_a_consumer_needs_is_told_what_it_lacks(bundle: Additions) -> None:
    """Somebody else's has no such parameters, and no journal."""
    bundle.template.write_text("Resources:\n  Topic: {Type: AWS::SNS::Topic}\n")

    with pytest.raises(ScaffoldError, match=r"template\.yaml has no .*Bus.*Journal.*, which the block needs"):
        bundle.consumer(Name.of("settle-bill"), on=["TripEnded"], table=None)


@pytest.mark.parametrize("called", ["bikes", "My Bikes 2", "2-bikes", "B_i.k-e-s", "x" * 80, "ü"])
def test_a_bundle_may_stand_in_a_folder_of_any_name(tmp_path: Path, called: str) -> None:
    """Its parameter Name is made of what AWS takes of it."""
    new_bundle(tmp_path / called)

    assert len(load(tmp_path / called / "template.yaml").functions) == 3


def test_a_bundle_is_not_written_over_anything(tmp_path: Path) -> None:
    """Neither into a folder that holds something, nor over a file."""
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "notes").touch()
    (tmp_path / "file").touch()

    for there in ("full", "file"):
        with pytest.raises(ScaffoldError, match="is there already"):
            new_bundle(tmp_path / there)
