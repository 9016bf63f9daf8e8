"""Events about people, in each kind of contract, and what it takes to keep them private."""

from __future__ import annotations

import dataclasses
from dataclasses import replace
from typing import Annotated, Any

import msgspec
import pydantic
from eachonce import Contract, Event, Keyring, Personal, Settings, Work, describe

from tests.store import Store, make_key, make_table

SECRET = "ada@example.org"

Mail = Annotated[str, Personal, msgspec.Meta(max_length=20, pattern="@")]


class Address(msgspec.Struct, frozen=True, kw_only=True):
    street: Annotated[str, msgspec.Meta(max_length=12), Personal]
    country: Annotated[str, msgspec.Meta(min_length=2)] = "UK"


@describe(person="member")
class Joined(Contract, frozen=True, kw_only=True):
    member: int
    mail: Mail
    nick: Annotated[str | None, Personal] = None
    homes: tuple[Address, ...] = ()

    def __post_init__(self) -> None:
        if "@" not in self.mail:
            raise ValueError("a mail has an @")


@dataclasses.dataclass(frozen=True)
class Home:
    street: Annotated[str, Personal]
    country: str = "UK"


@describe(type="Joined", person="member")
@dataclasses.dataclass(frozen=True)
class JoinedData:
    member: int
    mail: Mail
    nick: Annotated[str, Personal] | None = None
    homes: list[Home] = dataclasses.field(default_factory=list)


class HomeModel(pydantic.BaseModel):
    street: Annotated[str, Personal, pydantic.Field(max_length=12)]
    country: Annotated[str, pydantic.Field(min_length=2)] = "UK"


@describe(type="Joined", person="member")
class JoinedModel(pydantic.BaseModel, frozen=True):
    member: int
    mail: Annotated[str, Personal, pydantic.Field(max_length=20)]
    nick: Annotated[str | None, Personal] = None
    homes: list[HomeModel] = []


KINDS = [Joined, JoinedData, JoinedModel]
HOMES = {Joined: Address, JoinedData: Home, JoinedModel: HomeModel}


def joined(kind: type[Any] = Joined, mail: str = SECRET, **more: Any) -> Any:
    """Return that somebody joined, with homes of a kind that goes with it."""
    homes = [HOMES[kind](street=f"{mail[:3]} street")]
    return kind(member=7, mail=mail, nick="Ada", homes=tuple(homes) if kind is Joined else homes, **more)


def privately(store: Store) -> Settings:
    """Make the keys' table and KMS's key, and return what a function that has both is told."""
    make_table(store.aws, "post-Keys", ("pk",))
    return replace(
        store.settings, tables={**store.settings.tables, "KEYS": "post-Keys"}, personal_key=make_key(store.aws)
    )


def ring(store: Store, settings: Settings, **more: Any) -> Keyring:
    """Return a ring of a process of its own."""
    return Keyring(aws=store.aws, settings=settings, **more)


def nothing(event: Event[Any], work: Work) -> None:
    """Do nothing."""
