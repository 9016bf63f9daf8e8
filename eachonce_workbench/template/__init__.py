"""How template.yaml becomes a topology: parsed with its lines, translated, resolved."""

from eachonce_workbench.template.loading import TemplateError, declared, load

__all__ = ["TemplateError", "declared", "load"]
