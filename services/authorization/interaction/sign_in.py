"""Continuing an interaction as a user who has just authenticated."""

from dataclasses import dataclass, replace

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.response.callback import see_other
from shared.paths import AUTHORIZATION


@dataclass(frozen=True, slots=True)
class InteractionSignIn:
    """Begins a session and records it in the interaction that waited for it."""

    new_sessions: NewSessions
    lifecycle: InteractionLifecycle

    async def complete(
        self, request: web.Request, context: InteractionContext, authenticated: Authenticated
    ) -> web.Response | None:
        """Return to the authorization endpoint with a new session.

        None: the user was disabled meanwhile. Raises Expired, InvalidRequest, Unavailable.
        """
        sent = SignInForm(context.browser, context.handle)
        keeps_others = context.interaction.wants_another
        new = await self.new_sessions.begin(request, authenticated, sent, keeps_others=keeps_others)
        if new is None:
            return None
        signed_in = new.session.session_key.hex()
        await self.lifecycle.update(context, replace(context.interaction, signed_in=signed_in))
        response = see_other(context.at(AUTHORIZATION))
        self.new_sessions.set_cookies(response, new)
        return response
