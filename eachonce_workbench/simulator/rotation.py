"""The rotation: signing secrets are other ones every few seconds, as no operator would have it."""

from __future__ import annotations

import asyncio
import uuid

import msgspec

from eachonce_workbench.cloud.local_cloud import LocalCloud

# So that the keys of each simulation are many, and each call for them meets every fault.
EVERY_SECONDS = 2.0

_HEADERS = {"x-amz-target": "secretsmanager.PutSecretValue", "content-type": "application/x-amz-json-1.1"}


async def rotate(cloud: LocalCloud) -> None:
    """Give each secret that functions sign with another value, again and again; what was signed before stays good."""
    named = {each.environment.get("SIGNING_SECRET") for each in cloud.topology.functions}
    secrets = [each.arn for each in cloud.topology.stored_values if each.arn and each.arn in named]
    number = 0
    while secrets:
        await asyncio.sleep(EVERY_SECONDS)
        number += 1
        for secret in secrets:
            token = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{secret} {number}"))
            asked = {"SecretId": secret, "SecretString": f"secret {number} of {secret}", "ClientRequestToken": token}
            cloud.store.handle("secretsmanager", _HEADERS, msgspec.json.encode(asked))
