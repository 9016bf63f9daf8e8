"""The blocks of template.yaml, and the modules that they name."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files

from eachonce_workbench.scaffold.name import Name

_PARTS = files("eachonce_workbench.scaffold") / "parts"

# What of a consumer's block is about whose events it takes, and about its table.
_SOURCE = "        source: [event-source]\n"
_VARIABLE = "          TABLE_NAME: !Ref TableName\n"
_GRANT = """\
              - Sid: CommitToTable
                Effect: Allow
                Action: dynamodb:UpdateItem
                Resource: !GetAtt TableName.Arn
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A table of a template: its logical id, and the types of its keys by their names."""

    logical_id: str
    keys: Mapping[str, str]


def consumer_block(
    name: Name, *, purpose: str, types: Sequence[str], source: str | None, table: str | None, personal: bool = False
) -> str:
    """Return the resources of a consumer: rule, queues, policies, function, role, logs and alarms.

    Its role may update items of `table` (a logical id), as `work.add` does, and read `personal` fields.
    """
    whole = _part("consumer.yaml") + ("\n" + _part("personal.yaml") if personal else "")
    text = _named(whole, name, "ConsumerName")
    text = text.replace(f'"For {name.kebab}: its purpose."', json.dumps(f"For {name.kebab}: {purpose}"))
    text = text.replace("detail-type: [EventType]", f"detail-type: [{', '.join(types)}]")
    named = "" if source is None else _SOURCE.replace("event-source", source)
    text = text.replace(_SOURCE, named)
    return _with_table(text, table)


def _with_table(text: str, table: str | None) -> str:
    """Return a block for this table, or without what is about one."""
    if table is None:
        return text.replace(_VARIABLE, "").replace(_GRANT, "")
    return text.replace("TABLE_NAME", f"TABLE_{table.upper()}").replace("TableName", table)


def function_block(name: Name) -> str:
    """Return the resources of a function that commits and publishes: itself, its role and its logs."""
    return _named(_part("function.yaml"), name, "NewFunction")


def table_block(logical_id: str) -> str:
    """Return a table whose key is the text `id`."""
    return _part("table.yaml").replace("TableName", logical_id)


def consumer_module(
    name: Name, *, purpose: str, types: Sequence[str], table: Table | None, personal: bool = False
) -> str:
    """Return the app.py of a consumer: what it does with each type is yet to be said, or counted in its table."""
    keyring, decrypts = ("Keyring, ", ", decrypt_with=Keyring()") if personal else ("", "")
    handlers = "\n\n\n".join(_handler(each, table) for each in types)
    return f'''"""{name.camel}: {purpose}"""

from contracts import {", ".join(sorted(types))}
from eachonce import Consumer, Event, {keyring}Work

consumer = Consumer("{name.kebab}"{decrypts})


{handlers}


handler = consumer
'''


def _handler(event_type: str, table: Table | None) -> str:
    snake = Name.of(event_type).snake
    if table is None:
        does, doc = "", f"Say here what a {event_type} comes to."
    else:
        keys = ", ".join(f'"{key}": {_key_value(kind)}' for key, kind in table.keys.items())
        does = f'    work.add("{table.logical_id}", {{{keys}}}, events=1)\n'
        doc = f"Count the {event_type}: say here what is to happen instead."
    return (
        f"@consumer.on({event_type})\n"
        f"def on_{snake}(event: Event[{event_type}], work: Work) -> None:\n"
        f'    """{doc}"""\n{does}'
    ).rstrip("\n")


def _key_value(kind: str) -> str:
    return {"S": "event.subject or event.id", "N": "1", "B": "event.id.encode()"}[kind]


def function_module(name: Name) -> str:
    """Return the app.py of a function that is asked for something and publishes what follows."""
    return f'''"""{name.camel}: what it is asked for, and what follows from it."""

from eachonce import Contract, Endpoint, Event, Work

endpoint = Endpoint("{name.kebab}")


class {name.camel}Request(Contract, frozen=True, kw_only=True):
    """What it is asked for; the same `id` with the same content is the same request, and done once."""

    id: str

    @property
    def subject(self) -> str:
        """What it is about."""
        return self.id


@endpoint.on({name.camel}Request)
def answer(event: Event[{name.camel}Request], work: Work) -> None:
    """Say here what is to happen, with work.create, work.put, work.add and work.publish."""
    work.result = {{"id": event.data.id}}


handler = endpoint
'''


def event_module(name: Name) -> str:
    """Return the module of an event type."""
    return f'''"""{name.camel}."""

from __future__ import annotations

from eachonce import Contract


class {name.camel}(Contract, frozen=True, kw_only=True):
    """Say here what has happened, and what its fields mean."""

    id: str

    @property
    def subject(self) -> str:
        """What it is about: events of one subject share a lane."""
        return self.id
'''


def _part(name: str) -> str:
    return (_PARTS / name).read_text(encoding="utf-8")


def _named(text: str, name: Name, instead: str) -> str:
    """Give a block its name, wherever it has the name of the part."""
    example = Name.of(instead)
    return text.replace(example.camel, name.camel).replace(example.kebab, name.kebab).replace(example.snake, name.snake)
