"""All rules, in the order in which a person reads them: what brings events, what becomes of them, code, and rights."""

from __future__ import annotations

from collections.abc import Sequence

from eachonce_workbench import hardening
from eachonce_workbench.check import buses, effects, functions, handlers, keys, mappings, queues, streams
from eachonce_workbench.hardening.rule import Rule

RULES: Sequence[Rule] = (
    *mappings.RULES,
    *queues.RULES,
    *buses.RULES,
    *functions.RULES,
    *streams.RULES,
    *handlers.RULES,
    *keys.RULES,
    *effects.RULES,
    *hardening.RULES,
)
