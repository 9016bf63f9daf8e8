"""Where confirmations go: to SES, or to files on the way to it."""

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from hashlib import blake2b
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirmation:
    """That an order was received; `key` is the same for every try to say so."""

    key: str
    order_id: str
    customer: str | None


Send = Callable[[Confirmation], None]


def mailer(environment: Mapping[str, str]) -> Send:
    """Return what sends confirmations: by SES where MAIL_SENDER is set, else to files in MAIL_DIRECTORY."""
    sender = environment.get("MAIL_SENDER")
    return by_ses(sender) if sender else to_files(Path(environment.get("MAIL_DIRECTORY", "/tmp/mail")))  # noqa: S108 - Lambda's one writable folder


def to_files(directory: Path) -> Send:
    """Write a file a confirmation. The folder is an idempotent receiver: a second try finds the first one's file."""

    def send(confirmation: Confirmation) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        name = blake2b(confirmation.key.encode(), digest_size=16).hexdigest()
        path, draft = directory / f"{name}.json", directory / f"{name}.draft"
        draft.write_text(json.dumps(asdict(confirmation)))
        draft.replace(path)

    return send


def by_ses(sender: str) -> Send:
    """Send by SES, which knows no idempotency key: a crash between sending and committing repeats the mail.

    The data has customer numbers, and no addresses: mail goes to SES's own simulator.
    https://docs.aws.amazon.com/ses/latest/dg/send-an-email-from-console.html
    """
    import boto3

    client = boto3.client("sesv2")

    def send(confirmation: Confirmation) -> None:
        client.send_email(
            FromEmailAddress=sender,
            Destination={"ToAddresses": [f"success+{confirmation.customer or 'guest'}@simulator.amazonses.com"]},
            Content={
                "Simple": {
                    "Subject": {"Data": f"Your order {confirmation.order_id}"},
                    "Body": {"Text": {"Data": f"We have received your order {confirmation.order_id}. Thank you."}},
                }
            },
        )

    return send
