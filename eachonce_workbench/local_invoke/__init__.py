"""`sam local invoke`: one function in Lambda's own container image, against the local cloud."""

from eachonce_workbench.local_invoke.error import InvokeError
from eachonce_workbench.local_invoke.invocation import invoke

__all__ = ["InvokeError", "invoke"]
