"""Whether the user of a grant may still use its client, judged whenever tokens are issued."""

from uuid import UUID

from shared.model import User
from shared.oauth.client.admission import is_admitted
from shared.oauth.client.record import Client
from shared.oauth.errors import InvalidGrant
from shared.store import Grants

NOT_ADMITTED = "the user is in no group that the client allows"


async def check_admission(grants: Grants, client: Client, grant_id: UUID, user: User) -> None:
    """End the grant of a user who may not use the client. Raises InvalidGrant, Unavailable."""
    if not is_admitted(client, user.groups):
        await grants.revoke(grant_id, NOT_ADMITTED)
        raise InvalidGrant("the grant is not valid", detail=NOT_ADMITTED)
