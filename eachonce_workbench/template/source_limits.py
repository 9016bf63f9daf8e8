"""What AWS takes of topics, subscriptions, buckets, schedules and pipes; the twin of `limits`.

Their properties are those of each type's page under
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html
"""

from __future__ import annotations

from collections.abc import Mapping

from eachonce_workbench.template.shape import (
    Anything,
    Flag,
    Group,
    Like,
    OnlyInAws,
    RunsFor,
    RunsOf,
    Several,
    Shape,
    Text,
    Whole,
    Word,
)

_ANY = Anything()
_ONLY_IN_AWS = OnlyInAws()
SQS_ARN = Like(r"arn:[^:]+:sqs:[^:]+:\d{12}:.+", "the ARN of a queue")
_REDRIVE = Group({"deadLetterTargetArn": SQS_ARN}, required=("deadLetterTargetArn",))

TARGETS = RunsFor(("sqs", "lambda", "sns", "event-bus"))
"""What a rule, a schedule or a pipe sends to in the local cloud."""

# https://docs.aws.amazon.com/sns/latest/api/API_Subscribe.html
_PROTOCOL = RunsOf(
    words=("application", "email", "email-json", "firehose", "http", "https", "lambda", "sms", "sqs"),
    run=("lambda", "sqs"),
)

# https://docs.aws.amazon.com/sns/latest/api/API_CreateTopic.html
_TOPIC = Group(
    {
        "ArchivePolicy": _ONLY_IN_AWS,
        "ContentBasedDeduplication": Flag(),
        "DataProtectionPolicy": _ONLY_IN_AWS,
        "DeliveryStatusLogging": _ANY,
        "DisplayName": Text(most=100),
        "FifoThroughputScope": Word(("Topic", "MessageGroup")),
        "FifoTopic": Flag(),
        "KmsMasterKeyId": _ANY,
        "MaximumMessageSize": _ANY,
        "SignatureVersion": _ANY,
        "Subscription": Several(of=Group({"Endpoint": _ANY, "Protocol": _PROTOCOL}, required=("Endpoint", "Protocol"))),
        "Tags": Several(of=_ANY, most=50),
        "TopicName": Text(
            characters=r"[\w-]|\.(?=fifo\Z)",
            words="letters, digits, hyphens, underscores, and .fifo",
            least=1,
            most=256,
        ),
        "TracingConfig": _ANY,
    }
)

_SUBSCRIPTION = Group(
    {
        "DeliveryPolicy": _ANY,
        "Endpoint": _ANY,
        "FilterPolicy": _ANY,
        "FilterPolicyScope": Word(("MessageAttributes", "MessageBody")),
        "Protocol": _PROTOCOL,
        "RawMessageDelivery": Flag(),
        "RedrivePolicy": _REDRIVE,
        "Region": _ANY,
        "ReplayPolicy": _ONLY_IN_AWS,
        "SubscriptionRoleArn": _ANY,
        "TopicArn": _ANY,
    },
    required=("Protocol", "TopicArn"),
)

_BUCKET = Group(
    {
        "AbacStatus": _ANY,
        "AccelerateConfiguration": _ANY,
        "AccessControl": _ANY,
        "AnalyticsConfigurations": _ANY,
        "BucketEncryption": _ANY,
        # https://docs.aws.amazon.com/AmazonS3/latest/userguide/bucketnamingrules.html
        "BucketName": Like(
            r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]", "3 to 63 small letters, digits, dots and hyphens, no dot at either end"
        ),
        "BucketNamePrefix": _ANY,
        "BucketNamespace": _ANY,
        "CorsConfiguration": _ANY,
        "IntelligentTieringConfigurations": _ANY,
        "InventoryConfigurations": _ANY,
        "LifecycleConfiguration": _ONLY_IN_AWS,
        "LoggingConfiguration": _ANY,
        "MetadataConfiguration": _ANY,
        "MetadataTableConfiguration": _ANY,
        "MetricsConfigurations": _ANY,
        "NotificationConfiguration": _ANY,
        "ObjectLockConfiguration": _ONLY_IN_AWS,
        "ObjectLockEnabled": _ANY,
        "OwnershipControls": _ANY,
        "PublicAccessBlockConfiguration": _ANY,
        "ReplicationConfiguration": _ONLY_IN_AWS,
        "Tags": _ANY,
        "VersioningConfiguration": Group({"Status": Word(("Enabled", "Suspended"))}, required=("Status",)),
        "WebsiteConfiguration": _ONLY_IN_AWS,
    }
)

# https://docs.aws.amazon.com/scheduler/latest/UserGuide/schedule-types.html
SCHEDULER_EXPRESSION = Like(
    r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days)|1 (minutes|hours|days))\)"
    r"|cron\((\S+ ){2}(\?,? \S+ \S+|\S+ \S+ \?,?) \S+\)|at\(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\)",
    "rate(5 minutes), at(2030-12-31T12:00:00), or a cron(...) of six fields, the third or the fifth of which is ?",
)
# https://docs.aws.amazon.com/scheduler/latest/APIReference/API_Target.html
_SCHEDULE_TARGET = Group(
    {
        "Arn": TARGETS,
        "DeadLetterConfig": Group({"Arn": SQS_ARN}),
        "EcsParameters": _ONLY_IN_AWS,
        "EventBridgeParameters": Group(
            {"DetailType": Text(least=1, most=128), "Source": Text(least=1, most=256)},
            required=("DetailType", "Source"),
        ),
        "Input": _ANY,
        "KinesisParameters": _ONLY_IN_AWS,
        "RetryPolicy": Group({"MaximumEventAgeInSeconds": Whole(60, 86_400), "MaximumRetryAttempts": Whole(0, 185)}),
        "RoleArn": _ANY,
        "SageMakerPipelineParameters": _ONLY_IN_AWS,
        "SqsParameters": Group({"MessageGroupId": Text(least=1, most=128)}),
    },
    required=("Arn",),
)
_SCHEDULE = Group(
    {
        "Description": Text(most=512),
        "EndDate": _ANY,
        # A window only spreads invocations over it: here each comes at its beginning, which is within it.
        "FlexibleTimeWindow": Group(
            {"MaximumWindowInMinutes": Whole(1, 1_440), "Mode": Word(("OFF", "FLEXIBLE"))}, required=("Mode",)
        ),
        "GroupName": _ANY,
        "KmsKeyArn": _ANY,
        "Name": Text(characters=r"[\w.-]", words="letters, digits, dots, hyphens and underscores", least=1, most=64),
        "ScheduleExpression": SCHEDULER_EXPRESSION,
        "ScheduleExpressionTimezone": Text(least=1, most=50),
        "StartDate": _ANY,
        "State": Word(("ENABLED", "DISABLED")),
        "Target": _SCHEDULE_TARGET,
    },
    required=("FlexibleTimeWindow", "ScheduleExpression"),
)
_SCHEDULE_GROUP = Group({"Name": _ANY, "Tags": _ANY})

_FILTERS = Group({"Filters": Several(of=Group({"Pattern": Text(most=4_096)}), most=10)})
_STREAM: Mapping[str, Shape] = {
    "BatchSize": Whole(1, 10_000),
    "DeadLetterConfig": Group({"Arn": _ANY}),
    "MaximumBatchingWindowInSeconds": Whole(0, 300),
    "MaximumRecordAgeInSeconds": Whole(60, 604_800, besides=-1),
    "MaximumRetryAttempts": Whole(-1, 10_000),
    "OnPartialBatchItemFailure": Word(("AUTOMATIC_BISECT",)),
    "ParallelizationFactor": Whole(1, 10),
    "StartingPosition": Word(("TRIM_HORIZON", "LATEST")),
}
# https://docs.aws.amazon.com/eventbridge/latest/pipes-reference/API_CreatePipe.html
_PIPE = Group(
    {
        "Description": Text(most=512),
        "DesiredState": Word(("RUNNING", "STOPPED")),
        "Enrichment": RunsFor(("lambda",)),
        "EnrichmentParameters": Group({"HttpParameters": _ONLY_IN_AWS, "InputTemplate": Text(most=8_192)}),
        "KmsKeyIdentifier": _ANY,
        "LogConfiguration": _ANY,
        "Name": Text(characters=r"[\w.-]", words="letters, digits, dots, hyphens and underscores", least=1, most=64),
        "RoleArn": _ANY,
        "Source": RunsFor(("sqs", "dynamodb")),
        "SourceParameters": Group(
            {
                "ActiveMQBrokerParameters": _ANY,
                "DynamoDBStreamParameters": Group(_STREAM, required=("StartingPosition",)),
                "FilterCriteria": _FILTERS,
                "KinesisStreamParameters": _ANY,
                "ManagedStreamingKafkaParameters": _ANY,
                "RabbitMQBrokerParameters": _ANY,
                "SelfManagedKafkaParameters": _ANY,
                "SqsQueueParameters": Group(
                    {"BatchSize": Whole(1, 10_000), "MaximumBatchingWindowInSeconds": Whole(0, 300)}
                ),
            }
        ),
        "Tags": _ANY,
        "Target": TARGETS,
        "TargetParameters": Group(
            {
                "BatchJobParameters": _ANY,
                "CloudWatchLogsParameters": _ANY,
                "EcsTaskParameters": _ANY,
                "EventBridgeEventBusParameters": Group(
                    {"DetailType": _ANY, "EndpointId": _ANY, "Resources": _ANY, "Source": _ANY, "Time": _ANY}
                ),
                "HttpParameters": _ANY,
                "InputTemplate": Text(most=8_192),
                "KinesisStreamParameters": _ANY,
                "LambdaFunctionParameters": Group({"InvocationType": Word(("REQUEST_RESPONSE", "FIRE_AND_FORGET"))}),
                "RedshiftDataParameters": _ANY,
                "SageMakerPipelineParameters": _ANY,
                "SqsQueueParameters": Group({"MessageDeduplicationId": _ANY, "MessageGroupId": _ANY}),
                "StepFunctionStateMachineParameters": _ANY,
                "TimestreamParameters": _ANY,
            }
        ),
    },
    required=("Source", "Target"),
)

SOURCE_LIMITS: Mapping[str, Group] = {
    "AWS::Pipes::Pipe": _PIPE,
    "AWS::S3::Bucket": _BUCKET,
    "AWS::SNS::Subscription": _SUBSCRIPTION,
    "AWS::SNS::Topic": _TOPIC,
    "AWS::Scheduler::Schedule": _SCHEDULE,
    "AWS::Scheduler::ScheduleGroup": _SCHEDULE_GROUP,
}
"""The types of event sources that the local cloud runs, and what their properties look like."""
