"""Nothing on AWS is redriven or dropped before somebody has seen where it is, and said yes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from eachonce_workbench.cli import session
from eachonce_workbench.cli.app import app
from eachonce_workbench.operations.stack import find
from tests.deployed import LETTERS, Deployed, body_of

AWS = "https://sqs.eu-west-1.amazonaws.com"
PLACE = "account 123456789012, region eu-west-1, stack test"


class OnAws:
    """An account that the deployed stack is in; `calls` are the clients that were asked for."""

    local = False

    def __init__(self, deployed: Deployed) -> None:
        self._deployed = deployed
        self.calls: list[str] = []

    def client(self, service: str) -> Any:
        self.calls.append(service)
        return self._deployed.client(service)


@pytest.fixture
def deployed() -> Deployed:
    return Deployed()


@pytest.fixture
def account(deployed: Deployed, monkeypatch: pytest.MonkeyPatch) -> OnAws:
    account = OnAws(deployed)
    monkeypatch.setattr(session, "Account", lambda **_: account)
    return account


@pytest.fixture
def at_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """Somebody sits there, though the answers come from the test."""
    monkeypatch.setattr("eachonce_workbench.cli.consent.sys", Terminal)


class Terminal:
    class stdin:  # noqa: N801 - it stands for sys.stdin
        @staticmethod
        def isatty() -> bool:
            return True


@pytest.fixture(autouse=True)
def own_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An archive's file goes there."""
    monkeypatch.chdir(tmp_path)


def eachonce(*arguments: str, answer: str = "") -> Result:
    """Run a command that asks on a person's stack on AWS; an archive is `letters.jsonl`."""
    file = ["letters.jsonl"] if "archive" in arguments else []
    command = ["dlq", *arguments, *file, "--stack", "test", "--endpoint-url", AWS]
    return CliRunner().invoke(app, command, input=answer)


@pytest.mark.parametrize("command", ["redrive", "archive", "drop"])
def test_without_a_terminal_nothing_is_asked_of_aws(account: OnAws, command: str) -> None:
    """A script says --yes; one that doesn't is told so, before any call."""
    ended = eachonce(command, answer="y\n")

    assert ended.exit_code == 2
    assert "there is no terminal to ask on: say --yes" in ended.stderr
    assert account.calls == []


@pytest.mark.parametrize("command", ["redrive", "archive", "drop"])
def test_what_is_not_agreed_to_is_left(deployed: Deployed, account: OnAws, at_a_terminal: None, command: str) -> None:
    """The question comes after account, region and stack, and what it is about."""
    deployed.bury(body_of("e-1"), reason="the shop was shut")

    ended = eachonce(command, answer="n\n")

    lines = ended.stderr.splitlines()
    assert ended.exit_code == 1
    assert lines[0] == PLACE
    assert "the shop was shut" in lines[1]
    assert "[y/N]" in ended.stderr
    assert len(deployed.look().letters) == 1


@pytest.mark.parametrize(("command", "sent"), [("redrive", 1), ("archive", 0), ("drop", 0)])
def test_what_is_agreed_to_is_done(
    deployed: Deployed, account: OnAws, at_a_terminal: None, command: str, sent: int
) -> None:
    """A yes is enough."""
    deployed.bury(body_of("e-1"))

    ended = eachonce(command, answer="y\n")

    assert ended.exit_code == 0
    assert len(deployed.look().letters) == 0
    assert len(deployed.waiting(LETTERS.url)) == sent


@pytest.mark.parametrize("command", ["redrive", "archive", "drop"])
def test_a_script_says_yes_and_is_told_where(deployed: Deployed, account: OnAws, command: str) -> None:
    """Nobody is asked; its log has the account."""
    deployed.bury(body_of("e-1"))

    ended = eachonce(command, "--yes")

    assert ended.exit_code == 0
    assert ended.stderr.splitlines() == [PLACE]
    assert len(deployed.look().letters) == 0


def test_an_archive_has_what_left_the_queue(deployed: Deployed, account: OnAws, tmp_path: Path) -> None:
    """Whole; and its file is never written over."""
    deployed.bury(body_of("e-1"), reason="the shop was shut")

    first, second = eachonce("archive", "--yes", "--json"), eachonce("archive", "--yes")

    (line,) = map(json.loads, (tmp_path / "letters.jsonl").read_text().splitlines())
    assert json.loads(first.stdout) | {"left": 0} == json.loads(first.stdout)
    assert (line["event_id"], line["reason"], line["body"]) == ("e-1", "the shop was shut", body_of("e-1"))
    assert second.exit_code == 2
    assert "is there already" in " ".join(second.stderr.split())


def test_a_dry_run_changes_nothing_and_asks_nobody(deployed: Deployed, account: OnAws) -> None:
    """It says where, too."""
    deployed.bury(body_of("e-1"))

    ended = eachonce("redrive", "--dry-run")

    assert ended.exit_code == 0
    assert ended.stderr.splitlines() == [PLACE]
    assert len(deployed.look().letters) == 1


def test_the_local_cloud_is_nobodys_loss(account: OnAws, deployed: Deployed) -> None:
    """A redrive there asks nothing, with or without a terminal."""
    account.local = True
    deployed.bury(body_of("e-1"))

    ended = CliRunner().invoke(app, ["dlq", "redrive", "--stack", "test", "--endpoint-url", "http://127.0.0.1:4566"])

    assert ended.exit_code == 0
    assert ended.stderr == ""
    assert len(deployed.look().letters) == 0


@pytest.mark.parametrize("command", ["pause", "resume"])
def test_a_consumer_is_not_switched_unasked(deployed: Deployed, account: OnAws, command: str) -> None:
    """Nor is anything asked of AWS, without a terminal to ask on."""
    ended = switch(command, answer="y\n")

    assert ended.exit_code == 2
    assert ended.stderr == f"{command} changes what is on AWS, and there is no terminal to ask on: say --yes\n"
    assert account.calls == []


@pytest.mark.parametrize(("answer", "status", "paused"), [("y\n", 0, ("letters",)), ("n\n", 1, ())])
def test_a_consumer_is_paused_by_whoever_says_yes(
    deployed: Deployed, account: OnAws, at_a_terminal: None, answer: str, status: int, paused: tuple[str, ...]
) -> None:
    """After account, region and stack were said."""
    ended = switch("pause", answer=answer)

    assert ended.exit_code == status
    assert ended.stderr.splitlines()[0] == PLACE
    assert "Pause letters? [y/N]" in ended.stderr
    assert find(deployed.client, None).paused == paused


def test_what_is_paused_already_asks_nothing(deployed: Deployed, account: OnAws, at_a_terminal: None) -> None:
    """There is nothing to agree to; resuming is a change again."""
    switch("pause", "--yes")

    again = switch("pause")
    resumed = switch("resume", "--json", "--yes")

    assert again.exit_code == 0
    assert again.stdout.startswith("letters is paused already: 0 messages wait in its queue")
    assert json.loads(resumed.stdout)["state"] == "Enabled"
    assert find(deployed.client, None).paused == ()


def switch(command: str, *arguments: str, answer: str = "") -> Result:
    """Run a command that pauses or resumes a consumer of a person's stack on AWS."""
    place = ["--stack", "test", "--endpoint-url", AWS]
    return CliRunner().invoke(app, [command, "letters", *arguments, *place], input=answer)
