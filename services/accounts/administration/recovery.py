"""The endpoint that makes recovery links: a way back in for a user who cannot get a mail."""

from dataclasses import dataclass
from datetime import timedelta

from aiohttp import web

from services.accounts.administration.users import USER_ADMINISTRATION
from shared.administration.guard import Caller
from shared.live import clock
from shared.operations.recovery import issue_recovery_link
from shared.store import RecoveryLinks
from shared.web.answers import json_answer

FRESH_FOR = timedelta(minutes=5)
"""How long ago the administrator may have signed in, by several factors: a link is as good as a password."""


@dataclass(frozen=True, slots=True)
class RecoveryAdministration:
    """The collaborators of the endpoint."""

    links: RecoveryLinks
    issuer: str


RECOVERY_ADMINISTRATION = web.AppKey("RECOVERY_ADMINISTRATION", RecoveryAdministration)


async def make_link(request: web.Request, caller: Caller) -> web.Response:
    """The link is shown once, and its page names the administrator. No client makes one for itself."""
    users, recovery = request.app[USER_ADMINISTRATION], request.app[RECOVERY_ADMINISTRATION]
    await users.check_not_held(caller)
    user = await users.to_change(request, caller)
    administrator_id = caller.check_several_factors(FRESH_FOR, clock.now())
    administrator = await users.users.find(administrator_id)
    issued_by = administrator.username if administrator else str(administrator_id)
    link = await issue_recovery_link(recovery.links, user, recovery.issuer, caller.author, issued_by)
    expires_at = link.expires_at.isoformat(timespec="seconds")
    return json_answer({"sub": str(user.user_id), "link": link.uri, "expires_at": expires_at})
