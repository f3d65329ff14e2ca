"""Looks up user codes and limits wrong guesses, per user and for all users together (RFC 8628 §5.1)."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from services.authorization.interaction.permission import Permissions
from shared.browser.pages import DeviceFault
from shared.live.client_cache import ClientCache
from shared.live.resource_cache import ResourceCache
from shared.model import DeviceCode, Scope, Session
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidTarget
from shared.oauth.resource.target import Resources
from shared.oauth.user_code import SPACE
from shared.store import Counters, DeviceCodes, Pace

PACE = Pace(
    free=5,
    first_wait=timedelta(hours=1),
    longest_wait=timedelta(hours=12),
    forgotten_after=timedelta(days=1),
)
"""Wrong codes of one user."""

PERIOD = timedelta(days=1)
BUDGET = SPACE // 2**20
"""Wrong guesses of all users in a period, times the pending codes: one chance in a million of a hit."""

_COUNTER = "user_code"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class DeviceCodeInFlight:
    """A device code that waits for a decision, its client, and the APIs that it is for.

    `scope`: the requested one, as far as the user may allow it. `is_admitted`: they may allow something.
    """

    code_hash: bytes
    code: DeviceCode
    client: Client
    resources: Resources
    scope: Scope
    is_admitted: bool


@dataclass(frozen=True, slots=True)
class UserCodes:
    """Finds device codes by the code that the user types."""

    device_codes: DeviceCodes
    clients: ClientCache
    resources: ResourceCache
    permissions: Permissions
    counters: Counters
    is_limited: bool

    async def find(self, user_code: str, session: Session) -> DeviceCodeInFlight | DeviceFault:
        """The code, if it waits for a decision. Attempts are counted first, to bound concurrent ones."""
        user = str(session.user_id)
        if self.is_limited and await self._must_wait(user):
            logger.info("user_code_throttled", user_id=user)
            return "throttled"
        pair = await self.device_codes.find(user_code)
        client = await self.clients.find(pair[1].client_id) if pair else None
        if pair is None or client is None or client.disabled_at or pair[1].client_epoch != client.epoch:
            await self.device_codes.count_guess(PERIOD)
            return "unknown"
        try:
            resources = self.resources.known.granted(pair[1].resources, client.client_id)
        except InvalidTarget:  # an operator has withdrawn it
            return "unknown"
        if self.is_limited:
            await self.counters.take_back(_COUNTER, user)
        return await self._in_flight(*pair, client, resources, session)

    async def _in_flight(
        self, code_hash: bytes, code: DeviceCode, client: Client, resources: Resources, session: Session
    ) -> DeviceCodeInFlight:
        withheld = await self.permissions.withheld(session.user_id, client, code.scope)
        scope = tuple(each for each in code.scope if each not in withheld)
        is_admitted = await self.permissions.admits(session.user_id, client)
        may_allow = is_admitted and bool(scope or not code.scope)
        return DeviceCodeInFlight(code_hash, code, client, resources, scope, may_allow)

    async def _must_wait(self, user: str) -> bool:
        if not await self.device_codes.may_guess(BUDGET):
            return True
        return await self.counters.attempt(_COUNTER, user, PACE) is not None
