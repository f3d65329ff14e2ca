"""The page of the user's data: download it, or delete the account."""

from dataclasses import dataclass
from typing import Any

import orjson
from aiohttp import web

from services.accounts.visit.visit import Visit, user_of
from shared.browser.cookies import Cookies
from shared.browser.pages.account_pages import AccountPages
from shared.browser.pages.views.account.data import AccountDataView
from shared.identity.username import canonical
from shared.model import User
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.operations.activity import latest_activity
from shared.operations.activity import shown as shown_activity
from shared.operations.personal_access_tokens import shown as shown_token
from shared.operations.sessions import shown as shown_session
from shared.operations.users import shown as shown_user
from shared.paths import LOGOUT_DONE
from shared.store import (
    AuditLog,
    ClientAccess,
    Consents,
    Credential,
    PersonalAccessTokens,
    Sessions,
    UserCredentials,
    Users,
)
from shared.web.answers import Head, PreparedResponse, see_other

ACT, CONFIRM = "act", "confirm"
FILE = "account.json"

_HEAD = Head.of_private("application/json")


@dataclass(frozen=True, slots=True)
class DataPage:
    """The collaborators of the page."""

    cookies: Cookies
    users: Users
    credentials: UserCredentials
    sessions: Sessions
    consents: Consents
    tokens: PersonalAccessTokens
    audit_log: AuditLog
    pages: AccountPages

    async def get(self, visit: Visit) -> web.Response:
        """Show the page."""
        return self._page(visit)

    async def post(self, visit: Visit, fields: Parameters) -> web.Response:
        """Send the data as a file; or delete the account, if the user has typed its name."""
        user = await user_of(visit, self.users)
        match fields.unique(ACT):
            case "download":
                return _file(await self._data_of(user))
            case "delete":
                if canonical(fields.unique(CONFIRM) or "") != canonical(user.username):
                    return self._page(visit, is_wrong=True)
                return await self._delete(visit)
        raise InvalidRequest("act is unknown")

    async def _delete(self, visit: Visit) -> web.Response:
        """The end of the account is committed before the browser hears of it."""
        await self.users.delete(visit.user_id)
        visit.log_change("deleted")
        response = see_other(LOGOUT_DONE.path)
        self.cookies.clear_session(response)
        return response

    async def _data_of(self, user: User) -> dict[str, Any]:
        user_id = user.user_id
        return {
            "user": shown_user(user),
            "credentials": [_shown_credential(each) for each in await self.credentials.of_user(user_id)],
            "sessions": [shown_session(each) for each in await self.sessions.of_user(user_id)],
            "applications": [_shown_access(each) for each in await self.consents.of_user(user_id)],
            "personal_access_tokens": [shown_token(each) for each in await self.tokens.of_user(user_id)],
            "activity": [shown_activity(each) for each in await latest_activity(self.audit_log, user_id)],
        }

    def _page(self, visit: Visit, *, is_wrong: bool = False) -> web.Response:
        view = AccountDataView(visit.page.path, visit.username, is_wrong, visit.fields)
        return self.pages.data(view, visit.locale)


def _shown_credential(credential: Credential) -> dict[str, Any]:
    """When it was made and used: never what it is checked with."""
    last_used_at = credential.last_used_at
    return {
        "kind": credential.kind,
        "created_at": credential.created_at.isoformat(),
        "last_used_at": last_used_at.isoformat() if last_used_at else None,
    }


def _shown_access(access: ClientAccess) -> dict[str, Any]:
    return {
        "client_id": access.client_id,
        "consent": list(access.scope),
        "scope": list(access.granted),
        "last_used_at": access.last_used_at.isoformat() if access.last_used_at else None,
    }


def _file(data: dict[str, Any]) -> web.Response:
    headers = {"Content-Disposition": f'attachment; filename="{FILE}"'}
    return PreparedResponse(orjson.dumps(data, option=orjson.OPT_INDENT_2), _HEAD, headers=headers)
