"""Finds the current user of a request and asks `next_step` what comes next."""

from dataclasses import dataclass, replace

from aiohttp import web

from services.authorization.authentication.proven import Proven
from services.authorization.interaction.context import InteractionContext
from services.authorization.interaction.current_user import CurrentUser
from services.authorization.interaction.interaction import Interaction
from services.authorization.interaction.next_step import next_step
from services.authorization.interaction.permission import Permissions
from services.authorization.interaction.second_factor_rules import SecondFactorSetting, may_need_second_factor
from services.authorization.interaction.step import Step
from services.authorization.request.validated_request import ValidatedRequest
from shared.browser.active_session import ActiveSessions
from shared.issuing.tokens import TokenIssuer
from shared.live import clock
from shared.oauth.authentication_methods import SecondFactor
from shared.store import SecondFactors


@dataclass(frozen=True, slots=True)
class Dispatcher:
    """Every step returns to the dispatcher, and none to another step."""

    active_sessions: ActiveSessions
    tokens: TokenIssuer
    second_factors: SecondFactors
    permissions: Permissions
    setting: SecondFactorSetting

    async def next_step(self, request: web.Request, context: InteractionContext) -> Step:
        """The next step of an interaction."""
        user = await self.current_user(request, context.validated, context.interaction)
        return self.decide(context.validated, user, context.interaction.proven)

    def decide(
        self, validated: ValidatedRequest, user: CurrentUser | None, proven: Proven | None = None
    ) -> Step:
        return next_step(
            validated.request,
            user,
            validated.client,
            clock.now(),
            second_factor=self.setting,
            proven=proven,
        )

    async def current_user(
        self, request: web.Request, validated: ValidatedRequest, interaction: Interaction | None = None
    ) -> CurrentUser | None:
        """The user of the browser's active session. Raises InvalidRequest, Unavailable."""
        active = await self.active_sessions.find_with_consent(request, validated.client.client_id)
        if active is None:
            return None
        session = active.session
        sub = self.tokens.sub(session.user_id, validated.client)
        second_factors = frozenset[SecondFactor]()
        if may_need_second_factor(validated.request, session, self.setting):
            second_factors = await self.second_factors.of_user(session.user_id)
        client, scope = validated.client, validated.request.scope
        user = CurrentUser(
            session,
            active.consented,
            sub,
            second_factors,
            is_admitted=await self.permissions.admits(session.user_id, client),
            withheld=await self.permissions.withheld(session.user_id, client, scope),
        )
        if interaction is None:
            return user
        key = session.session_key.hex()
        is_fresh, is_chosen = interaction.signed_in == key, interaction.chosen == key
        if interaction.wants_another and not is_fresh:
            return None
        return replace(user, is_fresh=is_fresh, is_chosen=is_chosen)
