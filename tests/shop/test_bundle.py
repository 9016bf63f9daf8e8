"""The bundle's own rules, as lint on its template."""

import json
import re
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from eachonce import journal, keyring
from eachonce.report import _HELD_METRICS

from eachonce_workbench.scaffold.name import Name
from eachonce_workbench.scaffold.parts import consumer_block
from eachonce_workbench.template import declared, load
from eachonce_workbench.template.source import Source

FILE = Path(__file__).parents[2] / "template.yaml"
MAKEFILE = FILE.with_name("Makefile")
EXAMPLE = FILE.parent / "eachonce_workbench" / "scaffold" / "bundle"
BUILT = {"AWS::Serverless::Function", "AWS::Serverless::LayerVersion"}
DOCUMENT = Source.read(FILE).document
RESOURCES: Mapping[str, Mapping[str, Any]] = DOCUMENT["Resources"]
FORTNIGHT_SECONDS = 14 * 24 * 3600
DAY_SECONDS = 24 * 3600


def of_type(name: str) -> dict[str, Any]:
    """Give the properties of each resource of a type, by logical id."""
    return {key: each["Properties"] for key, each in RESOURCES.items() if each["Type"] == name}


TABLES = of_type("AWS::DynamoDB::Table")
QUEUES = of_type("AWS::SQS::Queue")
QUEUE_POLICIES = of_type("AWS::SQS::QueuePolicy")
RULES = of_type("AWS::Events::Rule")
ROLES = of_type("AWS::IAM::Role")
ALARMS = of_type("AWS::CloudWatch::Alarm")
FUNCTIONS = of_type("AWS::Serverless::Function")
CONSUMERS = [key for key, each in FUNCTIONS.items() if "Messages" in each.get("Events", {})]
SIGNERS = {"PlaceOrder", *CONSUMERS}
DEAD_LETTER_QUEUES = [key for key in QUEUES if key.endswith("DeadLetterQueue")]
TIMEOUT_SECONDS = DOCUMENT["Globals"]["Function"]["Timeout"]
SOURCE = DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]["EVENT_SOURCE"]

each_consumer = pytest.mark.parametrize("consumer", CONSUMERS)
each_function = pytest.mark.parametrize("function", FUNCTIONS)
each_queue = pytest.mark.parametrize("queue", QUEUES)
each_table = pytest.mark.parametrize("table", TABLES)


def ref(logical_id: str) -> dict[str, str]:
    return {"Ref": logical_id}


def arn(logical_id: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [logical_id, "Arn"]}


def kebab(logical_id: str) -> str:
    return re.sub(r"(?<!^)([A-Z])", r"-\1", logical_id).lower()


def values(name: str, node: Any) -> Iterator[Any]:
    """Give every value under a key of this name, at any depth."""
    if isinstance(node, dict):
        for key, item in node.items():
            if key == name:
                yield item
            yield from values(name, item)
    elif isinstance(node, list):
        for item in node:
            yield from values(name, item)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def statements(function: str) -> list[dict[str, Any]]:
    """Give what a function's role allows, whatever the parameters are."""
    (role,) = [ROLES[key] for key in ROLES if FUNCTIONS[function]["Role"] == arn(key)]
    return [statement for found in values("Statement", role["Policies"]) for statement in found]


def allowed(function: str, service: str) -> list[tuple[str, Any]]:
    """Give each action of a service that a function's role allows, with its resource."""
    return [
        (action, resource)
        for statement in statements(function)
        for action in as_list(statement["Action"])
        for resource in as_list(statement["Resource"])
        if action.startswith(f"{service}:")
    ]


def variables(function: str) -> list[str]:
    """Give the names of tables in a function's environment."""
    return [name for name in FUNCTIONS[function]["Environment"]["Variables"] if name.startswith("TABLE_")]


def mapping(function: str, event: str) -> dict[str, Any]:
    found: dict[str, Any] = FUNCTIONS[function]["Events"][event]["Properties"]
    return found


# -------------------------------------------------------------------------------- consumers


def test_there_is_a_consumer_for_each_thing_the_shop_does() -> None:
    """The rules below speak of all consumers, so none of these may slip out of them."""
    assert {"ReserveStock", "TallySales", "TrackCustomer", "NotifyCustomer"} <= set(CONSUMERS)


# NotifyCustomer's has a mail's sender more.
@pytest.mark.parametrize("consumer", [each for each in CONSUMERS if each != "NotifyCustomer"])
def test_a_consumers_block_is_what_a_new_one_would_be(consumer: str) -> None:
    """`eachonce new consumer` writes as good a one as there is."""
    rule = RULES[f"{consumer}Rule"]
    (table,) = [name.removeprefix("TABLE_") for name in variables(consumer) if name != "TABLE_JOURNAL"]
    block = consumer_block(
        Name.of(consumer),
        purpose=rule["Description"].partition(": ")[2],
        types=rule["EventPattern"]["detail-type"],
        source=SOURCE,
        table=table.capitalize(),
    )

    assert block in FILE.read_text()


@each_consumer
def test_a_consumer_has_a_queue_of_its_own(consumer: str) -> None:
    """Nobody else reads what is sent to it, and it reads nothing else."""
    readers = [key for key in CONSUMERS if mapping(key, "Messages")["Queue"] == arn(f"{consumer}Queue")]

    assert readers == [consumer]
    assert mapping(consumer, "Messages")["Queue"] == arn(f"{consumer}Queue")


@each_consumer
def test_a_consumer_has_a_dead_letter_queue_of_its_own(consumer: str) -> None:
    """Its queue alone may give up into it, after the most receptions that SQS counts: the function gives up first."""
    redrive = QUEUES[f"{consumer}Queue"]["RedrivePolicy"]
    allow = QUEUES[f"{consumer}DeadLetterQueue"]["RedriveAllowPolicy"]

    assert redrive == {"deadLetterTargetArn": arn(f"{consumer}DeadLetterQueue"), "maxReceiveCount": 1000}
    assert allow["redrivePermission"] == "byQueue"
    (source,) = allow["sourceQueueArns"]
    assert source["Fn::Sub"].endswith(f":{QUEUES[f'{consumer}Queue']['QueueName']['Fn::Sub']}")
    assert FUNCTIONS[consumer]["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"] == ref(f"{consumer}DeadLetterQueue")


@each_consumer
def test_a_rule_leads_to_the_consumers_queue_and_nowhere_else(consumer: str) -> None:
    """It tries for a day, and what it can't deliver goes to the consumer's dead-letter queue."""
    rule = RULES[f"{consumer}Rule"]
    (target,) = rule["Targets"]

    assert rule["EventBusName"] == ref("Bus")
    assert rule["EventPattern"]["source"] == [SOURCE]
    assert target["Arn"] == arn(f"{consumer}Queue")
    assert target["DeadLetterConfig"] == {"Arn": arn(f"{consumer}DeadLetterQueue")}
    assert target["RetryPolicy"] == {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": DAY_SECONDS}


@each_consumer
def test_a_rule_makes_the_consumers_queue_fair_to_tenants(consumer: str) -> None:
    """By the tenant in the envelope, which each event has: AWS doesn't promise to deliver one without."""
    (target,) = RULES[f"{consumer}Rule"]["Targets"]

    assert target["SqsParameters"] == {"MessageGroupId": "$.detail.tenant"}
    assert DOCUMENT["Globals"]["Function"]["Environment"]["Variables"]["EVENT_TENANT"]


@each_consumer
def test_a_rule_lets_through_what_the_consumer_handles(consumer: str) -> None:
    """An event type without a handler would be rejected; a handler without its event type would never run."""
    code = (FILE.parent / FUNCTIONS[consumer]["CodeUri"] / "app.py").read_text(encoding="utf-8")
    handled = re.findall(r"^@consumer\.on\((\w+)", code, re.MULTILINE)

    assert handled
    assert sorted(RULES[f"{consumer}Rule"]["EventPattern"]["detail-type"]) == sorted(handled)


@each_consumer
@pytest.mark.parametrize("queue", ["Queue", "DeadLetterQueue"])
def test_only_the_consumers_rule_is_let_in(consumer: str, queue: str) -> None:
    """The queues' policies admit EventBridge, and of EventBridge one rule."""
    policy = QUEUE_POLICIES[f"{consumer}{queue}Policy"]
    (allow,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Allow"]

    assert policy["Queues"] == [ref(f"{consumer}{queue}")]
    assert allow["Principal"] == {"Service": "events.amazonaws.com"}
    assert allow["Action"] == "sqs:SendMessage"
    assert allow["Resource"] == arn(f"{consumer}{queue}")
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": arn(f"{consumer}Rule")}}


@each_consumer
def test_a_message_stays_invisible_for_six_time_outs_and_the_window(consumer: str) -> None:
    """https://docs.aws.amazon.com/lambda/latest/dg/services-sqs-configure.html."""
    visibility_seconds = QUEUES[f"{consumer}Queue"]["VisibilityTimeout"]
    window_seconds = mapping(consumer, "Messages")["MaximumBatchingWindowInSeconds"]

    assert visibility_seconds >= 6 * FUNCTIONS[consumer].get("Timeout", TIMEOUT_SECONDS) + window_seconds


@each_consumer
def test_a_consumer_gets_batches_and_answers_for_each_message(consumer: str) -> None:
    """Ten at a time, after a second at most, and within a limit of its own that Lambda accepts (2 or more)."""
    messages = mapping(consumer, "Messages")

    assert (messages["BatchSize"], messages["MaximumBatchingWindowInSeconds"]) == (10, 1)
    assert messages["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert messages["ScalingConfig"] == {"MaximumConcurrency": ref("MaximumConcurrency")}
    assert DOCUMENT["Parameters"]["MaximumConcurrency"]["MinValue"] == 2


@each_consumer
def test_consumers_are_declared_alike(consumer: str) -> None:
    """But for names, event types, tables and an outside effect, every consumer's block is the first one's."""
    assert uniform(consumer) == uniform(CONSUMERS[0])


def uniform(consumer: str) -> dict[str, Any]:
    """Give a consumer's resources without what may differ."""
    block = {key: each for key, each in RESOURCES.items() if key.startswith(consumer)}
    text = json.dumps(block).replace(consumer, "<Name>").replace(kebab(consumer), "<name>")
    resources: dict[str, Any] = json.loads(text.replace(kebab(consumer).replace("-", "_"), "<name>"))
    del resources["<Name>Rule"]["Properties"]["Description"]
    del resources["<Name>Rule"]["Properties"]["EventPattern"]["detail-type"]
    role = resources["<Name>Role"]["Properties"]
    role["Policies"] = role["Policies"][:1]
    document = role["Policies"][0]["PolicyDocument"]
    document["Statement"] = [each for each in document["Statement"] if each["Sid"] != "CommitToTable"]
    variables = resources["<Name>"]["Properties"]["Environment"]["Variables"]
    for name in [name for name in variables if re.match("TABLE_(?!JOURNAL)|MAIL_", name)]:
        del variables[name]
    return resources


# -------------------------------------------------------------------------------- queues


@each_queue
def test_a_queue_keeps_messages_for_a_fortnight(queue: str) -> None:
    """The longest that SQS can: time for a person to come back from a holiday."""
    assert QUEUES[queue]["MessageRetentionPeriod"] == FORTNIGHT_SECONDS


@each_queue
def test_a_queue_is_encrypted(queue: str) -> None:
    """With SQS's own keys, or the stack's; what the bus can't use that one for is kept under SQS's."""
    of_sqs = QUEUES[queue]["SqsManagedSseEnabled"]

    assert of_sqs == (True if queue == "BusDeadLetterQueue" else {"Fn::If": ["HasKey", False, True]})


@each_queue
def test_a_queue_takes_no_request_without_tls(queue: str) -> None:
    """Whoever asks, and whatever for."""
    (policy,) = [each for each in QUEUE_POLICIES.values() if each["Queues"] == [ref(queue)]]
    (deny,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]

    assert deny["Principal"] == "*"
    assert deny["Action"] == "sqs:*"
    assert deny["Resource"] == arn(queue)
    assert deny["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


# -------------------------------------------------------------------------------- tables


@each_table
def test_a_table_is_encrypted_recoverable_and_paid_by_request(table: str) -> None:
    """And one of the stage "prod" can't be deleted."""
    properties = TABLES[table]

    with_key = {"SSEEnabled": True, "SSEType": "KMS", "KMSMasterKeyId": ref("KeyArn")}
    assert properties["SSESpecification"] == {"Fn::If": ["HasKey", with_key, {"SSEEnabled": True}]}
    # But for the keys': one that was erased is not to be had back.
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": table != "Keys"}
    assert properties["BillingMode"] == "PAY_PER_REQUEST"
    assert properties["DeletionProtectionEnabled"] == {"Fn::If": ["IsProduction", True, False]}
    assert RESOURCES[table]["UpdateReplacePolicy"] == "Retain"


def test_the_journal_tells_what_was_written_and_forgets_in_time() -> None:
    """The relay reads the new image; rows expire by themselves."""
    assert TABLES["Journal"]["StreamSpecification"] == {"StreamViewType": "NEW_IMAGE"}
    assert TABLES["Journal"]["TimeToLiveSpecification"] == {"AttributeName": "expires_at", "Enabled": True}


def test_a_journal_row_outlives_every_copy_of_its_event() -> None:
    """A copy may come from the archive, be retried by the rule, and wait in a queue and in its dead-letter queue."""
    (archive,) = of_type("AWS::Events::Archive").values()
    oldest_seconds = archive["RetentionDays"] * DAY_SECONDS + DAY_SECONDS + 2 * FORTNIGHT_SECONDS

    assert journal.RETENTION.total_seconds() > oldest_seconds


# -------------------------------------------------------------------------------- the bus


def test_everything_on_the_bus_is_archived() -> None:
    """An archive with a pattern would leave something out."""
    (archive,) = of_type("AWS::Events::Archive").values()

    assert archive["SourceArn"] == arn("Bus")
    assert "EventPattern" not in archive


# -------------------------------------------------------------------------------- functions


@each_function
def test_a_function_has_a_role_of_its_own(function: str) -> None:
    """No managed policy of AWS's, which would reach beyond this system, and no other function's rights."""
    own = [{"Fn::If": ["Signs", [ref("SigningPolicy")], ref("AWS::NoValue")]}]

    assert FUNCTIONS[function]["Role"] == arn(f"{function}Role")
    assert [ROLES[f"{function}Role"]["ManagedPolicyArns"]] == own if function in SIGNERS else True
    assert ("ManagedPolicyArns" in ROLES[f"{function}Role"]) is (function in SIGNERS)
    assert "Policies" not in FUNCTIONS[function]


@each_function
def test_a_function_may_do_named_things_to_named_resources(function: str) -> None:
    """No action and no resource has a wildcard, however it is written."""
    for statement in statements(function):
        assert statement["Effect"] == "Allow"
        assert "*" not in json.dumps([statement["Action"], statement["Resource"]]), statement["Sid"]


# What the layer does with the journal: it asks for the rows of a batch, commits, and notes what failed. An endpoint's
# caller has the failure; and where its order is there already, it asks whose.
JOURNALS = {"PlaceOrder": ["BatchGetItem", "GetItem", "PutItem"]}
# What each handler does with its table.
WRITES = {"PlaceOrder": "PutItem"}


@each_function
def test_a_function_may_do_with_its_tables_what_it_does(function: str) -> None:
    """Item by item: no scan, no query, no change to the table itself, and no verb that it has no use for."""
    variables = FUNCTIONS[function]["Environment"]["Variables"]
    told = [arn(value["Ref"]) for name, value in variables.items() if name.startswith("TABLE_")]
    items = [(action, table) for action, table in allowed(function, "dynamodb") if table["Fn::GetAtt"][1] == "Arn"]

    journals = JOURNALS.get(function, ["BatchGetItem", "PutItem", "UpdateItem"])
    verbs = {repr(table): [WRITES.get(function, "UpdateItem")] for table in told} | {repr(arn("Journal")): journals}
    expected = [(f"dynamodb:{verb}", table) for table in told for verb in verbs[repr(table)]]
    assert sorted(map(repr, items)) == sorted(map(repr, expected))


@each_consumer
def test_a_consumer_knows_its_own_queues(consumer: str) -> None:
    """It lets go of messages, and puts them aside, where nobody else does."""
    variables = FUNCTIONS[consumer]["Environment"]["Variables"]

    assert variables["QUEUE_URL"] == ref(f"{consumer}Queue")
    assert variables["DEAD_LETTER_QUEUE_URL"] == ref(f"{consumer}DeadLetterQueue")


@each_consumer
def test_a_consumer_knows_how_many_workers_share_its_rate(consumer: str) -> None:
    """As many as the mapping on its queue lets run at once."""
    told = FUNCTIONS[consumer]["Environment"]["Variables"]["MAXIMUM_CONCURRENCY"]

    assert told == mapping(consumer, "Messages")["ScalingConfig"]["MaximumConcurrency"]


@pytest.mark.parametrize("function", [*CONSUMERS, "PlaceOrder"])
def test_a_function_reaches_its_own_rows_of_the_journal(function: str) -> None:
    """A row's key begins with the name of who wrote it, by which the function is also known in logs and metrics."""
    (statement,) = [each for each in statements(function) if each["Resource"] == arn("Journal")]
    name = FUNCTIONS[function]["Environment"]["Variables"]["POWERTOOLS_SERVICE_NAME"]

    assert name == kebab(function)
    assert statement["Condition"] == {"ForAllValues:StringLike": {"dynamodb:LeadingKeys": [f"{name}#*"]}}


@each_consumer
def test_a_consumer_reaches_its_own_queues(consumer: str) -> None:
    """It takes from one, and rejects to the other."""
    takes = ("ChangeMessageVisibility", "DeleteMessage", "GetQueueAttributes", "ReceiveMessage")

    assert allowed(consumer, "sqs") == [
        *((f"sqs:{action}", arn(f"{consumer}Queue")) for action in takes),
        ("sqs:SendMessage", arn(f"{consumer}DeadLetterQueue")),
    ]


def test_personal_fields_are_read_by_who_decrypts_them() -> None:
    """The policy names the roles of the functions whose code does, and lets them unwrap keys and no more."""
    reads = of_type("AWS::IAM::Policy")["ReadPersonalFields"]
    decrypting = [
        each
        for each in CONSUMERS
        if "decrypt_with=Keyring()" in (FILE.parent / FUNCTIONS[each]["CodeUri"] / "app.py").read_text()
    ]

    assert (
        reads["Roles"]
        == [ref(f"{each}Role") for each in decrypting]
        == [ref("TrackCustomerRole"), ref("NotifyCustomerRole")]
    )
    assert [each["Action"] for each in reads["PolicyDocument"]["Statement"]] == ["dynamodb:GetItem", "kms:Decrypt"]


def test_personal_fields_are_published_in_clear_where_a_parameter_says_so() -> None:
    """Then there is neither a key nor a table, and no function is told of one."""
    topology = load(FILE, parameters={"PersonalFields": "clear"})
    environment = topology.function("PlaceOrder").environment

    assert topology.encryption_keys == ()
    assert "Keys" not in {table.logical_id for table in topology.tables}
    assert (environment["PERSONAL_KEY"], environment.get("TABLE_KEYS")) == ("none", None)
    assert load(FILE).function("PlaceOrder").environment["TABLE_KEYS"] == load(FILE).table("Keys").name


@pytest.mark.parametrize("name", ["PersonalKey", "PersonalKeyAlias", "Keys", "WritePersonalFields"])
def test_a_new_bundle_keeps_personal_fields_alike(name: str) -> None:
    """But for whose they are, and that it has to be asked to."""
    new = Source.read(EXAMPLE / "template.yaml").document["Resources"][name]

    assert json.loads(json.dumps(new).replace("EndTrip", "PlaceOrder")) == RESOURCES[name]
    assert new["Condition"] == "EncryptsPersonalFields"


def test_a_right_to_the_key_is_one_to_personal_fields() -> None:
    """Whatever else were wrapped with it, nobody here could unwrap it."""
    for policy in of_type("AWS::IAM::Policy").values():
        (statement,) = [each for each in policy["PolicyDocument"]["Statement"] if "kms:" in str(each["Action"])]

        assert statement["Condition"] == {"StringEquals": {"kms:EncryptionContext:purpose": keyring.PURPOSE}}
        assert statement["Resource"] == arn("PersonalKey")


@pytest.mark.parametrize("function", [*CONSUMERS, "PlaceOrder"])
def test_only_the_relay_may_publish(function: str) -> None:
    """Everybody else's events are in the commit that they belong to, for the relay to find."""
    assert allowed(function, "events") == []


def test_the_relay_publishes_to_one_bus_under_one_source() -> None:
    """Whatever else it were made to say, the bus would not take it."""
    (statement,) = [each for each in statements("RelayOutbox") if each["Action"] == "events:PutEvents"]

    assert allowed("RelayOutbox", "events") == [("events:PutEvents", arn("Bus"))]
    assert statement["Condition"] == {"StringEquals": {"events:source": SOURCE}}


def test_mail_is_sent_from_one_address_or_not_at_all() -> None:
    """The right to send comes with the address that it is for."""
    policy = ROLES["NotifyCustomerRole"]["Policies"][2]["Fn::If"]
    (statement,) = policy[1]["PolicyDocument"]["Statement"]

    assert (policy[0], policy[2]) == ("SendsMail", ref("AWS::NoValue"))
    assert statement["Action"] == "ses:SendEmail"
    assert statement["Condition"] == {
        "StringEquals": {"ses:FromAddress": ref("MailSender")},
        "ForAllValues:StringLike": {"ses:Recipients": ref("MailRecipients")},
    }


@each_function
def test_a_function_logs_to_a_group_of_its_own_that_forgets(function: str) -> None:
    """And may write there alone."""
    group = of_type("AWS::Logs::LogGroup")[f"{function}Logs"]

    assert group["LogGroupName"]["Fn::Sub"] == f"/aws/lambda/{FUNCTIONS[function]['FunctionName']['Fn::Sub']}"
    assert FUNCTIONS[function]["LoggingConfig"] == {"LogGroup": ref(f"{function}Logs")}
    assert allowed(function, "logs") == [
        ("logs:CreateLogStream", arn(f"{function}Logs")),
        ("logs:PutLogEvents", arn(f"{function}Logs")),
    ]


@pytest.mark.parametrize("group", of_type("AWS::Logs::LogGroup"))
def test_a_log_group_has_a_retention(group: str) -> None:
    """Nothing is logged for ever."""
    assert of_type("AWS::Logs::LogGroup")[group]["RetentionInDays"] == ref("LogRetentionDays")


def test_orders_are_placed_by_whom_iam_knows() -> None:
    """The API has one route, and no request enters it unsigned."""
    (api,) = of_type("AWS::Serverless::HttpApi").values()
    (event,) = FUNCTIONS["PlaceOrder"]["Events"].values()

    assert api["Auth"] == {"EnableIamAuthorizer": True, "DefaultAuthorizer": "AWS_IAM"}
    assert event["Type"] == "HttpApi"
    assert event["Properties"] == {"ApiId": ref("Api"), "Method": "POST", "Path": "/orders"}


def test_the_relay_wakes_for_rows_with_an_outbox_and_loses_none() -> None:
    """It answers for each row and tries for as long as it takes; what it can never publish it sets aside itself."""
    stream = mapping("RelayOutbox", "Stream")
    (only,) = stream["FilterCriteria"]["Filters"]

    assert stream["Stream"] == {"Fn::GetAtt": ["Journal", "StreamArn"]}
    assert stream["StartingPosition"] == "TRIM_HORIZON"
    assert json.loads(only["Pattern"]) == {"dynamodb": {"NewImage": {"outbox": {"B": [{"exists": True}]}}}}
    assert "MaximumBatchingWindowInSeconds" not in stream  # a second of every hop, for next to nothing
    assert stream["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert stream["BisectBatchOnFunctionError"] is True
    assert stream["MaximumRetryAttempts"] == -1
    assert FUNCTIONS["RelayOutbox"]["Environment"]["Variables"]["DEAD_LETTER_QUEUE_URL"] == ref(
        "RelayOutboxDeadLetterQueue"
    )
    assert stream["DestinationConfig"]["OnFailure"]["Destination"] == arn("RelayOutboxDeadLetterQueue")


def test_layers_serve_every_runtime_and_architecture_that_functions_may_run_on() -> None:
    """What a parameter admits, the layers' properties say, and `sam build` gets wheels for."""
    runtimes = DOCUMENT["Parameters"]["PythonRuntime"]["AllowedValues"]
    architectures = DOCUMENT["Parameters"]["Architecture"]["AllowedValues"]
    made = MAKEFILE.read_text()
    layers = [each for each in RESOURCES.values() if each["Type"] == "AWS::Serverless::LayerVersion"]

    assert len(layers) == 3
    for layer in layers:
        assert layer["Properties"]["CompatibleRuntimes"] == runtimes
        assert layer["Properties"]["CompatibleArchitectures"] == architectures
    assert re.search(r"^PYTHONS \?= (.*)$", made, re.M)[1].split() == [each.removeprefix("python") for each in runtimes]
    wheels = [each.replace("arm64", "aarch64") for each in architectures]
    assert re.search(r"^PROCESSORS \?= (.*)$", made, re.M)[1].split() == wheels


def test_a_new_bundle_is_built_alike() -> None:
    """The recipe stands in both Makefiles, word for word."""
    new = (EXAMPLE / "Makefile").read_text()
    made = MAKEFILE.read_text()
    recipes = (made.index("# The code of the folder"), made.index("endef\n")), (made.index("# `sam build` calls"), -1)

    for begin, end in recipes:
        assert made[begin:end].partition("\n\n\n")[0].partition("\ninvoke:")[0] in new
    for layer in ("eachonce", "cryptography"):
        requirements = Path("layers") / layer / "requirements.txt"
        assert (EXAMPLE / requirements).read_text() == (FILE.parent / requirements).read_text()


def test_sam_builds_code_without_the_python_that_it_is_for() -> None:
    """Its own builders look for the runtime's Python; the Makefile needs none."""
    built = [each for each in RESOURCES.values() if each["Type"] in BUILT]

    assert built
    assert all(each["Metadata"].items() >= {"BuildMethod": "makefile", "ContextPath": "."}.items() for each in built)


# -------------------------------------------------------------------------------- signatures


def test_what_signs_may_speak_for_its_own_source_alone() -> None:
    """Whoever may write below a source's path may let a key be known for it."""
    (policy,) = of_type("AWS::IAM::ManagedPolicy").values()
    keys = "arn:${AWS::Partition}:ssm:${AWS::Region}:${AWS::AccountId}:parameter/keys/${Name}-${Stage}"

    said = [
        each for each in policy["PolicyDocument"]["Statement"] if "Fn::If" not in each
    ]  # but for a key of one's own
    assert [(each["Action"], each["Resource"]) for each in said] == [
        ("secretsmanager:GetSecretValue", ref("SigningSecret")),
        (["ssm:GetParameter", "ssm:PutParameter"], {"Fn::Sub": f"{keys}/{SOURCE}/*"}),
        ("ssm:GetParametersByPath", {"Fn::Sub": keys}),
    ]


@pytest.mark.parametrize(
    ("signatures", "named"),
    [
        ("verify", {"SIGNING_SECRET", "SIGNING_KEYS", "VERIFYING_KEYS"}),
        ("sign", {"SIGNING_SECRET", "SIGNING_KEYS"}),
        ("none", set()),
    ],
)
@pytest.mark.parametrize("template", [FILE, EXAMPLE / "template.yaml"], ids=["the shop's", "a new bundle's"])
def test_signatures_are_what_a_parameter_says(signatures: str, named: set[str], template: Path) -> None:
    """Without them there is no secret, either."""
    system = load(template, parameters={"Name": "bikes", "Signatures": signatures})
    words = ("SIGNING_SECRET", "SIGNING_KEYS", "VERIFYING_KEYS")

    for function in system.functions:
        assert {name for name in words if function.environment.get(name)} == named
    assert bool(system.stored_values) is (signatures != "none")


def test_the_shop_verifies_and_a_new_bundle_signs() -> None:
    """Whose events a new bundle will take, nobody knows yet."""
    shop, new = (load(path, parameters={"Name": "bikes"}) for path in (FILE, EXAMPLE / "template.yaml"))

    assert all(function.environment["VERIFYING_KEYS"] for function in shop.functions)
    assert all(function.environment["SIGNING_SECRET"] for function in new.functions)
    assert not any(function.environment["VERIFYING_KEYS"] for function in new.functions)


def test_cryptography_lies_in_a_folder_for_each_processor() -> None:
    """What it compiled is called alike for all of them, and the layer looks for the folder of its own."""
    made = subprocess.run(
        ["make", "--dry-run", "build-CryptographyLayer", "ARTIFACTS_DIR=/made", "PYTHONS=3.13"],
        cwd=FILE.parent,
        capture_output=True,
        text=True,
        check=True,
    ).stdout

    for processor in ("aarch64", "x86_64"):
        assert f'cp -R . "/made/python/cryptography-{processor}"' in made
        assert f"for processor in {processor};" in made


# -------------------------------------------------------------------------------- seeing


def alarms(metric: str, dimension: Any) -> list[dict[str, Any]]:
    return [
        alarm
        for alarm in ALARMS.values()
        if alarm.get("MetricName") == metric and [each["Value"] for each in alarm["Dimensions"]] == [dimension]
    ]


@pytest.mark.parametrize("queue", DEAD_LETTER_QUEUES)
def test_the_first_dead_letter_raises_an_alarm(queue: str) -> None:
    """Of every consumer and of the relay."""
    (alarm,) = alarms("ApproximateNumberOfMessagesVisible", {"Fn::GetAtt": [queue, "QueueName"]})

    assert (alarm["Statistic"], alarm["ComparisonOperator"], alarm["Threshold"]) == (
        "Maximum",
        "GreaterThanThreshold",
        0,
    )


@each_consumer
def test_an_event_that_waits_long_raises_an_alarm(consumer: str) -> None:
    """A queue that nobody empties is as bad as a dead letter."""
    (alarm,) = alarms("ApproximateAgeOfOldestMessage", {"Fn::GetAtt": [f"{consumer}Queue", "QueueName"]})

    assert (alarm["Statistic"], alarm["ComparisonOperator"]) == ("Maximum", "GreaterThanThreshold")


def test_a_relay_that_falls_behind_raises_an_alarm() -> None:
    """Long before the stream forgets, after a day."""
    (alarm,) = alarms("IteratorAge", ref("RelayOutbox"))

    assert alarm["Threshold"] < DAY_SECONDS * 1000


@pytest.mark.parametrize("metric", _HELD_METRICS.values())
@pytest.mark.parametrize("template", [FILE, EXAMPLE / "template.yaml"], ids=["the shop's", "a new bundle's"])
def test_events_that_are_held_back_raise_an_alarm(metric: str, template: Path) -> None:
    """What is put off again and again is no oldest message to SQS; each stack hears of its own consumers alone."""
    resources = declared(template, parameters={"Name": "bikes", "Stage": "test"})
    namespaces = {
        each.properties["Environment"]["Variables"]["POWERTOOLS_METRICS_NAMESPACE"]
        for each in resources
        if each.type == "AWS::Lambda::Function"
    }
    alarms = [each.properties for each in resources if each.type == "AWS::CloudWatch::Alarm"]

    (alarm,) = [each for each in alarms if f"SUM({metric})" in str(each)]
    assert namespaces == {"Eachonce/bikes-test"}
    assert [each["Expression"] for each in alarm["Metrics"]] == [
        f'SELECT SUM({metric}) FROM SCHEMA("Eachonce/bikes-test", service)'
    ]
    assert (alarm["ComparisonOperator"], alarm["Threshold"]) == ("GreaterThanThreshold", 0)


@pytest.mark.parametrize("alarm", ALARMS)
def test_an_alarm_tells_the_topic_where_there_is_one(alarm: str) -> None:
    """And silence, which is what a healthy queue reports, is no alarm."""
    assert ALARMS[alarm]["AlarmActions"] == {
        "Fn::If": ["HasAlarmTopic", [ref("AlarmTopicArn")], ref("AWS::NoValue")],
    }
    assert ALARMS[alarm]["TreatMissingData"] == "notBreaching"


def test_the_dashboard_shows_each_concern_once() -> None:
    """Its body is JSON, and its titles differ."""
    (dashboard,) = of_type("AWS::CloudWatch::Dashboard").values()
    widgets = json.loads(dashboard["DashboardBody"]["Fn::Sub"])["widgets"]

    titles = [widget["properties"]["title"] for widget in widgets]
    assert len(titles) == len(set(titles)) == 8


def test_a_person_is_told_where_everything_is() -> None:
    """The outputs name what a person opens or calls; everything else is found among the stack's resources."""
    told = json.dumps([output["Value"] for output in DOCUMENT["Outputs"].values()])

    for name in ("Bus", "PlaceOrder"):
        assert json.dumps(ref(name)) in told
    assert "${Api}" in told
    assert "${Dashboard}" in told


@pytest.mark.parametrize("parameters", [{"Name": "n" * 24, "Stage": "s" * 8, "MailSender": "shop@example.com"}, {}])
def test_names_fit_wherever_they_go(parameters: dict[str, str]) -> None:
    """The longest name and stage still make names that AWS takes: the shortest of its limits is 48, of an archive."""
    topology = load(FILE, parameters=parameters, stack="s" * 40)

    assert all(len(each.name) <= 64 for each in (*topology.functions, *topology.rules, *topology.queues))
    assert all(len(each.name) <= 48 for each in topology.buses)
