"""Who may see a page of the account, and who has sent its form."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from aiohttp import web

from services.accounts.self_service.sign_in import sign_in_uri
from shared.browser.active_session import ActiveSessions
from shared.browser.cookies import Cookies
from shared.browser.errors import CookieMissing, SignInDeclined, StaleForm
from shared.browser.form_token import FORM_TOKEN, form_token, is_form_token
from shared.browser.language import UI_LOCALES
from shared.browser.same_origin import check_same_origin
from shared.config.settings import Settings
from shared.live import clock
from shared.model import Session
from shared.oauth.authentication_methods import ACR_MULTIPLE_FACTORS
from shared.oauth.parameters import Parameters
from shared.operations.second_factors import lacks_second_factor
from shared.paths import ACCOUNT, Path
from shared.store import SecondFactors
from shared.web.form import form, query

FRESH_FOR = timedelta(minutes=5)
"""How long ago a user may have signed in who changes something sensitive."""

SHOWN_FOR = timedelta(minutes=3)
"""How long ago they may have signed in when the form is shown: the rest is for filling it in."""


class SignInNeeded(Exception):
    """The user has to sign in first, at *uri*."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


class Arrived(Exception):
    """The browser comes back from a sign-in, and continues at *uri*, without the parameters of a response."""

    def __init__(self, uri: str) -> None:
        super().__init__(uri)
        self.uri = uri


@dataclass(frozen=True, slots=True)
class Visit:
    """A user on a page of their account. `handle`: that of the session, to which forms are bound."""

    session: Session
    handle: str
    page: Path

    @property
    def user_id(self) -> UUID:
        return self.session.user_id

    @property
    def fields(self) -> Mapping[str, str]:
        """The hidden fields of the page's forms."""
        return self.fields_of(self.page)

    def fields_of(self, page: Path) -> Mapping[str, str]:
        """The hidden fields of a form that this page has of another *page*."""
        return {FORM_TOKEN: form_token(self.handle, page.path)}


def is_fresh(session: Session, within: timedelta, now: datetime) -> bool:
    """Whether the user of the session signed in so recently."""
    return now - session.authentication.auth_time <= within


@dataclass(frozen=True, slots=True)
class AccountAccess:
    """Opens the pages of the account. Every method raises InvalidRequest, SignInNeeded, Unavailable."""

    settings: Settings
    cookies: Cookies
    active_sessions: ActiveSessions
    second_factors: SecondFactors

    async def open(self, request: web.Request, page: Path, *, is_sensitive: bool = False) -> Visit:
        """The user who may see *page*. Raises Arrived, CookieMissing, SignInDeclined."""
        session, parameters = await self.active_sessions.find(request), query(request)
        if "code" in parameters or "error" in parameters:
            raise self._arrival(session, page, is_declined="error" in parameters)
        if session is None:
            raise SignInNeeded(self._sign_in(request, page))
        if is_sensitive:
            await self._check_fresh(request, session, page, SHOWN_FOR)
        return self._visit(request, session, page)

    async def submitted(
        self, request: web.Request, page: Path, *, is_sensitive: bool = False
    ) -> tuple[Visit, Parameters]:
        """The user who has sent a form of *page*, and its fields. Raises StaleForm, UnverifiedRequest."""
        check_same_origin(request, self.settings.origin)
        fields = await form(request)
        session = await self.active_sessions.find(request)
        if session is None:
            raise SignInNeeded(self._sign_in(request, page))
        visit = self._visit(request, session, page)
        if not is_form_token(fields.unique(FORM_TOKEN), visit.handle, page.path):
            raise StaleForm("the form was made for another session", again=page.path)
        if is_sensitive:
            await self._check_fresh(request, session, page, FRESH_FOR)
        return visit, fields

    async def may_change(self, visit: Visit) -> bool:
        """Whether the user need not sign in again to open a page that is sensitive."""
        session = visit.session
        return is_fresh(session, SHOWN_FOR, clock.now()) and not await self._lacks_second_factor(session)

    def gone(self, request: web.Request, page: Path) -> SignInNeeded:
        """The user of the session was deleted after it was found."""
        return SignInNeeded(self._sign_in(request, page))

    def _arrival(self, session: Session | None, page: Path, *, is_declined: bool) -> Exception:
        """What follows a response of the authorization endpoint, which nothing here believes."""
        if session is not None:  # a user who declined to sign in again must not be asked once more
            return Arrived(ACCOUNT.path if is_declined else page.path)
        if is_declined:
            return SignInDeclined("the user did not sign in", again=page.path)
        return CookieMissing("the session's cookie was not sent", again=page.path)

    async def _check_fresh(
        self, request: web.Request, session: Session, page: Path, within: timedelta
    ) -> None:
        """Demand a recent sign-in, and by a second factor of a user who has one."""
        max_age = None if is_fresh(session, within, clock.now()) else SHOWN_FOR
        acr = ACR_MULTIPLE_FACTORS if await self._lacks_second_factor(session) else None
        if max_age is not None or acr is not None:
            uri = self._sign_in(request, page, max_age=max_age, acr=acr, username=session.username)
            raise SignInNeeded(uri)

    async def _lacks_second_factor(self, session: Session) -> bool:
        if not self.settings.has_second_factors:
            return False
        return await lacks_second_factor(self.second_factors, session.user_id, session.authentication)

    def _visit(self, request: web.Request, session: Session, page: Path) -> Visit:
        return Visit(session, self.cookies.session_handle(request, session.session_key), page)

    def _sign_in(
        self,
        request: web.Request,
        page: Path,
        *,
        max_age: timedelta | None = None,
        acr: str | None = None,
        username: str | None = None,
    ) -> str:
        ui_locales = query(request).unique(UI_LOCALES)
        return sign_in_uri(
            self.settings.issuer, page, max_age=max_age, acr=acr, username=username, ui_locales=ui_locales
        )
