"""All rules, in the order in which a person reads them: rights, stores, and who is let in."""

from __future__ import annotations

from collections.abc import Sequence

from eachonce_workbench.hardening import buses, doors, endpoints, rights, stores
from eachonce_workbench.hardening.rule import Rule

RULES: Sequence[Rule] = (*rights.RULES, *stores.RULES, *doors.RULES, *buses.RULES, *endpoints.RULES)
