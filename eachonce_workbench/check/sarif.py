"""What was found in the format of static analysis results, which code hosts show beside the lines.

https://docs.oasis-open.org/sarif/sarif/v2.1.0/sarif-v2.1.0.html
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from eachonce_workbench.check.report import place
from eachonce_workbench.hardening.rule import Finding, Rule

_SCHEMA = "https://json.schemastore.org/sarif-2.1.0.json"


def sarif(
    findings: Sequence[Finding], rules: Sequence[Rule], template: Path, *, version: str, home: Path
) -> dict[str, Any]:
    """Make a log of one run; its files are relative to the folder `home`, which is where the code host begins."""
    return {
        "$schema": _SCHEMA,
        "version": "2.1.0",
        "runs": [
            {
                "tool": {
                    "driver": {"name": "eachonce", "version": version, "rules": [_descriptor(each) for each in rules]}
                },
                "results": [_result(each, template, home) for each in findings],
            }
        ],
    }


def _descriptor(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "shortDescription": {"text": rule.reason},
        "help": {"text": rule.mend},
        "helpUri": rule.link,
        "defaultConfiguration": {"level": "warning"},
    }


def _result(finding: Finding, template: Path, home: Path) -> dict[str, Any]:
    file = Path(place(finding, template)).resolve()
    uri = file.relative_to(home).as_posix() if file.is_relative_to(home) else file.as_uri()
    return {
        "ruleId": finding.rule,
        "level": "warning",
        "message": {"text": f"{finding.resource}: {finding.what}. {finding.mend}"},
        "locations": [{"physicalLocation": {"artifactLocation": {"uri": uri}, "region": {"startLine": finding.line}}}],
    }
