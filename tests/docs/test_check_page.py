"""The page of checks has the rules that there are, as they say it themselves."""

from __future__ import annotations

import re

from eachonce_workbench.check import RULES
from tests.docs.pages import ROOT

PAGE = (ROOT / "docs" / "check.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| \[`([\w-]+)`\]\((\S+)\) \| (W9\d{3}) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|$", PAGE, re.MULTILINE)


def test_the_page_has_each_rule_with_its_reason_and_how_to_mend() -> None:
    """In the order in which they are looked for; AWS's page is the link of the name."""
    told = [(id_, link, number, reason, mend) for id_, link, number, _, reason, mend in ROWS]

    assert told == [(each.id, each.link, f"W9{each.number:03d}", each.reason, each.mend) for each in RULES]


def test_what_a_rule_finds_is_what_its_function_says() -> None:
    """The first line of its docstring."""
    says = [(each.breaches.__doc__ or "").partition("\n")[0] for each in RULES]

    assert [f"Give {row[3]}." for row in ROWS] == says


def test_the_changelog_counts_them() -> None:
    """A new rule is a new number."""
    assert f"`eachonce check`, {len(RULES)} rules" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
