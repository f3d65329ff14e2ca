"""What a client may get for a user: nothing beyond its allowed groups, and no rights that the user lacks."""

from dataclasses import dataclass
from uuid import UUID

from shared.model import Scope
from shared.oauth.client.admission import is_admitted
from shared.oauth.client.record import Client
from shared.operations.rights import rights_in
from shared.store import Groups, Users


@dataclass(frozen=True, slots=True)
class Permissions:
    """Reads the groups of a user only where they decide."""

    users: Users
    groups: Groups

    async def admits(self, user_id: UUID, client: Client) -> bool:
        """Whether the client allows a group of the user. Raises Unavailable."""
        if not client.allowed_groups:
            return True
        user = await self.users.find(user_id)
        return user is not None and is_admitted(client, user.groups)

    async def withheld(self, user_id: UUID, client: Client, scope: Scope) -> frozenset[str]:
        """The administration scopes among *scope* that the client cannot get for the user.

        Those of the user's groups remain, if the client may administer for users. Raises Unavailable.
        """
        rights = rights_in(scope)
        if not rights or not client.allow_administration:
            return rights
        return rights - await self.groups.rights_of_user(user_id)
