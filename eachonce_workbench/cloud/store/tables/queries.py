"""Query and Scan: items of a table or an index, page by page.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Query.html
https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_Scan.html
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from moto.dynamodb.models.dynamo_type import Item
from moto.dynamodb.models.table import Table

from eachonce_workbench.cloud.store.tables.attributes import Attributes, wire, wire_attributes
from eachonce_workbench.cloud.store.tables.expressions.conditions import Condition
from eachonce_workbench.cloud.store.tables.expressions.key_conditions import KeyCondition
from eachonce_workbench.cloud.store.tables.expressions.older import condition_of, key_condition_of
from eachonce_workbench.cloud.store.tables.expressions.projections import Projection
from eachonce_workbench.cloud.store.tables.expressions.scope import Scope, require_one_form
from eachonce_workbench.cloud.store.tables.keys import check_scalars
from eachonce_workbench.cloud.store.tables.refusals import invalid, invalid_value
from eachonce_workbench.cloud.store.tables.sizes import size_bytes
from eachonce_workbench.cloud.store.tables.views import Position, View

PAGE_BYTES = 1024 * 1024

Params = Mapping[str, Any]
Find = Callable[[str], Table]


@dataclass(frozen=True, slots=True)
class Page:
    """What a query or a scan answers: how many items it has looked at, and how large they were."""

    answer: dict[str, Any]
    view: View
    read_bytes: int


@dataclass(frozen=True, slots=True)
class _Asked:
    """What queries and scans have in common."""

    projection: Projection
    filter: Condition | None

    @classmethod
    def of(cls, params: Params, scope: Scope) -> _Asked:
        filtered = Condition.of("FilterExpression", params.get("FilterExpression"), scope)
        if filtered is None:
            older = params.get("QueryFilter") or params.get("ScanFilter")
            filtered = condition_of(older, params.get("ConditionalOperator"))
        projection = Projection.asked(params, scope)
        scope.require_used()
        _check_select(params)
        return cls(projection, filtered)

    def view(self, params: Params, table: Table) -> View:
        view = View.of(table, params.get("IndexName"))
        if view.is_global and params.get("ConsistentRead"):
            raise invalid("Consistent reads are not supported on global secondary indexes")
        _check_projected(params, view)
        check_scalars(self.projection.paths, table)
        check_scalars(() if self.filter is None else self.filter.paths, table)
        return view


def query(params: Params, find: Find) -> Page:
    """Answer a Query; raises `AwsError` ValidationException when it is not one that the table or index can answer."""
    expressions = ("KeyConditionExpression", "FilterExpression", "ProjectionExpression")
    require_one_form(params, expressions, ("AttributesToGet", "QueryFilter", "ConditionalOperator", "KeyConditions"))
    scope = Scope.of(params, *expressions)
    key = _key_condition(params, scope)
    asked = _Asked.of(params, scope)
    view = asked.view(params, find(params["TableName"]))
    key.require(view.hash_keys, view.range_keys, view.types)
    _check_filter(asked.filter, view)
    start = None if params.get("ExclusiveStartKey") is None else view.start(params["ExclusiveStartKey"])
    if start is not None and not key.holds(start):
        raise invalid("The provided starting key is outside query boundaries based on provided conditions")
    (partition,) = key.terms[view.hash_keys[0]].operands
    found = [item for item in view.items(partition) if key.holds(item.attrs)]
    return _page(
        params, asked, view, _Order(found, view.query_position, params.get("ScanIndexForward") is False), start
    )


def _key_condition(params: Params, scope: Scope) -> KeyCondition:
    text, older = params.get("KeyConditionExpression"), params.get("KeyConditions")
    if text is not None:
        return KeyCondition.of(text, scope)
    if older is None:
        raise invalid("Either the KeyConditions or KeyConditionExpression parameter must be specified in the request.")
    return key_condition_of(older)


def scan(params: Params, find: Find) -> Page:
    """Answer a Scan; raises `AwsError` ValidationException when it is not one that the table or index can answer."""
    expressions = ("FilterExpression", "ProjectionExpression")
    require_one_form(params, expressions, ("AttributesToGet", "ScanFilter", "ConditionalOperator"))
    _check_segments(params)
    scope = Scope.of(params, *expressions)
    asked = _Asked.of(params, scope)
    view = asked.view(params, find(params["TableName"]))
    start = None if params.get("ExclusiveStartKey") is None else view.start(params["ExclusiveStartKey"])
    segments = params.get("TotalSegments") or 1
    found = [
        item for item in view.items() if segments == 1 or view.segment_hash(item.attrs) % segments == params["Segment"]
    ]
    return _page(params, asked, view, _Order(found, view.scan_position), start)


class _Order:
    """Items in the order in which they are read."""

    def __init__(self, items: list[Item], position: Callable[[Attributes], Position], backward: bool = False) -> None:  # noqa: FBT001, FBT002
        self._items = items
        self._position = position
        self._backward = backward

    def after(self, start: Attributes | None) -> list[Item]:
        """The items after a key, or all of them."""
        placed = [(self._position(item.attrs), item) for item in self._items]
        if start is not None:
            begin = self._position(start)
            placed = [one for one in placed if (one[0] < begin if self._backward else one[0] > begin)]
        placed.sort(key=lambda one: one[0], reverse=self._backward)
        return [item for _, item in placed]


def _page(params: Params, asked: _Asked, view: View, order: _Order, start: Attributes | None) -> Page:
    items = order.after(start)
    looked_at, size = _fitting(items, params.get("Limit"), view)
    wanted = [item.attrs for item in looked_at if asked.filter is None or asked.filter.holds(view.has(item.attrs))]
    answer: dict[str, Any] = {"Count": len(wanted), "ScannedCount": len(looked_at)}
    if params.get("Select") != "COUNT":
        shown = view if params.get("Select") != "ALL_ATTRIBUTES" else View.of(view.table, None)
        answer["Items"] = [wire_attributes(asked.projection.of(shown.has(attrs))) for attrs in wanted]
    if looked_at and (len(looked_at) < len(items) or len(looked_at) == params.get("Limit")):
        last = looked_at[-1].attrs
        answer["LastEvaluatedKey"] = {name: wire(last[name]) for name in view.key_names}
    return Page(answer, view, size)


def _fitting(items: Iterable[Item], limit: int | None, view: View) -> tuple[list[Item], int]:
    """The items of a page, up to the one that makes it full, and their size."""
    page: list[Item] = []
    size = 0
    for item in items:
        if len(page) == limit or size >= PAGE_BYTES:
            break
        page.append(item)
        size += size_bytes(view.has(item.attrs))
    return page, size


def _check_select(params: Params) -> None:
    select = params.get("Select")
    asked = next((name for name in ("ProjectionExpression", "AttributesToGet") if params.get(name) is not None), None)
    if select == "SPECIFIC_ATTRIBUTES" and asked is None:
        raise invalid(
            "Must specify the AttributesToGet or ProjectionExpression when choosing to get SPECIFIC_ATTRIBUTES"
        )
    if select not in (None, "SPECIFIC_ATTRIBUTES") and asked is not None:
        what = "only the Count" if select == "COUNT" else select
        raise invalid(f"Cannot specify the {asked} when choosing to get {what}")
    if select == "ALL_PROJECTED_ATTRIBUTES" and params.get("IndexName") is None:
        raise invalid("ALL_PROJECTED_ATTRIBUTES can be used only when Querying using an IndexName")


def _check_projected(params: Params, view: View) -> None:
    if params.get("Select") == "ALL_ATTRIBUTES" and view.is_global and view.kept is not None:
        raise invalid_value(
            "Select type ALL_ATTRIBUTES is not supported for global secondary index "
            f"{view.index} because its projection type is not ALL"
        )


def _check_filter(filtered: Condition | None, view: View) -> None:
    asked = {path[0] for path in filtered.paths} if filtered is not None else set()
    for part in view.parts:
        if part.name in asked:
            raise invalid(
                f"Filter Expression can only contain non-primary key attributes: Primary key attribute: {part.name}"
            )


def _check_segments(params: Params) -> None:
    segment, total = params.get("Segment"), params.get("TotalSegments")
    if (segment is None) != (total is None):
        missing, there = (
            ("TotalSegments", "Segment parameter") if total is None else ("Segment", "parameter TotalSegments")
        )
        raise invalid(f"The {missing} parameter is required but was not present in the request when {there} is present")
    if segment is not None and total is not None and segment >= total:
        raise invalid(
            "The Segment parameter is zero-based and must be less than parameter TotalSegments: "
            f"Segment: {segment} is not less than TotalSegments: {total}"
        )
