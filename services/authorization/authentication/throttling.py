"""Rate limits for passwords, codes, passkeys and sign-ups: per user, per address and for everybody."""

from dataclasses import dataclass
from datetime import timedelta

from shared.live import clock
from shared.live.address_block import address_block
from shared.live.rate_limiter import Rate, RateLimiter
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

FAILED_SIGN_INS = Rate(most=1000, period=timedelta(minutes=10))
"""Of everybody together; also of the passkeys of one address."""
EVERYBODY = "everybody"

ADDRESS_UNDER_ATTACK = Pace(
    free=5,
    first_wait=timedelta(seconds=10),
    longest_wait=timedelta(minutes=5),
    forgotten_after=timedelta(minutes=15),
)
"""While more fail than FAILED_SIGN_INS, from wherever: addresses wait sooner, and nobody is locked out."""

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
class SignInAttempt:
    """A password or a code about to be checked: of which user, and from where.

    `browser`: the identifier of a browser in which that user has signed in before; None: of any other.
    """

    user: str
    address: str
    browser: str | None = None

    @property
    def known(self) -> str:
        """The key of the attempts in a known browser."""
        return f"{self.user} {self.browser}"


@dataclass(frozen=True, slots=True)
class SignInThrottle:
    """Counts attempts before passwords or codes are checked, so that concurrent ones are bounded too.

    `name` and `pace` are those of what is guessed. A browser that the user has signed in with has a count of
    its own: neither guesses from elsewhere nor its neighbours at the same address slow it.
    """

    counters: Counters
    failures: RateLimiter
    name: str
    pace: Pace
    is_on: bool

    async def admit(self, attempt: SignInAttempt) -> timedelta | None:
        """Count an attempt. None: it is admitted; otherwise the time to wait.

        The address is counted first, so an address that has to wait cannot make a user wait.
        """
        if not self.is_on:
            return None
        if attempt.browser:
            return await self.counters.attempt(f"{self.name}_known", attempt.known, self.pace)
        pace = ADDRESS_UNDER_ATTACK if self.failures.wait(EVERYBODY, clock.now()) else ADDRESS
        wait = await self.counters.attempt("address", address_block(attempt.address), pace)
        return wait or await self.counters.attempt(self.name, attempt.user, self.pace)

    async def take_back(self, attempt: SignInAttempt) -> None:
        """Undo the count of an attempt that was not checked."""
        if not self.is_on:
            return
        if attempt.browser:
            await self.counters.take_back(f"{self.name}_known", attempt.known)
            return
        await self.counters.take_back("address", address_block(attempt.address))
        await self.counters.take_back(self.name, attempt.user)

    async def succeeded(self, attempt: SignInAttempt) -> None:
        """Reset the user's failures. For the address, take back this attempt only."""
        if not self.is_on:
            return
        if attempt.browser:
            await self.counters.forget(f"{self.name}_known", attempt.known, self.pace)
            return
        await self.counters.take_back("address", address_block(attempt.address))
        await self.counters.forget(self.name, attempt.user, self.pace)

    def failed(self) -> None:
        """Count a failure for the whole deployment."""
        self.failures.count(EVERYBODY, clock.now())


@dataclass(frozen=True, slots=True)
class PasskeyThrottle:
    """Counts refused passkeys by address. Nobody guesses them, but each leaves a row in the audit log."""

    failures: RateLimiter

    def wait(self, address: str) -> timedelta | None:
        """The time to wait; None: there have been few."""
        return self.failures.wait(address_block(address), clock.now())

    def failed(self, address: str) -> None:
        """Count one."""
        self.failures.count(address_block(address), clock.now())
