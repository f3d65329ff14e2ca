"""The page of the user's personal access tokens: make one, or revoke one."""

from contextlib import suppress
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from aiohttp import web

from services.accounts.visit.done import done_uri
from services.accounts.visit.identifier import identifier_of
from services.accounts.visit.visit import AccountGone, Visit
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.ago import Ago
from shared.browser.pages.views.account.tokens import (
    NewTokenView,
    PersonalTokenFault,
    PersonalTokenForm,
    PersonalTokensView,
    PersonalTokenView,
)
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
from shared.store import PersonalAccessToken, PersonalAccessTokens, Stale
from shared.web.answers import see_other

REVOKE = "revoke"
OFFERED_DAYS = (7, 30, 90, 365)


@dataclass(frozen=True, slots=True, kw_only=True)
class TokensPage:
    """The collaborators of the page. `longest`: the longest lifetime of a token."""

    longest: timedelta
    tokens: PersonalAccessTokens
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the tokens, and offer to make one."""
        return await self._page(visit)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Revoke the token that `revoke` names, or make one and show it once."""
        if fields.unique(REVOKE) is not None:
            return await self._revoke(visit, identifier_of(fields, REVOKE))
        form = _form(fields)
        try:
            new = await self._add(visit, form)
        except BadTokenRequest as refused:
            return await self._page(visit, form, refused.fault)
        except Stale:
            raise AccountGone from None
        visit.log_change("token_added")
        view = NewTokenView(new.token.name, _day(new.token), new.value)
        return self.pages.new_token(view, visit.locale)

    async def _add(self, visit: Visit, form: PersonalTokenForm) -> NewToken:
        """Raises BadTokenRequest, Stale."""
        request = PersonalTokenRequest(
            name=form.name, scope=" ".join((*form.scopes, form.nodes)), lifetime=timedelta(days=form.days)
        )
        token = checked_token(request, self.longest, clock.now())
        return await add_token(self.tokens, visit.user_id, visit.session.epoch, token)

    async def _revoke(self, visit: Visit, token_id: UUID) -> web.Response:
        with suppress(NoSuchToken):  # it has expired, or was revoked in another tab
            await revoke_token(self.tokens, visit.user_id, token_id)
            visit.log_change("token_revoked")
        return see_other(done_uri(visit.page, "token"))

    async def _page(
        self, visit: Visit, form: PersonalTokenForm | None = None, fault: PersonalTokenFault | None = None
    ) -> web.Response:
        days = offered_days(self.longest)
        view = PersonalTokensView(
            visit.page.path,
            tuple(_shown(each) for each in await self.tokens.of_user(visit.user_id)),
            OFFERED_SCOPES,
            days,
            form or PersonalTokenForm(days=30 if 30 in days else days[-1]),
            fault,
            visit.done,
            visit.fields,
        )
        return self.pages.tokens(view, visit.locale)


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
