"""The page of the second factor: add an authenticator app, remove it, get new recovery codes."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from aiohttp import web

from services.accounts.self_service.overview import remaining
from services.accounts.visit.access import AccountAccess
from services.accounts.visit.done import done_uri
from services.accounts.visit.visit import Visit, user_of
from shared.browser.notices import Notices
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.second_factor import FactorView, NewAppView
from shared.config.settings import Settings
from shared.identity.totp import derived_secret, otpauth_uri, shown_secret
from shared.live import clock
from shared.live.randomness import new_salt
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.operations.second_factors import add_authenticator_app, replace_recovery_codes
from shared.paths import ACCOUNT
from shared.store import Credential, MailKind, NewMail, SecondFactors, Taken, UserCredentials, Users
from shared.store.ports.credentials import RECOVERY, REMEMBERED, REMEMBERED_FOR, TOTP
from shared.web.answers import see_other

ACT, APP, CODE = "act", "app", "code"


@dataclass(frozen=True, slots=True)
class FactorPage:
    """The collaborators of the page."""

    access: AccountAccess
    settings: Settings
    credentials: UserCredentials
    second_factors: SecondFactors
    users: Users
    notices: Notices
    pages: AccountPages
    secret_key: str = field(repr=False)

    async def get(self, visit: Visit) -> web.Response:
        """Show the user's second factor, or the secret of one to add."""
        stored = await self.credentials.of_user(visit.user_id)
        credentials = {each.kind: each for each in stored}
        if (app := credentials.get(TOTP)) is None:
            return self._new_app(visit, new_salt())
        view = FactorView(
            visit.page.path,
            Ago.of(app.created_at, clock.now()),
            remaining(credentials.get(RECOVERY)),
            self.access.needs_second_factor(visit.session),
            sum(_is_remembered(each, visit) for each in stored),
            visit.fields,
        )
        return self.pages.factor(view, visit.locale)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Add the app if `code` is one of its codes, or do what `act` says."""
        match fields.unique(ACT):
            case None:
                return await self._add(visit, fields.unique(APP) or "", fields.unique(CODE) or "")
            case "renew":
                return await self._renew(visit)
            case "forget":
                await self.second_factors.forget_browsers(visit.user_id)
                visit.log_change("browsers_forgotten")
                return see_other(visit.page.path)
            case "remove" if not self.access.needs_second_factor(visit.session):
                mails = await self._mails(visit, "app_removed")
                await self.second_factors.remove(visit.user_id, mails=mails)
                visit.log_change("second_factor_removed")
                return see_other(done_uri(ACCOUNT, "factor"))
        raise InvalidRequest("act is unknown")

    async def _add(self, visit: Visit, app: str, code: str) -> web.Response:
        """Add the app that the page has offered, and show its recovery codes."""
        secret, mails = self._secret(visit, app), await self._mails(visit, "app_added")
        try:
            codes = await add_authenticator_app(self.second_factors, visit.user_id, secret, code, mails)
        except Taken:  # added in another tab
            return see_other(visit.page.path)
        if codes is None:
            return self._new_app(visit, app, is_wrong=True)
        visit.log_change("second_factor_added")
        return self.pages.recovery_codes(codes, visit.locale)

    async def _renew(self, visit: Visit) -> web.Response:
        """Replace the recovery codes, and show the new ones."""
        codes = await replace_recovery_codes(self.second_factors, visit.user_id)
        if codes is None:
            return see_other(visit.page.path)
        visit.log_change("recovery_codes")
        return self.pages.recovery_codes(codes, visit.locale)

    async def _mails(self, visit: Visit, kind: MailKind) -> Sequence[NewMail]:
        """What tells the user of a change."""
        return self.notices.about(visit.request, await user_of(visit, self.users), kind)

    def _new_app(self, visit: Visit, app: str, *, is_wrong: bool = False) -> web.Response:
        secret = self._secret(visit, app)
        view = NewAppView(
            visit.page.path,
            otpauth_uri(secret, urlsplit(self.settings.issuer).hostname or "", visit.username),
            shown_secret(secret),
            is_wrong,
            {**visit.fields, APP: app},
        )
        return self.pages.new_app(view, visit.locale)

    def _secret(self, visit: Visit, app: str) -> bytes:
        """The secret of the app that a page offers: *app* names it, and it is this user's in this session."""
        purpose = "ostiary: new authenticator app of an account, version 1"
        return derived_secret(self.secret_key, purpose, visit.handle, str(visit.user_id), app)


def _is_remembered(credential: Credential, visit: Visit) -> bool:
    is_current = credential.kind == REMEMBERED and credential.data["epoch"] == visit.session.epoch
    return is_current and clock.now() - credential.created_at < REMEMBERED_FOR
