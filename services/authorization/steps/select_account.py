"""The account step: of several people signed in with one browser, the user says who they are now.

Each has a session of their own. The browser keeps the handles of those who are not active in a second cookie;
none is worth more than the session that it names.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from aiohttp import web

from services.authorization.interaction.asked import Waiting
from services.authorization.interaction.context import Desk
from services.authorization.interaction.next_step import SelectAccount
from services.authorization.response.callback import see_other
from shared.browser.errors import StaleForm
from shared.browser.form_token import FORM_TOKEN, form_token
from shared.browser.pages import AccountView, ClientView, SelectAccountView
from shared.browser.same_origin import check_same_origin
from shared.model import Session
from shared.oauth.errors import InvalidRequest
from shared.oauth.tokens.handle import digest
from shared.paths import AUTHORIZATION, SELECT_ACCOUNT
from shared.web.form import form, query

OTHER = "other"


@dataclass(frozen=True, slots=True)
class ChooseAccount:
    """The account step's collaborators."""

    desk: Desk

    async def get(self, request: web.Request) -> web.Response:
        """Who is signed in with this browser, if it is still to be asked."""
        waiting = await self.desk.open(request, query(request))
        if not isinstance(await self.desk.step(request, waiting), SelectAccount):
            return see_other(waiting.at(AUTHORIZATION))
        return self._page(waiting, await self._signed_in(request, waiting))

    async def post(self, request: web.Request) -> web.Response:
        """The answer: one of them, or somebody who has yet to sign in."""
        check_same_origin(request, self.desk.settings.origin)
        fields = await form(request)
        waiting = await self.desk.open(request, fields)
        if self.desk.cookies.session_of_form(request, fields[FORM_TOKEN], waiting.handle) is None:
            raise StaleForm("the form was made for another session", again=waiting.at(AUTHORIZATION))
        account = fields["account"]
        if account is None:
            raise InvalidRequest("account is missing")
        if account == OTHER:
            await self.desk.update(waiting, replace(waiting.interaction, wants_another=True))
            return see_other(waiting.at(AUTHORIZATION))
        signed_in = await self._signed_in(request, waiting)
        chosen = next((handle for handle, one in signed_in.items() if str(one.sid) == account), None)
        if chosen is None:  # signed out in the meantime: ask again
            return see_other(waiting.at(AUTHORIZATION))
        return await self._switch(waiting, chosen, tuple(signed_in))

    async def _switch(self, waiting: Waiting, chosen: str, handles: tuple[str, ...]) -> web.Response:
        await self.desk.update(waiting, replace(waiting.interaction, chosen=digest(chosen).hex()))
        response = see_other(waiting.at(AUTHORIZATION))
        self.desk.cookies.set_session(response, chosen)
        others = tuple(handle for handle in handles if handle != chosen)
        self.desk.cookies.set_accounts(response, others)
        return response

    async def _signed_in(self, request: web.Request, waiting: Waiting) -> Mapping[str, Session]:
        """The live sessions of this browser by their handles, the active one first, one for each user."""
        cookies, client_id = self.desk.cookies, waiting.asked.client.client_id
        found: dict[str, Session] = {}
        users: set[UUID] = set()
        for handle in dict.fromkeys((*cookies.session_handles(request), *cookies.account_handles(request))):
            alive = await self.desk.sessions.find(digest(handle), client_id)
            if alive is not None and alive[0].user_id not in users:
                found[handle] = alive[0]
                users.add(alive[0].user_id)
        return found

    def _page(self, waiting: Waiting, signed_in: Mapping[str, Session]) -> web.Response:
        active = next(iter(signed_in))
        view = SelectAccountView(
            ClientView.of(waiting.asked.client),
            SELECT_ACCOUNT.path,
            tuple(AccountView(str(one.sid), one.username) for one in signed_in.values()),
            {**waiting.fields, FORM_TOKEN: form_token(active, waiting.handle)},
            (waiting.asked.callback.redirect_uri,),
        )
        return self.desk.pages.select_account(view, waiting.asked.locale)
