"""Refusals: what AWS's word for a failed call says of the next try.

It passes, or an operator is to mend it, or it lies in the request and stays.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Throttling, an error of the service's own, another one's transaction.
_PASSING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "ReplicatedWriteConflictException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "ThrottledException",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
        "TransactionInProgressException",
    }
)
# What asks to slow down, of these.
THROTTLES = frozenset(code for code in _PASSING if "Thrott" in code) | {
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "ProvisionedThroughputExceededException",
    "RequestLimitExceeded",
    "SlowDown",
    "TooManyRequestsException",
}
_PASSING_STATUSES = frozenset({429, 500, 502, 503, 504})

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/CommonErrors.html
_OPERATORS = frozenset(
    {
        "AccessDenied",
        "AccessDeniedException",
        "ExpiredToken",
        "ExpiredTokenException",
        "IncompleteSignature",
        "IncompleteSignatureException",
        "InvalidClientTokenId",
        "InvalidSignatureException",
        "MissingAuthenticationToken",
        "MissingAuthenticationTokenException",
        "NotAuthorized",
        "OptInRequired",
        "RequestAbortedException",
        "RequestExpired",
        "ResourceInUseException",
        "ResourceNotFoundException",
        "SignatureDoesNotMatch",
        "UnknownOperationException",
        "UnrecognizedClientException",
    }
)
_OPERATORS_STATUSES = frozenset({401, 403})


def code_of(error: Exception) -> str:
    """Return AWS's word for why a call failed, or the exception's own name where no answer came."""
    return str(_answer(error).get("Error", {}).get("Code") or type(error).__name__)


def is_passing(error: Exception) -> bool:
    """Whether a call may go well the next time, by the list that AWS's own SDKs go by.

    https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
    """
    from botocore import exceptions

    if isinstance(error, exceptions.ClientError):
        return code_of(error) in _PASSING or _status(error) in _PASSING_STATUSES
    return isinstance(error, exceptions.ConnectionError | exceptions.HTTPClientError)


def is_passing_code(code: str) -> bool:
    """Whether what AWS says of a part of a call may go well the next time."""
    return code in _PASSING


def is_operators(error: Exception) -> bool:
    """Whether a call failed for what an operator is to mend: a right, a credential, a table, a key of KMS's."""
    from botocore.exceptions import BotoCoreError, ParamValidationError

    if isinstance(error, BotoCoreError):
        return not isinstance(error, ParamValidationError)
    code = code_of(error)
    return code in _OPERATORS or code.startswith("KMS") or _status(error) in _OPERATORS_STATUSES


def _answer(error: Exception) -> Mapping[str, Any]:
    return getattr(error, "response", None) or {}


def _status(error: Exception) -> int | None:
    status: int | None = _answer(error).get("ResponseMetadata", {}).get("HTTPStatusCode")
    return status
