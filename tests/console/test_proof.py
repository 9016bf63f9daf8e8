"""The proofs: what the last simulation and the last certificate came to, and their witnesses, step by step."""

from __future__ import annotations

import http.client
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest

from eachonce_workbench.certify.last import LastStep
from eachonce_workbench.certify.last import LastWitness as LastContradiction
from eachonce_workbench.certify.verdict import Pair, Verdict
from eachonce_workbench.certify.witness import WitnessStep
from eachonce_workbench.cli.command import keep_last
from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.console.proof.player import marks_of, way_of, ways_of
from eachonce_workbench.console.proof.playing import PlayingError, command
from eachonce_workbench.console.proof.table import Cell, table_of
from eachonce_workbench.simulator.last import LastWitness, coverage
from eachonce_workbench.simulator.steps import Left, Step
from tests.console.served import Served, served
from tests.console.witnesses import certificate, simulation, simulation_of, witness, write_doubling

HOSTILE = "<script>alert(1)</script>\x00\x1b[31m\u202e\"'&\ud800"


@pytest.fixture
def here(tmp_path: Path) -> Iterator[Served]:
    """The console of a bundle that lies in `tmp_path`."""
    with served(folder=tmp_path) as console:
        yield console


def page(here: Served, path: str = "", *, method: str = "GET") -> tuple[int, str]:
    """A page below /proof, or where its action leads."""
    whole = urlsplit(here.endpoint)
    connection = http.client.HTTPConnection(whole.netloc, timeout=180)
    try:
        headers = {"cookie": f"eachonce-{whole.port}=sesame", "origin": here.endpoint}
        connection.request(method, f"/_eachonce/proof{path}", headers=headers)
        answer = connection.getresponse()
        return answer.status, answer.headers.get("location", "") + answer.read().decode()
    finally:
        connection.close()


def test_calls_that_are_not_made_have_no_rows() -> None:
    """Unless the layer is there: then each of its calls is one that could have met a fault."""
    own = ["ledger.begin UpdateItem", "work.read GetItem"]

    assert coverage(own, {"Do PutEvents": 2}, {}).keys() == {"Do PutEvents"}
    layered = coverage(own, {"work.read GetItem": 1, "Do PutEvents": 2}, {("work.read GetItem", CallFault.LOST): 3})
    assert layered.keys() == {*own, "Do PutEvents"}
    assert (layered["work.read GetItem"]["answer lost"], layered["ledger.begin UpdateItem"]["late"]) == (3, 0)
    assert "late" not in layered["work.read GetItem"]


def test_faults_stand_in_one_order_whatever_calls_have_them() -> None:
    """A fault that AWS hasn't got for a call is no fault that was missed; one that nobody knows comes last."""
    met = {"a": {"new": 1, "late": 0}, "b": {"throttled": 2}}

    table = table_of(met, {"throttled": None, "late": None})

    assert table.faults == ["throttled", "late", "new"]
    assert [[cell.times for cell in row.cells] for row in table.rows] == [[None, 0, 1], [2, None, None]]
    assert (Cell(times=0).unmet, Cell(times=None).unmet) == (True, False)


def test_what_is_worth_going_to_is_marked() -> None:
    """By the numbers under which it is listed."""
    steps = [
        Step(at=0.0, kind="input", told="i"),
        Step(at=1.5, kind="fault", told="f"),
        Step(at=2.0, kind="broken", told="b"),
    ]

    assert [(mark.number, mark.told) for mark in marks_of(way_of(steps))] == [(2, "f"), (3, "b")]


def test_a_way_tells_what_is_new_after_each_delivery() -> None:
    """And what is gone."""
    steps = [LastStep(told="e1", there={"a": "1", "b": "1"}), LastStep(told="e2", there={"a": "2"})]
    told = LastContradiction(
        cause="c", events=[], one="e1", other="e2", where="a", one_value="1", other_value="2", one_steps=steps
    )

    one, other = ways_of(told)

    assert [scene.left for scene in one.scenes] == [
        [Left(where="a", now="1"), Left(where="b", now="1")],
        [Left(where="a", now="2"), Left(where="b", now="")],
    ]
    assert [scene.told for scene in other.scenes] == ["e2"]


@pytest.mark.parametrize("asked", [["--out", "/etc"], ["--events"], ["--seed", "1"], ["simulate", "--events"]])
def test_a_command_of_somebody_elses_is_not_run(asked: list[str]) -> None:
    """What a file in the bundle says is run only as far as it names inputs."""
    with pytest.raises(PlayingError, match="doesn't name inputs"):
        command(asked)


def test_who_has_proved_nothing_hears_how(here: Served) -> None:
    """By which commands."""
    status, text = page(here)

    assert status == 200
    assert "Nothing has been simulated in this bundle yet" in text
    assert "Nothing has been certified in this bundle yet" in text
    assert page(here, "/witness")[0] == page(here, "/certificate?consumer=0&witness=0")[0] == 404


def test_without_a_bundle_there_are_no_proofs() -> None:
    """As in the console of a stack, started anywhere."""
    with served() as console:
        assert "there is none where the console was started" in page(console)[1]


@pytest.mark.parametrize("text", ["", "{", "[]", '{"at": 1}', "[" * 100_000, '"\\ud800"', "\x00", "null"])
def test_what_is_none_of_ours_is_told(here: Served, tmp_path: Path, text: str) -> None:
    """An older version left it, or somebody else."""
    (tmp_path / ".run").mkdir()
    for name in ("simulation.json", "certificate.json"):
        (tmp_path / ".run" / name).write_text(text)

    status, shown = page(here)

    assert status == 200
    assert "no simulation of this version" in shown
    assert "no certificate of this version" in shown
    assert page(here, "/witness")[0] == page(here, "/certificate?consumer=0&witness=0")[0] == 404


def test_the_verdict_is_on_top_and_each_pair_has_its_count(here: Served, tmp_path: Path) -> None:
    """What never met is said in words, too."""
    keep_last(tmp_path / ".run" / "simulation.json", simulation(asked=["--events", "a b"]))

    _, text = page(here)

    assert '<p class="sentence sentence-good">every promise holds: 1 run, 20 deliveries, 3 faults</p>' in text
    assert "1 pair of call and fault never met" in text
    assert re.search(
        r'<th scope="row"><code>Do UpdateItem</code></th><td class="number"><span[^>]*>never</span></td>', text
    )
    assert "eachonce simulate --events &#39;a b&#39;" in text
    assert '<div class="scroll" role="group" aria-labelledby="coverage-title" tabindex="0">' in text


def test_a_certificate_lists_its_verdicts_and_plays_its_witness(here: Served, tmp_path: Path) -> None:
    """Whatever its events hold is text: a witness shows two ways, with what is there after each delivery."""
    steps = (WitnessStep(told=HOSTILE, there={"Stock a": HOSTILE}),)
    pairs = (
        Pair(
            "A",
            "A",
            Verdict.ORDER,
            witness(events=(HOSTILE,), one_value="1", other_value=HOSTILE, one_steps=steps, other_steps=steps),
        ),
        Pair("A", "B", Verdict.INCONCLUSIVE, why="no B was ever done"),
    )
    keep_last(tmp_path / ".run" / "certificate.json", certificate(*pairs, consumer=HOSTILE))

    _, text = page(here)
    link = re.search(r'href="/_eachonce/proof(/certificate[^"]*)"', text)
    assert link is not None
    status, ways = page(here, link[1].replace("&amp;", "&"))

    assert "A and B: inconclusive" in text
    assert "inconclusive: no B was ever done" in text
    assert (status, ways.count("data-step=")) == (200, 2)
    assert "Stock a, n is <code>1</code>" in ways
    for each in (text, ways):
        assert "<script>alert" not in each
        assert "\x00" not in each
        assert "&lt;script&gt;alert(1)&lt;/script&gt;\\x00\\x1b[31m\\u202e" in each
    for asked in ("9", "-1", "x", "9" * 5_000, "²"):
        assert page(here, f"/certificate?consumer=0&witness={quote(asked)}")[0] == 404


def test_a_simulations_texts_are_texts(here: Served, tmp_path: Path) -> None:
    """Whoever was simulated wrote them."""
    told = LastWitness(broken=HOSTILE, inputs=[HOSTILE], faults=[HOSTILE])
    kept = simulation(
        summary=HOSTILE, holds=False, broken=[HOSTILE], said=[HOSTILE], witness=told, coverage={HOSTILE: {HOSTILE: 0}}
    )
    keep_last(tmp_path / ".run" / "simulation.json", kept)

    for path in ("", "/witness"):
        status, text = page(here, path)

        assert status == 200
        assert "<script>alert" not in text
        assert "\x00" not in text


def test_a_witness_is_played_in_a_process_of_its_own(here: Served, tmp_path: Path) -> None:
    """Step by step, to what the row is then; and where it can't be played, it says why."""
    replay = write_doubling(tmp_path)
    keep_last(tmp_path / ".run" / "simulation.json", simulation_of(replay))
    assert 'data-step="1"' not in page(here, "/witness")[1]

    assert page(here, "/witness", method="POST") == (303, "/_eachonce/proof/witness")
    _, text = page(here, "/witness")

    marks = re.findall(r'<a href="#step-(\d+)">Step \d+</a>, (a fault|a broken promise): ([^<]*)', text)
    assert [(kind, words.partition(":")[0]) for _, kind, words in marks] == [
        ("a fault", "answer lost"),
        ("a broken promise", "nothing is doubled"),
    ]
    assert f'max="{text.count("data-step=")}"' in text
    assert re.search(r"<dt>Totals id=a</dt><dd>id: a\nn: 2</dd>", text)
    (tmp_path / ".run" / "witness.json").write_text("{}")
    assert 'data-step="1"' not in page(here, "/witness")[1]
    (tmp_path / "template.yaml").unlink()
    page(here, "/witness", method="POST")
    assert re.search("It could not be played: Error: [^<]*template", page(here, "/witness")[1])
