"""Values for what a template doesn't say and nobody here can know, in the shape that AWS gives them.

The same name always gets the same value, so that whatever is named twice is the same thing.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterator

from eachonce_workbench.template.place import Place

_DIGITS = "0123456789abcdef"
_LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789"

# https://docs.aws.amazon.com/AWSCloudFormation/latest/UserGuide/cloudformation-supplied-parameter-types.html
_IDS = {
    "AWS::EC2::Image::Id": "ami",
    "AWS::EC2::Instance::Id": "i",
    "AWS::EC2::SecurityGroup::Id": "sg",
    "AWS::EC2::Subnet::Id": "subnet",
    "AWS::EC2::VPC::Id": "vpc",
    "AWS::EC2::Volume::Id": "vol",
}
_SERVICES = {
    "bus": ("events", "event-bus/{}"),
    "queue": ("sqs", "{}"),
    "topic": ("sns", "{}"),
    "function": ("lambda", "function:{}"),
    "lambda": ("lambda", "function:{}"),
    "layer": ("lambda", "layer:{}:1"),
    "machine": ("states", "stateMachine:{}"),
    "secret": ("secretsmanager", "secret:{}"),
    "stream": ("kinesis", "stream/{}"),
    "table": ("dynamodb", "table/{}"),
    "certificate": ("acm", "certificate/{}"),
    "cert": ("acm", "certificate/{}"),
    "key": ("kms", "key/{}"),
    "pool": ("cognito-idp", "userpool/{}"),
    "authorizer": ("lambda", "function:{}"),
}


def letters(name: str, length: int) -> str:
    """Give letters and digits that are always the same for a name."""
    return "".join(_LETTERS[byte % len(_LETTERS)] for byte in _bytes(name, length))


def digits(name: str, length: int) -> str:
    """Give hexadecimal digits that are always the same for a name."""
    return "".join(_DIGITS[byte % 16] for byte in _bytes(name, length))


def uuid(name: str) -> str:
    """Give what looks like a UUID."""
    found = digits(name, 32)
    return f"{found[:8]}-{found[8:12]}-4{found[13:16]}-8{found[17:20]}-{found[20:]}"


def identifier(prefix: str, name: str) -> str:
    """Give what looks like the id of a resource of EC2's."""
    return f"{prefix}-{digits(name, 17)}"


def of_type(kind: str, name: str, place: Place) -> str | None:
    """Give a value of one of AWS's own parameter types; None for a type that says nothing of how its values look."""
    if kind in _IDS:
        return identifier(_IDS[kind], name)
    match kind:
        case "AWS::EC2::AvailabilityZone::Name":
            return f"{place.region}a"
        case "AWS::Route53::HostedZone::Id":
            return f"Z{letters(name, 20).upper()}"
    return None


def named(name: str, place: Place) -> str:
    """Give a value that goes with a name: an ARN where it ends so, an address of mail, a host, a zone.

    A thing that is named in two ways, as EventBusName and as EventBusArn, is the same thing.
    """
    kebab = words(name)
    last = kebab.rpartition("-")[2]
    if last == "arn":
        return _arn(kebab.removesuffix("-arn").removeprefix("arn") or "local", place)
    found = (make(kebab, place) for ending, make in _ENDINGS if re.search(ending, kebab))
    return next(found, kebab.removesuffix("-name"))


def number(name: str) -> str:
    """Give a number that goes with a name: megabytes of memory, days, seconds, a port."""
    kebab = words(name)
    return next((value for ending, value in _NUMBERS if re.search(ending, kebab)), "1")


def words(name: str) -> str:
    """Give the words of a name in small letters with hyphens between them.

    >>> words("EventBusArn"), words("/shop/dev/VPCId"), words("db_user")
    ('event-bus-arn', 'shop-dev-vpc-id', 'db-user')
    """
    apart = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "-", name)
    return re.sub(r"[^a-z0-9]+", "-", apart.lower()).strip("-") or "local"


def candidates(name: str, place: Place) -> Iterator[str]:
    """Give values for a name, from the likeliest to whatever a pattern may have been meant for."""
    kebab = words(name)
    yield named(name, place)
    yield from (kebab, kebab.replace("-", "_"), kebab.replace("-", ""), name, "local", "dev", "a", "Local", "LOCAL")
    yield from ("1", "10", "12", "1234", "123456", place.account_id, "", "*", "true", "/local", "/local/")
    yield from ("me@example.com", "example.com", "https://example.com", "10.0.0.0/16", "10.0.0.1", "local/local")
    yield from (
        "Local-1234",
        "Local123!",
        "Local1234567",
        "rate(1 hour)",
        "2000-01-01",
        "python3.12",
        "t3.micro",
        place.region,
    )
    yield from (identifier(prefix, name) for prefix in _IDS.values())
    yield from (template.format(_arn(kebab, place), kebab) for template in ("{0}", "s3://{1}", "{1}:1", "1.0.0"))


def _arn(kebab: str, place: Place) -> str:
    for part in reversed(kebab.split("-")):
        if part in _SERVICES:
            service, resource = _SERVICES[part]
            return place.arn(service, resource.format(kebab))
        if part in ("bucket", "role", "policy"):
            break
    if "bucket" in kebab:
        return f"arn:{place.partition}:s3:::{kebab}"
    kind = "policy" if "policy" in kebab else "role"
    return f"arn:{place.partition}:iam::{place.account_id}:{kind}/{kebab}"


_ENDINGS: tuple[tuple[str, Callable[[str, Place], str]], ...] = (
    (r"e-?mail(-address)?$|(^|-)(sender|recipient)$", lambda _, __: "me@example.com"),
    (r"-?(url|uri|endpoint|webhook)$", lambda kebab, _: f"https://{kebab}.example.com"),
    (r"(domain|host|hostname)(-name)?$", lambda _, __: "example.com"),
    (r"cidr(-block|-ip|-range)?$", lambda _, __: "10.0.0.0/16"),
    (r"(^|-)vpc(-id)?$", lambda kebab, _: identifier("vpc", kebab)),
    (r"(^|-)subnet(-\w+)?(-ids?)?$|(^|-)subnets$", lambda kebab, _: identifier("subnet", kebab)),
    (r"security-?groups?(-ids?)?$", lambda kebab, _: identifier("sg", kebab)),
    (r"(^|-)(image-id|ami)(-id)?$", lambda kebab, _: identifier("ami", kebab)),
    (r"account(-id|-number)?$", lambda _, place: place.account_id),
    (r"(^|-)region(-name)?$", lambda _, place: place.region),
    (r"hosted-?zone(-id)?$", lambda kebab, _: f"Z{letters(kebab, 20).upper()}"),
    (r"runtime$", lambda _, __: "python3.12"),
    (r"architecture$", lambda _, __: "x86_64"),
    (r"log-level$", lambda _, __: "INFO"),
    (r"(cron|schedule|schedule-expression)$", lambda _, __: "rate(1 hour)"),
    (r"user-?pool-id$", lambda kebab, place: f"{place.region}_{letters(kebab, 9)}"),
)
_NUMBERS = (
    (r"memory", "128"),
    (r"days|retention", "7"),
    (r"timeout|seconds", "30"),
    (r"port$", "443"),
)


def _bytes(name: str, length: int) -> bytes:
    return hashlib.shake_256(name.encode()).digest(length)
