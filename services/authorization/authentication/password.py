"""Authentication by user name and password."""

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog
from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.throttling import SignInAttempt, SignInThrottle
from shared.identity.passwords import PasswordQueueFull, Passwords
from shared.identity.username import canonical
from shared.live import clock
from shared.model import User
from shared.oauth.authentication_methods import Method, SecondFactor
from shared.oauth.errors import TemporarilyUnavailable
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import digest
from shared.server.metrics import count_event
from shared.store import SecondFactors, Sessions, UserCredentials, UserPassword
from shared.web.forwarded import client_address

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Throttled:
    """Too many attempts: the password was not checked. `retry_after`: how long to wait."""

    retry_after: timedelta

    @property
    def seconds(self) -> int:
        """The whole seconds to wait."""
        return math.ceil(self.retry_after.total_seconds())


@dataclass(frozen=True, slots=True)
class PasswordAuthentication:
    """Checks user names and passwords, and counts the attempts."""

    credentials: UserCredentials
    passwords: Passwords
    throttle: SignInThrottle
    known_browsers: KnownBrowsers
    sessions: Sessions
    remembered: SecondFactors

    async def authenticate(
        self, request: web.Request, fields: Parameters
    ) -> Authenticated | Throttled | None:
        """Check the form fields `username` and `password` of a request.

        None: they are wrong. Nothing says whether the user exists or is disabled. Raises InvalidRequest,
        TemporarilyUnavailable, Unavailable.
        """
        username, password = fields.unique("username"), fields.unique("password")
        if username is None or password is None:
            return None
        account = await self.credentials.find_user_and_password(username)
        user, credential = (account.user, account.password) if account else (None, None)
        address = client_address(request)
        browser = self.known_browsers.identify(request, user.user_id, user.epoch) if user else None
        attempt = SignInAttempt(str(user.user_id) if user else canonical(username), address, browser)
        if wait := await self.throttle.admit(attempt):
            count_event("sign_in", "throttled")
            logger.info("sign_in_throttled", address=address, seconds=wait.total_seconds())
            return Throttled(wait)
        try:
            verdict = await self.passwords.check(account.password_hash if account else None, password)
        except PasswordQueueFull as fault:
            await self.throttle.take_back(attempt)
            raise TemporarilyUnavailable("too many users are signing in", detail=str(fault)) from None
        if account is None or credential is None or not verdict.is_right or account.user.disabled_at:
            self.throttle.failed()
            await self._note_failure(user, address)
            return None
        await self.throttle.succeeded(attempt)
        now = clock.now()
        await self.credentials.note_use(credential, now)
        if verdict.new_hash:
            await self.credentials.rehash(account.user.user_id, credential.data["hash"], verdict.new_hash)
        return await self._authenticated(account, browser, now)

    async def _authenticated(
        self, account: UserPassword, browser: str | None, now: datetime
    ) -> Authenticated:
        user = account.user
        is_remembered = (
            browser is not None
            and SecondFactor.APP in account.second_factors
            and await self.remembered.is_remembered(user.user_id, digest(browser))
        )
        proven = Proven.by_user(
            user,
            frozenset({Method.PASSWORD}),
            now,
            account.second_factors,
            needs_second_factor=account.needs_second_factor,
            is_remembered=is_remembered,
            has_temporary_password=account.is_temporary,
        )
        return Authenticated(user, proven)

    async def _note_failure(self, user: User | None, address: str) -> None:
        """Log and audit a failure. The typed name is left out: it may be a password in the wrong field."""
        count_event("sign_in", "failed")
        logger.info("sign_in_failed", user_id=str(user.user_id) if user else None, address=address)
        await self.sessions.note_failure(user.user_id if user else None, {"address": address})
