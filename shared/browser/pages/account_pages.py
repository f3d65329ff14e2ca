"""The pages of a user's own account: views in, complete responses out, as in `Pages`.

They lead to no client, so their forms may be sent to this server alone.
"""

from dataclasses import dataclass

from aiohttp import web

from shared.browser.pages.qr_code import qr_code
from shared.browser.pages.rendering import Renderer, retry_after
from shared.browser.pages.security import content_security_policy, headers
from shared.browser.pages.views.account.activity import ActivityView
from shared.browser.pages.views.account.connections import ConnectionsView
from shared.browser.pages.views.account.data import AccountDataView
from shared.browser.pages.views.account.email import EmailView
from shared.browser.pages.views.account.overview import AccountOverviewView
from shared.browser.pages.views.account.passkeys import PasskeysView
from shared.browser.pages.views.account.password import ForgottenView, PasswordChangeView, RecoveryView
from shared.browser.pages.views.account.profile import ProfileView
from shared.browser.pages.views.account.second_factor import FactorView, NewAppView
from shared.browser.pages.views.account.sessions import DeviceSessionsView
from shared.browser.pages.views.account.tokens import NewTokenView, PersonalTokensView
from shared.paths import (
    ACCOUNT,
    ACCOUNT_ACTIVITY,
    ACCOUNT_CONNECTIONS,
    ACCOUNT_DATA,
    ACCOUNT_EMAIL,
    ACCOUNT_PASSKEYS,
    ACCOUNT_PASSWORD,
    ACCOUNT_PROFILE,
    ACCOUNT_SECOND_FACTOR,
    ACCOUNT_SESSIONS,
    ACCOUNT_TOKENS,
    LOGOUT,
)

_LINKS = {
    "overview": ACCOUNT.path,
    "profile": ACCOUNT_PROFILE.path,
    "password": ACCOUNT_PASSWORD.path,
    "passkeys": ACCOUNT_PASSKEYS.path,
    "factor": ACCOUNT_SECOND_FACTOR.path,
    "sessions": ACCOUNT_SESSIONS.path,
    "connections": ACCOUNT_CONNECTIONS.path,
    "tokens": ACCOUNT_TOKENS.path,
    "activity": ACCOUNT_ACTIVITY.path,
    "data": ACCOUNT_DATA.path,
    "email": ACCOUNT_EMAIL.path,
    "logout": LOGOUT.path,
}
"""What the pages lead to."""


@dataclass(frozen=True, slots=True)
class AccountPages:
    """Renders the account pages."""

    renderer: Renderer

    def overview(self, view: AccountOverviewView, locale: str) -> web.Response:
        """Who the user is, how they sign in, and where to go."""
        return self._page("account_overview.html", locale, view, sends=view.offer is not None)

    def profile(self, view: ProfileView, locale: str) -> web.Response:
        """The form with a field for each claim that the user may change."""
        status, catalogues = 400 if view.fault else 200, self.renderer.catalogues
        return self._page("account_profile.html", locale, view, status, catalogues=catalogues)

    def password(self, view: PasswordChangeView, locale: str) -> web.Response:
        """The form with `new_password` and `sign_out_others`."""
        return self._page("account_password.html", locale, view, 400 if view.fault else 200)

    def email(self, view: EmailView, locale: str) -> web.Response:
        """The forms send `email`, or `code` if one was mailed."""
        status = 429 if view.fault == "throttled" else 400 if view.fault else 200
        return self._page("account_email.html", locale, view, status)

    def forgotten(self, view: ForgottenView, locale: str) -> web.Response:
        """The form with `username`."""
        response = self._page("forgotten.html", locale, view, 429 if view.retry_after else 200)
        return retry_after(response, view.retry_after)

    def forgotten_sent(self, minutes: int, locale: str) -> web.Response:
        """Says that a mail comes if there is such a user; its link works for so many *minutes*."""
        return self._page("forgotten_sent.html", locale, minutes)

    def recovery(self, view: RecoveryView, locale: str) -> web.Response:
        """As `password`, for a user who is not signed in and has a link."""
        return self._page("recovery.html", locale, view, 400 if view.fault else 200)

    def recovered(self, onward: str, locale: str) -> web.Response:
        """Says that the user can sign in with the new password, which *onward* leads to."""
        return self._page("recovered.html", locale, onward)

    def passkeys(self, view: PasskeysView, locale: str) -> web.Response:
        """The forms send `passkey`, the result of a ceremony, with `name`; or `remove`."""
        return self._page("account_passkeys.html", locale, view, 400 if view.fault else 200)

    def new_app(self, view: NewAppView, locale: str) -> web.Response:
        """Shows the secret of a new authenticator app; the form sends `code`, its first code."""
        status = 400 if view.is_wrong else 200
        return self._page("account_new_app.html", locale, view, status, qr_code=qr_code(view.uri))

    def factor(self, view: FactorView, locale: str) -> web.Response:
        """The forms send `act` = `renew` or `remove`."""
        return self._page("account_factor.html", locale, view)

    def recovery_codes(self, codes: tuple[str, ...], locale: str) -> web.Response:
        """Shows recovery codes, which are shown once."""
        return self._page("account_recovery_codes.html", locale, codes)

    def sessions(self, view: DeviceSessionsView, locale: str) -> web.Response:
        """The forms send `sid`, or `others`."""
        return self._page("account_sessions.html", locale, view)

    def connections(self, view: ConnectionsView, locale: str) -> web.Response:
        """The forms send `client_id`."""
        return self._page("account_connections.html", locale, view)

    def activity(self, view: ActivityView, locale: str) -> web.Response:
        """What happened in the account."""
        return self._page("account_activity.html", locale, view)

    def tokens(self, view: PersonalTokensView, locale: str) -> web.Response:
        """The forms send `name`, `scope` several times, `nodes` and `days`; or `revoke`."""
        return self._page("account_tokens.html", locale, view, 400 if view.fault else 200)

    def new_token(self, view: NewTokenView, locale: str) -> web.Response:
        """Shows a new personal access token, which is shown once."""
        return self._page("account_new_token.html", locale, view)

    def data(self, view: AccountDataView, locale: str) -> web.Response:
        """The forms send `act` = `download`, or `delete` with `confirm`, the user name."""
        return self._page("account_data.html", locale, view, 400 if view.is_wrong else 200)

    def _page(
        self,
        template: str,
        locale: str,
        view: object,
        status: int = 200,
        *,
        sends: bool = False,
        **values: object,
    ) -> web.Response:
        fields = headers(content_security_policy(sends=sends), locale)
        return self.renderer.page(template, locale, fields, status, view=view, links=_LINKS, **values)
