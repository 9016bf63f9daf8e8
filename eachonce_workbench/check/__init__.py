"""Rules for what is driven by events: what loses them, what does their effects twice, what nobody would notice."""

from eachonce_workbench.check.rules import RULES

__all__ = ["RULES"]
