"""`Fn::ForEach` and `AWS::Include`: what stands for more than it says."""

from __future__ import annotations

from pathlib import Path

import pytest

from eachonce_workbench.template import TemplateError, load
from tests.templates import HERE


def written(folder: Path, text: str) -> Path:
    file = folder / "template.yaml"
    file.write_text(f"Transform: [AWS::LanguageExtensions, AWS::Serverless-2016-10-31]\n{text}", encoding="utf-8")
    return file


def test_a_loop_is_written_out(tmp_path: Path) -> None:
    """Names, values and references have the variable's value."""
    file = written(
        tmp_path,
        """
Parameters: {Kinds: {Type: CommaDelimitedList, Default: "paid,sent"}}
Resources:
  Fn::ForEach::Queues:
    - Kind
    - !Ref Kinds
    - ${Kind}Queue:
        Type: AWS::SQS::Queue
        Properties: {QueueName: !Sub "${AWS::StackName}-${Kind}", Tags: [{Key: kind, Value: !Ref Kind}]}
Outputs:
  Fn::ForEach::Names:
    - Kind
    - [paid, sent]
    - ${Kind}Name: {Value: !GetAtt [!Sub "${Kind}Queue", QueueName]}
""",
    )

    topology = load(file)

    assert {each.logical_id: each.name for each in topology.queues} == {
        "paidQueue": "eachonce-paid",
        "sentQueue": "eachonce-sent",
    }
    assert topology.queue("sentQueue").properties["Tags"] == [{"Key": "kind", "Value": "sent"}]
    assert topology.outputs == {"paidName": "eachonce-paid", "sentName": "eachonce-sent"}


def test_a_path_of_a_loop_is_one_that_sam_reads(tmp_path: Path) -> None:
    """It looks at paths before anything else is resolved."""
    (tmp_path / "code").mkdir()
    file = written(
        tmp_path,
        """
Resources:
  Fn::ForEach::Functions:
    - Name
    - [alpha]
    - ${Name}Function:
        Type: AWS::Serverless::Function
        Properties:
          CodeUri: code
          Handler: app.handler
          Runtime: python3.12
          Events: {Get: {Type: HttpApi, Properties: {Path: !Sub "/${Name}", Method: get}}}
""",
    )

    assert [each.logical_id for each in load(file).functions] == ["alphaFunction"]


def test_loops_within_loops_have_all_their_variables(tmp_path: Path) -> None:
    """`&{Name}` is the value's letters and digits, as logical ids need them."""
    file = written(
        tmp_path,
        """
Resources:
  Fn::ForEach::Outer:
    - Stage
    - [dev, prod]
    - Fn::ForEach::Inner:
        - Zone
        - [eu-1, eu-2]
        - "${Stage}&{Zone}": {Type: AWS::SQS::Queue, Properties: {QueueName: "${Stage}-${Zone}"}}
""",
    )

    assert {each.logical_id: each.name for each in load(file).queues} == {
        "deveu1": "dev-eu-1",
        "deveu2": "dev-eu-2",
        "prodeu1": "prod-eu-1",
        "prodeu2": "prod-eu-2",
    }


@pytest.mark.parametrize(
    ("loop", "reason"),
    [
        (
            f"[Kind, [a], {{'${{Kind}}Q': {{Type: AWS::SQS::Queue, Properties: {{DelaySeconds: -1}}}}}}] {HERE}",
            "aQ: Delay",
        ),
        (f"[Kind, [a]] {HERE}", "Fn::ForEach::Queues takes a list"),
        (f"[Kind, a, {{'${{Kind}}Q': {{Type: AWS::SQS::Queue}}}}] {HERE}", "takes its values from a list"),
    ],
)
def test_a_fault_in_a_loop_is_told_at_its_line(tmp_path: Path, loop: str, reason: str) -> None:
    """Of whichever copy it is."""
    file = written(tmp_path, f"Resources:\n  Fn::ForEach::Queues: {loop}\n")

    with pytest.raises(TemplateError, match=reason) as caught:
        load(file)
    assert caught.value.line == 3


def test_a_loop_needs_its_transform(tmp_path: Path) -> None:
    """CloudFormation knows no loops without it."""
    file = tmp_path / "template.yaml"
    file.write_text("Resources: {'Fn::ForEach::Q': [A, [b], {'${A}': {Type: AWS::SQS::Queue}}]}\n", encoding="utf-8")

    with pytest.raises(TemplateError, match="needs the transform AWS::LanguageExtensions"):
        load(file)


def test_a_file_that_is_included_is_a_part_of_the_template(tmp_path: Path) -> None:
    """Wherever it is included; one that isn't on this machine is said."""
    (tmp_path / "queue.yaml").write_text("Queue: {Type: AWS::SQS::Queue}\n", encoding="utf-8")
    include = "Fn::Transform: {Name: AWS::Include, Parameters: {Location: %s}}"
    file = written(
        tmp_path,
        f"Resources:\n  {include % 'queue.yaml'}\nMetadata:\n  {include % 's3://there/other.yaml'}\n",
    )

    topology = load(file)

    assert [each.logical_id for each in topology.queues] == ["Queue"]
    assert "AWS::Include s3://there/other.yaml: not run here" in topology.passed_over
