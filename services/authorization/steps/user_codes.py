"""Looking up what a person typed: few tries in vain for one user, and for all together. RFC 8628 §5.1."""

from dataclasses import dataclass
from datetime import timedelta

import structlog

from shared.browser.pages import DeviceFault
from shared.live.client_cache import ClientCache
from shared.model import DeviceCode, Session
from shared.oauth.client.record import Client
from shared.oauth.user_code import SPACE
from shared.store import Counters, DeviceCodes, Pace

PACE = Pace(
    free=5,
    first_wait=timedelta(hours=1),
    longest_wait=timedelta(hours=12),
    forgotten_after=timedelta(days=1),
)
"""Codes that one user has tried in vain."""

PERIOD = timedelta(days=1)
BUDGET = SPACE // 2**20
"""Wrong guesses of everybody in a period, each times the codes in flight: one in a million to meet one."""

_COUNTER = "user_code"

logger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Found:
    """A code in flight, and the client that asks by it."""

    code_hash: bytes
    code: DeviceCode
    client: Client


@dataclass(frozen=True, slots=True)
class UserCodes:
    """Device codes by what their users type."""

    device_codes: DeviceCodes
    clients: ClientCache
    counters: Counters
    is_limited: bool

    async def find(self, user_code: str, session: Session) -> Found | DeviceFault:
        """The code, if it is in flight. A try is counted before it is made: many at once are bounded too."""
        user = str(session.user_id)
        if self.is_limited and await self._must_wait(user):
            logger.info("user_code_throttled", user_id=user)
            return "throttled"
        named = await self.device_codes.find(user_code)
        client = await self.clients.find(named[1].client_id) if named else None
        if named is None or client is None or client.disabled_at or named[1].client_epoch != client.epoch:
            await self.device_codes.count_guess(PERIOD)
            return "unknown"
        if self.is_limited:
            await self.counters.take_back(_COUNTER, user)
        return Found(*named, client)

    async def _must_wait(self, user: str) -> bool:
        if not await self.device_codes.may_guess(BUDGET):
            return True
        return await self.counters.attempt(_COUNTER, user, PACE) is not None
