"""What was found, for people and for programs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from eachonce_workbench.hardening.rule import Finding


def lines(findings: Sequence[Finding], template: Path) -> Iterator[str]:
    """Give what a person reads: where, what, why, how to mend it, and AWS's page on it."""
    for each in findings:
        yield f"{place(each, template)}:{each.line}: {each.resource}: {each.rule}: {each.what}"
        yield f"    why: {each.reason}"
        yield f"    mend: {each.mend}"
        if each.link:
            yield f"    see: {each.link}"


def document(findings: Sequence[Finding], template: Path) -> dict[str, Any]:
    """Make what a program reads."""
    return {
        "template": str(template),
        "findings": [
            {
                "rule": each.rule,
                "file": place(each, template),
                "line": each.line,
                "resource": each.resource,
                "what": each.what,
                "reason": each.reason,
                "mend": each.mend,
                "link": each.link,
            }
            for each in findings
        ],
    }


def place(finding: Finding, template: Path) -> str:
    """Return the file that is to be mended."""
    return str(template if finding.file is None else finding.file)
