"""The certificate: which events of a consumer are independent of each other, found by trying every order and fault."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from eachonce_workbench.certify.independence import assert_independent

__all__ = ["assert_independent"]


def __getattr__(name: str) -> Any:
    """Import the assertion, and with it moto, for whoever asks for it: samples are drawn without them."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from eachonce_workbench.certify import independence

    return getattr(independence, name)
