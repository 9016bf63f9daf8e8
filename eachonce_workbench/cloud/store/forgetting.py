"""Forgetting: what moto keeps of every table, item and message that there ever was."""

from __future__ import annotations

from typing import Any

from moto.core.model_instances import model_data


class NotRemembered(list[Any]):
    """What moto's dashboard would show: every item and message that there ever was."""

    def append(self, instance: Any) -> None:
        """Let it go when nobody needs it any more; there is no dashboard here."""


def remember_no_instances() -> None:
    """Let moto's models, those that are imported by now, be forgotten when nobody needs them any more."""
    for models in model_data.values():
        for model in models.values():
            model.instances_tracked = NotRemembered()  # type: ignore[attr-defined]
