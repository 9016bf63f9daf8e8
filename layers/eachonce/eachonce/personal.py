"""Personal: which fields of a contract are about a person, and what stands for one that can't be read.

::

    class OrderPlaced(Contract, frozen=True, kw_only=True):
        order_id: str
        customer: Annotated[str, Personal]

Such a field is encrypted wherever the event is written down. A handler asks with `is`: `order.customer is ERASED`.
"""

from __future__ import annotations

from typing import Final


class Personal:
    """Marks a field of text as personal: `Annotated[str, Personal]`, or `Annotated[str | None, Personal]`."""


class Unreadable(str):
    """A text that stands for a personal field's value: there is one of each, equal to itself alone.

    Its text is never a person's: it says what it is wherever it is written, and published again it stays what it is.
    """

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return self is other

    def __ne__(self, other: object) -> bool:
        return self is not other

    __hash__ = str.__hash__

    def __repr__(self) -> str:
        return _NAMES[str(self)]

    def __str__(self) -> str:
        return str.__str__(self)

    def __copy__(self) -> Unreadable:
        return self

    def __deepcopy__(self, memo: object) -> Unreadable:
        return self

    def __reduce__(self) -> str:
        """Pickle it by name, so that there stays one of each."""
        return _NAMES[str(self)]


# The function isn't one that may read personal fields.
HIDDEN: Final = Unreadable("eachonce:hidden")
# The person's key was erased: nobody can read it any more.
ERASED: Final = Unreadable("eachonce:erased")

_NAMES: Final = {"eachonce:hidden": "HIDDEN", "eachonce:erased": "ERASED"}
UNREADABLE: Final = {"eachonce:hidden": HIDDEN, "eachonce:erased": ERASED}
