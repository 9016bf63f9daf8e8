"""The types of resources that there are.

`type_names.txt` has those of AWS, a service a line, as cfn-lint's schemas of all regions and the SAM translator list
them; `python -m tests.unit.test_type_names` writes it anew.
"""

from __future__ import annotations

import difflib
import re
from functools import lru_cache
from pathlib import Path

LIST = Path(__file__).with_name("type_names.txt")

# https://docs.aws.amazon.com/AWSCloudFormation/latest/APIReference/API_RegisterType.html, "TypeName"
_OTHERS = re.compile(r"[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}::[A-Za-z0-9]{2,64}(::MODULE)?")
_RESERVED = frozenset({"alexa", "amazon", "amzn", "aws", "custom", "dev"})
# https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-cloudformation-customresource.html
_CUSTOM = re.compile(r"Custom::[A-Za-z0-9_@-]{1,60}")


def why_unknown(name: str) -> str | None:
    """Say why nothing is of this type; None when something may be: AWS's own types, third parties', and custom ones."""
    if name in _aws() or _CUSTOM.fullmatch(name) or _is_anothers(name):
        return None
    return f"there is no resource type {name}{did_you_mean(name, _aws())}"


def did_you_mean(name: str, known: frozenset[str]) -> str:
    """Name the known word that looks most like a wrong one, if one does, as the end of a sentence."""
    words = {word.lower(): word for word in sorted(known)}
    near = difflib.get_close_matches(name.lower(), words, n=1, cutoff=0.75)
    return f": did you mean {words[near[0]]}?" if near else ""


def _is_anothers(name: str) -> bool:
    return _OTHERS.fullmatch(name) is not None and (name.endswith("::MODULE") or _owner(name) not in _RESERVED)


def _owner(name: str) -> str:
    return name.partition("::")[0].lower()


@lru_cache
def _aws() -> frozenset[str]:
    lines = (line.split() for line in LIST.read_text(encoding="utf-8").splitlines())
    return frozenset(f"{service}::{name}" for service, *names in lines for name in names)
