"""Rules for the functions' Python, which is read and never run: each has code that breaks it, and some that doesn't."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from eachonce_workbench.check import RULES
from eachonce_workbench.hardening import check
from eachonce_workbench.hardening.rule import Finding
from eachonce_workbench.template import declared
from tests.templates import write

TEMPLATE = """
Resources:
  Queue:
    Type: AWS::SQS::Queue
    Properties:
      MessageRetentionPeriod: 7200
      RedrivePolicy: {deadLetterTargetArn: !GetAtt Dead.Arn, maxReceiveCount: 5}
  Dead: {Type: AWS::SQS::Queue, Properties: {MessageRetentionPeriod: 86400}}
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      AttributeDefinitions: [{AttributeName: pk, AttributeType: S}]
      KeySchema: [{AttributeName: pk, KeyType: HASH}]
      BillingMode: PAY_PER_REQUEST
  Worker:
    Type: AWS::Serverless::Function
    Metadata: {}
    Properties:
      CodeUri: worker
      Handler: app.handler
      Runtime: python3.13
      Environment: {Variables: {BUS: default}}
      Events: {%s}
"""
QUEUE = "M: {Type: SQS, Properties: {Queue: !GetAtt Queue.Arn, FunctionResponseTypes: [ReportBatchItemFailures]}}"
RULE = "E: {Type: EventBridgeRule, Properties: {Pattern: {source: [shop]}}}"
HTTP = "P: {Type: HttpApi, Properties: {Method: POST, Path: /}}"
LOOP = """
def handler(event, context):
    failed = []
    for record in event["Records"]:
        try:
            do(record)
        except %s:
            %s
    return {"batchItemFailures": failed}
"""
AROUND = """
def handler(event, context):
    try:
        for record in event["Records"]:
            do(record)
    except Exception as error:
        print(error)
        %s
"""
PUT = 'table.put_item(Item={"pk": %s, "at": 1}%s)'
FIRST = ', ConditionExpression="attribute_not_exists(pk)"'


def body(*lines: str) -> str:
    return "def handler(event, context):\n" + "".join(f"    {line}\n" for line in lines)


BAD = {
    "asynchronous-handler": [
        (HTTP, "async def handler(event, context): ...\n"),
        (QUEUE, "async def handler(e, c): ...\n"),
    ],
    "swallowed-error": [
        (QUEUE, LOOP % ("Exception", "pass")),
        (QUEUE, LOOP % ("Exception as error", 'logger.exception("no %s", error)')),
        (QUEUE, LOOP % ("(KeyError, BaseException)", "continue")),
        (QUEUE, AROUND % 'return {"statusCode": 500}'),
        (QUEUE, AROUND % "return"),
    ],
    "unreported-failures": [
        (QUEUE, body("for record in event['Records']:", "    do(record)")),
        (QUEUE, body("do(event)", "return {'statusCode': 200}")),
    ],
    "delivery-key": [
        (QUEUE, 'config = IdempotencyConfig(event_key_jmespath="messageId")\n'),
        (QUEUE, 'config = IdempotencyConfig(event_key_jmespath="Records[0].messageId")\n'),
        (RULE, 'config = IdempotencyConfig(event_key_jmespath="id")\n'),
        (RULE, 'config = IdempotencyConfig(event_key_jmespath="[source, id]")\n'),
        (QUEUE, body(PUT % ("record['messageId']", FIRST))),
        (QUEUE, body("key = record['messageId']", PUT % ('f"mail#{key}"', FIRST))),
    ],
    "random-key": [
        (QUEUE, body(PUT % ("str(uuid.uuid4())", ""))),
        (RULE, body("key = uuid4().hex", PUT % ("key", ""))),
        (RULE, body(PUT % ('{"S": str(uuid.uuid4())}', ""))),
    ],
    "short-memory": [
        (QUEUE, 'config = IdempotencyConfig(event_key_jmespath="order")\n'),
        (QUEUE, "config = IdempotencyConfig(expires_after_seconds=60 * 60)\n"),
        (QUEUE, "HOUR = 3600\nconfig = IdempotencyConfig(expires_after_seconds=HOUR)\n"),
        (QUEUE, "config = IdempotencyConfig(expires_after_seconds=93599)\n"),
        (QUEUE, "@idempotent(persistence_store=store)\n" + body("pass")),
    ],
    "unmarked-effect": [
        (QUEUE, body("ses.send_email(To=a)", PUT % ("order", FIRST))),
        (RULE, body("if True:", "    sns.publish(Message=a)", "    " + PUT % ("order", FIRST))),
        (
            QUEUE,
            body(
                'found = table.get_item(Key={"pk": order})',
                'if "Item" in found:',
                "    return",
                "ses.send_email(To=a)",
                PUT % ("order", ""),
            ),
        ),
    ],
}
GOOD = {
    "asynchronous-handler": [
        (HTTP, "def handler(event, context): ...\n"),
        (HTTP, "@waits\nasync def handler(event, context): ...\n"),
        (HTTP, "async def other(event, context): ...\ndef handler(event, context): ...\n"),
    ],
    "swallowed-error": [
        (QUEUE, LOOP % ("Exception", 'failed.append({"itemIdentifier": record["messageId"]})')),
        (QUEUE, LOOP % ("Exception", "raise")),
        (QUEUE, LOOP % ("KeyError", "pass")),
        (QUEUE, AROUND % "raise"),
        (QUEUE, AROUND % "return failures(event)"),
        (QUEUE, AROUND % 'return {"batchItemFailures": []}'),
        (HTTP, LOOP % ("Exception", "pass")),
        (QUEUE, LOOP.replace("            %s", "            %s\n        do(record)") % ("Exception", "pass")),
    ],
    "unreported-failures": [
        (QUEUE, body("return {'batchItemFailures': []}")),
        (QUEUE, body("return process_partial_response(event)")),
        (QUEUE, "@process\n" + body("pass")),
        (RULE, body("pass")),
        (QUEUE, "handler = Consumer('worker')\n"),
    ],
    "delivery-key": [
        (QUEUE, 'config = IdempotencyConfig(event_key_jmespath="body.order_id")\n'),
        (RULE, 'config = IdempotencyConfig(event_key_jmespath="detail.id")\n'),
        (HTTP, 'config = IdempotencyConfig(event_key_jmespath="id")\n'),
        (QUEUE, body(PUT % ("order", FIRST))),
        (QUEUE, body('table.put_item(Item={"pk": order, "message": record["messageId"]}' + FIRST + ")")),
    ],
    "random-key": [
        (QUEUE, body(PUT % ("order", ""))),
        (HTTP, body(PUT % ("str(uuid.uuid4())", ""))),
        (QUEUE, body('table.put_item(Item={"pk": order, "trace": str(uuid.uuid4())})')),
        (QUEUE, "from aws_lambda_powertools.utilities import idempotency\n" + body(PUT % ("str(uuid.uuid4())", ""))),
    ],
    "short-memory": [
        (QUEUE, "config = IdempotencyConfig(expires_after_seconds=93600)\n"),
        (QUEUE, "config = IdempotencyConfig(expires_after_seconds=int(os.environ['KEPT']))\n"),
        (HTTP, "config = IdempotencyConfig()\n"),
        (QUEUE, "config = IdempotencyConfig(**settings)\n"),
    ],
    "unmarked-effect": [
        (QUEUE, body(PUT % ("order", FIRST), "ses.send_email(To=a)")),
        (HTTP, body("ses.send_email(To=a)", PUT % ("order", FIRST))),
        (QUEUE, body("queue.send_message(MessageDeduplicationId=order)", PUT % ("order", FIRST))),
        (QUEUE, body("if wrong:", "    sns.publish(Message=a)", "    return", PUT % ("order", FIRST))),
        (QUEUE, body("ses.send_email(To=a)", PUT % ("order", ""))),
    ],
}


def found(folder: Path, events: str, code: str, template: str = TEMPLATE) -> list[Finding]:
    (folder / "worker").mkdir(exist_ok=True)
    (folder / "worker" / "app.py").write_text(textwrap.dedent(code), encoding="utf-8")
    return check(declared(write(folder, template % events)), RULES, root=folder)


@pytest.mark.parametrize(("rule", "events", "code"), [(rule, *each) for rule in BAD for each in BAD[rule]])
def test_code_that_breaks_a_rule_is_told_which(tmp_path: Path, rule: str, events: str, code: str) -> None:
    """With its file and line."""
    (one,) = [each for each in found(tmp_path, events, code) if each.rule == rule]

    assert (one.file, one.resource) == (tmp_path / "worker" / "app.py", "Worker")
    assert 1 <= one.line <= len(code.splitlines())


@pytest.mark.parametrize(("rule", "events", "code"), [(rule, *each) for rule in GOOD for each in GOOD[rule]])
def test_code_that_keeps_a_rule_is_not_blamed_by_it(tmp_path: Path, rule: str, events: str, code: str) -> None:
    """Nor code whose function nothing brings events to again."""
    assert [each for each in found(tmp_path, events, code) if each.rule == rule] == []


@pytest.mark.parametrize("rule", BAD)
def test_a_reason_beside_the_function_lets_its_code_be(tmp_path: Path, rule: str) -> None:
    """In the template, where its other reasons are."""
    accepted = TEMPLATE.replace("Metadata: {}", f"Metadata: {{Accepted: {{{rule}: it is a specimen of what is bad}}}}")

    assert rule not in {each.rule for each in found(tmp_path, *BAD[rule][0], template=accepted)}


@pytest.mark.parametrize(
    ("entry", "is_loop"),
    [
        ('{"Source": "shop", "DetailType": "OrderPlaced"}', True),
        ('{"Source": SOURCE, "DetailType": "a", "EventBusName": os.environ["BUS"]}', True),
        ('{"Source": "till", "DetailType": "OrderPlaced"}', False),
        ('{"Source": "shop", "DetailType": "a", "EventBusName": "other"}', False),
        ('{"Source": source(), "DetailType": "a"}', False),
    ],
)
def test_a_rule_that_matches_what_its_consumer_publishes_is_a_loop(tmp_path: Path, entry: str, is_loop: bool) -> None:
    """As the code says it, by texts, constants and the function's own variables; what it doesn't say is no loop."""
    code = f'SOURCE = "shop"\n\n\ndef handler(event, context):\n    events.put_events(Entries=[{entry}])\n'

    assert ("event-loop" in {each.rule for each in found(tmp_path, RULE, code)}) is is_loop


def test_code_of_imported_modules_is_read(tmp_path: Path) -> None:
    """Those that lie beside the handler's, and those alone."""
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "store.py").write_text("config = IdempotencyConfig()\n")
    (tmp_path / "worker" / "unused.py").write_text("config = IdempotencyConfig()\n")

    places = [each.file for each in found(tmp_path, QUEUE, "import store\n") if each.rule == "short-memory"]

    assert places == [tmp_path / "worker" / "store.py"]


@pytest.mark.parametrize("code", ["print 'of another time'\n", "def handler(:\n", "\0"])
def test_code_that_is_no_python_is_passed_over(tmp_path: Path, code: str) -> None:
    """Its function runs by another version, or not at all."""
    assert [each for each in found(tmp_path, QUEUE, code) if each.file is not None] == []
