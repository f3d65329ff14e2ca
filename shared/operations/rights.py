"""The rights of administrators: administration scopes, of which nobody gives or touches more than they have.

A client that acts for itself has those of its access token. A user has those of their groups, as far as the
access token and its client have them, too. Operators at the command line have all.

An author who could change a record with more rights could act as it: with a new password of an administrator,
a new secret of a client, or a membership of their own.
"""

from collections.abc import Iterable
from uuid import UUID

from shared.model import Author, Scope
from shared.oauth.resource.own import ADMINISTRATION_SCOPES
from shared.store import Groups


class BeyondRights(Exception):
    """The author lacks the rights `missing`, which the record has or would get."""

    def __init__(self, missing: Scope) -> None:
        super().__init__(" ".join(missing))
        self.missing = missing


def rights_in(scope: Iterable[str]) -> frozenset[str]:
    """The administration scopes among scope-tokens."""
    return frozenset(ADMINISTRATION_SCOPES).intersection(scope)


def check_rights(by: Author | None, *scopes: Iterable[str]) -> None:
    """Check that the author has each right among *scopes*. Raises BeyondRights."""
    if by is None:
        return
    if missing := rights_in(each for scope in scopes for each in scope) - by.rights:
        raise BeyondRights(tuple(sorted(missing)))


async def check_user_rights(groups: Groups, user_id: UUID, by: Author | None) -> None:
    """Check that the author has each right of the user. Raises BeyondRights."""
    check_rights(by, await groups.rights_of_user(user_id))


async def check_group_rights(groups: Groups, names: Iterable[str], by: Author | None) -> None:
    """Check that the author has each right of the groups of these names. Raises BeyondRights."""
    check_rights(by, await groups.rights_of_groups(tuple(names)))
