"""The caller: who makes a request over HTTP, as far as the API in front of the function has asked.

Two callers may choose the same Idempotency-Key, and neither is to hear what the other one was answered. So a key is its
caller's own: the id of the request begins with a digest of who calls. What a load balancer's headers say is nobody's
word, since anybody who reaches the function past it could write them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from hashlib import blake2b
from types import MappingProxyType
from typing import Any

import msgspec

from eachonce.identity import MAX_ID

_EMPTY: Mapping[str, Any] = MappingProxyType({})
# Nobody can look for two callers, or two keys, of one digest: that would take 2^64 tries at names that others assign.
_DIGEST_BYTES = 16
_OWN = re.compile(r"by:[0-9a-f]{32}:.*|by#[0-9a-f]{32}", re.DOTALL)


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """Who an authorizer says it is; all of it is empty where nobody asked.

    - `claims`: all that is said
    - `name`: a JWT's or Cognito's `sub`, a Lambda authorizer's `principalId`, or IAM's ARN of a user or a session
    - `within`: where the name is unique: a token's issuer, or the identity of Cognito's that a shared role stands for
    """

    claims: Mapping[str, Any]
    name: str | None = None
    within: str | None = None

    @property
    def digest(self) -> str:
        """What keys of this caller's, and of nobody else's, begin with; empty where nobody is known."""
        return "" if self.name is None else _digest([self.within, self.name])


def caller_of(context: Mapping[Any, Any]) -> Caller:
    """Return who calls, by a request's context: a JWT's or Cognito's, a function's, or IAM's."""
    authorizer = mapping(context.get("authorizer"))
    for said in (mapping(authorizer.get("jwt")).get("claims"), authorizer.get("claims"), authorizer.get("lambda")):
        if isinstance(said, Mapping):
            return Caller(claims=said, name=_named(said, "sub", "principalId"), within=_named(said, "iss"))
    if iam := mapping(authorizer.get("iam")):
        cognito = mapping(iam.get("cognitoIdentity"))
        return Caller(claims=iam, name=_named(iam, "userArn", "userId"), within=_named(cognito, "identityId"))
    identity = mapping(context.get("identity"))
    if name := _named(authorizer, "sub", "principalId"):
        return Caller(claims=authorizer, name=name, within=_named(authorizer, "iss"))
    return Caller(claims=authorizer, name=_named(identity, "userArn"), within=_named(identity, "cognitoIdentityId"))


def own_id(key: str, caller: str) -> str:
    """Return the id of a request that a caller, known by a digest, made under a key.

    The digest has one length, so that no key can pass for another caller's; a key that would make it too long for an id
    is told by its own. Where nobody is known, it is the key.
    """
    if not caller:
        return key
    told = f"by:{caller}:{key}"
    return told if len(told) <= MAX_ID else f"by#{_digest([caller, key])}"


def is_own_id(event_id: str) -> bool:
    """Whether an id has the form of a caller's own: nobody else may use it."""
    return _OWN.fullmatch(event_id) is not None


def mapping(value: Any) -> Mapping[Any, Any]:
    """Return a mapping, or an empty one in the place of anything else."""
    return value if isinstance(value, Mapping) else _EMPTY


def text(value: Any) -> str:
    """Return text that can be written, or none."""
    try:
        return value if isinstance(value, str) and value.encode() is not None else ""
    except UnicodeError:
        return ""


def _named(said: Mapping[Any, Any], *names: str) -> str | None:
    return next(filter(None, (text(said.get(name)) for name in names)), None)


def _digest(told: list[str | None]) -> str:
    return blake2b(msgspec.json.encode(told), digest_size=_DIGEST_BYTES).hexdigest()
