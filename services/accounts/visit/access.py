"""Who may see a page of the account, and who has sent its form."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from aiohttp import web

from services.accounts.visit.done import done_of
from services.accounts.visit.sign_in import sign_in_uri
from services.accounts.visit.visit import Visit
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.errors import CookieMissing, SignInDeclined, StaleForm
from shared.browser.form_token import FORM_TOKEN, is_form_token
from shared.browser.language import UI_LOCALES, language
from shared.browser.pages import Pages
from shared.browser.pages.views.account.done import Done
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS, methods_of, satisfied
from shared.oauth.parameters import Parameters
from shared.operations.second_factors import lacks_second_factor
from shared.paths import ACCOUNT, Path
from shared.store import SecondFactors
from shared.web.answers import see_other
from shared.web.form import form, query

FRESH_FOR = timedelta(minutes=5)
"""How long ago a user may have signed in who changes something sensitive."""

SHOWN_FOR = timedelta(minutes=3)
"""How long ago they may have signed in when the form is shown: the rest is for filling it in."""


def is_fresh(session: Session, within: timedelta, now: datetime) -> bool:
    """Whether the user of the session signed in so recently."""
    return now - session.authentication.auth_time <= within


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """Opens the pages of the account. Every method raises InvalidRequest, Unavailable.

    A page that *is_sensitive* needs a fresh sign-in, and by a second factor of a user who has or needs one.
    """

    settings: Settings
    cookies: Cookies
    active_sessions: ActiveSessions
    second_factors: SecondFactors
    pages: Pages

    async def open(self, request: web.Request, page: Path, *, is_sensitive: bool) -> Visit | web.Response:
        """The user who may see *page*, or the redirect of one who must sign in first.

        Raises CookieMissing, SignInDeclined.
        """
        session, parameters = await self.active_sessions.find(request), query(request)
        if "code" in parameters or "error" in parameters:
            return self._arrived(session, page, is_declined="error" in parameters)
        if session is None:
            return self.sign_in(request, page)
        step_up = await self._step_up(request, page, session, SHOWN_FOR) if is_sensitive else None
        return step_up or self._visit(request, page, session, done_of(parameters))

    async def submitted(
        self, request: web.Request, page: Path, *, is_sensitive: bool
    ) -> tuple[Visit, Parameters] | web.Response:
        """The user who has sent a form of *page*, and its fields; or a redirect, as `open` returns it.

        Raises StaleForm, UnverifiedRequest.
        """
        check_same_origin(request, self.settings.origin)
        fields, session = await form(request), await self.active_sessions.find(request)
        if session is None:
            return self.sign_in(request, page)
        visit = self._visit(request, page, session)
        if not is_form_token(fields.unique(FORM_TOKEN), visit.handle, page.path):
            raise StaleForm("the form was made for another session", again=page.path)
        step_up = await self._step_up(request, page, session, FRESH_FOR) if is_sensitive else None
        return step_up or (visit, fields)

    async def may_change(self, visit: Visit) -> bool:
        """Whether the user need not sign in again to open a page that is sensitive."""
        session = visit.session
        return is_fresh(session, SHOWN_FOR, clock.now()) and not await self._lacks_second_factor(session)

    def sign_in(
        self,
        request: web.Request,
        page: Path,
        *,
        max_age: timedelta | None = None,
        acr: str | None = None,
        username: str | None = None,
    ) -> web.Response:
        """The redirect to a sign-in that leads back to *page*. The arguments are those of `sign_in_uri`."""
        ui_locales = query(request).unique(UI_LOCALES)
        uri = sign_in_uri(
            self.settings.issuer, page, max_age=max_age, acr=acr, username=username, ui_locales=ui_locales
        )
        return see_other(uri)

    def _arrived(self, session: Session | None, page: Path, *, is_declined: bool) -> web.Response:
        """Drop the parameters of the authorization endpoint's response, which nothing here believes."""
        if session is not None:  # a user who declined to sign in again must not be asked once more
            return see_other(ACCOUNT.path if is_declined else page.path)
        if is_declined:
            raise SignInDeclined("the user did not sign in", again=page.path)
        raise CookieMissing("the session's cookie was not sent", again=page.path)

    async def _step_up(
        self, request: web.Request, page: Path, session: Session, within: timedelta
    ) -> web.Response | None:
        """The redirect to a stronger sign-in. None: the user's is recent, and by every factor they have."""
        max_age = None if is_fresh(session, within, clock.now()) else SHOWN_FOR
        acr = ACR_MULTIPLE_FACTORS if await self._lacks_second_factor(session) else None
        if max_age is None and acr is None:
            return None
        return self.sign_in(request, page, max_age=max_age, acr=acr, username=session.username)

    def needs_second_factor(self, session: Session) -> bool:
        """Whether the user needs a second factor, as everybody does or as a member of a group."""
        return self.settings.demands_second_factor(of_group=session.needs_second_factor)

    async def _lacks_second_factor(self, session: Session) -> bool:
        if not self.settings.has_second_factors:
            return False
        if self.needs_second_factor(session):
            return ACR_MULTIPLE_FACTORS not in satisfied(methods_of(session.authentication.amr))
        return await lacks_second_factor(self.second_factors, session.user_id, session.authentication)

    def _visit(self, request: web.Request, page: Path, session: Session, done: Done | None = None) -> Visit:
        handle = self.cookies.session_handle(request, session.session_key)
        return Visit(request, session, handle, page, language(request, self.pages), done)
