"""Continuing an interaction as a user who has just authenticated."""

from dataclasses import dataclass, replace

from aiohttp import web

from services.authorization.authentication.authenticated import Authenticated
from services.authorization.authentication.new_session import NewSessions, SignInForm
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.lifecycle import InteractionLifecycle
from services.authorization.interaction.second_factor_rules import SecondFactorSetting, step_before_session
from shared.oauth.tokens.handle import digest
from shared.store import SecondFactors


@dataclass(frozen=True, slots=True)
class InteractionSignIn:
    """Begins a session and records it in the interaction that waited for it."""

    new_sessions: NewSessions
    lifecycle: InteractionLifecycle
    second_factors: SecondFactors
    setting: SecondFactorSetting

    def is_incomplete(self, context: InteractionContext, authenticated: Authenticated) -> bool:
        """Whether no session begins before another step: a second factor, or a new password."""
        request, proven = context.validated.request, authenticated.proven
        return step_before_session(request, proven, self.setting) is not None

    async def complete(
        self,
        request: web.Request,
        context: InteractionContext,
        authenticated: Authenticated,
        *,
        remembers: bool = False,
    ) -> web.Response | None:
        """Return to the authorization endpoint: with a new session, unless another step comes first.

        If it *remembers* the browser, the user is not asked for codes there for a while.
        None: the user was disabled meanwhile. Raises Expired, InvalidRequest, Unavailable.
        """
        if self.is_incomplete(context, authenticated):
            proven = authenticated.proven
            waiting = replace(context.interaction, proven=proven, remembers=remembers, signed_in=None)
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
        await self.lifecycle.update(context, replace(context.interaction, proven=None, remembers=False))
        return context.resume()
