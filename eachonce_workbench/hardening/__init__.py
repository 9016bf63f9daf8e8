"""Rules for a template: who may do what with what it makes, and what a wider right needs to be written beside it."""

from eachonce_workbench.hardening.check import check
from eachonce_workbench.hardening.rule import Breach, Finding, Rule
from eachonce_workbench.hardening.rules import RULES

__all__ = ["RULES", "Breach", "Finding", "Rule", "check"]
