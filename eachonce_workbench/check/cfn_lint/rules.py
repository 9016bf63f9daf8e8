"""A rule of cfn-lint's for each of ours, which reads the same file and finds the same.

cfn-lint imports this file by itself, and makes an instance of each of its classes. It is no dependency of the tool's.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

from cfnlint.rules import CloudFormationLintRule, RuleMatch
from cfnlint.template import Template

from eachonce_workbench.check.rules import RULES
from eachonce_workbench.hardening.check import check
from eachonce_workbench.hardening.rule import Finding, Rule
from eachonce_workbench.template import TemplateError, declared


def _match(self: Any, cfn: Template) -> list[RuleMatch]:
    return [_as_match(each) for each in _findings(cfn) if each.rule == self.rule]


def _as_match(finding: Finding) -> RuleMatch:
    path = ["Resources", finding.resource]
    if finding.file is not None:
        return RuleMatch(path, f"{finding.file}:{finding.line}: {finding.what}: {finding.mend}")
    line = finding.line - 1
    return RuleMatch(path, f"{finding.what}: {finding.mend}", location=(line, 0, line, 0))


def _findings(cfn: Template) -> Sequence[Finding]:
    """Return what is found in a file; nothing for what isn't one, and for what cfn-lint has its own words for."""
    file = Path(cfn.filename or "")
    return _found(file, file.stat().st_mtime_ns) if file.is_file() else ()


@lru_cache(maxsize=8)
def _found(file: Path, _changed: int) -> Sequence[Finding]:
    try:
        return check(declared(file), RULES, root=file.resolve().parent)
    except TemplateError:
        return ()


def _class_of(rule: Rule) -> type[CloudFormationLintRule]:
    return type(
        "".join(part.capitalize() for part in rule.id.split("-")),
        (CloudFormationLintRule,),
        {
            "id": f"W9{rule.number:03d}",
            "shortdesc": rule.id,
            "description": rule.reason,
            "source_url": rule.link,
            "tags": ["eachonce"],
            "rule": rule.id,
            "match": _match,
        },
    )


globals().update({each.__name__: each for each in map(_class_of, RULES)})
