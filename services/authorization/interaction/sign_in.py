"""Continuing an interaction as a user who has just authenticated."""

from dataclasses import dataclass, replace

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.authentication.proven import Proven
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.next_step import SecondFactorSetting, needs_second_factor
from shared.oauth.tokens.handle import digest
from shared.store import SecondFactors


@dataclass(frozen=True, slots=True)
class InteractionSignIn:
    """Begins a session and records it in the interaction that waited for it."""

    new_sessions: NewSessions
    lifecycle: InteractionLifecycle
    second_factors: SecondFactors
    setting: SecondFactorSetting

    def needs_second_factor(self, context: InteractionContext, authenticated: Authenticated) -> bool:
        """Whether no session begins before the user has shown or added a second factor."""
        return needs_second_factor(
            context.validated.request,
            authenticated.methods,
            self.setting,
            shows_each_time=authenticated.shows_second_factor,
            is_demanded=authenticated.needs_second_factor,
        )

    async def complete(
        self,
        request: web.Request,
        context: InteractionContext,
        authenticated: Authenticated,
        *,
        remembers: bool = False,
    ) -> web.Response | None:
        """Return to the authorization endpoint: with a new session, unless a second factor is needed.

        If it *remembers* the browser, the user is not asked for codes there for a while.
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
        if remembers:
            await self.second_factors.remember_browser(new.session.user_id, digest(new.browser))
        signed_in = new.session.session_key.hex()
        await self.lifecycle.update(context, replace(context.interaction, signed_in=signed_in, proven=None))
        response = context.resume()
        self.new_sessions.set_cookies(response, new)
        return response

    async def start_again(self, context: InteractionContext) -> web.Response:
        """Ask for the first factor again: the user was disabled, or one of their factors has changed."""
        await self.lifecycle.update(context, replace(context.interaction, proven=None))
        return context.resume()
