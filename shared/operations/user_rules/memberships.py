"""Groups and roles, which operators give among the claims of a user."""

from collections.abc import Sequence
from typing import Any

from shared.model import Json
from shared.oauth.supported import GROUPS, MEMBERSHIPS, ROLES
from shared.operations.groups import checked_names
from shared.operations.roles import checked_roles
from shared.operations.user_rules.bad_user import BadUser
from shared.operations.user_rules.claims import check_claims

MAX_GROUPS = 1000  # among the claims of one user; as many roles


def without_memberships(claims: Json) -> dict[str, Any]:
    """The claims that the record itself contains."""
    return {name: value for name, value in claims.items() if name not in MEMBERSHIPS}


def groups_in(claims: Json) -> tuple[str, ...] | None:
    """The groups among the claims that an operator gives; null gives none. None: the claim is absent.

    Raises BadUser, BadGroup.
    """
    names = _names_in(claims, GROUPS)
    return None if names is None else checked_names(names)


def roles_in(claims: Json) -> tuple[str, ...] | None:
    """The roles among the claims, as `groups_in`. Raises BadUser, BadRole."""
    names = _names_in(claims, ROLES)
    return None if names is None else checked_roles(names)


def with_group(claims: Json, group: str) -> dict[str, Any]:
    """The claims that an operator gives, with another group. Raises BadUser, BadGroup."""
    return {**claims, GROUPS: [*(groups_in(claims) or ()), group]}


def _names_in(claims: Json, member: str) -> Sequence[str] | None:
    if member not in claims:
        return None
    names: Sequence[str] = claims[member] or ()
    check_claims({member: names})
    if len(names) > MAX_GROUPS:
        raise BadUser(f"a user may get at most {MAX_GROUPS} {member} at once")
    return names
