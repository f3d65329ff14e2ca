"""Import of users from another server, which may be repeated: users that exist stay as they are."""

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, TypeAdapter, ValidationError

from shared.identity.imported_hashes import BadHash, checked_hash
from shared.model import Json
from shared.operations.groups import BadGroup
from shared.operations.roles import BadRole
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.changes import UserChanges, changed_claims
from shared.operations.user_rules.memberships import groups_in, roles_in
from shared.operations.user_rules.names import check_username
from shared.operations.users import add_user
from shared.process.operator_error import OperatorError
from shared.store import Taken, Users

MAX_SHOWN = 20  # faults


class BadUserFile(OperatorError):
    """Entries of the file cannot be imported; names each and says why. Nothing was imported."""


class _Entry(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)

    username: str
    email: str | None = None
    email_verified: bool | None = None
    password_hash: str | None = None
    claims: dict[str, Any] = Field(default_factory=dict)


_ENTRIES = TypeAdapter(list[Any])
_ENTRY = TypeAdapter(_Entry)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportedUser:
    """A user who can be added if the name is free. `password_hash`: as `imported_hashes.checked_hash`."""

    username: str
    claims: Json
    password_hash: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ImportedRow:
    """What became of one entry. `exists`: somebody had its name or address; nothing changed."""

    username: str
    result: Literal["added", "exists"]


def _imported(value: object) -> ImportedUser:
    """Raises BadUser, BadGroup, BadRole, BadHash, ValidationError."""
    entry = _ENTRY.validate_python(value)
    check_username(entry.username)
    groups_in(entry.claims)
    roles_in(entry.claims)
    changes = UserChanges(email=entry.email, is_email_verified=entry.email_verified)
    return ImportedUser(
        username=entry.username,
        claims=changed_claims(entry.claims, changes),
        password_hash=None if entry.password_hash is None else checked_hash(entry.password_hash),
    )


def _reason(error: Exception) -> str:
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"])
        return f"{where}: {first['msg']}" if where else first["msg"]
    return f"its password_hash cannot be imported: {error}" if isinstance(error, BadHash) else str(error)


def read_users(entries: object) -> Sequence[ImportedUser]:
    """The users of a JSON list: `username`, `email`, `email_verified`, `password_hash`, `claims`.

    `groups` and `roles` are among the claims. Raises BadUserFile.
    """
    try:
        values = _ENTRIES.validate_python(entries)
    except ValidationError:
        raise BadUserFile("the file is not a list of users") from None
    users, faults = [], []
    for position, value in enumerate(values, start=1):
        try:
            users.append(_imported(value))
        except (BadUser, BadGroup, BadRole, BadHash, ValidationError) as error:
            faults.append(f"user {position}: {_reason(error)}")
    if faults:
        more = len(faults) - MAX_SHOWN
        rest = [f"{more} more"] if more > 0 else []
        raise BadUserFile("nothing was imported; " + "; ".join(faults[:MAX_SHOWN] + rest))
    return users


async def import_users(users: Users, imported: Sequence[ImportedUser]) -> AsyncIterator[ImportedRow]:
    """Add each user whose names are free. Raises Unavailable."""
    for user in imported:
        try:
            await add_user(users, user.username, user.claims, user.password_hash, detail={"by": "import"})
        except Taken:
            yield ImportedRow(user.username, "exists")
        else:
            yield ImportedRow(user.username, "added")
