"""What users change of their own record, over ports."""

import re
from collections.abc import Collection, Mapping
from dataclasses import replace

from shared.model import Author, User
from shared.operations.user_rules.changes import UserChanges, changed_claims
from shared.operations.user_rules.names import MAX_NAME
from shared.store import Clients, Users
from shared.store.codecs.text import is_storable

EDITABLE = ("name", "given_name", "family_name", "nickname", "phone_number", "locale")
"""The claims that users may change, in the order in which they are shown.

The others are an operator's, or have to be verified: no user names their own groups, roles or address.
"""

_PHONE_NUMBER = re.compile(r"\+?[0-9][0-9 ()./-]{2,39}")
_LOCALE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8})*")  # RFC 5646 §2.1, as far as needed


async def editable_claims(clients: Clients) -> tuple[str, ...]:
    """Those of EDITABLE that no client's `claims_mapping` takes a value from.

    An operator who maps an attribute decides what it means to the client, so its value is theirs too.
    """
    mapped = await clients.mapped_attributes()
    return tuple(name for name in EDITABLE if name not in mapped)


def profile_fault(typed: Mapping[str, str]) -> str | None:
    """The first claim whose value is invalid. None: all are valid. An empty value removes a claim."""
    return next((name for name, value in typed.items() if value and not _is_valid(name, value)), None)


def _is_valid(name: str, value: str) -> bool:
    match name:
        case "phone_number":
            return _PHONE_NUMBER.fullmatch(value) is not None
        case "locale":
            return _LOCALE.fullmatch(value) is not None
    return len(value) <= MAX_NAME and value.isprintable() and is_storable(value)


async def change_profile(
    users: Users, user: User, typed: Mapping[str, str], editable: Collection[str]
) -> bool:
    """Write the valid values of *editable* claims; others are ignored. False: they are as they were.

    Raises Stale: the record has changed since *user* was read.
    """
    claims = {name: value or None for name, value in typed.items() if name in editable}
    changed = changed_claims(user.claims, UserChanges(claims=claims))
    if changed == user.claims:
        return False
    await users.replace(replace(user, claims=changed), by=Author("user"))
    return True
