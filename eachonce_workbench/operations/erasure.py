"""Erasure: a subject's personal fields become unreadable, in every copy of every event at once, by its key's end."""

from __future__ import annotations

from typing import Any

from eachonce import Aws, EachonceError, Keyring, Settings

from eachonce_workbench.operations.account import AccountError
from eachonce_workbench.operations.stack import Stack


class NoKeysError(Exception):
    """The stack keeps no keys of personal fields."""


def erase(dynamodb: Any, stack: Stack, tenant: str | None, subject: str) -> bool:
    """Erase a subject's key, of the stack's own tenant unless another is named; returns whether there was one.

    Raises NoKeysError, and AccountError.
    """
    if stack.keys_table is None:
        raise NoKeysError(f"no function of the stack {stack.name} is told of a table of keys (TABLE_KEYS)")
    keyring = Keyring(aws=Aws(dynamodb=dynamodb), settings=Settings(tables={"KEYS": stack.keys_table}))
    try:
        return keyring.erase(stack.tenant if tenant is None else tenant, subject)
    except EachonceError as error:
        raise AccountError(f"nothing can be said of the key, ask again: {error}") from error
