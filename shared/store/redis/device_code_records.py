"""The records of device codes in Redis: the request, and the user's decision on it."""

from dataclasses import dataclass
from uuid import UUID

from shared.model import Approved, Denied, DeviceCode, Pending
from shared.store.codecs.authorizations import AuthorizationDetails, details, restored
from shared.store.redis.records import ClientEpoch, Epoch, RecordFormat, Seconds, Version, moment

DENIED = b"null"
"""The same in every version, as it has no members that could change."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeviceCodeRecord:
    """A device code as it is stored: the request, without the decision."""

    v: Version = 1
    client_id: str
    client_epoch: ClientEpoch = 0
    scope: tuple[str, ...]
    user_code: str
    expires_at: Seconds
    resources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRecord:
    """The decision of a user who approved, as it is stored."""

    v: Version = 1
    client_id: str
    client_epoch: ClientEpoch = 0
    user_id: UUID
    sid: UUID
    scope: tuple[str, ...]
    details: AuthorizationDetails
    epoch: Epoch


FORMAT = RecordFormat(DeviceCodeRecord)
APPROVAL_FORMAT = RecordFormat(ApprovalRecord)


def encode_request(code: DeviceCode) -> bytes:
    """The client's request, without the decision."""
    return FORMAT.encode(
        DeviceCodeRecord(
            client_id=code.client_id,
            client_epoch=code.client_epoch,
            scope=code.scope,
            user_code=code.user_code,
            expires_at=code.expires_at.timestamp(),
            resources=code.resources,
        )
    )


def decode(data: bytes | None, decision: bytes | None) -> DeviceCode | None:
    """None: there is no such device code, or this release cannot read it."""
    record = FORMAT.decode(data)
    if record is None:
        return None
    return DeviceCode(
        client_id=record.client_id,
        client_epoch=record.client_epoch,
        scope=record.scope,
        user_code=record.user_code,
        expires_at=moment(record.expires_at),
        resources=record.resources,
        state=_state(decision),
    )


def _state(decision: bytes | None) -> Pending | Approved | Denied:
    """An unreadable decision leaves the code pending until it expires."""
    if decision == DENIED:
        return Denied()
    record = APPROVAL_FORMAT.decode(decision)
    if record is None:
        return Pending()
    authorization = restored(
        record.client_id,
        record.user_id,
        record.sid,
        record.scope,
        record.details,
        client_epoch=record.client_epoch,
    )
    return Approved(authorization, record.epoch)


def encode_decision(state: Approved | Denied) -> bytes:
    """The user's decision."""
    if isinstance(state, Denied):
        return DENIED
    authorization = state.authorization
    return APPROVAL_FORMAT.encode(
        ApprovalRecord(
            client_id=authorization.client_id,
            client_epoch=authorization.client_epoch,
            user_id=authorization.user_id,
            sid=authorization.sid,
            scope=authorization.scope,
            details=details(authorization),
            epoch=state.epoch,
        )
    )
