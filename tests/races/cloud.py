"""What the layer's clients talk to in a scene: the local cloud's tables, and next to nothing of all else."""

from __future__ import annotations

from base64 import b64decode
from collections import Counter
from typing import Any

import msgspec
from botocore.exceptions import ClientError
from eachonce import Settings
from eachonce.aws import Aws, Codec
from eachonce.journal import row_key

from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.certify.rows import Rows
from eachonce_workbench.cloud.store.protocol import AwsError, decoded
from tests.parcels import TABLES

SETTINGS = Settings(
    tables={name.upper(): name for name in (*TABLES, "Keys")}, source="post", former_rows=False, personal_key="a-key"
)

_NOBODYS = Footprint()  # which rows a call touches is of no interest here


class Cloud:
    """One account. Each call happens at once: nobody has the turn in its midst."""

    def __init__(self) -> None:
        self.calls: Counter[str] = Counter()
        self.refused: set[str] = set()  # operations that its roles don't allow
        self.parameters: dict[str, str] = {}
        self.rows = Rows({**TABLES, "Keys": ("pk",)})
        self.aws = Aws(dynamodb=_DynamoDB(self), kms=_Kms(self), sqs=_Sqs(), secretsmanager=_Secrets(), ssm=_Ssm(self))
        self._codec = Codec()

    def call(self, operation: str, request: dict[str, Any]) -> dict[str, Any]:
        """Answer a call of DynamoDB's as its client does."""
        self.calls[operation] += 1
        if operation in self.refused:
            raise _refusal("AccessDeniedException", operation)
        try:
            answer: dict[str, Any] = _parsed(
                self.rows.answer(operation, decoded(msgspec.json.encode(request)), _NOBODYS)
            )
        except AwsError as error:
            told = {"Error": {"Code": error.code, "Message": error.message}, **error.fields}
            raise ClientError(_parsed(told), operation) from None
        return answer

    def items(self, table: str) -> list[dict[str, Any]]:
        """Return all of a table, as Python values."""
        return [values for address, values in self.rows.all() if address.table == table]

    def row(self, consumer: str, event_id: str) -> dict[str, Any]:
        """Return what the journal says of an event; nothing, where there is no row."""
        wanted = row_key(consumer, "post", event_id)
        return next((row for row in self.items("Journal") if row["pk"] == wanted), {})


class _DynamoDB:
    """The calls of DynamoDB's client."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get_item(self, **request: Any) -> dict[str, Any]:
        return self._cloud.call("GetItem", request)

    def batch_get_item(self, **request: Any) -> dict[str, Any]:
        return self._cloud.call("BatchGetItem", request)

    def put_item(self, **request: Any) -> dict[str, Any]:
        return self._cloud.call("PutItem", request)

    def update_item(self, **request: Any) -> dict[str, Any]:
        return self._cloud.call("UpdateItem", request)

    def transact_write_items(self, **request: Any) -> dict[str, Any]:
        return self._cloud.call("TransactWriteItems", request)


class _Kms:
    """Keys that are wrapped by nothing."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def generate_data_key(self, **request: Any) -> dict[str, Any]:
        self._cloud.calls["GenerateDataKey"] += 1
        secret = self._cloud.calls["GenerateDataKey"].to_bytes(32, "big")
        return {"CiphertextBlob": secret, "Plaintext": secret}

    def decrypt(self, **request: Any) -> dict[str, Any]:
        return {"Plaintext": request["CiphertextBlob"]}


class _Sqs:
    """A queue that takes everything."""

    def send_message_batch(self, **request: Any) -> dict[str, Any]:
        return {"Successful": request["Entries"]}

    def delete_message_batch(self, **request: Any) -> dict[str, Any]:
        return {"Successful": request["Entries"]}

    def change_message_visibility_batch(self, **request: Any) -> dict[str, Any]:
        return {"Successful": request["Entries"]}


class _Secrets:
    """One secret, whatever it is called."""

    def get_secret_value(self, **request: Any) -> dict[str, Any]:
        return {"SecretString": "a secret that is long and random"}


class _Ssm:
    """Parameters."""

    def __init__(self, cloud: Cloud) -> None:
        self._cloud = cloud

    def get_parameter(self, **request: Any) -> dict[str, Any]:
        if request["Name"] not in self._cloud.parameters:
            raise _refusal("ParameterNotFound", "GetParameter")
        return {"Parameter": {"Value": self._cloud.parameters[request["Name"]]}}

    def put_parameter(self, **request: Any) -> dict[str, Any]:
        if request["Name"] in self._cloud.parameters:
            raise _refusal("ParameterAlreadyExists", "PutParameter")
        self._cloud.parameters[request["Name"]] = request["Value"]
        return {}


def _refusal(code: str, operation: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": ""}}, operation)


def _parsed(answer: Any) -> Any:
    """Return an answer as botocore parses it from the wire, where binary is Base64."""
    if isinstance(answer, dict):
        if list(answer) == ["B"]:
            return {"B": b64decode(answer["B"])}
        return {name: _parsed(value) for name, value in answer.items()}
    return [_parsed(value) for value in answer] if isinstance(answer, list) else answer
