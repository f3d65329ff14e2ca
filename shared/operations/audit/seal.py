"""Sealing the audit log, segment by segment."""

import structlog
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from shared.operations.audit.chain import sealed
from shared.store import AuditLog

SEGMENT = 500
"""The most rows of a segment, which are removed together."""

logger = structlog.get_logger()


async def seal_next(log: AuditLog, key: Ed25519PrivateKey) -> int:
    """Seal the next segment. Returns the number of its rows; 0: there is nothing to seal. Raises Unavailable.

    A row whose transaction commits late is sealed with a later segment.
    """
    records = await log.unsealed(SEGMENT)
    if not records:
        return 0
    segment = sealed(await log.last_segment(), records, key)
    if not await log.seal(segment):
        return 0
    logger.info("audit_sealed", segment=segment.segment_id, rows=len(records), hash=segment.hash.hex())
    return len(records)
