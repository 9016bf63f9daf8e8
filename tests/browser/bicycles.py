"""The bundle that `eachonce new bundle` writes, served: bicycles that come back to stations."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from eachonce_workbench.operations.account import Account

AT = "2026-03-01T08:00:00Z"


@dataclass
class Bicycles:
    """Its folder, where its local cloud answers, and the address of its console."""

    folder: Path
    endpoint: str
    address: str

    def at(self, screen: str) -> str:
        """Return a screen's address."""
        whole = urlsplit(self.address)
        return f"{whole.scheme}://{whole.netloc}{whole.path}{screen}"

    @cached_property
    def account(self) -> Account:
        return Account(endpoint_url=self.endpoint)

    def close_lock(self, trip: str, **named: Any) -> None:
        """A lock holds a bicycle again: the function EndTrip is told, and publishes that the trip has ended."""
        told = {"trip": trip, "bicycle": "b-1", "station": "Harbour", "at": AT, "minutes": 12} | named
        answer = self.account.client("lambda").invoke(FunctionName="EndTrip", Payload=json.dumps(told))
        assert "FunctionError" not in answer, answer["Payload"].read()

    def publish(self, event_id: str, *, event_type: str = "TripEnded", **data: Any) -> None:
        """Somebody publishes an event by themselves."""
        whole = {"trip": event_id, "bicycle": "b-1", "station": "Harbour", "ended_at": AT, "minutes": 12} | data
        event = {
            "specversion": "1.0",
            "id": event_id,
            "source": "somebody",
            "type": event_type,
            "subject": event_id,
            "data": whole,
        }
        self.put(source="somebody", detail_type=event_type, detail=json.dumps(event))

    def put(self, *, source: str, detail_type: str, detail: str) -> None:
        """Put an entry on the bundle's bus, whatever it is."""
        entry = {"Source": source, "DetailType": detail_type, "Detail": detail, "EventBusName": self.bus}
        answer = self.account.client("events").put_events(Entries=[entry])
        assert answer["FailedEntryCount"] == 0, answer

    @cached_property
    def bus(self) -> str:
        stacks = self.account.client("cloudformation").describe_stacks()["Stacks"]
        resources = self.account.client("cloudformation").list_stack_resources(StackName=stacks[0]["StackName"])
        kinds = {each["ResourceType"]: each["PhysicalResourceId"] for each in resources["StackResourceSummaries"]}
        return str(kinds["AWS::Events::EventBus"])

    def station(self, day: str = "2026-03-01", name: str = "Harbour") -> dict[str, Any]:
        """What the table says of a station's day."""
        dynamodb = self.account.client("dynamodb")
        table = next(each for each in dynamodb.list_tables()["TableNames"] if each.endswith("Stations"))
        found = dynamodb.get_item(TableName=table, Key={"station": {"S": name}, "day": {"S": day}}, ConsistentRead=True)
        return {key: next(iter(value.values())) for key, value in found.get("Item", {}).items()}
