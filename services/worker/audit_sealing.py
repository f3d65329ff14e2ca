"""Seals the audit log."""

from datetime import timedelta

from services.worker.job import Job
from shared.live.keyring import KeyRing
from shared.operations.audit.chain import checkpoint_key
from shared.operations.audit.seal import SEGMENT, seal_next
from shared.store import AuditLog

MAX_SEGMENTS = 40  # in a round


def audit_sealing(log: AuditLog, keyring: KeyRing) -> Job:
    """The job, which seals what is not sealed yet."""

    async def work() -> None:
        if (salt := keyring.known.salt) is None:
            return
        for _ in range(MAX_SEGMENTS):
            if await seal_next(log, checkpoint_key(salt)) < SEGMENT:
                return

    return Job(name="audit_sealing", work=work, every=timedelta(seconds=10))
