"""The endpoints of browser sessions: the functions of `ostiary session` over HTTP."""

from dataclasses import dataclass
from uuid import UUID

from aiohttp import web

from services.accounts.administration.listing import SESSION_FILTERS, read_sub
from services.accounts.administration.users import done
from shared.administration.guard import Caller
from shared.administration.paging import page, read_page_request, uuid_after
from shared.oauth.errors import InvalidRequest
from shared.operations.sessions import (
    ENDED_BY_OPERATOR,
    NoSuchSession,
    end_other_sessions,
    end_session,
    get,
    shown,
)
from shared.operations.users import get_by_id
from shared.store import SessionRow, Sessions, Users
from shared.web.answers import json_answer
from shared.web.form import query


@dataclass(frozen=True, slots=True)
class SessionAdministration:
    """The collaborators of the endpoints."""

    sessions: Sessions
    users: Users

    async def of_path(self, request: web.Request) -> SessionRow:
        """The session of the path. Raises NoSuchSession."""
        sid = request.match_info["sid"]
        try:
            return await get(self.sessions, UUID(sid))
        except ValueError:
            raise NoSuchSession(sid) from None


SESSION_ADMINISTRATION = web.AppKey("SESSION_ADMINISTRATION", SessionAdministration)


async def list_sessions(request: web.Request, _: Caller) -> web.Response:
    parameters = query(request)
    requested = read_page_request(parameters, SESSION_FILTERS)
    sessions = request.app[SESSION_ADMINISTRATION].sessions
    rows, last = await sessions.list(uuid_after(requested), requested.limit, read_sub(parameters))
    return json_answer(page("sessions", map(shown, rows), str(last) if last else None))


async def read_session(request: web.Request, _: Caller) -> web.Response:
    return json_answer(shown(await request.app[SESSION_ADMINISTRATION].of_path(request)))


async def end_one_session(request: web.Request, caller: Caller) -> web.Response:
    administration = request.app[SESSION_ADMINISTRATION]
    row = await administration.of_path(request)
    await end_session(administration.sessions, row.user_id, row.sid, ENDED_BY_OPERATOR, by=caller.author)
    return done()


async def end_sessions_of_user(request: web.Request, caller: Caller) -> web.Response:
    """End every session of one user. Grants that outlive their sessions go on."""
    parameters, administration = query(request), request.app[SESSION_ADMINISTRATION]
    if set(parameters) != {"sub"} or (user_id := read_sub(parameters)) is None:
        raise InvalidRequest("sub must name the user whose sessions end")
    user = await get_by_id(administration.users, user_id)
    await end_other_sessions(administration.users, user.user_id, by=caller.author)
    return done()
