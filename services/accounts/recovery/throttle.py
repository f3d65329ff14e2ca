"""Limits of requests for recovery mails: by network, and by the typed name whoever asks for it."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Self

from shared.identity.username import canonical
from shared.live.address_block import address_block
from shared.live.throttle import Throttle
from shared.store import Counters, Pace

ADDRESS = Pace(
    free=10,
    first_wait=timedelta(minutes=1),
    longest_wait=timedelta(hours=1),
    forgotten_after=timedelta(days=1),
)
"""About forty requests a day from one network."""

NAME = Pace(
    free=3,
    first_wait=timedelta(minutes=5),
    longest_wait=timedelta(hours=6),
    forgotten_after=timedelta(days=1),
)
"""About ten mails a day to one user, whoever asks for them."""


@dataclass(frozen=True, slots=True)
class RecoveryThrottle:
    """Counts requests by network and by the typed name, before anybody looks whether there is such a user."""

    by_network: Throttle
    by_name: Throttle

    @classmethod
    def of(cls, counters: Counters, *, is_on: bool) -> Self:
        return cls(
            Throttle(counters, "recovery_address", ADDRESS, is_on),
            Throttle(counters, "recovery_name", NAME, is_on),
        )

    async def admit_address(self, address: str) -> timedelta | None:
        """Count a request. None: it is admitted; otherwise the time to wait."""
        return await self.by_network.admit(address_block(address))

    async def admit_name(self, name: str) -> bool:
        """Count a request for *name*. False: there were too many, which nobody is told."""
        return await self.by_name.admit(canonical(name)) is None
