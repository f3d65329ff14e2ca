"""Sends responses to clients: a successful one, or an error."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.logout.session_management import session_state
from services.authorization.request.validated_request import ValidatedRequest
from services.authorization.response.builder import AuthorizedRequest, ResponseBuilder
from shared.browser.cookies import browser_state
from shared.browser.pages import Pages
from shared.live import clock
from shared.live.randomness import new_salt
from shared.model import Session
from shared.oauth.errors import OAuthError
from shared.oauth.scope import OPENID


@dataclass(frozen=True, slots=True)
class Responder:
    """Sends what the response builder has built, by the callback of the request."""

    builder: ResponseBuilder
    pages: Pages
    has_session_management: bool

    async def respond(
        self, validated: ValidatedRequest, session: Session, pushed: bytes | None = None
    ) -> web.Response:
        """Send a successful response and end the pushed request with the key *pushed*.

        Raises RedirectableError, Unavailable.
        """
        authorized = AuthorizedRequest(validated.client, validated.request, session)
        try:
            parameters = await self.builder.build(authorized, clock.now(), pushed)
            complete = {**parameters, **self._session_state(validated, session)}
            return validated.callback.send(complete, self.pages, validated.locale)
        except OAuthError as error:
            raise validated.refused(error) from None

    def _session_state(self, validated: ValidatedRequest, session: Session) -> dict[str, str]:
        if not self.has_session_management or OPENID not in validated.request.scope:
            return {}
        client_id, uri = validated.client.client_id, validated.request.redirect_uri
        state = session_state(client_id, uri, browser_state(session.session_key), new_salt())
        return {"session_state": state} if state else {}
