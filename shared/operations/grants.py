"""What operators do with grants, over ports."""

from typing import Any
from uuid import UUID

from shared.model import Author
from shared.process.operator_error import OperatorError
from shared.store import GrantRow, Grants

REVOKED_BY_OPERATOR = "revoked by an operator"
"""The reason in the audit log."""


class NoSuchGrant(OperatorError):
    """There is no live grant of that id."""

    template = "There is no grant {}"


def shown(row: GrantRow) -> dict[str, Any]:
    """A grant as operators see it."""
    return {
        "grant_id": str(row.grant_id),
        "client_id": row.client_id,
        "sub": str(row.user_id),
        "sid": str(row.sid),
        "scope": " ".join(row.scope),
        "is_offline": row.is_offline,
        "created_at": row.created_at.isoformat(),
        "expires_at": row.expires_at.isoformat(),
    }


async def get(grants: Grants, grant_id: UUID) -> GrantRow:
    """A live grant. Raises NoSuchGrant."""
    if grant := await grants.get_live(grant_id):
        return grant
    raise NoSuchGrant(str(grant_id))


async def revoke_grant(grants: Grants, grant_id: UUID, *, by: Author | None = None) -> None:
    """Revoke a grant with its tokens. Raises NoSuchGrant."""
    grant = await get(grants, grant_id)
    await grants.revoke(grant.grant_id, REVOKED_BY_OPERATOR, by=by)
