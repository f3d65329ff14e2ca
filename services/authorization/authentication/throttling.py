"""How fast passwords may be tried, for each user and from each address, and how fast users may sign up."""

from dataclasses import dataclass
from datetime import timedelta

from shared.live.address_block import address_block
from shared.store import Counters, Pace

USER = Pace(
    free=5,
    first_wait=timedelta(seconds=10),
    longest_wait=timedelta(minutes=15),
    forgotten_after=timedelta(hours=1),
)
"""At most about a hundred tries a day, and nobody is locked out for good (NIST SP 800-63B §5.2.2)."""

ADDRESS = Pace(
    free=50,
    first_wait=timedelta(seconds=5),
    longest_wait=timedelta(minutes=1),
    forgotten_after=timedelta(minutes=15),
)
"""Many people may share an address."""


SIGN_UP = Pace(
    free=20,
    first_wait=timedelta(minutes=1),
    longest_wait=timedelta(hours=1),
    forgotten_after=timedelta(days=1),
)
"""Some fifty new users a day from one address, or names that are asked for by trying them."""


@dataclass(frozen=True, slots=True)
class Try:
    """A password about to be tried, by whom and from where."""

    user: str
    address: str


@dataclass(frozen=True, slots=True)
class Throttle:
    """Counts tries before passwords are hashed, so that many at once are bounded too."""

    counters: Counters
    is_on: bool

    async def admit(self, one: Try) -> timedelta | None:
        """Count it. None: go ahead; else how long to wait.

        The address first: one that must wait cannot make a user wait.
        """
        if not self.is_on:
            return None
        wait = await self.counters.attempt("address", address_block(one.address), ADDRESS)
        return wait or await self.counters.attempt("user", one.user, USER)

    async def take_back(self, one: Try) -> None:
        """It was not judged."""
        if self.is_on:
            await self.counters.take_back("address", address_block(one.address))
            await self.counters.take_back("user", one.user)

    async def succeeded(self, one: Try) -> None:
        """The user's earlier failures are forgotten; of the address only this try is, which did not fail."""
        if self.is_on:
            await self.counters.take_back("address", address_block(one.address))
            await self.counters.forget("user", one.user, USER)


@dataclass(frozen=True, slots=True)
class SignUpThrottle:
    """Counts sign-ups before their passwords are hashed; those whose name is taken count, too."""

    counters: Counters
    is_on: bool

    async def admit(self, address: str) -> timedelta | None:
        """Count it. None: go ahead; else how long to wait."""
        return await self.counters.attempt("sign_up", address_block(address), SIGN_UP) if self.is_on else None

    async def take_back(self, address: str) -> None:
        """It was not tried."""
        if self.is_on:
            await self.counters.take_back("sign_up", address_block(address))
