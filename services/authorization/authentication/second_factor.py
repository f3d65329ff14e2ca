"""Authentication by a second factor: the code of an authenticator app, or a recovery code."""

from dataclasses import dataclass, field
from uuid import UUID

import structlog
from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.known_browsers import KnownBrowsers
from services.authorization.authentication.new_session import SignInForm
from services.authorization.authentication.password import Throttled
from services.authorization.authentication.proven import Proven
from services.authorization.authentication.throttling import SignInAttempt, SignInThrottle
from shared.browser.notices import Notices
from shared.identity.recovery_codes import recovery_code_hash
from shared.identity.totp import derived_secret, matching_step, typed_code
from shared.live import clock
from shared.oauth.authentication_methods import Method, SecondFactor
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.handle import digest
from shared.operations.second_factors import add_first_app
from shared.server.metrics import count_event
from shared.store import SecondFactors, Sessions, Users
from shared.web.forwarded import client_address

CODE, RECOVERY_CODE = "code", "recovery_code"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Added:
    """A second factor that was added: the authentication with it, and the codes that are shown once."""

    authenticated: Authenticated
    recovery_codes: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True, slots=True)
class SecondFactorAuthentication:
    """Checks second factors and adds the first one of a user."""

    users: Users
    second_factors: SecondFactors
    notices: Notices
    throttle: SignInThrottle
    known_browsers: KnownBrowsers
    sessions: Sessions
    secret_key: str = field(repr=False)

    async def of_user(self, user_id: UUID) -> frozenset[SecondFactor]:
        """The second factors that the user has. Raises Unavailable."""
        return await self.second_factors.of_user(user_id)

    async def authenticate(
        self, request: web.Request, proven: Proven, fields: Parameters, sent: SignInForm
    ) -> Authenticated | Throttled | None:
        """Check the field `code` or `recovery_code`, and spend it. None: it is wrong or was spent before.

        A form that is *sent* again, because its session did not begin, may show the same code again.

        Raises InvalidRequest, Unavailable.
        """
        attempt = self._attempt(request, proven)
        address = attempt.address
        if wait := await self.throttle.admit(attempt):
            count_event("second_factor", "throttled")
            logger.info("second_factor_throttled", user_id=str(proven.user_id), address=address)
            return Throttled(wait)
        user = await self.users.find(proven.user_id)
        if user is None or not await self._spend(proven, fields, sent):
            self.throttle.failed()
            count_event("second_factor", "failed")
            logger.info("second_factor_failed", user_id=str(proven.user_id), address=address)
            if user is not None:
                detail = {"address": address, "factor": Method.ONE_TIME_PASSWORD}
                await self.sessions.note_failure(user.user_id, detail)
            return None
        await self.throttle.succeeded(attempt)
        count_event("second_factor")
        return Authenticated.completing(proven, user, {Method.ONE_TIME_PASSWORD})

    def _attempt(self, request: web.Request, proven: Proven) -> SignInAttempt:
        browser = self.known_browsers.identify(request, proven.user_id, proven.epoch)
        return SignInAttempt(str(proven.user_id), client_address(request), browser)

    async def _spend(self, proven: Proven, fields: Parameters, sent: SignInForm) -> bool:
        session_key = digest(sent.session_handle(self.secret_key, proven.user_id, proven.epoch))
        if recovery_code := fields.unique(RECOVERY_CODE):
            code_hash = recovery_code_hash(proven.user_id, recovery_code)
            return await self.second_factors.spend_recovery_code(proven.user_id, code_hash, session_key)
        secret = await self.second_factors.secret(proven.user_id)
        if secret is None:
            return False
        step = matching_step(secret, typed_code(fields.unique(CODE) or ""), clock.now())
        return step is not None and await self.second_factors.spend_step(proven.user_id, step, session_key)

    def new_secret(self, proven: Proven, handle: str) -> bytes:
        """The secret that the user may add within the interaction with this *handle*: always the same."""
        parts = ("ostiary: new authenticator app, version 1", handle, str(proven.user_id), str(proven.epoch))
        return derived_secret(self.secret_key, *parts)

    async def add(
        self, request: web.Request, proven: Proven, handle: str, fields: Parameters
    ) -> Added | Throttled | None:
        """Add the secret of this *handle* if the field `code` is one of its codes. None: it is wrong.

        Raises Taken if the user has a second factor already, Stale, InvalidRequest, Unavailable.
        """
        attempt = self._attempt(request, proven)
        if wait := await self.throttle.admit(attempt):
            return Throttled(wait)
        secret, user = self.new_secret(proven, handle), await self.users.find(proven.user_id)
        if user is None:
            return None
        typed, mails = fields.unique(CODE) or "", self.notices.about(request, user, "app_added")
        codes = await add_first_app(
            self.second_factors, user.user_id, proven.epoch, secret, typed, mails=mails
        )
        if codes is None:
            return None
        await self.throttle.succeeded(attempt)
        logger.info("second_factor_added", user_id=str(user.user_id))
        return Added(Authenticated.completing(proven, user, {Method.ONE_TIME_PASSWORD}), codes)
