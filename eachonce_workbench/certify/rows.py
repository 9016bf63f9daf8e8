"""The rows that handlers read and write: tables of any name, in this process, whose state can be kept and put back."""

from __future__ import annotations

from base64 import b64decode
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from eachonce.aws import Codec
from eachonce.work import Address
from moto.dynamodb.models.table import Table

from eachonce_workbench.certify.footprint import Footprint
from eachonce_workbench.cloud.store.forgetting import remember_no_instances
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.tables.attributes import wire_item
from eachonce_workbench.cloud.store.tables.dynamodb import DynamoDB
from eachonce_workbench.cloud.store.tables.tables import Tables

REGION, ACCOUNT = "eu-west-1", "123456789012"

Params = dict[str, Any]
Kept = Mapping[str, Mapping[Any, Any]]
"""The items of each table, as `Rows.keep` returns them: nothing ever changes one in place."""

_SINGLE = {"GetItem": "Get", "PutItem": "Put", "UpdateItem": "Update", "DeleteItem": "Delete"}
_BATCHED = {"PutRequest": "PutItem", "DeleteRequest": "DeleteItem"}
_READS = frozenset({"Get", "ConditionCheck"})


class Rows:
    """The local cloud's tables without its topology: one is made when a request first names it.

    The request tells the table's key. A put doesn't: `keys` says it, or whoever knows it in time. Not for threads.
    """

    def __init__(self, keys: Mapping[str, Sequence[str]]) -> None:
        remember_no_instances()
        self._tables = Tables(REGION, ACCOUNT)
        self._dynamodb = DynamoDB(self._tables)
        self._known: dict[str, Table] = {}
        self._keys: dict[str, Sequence[str]] = dict(keys)
        self._codec = Codec()

    def answer(self, operation: str, params: Params, footprint: Footprint) -> Params:
        """Carry out a request, and note in `footprint` which rows it read and wrote; raises AwsError as AWS would."""
        match operation:
            case "BatchGetItem":
                return self._batch_get(params, footprint)
            case "BatchWriteItem":
                return self._batch_write(params, footprint)
            case "GetItem":  # a projection would be one more thing to answer, and shows nothing that the item doesn't
                params = {name: params[name] for name in ("TableName", "Key")}
        touched = [(verb, self._address(request)) for verb, request in _requests(operation, params)]
        if not touched or not self._dynamodb.answers(operation):
            raise AwsError("UnsupportedOperation", f"{operation} as it was asked is not answered here")
        try:
            answer = self._dynamodb.answer(operation, params)
        except AwsError:  # a condition that did not hold has read its row
            footprint.note(reads=[address for _, address in touched])
            raise
        footprint.note(
            reads=[address for verb, address in touched if verb in _READS],
            writes=[address for verb, address in touched if verb not in _READS],
        )
        return answer

    def put(self, address: Address, values: Mapping[str, Any]) -> None:
        """Put a row, whoever writes such rows."""
        self.learn([address])
        item = {name: self._codec.encode(value) for name, value in values.items()}
        self.answer("PutItem", {"TableName": address.table, "Item": item}, Footprint())

    def learn(self, addresses: Iterable[Address]) -> None:
        """Let the tables that are met later have these keys, unless it was said otherwise."""
        for address in addresses:
            self._keys.setdefault(address.table, [name for name, _ in address.key])

    def keep(self) -> Kept:
        """Return the state as it is now."""
        return {name: _copy(table, table.items) for name, table in self._known.items()}

    def put_back(self, kept: Kept) -> None:
        """Make the state what it was when it was kept."""
        for name, table in self._known.items():
            items: defaultdict[Any, Any] = defaultdict(dict)
            items.update(_copy(table, kept.get(name, {})))
            table.items = items

    def all(self) -> Iterator[tuple[Address, dict[str, Any]]]:
        """Yield every row as Python values."""
        for name, table in sorted(self._known.items()):
            for item in table.all_items():
                values = self._codec.item({part: _binary(value) for part, value in wire_item(item).items()})
                yield Address.of(name, {key: values[key] for key in table.table_key_attrs}), values

    def _batch_get(self, params: Params, footprint: Footprint) -> Params:
        found: dict[str, list[Any]] = {}
        for name, wanted in params["RequestItems"].items():
            answers = [self.answer("GetItem", {"TableName": name, "Key": key}, footprint) for key in wanted["Keys"]]
            found[name] = [answer["Item"] for answer in answers if "Item" in answer]
        return {"Responses": found}

    def _batch_write(self, params: Params, footprint: Footprint) -> Params:
        for name, entries in params["RequestItems"].items():
            for entry in entries:
                ((kind, request),) = entry.items()
                self.answer(_BATCHED[kind], {"TableName": name, **request}, footprint)
        return {"UnprocessedItems": {}}

    def _address(self, request: Params) -> Address:
        name = request["TableName"]
        if name not in self._known:
            self._known[name] = self._make(name, request)
        place: Params = request["Key"] if "Key" in request else request["Item"]
        keys = self._known[name].table_key_attrs
        return Address.of(name, {key: self._codec.item({key: place[key]})[key] for key in keys if key in place})

    def _make(self, name: str, request: Params) -> Table:
        place: Params = request["Key"] if "Key" in request else request["Item"]
        keys = list(place) if "Key" in request else list(self._keys.get(name, list(place)[:1]))
        kinds = ("HASH", "RANGE")
        return self._tables.create_table(
            name,
            schema=[{"AttributeName": key, "KeyType": kind} for key, kind in zip(keys, kinds, strict=False)],
            throughput=None,
            attr=[{"AttributeName": key, "AttributeType": next(iter(place[key]))} for key in keys],
            global_indexes=[],
            indexes=[],
            streams=None,
            billing_mode="PAY_PER_REQUEST",
            sse_specification=None,
            tags=[],
            deletion_protection_enabled=False,
            warm_throughput=None,
        )


def _requests(operation: str, params: Params) -> list[tuple[str, Params]]:
    if operation in _SINGLE:
        return [(_SINGLE[operation], params)]
    return [next(iter(item.items())) for item in params.get("TransactItems", ())]


def _binary(value: Any) -> Any:
    """Return a value as botocore parses it from the wire, where binary is Base64."""
    ((kind, content),) = value.items()
    match kind:
        case "B":
            return {kind: b64decode(content)}
        case "BS":
            return {kind: [b64decode(one) for one in content]}
        case "L":
            return {kind: [_binary(one) for one in content]}
        case "M":
            return {kind: {name: _binary(one) for name, one in content.items()}}
    return value


def _copy(table: Table, items: Mapping[Any, Any]) -> dict[Any, Any]:
    copied: Callable[[Any], Any] = dict if table.range_key_attr is not None else lambda item: item
    return {key: copied(held) for key, held in items.items()}
