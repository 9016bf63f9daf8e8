"""A mapping that was turned off by a call, and what an archive holds, stay so in the next local cloud."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import boto3

from eachonce_workbench.cloud.functions.runtime import Invocation
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.local_cloud import LocalCloud
from eachonce_workbench.cloud.store.kept import Kept
from tests.templates import write

TEMPLATE = """
Resources:
  Bus: {Type: AWS::Events::EventBus, Properties: {Name: post}}
  All: {Type: AWS::Events::Archive, Properties: {ArchiveName: all, SourceArn: !GetAtt Bus.Arn}}
  Queue: {Type: AWS::SQS::Queue, Properties: {QueueName: letters}}
  Rule:
    Type: AWS::Events::Rule
    Properties:
      EventBusName: !Ref Bus
      EventPattern: {source: [post]}
      Targets: [{Id: queue, Arn: !GetAtt Queue.Arn}]
  Fn:
    Type: AWS::Serverless::Function
    Properties:
      CodeUri: code
      Handler: app.handler
      Runtime: python3.11
      Events: {Letter: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn}}}
"""


class Taking:
    """A runtime whose function takes whatever comes, and is done with it."""

    running = 0

    def __init__(self) -> None:
        self.taken = 0

    async def invoke(self, function: str, payload: bytes, *, request_id: str | None = None) -> Invocation:
        self.taken += 1
        return Invocation(status="ok", payload=b"{}", request_id="r")

    async def stop(self) -> None:
        """Nothing was started."""


class Clients:
    """AWS's SDK on one local cloud, from beside its loop."""

    def __init__(self, cloud: LocalCloud) -> None:
        self._clients = {
            name: boto3.client(
                name,  # type: ignore[call-overload]
                endpoint_url=cloud.endpoint,
                region_name="eu-west-1",
                aws_access_key_id="x",
                aws_secret_access_key="x",
            )
            for name in ("events", "lambda")
        }

    async def call(self, service: str, operation: str, **params: Any) -> Any:
        return await asyncio.to_thread(getattr(self._clients[service], operation), **params)

    async def mapping(self) -> Any:
        return (await self.call("lambda", "list_event_source_mappings"))["EventSourceMappings"][0]

    async def turn(self, *, on: bool) -> str:
        uuid = (await self.mapping())["UUID"]
        state: str = (await self.call("lambda", "update_event_source_mapping", UUID=uuid, Enabled=on))["State"]
        return state

    async def put(self) -> None:
        entry = {"EventBusName": "post", "Source": "post", "DetailType": "Posted", "Detail": "{}"}
        await self.call("events", "put_events", Entries=[entry])

    async def archived(self) -> int:
        count: int = (await self.call("events", "describe_archive", ArchiveName="all"))["EventCount"]
        return count

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def test_a_pause_and_an_archive_outlast_their_cloud(tmp_path: Path) -> None:
    """What waited is done when somebody resumes it, and both are told to whoever looks on."""
    (tmp_path / "code").mkdir()
    template = write(tmp_path, TEMPLATE)
    told: list[str] = []

    def listen(happening: Happening) -> None:
        if happening.kind == "switched":
            told.append(happening.fields["state"])

    def cloud(runtime: Taking, kept: Kept | None = None) -> LocalCloud:
        history = History()
        history.subscribe(listen)
        return LocalCloud(template, runtime=lambda _: runtime, history=history, kept=kept)

    async def through() -> None:
        first, second = Taking(), Taking()
        async with cloud(first) as before:
            clients = Clients(before)
            assert await clients.turn(on=False) == "Disabling"
            await clients.put()
            await before.settle(30)
            assert (await clients.mapping())["State"] == "Disabled"
            clients.close()
        kept = Kept.decoded(before.keep().encoded())
        async with cloud(second, kept) as after:
            clients = Clients(after)
            await after.settle(30)
            assert (await clients.mapping())["State"] == "Disabled"
            assert await clients.archived() == 1
            assert (first.taken, second.taken) == (0, 0)
            assert await clients.turn(on=True) == "Enabling"
            await after.settle(30)
            assert second.taken == 1
            assert after.keep().switched == {}
            clients.close()

    asyncio.run(through())

    assert told == ["Disabled", "Disabled", "Enabled"]
