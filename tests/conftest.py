"""Fixtures: AWS as moto plays it, and no way to reach the real one."""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any, Literal

import hypothesis
import pytest
from eachonce import Aws, Consumer, writer
from moto import mock_aws
from moto.core import models as moto_models
from moto.core.botocore_stubber import BotocoreStubber
from moto.events.utils import EventTemplateParser

from tests import faults as wire
from tests.parcels import TABLES
from tests.printed import Printed
from tests.records import Context
from tests.store import Store, clients

# A busy machine is no fault of an example's.
hypothesis.settings.register_profile("eachonce", deadline=None)
hypothesis.settings.load_profile("eachonce")

_PERSONS = {"AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ENDPOINT_URL"}
_AWS = {
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
    "AWS_SESSION_TOKEN": "testing",
    "AWS_DEFAULT_REGION": "eu-west-1",
    "AWS_REGION": "eu-west-1",
    "AWS_ACCOUNT_ID_ENDPOINT_MODE": "disabled",
    "AWS_EC2_METADATA_DISABLED": "true",
}


@pytest.hookimpl(trylast=True)  # they have been shuffled by now
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest."""
    items.sort(key=lambda item: item.get_closest_marker("long") is None)


@pytest.fixture(scope="session", autouse=True)
def _fake_account() -> Iterator[None]:
    """Credentials and a region that lead nowhere."""
    with pytest.MonkeyPatch.context() as environment:
        for name in [name for name in os.environ if name in _PERSONS or name.lower().endswith("_proxy")]:
            environment.delenv(name)
        for name, value in _AWS.items():
            environment.setenv(name, value)
        yield


@pytest.fixture(scope="session", autouse=True)
def _own_cache(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Translations that no other run has made."""
    with pytest.MonkeyPatch.context() as environment:
        environment.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        yield


@pytest.fixture(scope="session", autouse=True)
def _one_call_at_a_time() -> Iterator[None]:
    """Let moto answer the calls of several threads one after the other: it was not made for two at once."""
    lock, answer = threading.RLock(), BotocoreStubber.__call__

    def answer_alone(stubber: BotocoreStubber, *call: Any, **more: Any) -> Any:
        with lock:
            return answer(stubber, *call, **more)

    with pytest.MonkeyPatch.context() as moto:
        moto.setattr(BotocoreStubber, "__call__", answer_alone)
        yield


@pytest.fixture(scope="session", autouse=True)
def _botocore_alone() -> Iterator[None]:
    """Let moto listen to botocore, and to no other client of HTTP: that would cost each test 20 ms."""
    with pytest.MonkeyPatch.context() as moto:
        moto.setattr(moto_models, "RESPONSES_METHODS", [])
        yield


@pytest.fixture(scope="session")
def aws_clients() -> Aws:
    """Clients that try each call once, so that a test sees what the layer makes of a failure."""
    return clients()


@pytest.fixture(scope="session")
def patient_clients() -> Aws:
    """Clients that try each call three times, as the layer's own do."""
    return clients(tries=3)


@pytest.fixture
def store(aws_clients: Aws) -> Iterator[Store]:
    """The post office's tables and dead-letter queue, empty."""
    with mock_aws():
        yield Store.create(aws_clients, TABLES)


@pytest.fixture
def faults(store: Store) -> Iterator[wire.Faults]:
    """Faults to put between the layer and AWS; every one that a test sets must happen."""
    with wire.between(store.aws) as faults:
        yield faults
        assert not faults.waiting


@pytest.fixture
def bus(store: Store, monkeypatch: pytest.MonkeyPatch) -> str:
    """The post office's bus: the queue that gets everything on it."""
    # moto renders every target's input by a package that it does not depend on, even where there is no template.
    monkeypatch.setattr(EventTemplateParser, "parse", staticmethod(lambda *, event, **_: event))
    return store.listen_to_bus()


@pytest.fixture
def no_naps(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let nobody wait for a jam that a test has made."""
    monkeypatch.setattr(writer, "_BUSY_BASE_SECONDS", 0)


@pytest.fixture
def printed(capsys: pytest.CaptureFixture[str]) -> Printed:
    """What the function under test prints."""
    return Printed(capsys)


@pytest.fixture
def context() -> Context:
    """Lambda's context, with half a minute left."""
    return Context()


@pytest.fixture
def queue(store: Store) -> str:
    """The consumer's own queue, so that it can be told what becomes of its messages."""
    url = str(store.aws.sqs.create_queue(QueueName="post")["QueueUrl"])
    store.settings = replace(store.settings, queue_url=url)
    return url


@pytest.fixture
def make_consumer(store: Store) -> Callable[..., Consumer]:
    """Make a consumer of handlers by contract."""

    def make(
        *handlers: tuple[Any, Any],
        name: str = "post",
        external: bool = False,
        uncertain: Literal["again", "reject"] = "again",
        **options: Any,
    ) -> Consumer:
        consumer = Consumer(name, aws=store.aws, settings=store.settings, **options)
        for contract, handle in handlers:
            consumer.on(contract, external=external, uncertain=uncertain)(handle)
        return consumer

    return make


@pytest.fixture(autouse=True)
def _fresh_loggers() -> Iterator[None]:
    """A logger of Powertools keeps the standard output of the test that made it: make it anew after each."""
    yield
    loggers = logging.root.manager.loggerDict
    for name in [name for name, logger in loggers.items() if hasattr(logger, "powertools_handler")]:
        del loggers[name]
