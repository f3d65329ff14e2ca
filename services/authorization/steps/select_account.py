"""The account selection step: the user selects one of the accounts that are signed in in this browser.

Each account has its own session. A second cookie holds the handles of the inactive sessions, and each handle
gives no more access than its session.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from aiohttp import web

from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.dispatcher import Dispatcher
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.step import SelectAccount
from shared.browser.cookies import Cookies
from shared.browser.errors import StaleForm
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.pages import AccountView, Pages, SelectAccountView
from shared.model import Session
from shared.oauth.errors import InvalidRequest
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, SELECT_ACCOUNT
from shared.store import Sessions

OTHER = "other"


@dataclass(frozen=True, slots=True)
class SelectAccountStep:
    """The collaborators of the account selection step."""

    lifecycle: InteractionLifecycle
    dispatcher: Dispatcher
    sessions: Sessions
    cookies: Cookies
    pages: Pages

    async def get(self, request: web.Request) -> web.Response:
        """Show the accounts, if one still has to be selected."""
        context = await self.lifecycle.open_page(request)
        match await self.dispatcher.next_step(request, context):
            case SelectAccount():
                return self._page(context, await self._signed_in(request, context))
        return context.resume()

    async def post(self, request: web.Request) -> web.Response:
        """Read the selection: one of the accounts, or another one that has yet to sign in."""
        context, fields = await self.lifecycle.open_form(request)
        if self.cookies.session_of_form(request, fields.unique(FORM_TOKEN), context.handle) is None:
            raise StaleForm("the form was made for another session", again=context.at(AUTHORIZATION))
        account = fields.unique("account")
        if account is None:
            raise InvalidRequest("account is missing")
        if account == OTHER:
            await self.lifecycle.update(context, replace(context.interaction, wants_another=True))
            return context.resume()
        signed_in = await self._signed_in(request, context)
        chosen = next((handle for handle, session in signed_in.items() if str(session.sid) == account), None)
        if chosen is None:  # signed out in the meantime: ask again
            return context.resume()
        return await self._switch(context, chosen, tuple(signed_in))

    async def _switch(
        self, context: InteractionContext, chosen: str, handles: tuple[str, ...]
    ) -> web.Response:
        await self.lifecycle.update(context, replace(context.interaction, chosen=digest(chosen).hex()))
        response = context.resume()
        self.cookies.set_session(response, chosen)
        remaining = tuple(handle for handle in handles if handle != chosen)
        self.cookies.set_accounts(response, remaining)
        return response

    async def _signed_in(self, request: web.Request, context: InteractionContext) -> Mapping[str, Session]:
        """The live sessions of this browser by handle: one for each user, the active one first."""
        cookies = self.cookies
        sessions: dict[str, Session] = {}
        users: set[UUID] = set()
        for handle in dict.fromkeys((*cookies.session_handles(request), *cookies.account_handles(request))):
            session = await self.sessions.find(digest(handle))
            if session is not None and session.user_id not in users:
                sessions[handle] = session
                users.add(session.user_id)
        return sessions

    def _page(self, context: InteractionContext, signed_in: Mapping[str, Session]) -> web.Response:
        active = next(iter(signed_in))
        view = SelectAccountView(
            context.form(SELECT_ACCOUNT, token=form_token(active, context.handle)),
            tuple(AccountView(str(session.sid), session.username) for session in signed_in.values()),
        )
        return self.pages.select_account(view, context.validated.locale)
