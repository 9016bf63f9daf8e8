"""The differences between the local cloud and another store of its protocol: those that are listed, and those found."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import msgspec

_HERE = Path(__file__).parent
ANSWERS, LISTED = _HERE / "answers.json", _HERE / "differences.toml"

Answers = Mapping[str, Any]
"""What a store answers, by the names of cases."""


class Difference(msgspec.Struct, frozen=True, kw_only=True):
    """What another store answers to a case, who is right by AWS's word, and where AWS says so."""

    case: str
    answer: Any
    why: str
    right: str  # "local cloud", or "silent" where AWS's pages don't say
    link: str


def listed() -> dict[str, Difference]:
    """Return the differences that are known, by case; raises ValueError when one is listed twice."""
    found: dict[str, Difference] = {}
    for group in tomllib.loads(LISTED.read_text(encoding="utf-8"))["differences"]:
        for one in group["answers"]:
            if one["case"] in found:
                raise ValueError(f"{one['case']!r} is listed twice")
            answer = json.loads(one["answer"])
            said = {name: group[name] for name in ("why", "right", "link")}
            found[one["case"]] = Difference(case=one["case"], answer=answer, **said)
    return found


def expected() -> dict[str, Any]:
    """Return what each case is answered, as AWS would."""
    answers: dict[str, Any] = json.loads(ANSWERS.read_text(encoding="utf-8"))
    return answers


def write(answers: Answers) -> None:
    """Keep what each case is answered, a line a case."""
    lines = [f"  {json.dumps(name, ensure_ascii=False)}: {json.dumps(answer)}" for name, answer in answers.items()]
    ANSWERS.write_text("{\n" + ",\n".join(lines) + "\n}\n", encoding="utf-8")


def unlisted(ours: Answers, theirs: Answers, known: Mapping[str, Difference]) -> Iterator[str]:
    """Yield, in words, what is no more as the list of differences has it."""
    for case, answer in theirs.items():
        difference = known.get(case)
        if difference is None and answer != ours[case]:
            yield f"new: {case}: it answers {_short(answer)}, and the local cloud {_short(ours[case])}"
        elif difference is not None and answer == ours[case]:
            yield f"gone: {case}: it answers {_short(answer)} by now, as the local cloud does"
        elif difference is not None and answer != difference.answer:
            yield f"another one: {case}: it answers {_short(answer)}, and not {_short(difference.answer)} any more"


def _short(answer: Any) -> str:
    written = json.dumps(answer)
    return written if len(written) <= 200 else f"{written[:200]} ..."
