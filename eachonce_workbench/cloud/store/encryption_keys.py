"""The keys of KMS's that a topology has: moto's, each with the material that its ARN gives it.

What was wrapped with a key can be unwrapped by the next local cloud, too, which may have kept it. None is a secret.
"""

from __future__ import annotations

from hashlib import sha256

from eachonce_workbench.template.topology import Topology


def create_keys(topology: Topology) -> None:
    """Make a topology's keys; moto's KMS is imported only where there are some, since it takes a while."""
    if not topology.encryption_keys:
        return
    from moto.kms.models import kms_backends

    backend = kms_backends[topology.account_id][topology.region]
    for declared in topology.encryption_keys:
        # moto gives a symmetric key a pair too, which nobody uses, and RSA's takes a third of a second.
        key = backend.create_key(None, "ENCRYPT_DECRYPT", "ECC_NIST_P256", "", [])
        backend.keys[declared.id] = backend.keys.pop(key.id)
        key.id, key.arn, key.key_spec = declared.id, declared.arn, "SYMMETRIC_DEFAULT"
        key.key_material = sha256(declared.arn.encode()).digest()
        for alias in declared.aliases:
            backend.create_alias(declared.id, alias)
