"""What AWS takes of each type of resource that the local cloud runs.

Each type's properties are those of its page under
https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-template-resource-type-ref.html, their limits
those of the API that CloudFormation calls with them; a quota counts as it is before anybody raises it.
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
    Several,
    Shape,
    Text,
    Whole,
    Word,
)
from eachonce_workbench.template.source_limits import SOURCE_LIMITS, SQS_ARN, TARGETS

_ANY = Anything()
_ONLY_IN_AWS = OnlyInAws()
_HYPHENS = "letters, digits, hyphens and underscores"
_DOTS = "letters, digits, dots, hyphens and underscores"
_ARN = Like(r"arn:[^:]+:[^:]+:[^:]*:[^:]*:.+", "an ARN")
DESTINATIONS = RunsFor(("sqs", "sns", "lambda", "event-bus"))
"""Where the end of an asynchronous invocation is told here."""
BATCH_DESTINATIONS = RunsFor(("sqs",))
"""Where a batch that a mapping gives up is told here."""
_SOURCES = RunsFor(("sqs", "dynamodb"))

# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_CreateQueue.html
# https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-configure-dead-letter-queue.html
_QUEUE = Group(
    {
        "ContentBasedDeduplication": Flag(),
        "DeduplicationScope": Word(("messageGroup", "queue")),
        "DelaySeconds": Whole(0, 900),
        "FifoQueue": Flag(),
        "FifoThroughputLimit": Word(("perQueue", "perMessageGroupId")),
        "KmsDataKeyReusePeriodSeconds": Whole(60, 86_400),
        "KmsMasterKeyId": _ANY,
        "MaximumMessageSize": Whole(1_024, 1_048_576),
        "MessageRetentionPeriod": Whole(60, 1_209_600),
        "QueueName": Text(characters=r"[\w-]|\.(?=fifo\Z)", words=f"{_HYPHENS}, and .fifo", least=1, most=80),
        "ReceiveMessageWaitTimeSeconds": Whole(0, 20),
        "RedriveAllowPolicy": Group(
            {
                "redrivePermission": Word(("allowAll", "denyAll", "byQueue")),
                "sourceQueueArns": Several(of=SQS_ARN, least=1, most=10),
            }
        ),
        "RedrivePolicy": Group(
            {"deadLetterTargetArn": SQS_ARN, "maxReceiveCount": Whole(1, 1_000)},
            required=("deadLetterTargetArn", "maxReceiveCount"),
        ),
        "SqsManagedSseEnabled": Flag(),
        "Tags": Several(of=_ANY, most=50),
        "VisibilityTimeout": Whole(0, 43_200),
    }
)

# https://docs.aws.amazon.com/lambda/latest/dg/gettingstarted-limits.html
# https://docs.aws.amazon.com/lambda/latest/api/API_CreateFunction.html
_FUNCTION = Group(
    {
        "Architectures": Several(of=Word(("x86_64", "arm64")), least=1, most=1),
        "CapacityProviderConfig": _ONLY_IN_AWS,
        "Code": _ANY,
        "CodeSigningConfigArn": _ANY,
        "DeadLetterConfig": Group({"TargetArn": DESTINATIONS}),
        "Description": Text(most=256),
        "DurableConfig": _ONLY_IN_AWS,
        "Environment": Group({"Variables": _ANY}),
        "EphemeralStorage": OnlyInAws(Group({"Size": Whole(512, 10_240)}, required=("Size",))),
        "FileSystemConfigs": OnlyInAws(Several(of=_ANY, most=1)),
        "FunctionName": Text(characters=r"[\w-]", words=_HYPHENS, least=1, most=64),
        "FunctionScalingConfig": _ONLY_IN_AWS,
        "Handler": Text(characters=r"\S", words="characters other than spaces", least=1, most=128),
        "ImageConfig": _ONLY_IN_AWS,
        "KmsKeyArn": _ANY,
        "Layers": Several(of=_ANY, most=5),
        "LoggingConfig": _ANY,
        "MemorySize": Whole(128, 10_240),
        "PackageType": Word(("Image", "Zip")),
        "PublishToLatestPublished": _ANY,
        "RecursiveLoop": Word(("Allow", "Terminate")),
        "ReservedConcurrentExecutions": Whole(0),
        "Role": _ANY,
        "Runtime": _ANY,
        "RuntimeManagementConfig": _ANY,
        "SnapStart": OnlyInAws(Group({"ApplyOn": Word(("PublishedVersions", "None"))}, required=("ApplyOn",))),
        "Tags": Several(of=_ANY, most=50),
        "TenancyConfig": _ONLY_IN_AWS,
        # Of Lambda's managed instances alone, which have no local counterpart, up to 5,400 seconds.
        "Timeout": Whole(1, 900),
        "TracingConfig": OnlyInAws(Group({"Mode": Word(("Active", "PassThrough"))})),
        "VpcConfig": _ONLY_IN_AWS,
    }
)

_LAYER = Group(
    {
        "CompatibleArchitectures": Several(of=Word(("x86_64", "arm64")), most=2),
        "CompatibleRuntimes": Several(of=_ANY, most=15),
        "Content": _ANY,
        "Description": Text(most=256),
        "LayerName": Text(characters=r"[\w-]", words=_HYPHENS, least=1, most=140),
        "LicenseInfo": Text(most=512),
    }
)

_VERSION = Group(
    {
        "CodeSha256": _ANY,
        "Description": Text(most=256),
        "FunctionName": _ANY,
        "FunctionScalingConfig": _ONLY_IN_AWS,
        "ProvisionedConcurrencyConfig": _ONLY_IN_AWS,
        "RuntimePolicy": _ANY,
    },
    required=("FunctionName",),
)

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateAlias.html
_ALIAS = Group(
    {
        "Description": Text(most=256),
        "FunctionName": _ANY,
        "FunctionVersion": _ANY,
        "Name": Like(r"(?!\d+\Z)[\w-]{1,128}", f"1 to 128 {_HYPHENS}, and no number"),
        "ProvisionedConcurrencyConfig": _ONLY_IN_AWS,
        "RoutingConfig": _ONLY_IN_AWS,
    },
    required=("FunctionName", "Name"),
)

# https://docs.aws.amazon.com/lambda/latest/api/API_CreateEventSourceMapping.html
_EVENT_SOURCE_MAPPING = Group(
    {
        "AmazonManagedKafkaEventSourceConfig": _ONLY_IN_AWS,
        "BatchSize": Whole(1, 10_000),
        "BisectBatchOnFunctionError": Flag(),
        "DestinationConfig": Group(
            {"OnFailure": Group({"Destination": BATCH_DESTINATIONS}, required=("Destination",))}
        ),
        "DocumentDBEventSourceConfig": _ONLY_IN_AWS,
        "Enabled": Flag(),
        "EventSourceArn": _SOURCES,
        "FilterCriteria": Group({"Filters": Several(of=Group({"Pattern": Text(most=4_096)}), most=10)}),
        "FunctionName": _ANY,
        "FunctionResponseTypes": Several(of=Word(("ReportBatchItemFailures",)), most=1),
        "KmsKeyArn": _ANY,
        "LoggingConfig": _ANY,
        "MaximumBatchingWindowInSeconds": Whole(0, 300),
        "MaximumRecordAgeInSeconds": Whole(60, 604_800, besides=-1),
        "MaximumRetryAttempts": Whole(-1, 10_000),
        "MetricsConfig": _ANY,
        "ParallelizationFactor": Whole(1, 10),
        "ProvisionedPollerConfig": _ONLY_IN_AWS,
        "Queues": _ONLY_IN_AWS,
        "ScalingConfig": Group({"MaximumConcurrency": Whole(2, 1_000)}),
        "SelfManagedEventSource": _ONLY_IN_AWS,
        "SelfManagedKafkaEventSourceConfig": _ONLY_IN_AWS,
        "SourceAccessConfigurations": _ONLY_IN_AWS,
        "StartingPosition": Word(("TRIM_HORIZON", "LATEST", "AT_TIMESTAMP")),
        "StartingPositionTimestamp": _ONLY_IN_AWS,
        "Tags": Several(of=_ANY, most=50),
        "Topics": _ONLY_IN_AWS,
        "TumblingWindowInSeconds": OnlyInAws(Whole(0, 900)),
    },
    required=("FunctionName",),
)

# https://docs.aws.amazon.com/lambda/latest/api/API_PutFunctionEventInvokeConfig.html
_DESTINATION = Group({"Destination": DESTINATIONS}, required=("Destination",))
_EVENT_INVOKE_CONFIG = Group(
    {
        "DestinationConfig": Group({"OnFailure": _DESTINATION, "OnSuccess": _DESTINATION}),
        "FunctionName": _ANY,
        "MaximumEventAgeInSeconds": Whole(60, 21_600),
        "MaximumRetryAttempts": Whole(0, 2),
        "Qualifier": _ANY,
    },
    required=("FunctionName", "Qualifier"),
)

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateEventBus.html
_BUS = Group(
    {
        "DeadLetterConfig": OnlyInAws(Group({"Arn": SQS_ARN})),
        "Description": Text(most=512),
        "EventSourceName": _ONLY_IN_AWS,
        "KmsKeyIdentifier": _ANY,
        "LogConfig": _ANY,
        "Name": Like(
            r"aws\.partner/[\w./-]{1,244}|(?!default\Z)[\w.-]{1,256}",
            f"1 to 256 {_DOTS}, other than the bus that is there",
        ),
        "Policy": _ANY,
        "Tags": Several(of=_ANY, most=50),
    },
    required=("Name",),
)

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_Target.html
_TARGET = Group(
    {
        "AppSyncParameters": _ONLY_IN_AWS,
        "Arn": TARGETS,
        "BatchParameters": _ONLY_IN_AWS,
        "DeadLetterConfig": Group({"Arn": SQS_ARN}),
        "EcsParameters": _ONLY_IN_AWS,
        "HttpParameters": _ONLY_IN_AWS,
        "Id": Text(characters=r"[\w.-]", words=_DOTS, least=1, most=64),
        "Input": Text(most=8_192),
        "InputPath": Text(most=256),
        "InputTransformer": Group(
            {"InputPathsMap": _ANY, "InputTemplate": Text(least=1, most=8_192)}, required=("InputTemplate",)
        ),
        "KinesisParameters": _ONLY_IN_AWS,
        "RedshiftDataParameters": _ONLY_IN_AWS,
        "RetryPolicy": Group({"MaximumEventAgeInSeconds": Whole(60, 86_400), "MaximumRetryAttempts": Whole(0, 185)}),
        "RoleArn": _ANY,
        "RunCommandParameters": _ONLY_IN_AWS,
        "SageMakerPipelineParameters": _ONLY_IN_AWS,
        "SqsParameters": Group({"MessageGroupId": Text(least=1, most=100)}, required=("MessageGroupId",)),
    },
    required=("Arn", "Id"),
)

# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-scheduled-rule-pattern.html
_SCHEDULE = Like(
    r"rate\((1 (minute|hour|day)|([2-9]|[1-9]\d+) (minutes|hours|days))\)"
    r"|cron\((\S+ ){2}(\?,? \S+ \S+|\S+ \S+ \?,?) \S+\)",
    "rate(1 hour), rate(5 minutes), or a cron(...) of six fields, the third or the fifth of which is ?",
)

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_PutRule.html
# https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-quota.html: five targets
_RULE = Group(
    {
        "Description": Text(most=512),
        "EventBusName": Text(characters=r"[\w.:/-]", words=_DOTS, least=1, most=1_600),
        "EventPattern": _ANY,
        "Name": Text(characters=r"[\w.-]", words=_DOTS, least=1, most=64),
        "RoleArn": _ANY,
        "ScheduleExpression": _SCHEDULE,
        "State": Word(("ENABLED", "DISABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS")),
        "Tags": Several(of=_ANY, most=50),
        "Targets": Several(of=_TARGET, most=5),
    }
)

# https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_CreateTable.html
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/ServiceQuotas.html
_NAME = Text(characters=r"[\w.-]", words=_DOTS, least=3, most=255)
_ATTRIBUTE = Text(least=1, most=255)
_KEY = Group({"AttributeName": _ATTRIBUTE, "KeyType": Word(("HASH", "RANGE"))}, required=("AttributeName", "KeyType"))
_PROJECTION = Group(
    {
        "NonKeyAttributes": Several(of=_ATTRIBUTE, most=20),
        "ProjectionType": Word(("ALL", "KEYS_ONLY", "INCLUDE")),
    }
)
_THROUGHPUT = Group(
    {"ReadCapacityUnits": Whole(0), "WriteCapacityUnits": Whole(0)},
    required=("ReadCapacityUnits", "WriteCapacityUnits"),
)
_INDEX: Mapping[str, Shape] = {"IndexName": _NAME, "KeySchema": Several(of=_KEY, least=1), "Projection": _PROJECTION}
_TABLE = Group(
    {
        "AttributeDefinitions": Several(
            of=Group(
                {"AttributeName": _ATTRIBUTE, "AttributeType": Word(("S", "N", "B"))},
                required=("AttributeName", "AttributeType"),
            )
        ),
        "BillingMode": Word(("PROVISIONED", "PAY_PER_REQUEST")),
        "ContributorInsightsSpecification": _ANY,
        "DeletionProtectionEnabled": Flag(),
        "GlobalSecondaryIndexes": Several(
            of=Group(
                {
                    **_INDEX,
                    "ContributorInsightsSpecification": _ANY,
                    "OnDemandThroughput": _ANY,
                    "ProvisionedThroughput": _THROUGHPUT,
                    "WarmThroughput": _ANY,
                },
                required=tuple(_INDEX),
            ),
            most=20,
        ),
        "ImportSourceSpecification": _ONLY_IN_AWS,
        "KeySchema": Several(of=_KEY, least=1, most=2),
        "KinesisStreamSpecification": _ONLY_IN_AWS,
        "LocalSecondaryIndexes": Several(of=Group(_INDEX, required=tuple(_INDEX)), most=5),
        "OnDemandThroughput": _ANY,
        "PointInTimeRecoverySpecification": Group(
            {"PointInTimeRecoveryEnabled": Flag(), "RecoveryPeriodInDays": Whole(1, 35)}
        ),
        "ProvisionedThroughput": _THROUGHPUT,
        "ResourcePolicy": _ANY,
        "SSESpecification": Group(
            {"KMSMasterKeyId": _ANY, "SSEEnabled": Flag(), "SSEType": Word(("KMS",))}, required=("SSEEnabled",)
        ),
        "StreamSpecification": Group(
            {
                "ResourcePolicy": _ANY,
                "StreamViewType": Word(("KEYS_ONLY", "NEW_IMAGE", "OLD_IMAGE", "NEW_AND_OLD_IMAGES")),
                "Tags": _ANY,
            },
            required=("StreamViewType",),
        ),
        "TableClass": Word(("STANDARD", "STANDARD_INFREQUENT_ACCESS")),
        "TableName": _NAME,
        "Tags": Several(of=_ANY, most=50),
        "TimeToLiveSpecification": Group({"AttributeName": _ATTRIBUTE, "Enabled": Flag()}, required=("Enabled",)),
        "VectorIndexes": _ONLY_IN_AWS,
        "WarmThroughput": _ANY,
    },
    required=("KeySchema",),
)

# https://docs.aws.amazon.com/eventbridge/latest/APIReference/API_CreateArchive.html
_ARCHIVE = Group(
    {
        "ArchiveName": Text(characters=r"[\w.-]", words=_DOTS, least=1, most=48),
        "Description": Text(most=512),
        "EventPattern": _ANY,
        "KmsKeyIdentifier": _ANY,
        "RetentionDays": Whole(0, 2**31 - 1),
        "SourceArn": _ANY,
    },
    required=("SourceArn",),
)

LIMITS: Mapping[str, Group] = {
    "AWS::DynamoDB::Table": _TABLE,
    "AWS::Events::Archive": _ARCHIVE,
    "AWS::Events::EventBus": _BUS,
    "AWS::Events::Rule": _RULE,
    "AWS::Lambda::Alias": _ALIAS,
    "AWS::Lambda::EventInvokeConfig": _EVENT_INVOKE_CONFIG,
    "AWS::Lambda::EventSourceMapping": _EVENT_SOURCE_MAPPING,
    "AWS::Lambda::Function": _FUNCTION,
    "AWS::Lambda::LayerVersion": _LAYER,
    "AWS::Lambda::Version": _VERSION,
    "AWS::SQS::Queue": _QUEUE,
    **SOURCE_LIMITS,
}
"""The types that the local cloud runs, and what their properties look like."""
