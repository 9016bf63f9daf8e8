"""AWS's JSON protocols, as far as an answer needs them: bodies, errors and their wire shapes."""

from __future__ import annotations

from typing import Any

import msgspec

Response = tuple[int, dict[str, str], bytes]
"""Status, headers, body."""

CONTENT_TYPE = "application/x-amz-json-1.0"


class AwsError(Exception):
    """A request that AWS would refuse.

    `code` is the error's name as SDKs know it, `fields` are what the error's shape carries beside its message
    (https://smithy.io/2.0/aws/protocols/aws-json-1_0-protocol.html#operation-error-serialization).
    """

    def __init__(self, code: str, message: str, *, status: int = 400, **fields: Any) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.status = status
        self.fields = fields

    def response(self) -> Response:
        """The error as an SDK reads it."""
        body = {"__type": self.code, "message": self.message, **self.fields}
        return self.status, {"content-type": CONTENT_TYPE, "x-amzn-errortype": self.code}, msgspec.json.encode(body)


def success(result: Any) -> Response:
    """A result as an SDK reads it."""
    return 200, {"content-type": CONTENT_TYPE}, msgspec.json.encode(result)


def decoded(body: bytes) -> dict[str, Any]:
    """The parameters of a request.

    Raises `AwsError` SerializationException when the body is not a JSON object.
    """
    try:
        return msgspec.json.decode(body or b"{}", type=dict[str, Any])
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise AwsError("SerializationException", f"The request is not a JSON object: {error}") from error
    except RecursionError as error:
        raise AwsError("SerializationException", "The request is nested too deeply") from error
