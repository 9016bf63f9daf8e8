"""Where the code of a function is, whatever way a template says it."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from eachonce_workbench.template.topology import Function
from tests.templates import FUNCTION, HERE, QUEUE, read, refusal


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the code of one function, and a cache folder of its own."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    (tmp_path / "bundle" / "code").mkdir(parents=True)
    return tmp_path / "bundle"


def worker(folder: Path, template: str) -> Function:
    (only,) = read(folder, template).functions
    return only


INLINE = "Handler: index.handler, Runtime: python3.12, Role: arn:aws:iam::123456789012:role/r"


@pytest.mark.parametrize(
    "function",
    [
        f"{{Type: AWS::Serverless::Function, Properties: {{{INLINE}, InlineCode: 'def handler(event, _): ...'}}}}",
        f"{{Type: AWS::Lambda::Function, Properties: {{{INLINE}, Code: {{ZipFile: 'def handler(event, _): ...'}}}}}}",
    ],
)
def test_code_in_the_template_is_written_to_a_file(folder: Path, function: str) -> None:
    """CloudFormation calls it index."""
    code = worker(folder, f"Globals: {{Function: {{CodeUri: code}}}}\nResources:\n  Worker: {function}\n").code

    assert (code / "index.py").read_text(encoding="utf-8") == "def handler(event, _): ..."


def test_an_archive_is_unpacked(folder: Path) -> None:
    """It may have been built before."""
    with zipfile.ZipFile(folder / "code.zip", "w") as archive:
        archive.writestr("app.py", "handler = print")

    code = worker(folder, FUNCTION.replace("code", "code.zip")).code

    assert (code / "app.py").read_text(encoding="utf-8") == "handler = print"


def test_a_file_alone_is_all_of_the_code(folder: Path) -> None:
    """`sam` would pack it so."""
    (folder / "app.py").write_text("handler = print", encoding="utf-8")

    code = worker(folder, FUNCTION.replace("code", "app.py")).code

    assert [each.name for each in code.iterdir()] == ["app.py"]


def test_code_is_beside_the_template_where_nothing_is_said(folder: Path) -> None:
    """As `sam build` takes it."""
    assert worker(folder, FUNCTION.replace("      CodeUri: code\n", "")).code == folder


@pytest.mark.parametrize("inside", ["python", "python/lib/python3.12/site-packages"])
def test_a_layer_is_imported_from_where_lambda_looks(folder: Path, inside: str) -> None:
    """There are two places."""
    (folder / "layer" / inside).mkdir(parents=True)
    layer = "  Layer: {Type: AWS::Serverless::LayerVersion, Properties: {ContentUri: layer}}\n"

    assert worker(folder, f"{FUNCTION}      Layers: [!Ref Layer]\n{layer}").layers == (folder / "layer" / inside,)


def test_a_layer_of_others_is_said(folder: Path) -> None:
    """The function runs with what is installed."""
    arn = "arn:aws:lambda:eu-west-1:017000801446:layer:AWSLambdaPowertoolsPythonV3-python312-x86_64:7"

    topology = read(folder, f"{FUNCTION}      Layers: ['{arn}']\n")

    assert topology.function("Worker").layers == ()
    assert topology.passed_over == (f"Layer {arn}: not here; functions import what is installed",)


@pytest.mark.parametrize(
    ("function", "why"),
    [
        (FUNCTION.replace("python3.11", "nodejs22.x"), "nodejs22.x"),
        (FUNCTION.replace("CodeUri: code", "CodeUri: s3://bucket/code.zip"), "its code is elsewhere"),
        ("Resources:\n  Worker: {Type: AWS::Serverless::Function, Properties: {PackageType: Image}}\n", "an image"),
    ],
)
def test_a_function_that_can_not_be_run_is_said_and_what_leads_to_it_is_left_out(
    folder: Path, function: str, why: str
) -> None:
    """The rest of the bundle runs."""
    mapping = """
  Mapping:
    Type: AWS::Lambda::EventSourceMapping
    Properties: {FunctionName: !Ref Worker, EventSourceArn: !GetAtt Queue.Arn}
  Queue: {Type: AWS::SQS::Queue}
"""

    topology = read(folder, f"{function}{mapping}")

    assert (topology.functions, topology.queue_mappings) == ((), ())
    assert topology.passed_over == (f"AWS::Lambda::Function Worker ({why}): not run here",)
    assert len(topology.queues) == 1


def test_code_that_is_not_where_the_template_says_is_refused(folder: Path) -> None:
    """It is a name misspelt, or wants building first."""
    error = refusal(folder, FUNCTION.replace("CodeUri: code", f"CodeUri: cod {HERE}"))

    assert error.reason.startswith("the code is no folder on this machine")


def test_definitions_in_files_are_left_where_they_are(folder: Path) -> None:
    """Of state machines and APIs, which `sam` would upload."""
    machine = "{Type: AWS::Serverless::StateMachine, Properties: {DefinitionUri: flow.asl.json}}"

    topology = read(folder, f"{QUEUE}  Flow: {machine}\n")

    assert topology.passed_over == ("AWS::Serverless::StateMachine Flow: not run here",)
