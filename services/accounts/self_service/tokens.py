"""The page of the user's personal access tokens: make one, or revoke one."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog
from aiohttp import web

from services.accounts.self_service.access import AccountAccess, Visit
from services.accounts.self_service.done import done_of, done_uri
from shared.browser.language import language
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.account_views import (
    NewTokenView,
    PersonalTokenFault,
    PersonalTokenForm,
    PersonalTokensView,
    PersonalTokenView,
)
from shared.browser.pages.ago import Ago
from shared.live import clock
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.oauth.tokens.personal_access_token import OFFERED_SCOPES
from shared.operations.personal_access_tokens import (
    BadTokenRequest,
    NewToken,
    NoSuchToken,
    PersonalTokenRequest,
    add_token,
    checked_token,
    revoke_token,
)
from shared.paths import ACCOUNT_TOKENS
from shared.store import PersonalAccessToken, PersonalAccessTokens, Stale
from shared.web.answers import see_other
from shared.web.form import query

REVOKE = "revoke"
OFFERED_DAYS = (7, 30, 90, 365)

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensPage:
    """The collaborators of the page. `longest`: the longest lifetime of a token."""

    longest: timedelta
    access: AccountAccess
    tokens: PersonalAccessTokens
    pages: AccountPages

    async def get(self, request: web.Request) -> web.Response:
        """Show the tokens, and offer to make one, to a user who has just signed in."""
        visit = await self.access.open(request, ACCOUNT_TOKENS, is_sensitive=True)
        return await self._page(request, visit)

    async def post(self, request: web.Request) -> web.Response:
        """Revoke the token that `revoke` names, or make one and show it once."""
        visit, fields = await self.access.submitted(request, ACCOUNT_TOKENS, is_sensitive=True)
        if (revoked := fields.unique(REVOKE)) is not None:
            return await self._revoke(visit, _token_id(revoked))
        form = _form(fields)
        try:
            made = await self._add(visit, form)
        except BadTokenRequest as refused:
            return await self._page(request, visit, form, refused.fault)
        except Stale:
            raise self.access.gone(request, ACCOUNT_TOKENS) from None
        logger.info("account_changed", change="token_added", user_id=str(visit.user_id))
        view = NewTokenView(made.token.name, _day(made.token), made.value)
        return self.pages.new_token(view, language(request, self.pages.pages))

    async def _add(self, visit: Visit, form: PersonalTokenForm) -> NewToken:
        """Raises BadTokenRequest, Stale."""
        asked = PersonalTokenRequest(
            name=form.name, scope=" ".join((*form.scopes, form.nodes)), lifetime=timedelta(days=form.days)
        )
        token = checked_token(asked, self.longest, clock.now())
        return await add_token(self.tokens, visit.user_id, visit.session.epoch, token)

    async def _revoke(self, visit: Visit, token_id: UUID) -> web.Response:
        with suppress(NoSuchToken):  # it has expired, or was revoked in another tab
            await revoke_token(self.tokens, visit.user_id, token_id)
            logger.info("account_changed", change="token_revoked", user_id=str(visit.user_id))
        return see_other(done_uri(ACCOUNT_TOKENS, "token"))

    async def _page(
        self,
        request: web.Request,
        visit: Visit,
        form: PersonalTokenForm | None = None,
        fault: PersonalTokenFault | None = None,
    ) -> web.Response:
        days = offered_days(self.longest)
        view = PersonalTokensView(
            ACCOUNT_TOKENS.path,
            tuple(_shown(each) for each in await self.tokens.of_user(visit.user_id)),
            OFFERED_SCOPES,
            days,
            form or PersonalTokenForm(days=30 if 30 in days else days[-1]),
            fault,
            done_of(query(request)) if fault is None else None,
            visit.fields,
        )
        return self.pages.tokens(view, language(request, self.pages.pages))


def offered_days(longest: timedelta) -> tuple[int, ...]:
    """The lifetimes that the page offers: the longest one is the last of them."""
    return (*(days for days in OFFERED_DAYS if days < longest.days), longest.days)


def _form(fields: Parameters) -> PersonalTokenForm:
    """Raises InvalidRequest: the form is not one of this page."""
    days = fields.unique("days") or ""
    if not (days.isascii() and days.isdecimal() and 0 < int(days[:4]) < 1000):
        raise InvalidRequest("days is malformed")
    return PersonalTokenForm(
        (fields.unique("name") or "").strip(), fields.all("scope"), fields.unique("nodes") or "", int(days)
    )


def _token_id(text: str) -> UUID:
    """Raises InvalidRequest."""
    try:
        return UUID(text)
    except ValueError:
        raise InvalidRequest("revoke is malformed") from None


def _day(token: PersonalAccessToken) -> str:
    return token.expires_at.date().isoformat()


def _shown(token: PersonalAccessToken) -> PersonalTokenView:
    now = clock.now()
    return PersonalTokenView(
        str(token.token_id),
        token.name,
        token.scope,
        _day(token),
        Ago.of(token.created_at, now),
        Ago.of(token.last_used_at, now) if token.last_used_at else None,
    )
