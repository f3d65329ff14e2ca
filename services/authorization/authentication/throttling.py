"""Rate limits for password attempts, per user and per address, and for sign-ups."""

from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from shared.live.address_block import address_block
from shared.store import Counters, Pace

USER = Pace(
    free=5,
    first_wait=timedelta(seconds=10),
    longest_wait=timedelta(minutes=15),
    forgotten_after=timedelta(hours=1),
)
"""About a hundred attempts a day at most; no user is locked out for good (NIST SP 800-63B §5.2.2)."""

ADDRESS = Pace(
    free=50,
    first_wait=timedelta(seconds=5),
    longest_wait=timedelta(minutes=1),
    forgotten_after=timedelta(minutes=15),
)
"""Many people may share an address."""


SECOND_FACTOR = Pace(
    free=5,
    first_wait=timedelta(seconds=30),
    longest_wait=timedelta(minutes=30),
    forgotten_after=timedelta(days=1),
)
"""About fifty codes a day, of a million, from whoever knows the password (RFC 4226 §7.3)."""

SIGN_UP = Pace(
    free=20,
    first_wait=timedelta(minutes=1),
    longest_wait=timedelta(hours=1),
    forgotten_after=timedelta(days=1),
)
"""About fifty new users a day from one address. It also limits probing for existing user names."""


@dataclass(frozen=True, slots=True)
class PasswordAttempt:
    """A password about to be checked: the user, and the address of the request."""

    user: str
    address: str


@dataclass(frozen=True, slots=True)
class PasswordThrottle:
    """Counts attempts before passwords are hashed, so that concurrent attempts are bounded too."""

    counters: Counters
    is_on: bool

    async def admit(self, attempt: PasswordAttempt) -> timedelta | None:
        """Count an attempt. None: it is admitted; otherwise the time to wait.

        The address is counted first, so an address that has to wait cannot make a user wait.
        """
        if not self.is_on:
            return None
        wait = await self.counters.attempt("address", address_block(attempt.address), ADDRESS)
        return wait or await self.counters.attempt("user", attempt.user, USER)

    async def take_back(self, attempt: PasswordAttempt) -> None:
        """Undo the count of an attempt whose password was not checked."""
        if self.is_on:
            await self.counters.take_back("address", address_block(attempt.address))
            await self.counters.take_back("user", attempt.user)

    async def succeeded(self, attempt: PasswordAttempt) -> None:
        """Reset the user's failures. For the address, take back this attempt only."""
        if self.is_on:
            await self.counters.take_back("address", address_block(attempt.address))
            await self.counters.forget("user", attempt.user, USER)


@dataclass(frozen=True, slots=True)
class SignUpThrottle:
    """Counts sign-ups before their passwords are hashed, including those whose name is taken."""

    counters: Counters
    is_on: bool

    async def admit(self, address: str) -> timedelta | None:
        """Count a sign-up. None: it is admitted; otherwise the time to wait."""
        return await self.counters.attempt("sign_up", address_block(address), SIGN_UP) if self.is_on else None

    async def take_back(self, address: str) -> None:
        """Undo the count of a sign-up that was not attempted."""
        if self.is_on:
            await self.counters.take_back("sign_up", address_block(address))


@dataclass(frozen=True, slots=True)
class SecondFactorThrottle:
    """Counts the codes that a user with the right password types, before they are checked."""

    counters: Counters
    is_on: bool

    async def admit(self, user_id: UUID) -> timedelta | None:
        """Count a code. None: it is admitted; otherwise the time to wait."""
        if not self.is_on:
            return None
        return await self.counters.attempt("second_factor", str(user_id), SECOND_FACTOR)

    async def succeeded(self, user_id: UUID) -> None:
        """Forget the wrong codes of the user."""
        if self.is_on:
            await self.counters.forget("second_factor", str(user_id), SECOND_FACTOR)
