"""The columns of users, and the users that they describe."""

from shared.model import User
from shared.store.postgres.memberships import MEMBERSHIPS_OF_USER, memberships
from shared.store.postgres.transport.connection import Row

USER = "u.user_id, u.username, u.claims AS user_claims, u.epoch, u.claims_version, u.created_at, u.updated_at"
"""The columns of a user, beside those of a grant. The user is not disabled."""


def user_with_groups(condition: str) -> str:
    """The columns of a user, with their groups and roles if *condition* holds, which are NULL otherwise."""
    return f"{USER}, CASE WHEN {condition} THEN {MEMBERSHIPS_OF_USER} END AS memberships"


def user_of(row: Row) -> User:
    """The user of a row that has the columns of `user_with_groups`."""
    groups, roles = memberships(row["memberships"])
    return User(
        user_id=row["user_id"],
        username=row["username"],
        claims=row["user_claims"],
        epoch=row["epoch"],
        claims_version=row["claims_version"],
        created_at=row["created_at"],
        updated_at=row["updated_at"],
        groups=groups,
        roles=roles,
    )
