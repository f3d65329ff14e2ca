"""What users see of the audit log: their own rows, over ports. Rows name no administrator."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from shared.model import AuditRecord
from shared.store import AuditLog

PAGE = 500
MAX_DOWNLOADED = 10_000

_OF_OTHERS = "by_user"  # the administrator who made the change


def shown(record: AuditRecord) -> dict[str, Any]:
    """A row as its user sees it."""
    return {
        "at": record.at.isoformat(),
        "event": record.event,
        "client_id": record.client_id,
        "detail": {name: value for name, value in record.detail.items() if name != _OF_OTHERS},
    }


async def latest_activity(audit_log: AuditLog, user_id: UUID) -> Sequence[AuditRecord]:
    """The latest rows of a user, at most MAX_DOWNLOADED, the latest first."""
    records: list[AuditRecord] = []
    before: int | None = None
    while len(records) < MAX_DOWNLOADED:
        page = await audit_log.of_user(user_id, before, PAGE)
        records += page
        if len(page) < PAGE:
            break
        before = page[-1].audit_id
    return records
