"""Changes of the claims of a user."""

from dataclasses import dataclass, field
from typing import Any

from shared.model import Json
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.claims import check_claims


@dataclass(frozen=True, slots=True, kw_only=True)
class UserChanges:
    """Changes of a user. None leaves a value as it is; a claim that is None is removed."""

    username: str | None = None
    email: str | None = None
    is_email_verified: bool | None = None
    locale: str | None = None
    claims: Json = field(default_factory=dict)


def changed_claims(claims: Json, changes: UserChanges) -> dict[str, Any]:
    """The claims after *changes*. A new address or phone number loses the verification of the old one.

    Raises BadUser.
    """
    members = {"email": changes.email, "email_verified": changes.is_email_verified, "locale": changes.locale}
    requested = {**changes.claims, **{name: value for name, value in members.items() if value is not None}}
    changed = {**claims, **requested}
    for name in ("email", "phone_number"):
        if changed.get(name) != claims.get(name) and f"{name}_verified" not in requested:
            changed.pop(f"{name}_verified", None)
    changed = {name: value for name, value in changed.items() if value is not None}
    if changes.is_email_verified is not None and "email" not in changed:
        raise BadUser("the user has no e-mail address to verify")
    check_claims(changed)
    return changed
