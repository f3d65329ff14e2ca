"""Stores what a user decides about a device."""

from dataclasses import dataclass

import structlog

from services.authorization.device.user_codes import DeviceCodeInFlight
from shared.model import Approved, Authorization, Denied, Session
from shared.oauth.errors import InvalidRequest
from shared.oauth.parameters import Parameters
from shared.server.metrics import count_event
from shared.store import Consents, DeviceCodes

logger = structlog.get_logger()


def is_allowed(fields: Parameters) -> bool:
    """Whether the form allows the device to continue. Raises InvalidRequest if it says neither."""
    match fields.unique("decision"):
        case "allow":
            return True
        case "deny":
            return False
    raise InvalidRequest("decision must be allow or deny")


@dataclass(frozen=True, slots=True)
class DeviceDecisions:
    """Stores decisions, of which the first about a code counts."""

    device_codes: DeviceCodes
    consents: Consents

    async def decide(self, in_flight: DeviceCodeInFlight, session: Session, *, is_allowed: bool) -> bool:
        """Whether this decision is the first about its code. Raises Unavailable."""
        state = await self._approved(in_flight, session) if is_allowed else Denied()
        logger.info("device_decided", client_id=in_flight.client.client_id, is_allowed=is_allowed)
        return await self.device_codes.decide(in_flight.code_hash, in_flight.code, state)

    async def _approved(self, in_flight: DeviceCodeInFlight, session: Session) -> Approved:
        """Store the consent. It is not remembered: a client_id does not identify a device."""
        client_id, code = in_flight.client.client_id, in_flight.code
        authorization = Authorization(
            client_id=client_id,
            user_id=session.user_id,
            sid=session.sid,
            scope=in_flight.scope,
            authentication=session.authentication,
            client_epoch=code.client_epoch,
            resources=code.resources,
        )
        await self.consents.add(session.user_id, client_id, in_flight.scope, is_remembered=False)
        count_event("consent")
        return Approved(authorization, session.epoch)
