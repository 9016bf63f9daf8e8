"""`eachonce check`, and the same rules in cfn-lint: what people and programs are told, and how they end."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from eachonce_workbench.check import RULES
from eachonce_workbench.cli.app import app
from eachonce_workbench.hardening import check
from eachonce_workbench.scaffold.bundle import new_bundle
from eachonce_workbench.template import declared
from tests.templates import write

ROOT = Path(__file__).parents[2]
FACE = ROOT / "eachonce_workbench" / "check" / "cfn_lint"
QUEUE = """
Resources:
  Queue: {Type: AWS::SQS::Queue, Metadata: {Accepted: {without-tls: a specimen of a queue}}}
  Worker:
    Type: AWS::Lambda::Function
    Properties: {Code: worker, Handler: app.handler, Runtime: python3.13, Role: "arn:aws:iam::123456789012:role/r"}
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {EventSourceArn: !GetAtt Queue.Arn, FunctionName: !Ref Worker, BatchSize: 1}
"""


def run(*arguments: str | Path) -> Result:
    return CliRunner().invoke(app, ["check", *map(str, arguments)])


@pytest.fixture
def template(tmp_path: Path) -> Path:
    """Three breaches: two of a queue, and one in code."""
    (tmp_path / "worker").mkdir()
    (tmp_path / "worker" / "app.py").write_text("import os\n\n\nasync def handler(event, context): ...\n")
    return write(tmp_path, QUEUE.replace("Handler:", "Timeout: 6, Handler:"))


FOUND = [("no-dead-letter-queue", 4), ("short-visibility", 4), ("asynchronous-handler", 4)]


def test_a_person_is_told_where_what_why_and_how_to_mend_it(template: Path) -> None:
    """Four lines each, and AWS's page."""
    result = run("--template", template)

    lines = result.stdout.splitlines()
    assert result.exit_code == 1
    assert len(lines) == 4 * len(FOUND)
    assert lines[0] == f"{template}:4: Queue: no-dead-letter-queue: it has no dead-letter queue"
    assert [line.split(":")[0].strip() for line in lines[1:4]] == ["why", "mend", "see"]
    assert lines[8].startswith(f"{template.parent / 'worker' / 'app.py'}:4: Worker: asynchronous-handler: ")


def test_a_program_is_told_the_same(template: Path) -> None:
    """One JSON object."""
    result = run("--template", template, "--json")

    findings = json.loads(result.stdout)["findings"]
    assert result.exit_code == 1
    assert [(each["rule"], each["line"]) for each in findings] == FOUND
    assert all(each["what"] and each["reason"] and each["mend"] and each["link"] for each in findings)


def test_a_code_host_is_told_the_same(template: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """SARIF 2.1.0: every rule, and results whose files are relative to the working folder."""
    monkeypatch.chdir(template.parent)

    result = run("--sarif")

    log = json.loads(result.stdout)
    (one,) = log["runs"]
    places = [each["locations"][0]["physicalLocation"] for each in one["results"]]
    assert (result.exit_code, log["version"]) == (1, "2.1.0")
    assert [each["id"] for each in one["tool"]["driver"]["rules"]][: len(RULES)] == [each.id for each in RULES]
    assert {each["ruleId"] for each in one["results"]} <= {each["id"] for each in one["tool"]["driver"]["rules"]}
    assert [place["artifactLocation"]["uri"] for place in places] == ["template.yaml", "template.yaml", "worker/app.py"]
    assert [place["region"]["startLine"] for place in places] == [line for _, line in FOUND]


def test_nothing_found_is_0(tmp_path: Path) -> None:
    """And nothing is said on standard output."""
    result = run("--template", write(tmp_path, "Resources:\n  Table: {Type: AWS::SSM::Parameter}\n"))

    assert (result.exit_code, result.stdout) == (0, "")


@pytest.mark.parametrize("text", ["Resources: [", "Resources:\n  A: {Type: AWS::No::Type}\n", "- a\n"])
def test_a_template_that_cannot_be_read_is_2(tmp_path: Path, text: str) -> None:
    """With its line, and no finding."""
    (tmp_path / "template.yaml").write_text(text)

    result = run("--template", tmp_path / "template.yaml")

    assert (result.exit_code, result.stdout) == (2, "")


@pytest.mark.parametrize(
    "arguments", [("--json", "--sarif"), ("--template", "nowhere.yaml"), ("--parameter", "a"), ("--sideways",)]
)
def test_a_wrong_argument_is_2(template: Path, arguments: tuple[str, ...]) -> None:
    """Nothing is looked at."""
    result = run("--template", template, *arguments)

    assert (result.exit_code, result.stdout) == (2, "")


def test_a_parameter_decides_what_is_looked_at(tmp_path: Path) -> None:
    """As a deployment with it would."""
    text = QUEUE.replace("Resources:", "Parameters: {Seconds: {Type: Number}}\nResources:").replace(
        "Type: AWS::SQS::Queue,", "Type: AWS::SQS::Queue, Properties: {VisibilityTimeout: !Ref Seconds},"
    )
    file = write(tmp_path, text)

    said = [run("--template", file, *more).stdout for more in ((), ("--parameter", "Seconds=17"))]

    assert ["short-visibility" in each for each in said] == [False, True]


@pytest.mark.parametrize("way", [str(FACE), "eachonce_workbench.check.cfn_lint.rules"])
def test_cfn_lint_takes_the_rules_as_they_are(template: Path, way: str) -> None:
    """As a folder and as a module: it finds the same, on the same lines of the template."""
    done = subprocess.run(
        [Path(sys.executable).with_name("cfn-lint"), template, "--append-rules", way, "--format", "json"],
        cwd=template.parent,
        capture_output=True,
        text=True,
        check=False,
    )

    ours = [each for each in json.loads(done.stdout) if each["Rule"]["Id"].startswith("W9")]
    assert sorted((each["Rule"]["ShortDescription"], each["Location"]["Start"]["LineNumber"]) for each in ours) == [
        ("asynchronous-handler", 5),
        ("no-dead-letter-queue", 4),
        ("short-visibility", 4),
    ]
    assert {each["Rule"]["Source"] for each in ours} <= {rule.link for rule in RULES}


def test_only_its_face_needs_cfn_lint() -> None:
    """The command runs where it isn't installed."""
    program = "import sys; sys.modules['cfnlint'] = None; import eachonce_workbench.check, eachonce_workbench.cli.check"

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_a_new_bundle_breaks_no_rule(tmp_path: Path) -> None:
    """As `eachonce new bundle` writes it."""
    new_bundle(tmp_path / "bikes")

    found = check(declared(tmp_path / "bikes" / "template.yaml"), RULES, root=tmp_path / "bikes")

    assert [str(each) for each in found] == []
