"""Chaos: which fault happens where, drawn from a seed.

A decision depends on the seed and on what it is about, never on how many were made before it. So a run of which some
faults are taken away keeps the others, and the shortest list that still does harm can be looked for.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import blake2b

from eachonce_workbench.cloud.faults.fault import CallFault
from eachonce_workbench.cloud.store.queues.disorder import Disorder
from eachonce_workbench.simulator.fault import DeliveryFault

_RANGE = 2**64


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """How often things go wrong: shares, 0.0 to 1.0.

    - `call`: of AWS calls, all faults together
    - `unmet`: of calls of a kind that a fault has not happened to yet; rare calls are met early so
    - `delivery`: of deliveries, each fault for itself
    - `rare`: of invocations, of those faults that hold up everything
    - `slow`: of handlers whose start is noted: while they take their time, others meet them
    - `poison`: how many events of each kind of poison, a hundred invoices
    """

    call: float = 0.0
    unmet: float = 0.0
    delivery: float = 0.0
    rare: float = 0.0
    slow: float = 0.0
    poison: float = 0.0


PROFILES = {
    "none": Profile(),
    "light": Profile(call=0.005, unmet=0.05, delivery=0.01, rare=0.002, slow=0.01, poison=0.5),
    "heavy": Profile(call=0.05, unmet=0.6, delivery=0.1, rare=0.01, slow=0.03, poison=2),
    "crowded": Profile(call=0.05, unmet=0.5, delivery=0.1, rare=0.03, slow=0.4, poison=12),
}


class Chaos:
    """Decides, and keeps what was decided.

    `happened` are the faults that happened, in order, each with a name that means the same in the next run. With
    `only`, those happen and no others, and `offered` are all that there was an occasion for. `told` hears of each as it
    happens.
    """

    def __init__(
        self,
        seed: int,
        profile: Profile,
        *,
        only: frozenset[str] | None = None,
        told: Callable[[str], object] = lambda _: None,
    ) -> None:
        self._told = told
        self._seed = str(seed).encode()
        self.profile = profile
        self._only = only
        self._occurrences: Counter[str] = Counter()
        self._met: set[tuple[str, str]] = set()
        self.happened: list[str] = []
        self.offered: list[str] = []

    @property
    def last(self) -> str:
        """The fault that happened last, as what the details of it are drawn about."""
        # Not its name itself: the draw that let it happen was a low one.
        return f"how {self.happened[-1]}"

    @property
    def chosen(self) -> bool:
        """Whether faults happen that were chosen by name, and no others."""
        return self._only is not None

    def end(self) -> None:
        """Let nothing happen any more."""
        self._only = frozenset()

    def call(self, site: str, about: str, faults: Sequence[CallFault]) -> CallFault | None:
        """Return what goes wrong with a call, if anything does; `about` tells it from others at its site."""
        place = self._place(f"{site} {about}")
        if self._only is not None:
            self.offered += [f"{fault}: {place}" for fault in faults]
            return next((fault for fault in faults if self._listed(f"{fault}: {place}")), None)
        unmet = [fault for fault in faults if (site, fault) not in self._met]
        chance = self._draw(f"whether {place}")
        if unmet and chance < self.profile.unmet:
            fault = unmet[int(self._draw(f"which {place}") * len(unmet))]
        elif chance < self.profile.call:
            fault = faults[int(self._draw(f"which {place}") * len(faults))]
        else:
            return None
        self._met.add((site, fault))
        self._note(f"{fault}: {place}")
        return fault

    def happens(self, fault: DeliveryFault, about: str, share: float) -> bool:
        """Whether something goes wrong with a delivery; `about` says which."""
        if share <= 0.0 and self._only is None:
            return False
        name = f"{fault}: {self._place(f'{fault} {about}').removeprefix(f'{fault} ')}"
        if self._only is not None:
            self.offered.append(name)
            return self._listed(name)
        if self._draw(name) >= share:
            return False
        self._note(name)
        return True

    def delivery(self, fault: DeliveryFault, about: str) -> bool:
        """Whether something goes wrong with a delivery, as often as the profile says."""
        return self.happens(fault, about, self.profile.delivery)

    def rare(self, fault: DeliveryFault, about: str) -> bool:
        """Whether something happens that holds up everything."""
        return self.happens(fault, about, self.profile.rare)

    def often(self, fault: DeliveryFault, about: str) -> bool:
        """Whether something happens that there is seldom an occasion for."""
        return self.happens(fault, about, self.profile.unmet)

    def between(self, low: float, high: float, about: str) -> float:
        """Return a number of this range, the same for the same `about`."""
        return low + (high - low) * self._draw(about)

    def _listed(self, name: str) -> bool:
        if self._only is not None and name in self._only:
            self._note(name)
            return True
        return False

    def _note(self, name: str) -> None:
        self.happened.append(name)
        self._told(name)

    def _place(self, what: str) -> str:
        """Return what something is about with how often that was asked before."""
        self._occurrences[what] += 1
        return f"{what} #{self._occurrences[what]}"

    def _draw(self, about: str) -> float:
        digest = blake2b(about.encode(), digest_size=8, key=self._seed).digest()
        return int.from_bytes(digest) / _RANGE


# The id of the event in a message from the bus, after that of the bus's own.
_EVENT_ID = re.compile(r'"detail": ?{[^}]*?"id": ?"([^"]+)"')


class Unruly(Disorder):
    """The disorder of queues and of the bus, as chaos decides it."""

    def __init__(self, chaos: Chaos) -> None:
        super().__init__(0)
        self._chaos = chaos

    def copies(self, target: str, body: str) -> int:
        """One delivery of the bus becomes two messages, or three."""
        about = _about(target, body)
        if not self._chaos.delivery(DeliveryFault.SENT_AGAIN, about):
            return 1
        return 2 + self._chaos.delivery(DeliveryFault.SENT_AGAIN, f"{about} once more")

    def delay_seconds(self, target: str, body: str) -> float:
        """A delivery is at once, or takes up to ten minutes."""
        if not self._chaos.delivery(DeliveryFault.DELAYED, _about(target, body)):
            return 0.0
        return self._chaos.between(0.1, 600.0, self._chaos.last)

    def batch(self, queue: str, limit: int) -> int:
        """A receive takes fewer than there are."""
        if limit < 2 or not self._chaos.delivery(DeliveryFault.BATCH_SPLIT, queue):
            return limit
        return 1 + int(self._chaos.between(0, limit - 1, self._chaos.last))

    def hidden_seconds(self, queue: str, body: str, seconds: float) -> float:
        """A message is seen again while somebody works on it."""
        if not self._chaos.delivery(DeliveryFault.SEEN_TWICE, _about(queue, body)):
            return seconds
        return self._chaos.between(0.0, 0.2, self._chaos.last)

    def redeliver(self, queue: str, body: str) -> bool:
        """A delete succeeds, and the message comes again all the same."""
        return self._chaos.delivery(DeliveryFault.DELETE_LOST, _about(queue, body))

    def pick(self, n: int) -> int:
        """Any of the messages that are there is next."""
        if n < 2 or not self._chaos.delivery(DeliveryFault.OVERTAKEN, "a message"):
            return 0
        return 1 + int(self._chaos.between(0, n - 1, self._chaos.last))


def _about(place: str, body: str) -> str:
    """Return what tells a message from others: its queue, whose ARN or name this is, and its event."""
    found = _EVENT_ID.search(body)
    return f"{place.rpartition(':')[2]} {found[1] if found else 'a message'}"
