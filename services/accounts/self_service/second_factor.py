"""The page of the second factor: add an authenticator app, remove it, get new recovery codes."""

from dataclasses import dataclass, field
from urllib.parse import urlsplit

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_uri
from services.accounts.self_service.overview import remaining
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import FactorView, NewAppView
from shared.browser.pages.ago import Ago
from shared.config.settings import Settings
from shared.identity.totp import derived_secret, otpauth_uri, shown_secret
from shared.live import clock
from shared.live.randomness import new_salt
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.operations.second_factors import add_authenticator_app, replace_recovery_codes
from shared.paths import ACCOUNT, ACCOUNT_SECOND_FACTOR
from shared.store import Credential, SecondFactors, Taken, UserCredentials
from shared.store.ports.credentials import RECOVERY, REMEMBERED, REMEMBERED_FOR, TOTP
from shared.web.answers import see_other

ACT, APP = "act", "app"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class FactorPage:
    """The collaborators of the page."""

    settings: Settings
    access: AccountAccess
    credentials: UserCredentials
    second_factors: SecondFactors
    pages: AccountPages
    secret_key: str = field(repr=False)

    async def get(self, request: web.Request) -> web.Response:
        """Show the user's second factor, or the secret of one to add."""
        self._check_offered()
        visit = await self.access.open(request, ACCOUNT_SECOND_FACTOR, is_sensitive=True)
        return await self._page(request, visit)

    async def post(self, request: web.Request) -> web.Response:
        """Add the app if `code` is one of its codes, or do what `act` says."""
        self._check_offered()
        visit, fields = await self.access.submitted(request, ACCOUNT_SECOND_FACTOR, is_sensitive=True)
        match fields.unique(ACT):
            case None:
                return await self._add(request, visit, fields)
            case "renew":
                codes = await replace_recovery_codes(self.second_factors, visit.user_id)
                if codes is None:
                    return see_other(ACCOUNT_SECOND_FACTOR.path)
                self._log(visit, "recovery_codes")
                return self.pages.recovery_codes(codes, language(request, self.pages.pages))
            case "forget":
                await self.second_factors.forget_browsers(visit.user_id)
                self._log(visit, "browsers_forgotten")
                return see_other(ACCOUNT_SECOND_FACTOR.path)
            case "remove" if self.settings.second_factor != "required":
                await self.second_factors.remove(visit.user_id)
                self._log(visit, "second_factor_removed")
                return see_other(done_uri(ACCOUNT, "factor"))
        raise InvalidRequest("act is unknown")

    async def _add(self, request: web.Request, visit: Visit, fields: Parameters) -> web.Response:
        secret = self._secret(visit, fields.unique(APP) or "")
        try:
            codes = await add_authenticator_app(
                self.second_factors, visit.user_id, secret, fields.unique("code") or ""
            )
        except Taken:  # added in another tab
            return see_other(ACCOUNT_SECOND_FACTOR.path)
        if codes is None:
            return self._new_app(request, visit, fields.unique(APP) or "", is_wrong=True)
        self._log(visit, "second_factor_added")
        return self.pages.recovery_codes(codes, language(request, self.pages.pages))

    async def _page(self, request: web.Request, visit: Visit) -> web.Response:
        stored = await self.credentials.of_user(visit.user_id)
        credentials = {each.kind: each for each in stored}
        if (app := credentials.get(TOTP)) is None:
            return self._new_app(request, visit, new_salt())
        view = FactorView(
            ACCOUNT_SECOND_FACTOR.path,
            Ago.of(app.created_at, clock.now()),
            remaining(credentials.get(RECOVERY)),
            self.settings.second_factor == "required",
            sum(_is_remembered(each, visit) for each in stored),
            visit.fields,
        )
        return self.pages.factor(view, language(request, self.pages.pages))

    def _new_app(
        self, request: web.Request, visit: Visit, app: str, *, is_wrong: bool = False
    ) -> web.Response:
        secret, username = self._secret(visit, app), visit.session.username
        view = NewAppView(
            ACCOUNT_SECOND_FACTOR.path,
            otpauth_uri(secret, urlsplit(self.settings.issuer).hostname or "", username),
            shown_secret(secret),
            is_wrong,
            {**visit.fields, APP: app},
        )
        return self.pages.new_app(view, language(request, self.pages.pages))

    def _secret(self, visit: Visit, app: str) -> bytes:
        """The secret of the app that a page offers: *app* names it, and it is this user's in this session."""
        purpose = "ostiary: new authenticator app of an account, version 1"
        return derived_secret(self.secret_key, purpose, visit.handle, str(visit.user_id), app)

    def _check_offered(self) -> None:
        if not self.settings.has_second_factors:
            raise web.HTTPNotFound

    def _log(self, visit: Visit, change: str) -> None:
        logger.info("account_changed", change=change, user_id=str(visit.user_id))


def _is_remembered(credential: Credential, visit: Visit) -> bool:
    is_current = credential.kind == REMEMBERED and credential.data["epoch"] == visit.session.epoch
    return is_current and clock.now() - credential.created_at < REMEMBERED_FOR
