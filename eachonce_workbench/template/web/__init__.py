"""The APIs and function URLs of a template: which requests go to which of its functions."""

from eachonce_workbench.template.web.reading import ANSWERED, Web

__all__ = ["ANSWERED", "Web"]
