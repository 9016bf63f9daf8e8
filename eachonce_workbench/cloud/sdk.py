"""AWS's SDK for what is on this machine: nothing that a person has set up for AWS reaches it.

A profile that doesn't exist, or a proxy of the company's, is no reason for the local cloud not to be found.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from functools import cache
from typing import Any

import boto3
import botocore.session
from botocore.config import Config

_CREDENTIALS = {"aws_access_key_id": "local", "aws_secret_access_key": "local"}
# Where botocore looks for a setting: a key of a config file, environment variables, a default, a conversion.
_NOBODYS: Mapping[str, tuple[Any, ...]] = {
    "profile": (None, None, None, None),
    "config_file": (None, None, os.devnull, None),
    "credentials_file": (None, None, os.devnull, None),
    "ca_bundle": (None, None, None, None),
}

DIRECT = Config(proxies={})
"""No call goes through a proxy."""


@cache
def local_session(region: str | None = None) -> boto3.session.Session:
    """Return this process's session with the credentials that the local cloud takes, which are any.

    What a session reads of botocore's own data, for its first client, takes longer than the client.
    """
    core = botocore.session.Session(session_vars=dict(_NOBODYS))
    return boto3.session.Session(botocore_session=core, region_name=region, **_CREDENTIALS)
