"""Keys: where they are kept on AWS.

A private key is derived from a secret of Secrets Manager's. A public one is a parameter of Systems Manager's, below a
path and a folder of its source: PATH/SOURCE/KEY-ID is `{"source": ..., "public": ..., "until": ...}`. So a right to
write below PATH/SOURCE is a right to speak for that source, and for no other.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cached_property
from hashlib import sha256
from typing import Annotated, Any, Final

import msgspec

from eachonce.aws import Aws, aws_errors
from eachonce.errors import AwsError, Retry
from eachonce.event import Event, RawEvent
from eachonce.refusal import code_of
from eachonce.signing import SigningKey, VerifyingKey, VerifyingKeys

# How long what AWS said is taken for true: so long an expired key may still be taken, and a former secret still sign.
MAX_AGE: Final = timedelta(minutes=5)
# A key that nobody knows is asked for at once, but no more often than this: anybody can name such keys.
ASKED_AT_MOST_EVERY: Final = timedelta(seconds=10)

_OTHERS = re.compile("[^A-Za-z0-9.-]")
# A parameter's name has 1,011 characters at most, and an event's source is 256 of any kind.
# https://docs.aws.amazon.com/systems-manager/latest/userguide/sysman-parameter-name-constraints.html
_MAX_FOLDER = 512


class KeptKey(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A public key as its parameter has it."""

    source: str
    public: Annotated[bytes, msgspec.Meta(min_length=32, max_length=32)]
    until: Annotated[datetime, msgspec.Meta(tz=True)] | None = None

    @property
    def key(self) -> VerifyingKey:
        """The key itself."""
        return VerifyingKey(public=self.public, source=self.source, until=self.until)

    def name(self, path: str) -> str:
        """Return the name of its parameter below a path."""
        return f"{path.rstrip('/')}/{folder_of(self.source)}/{self.key.id}"


class KeptSigningKey:
    """Signs with the key of a secret, as Secrets Manager has it, and lets those who verify know it."""

    def __init__(
        self,
        aws: Aws,
        secret: str,
        *,
        announce_below: str | None = None,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """`secret` is the name or ARN, and `announce_below` the path of the parameters of public keys, if any."""
        self._aws = aws
        self._secret = secret
        self._path = announce_below
        self._clock = clock

    def sign(self, event: Event[Any]) -> Event[Any]:
        """Return the event with a signature.

        Raises HandlerError where it can't carry one, AwsError when the key can't be had, and Retry when it has expired.
        """
        key = SigningKey.from_secret(self._read_secret())
        signed = key.sign(event)
        if self._path is not None:
            kept = self._announced(KeptKey(source=event.source, public=key.public), self._path)
            if kept.until is not None and self._clock() >= kept.until:
                raise Retry("the signing secret's key has expired: the secret is to be another one", counted=False)
        return signed

    def _read_secret(self) -> str | bytes:
        with _asking("the signing secret"):
            secret: str | bytes = self._secrets.get(self._secret, max_age=_seconds(MAX_AGE))
            return secret

    def _announced(self, own: KeptKey, path: str) -> KeptKey:
        """Return the key's parameter; where there is none yet, there is one now.

        Whoever comes first writes it, and it is the same whoever does: its name follows from the key.
        """
        name = own.name(path)
        with _asking("the parameter of the signing key"):
            try:
                text = self._parameters.get(name, max_age=_seconds(MAX_AGE))
            except Exception as error:
                if _code(error) != "ParameterNotFound":
                    raise
                self._announce(name, own)
                return own
        try:
            return msgspec.json.decode(str(text), type=KeptKey)
        except msgspec.DecodeError:
            raise Retry("the parameter of the signing key isn't what is written there", counted=False) from None

    def _announce(self, name: str, own: KeptKey) -> None:
        try:
            self._aws.ssm.put_parameter(Name=name, Value=msgspec.json.encode(own).decode(), Type="String")
        except aws_errors() as error:
            if code_of(error) != "ParameterAlreadyExists":
                raise

    @cached_property
    def _secrets(self) -> Any:
        from aws_lambda_powertools.utilities.parameters import SecretsProvider

        return SecretsProvider(boto3_client=self._aws.secretsmanager)

    @cached_property
    def _parameters(self) -> Any:
        return _parameters(self._aws)


class KeptVerifyingKeys:
    """Verifies by the public keys below a path, as Systems Manager has them."""

    def __init__(self, aws: Aws, path: str, *, clock: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        self._aws = aws
        self._path = path
        self._clock = clock
        self._values: Mapping[str, str] | None = None
        self._keys = VerifyingKeys((), clock=clock)
        self._asked_at: datetime | None = None
        self._failed: tuple[datetime, AwsError] | None = None

    def verify(self, event: RawEvent, *, received: datetime) -> None:
        """Raise UnauthenticError where the event isn't from its source, and AwsError where that can't be told now.

        A key that nobody knows is asked for once more, unless the keys were read after the event was `received`. Raises
        Retry where they were read too short a while before that.
        """
        keys = self._read(received)
        if not keys.knows_signer(event) and self._asked_at is not None and self._asked_at < received:
            if received - self._asked_at < ASKED_AT_MOST_EVERY:
                raise Retry("the keys were read a moment ago, and the event's was not among them", counted=False)
            keys = self._read(received, again=True)
        keys.verify(event, received=received)

    def _read(self, received: datetime, *, again: bool = False) -> VerifyingKeys:
        if self._failed is not None and self._failed[0] >= received:  # a batch's events need not each wait in vain
            raise self._failed[1]
        asked_at = self._clock()
        try:
            with _asking("the keys that may sign events"):
                values = self._parameters.get_multiple(
                    self._path, max_age=_seconds(MAX_AGE), force_fetch=again, recursive=True, decrypt=False
                )
        except AwsError as error:
            self._failed = asked_at, error
            raise
        if values is not self._values:
            self._values, self._asked_at = values, asked_at
            self._keys = VerifyingKeys(read_keys(self._path, values), clock=self._clock)
        return self._keys

    @cached_property
    def _parameters(self) -> Any:
        return _parameters(self._aws)


def read_keys(path: str, values: Mapping[str, str]) -> Iterator[VerifyingKey]:
    """Yield the keys of parameters, by their names below a path; one that isn't what its name says is none."""
    for name, value in values.items():
        try:
            kept = msgspec.json.decode(value, type=KeptKey)
        except msgspec.DecodeError:
            continue
        if kept.name(path) == f"{path.rstrip('/')}/{name.lstrip('/')}":
            yield kept.key


def folder_of(source: str) -> str:
    """Return a source as a part of a parameter's name: other characters as hex, and a digest where it is long.

    >>> folder_of("com.example/orders")
    'com.example_2forders'
    """
    folder = _OTHERS.sub(lambda found: "".join(f"_{byte:02x}" for byte in found[0].encode()), source)
    return folder if len(folder) <= _MAX_FOLDER else f"_{sha256(source.encode()).hexdigest()}"


@contextmanager
def _asking(what: str) -> Iterator[None]:
    """Translate what botocore raises, and Powertools for it: being unable to ask is no event's fault."""
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    try:
        yield
    except (GetParameterError, *aws_errors()) as error:
        raise AwsError(f"AWS did not give {what}: {_code(error)}", code=_code(error)) from error


def _code(error: Exception) -> str:
    """Return AWS's word for why a call failed, which Powertools has put into a text."""
    from aws_lambda_powertools.utilities.parameters.exceptions import GetParameterError

    told = isinstance(error, GetParameterError) and isinstance(error.__context__, Exception)
    return code_of(error.__context__ if told else error)  # type: ignore[arg-type]


def _parameters(aws: Aws) -> Any:
    from aws_lambda_powertools.utilities.parameters import SSMProvider

    return SSMProvider(boto3_client=aws.ssm)


def _seconds(age: timedelta) -> int:
    return int(age.total_seconds())
