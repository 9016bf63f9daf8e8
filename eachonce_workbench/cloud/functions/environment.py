"""The environment variables that a function's process starts with, and nothing of this machine's own."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from eachonce_workbench.template.topology import Function


def function_environment(
    function: Function, *, endpoint: str, runtime_api: str, log_stream: str = "local", key: str = "local"
) -> dict[str, str]:
    """Return the function's own variables, what Lambda sets, and what points AWS's SDKs at `endpoint`.

    `key` is the access key that calls are signed with: any will do.
    The names are those of https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html.
    """
    reserved = _reserved(function, runtime_api, log_stream)
    return {**_LANGUAGE, **function.environment, **_sdk(function, endpoint, key), **reserved}


_LANGUAGE = {"LANG": "en_US.UTF-8", "PATH": "/usr/local/bin:/usr/bin:/bin:/opt/bin"}


def _reserved(function: Function, runtime_api: str, log_stream: str) -> dict[str, str]:
    return {
        "_HANDLER": function.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{function.runtime}",
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": function.log_group_name,
        "AWS_LAMBDA_LOG_STREAM_NAME": log_stream,
        "AWS_LAMBDA_RUNTIME_API": runtime_api,
        "LAMBDA_TASK_ROOT": str(function.code),
        "PYTHONPATH": os.pathsep.join(map(str, (function.code, *function.layers))),
        "TZ": ":UTC",
    }


def _sdk(function: Function, endpoint: str, key: str) -> dict[str, str]:
    region = function.arn.split(":")[3]
    return {
        "AWS_ACCESS_KEY_ID": key,
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_SESSION_TOKEN": "local",
        "AWS_REGION": region,
        "AWS_DEFAULT_REGION": region,
        "AWS_ENDPOINT_URL": endpoint,
        # An account's own endpoint would be a host name that doesn't exist here.
        "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
        # The person's own profile must neither leak into a function nor change what it does.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        # A proxy, of this machine's settings or of the function's own, leads away from the local cloud.
        "NO_PROXY": _beside(function, "NO_PROXY"),
        "no_proxy": _beside(function, "no_proxy"),
    }


def _beside(function: Function, name: str) -> str:
    return ",".join(filter(None, (function.environment.get(name), "127.0.0.1", "localhost")))
