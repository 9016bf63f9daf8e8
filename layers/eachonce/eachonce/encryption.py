"""Encryption: an event's personal fields on their way out of a function, and into one.

What is published has them encrypted, wherever it goes from there. A consumer that decrypts reads them; to any other
they are HIDDEN, without a call to anybody.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property
from typing import Any

import msgspec

from eachonce import field_cipher, lenient, model, pydantic_model
from eachonce.description import Description, description_of
from eachonce.errors import ContractError, WorkError
from eachonce.event import PLAIN, Event, RawEvent
from eachonce.field_cipher import AlteredError, Binding, DataKey, Path
from eachonce.identity import text_at
from eachonce.keyring import Keyring
from eachonce.marks import Marks, marks_of
from eachonce.personal import ERASED, HIDDEN, UNREADABLE, Unreadable
from eachonce.reason import reason_of
from eachonce.settings import IN_CLEAR

_TEXTS = tuple(text.encode() for text in UNREADABLE)


class Encryption:
    """Encrypts the personal fields of a function's events with the keys of a ring, and may read them. Thread-safe."""

    def __init__(self, keyring: Keyring, *, reads: bool) -> None:
        self._keyring = keyring
        self._reads = reads

    def encrypted(self, event: Event[Any], data: Any) -> Event[Any]:
        """Return an event whose data are `data`, of a contract, as it may leave the function.

        Raises WorkError where nobody is said whose the fields are, AwsError and MissingSettingError.
        """
        contract: Any = type(data)
        if not model.is_model(contract) or (marks := marks_of(contract)) is None or self._in_clear:
            return event
        text = msgspec.json.encode(model.encode(data), enc_hook=model.encode)
        left = set(_unreadable(data, marks)) if any(one in text for one in _TEXTS) else set()
        described = description_of(contract)
        person = _person(described, text, event.subject)
        if described.person is not None and tuple(described.person.split(".")) in left:
            person = None  # nobody knows who it is
        if described.plain:
            event = msgspec.structs.replace(event, form=PLAIN)
        event_id = _id_on_arrival(described, event, text) if described.plain else None
        locked = self._locked(event, marks, text, person, event_id=event_id, left=left)
        return msgspec.structs.replace(event, data=locked)

    def received(self, event: RawEvent, contract: Any, described: Description) -> RawEvent:
        """Return what came from outside in clear, as it would have come from the bus. Raises as `encrypted` does."""
        marks = marks_of(contract)
        if marks is None or self._in_clear:
            return event
        person = _person(described, bytes(event.data), event.subject)
        return msgspec.structs.replace(event, data=self._locked(event, marks, bytes(event.data), person))

    def decoded(self, event: RawEvent, contract: Any) -> Any:
        """Return an event's data, decoded: its personal fields are read, or HIDDEN, or ERASED.

        Raises ContractError where it breaks its contract, or a field is altered or another event's, and AwsError.
        """
        marks = marks_of(contract)
        if marks is None:
            return model.decode(contract, event.data)
        opening = _Opening(self._keyring if self._reads else None, event)
        try:
            text = marks.rewrite(event.data, opening)
        except AlteredError as error:
            raise ContractError(event.type, str(error)) from None
        except (msgspec.DecodeError, UnicodeError):
            return model.decode(contract, event.data)  # which says what is wrong with it
        if not opening.unreadable:
            return model.decode(contract, msgspec.Raw(text))
        try:
            return lenient.decode(contract, text)
        except MemoryError:
            raise
        except Exception as error:  # noqa: BLE001 - as in model.decode
            reason = pydantic_model.reason_of(contract, error) or reason_of(error)
            raise ContractError(event.type, reason) from None

    def _locked(
        self,
        event: Event[Any],
        marks: Marks,
        text: bytes,
        person: str | None,
        *,
        event_id: str | None = None,
        left: set[Path] | frozenset[Path] = frozenset(),
    ) -> msgspec.Raw:
        bound = field_cipher.bound_to(event, event_id)
        key: DataKey | None = None

        def encrypt(path: Path, plain: str) -> str:
            nonlocal key
            if path in left:
                return plain
            if person is None:
                raise WorkError(f"{event.type} has personal fields, and neither a person nor a subject whose they are")
            if key is None:
                key = self._keyring.of_subject(event.tenant, person)
            return key.encrypt(plain, bound.of(path))

        return msgspec.Raw(marks.rewrite(text, encrypt))

    @cached_property
    def _in_clear(self) -> bool:
        return self._keyring.settings.personal_key == IN_CLEAR


class _Opening:
    """One event's fields as they are opened; without a ring they are hidden."""

    def __init__(self, keyring: Keyring | None, event: RawEvent) -> None:
        self._keyring = keyring
        self._bound: Binding = field_cipher.bound_to(event)
        self.unreadable = False

    def __call__(self, path: Path, text: str) -> str:
        if not field_cipher.is_encrypted(text):
            return text
        opened = UNREADABLE[text] if text in UNREADABLE else self._opened(path, text)
        self.unreadable = self.unreadable or isinstance(opened, Unreadable)
        return str(opened)

    def _opened(self, path: Path, text: str) -> str:
        if self._keyring is None:
            return HIDDEN
        key_id, sealed = field_cipher.read(text)
        key = self._keyring.by_id(key_id)
        return ERASED if key is None else key.decrypt(sealed, self._bound.of(path))


def _person(described: Description, text: bytes, subject: str | None) -> str | None:
    """Return whose the personal fields are: what the contract says, or else the event's subject."""
    return subject if described.person is None else text_at(described.person, msgspec.Raw(text))


def _id_on_arrival(described: Description, event: Event[Any], text: bytes) -> str | None:
    """Return the id that consumers give a plain event, by the fields that are its identity."""
    if described.fields is None:
        return None
    try:
        return described.fields.id_of(event.type, msgspec.Raw(text))
    except msgspec.DecodeError as error:
        raise WorkError(
            f"a published {event.type} would reach nobody: it has no identity: {reason_of(error)}"
        ) from None


def _unreadable(value: Any, marks: Marks | None, path: Path = ()) -> Iterator[Path]:
    """Yield where HIDDEN and ERASED are in data: a person's text may be the very same."""
    if isinstance(value, Unreadable):
        yield path
    if marks is None or isinstance(value, str):
        return
    if isinstance(value, list | tuple):
        for place, inner in enumerate(value):
            yield from _unreadable(inner, marks.item(place), (*path, place))
    elif isinstance(value, dict):
        for name, inner in value.items():
            yield from _unreadable(inner, marks.member(name), (*path, name))
    else:
        for attribute, name in marks.names():
            yield from _unreadable(getattr(value, attribute, None), marks.attribute(attribute), (*path, name))
