"""Finds the current user of a request and asks `next_step` what comes next."""

from dataclasses import dataclass

from aiohttp import web

from services.authorization.authentication.active_session import ActiveSessions
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.interaction import Interaction
from services.authorization.interaction.next_step import CurrentUser, Step, next_step
from services.authorization.request.validated_request import ValidatedRequest
from shared.issuing.tokens import TokenIssuer
from shared.live import clock


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Every step returns to the dispatcher, and none to another step."""

    active_sessions: ActiveSessions
    tokens: TokenIssuer

    async def next_step(self, request: web.Request, context: InteractionContext) -> Step:
        """The next step of an interaction."""
        user = await self.current_user(request, context.validated, context.interaction)
        return self.decide(context.validated, user)

    def decide(self, validated: ValidatedRequest, user: CurrentUser | None) -> Step:
        return next_step(validated.request, user, validated.client, clock.now())

    async def current_user(
        self, request: web.Request, validated: ValidatedRequest, interaction: Interaction | None = None
    ) -> CurrentUser | None:
        """The user of the browser's active session. Raises InvalidRequest, Unavailable."""
        active = await self.active_sessions.find_with_consent(request, validated.client.client_id)
        if active is None:
            return None
        session = active.session
        sub = self.tokens.sub(session.user_id, validated.client)
        if interaction is None:
            return CurrentUser(session, active.consented, sub)
        key = session.session_key.hex()
        is_fresh, is_chosen = interaction.signed_in == key, interaction.chosen == key
        if interaction.wants_another and not is_fresh:
            return None
        return CurrentUser(session, active.consented, sub, is_fresh, is_chosen)
