"""Rules for streams that bring records to functions, for pipes and for topics."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from eachonce_workbench.check.deliveries import STREAMS, mapped, subscriptions
from eachonce_workbench.check.mappings import REPORT, reports
from eachonce_workbench.check.reading import flag, group, is_known, number
from eachonce_workbench.hardening.resources import Resources
from eachonce_workbench.hardening.rule import Breach, Rule
from eachonce_workbench.template.system import service

_ENDLESS = -1
_MOST_READERS = 2
_ERRORS = "https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-errors.html"
_LOSES_FOR_GOOD = frozenset({"sqs", "lambda", "firehose"})


def endless_retries(resources: Resources) -> Iterator[Breach]:
    """Give mappings of streams in which one bad record holds up its shard for as long as the stream keeps it."""
    for each in mapped(resources, *STREAMS):
        retries = number(each.mapping, _ENDLESS, "MaximumRetryAttempts")
        age = number(each.mapping, _ENDLESS, "MaximumRecordAgeInSeconds")
        bisects = flag(each.mapping, "BisectBatchOnFunctionError") or not is_known(
            each.mapping, "BisectBatchOnFunctionError"
        )
        if (retries, age) == (_ENDLESS, _ENDLESS) and not bisects:
            yield Breach(by=each.mapping, what="a batch with a bad record is tried until it expires, and is never cut")


def without_destination(resources: Resources) -> Iterator[Breach]:
    """Give mappings of streams that drop what they give up."""
    for each in mapped(resources, *STREAMS):
        known = is_known(each.mapping, "DestinationConfig", "OnFailure", "Destination")
        if known and not group(each.mapping.properties, "DestinationConfig", "OnFailure").get("Destination"):
            yield Breach(by=each.mapping, what="records that it gives up are told to nobody")


def whole_batches(resources: Resources) -> Iterator[Breach]:
    """Give mappings of streams that begin a batch anew, from its first record, when a later one fails."""
    for each in mapped(resources, *STREAMS):
        if not reports(each.mapping) and number(each.mapping, 100, "BatchSize") != 1:
            yield Breach(by=each.mapping, what="one record that fails brings its whole batch again")


def missed_beginnings(resources: Resources) -> Iterator[Breach]:
    """Give mappings that begin at the end of a stream, wherever that is when they are ready."""
    for each in mapped(resources, *STREAMS):
        if is_known(each.mapping, "StartingPosition") and each.mapping.properties.get("StartingPosition") == "LATEST":
            yield Breach(by=each.mapping, what="it begins at LATEST")


def crowded_streams(resources: Resources) -> Iterator[Breach]:
    """Give mappings of a table's stream that more than two functions read."""
    mappings = [each for each in mapped(resources, "dynamodb") if is_known(each.mapping, "EventSourceArn", "Stream")]
    readers = Counter(each.source_arn for each in mappings)
    for each in mappings:
        if readers[each.source_arn] > _MOST_READERS:
            yield Breach(by=each.mapping, what=f"{readers[each.source_arn]} mappings read one stream of a table")


def pipes_without_dead_letters(resources: Resources) -> Iterator[Breach]:
    """Give pipes from streams that drop what they give up."""
    for pipe in resources.of_type("AWS::Pipes::Pipe"):
        for source, name in (("dynamodb", "DynamoDBStreamParameters"), ("kinesis", "KinesisStreamParameters")):
            settings = group(pipe.properties, "SourceParameters", name)
            if (
                service(str(pipe.properties.get("Source"))) == source
                and is_known(pipe, "Source", "SourceParameters", "DeadLetterConfig")
                and not group(settings, "DeadLetterConfig").get("Arn")
            ):
                yield Breach(by=pipe, what="records that it gives up are told to nobody")


def subscriptions_without_dead_letters(resources: Resources) -> Iterator[Breach]:
    """Give subscriptions whose messages are gone when they can't be delivered."""
    for by, properties in subscriptions(resources):
        protocol = properties.get("Protocol")
        known = is_known(by, "RedrivePolicy", "Protocol", "deadLetterTargetArn")
        if protocol in _LOSES_FOR_GOOD and known and not properties.get("RedrivePolicy"):
            yield Breach(by=by, what=f"messages that can't be delivered by {protocol} are gone")


RULES = (
    Rule(
        id="endless-retries",
        number=20,
        reason="one bad record holds up all that come after it in its shard, and they expire with it",
        mend="set BisectBatchOnFunctionError: true, or limit MaximumRetryAttempts or MaximumRecordAgeInSeconds",
        link=_ERRORS,
        breaches=endless_retries,
    ),
    Rule(
        id="stream-without-destination",
        number=21,
        reason="records that were tried too often, or became too old, are gone, and nobody hears of it",
        mend="give the mapping a DestinationConfig with OnFailure",
        link=_ERRORS,
        breaches=without_destination,
    ),
    Rule(
        id="whole-stream-batches",
        number=22,
        reason="records that are done already come again before the one that failed",
        mend=f"add FunctionResponseTypes: [{REPORT}], and return batchItemFailures",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-ddb-batchfailurereporting.html",
        breaches=whole_batches,
    ),
    Rule(
        id="missed-beginning",
        number=23,
        reason="a mapping may miss records while it is made or changed when it begins at LATEST",
        mend="begin at TRIM_HORIZON, or at AT_TIMESTAMP for a stream",
        link="https://docs.aws.amazon.com/lambda/latest/dg/services-dynamodb-eventsourcemapping.html",
        breaches=missed_beginnings,
    ),
    Rule(
        id="crowded-stream",
        number=24,
        reason="DynamoDB throttles more than two readers of a shard, and all of them fall behind",
        mend="read the stream once, and hand records on by a bus or a topic",
        link="https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Streams.html",
        breaches=crowded_streams,
    ),
    Rule(
        id="pipe-without-dead-letters",
        number=25,
        reason="records that were tried too often, or became too old, are gone, and nobody hears of it",
        mend="give the pipe's source a DeadLetterConfig",
        link="https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html",
        breaches=pipes_without_dead_letters,
    ),
    Rule(
        id="subscription-without-dead-letters",
        number=26,
        reason="a message that can't be delivered - at once, without a right to it - is dropped by the topic",
        mend="give the subscription a RedrivePolicy with a deadLetterTargetArn",
        link="https://docs.aws.amazon.com/sns/latest/dg/sns-dead-letter-queues.html",
        breaches=subscriptions_without_dead_letters,
    ),
)
