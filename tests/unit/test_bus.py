"""A bus takes events, routes them by its rules, and answers for those that it cannot deliver."""

import json
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import time_machine

from eachonce_workbench.cloud.bus.bus import Bus
from eachonce_workbench.cloud.history import Happening, History
from eachonce_workbench.cloud.store.protocol import AwsError
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.cloud.store.store import Store
from eachonce_workbench.matching.input import TargetInput
from eachonce_workbench.template.topology import Queue, Rule
from tests.topologies import bus, function, queue, rule, target, topology

ORDERS = queue("orders")
DEAD_LETTERS = queue("orders-undelivered")
SHOP = {"source": ["shop"]}


class Later:
    """What waits: calls what it was given when it is told that the time has come."""

    def __init__(self, clock: time_machine.Traveller) -> None:
        self._clock = clock
        self.waiting: list[tuple[float, Callable[[], None]]] = []
        self.waited: list[float] = []

    def __call__(self, seconds: float, call: Callable[[], None]) -> None:
        self.waiting.append((seconds, call))

    def pass_all(self) -> None:
        """Let time pass until nothing waits."""
        while self.waiting:
            seconds, call = self.waiting.pop(0)
            self.waited.append(seconds)
            self._clock.shift(timedelta(seconds=seconds))
            call()


class System:
    """A bus, the queues behind it, and what happens."""

    def __init__(self, later: Later, *rules: Rule, **options: Any) -> None:
        system = topology(
            queues=(ORDERS, DEAD_LETTERS), buses=(bus("shop"),), rules=rules, functions=(function("Mail"),)
        )
        self.store = Store(system)
        self.store.create()
        self.happenings: list[Happening] = []
        history = History()
        history.subscribe(self.happenings.append)
        self.bus = Bus(system, self.store.queues, history, after=later, **options)

    def put(self, *entries: dict[str, Any]) -> list[dict[str, str]]:
        """Publish entries, and give the result of each."""
        answer = self.bus.put_events(list(entries))
        assert answer["FailedEntryCount"] == sum("ErrorCode" in result for result in answer["Entries"])
        results: list[dict[str, str]] = answer["Entries"]
        return results

    def bodies(self, of: Queue = ORDERS) -> list[Any]:
        """Take what a queue holds."""
        return [json.loads(record["body"]) for record in self.records(of)]

    def records(self, of: Queue = ORDERS) -> list[dict[str, Any]]:
        return self.store.queues.receive(of.arn, max_messages=100)

    def kinds(self) -> list[str]:
        return [happening.kind for happening in self.happenings]


@pytest.fixture
def clock() -> Any:
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        yield clock


@pytest.fixture
def later(clock: time_machine.Traveller) -> Later:
    return Later(clock)


def entry(**changes: Any) -> dict[str, Any]:
    given = {"Source": "shop", "DetailType": "OrderPlaced", "Detail": '{"order":"1"}', "EventBusName": "shop"}
    return {name: value for name, value in (given | changes).items() if value is not None}


def test_an_entry_becomes_an_event_for_the_targets_of_every_rule_that_matches(later: Later) -> None:
    """The envelope is EventBridge's: version 0, the account, the region and the time of the call."""
    system = System(later, rule("all", SHOP, target(ORDERS)), rule("none", {"source": ["other"]}, target(ORDERS)))

    (result,) = system.put(entry(Resources=["arn:1"]))

    assert system.bodies() == [
        {
            "version": "0",
            "id": result["EventId"],
            "detail-type": "OrderPlaced",
            "source": "shop",
            "account": "123456789012",
            "time": "2026-01-02T03:04:05Z",
            "region": "eu-west-1",
            "resources": ["arn:1"],
            "detail": {"order": "1"},
        }
    ]
    assert system.kinds() == ["published", "matched", "delivered"]


TRACE = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1"


@pytest.mark.parametrize(("header", "seen"), [(TRACE, TRACE), ("what X-Ray can't read", None), (None, None)])
def test_a_target_gets_the_trace_beside_the_event(later: Later, header: str | None, seen: str | None) -> None:
    """An undelivered one, too; never in the event itself."""
    mail = target(function("Mail"), dead_letters=DEAD_LETTERS)
    system = System(later, rule("all", SHOP, target(ORDERS), mail))

    system.put(entry(TraceHeader=header))

    for of in (ORDERS, DEAD_LETTERS):
        (record,) = system.records(of)
        assert record["attributes"].get("AWSTraceHeader") == seen
        assert "Root" not in record["body"]


def test_an_event_keeps_the_time_that_its_entry_gives(later: Later) -> None:
    """Time is in seconds since the epoch on the wire."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    system.put(entry(Time=1_767_225_600))

    assert [body["time"] for body in system.bodies()] == ["2026-01-01T00:00:00Z"]


def test_a_disabled_rule_delivers_nothing(later: Later) -> None:
    """Nor does a rule of another bus."""
    system = System(
        later, rule("off", SHOP, target(ORDERS), enabled=False), rule("other", SHOP, target(ORDERS), bus_name="default")
    )

    system.put(entry())

    assert system.bodies() == []


@pytest.mark.parametrize("name", ["shop", "arn:aws:events:eu-west-1:123456789012:event-bus/shop"])
def test_a_bus_is_named_by_its_name_or_its_arn(later: Later, name: str) -> None:
    """Both reach the same rules."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    system.put(entry(EventBusName=name))

    assert len(system.bodies()) == 1


def test_an_entry_without_a_bus_goes_to_the_default_bus(later: Later) -> None:
    """It exists in every account."""
    system = System(later, rule("all", SHOP, target(ORDERS), bus_name="default"))

    system.put(entry(EventBusName=None))

    assert len(system.bodies()) == 1


def test_a_target_gets_what_its_input_says(later: Later) -> None:
    """InputPath picks a part of the event."""
    picked = target(ORDERS, input=TargetInput.of({"InputPath": "$.detail.order"}))
    system = System(later, rule("all", SHOP, picked))

    system.put(entry())

    assert system.bodies() == ["1"]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"Source": None}, "InvalidArgument"),
        ({"Source": ""}, "InvalidArgument"),
        ({"DetailType": None}, "InvalidArgument"),
        ({"DetailType": "x" * 129}, "InvalidArgument"),
        ({"Detail": None}, "InvalidArgument"),
        ({"Detail": "{"}, "MalformedDetail"),
        ({"Detail": "[1]"}, "MalformedDetail"),
        ({"Detail": '{"n":NaN}'}, "MalformedDetail"),
        ({"Detail": '{"n":9223372036854775808}'}, "MalformedDetail"),
        ({"Detail": '{"a":' * 1001 + "1" + "}" * 1001}, "MalformedDetail"),
        ({"Detail": '{"a":' * 100_000 + "1" + "}" * 100_000}, "MalformedDetail"),
        ({"Detail": '{"a":' * 995 + '"\\ud800"' + "}" * 995}, "MalformedDetail"),
        ({"Detail": '{"n":-9223372036854775809}'}, "MalformedDetail"),
        ({"Detail": '{"n":' + "9" * 5000 + "}"}, "MalformedDetail"),
        ({"Detail": '{"n":1e99999999999999999999}'}, "MalformedDetail"),
        ({"Detail": '"text"'}, "MalformedDetail"),
        ({"Detail": "null"}, "MalformedDetail"),
        ({"Detail": '{"a":"\\ud800"}'}, "MalformedDetail"),
        ({"Source": "aws.s3"}, "NotAuthorizedForSourceException"),
        ({"Time": 1e300}, "InvalidArgument"),
        ({"Time": float("nan")}, "InvalidArgument"),
    ],
)
def test_a_wrong_entry_fails_alone(later: Later, changes: dict[str, Any], code: str) -> None:
    """Its neighbours are published, and each result stands where its entry stood."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    first, wrong, last = system.put(entry(), entry(**changes), entry())

    assert wrong["ErrorCode"] == code
    assert [body["id"] for body in system.bodies()] == [first["EventId"], last["EventId"]]


def test_details_of_any_size_and_numbers_up_to_the_limits_are_taken(later: Later) -> None:
    """A thousand levels and 64-bit integers are still EventBridge's."""
    system = System(later, rule("all", SHOP, target(ORDERS)))
    deep = '{"a":' * 999 + '{"n":9223372036854775807,"m":-9223372036854775808}' + "}" * 999

    (result,) = system.put(entry(Detail=deep))

    assert "EventId" in result
    (record,) = system.records()
    assert f'"detail":{deep}' in record["body"]


def test_a_number_is_delivered_as_it_was_written(later: Later) -> None:
    """No double, which would make one of two that differ."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    system.put(entry(Detail='{"n":[0.1234567890123456781,1.10,-0.0,100000000000000000000.5]}'))

    (record,) = system.records()
    assert '{"n":[0.1234567890123456781,1.10,-0.0,100000000000000000000.5]}' in record["body"]


@pytest.mark.parametrize("missing", ["Source", "DetailType", "Detail"])
def test_a_missing_field_is_an_error_of_its_entry_even_if_no_entry_is_complete(later: Later, missing: str) -> None:
    """As EventBridge answers, unlike its documentation says."""
    system = System(later)

    (result,) = system.put(entry(**{missing: None}))

    reason = f"Parameter {missing} is not valid. Reason: {missing} is a required argument."
    assert result == {"ErrorCode": "InvalidArgument", "ErrorMessage": reason}


@pytest.mark.parametrize("name", ["nowhere", "arn:aws:events:eu-west-1:123456789012:event-bus/nowhere"])
def test_an_entry_for_a_bus_that_is_not_there_is_taken_and_lost_and_said_to_be(later: Later, name: str) -> None:
    """EventBridge gives it an id like any other; the history does not hide what becomes of it."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    first, lost = system.put(entry(), entry(EventBusName=name))

    assert [body["id"] for body in system.bodies()] == [first["EventId"]]
    assert system.kinds() == ["published", "matched", "delivered", "lost"]
    assert system.happenings[-1].fields["event_id"] == lost["EventId"]
    assert system.happenings[-1].fields["bus"] == "nowhere"


@pytest.mark.parametrize(
    "entries",
    [
        [],
        [entry()] * 11,
        [entry(Detail=json.dumps({"a": "x" * 600_000})), entry(Detail=json.dumps({"a": "x" * 600_000}))],
        [entry(), entry(EventBusName="a bus")],
        [entry(EventBusName="")],
        [entry(EventBusName="x" * 1601)],
        [entry(Resources=["x" * 2049])],
        [entry(TraceHeader="x" * 501)],
    ],
    ids=["none", "eleven", "over 1 MB together", "bus name", "empty bus name", "long name", "resource", "trace"],
)
def test_a_wrong_request_fails_as_a_whole(later: Later, entries: list[dict[str, Any]]) -> None:
    """Nothing of it is published."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    with pytest.raises(AwsError) as refused:
        system.put(*entries)

    assert refused.value.code == "ValidationException"
    assert system.bodies() == []


@pytest.mark.parametrize(
    ("entries", "code"),
    [
        (None, "ValidationException"),
        ({}, "SerializationException"),
        ("entries", "SerializationException"),
        ([None], "SerializationException"),
        ([entry(), "entry"], "SerializationException"),
        ([entry(Source=5)], "SerializationException"),
        ([entry(Detail={"a": 1})], "SerializationException"),
        ([entry(DetailType=["x"])], "SerializationException"),
        ([entry(EventBusName=False)], "SerializationException"),
        ([entry(Resources="arn:1")], "SerializationException"),
        ([entry(Resources=[5])], "SerializationException"),
        ([entry(Time="today")], "SerializationException"),
        ([entry(Time=True)], "SerializationException"),
        ([entry(Time=[])], "SerializationException"),
    ],
)
def test_what_is_no_list_of_entries_fails_as_a_whole(later: Later, entries: Any, code: str) -> None:
    """Whatever JSON it is."""
    system = System(later, rule("all", SHOP, target(ORDERS)))

    with pytest.raises(AwsError) as refused:
        system.bus.put_events(entries)

    assert (refused.value.code, refused.value.status) == (code, 400)
    assert system.bodies() == []


def test_a_target_that_cannot_be_reached_is_tried_again_later(later: Later) -> None:
    """With longer and longer waits, and then it gets the event once."""
    system = System(later, rule("all", SHOP, target(ORDERS)))
    system.store.queues.begin_outage(ORDERS.arn)

    system.put(entry())
    assert system.bus.pending == 1
    system.store.queues.end_outage(ORDERS.arn)
    later.pass_all()

    assert system.bus.pending == 0
    assert len(system.bodies()) == 1


@pytest.mark.parametrize(
    ("limits", "condition", "most"),
    [
        ({"max_attempts": 3}, "MaximumRetryAttempts", 3),
        ({"max_attempts": 0}, "MaximumRetryAttempts", 0),
        ({"max_age_seconds": 60}, "MaximumEventAgeInSeconds", 185),
    ],
)
def test_a_target_is_given_up_at_the_first_limit(
    later: Later, limits: dict[str, int], condition: str, most: int
) -> None:
    """The event goes to the target's dead-letter queue as it was, with EventBridge's reasons as attributes."""
    chosen = rule("all", SHOP, target(ORDERS, dead_letters=DEAD_LETTERS, **limits))
    system = System(later, chosen)
    system.store.queues.begin_outage(ORDERS.arn)

    (result,) = system.put(entry())
    later.pass_all()

    (dead,) = system.records(DEAD_LETTERS)
    attributes = {name: value["stringValue"] for name, value in dead["messageAttributes"].items()}
    assert json.loads(dead["body"])["id"] == result["EventId"]
    assert attributes.pop("ERROR_MESSAGE")
    assert int(attributes.pop("RETRY_ATTEMPTS")) == len(later.waited) <= most
    assert attributes == {
        "RULE_ARN": chosen.arn,
        "TARGET_ARN": ORDERS.arn,
        "ERROR_CODE": "CONNECTION_FAILURE",
        "EXHAUSTED_RETRY_CONDITION": condition,
    }
    assert system.kinds() == ["published", "matched", "undelivered"]


def test_waits_between_retries_grow_up_to_a_limit(later: Later) -> None:
    """Exponential back-off with full jitter: no wait is longer than its step, and steps double."""
    system = System(later, rule("all", SHOP, target(ORDERS, max_attempts=20)))
    system.store.queues.begin_outage(ORDERS.arn)

    system.put(entry())
    later.pass_all()

    assert all(seconds <= min(2**step, 900) for step, seconds in enumerate(later.waited))
    assert max(later.waited) > 100


def test_a_target_that_is_not_there_is_not_tried_again(later: Later) -> None:
    """Missing resources don't come back by themselves: the event is a dead letter at once."""
    system = System(later, rule("all", SHOP, target(queue("gone"), dead_letters=DEAD_LETTERS)))

    system.put(entry())

    (dead,) = system.records(DEAD_LETTERS)
    assert system.bus.pending == 0
    assert dead["messageAttributes"]["ERROR_CODE"]["stringValue"] == "NO_RESOURCE"
    assert "RETRY_ATTEMPTS" not in dead["messageAttributes"]


def test_a_message_that_its_queue_refuses_is_not_tried_again(later: Later) -> None:
    """A FIFO queue takes nothing without a message group."""
    fifo = queue("orders.fifo", properties={"ContentBasedDeduplication": True})
    system = System(later, rule("all", SHOP, target(fifo, dead_letters=DEAD_LETTERS)))
    system.store._create_queue(fifo)

    system.put(entry())

    (dead,) = system.records(DEAD_LETTERS)
    assert dead["messageAttributes"]["ERROR_CODE"]["stringValue"] == "INVALID_PARAMETER"


@pytest.mark.parametrize(
    ("given", "detail", "group"),
    [
        ("all", {}, "all"),
        ("$.detail.tenant", {"tenant": "acme"}, "acme"),
        ("$.detail.tenant", {"tenant": 7}, "7"),
        ("$.detail.lines[0].sku", {"lines": [{"sku": "85123A"}]}, "85123A"),
        ("$.source", {}, "shop"),
        ("$5", {}, "$5"),
        ("$.detail.tenant", {}, None),
        ("$.detail.tenant", {"tenant": None}, None),
    ],
    ids=["fixed", "a path", "a number", "into a list", "the envelope's", "no path", "found nowhere", "null"],
)
def test_a_targets_message_group_is_fixed_or_found_in_the_event(
    later: Later, given: str, detail: dict[str, Any], group: str | None
) -> None:
    """On a standard queue, where it makes the queue fair."""
    system = System(later, rule("all", SHOP, target(ORDERS, message_group_id=given)))

    system.put(entry(Detail=json.dumps(detail)))

    assert [each["attributes"].get("MessageGroupId") for each in system.records(ORDERS)] == [group]


def test_a_fifo_queues_message_group_is_fixed(later: Later) -> None:
    """What looks like a path is its name, as AWS has had it before queues were fair."""
    fifo = queue("orders.fifo", properties={"ContentBasedDeduplication": True})
    system = System(later, rule("all", SHOP, target(fifo, message_group_id="$.detail.tenant")))
    system.store._create_queue(fifo)

    system.put(entry(Detail='{"tenant": "acme"}'))

    assert [each["attributes"]["MessageGroupId"] for each in system.records(fifo)] == ["$.detail.tenant"]


@pytest.mark.parametrize(
    "detail",
    [{"tenant": ["a"]}, {"tenant": {"id": "a"}}, {"tenant": ""}, {"tenant": "a b"}],
    ids=["a list", "an object", "empty", "what SQS takes for no group"],
)
def test_an_event_whose_group_is_none_goes_to_the_dead_letter_queue(later: Later, detail: dict[str, Any]) -> None:
    """At once, since it will never be one."""
    by_tenant = target(ORDERS, dead_letters=DEAD_LETTERS, message_group_id="$.detail.tenant")
    system = System(later, rule("all", SHOP, by_tenant))

    system.put(entry(Detail=json.dumps(detail)))

    assert not later.waiting
    assert not system.records(ORDERS)
    (letter,) = system.records(DEAD_LETTERS)
    assert letter["messageAttributes"]["ERROR_CODE"]["stringValue"] == "INVALID_PARAMETER"
    assert "tenant" in letter["body"]


def test_an_undelivered_event_without_a_dead_letter_queue_is_lost_and_said_to_be(later: Later) -> None:
    """EventBridge drops it; the history does not hide that."""
    system = System(later, rule("all", SHOP, target(queue("gone"))))

    system.put(entry())

    assert system.happenings[-1].kind == "undelivered"
    assert system.happenings[-1].fields["dead_letter_arn"] is None


def test_one_target_that_fails_holds_up_no_other(later: Later) -> None:
    """Neither another target of its rule nor another rule."""
    system = System(later, rule("a", SHOP, target(queue("gone")), target(ORDERS)), rule("b", SHOP, target(ORDERS)))

    system.put(entry())

    assert len(system.bodies()) == 2


def test_a_duplicate_is_the_same_event_in_two_messages(later: Later) -> None:
    """As EventBridge, which delivers at least once: the event's id stays, the message's differs."""
    system = System(later, rule("all", SHOP, target(ORDERS)), disorder=Disorder(0, duplicates=1.0))

    results = system.put(*[entry()] * 10)

    records = system.records()
    assert len(records) > 10
    assert len({record["messageId"] for record in records}) == len(records)
    assert {json.loads(record["body"])["id"] for record in records} == {result["EventId"] for result in results}


def test_a_function_can_be_a_target(later: Later) -> None:
    """It is begun with the event, and nobody waits for it."""
    begun: list[tuple[str, bytes]] = []
    mail = function("Mail")
    system = System(later, rule("all", SHOP, target(mail)), start=lambda arn, payload: begun.append((arn, payload)))

    (result,) = system.put(entry())

    ((called, payload),) = begun
    assert called == mail.arn
    assert json.loads(payload)["id"] == result["EventId"]


def sample(**changes: Any) -> str:
    """An event with what TestEventPattern demands, and nothing else."""
    event = dict.fromkeys(("id", "account", "time", "region", "detail-type"), "x") | {"source": "shop"}
    return json.dumps({name: value for name, value in (event | changes).items() if value is not None})


def test_patterns_can_be_tried_out(later: Later) -> None:
    """TestEventPattern answers by the same rules as the bus."""
    system = System(later)

    assert system.bus.test_event_pattern('{"source":["shop"]}', sample(resources=[], detail={}))
    assert system.bus.test_event_pattern('{"source":["shop"]}', sample())
    assert not system.bus.test_event_pattern('{"source":["other"]}', sample())


@pytest.mark.parametrize(
    ("pattern", "event", "code", "message"),
    [
        ('{"source":"shop"}', "{}", "InvalidEventPatternException", "Event pattern is not valid. Reason: at source: "),
        ('{"source":["shop"]}', "{}", "ValidationException", "Parameter Event is not valid."),
        ('{"source":["shop"]}', "no json", "ValidationException", "Parameter Event is not valid."),
        ('{"source":["shop"]}', '["shop"]', "ValidationException", "Parameter Event is not valid."),
        ('{"source":["shop"]}', "[" * 5000, "ValidationException", "Parameter Event is not valid."),
        ('{"source":["shop"]}', None, "ValidationException", "1 validation error detected: Value null at 'event'"),
        (None, sample(), "ValidationException", "1 validation error detected: Value null at 'eventPattern'"),
        ({"source": ["shop"]}, sample(), "SerializationException", "EventPattern is not a string"),
        ("[" * 1000, sample(), "InvalidEventPatternException", "Event pattern is not valid. Reason: "),
        (
            " " * 2049,
            sample(),
            "InvalidEventPatternException",
            "Event pattern is not valid. Reason: the pattern has 2049",
        ),
        (" " * 4097, sample(), "ValidationException", "1 validation error detected: Value at 'eventPattern'"),
        ('{"source":["shop"]}', sample(detail="x" * 2**20), "ValidationException", "Parameter Event is not valid."),
        *(
            ('{"source":["shop"]}', sample(**{name: None}), "ValidationException", "Parameter Event is not valid.")
            for name in ("id", "account", "source", "time", "region", "detail-type")
        ),
    ],
)
def test_what_is_no_pattern_or_no_event_is_refused(
    later: Later, pattern: Any, event: Any, code: str, message: str
) -> None:
    """As TestEventPattern refuses it."""
    system = System(later)

    with pytest.raises(AwsError) as refused:
        system.bus.test_event_pattern(pattern, event)

    assert refused.value.code == code
    assert refused.value.message.startswith(message)
    assert refused.value.message.count("Event pattern is not valid") <= 1
