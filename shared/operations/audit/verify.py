"""Verifying the audit log: what was altered, deleted, moved or cut off since it was sealed."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from shared.model import AuditRecord, AuditSegment
from shared.oauth.tokens.jwt import BadJwt
from shared.operations.audit.chain import BEGINNING, checkpoint_fault, kept_checkpoint, segment_hash
from shared.store import AuditLog

_PAGE = 200


@dataclass(slots=True)
class Verification:
    """The result. `unsealed`: rows that are too new to be sealed, of which nothing can be said."""

    segments: int = 0
    rows: int = 0
    unsealed: int = 0
    faults: list[str] = field(default_factory=list)


async def verify_log(
    log: AuditLog,
    key: Ed25519PublicKey,
    now: datetime,
    retention: timedelta,
    exported: Sequence[str] = (),
) -> Verification:
    """Compare the rows with the chain, and the chain with the checkpoints that were *exported*.

    Without those, segments that were cut off at the end are not missed. Raises Unavailable.
    """
    count = await log.count()
    verification = Verification(unsealed=count.unsealed)
    hashes: dict[int, bytes] = {}
    last: AuditSegment | None = None
    async for segment in _segments(log):
        faults = [*_place_faults(segment, last, now - retention)]
        if fault := checkpoint_fault(segment, key):
            faults.append(fault)
        if not segment.is_removed:
            records = await log.rows(segment.audit_ids)
            faults += _row_faults(records, segment, last)
            verification.rows += len(records)
        verification.faults += [f"segment {segment.segment_id}: {fault}" for fault in faults]
        verification.segments += 1
        hashes[segment.segment_id] = segment.hash
        last = segment
    if count.rows > verification.rows + count.unsealed:
        verification.faults.append("there are rows of no segment among those that are sealed")
    verification.faults += [fault for text in exported if (fault := _exported_fault(text, key, hashes))]
    return verification


async def _segments(log: AuditLog) -> AsyncIterator[AuditSegment]:
    after = 0
    while page := await log.segments(after, _PAGE):
        for segment in page:
            yield segment
        after = page[-1].segment_id


def _place_faults(segment: AuditSegment, last: AuditSegment | None, removed_before: datetime) -> list[str]:
    """What is wrong with the place of a segment in the chain. Only the oldest rows are removed, by age."""
    if last is not None and segment.segment_id != last.segment_id + 1:
        return ["the segments before it are missing"]
    if last is None and segment.segment_id != 1 and not segment.is_removed:
        return ["the segments before it are missing"]
    if segment.is_removed and (last is not None or segment.last_at >= removed_before):
        return ["its rows are missing before their time"]
    return []


def _row_faults(
    records: Sequence[AuditRecord], segment: AuditSegment, last: AuditSegment | None
) -> list[str]:
    if len(records) != len(segment.audit_ids):
        return [f"{len(segment.audit_ids) - len(records)} of its rows are missing"]
    previous = last.hash if last else BEGINNING
    if segment_hash(previous, segment.segment_id, records) != segment.hash:
        return ["its rows, or the segment before it, were altered"]
    return []


def _exported_fault(text: str, key: Ed25519PublicKey, hashes: dict[int, bytes]) -> str | None:
    try:
        segment_id, expected = kept_checkpoint(text, key)
    except BadJwt:
        return f"{text[:20]}… is no checkpoint of this deployment"
    if segment_id > max(hashes, default=0):
        return f"segment {segment_id}: it was cut off, with all after it"
    if hashes.get(segment_id, expected) != expected:
        return f"segment {segment_id}: it is another one than at the time of the checkpoint"
    return None
