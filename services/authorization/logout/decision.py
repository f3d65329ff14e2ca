"""The decision on a logout request: end the sessions, ask the user first, or just return. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from services.authorization.logout.logout_request import LogoutRequest
from services.authorization.request.parameters.id_token_hint import Hint
from shared.oauth.client.record import Client
from shared.oauth.client.registered_uri import opens_a_strangers_app


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The user of the session that the browser presents as active. `sub`: the identifier for the client."""

    sid: UUID
    sub: str | None
    username: str


@dataclass(frozen=True, slots=True)
class EndSessions:
    """End every session of the browser."""


@dataclass(frozen=True, slots=True)
class AskUser:
    """Show the confirmation page, with the name of the user if there is one."""

    username: str | None


@dataclass(frozen=True, slots=True)
class Return:
    """Return to the client: there is no session to end."""


Decision = EndSessions | AskUser | Return


def decide(
    logout: LogoutRequest,
    client: Client | None,
    return_uri: str | None,
    active: Sequence[SignedIn],
    *,
    is_signed_in: bool,
) -> Decision:
    """The decision on a request that the user has not confirmed.

    A hint that was issued within an active session proves that the client knows the user, who need not be
    asked (§2). A request whose `post_logout_redirect_uri` is not registered is always confirmed.
    *is_signed_in*: the browser has a live session, active or not.
    """
    is_unregistered = return_uri is None and logout.post_logout_redirect_uri is not None
    sessions = {(user.sid, user.sub) for user in active}
    match logout.hint:
        case Hint(sub, sid) if sid and (sid, sub) in sessions and not is_unregistered:
            return EndSessions()
        case Hint() if return_uri and not is_signed_in and not _opens_an_app(return_uri, client):
            return Return()
    return AskUser(active[0].username if active else None)


def _opens_an_app(uri: str, client: Client | None) -> bool:
    """Whether *uri* opens an app of a client that registered itself, so a page must come first."""
    is_self_described = client is not None and client.is_self_described
    return opens_a_strangers_app(uri, is_self_described=is_self_described)
