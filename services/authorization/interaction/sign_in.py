"""Continuing an interaction as a user who has just authenticated."""

from dataclasses import dataclass, replace

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.authentication.proven import Proven
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.next_step import SecondFactorSetting, needs_second_factor
from shared.oauth.authentication_methods import SecondFactor


@dataclass(frozen=True, slots=True)
class InteractionSignIn:
    """Begins a session and records it in the interaction that waited for it."""

    new_sessions: NewSessions
    lifecycle: InteractionLifecycle
    setting: SecondFactorSetting

    def needs_second_factor(self, context: InteractionContext, authenticated: Authenticated) -> bool:
        """Whether no session begins before the user has shown or added a second factor."""
        return needs_second_factor(
            context.validated.request,
            authenticated.methods,
            self.setting,
            has_app=SecondFactor.APP in authenticated.second_factors,
        )

    async def complete(
        self, request: web.Request, context: InteractionContext, authenticated: Authenticated
    ) -> web.Response | None:
        """Return to the authorization endpoint: with a new session, unless a second factor is needed.

        None: the user was disabled meanwhile. Raises Expired, InvalidRequest, Unavailable.
        """
        if self.needs_second_factor(context, authenticated):
            waiting = replace(context.interaction, proven=Proven.of(authenticated), signed_in=None)
            await self.lifecycle.update(context, waiting)
            return context.resume()
        sent = SignInForm(context.browser, context.handle)
        keeps_others = context.interaction.wants_another
        new = await self.new_sessions.begin(request, authenticated, sent, keeps_others=keeps_others)
        if new is None:
            return None
        signed_in = new.session.session_key.hex()
        await self.lifecycle.update(context, replace(context.interaction, signed_in=signed_in, proven=None))
        response = context.resume()
        self.new_sessions.set_cookies(response, new)
        return response

    async def start_again(self, context: InteractionContext) -> web.Response:
        """Ask for the first factor again: the user was disabled, or one of their factors has changed."""
        await self.lifecycle.update(context, replace(context.interaction, proven=None))
        return context.resume()
